"""Demand: own deliveries, substitutes and shortage add up to what is wanted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.audit.data import Case
from diversify.audit.report import SMALLEST_SHARE, Ledger
from diversify.audit.trade import present

PLACE = ["location", "commodity", "year"]


def replaced(deliveries: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return the deliveries with ``met`` (t per year of demand that they meet), ``extra_usd_per_t`` and ``max_share``.

    ``met`` is NaN where what is delivered is neither the commodity wanted nor a substitute for it.
    """
    ways = case.tables["substitutes"].rename(columns={"substitute": "supplied_by"})
    ways = ways[["commodity", "supplied_by", "ratio_t_per_t", "extra_usd_per_t", "max_share"]]
    rows = deliveries.merge(ways, on=["commodity", "supplied_by"], how="left")
    own = rows["supplied_by"] == rows["commodity"]
    rows.loc[own, ["ratio_t_per_t", "extra_usd_per_t", "max_share"]] = (1.0, 0.0, 1.0)
    return rows.assign(met=rows["quantity_t_per_year"] / rows["ratio_t_per_t"])


def check_demand(plan: dict[str, pd.DataFrame], commodity_scale: pd.Series, case: Case, ledger: Ledger) -> None:
    """Check that every demand is met or short as allowed, and that nothing is delivered where nothing is wanted."""
    demand, met = case.demand, replaced(plan["deliveries"], case)
    strange = case.named(met[met["met"].isna()])
    sentence = "{location}: {supplied_by} is delivered for {commodity} in {year}, which it cannot replace"
    ledger.forbid("substitute", "deliveries", strange, ["location", "commodity", "supplied_by", "tag"], sentence)
    for table in ("deliveries", "shortages"):
        wanted = present(plan[table], demand[["location", "commodity"]])
        sentence = f"{{location}} has no demand for {{commodity}}, for which the table {table} of the plan has a row in {{year}}"
        ledger.forbid("demand", table, plan[table][~wanted], PLACE[:-1], sentence)
    rows = demand.merge(met.groupby(PLACE, as_index=False)["met"].sum(), on=PLACE, how="left")
    rows = rows.merge(plan["shortages"].groupby(PLACE, as_index=False)["quantity_t_per_year"].sum(), on=PLACE, how="left")
    rows = rows.fillna({"met": 0.0, "quantity_t_per_year": 0.0})
    scale = rows["wanted"].clip(lower=SMALLEST_SHARE * rows["commodity"].map(commodity_scale))
    excess = rows["met"] + rows["quantity_t_per_year"] - rows["wanted"]
    key, where = PLACE[:-1], "{location}, {year}: {amount:.6g} t per year"
    lacking, beyond = "of the demand for {commodity} is not accounted for", "more {commodity} is delivered or short than is wanted"
    for amount, what in ((-excess, lacking), (excess, beyond)):
        ledger.check("demand", "deliveries", rows, key, amount, scale, "t per year", f"{where} {what}")
    hard = rows["shortage_usd_per_t"].isna()
    sentence = f"{where} of {{commodity}} is short, but the demand must be met"
    short = rows["quantity_t_per_year"][hard]
    ledger.check("hard_demand", "shortages", rows[hard], key, short, scale[hard], "t per year", sentence)
    _check_shares(met, demand, scale.set_axis(pd.MultiIndex.from_frame(rows[PLACE])), ledger)


def _check_shares(met: pd.DataFrame, demand: pd.DataFrame, scale: pd.Series, ledger: Ledger) -> None:
    """No substitute replaces more than its share of a demand."""
    rows = met[met["supplied_by"] != met["commodity"]]
    rows = rows.groupby([*PLACE, "supplied_by"], as_index=False).agg(met=("met", "sum"), max_share=("max_share", "first"))
    rows = rows.merge(demand, on=PLACE)
    size = scale.reindex(pd.MultiIndex.from_frame(rows[PLACE])).to_numpy(dtype=float) if len(rows) else np.empty(0)
    sentence = "{location}, {year}: {supplied_by} replaces {amount:.6g} t per year of {commodity} more than its share allows"
    over = rows["met"] - rows["max_share"] * rows["wanted"]
    ledger.check("substitute_share", "deliveries", rows, ["location", "commodity", "supplied_by"], over, size, "t per year", sentence)
