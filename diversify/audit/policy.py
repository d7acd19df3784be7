"""Policy and trade limits: lane capacity, contracts, restrictions, markets, caps on shares, floors, budgets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.audit.builds import priced_builds
from diversify.audit.data import Case
from diversify.audit.report import SMALLEST_SHARE, Ledger
from diversify.audit.trade import LANE, makers, present, restricted, users
from diversify.schema import EVERYTHING


def check_policy(plan: dict[str, pd.DataFrame], scale: pd.Series, case: Case, ledger: Ledger) -> None:
    """Check every limit that is laid on flows, sales, shares and capital; ``scale`` is each commodity's largest quantity."""
    flows = plan["flows"]
    _check_lanes(flows, scale, case, ledger)
    _check_contracts(flows, scale, case, ledger)
    _check_restrictions(flows, scale, case, ledger)
    _check_markets(plan["sales"], scale, case, ledger)
    _check_floors(flows, scale, case, ledger)
    _check_budgets(plan["builds"], case, ledger)


def _shipped(flows: pd.DataFrame) -> pd.DataFrame:
    """Tonnes a year on each lane, over owners and tags."""
    return flows.groupby([*LANE, "year"])[["quantity_t_per_year"]].sum().reset_index()


def _floor(commodities: pd.Series, scale: pd.Series) -> np.ndarray:
    return SMALLEST_SHARE * commodities.map(scale).fillna(0.0).to_numpy(dtype=float)


def _check_lanes(flows: pd.DataFrame, scale: pd.Series, case: Case, ledger: Ledger) -> None:
    limits = case.tables["lanes"]
    rows = _shipped(flows).merge(limits.loc[limits["capacity_t_per_year"].notna(), [*LANE, "capacity_t_per_year"]], on=LANE)
    over = rows["quantity_t_per_year"] - rows["capacity_t_per_year"]
    sentence = "{amount:.6g} t per year more {commodity} go from {origin} to {destination} in {year} than the lane holds"
    size = np.maximum(rows["capacity_t_per_year"], _floor(rows["commodity"], scale))
    ledger.check("lane_capacity", "flows", rows, LANE, over, size, "t per year", sentence)


def _check_contracts(flows: pd.DataFrame, scale: pd.Series, case: Case, ledger: Ledger) -> None:
    contracts = case.tables["contracts"]
    bound = present(contracts, makers(case)[["location", "commodity"]].drop_duplicates(), location="origin")
    bound &= present(contracts, users(case), location="destination")
    rows = contracts[bound].merge(pd.DataFrame({"year": list(case.years)}), how="cross")
    rows = rows[~(rows["year"] < rows["first_year"]) & ~(rows["year"] > rows["last_year"])]
    rows = rows.merge(_shipped(flows), on=[*LANE, "year"], how="left").fillna({"quantity_t_per_year": 0.0})
    under = rows["minimum_t_per_year"] - rows["quantity_t_per_year"]
    sentence = "contract {contract}: {amount:.6g} t per year too little {commodity} goes from {origin} to {destination} in {year}"
    size = np.maximum(rows["minimum_t_per_year"], _floor(rows["commodity"], scale))
    ledger.check("contract", "flows", rows, ["contract"], under, size, "t per year", sentence)


def _check_restrictions(flows: pd.DataFrame, scale: pd.Series, case: Case, ledger: Ledger) -> None:
    for row in case.tables["restrictions"].to_dict("records"):
        hit = flows[restricted(flows, row, case)]
        shipped = hit.groupby("year")["quantity_t_per_year"].sum()
        rows = pd.DataFrame({"year": case.in_force(row["first_year"], row["last_year"])}).assign(restriction=row["restriction"])
        quantity, limit = rows["year"].map(shipped).fillna(0.0), float(row["limit_t_per_year"])
        # a ban has no size of its own: it is compared with the smallest commodity that it bans, so that none hides behind another
        smallest = scale.reindex(hit["commodity"].unique()).min() if len(hit) else 1.0
        size = max(limit, SMALLEST_SHARE * float(smallest))
        sentence = "restriction {restriction}: {amount:.6g} t per year more are shipped in {year} than it allows"
        ledger.check("restriction", "flows", rows, ["restriction"], quantity - limit, size, "t per year", sentence)


