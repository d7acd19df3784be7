"""Prices: what a little more or less of each figure of the case costs or saves while what is built stays as it is.

They are the duals of the rows with the plan's integers fixed, and local for that reason. The conventions, all in this place:

*Sign.* What has to be met is priced at what one more unit of it costs: ``commodity`` (a tonne wanted at a use side), ``supply`` (a
tonne wanted at a maker's gate), ``demand``, ``floor``, ``contract``, ``minimum_run``, ``stock_final``, ``tariff`` (a percentage
point of rate). What limits is priced at what one more unit of it saves: ``cap``, ``restriction``, ``lane``, ``capacity``, ``market``,
``substitute``, ``stock_capacity``, ``budget``, ``project`` (a unit that ``units_max`` allows), ``reserve``, ``unit`` (a unit that is
built). Below zero are only a ``commodity`` or ``supply`` that is in the way, a ``demand`` that takes it away, and a ``unit`` that costs
more than it saves.

*Unit.* Rows of one year have ``usd_per_t``: undiscounted money of that year per tonne, for caps and floors per tonne that they let
through or demand. What holds over several years has ``musd``: discounted million USD per unit of its own (a million of budget,
a unit of a project, a tonne of reserve or stock, a percentage point of a tariff's rate in all its years).

*Several right ones.* ``unique`` is false where the price is not proved to be the same from both sides; it is then one of several
that are equally right: of capacity and units the one for a little more, of others any. Where rows cannot be moved apart
they are moved together: demand takes along what its substitutes may serve of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.model import Statement
from diversify.network.ground import Bools, Floats, Ints
from diversify.network.trade import tariff_flows
from diversify.planning.program import Program
from diversify.solve import Fixed, Moving, Options, fix_and_price

COLUMNS = ("kind", "table", "key", "year", "usd_per_t", "musd", "unique")

_YEARLY = {
    "c_use": ("commodity", "locations", ("location", "commodity", "tag")),
    "c_supply": ("supply", "locations", ("location", "owner", "commodity", "tag")),
    "c_demand": ("demand", "demand", ("location", "commodity")),
    "c_cap": ("cap", "caps", ("cap", "consumers")),
    "c_floor": ("floor", "floors", ("floor",)),
    "c_restriction": ("restriction", "restrictions", ("restriction",)),
    "c_contract": ("contract", "contracts", ("contract",)),
    "c_lane_capacity": ("lane", "lanes", ("origin", "destination", "commodity")),
    "c_capacity": ("capacity", "facilities", ("facility",)),
    "c_minimum_run": ("minimum_run", "facilities", ("facility",)),
    "c_market": ("market", "markets", ("location", "commodity")),
    "c_substitute": ("substitute", "substitutes", ("location", "commodity", "supplied")),
}
"""Rows that hold in one year, with the kind of price, the table and the key that they speak of."""

_ONCE = {
    "c_budget": ("budget", "budgets", ("budget",)),
    "c_units_max": ("project", "projects", ("project",)),
    "c_reserve": ("reserve", "facilities", ("facility",)),
    "c_stock_capacity": ("stock_capacity", "stockpiles", ("location", "commodity")),
    "c_stock_final": ("stock_final", "stockpiles", ("location", "commodity")),
}
"""Rows over several years, or of what lies in stock at the end of one."""

_TO_BE_MET = {"c_use", "c_supply", "c_demand", "c_floor", "c_contract", "c_minimum_run", "c_stock_final"}

_GRANTED = ("c_units_max", "c_units_min", "c_open_first", "c_budget")
"""Rows that one more unit is excused from: the limit on its number, budgets, and its first-unit cost, which is counted as money."""

KINDS = (*(kind for rows in (_YEARLY, _ONCE) for kind, _, _ in rows.values()), "tariff", "unit")
"""All kinds of price, in the order of the table."""


@dataclass(frozen=True)
class Sides:
    """What prices are made of: each is ``own`` + ``factor`` x the duals of some rows (or the quantities of some columns).

    ``listed`` has one row per price: kind, table, key, year, annual (whether in USD per t), own, factor. ``price``, ``member``
    and ``amount`` are arrays of one length: the price (position in ``listed``), the row or column (position among the solver's)
    and how far it moves with the price's figure.
    """

    listed: pd.DataFrame
    price: Ints
    member: Ints
    amount: Floats

    def values(self, worth: Floats) -> Floats:
        """Return the prices (n,) from the duals of all rows (or the quantities of all columns)."""
        total = np.bincount(self.price, weights=self.amount * worth[self.member], minlength=len(self.listed))
        return np.asarray(self.listed["own"] + self.listed["factor"] * total, dtype=np.float64)

    def unique(self, proved: Bools) -> Bools:
        """Return which prices (n,) rest only on members that are proved unique."""
        doubtful = np.bincount(self.price, weights=~proved[self.member], minlength=len(self.listed))
        return np.asarray(doubtful == 0, dtype=bool)

    def of(self, price: int) -> tuple[Ints, Floats]:
        """Return the members of one price and how far they move."""
        mine = self.price == price
        return self.member[mine], self.amount[mine]

    def table(self, worth: Floats, proved: Bools) -> pd.DataFrame:
        """Return all prices, those of nothing too, in the columns of the table ``prices``."""
        value, annual = self.values(worth), self.listed["annual"].to_numpy(dtype=bool)
        priced = self.listed.assign(usd_per_t=np.where(annual, value, np.nan), musd=np.where(annual, np.nan, value))
        return priced.assign(unique=self.unique(proved))[list(COLUMNS)]


def prices(program: Program, fixed: Fixed) -> pd.DataFrame:
    """Return the table ``prices`` of a plan, prices of zero left out; of a unit, the best year to come on line."""
    rows, units = row_sides(program), unit_sides(program, fixed.x)
    parts = [
        rows.table(fixed.dual, fixed.unique),
        tariff_sides(program).table(fixed.x, fixed.certain),
        best_years(units.table(fixed.dual, fixed.unique)),
    ]
    total = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    kept = (total["usd_per_t"].fillna(0.0).abs() > 1e-9) | (total["musd"].fillna(0.0).abs() > 1e-12)
    return total[kept].reset_index(drop=True)


def fixed_program(program: Program, x: Floats, options: Options) -> Fixed | None:
    """Return the linear program with the integers as in ``x``, solved and priced; None where it has no solution."""
    return fix_and_price(program.matrix, x, options, ties=_touched(program), implied=_implied(program), relief=_capacity_rows(program))


def moving_program(program: Program, x: Floats, options: Options) -> Moving | None:
    """Return the same linear program kept in the solver, for prices from either side; None where it has no solution."""
    return Moving.of(program.matrix, x, options, _implied(program))


def _touched(program: Program) -> Floats:
    """Return, for each of the solver's columns, how many tracing groups a tonne of it has touched (0 where it is no flow).

    Among plans of equal cost the one whose shipments have touched least is taken, so that a traced share that no cap binds
    says what the plan needs, not what it may call itself.
    """
    flows = program.statement.network.cells.flows
    groups = np.bitwise_count(flows["tag"].to_numpy(dtype=np.uint64)).astype(np.float64)
    column, touched = program.columns("v_flow"), np.zeros(len(program.matrix.columns))
    touched[column[column >= 0]] = groups[column >= 0]
    return touched


def _implied(program: Program) -> Bools:
    """Return the columns whose upper bounds repeat what rows say: capacity, the most units, demand."""
    found = np.zeros(len(program.matrix.columns), dtype=bool)
    for name in ("v_run", "v_build", "v_short"):
        column = program.columns(name)
        found[column[column >= 0]] = True
    return np.asarray(found & (program.matrix.lower < program.matrix.upper))


def _capacity_rows(program: Program) -> Ints:
    """Return the rows of capacity that are not let go: of what a plant without it may be worth, the value of the first tonne is wanted."""
    rows = program.rows("c_capacity")
    rows = rows[rows >= 0]
    return rows[np.isfinite(program.matrix.row_upper[rows])]


def row_sides(program: Program) -> Sides:
    """Return the prices that are duals of rows."""
    years = program.statement.network.ground.years
    discount = dict(zip(years.label.tolist(), years.discount.tolist(), strict=True))
    parts, members = [], []
    for annual, names in ((True, _YEARLY), (False, _ONCE)):
        for name, (kind, table, key) in names.items():
            index = program.statement.row_index.get(name)
            if index is None or not len(index):
                continue
            year = index["year"].astype("Int64") if "year" in index else pd.Series(pd.NA, index=index.index, dtype="Int64")
            part = pd.DataFrame({"kind": kind, "table": table, "key": _joined(index, key), "year": year, "annual": annual, "own": 0.0})
            sign = 1.0 if name in _TO_BE_MET else -1.0
            parts.append(part.assign(factor=sign / year.map(discount).to_numpy(dtype=np.float64) * 1e6 if annual else sign, name=name))
            members.append(program.rows(name))
    if not parts:
        return _sides([], [], [], [])
    listed, member = pd.concat(parts, ignore_index=True), np.concatenate(members)
    price, amount = np.arange(len(listed)), np.ones(len(listed))
    together = _with_substitutes(program, listed)
    return _sides(listed, *(np.concatenate(pair) for pair in zip((price, member, amount), together, strict=True)))


def _with_substitutes(program: Program, listed: pd.DataFrame) -> tuple[Ints, Ints, Floats]:
    """Return price, row and amount of the limits on substitutes, which are parts of the demand that moves."""
    nothing = np.empty(0, dtype=np.int64)
    limits = program.statement.row_index.get("c_substitute")
    if limits is None or not len(limits):
        return nothing, nothing, np.empty(0)
    demand = listed[listed["kind"] == "demand"]
    found = pd.MultiIndex.from_arrays([demand["key"], demand["year"].astype(np.int64)])
    asked = pd.MultiIndex.from_arrays([_joined(limits, ("location", "commodity")), limits["year"].astype(np.int64)])
    price, row = demand.index.to_numpy()[found.get_indexer(asked)], program.rows("c_substitute")
    of_demand = program.rows("c_demand")[found.get_indexer(asked)]
    kept = (row >= 0) & (of_demand >= 0) & np.isfinite(program.matrix.row_upper[of_demand])  # rows let go have no limit
    quantity = program.matrix.row_upper[of_demand[kept]]
    return price[kept], row[kept], program.matrix.row_upper[row[kept]] / quantity


def unit_sides(program: Program, x: Floats) -> Sides:
    """Return the prices of one more unit of each project in each year that it could come on line in: what its capacity saves at
    the plan's prices less its annuities and fixed cost, and the first-unit cost where the plan has not paid it by then.

    Saving falls with size (the cost is convex in capacity), so a whole unit saves at most this.
    """
    network, matrix = program.statement.network, program.matrix
    plants = network.plants
    column = program.columns("v_build")
    kept = np.flatnonzero(column >= 0)
    index = network.decoded(plants.online[["project", "year"]]).iloc[kept].reset_index(drop=True)
    listed = pd.DataFrame({"kind": "unit", "table": "projects", "key": index["project"], "year": index["year"], "annual": False})
    listed = listed.assign(own=-matrix.cost[column[kept]] - _first_unit_musd(program, x)[kept], factor=1.0, name="v_build")
    part = matrix.a[:, column[kept]].tocoo()
    excused = np.concatenate([program.rows(name) for name in _GRANTED if name in program.statement.row_index])
    counts = ~np.isin(part.row, excused)
    return _sides(listed, part.col[counts].astype(np.int64), part.row[counts].astype(np.int64), part.data[counts])


def _first_unit_musd(program: Program, x: Floats) -> Floats:
    """Return the discounted million USD that the first-unit cost adds to a unit coming on line (positions of plants.online).

    Nothing where the plan buys it by then; else the cheapest purchase by then, less the later one that it replaces.
    """
    plants = program.statement.network.plants
    extra = np.zeros(len(plants.online))
    opening, column = plants.openings, program.columns("v_open")
    seen = column >= 0
    musd = np.where(seen, program.matrix.cost[column], 0.0)
    bought = seen & (np.append(x, 0.0)[column] > 0.5)
    for _, rows in opening.groupby("project"):
        position = rows.index.to_numpy()
        cheapest = np.minimum.accumulate(musd[position])
        paid = np.cumsum(bought[position]) > 0
        extra[rows["online"]] = np.where(paid, 0.0, cheapest - float(musd[position] @ bought[position]))
    return extra


def best_years(units: pd.DataFrame) -> pd.DataFrame:
    """Return of each project the year in which one more unit is worth most, the first of several."""
    order = units.sort_values(["key", "musd", "year"], ascending=[True, False, True], kind="stable")
    return order.drop_duplicates("key").reset_index(drop=True)


def tariff_sides(program: Program) -> Sides:
    """Return the prices of tariffs: what a percentage point more of rate costs, discounted, at the quantities that flow.

    That is the derivative of the least cost with respect to the rate wherever the flows are proved the only best ones; elsewhere
    it lies between the slopes for a little less and a little more (the least cost is concave in a rate).
    """
    network = program.statement.network
    flows = network.cells.flows
    borne = tariff_flows(network.ground, flows)
    column = program.columns("v_flow")[borne["flow"]]
    seen = column >= 0
    names = sorted(set(borne["tariff"]))
    price = np.searchsorted(names, borne["tariff"].to_numpy(dtype=str)) if len(borne) else np.empty(0, dtype=np.int64)
    discount = network.ground.years.discount[flows["year"].to_numpy()[borne["flow"]]]
    amount = 0.01 * borne["usd_per_t"].to_numpy(dtype=np.float64) * discount / 1e6
    listed = pd.DataFrame({"kind": "tariff", "table": "tariffs", "key": names, "year": pd.NA, "annual": False, "own": 0.0, "factor": 1.0})
    return _sides(listed.assign(name="v_flow"), price[seen], column[seen], amount[seen])


def _sides(listed: pd.DataFrame | list[object], price: object, member: object, amount: object) -> Sides:
    """Return sides of what the solver sees; a row or column that it does not see is worth nothing."""
    columns = ["kind", "table", "key", "year", "annual", "own", "factor", "name"]
    frame = pd.DataFrame(listed, columns=columns).astype({"year": "Int64", "own": np.float64, "factor": np.float64})
    members = np.asarray(member, dtype=np.int64)
    seen = members >= 0
    prices_of, amounts = np.asarray(price, dtype=np.int64), np.asarray(amount, dtype=np.float64)
    return Sides(frame.reset_index(drop=True), prices_of[seen], members[seen], amounts[seen])


def _joined(index: pd.DataFrame, key: tuple[str, ...]) -> pd.Series:
    text = index[key[0]].astype(object)
    for column in key[1:]:
        text = text + "|" + index[column].astype(object)
    return text


def cap_prices(statement: Statement, dual: Floats, arrived: Floats) -> pd.DataFrame:
    """Return usd_per_t (of the year) and musd_per_point (discounted, per percentage point of share) of each row of c_cap.

    Raising a cap's share by d lets d x arrivals more tonnes come from the sources, hence the second from the first.
    """
    index = statement.row_index["c_cap"]
    years = statement.network.ground.years
    discount = index["year"].map(dict(zip(years.label.tolist(), years.discount.tolist(), strict=True))).to_numpy(dtype=np.float64)
    saved = np.maximum(-dual, 0.0)
    return index.assign(usd_per_t=saved / discount * 1e6, musd_per_point=saved * arrived * 0.01)
