"""Caps, floors, budgets, contracts and restrictions as rows over flows and builds, with their limits by year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.network.cells import Cells
from diversify.network.ground import Bools, Floats, Ground, Ints, filled, number, records
from diversify.network.plants import Plants
from diversify.network.tags import Tags
from diversify.network.trade import Restriction, Trade, restrictions


@dataclass(frozen=True)
class Policy:
    """Rows and their memberships; ``row`` columns are positions in the frame of the same name.

    ``caps``: cap, consumers (selector, or country where the scope is each), commodity, year, share,
    excess_usd_per_t, excess_country. ``cap_flows``: row, flow, hit. ``floors``: floor, year, share. ``floor_flows``:
    row, flow, sent, taken. ``budgets``: budget, limit_musd. ``budget_units`` and ``budget_firsts``: row, online
    (position in plants.online). ``contracts``: contract, year, minimum_t_per_year. ``contract_flows``: row, flow.
    ``limits``: restriction, year, limit_t_per_year. ``limit_flows``: row, flow.
    """

    caps: pd.DataFrame
    cap_flows: pd.DataFrame
    floors: pd.DataFrame
    floor_flows: pd.DataFrame
    budgets: pd.DataFrame
    budget_units: pd.DataFrame
    contracts: pd.DataFrame
    contract_flows: pd.DataFrame
    limits: pd.DataFrame
    limit_flows: pd.DataFrame

    @classmethod
    def of(cls, ground: Ground, plants: Plants, trade: Trade, tags: Tags, cells: Cells) -> Policy:
        """Resolve the policy tables against the flows and projects that exist."""
        caps, cap_flows = _caps(ground, tags, cells)
        floors, floor_flows = _floors(ground, cells)
        budgets, budget_units = _budgets(ground, plants)
        contracts, contract_flows = _contracts(ground, trade, cells)
        limits, limit_flows = _limits(ground, cells)
        return cls(caps, cap_flows, floors, floor_flows, budgets, budget_units, contracts, contract_flows, limits, limit_flows)


def _shares(ground: Ground, rows: pd.DataFrame, table: str) -> Floats:
    """Return the share of a cap or floor in each planning year (T,): NaN before the first listed year."""
    years = rows["year"].to_numpy(dtype=np.float64)
    shares = ground.years.interpolate(years, filled(rows, table, "share"))
    return np.where(ground.years.label < years.min(), np.nan, shares)


def _hits(ground: Ground, tags: Tags, flows: pd.DataFrame, basis: str, sources: str) -> Bools:
    """Return which flows come from the sources under a cap's basis (FORMULATION "Shares, floors")."""
    members = ground.select(sources)
    if basis == "traced":
        return np.asarray((flows["tag"].to_numpy() >> tags.groups.index(sources)) & 1, dtype=bool)
    made_there = members[flows["origin_country"]]
    return made_there | members[flows["owner"]] if basis == "owned" else made_there