def market_of(sales: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return the sales with ``price_usd_per_t`` (NaN: no market there) and ``limit_t_per_year``; a row for one place wins."""
    markets = case.tables["markets"][["location", "commodity", "price_usd_per_t", "limit_t_per_year"]]
    anywhere = markets[markets["location"] == EVERYTHING].drop(columns="location")
    there = sales.merge(markets, on=["location", "commodity"], how="left")
    general = sales.merge(anywhere, on="commodity", how="left")
    here = present(sales, markets[["location", "commodity"]]).to_numpy()
    columns = ["price_usd_per_t", "limit_t_per_year"]
    return sales.reset_index(drop=True).assign(**{name: np.where(here, there[name], general[name]) for name in columns})


def _check_markets(sales: pd.DataFrame, scale: pd.Series, case: Case, ledger: Ledger) -> None:
    rows = market_of(sales, case)
    sentence = "{location} sells {commodity} in {year}, for which it has no market"
    strange = case.named(rows[rows["price_usd_per_t"].isna()])
    ledger.forbid("market", "sales", strange, ["location", "owner", "commodity", "tag"], sentence)
    place = ["location", "commodity", "year"]
    rows = rows.groupby(place, as_index=False).agg(sold=("quantity_t_per_year", "sum"), limit=("limit_t_per_year", "first"))
    rows = rows[rows["limit"].notna()]
    sentence = "{location} sells {amount:.6g} t per year more {commodity} in {year} than its market takes"
    size = np.maximum(rows["limit"], _floor(rows["commodity"], scale))
    ledger.check("market_limit", "sales", rows, place[:-1], rows["sold"] - rows["limit"], size, "t per year", sentence)


def share_limits(table: pd.DataFrame, name: str, years: tuple[int, ...]) -> pd.DataFrame:
    """Return one row per cap (or floor) and planning year in force with its ``limit``: linear, none before the first, the last holds."""
    blocks = []
    for _, rows in table.sort_values("year").groupby(name, sort=True):
        listed = rows["year"].to_numpy(dtype=float)
        ahead = [year for year in years if year >= listed[0]]
        limits = np.interp(ahead, listed, rows["share"].to_numpy(dtype=float))
        constant = rows.iloc[[0]].drop(columns=["year", "share"])
        blocks.append(constant.merge(pd.DataFrame({"year": ahead, "limit": limits}), how="cross"))
    return pd.concat(blocks, ignore_index=True) if blocks else table.assign(limit=0.0)


def _check_floors(flows: pd.DataFrame, scale: pd.Series, case: Case, ledger: Ledger) -> None:
    """What leaves the makers' supply sides is at least the share of what arrives at the consumers'."""
    rows = share_limits(case.tables["floors"], "floor", case.years).assign(made=0.0, taken=0.0)
    leaves, enters = flows["origin"].map(case.country), flows["destination"].map(case.country)
    for _, same in rows.groupby("floor", sort=False):
        floor = same.iloc[0]
        of_it = flows["commodity"] == floor["commodity"]
        sent, arrived = leaves.isin(case.members[floor["makers"]]), enters.isin(case.members[floor["consumers"]])
        for column, counted in (("made", sent), ("taken", arrived)):
            by_year = flows[of_it & counted].groupby("year")["quantity_t_per_year"].sum()
            rows.loc[same.index, column] = same["year"].map(by_year).fillna(0.0)
    under = rows["limit"] * rows["taken"] - rows["made"]
    size = np.maximum(rows[["made", "taken"]].max(axis=1), _floor(rows["commodity"], scale))
    sentence = "floor {floor}: {makers} send out {amount:.6g} t per year too little {commodity} in {year} for {consumers}"
    ledger.check("floor", "flows", rows, ["floor"], under, size, "t per year", sentence)


def _check_budgets(builds: pd.DataFrame, case: Case, ledger: Ledger) -> None:
    """Overnight capital, first units' included, of what is decided within a budget's years by plants of its payers."""
    rows = priced_builds(builds, case)
    decided = rows["year"] - rows["lead_years"]
    budgets = case.tables["budgets"]
    spent = np.zeros(len(budgets))
    for place, row in enumerate(budgets.to_dict("records")):
        counts = ~(decided < row["first_year"]) & ~(decided > row["last_year"]) & rows["country"].isin(case.members[row["payer"]])
        spent[place] = rows.loc[counts, "capex"].sum()
    over = spent - budgets["limit_musd"]
    sentence = "budget {budget}: {amount:.6g} million USD more are committed than its {limit_musd:.6g}"
    ledger.check("budget", "builds", budgets, ["budget"], over, np.maximum(budgets["limit_musd"], 0.01 * spent), "musd", sentence)
