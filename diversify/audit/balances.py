"""Material: what is made or returned leaves, what arrives is used, with the right tag and over lanes that exist.

Every term of a balance is in the plan's tables but one: at a use side a cleaner tonne may be handed over as a less
clean one. That hand-over is not listed, so the audit asks whether one exists (``relabelling``).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from diversify.audit.data import Case
from diversify.audit.demand import check_demand
from diversify.audit.relabelling import unmet_tags
from diversify.audit.report import SMALLEST_SHARE, Ledger
from diversify.audit.stocks import check_stocks, stock_changes
from diversify.audit.tables import LAYOUTS
from diversify.audit.trade import has_lane, makers, present, returning_places, users

SUPPLY = ["location", "owner", "commodity", "tag", "year"]
USE = ["location", "commodity", "tag", "year"]
PLACE = ["location", "commodity", "year"]


def check_material(plan: dict[str, pd.DataFrame], case: Case, ledger: Ledger) -> pd.Series:
    """Check every rule about tonnes that needs no policy: balances, tags, lanes, demand and stocks.

    Returns the largest quantity of each commodity in the plan or in demand, t per year.
    """
    _check_tags(plan, case, ledger)
    _check_lanes(plan["flows"], case, ledger)
    supply, use = _supply_terms(plan, case), _use_terms(plan, case)
    scale = _commodity_scales(supply, use, case)
    _check_supply(supply, scale, case, ledger)
    _check_use(use, scale, case, ledger)
    check_demand(plan, scale, case, ledger)
    check_stocks(plan["stocks"], scale, case, ledger)
    return scale


def runs(plan: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    """Return what every run makes (tonnes > 0) or takes in (< 0): location, owner, commodity, tag, year, tonnes."""
    flows = plan["activity"].merge(case.recipes, on="process")
    flows = flows.merge(case.facilities[["location", "owner", "touch"]].reset_index(), on="facility")
    made = flows["amount_t_per_t"] > 0.0
    tag = np.where(made, flows["tag"] | flows["touch"].astype(int), flows["tag"])
    traced = flows["commodity"].map(case.traced).astype(bool)
    return flows.assign(tag=np.where(traced, tag, 0).astype(int), tonnes=flows["amount_t_per_t"] * flows["activity_t_per_year"])


def returned_scrap(deliveries: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return the scrap that comes back: SUPPLY columns and tonnes, of sales in the planning year that holds t - lag."""
    places = returning_places(case).merge(pd.DataFrame({"year": list(case.years)}), how="cross")
    sold_in = places["year"] - places["lag_years"]
    position = np.searchsorted(np.asarray(case.years, dtype=float), sold_in.to_numpy(dtype=float), side="right") - 1
    places["sold_year"] = np.where(position >= 0, np.asarray(case.years)[np.maximum(position, 0)], -1)
    sales = deliveries.groupby(["location", "supplied_by", "year"])[["quantity_t_per_year"]].sum().reset_index()
    sales = sales.rename(columns={"supplied_by": "commodity", "year": "sold_year"})
    places = places.merge(sales, on=["location", "commodity", "sold_year"], how="left")
    sold = np.where(position >= 0, places["quantity_t_per_year"].fillna(0.0), places["past_t_per_year"])
    places = places.drop(columns="commodity").rename(columns={"scrap": "commodity"})
    return places[SUPPLY].assign(tonnes=places["scrap_t_per_t"] * sold)


def _check_tags(plan: dict[str, pd.DataFrame], case: Case, ledger: Ledger) -> None:
    for table in ("flows", "deliveries", "disposal", "sales", "stocks"):
        column = "supplied_by" if table == "deliveries" else "commodity"
        rows = case.named(plan[table])
        wrong = rows[(rows["tag"] != "") & ~rows[column].map(case.traced).astype(bool)]
        sentence = f"the table {table} of the plan gives {{{column}}} the tag '{{tag}}', but its origin is not traced"
        key = [name for name in LAYOUTS[table].key if name != "year"]
        ledger.forbid("tag", table, wrong, key, sentence)
    takes = case.recipes[(case.recipes["amount_t_per_t"] < 0.0) & case.recipes["commodity"].map(case.traced).astype(bool)]
    rows = case.named(plan["activity"])
    wrong = rows[(rows["tag"] != "") & ~rows["process"].isin(takes["process"])]
    sentence = "{facility} runs {process} with the tag '{tag}' in {year}, but the process takes in nothing traced"
    ledger.forbid("tag", "activity", wrong, ["facility", "process", "tag"], sentence)


def _check_lanes(flows: pd.DataFrame, case: Case, ledger: Ledger) -> None:
    rows, key = case.named(flows), ["origin", "owner", "destination", "commodity", "tag"]
    made = present(rows, makers(case), location="origin")
    ledger.forbid("lane", "flows", rows[~made], key, "{origin} sends out {commodity} of owner {owner} in {year}, which nobody there makes")
    used = present(rows, users(case), location="destination")
    ledger.forbid("lane", "flows", rows[~used], key, "{commodity} arrives at {destination} in {year}, where nothing can use it")
    joined = has_lane(rows, case)
    ledger.forbid("lane", "flows", rows[~joined], key, "{commodity} goes from {origin} to {destination} in {year}, but no lane joins them")