def _collect(
    pairs: list[tuple[pd.DataFrame, pd.DataFrame]], row_columns: list[str], flow_columns: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stack rows and their flow memberships (which name their rows by position within the pair)."""
    rows, flows, offset = [pd.DataFrame(columns=row_columns)], [pd.DataFrame(columns=flow_columns, dtype=np.int64)], 0
    for row_part, flow_part in pairs:
        rows.append(row_part)
        flows.append(flow_part.assign(row=flow_part["row"] + offset))
        offset += len(row_part)
    rows, flows = rows[len(rows) > 1 :], flows[len(flows) > 1 :]
    return pd.concat(rows, ignore_index=True)[row_columns], pd.concat(flows, ignore_index=True)[flow_columns]


def _by_year(flows: pd.DataFrame, chosen: Bools, years: Bools) -> tuple[Ints, Ints]:
    """Return positions of chosen flows in the given years, and for each the rank of its year among them."""
    rank = np.cumsum(years) - 1
    positions = np.flatnonzero(chosen & years[flows["year"]])
    return positions, rank[flows["year"].to_numpy()[positions]]


def _caps(ground: Ground, tags: Tags, cells: Cells) -> tuple[pd.DataFrame, pd.DataFrame]:
    flows, pairs = cells.flows, []
    for cap, rows in ground.instance.table("caps").groupby("cap"):
        first = rows.iloc[0]
        shares = _shares(ground, rows, "caps")
        years = ~np.isnan(shares)
        excess = filled(rows, "caps", "excess_usd_per_t")[0]
        of_commodity = (flows["commodity"] == ground.commodities.code(str(first["commodity"]))).to_numpy()
        hit = _hits(ground, tags, flows, str(first["basis"]), str(first["sources"]))
        for name, members in _consumer_sets(ground, str(first["consumers"]), first["scope"] == "each"):
            positions, row = _by_year(flows, of_commodity & members[flows["destination_country"]], years)
            limit = pd.DataFrame({"year": np.flatnonzero(years), "share": shares[years]})
            limit = limit.assign(
                cap=cap, consumers=name, commodity=ground.commodities.code(str(first["commodity"])), excess_usd_per_t=excess
            )
            pairs.append((limit, pd.DataFrame({"row": row, "flow": positions, "hit": hit[positions].astype(np.int64)})))
    return _collect(pairs, ["cap", "consumers", "commodity", "year", "share", "excess_usd_per_t"], ["row", "flow", "hit"])


def _consumer_sets(ground: Ground, selector: str, each: bool) -> list[tuple[str, Bools]]:
    """Return the consumers that a cap holds for: all together, or each country that has a place."""
    members = ground.select(selector)
    if not each:
        return [(selector, members)]
    placed = np.zeros(len(ground.countries), dtype=bool)
    placed[ground.location_country] = True
    codes = np.flatnonzero(members & placed)
    return [(ground.countries.names[code], np.arange(len(members)) == code) for code in codes]


def _floors(ground: Ground, cells: Cells) -> tuple[pd.DataFrame, pd.DataFrame]:
    flows, pairs = cells.flows, []
    for floor, rows in ground.instance.table("floors").groupby("floor"):
        first = rows.iloc[0]
        shares = _shares(ground, rows, "floors")
        years = ~np.isnan(shares)
        of_commodity = (flows["commodity"] == ground.commodities.code(str(first["commodity"]))).to_numpy()
        sent = ground.select(str(first["makers"]))[flows["origin_country"]]
        taken = ground.select(str(first["consumers"]))[flows["destination_country"]]
        positions, row = _by_year(flows, of_commodity & (sent | taken), years)
        limit = pd.DataFrame({"year": np.flatnonzero(years), "share": shares[years]}).assign(floor=floor)
        member = {"row": row, "flow": positions, "sent": sent[positions].astype(np.int64), "taken": taken[positions].astype(np.int64)}
        pairs.append((limit, pd.DataFrame(member)))
    return _collect(pairs, ["floor", "year", "share"], ["row", "flow", "sent", "taken"])


def _budgets(ground: Ground, plants: Plants) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Budgets and the on-line years that they pay for: decided (on-line year less lead_years) within the budget's years."""
    table = ground.instance.table("budgets").sort_values("budget", ignore_index=True)
    online, projects = plants.online, plants.projects
    project = online["project"].to_numpy()
    decided = ground.years.label[online["year"]] - projects["lead_years"].to_numpy(dtype=np.float64)[project]
    country = projects["country"].to_numpy(dtype=np.int64)[project]
    parts = [pd.DataFrame({"row": np.empty(0, dtype=np.int64), "online": np.empty(0, dtype=np.int64)})]
    for row, budget in enumerate(records(table)):
        first, last = number(budget["first_year"], -np.inf), number(budget["last_year"], np.inf)
        paid = np.flatnonzero(ground.select(budget["payer"])[country] & (decided >= first) & (decided <= last))
        parts.append(pd.DataFrame({"row": row, "online": paid}))
    budgets = pd.DataFrame({"budget": table["budget"], "limit_musd": filled(table, "budgets", "limit_musd")})
    return budgets, pd.concat(parts, ignore_index=True)


def _contracts(ground: Ground, trade: Trade, cells: Cells) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Contracts on lanes that exist; on others they have no effect."""
    flows, pairs = cells.flows, []
    lanes = set(trade.lanes[["origin", "destination", "commodity"]].itertuples(index=False, name=None))
    for contract in records(ground.instance.table("contracts").sort_values("contract")):
        origin, destination = ground.locations.code(contract["origin"]), ground.locations.code(contract["destination"])
        commodity = ground.commodities.code(contract["commodity"])
        if (origin, destination, commodity) not in lanes:
            continue
        years = ground.years.within(contract["first_year"], contract["last_year"])
        on_lane = ((flows["origin"] == origin) & (flows["destination"] == destination) & (flows["commodity"] == commodity)).to_numpy()
        positions, row = _by_year(flows, on_lane, years)
        rows = pd.DataFrame({"year": np.flatnonzero(years), "minimum_t_per_year": contract["minimum_t_per_year"]})
        rows = rows.assign(contract=contract["contract"])
        pairs.append((rows, pd.DataFrame({"row": row, "flow": positions})))
    return _collect(pairs, ["contract", "year", "minimum_t_per_year"], ["row", "flow"])


def _limits(ground: Ground, cells: Cells) -> tuple[pd.DataFrame, pd.DataFrame]:
    pairs = [_limit(restriction, cells.flows) for restriction in restrictions(ground)]
    return _collect(pairs, ["restriction", "year", "limit_t_per_year"], ["row", "flow"])


def _limit(restriction: Restriction, flows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    positions, row = _by_year(flows, restriction.matches(flows), restriction.years)
    rows = pd.DataFrame({"year": np.flatnonzero(restriction.years)}).assign(
        restriction=restriction.name, limit_t_per_year=restriction.limit_t_per_year
    )
    return rows, pd.DataFrame({"row": row, "flow": positions})