def _supply_terms(plan: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    made = runs(plan, case)
    terms = [made.loc[made["tonnes"] > 0.0, [*SUPPLY, "tonnes"]], returned_scrap(plan["deliveries"], case)]
    shipped = plan["flows"].rename(columns={"origin": "location"})
    for rows in (shipped, plan["disposal"], plan["sales"]):
        terms.append(rows[SUPPLY].assign(tonnes=-rows["quantity_t_per_year"]))
    return pd.concat(terms, ignore_index=True)


def _use_terms(plan: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    taken = runs(plan, case)
    arrived = plan["flows"].rename(columns={"destination": "location"})
    delivered = plan["deliveries"].drop(columns="commodity").rename(columns={"supplied_by": "commodity"})
    terms = [
        arrived[USE].assign(tonnes=arrived["quantity_t_per_year"]),
        stock_changes(plan["stocks"], case),
        taken.loc[taken["tonnes"] < 0.0, [*USE, "tonnes"]],
        delivered[USE].assign(tonnes=-delivered["quantity_t_per_year"]),
    ]
    return pd.concat(terms, ignore_index=True)


def _commodity_scales(supply: pd.DataFrame, use: pd.DataFrame, case: Case) -> pd.Series:
    wanted = case.demand.rename(columns={"wanted": "tonnes"})[["commodity", "tonnes"]]
    sizes = pd.concat([supply[["commodity", "tonnes"]], use[["commodity", "tonnes"]], wanted], ignore_index=True)
    return sizes["tonnes"].abs().groupby(sizes["commodity"]).max()


def _netted(terms: pd.DataFrame, key: list[str], scale: pd.Series) -> pd.DataFrame:
    """Sum of the terms by key (``net``) and what it is to be compared with (``scale``)."""
    rows = terms.assign(scale=terms["tonnes"].abs()).groupby(key, as_index=False, sort=True)[["tonnes", "scale"]].sum()
    floor = SMALLEST_SHARE * rows["commodity"].map(scale)
    return rows.rename(columns={"tonnes": "net"}).assign(scale=np.maximum(rows["scale"], floor))


def _check_supply(terms: pd.DataFrame, scale: pd.Series, case: Case, ledger: Ledger) -> None:
    rows = case.named(_netted(terms, SUPPLY, scale))
    where = "{location}, owner {owner}, tag '{tag}', {year}: {amount:.6g} t per year"
    for amount, what in ((-rows["net"], "more {commodity} leaves than is made"), (rows["net"], "of {commodity} is made and goes nowhere")):
        ledger.check("supply_balance", "flows", rows, SUPPLY[:-1], amount, rows["scale"], "t per year", f"{where} {what}")


def _check_use(terms: pd.DataFrame, scale: pd.Series, case: Case, ledger: Ledger) -> None:
    rows = _netted(terms, PLACE, scale)
    key, where = PLACE[:-1], "{location}, {year}: {amount:.6g} t per year"
    wanting, idle = "more {commodity} is used than arrives or is drawn", "of {commodity} arrives and is not used"
    for amount, what in ((-rows["net"], wanting), (rows["net"], idle)):
        ledger.check("use_balance", "flows", rows, key, amount, rows["scale"], "t per year", f"{where} {what}")
    _check_relabelling(terms, rows, scale, ledger)


def _check_relabelling(terms: pd.DataFrame, rows: pd.DataFrame, scale: pd.Series, ledger: Ledger) -> None:
    """Where a tag is used more than it arrives, cleaner tonnes must be there to be handed over."""
    tags = _netted(terms, USE, scale).rename(columns={"scale": "own"}).merge(rows[[*PLACE, "scale"]], on=PLACE)
    short = tags[tags["net"] < -ledger.tolerance * tags["scale"]][PLACE].drop_duplicates()
    rows, tags = rows.merge(short, on=PLACE), tags.merge(short, on=PLACE).sort_values(PLACE, kind="stable")
    starts = np.flatnonzero(~tags.duplicated(PLACE))
    masks, nets = tags["tag"].tolist(), tags["net"].tolist()
    nodes = [dict(zip(masks[start:end], nets[start:end], strict=True)) for start, end in pairwise([*starts, len(tags)])]
    unmet = [unmet_tags(node) - max(0.0, -sum(node.values())) for node in nodes]
    ledger.residuals.setdefault("relabelling", 0.0)
    sentence = "{location}, {year}: {amount:.6g} t per year of {commodity} are used under a tag that leaves out a touch they bear"
    ledger.check("relabelling", "activity", rows, PLACE[:-1], np.asarray(unmet, dtype=float), rows["scale"], "t per year", sentence)
