"""The levers of policy: cells of the tables that a repair may change, and how each loosens the model.

*What a change counts.* Rows in tonnes, per cent, money and years must compare, so every change is measured by how far the figure
moves from what was asked, in per cent, times the planning years for which it moves: **points**. A cap or floor counts its
percentage points; a budget, a contract, a least stock and a least number of units their per cent; a restriction per cent of its limit
or, if that is more, of a typical quantity of the commodity; a project on line a year earlier counts ``EARLIER``; demand that
is given up counts three times (``GIVEN_UP``), since somebody goes without. Physics has no lever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.diagnose.loosened import Loosened
from diversify.network.ground import Floats, filled, number, records
from diversify.solve import Stretch

EARLIER = 5.0
"""Points of a project that may come on line a year earlier."""

GIVEN_UP = 3.0
"""Points of a per cent of demand that is given up, in one planning year."""

TABLES = ("caps", "floors", "restrictions", "budgets", "contracts", "stockpiles", "projects", "demand")
"""Tables that have levers, in the order in which they are spoken of."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Lever:
    """One cell: ``table``, ``cells`` (which row), ``column``, its ``value``, and whether repairs raise it (``sign`` 1) or lower it (-1).

    Moved by one unit it adds ``amounts[i]`` to row ``rows[i]`` of the model; a share's amounts are multiplied by what arrives there
    (``share``). It moves by ``most`` at most, by whole units where ``integer``, and costs ``points`` per unit of the model, which
    are ``unit`` of the cell. ``group`` names what it belongs to: all years of one cap, of one demand.
    """

    table: str
    cells: tuple[tuple[str, str], ...]
    column: str
    value: float
    sign: int
    rows: tuple[int, ...]
    amounts: tuple[float, ...]
    most: float
    points: float
    group: str
    share: bool = False
    integer: bool = False
    unit: float = 1.0

    def times(self, factor: float) -> Lever:
        """Return the lever with its points multiplied."""
        return replace(self, points=self.points * factor)


def levers(loose: Loosened) -> list[Lever]:
    """Return every lever that bears on a row of the model, table by table."""
    families = (_caps, _floors, _restrictions, _budgets, _contracts, _piles, _starts, _least_units, _demands)
    found = [lever for family in families for lever in family(loose)]
    return [lever for lever in found if lever.rows and lever.most > 0.0]


def stretch_of(chosen: Sequence[Lever], size: Floats, price: Sequence[float]) -> Stretch:
    """Return levers as columns of a stretch at a price per unit; ``size`` (m,) is what arrives at each row of a share, in t/yr."""
    row = np.array([row for lever in chosen for row in lever.rows], dtype=np.int64)
    amount = np.array([amount for lever in chosen for amount in lever.amounts], dtype=np.float64)
    length = [len(lever.rows) for lever in chosen]
    share = np.repeat(np.array([lever.share for lever in chosen], dtype=bool), length)
    return Stretch(
        row=row,
        column=np.repeat(np.arange(len(chosen)), length),
        coefficient=np.where(share, amount * size[row], amount),
        most=np.array([lever.most for lever in chosen]),
        price=np.array(price, dtype=np.float64),
        integer=np.array([lever.integer for lever in chosen], dtype=bool),
    )


@dataclass(frozen=True)
class _Listed:
    """One listed row of a table by years: its cells, its figure, and the rows of the model that it bears on, with its weight in each."""

    cells: Row
    figure: float
    rows: tuple[int, ...]
    weights: tuple[float, ...]
    years: float


def _listed(loose: Loosened, table: str, group: list[str], column: str, constraint: str) -> Iterator[_Listed]:
    """Yield the listed rows; ``years`` is for how many planning years each moves the figure, parts of years counted as parts."""
    years = loose.statement.network.ground.years
    rows = loose.rows(constraint)
    for _, listed in loose.instance.table(table).groupby(group, sort=True):
        mine = rows.merge(listed[group].drop_duplicates(), on=group)
        dated = pd.to_numeric(listed["year"]).to_numpy(dtype=np.float64, na_value=np.nan)
        at = np.where(np.isnan(dated), float(years.label[0]), dated)
        figures = filled(listed, table, column)
        for number_in_list, cells in enumerate(records(listed)):
            by_year = years.interpolate(at, (np.arange(len(at)) == number_in_list).astype(np.float64))
            weight = by_year[loose.codes(mine["year"])]
            bears = weight > 0.0
            moved = float(by_year[np.unique(loose.codes(mine["year"]))].sum())
            rows_there = tuple(mine["row"][bears].astype(int).tolist())
            yield _Listed(cells, float(figures[number_in_list]), rows_there, tuple(weight[bears].tolist()), moved)


def _shares(loose: Loosened, table: str, name: str, constraint: str, sign: int) -> Iterator[Lever]:
    for listed in _listed(loose, table, [name], "share", constraint):
        row, share = listed.cells, listed.figure
        nothing_left = share >= 1.0 or not pd.isna(row["excess_usd_per_t"]) if table == "caps" else share <= 0.0
        if nothing_left:
            continue
        yield Lever(
            table,
            ((name, row[name]), ("year", str(row["year"]))),
            "share",
            share,
            sign,
            listed.rows,
            tuple(-sign * weight for weight in listed.weights),
            most=np.inf,  # of tonnes in the model; what it is of the share follows from what arrives
            points=100.0 * listed.years,
            group=f"{table}|{row[name]}",
            share=True,
        )


def _caps(loose: Loosened) -> Iterator[Lever]:
    return _shares(loose, "caps", "cap", "c_cap", 1)


def _floors(loose: Loosened) -> Iterator[Lever]:
    return _shares(loose, "floors", "floor", "c_floor", -1)


def _limits(loose: Loosened, table: str, name: str, column: str, constraint: str, sign: int) -> Iterator[Lever]:
    """Yield a lever for each row of a table whose one figure holds in all its years; its points are yet those of a unit in each year."""
    of = {str(key): rows["row"].astype(int).tolist() for key, rows in loose.rows(constraint).groupby(name)}
    for row in records(loose.instance.table(table).sort_values(name, kind="stable")):
        rows = of.get(str(row[name]), [])
        value = float(row[column])
        most = np.inf if sign > 0 else value
        years = float(len(rows))
        yield Lever(
            table, ((name, row[name]),), column, value, sign, tuple(rows), (-float(sign),) * len(rows), most, years, f"{table}|{row[name]}"
        )


def _restrictions(loose: Loosened) -> Iterator[Lever]:
    network = loose.statement.network
    members = network.policy.limit_flows
    commodity = network.cells.flows["commodity"].to_numpy()[members["flow"].to_numpy(dtype=np.int64)]
    name = network.policy.limits["restriction"].to_numpy(dtype=object)[members["row"].to_numpy(dtype=np.int64)]
    typical = pd.Series(network.scale[commodity], index=name).groupby(level=0).max().to_dict() if len(members) else {}
    for lever in _limits(loose, "restrictions", "restriction", "limit_t_per_year", "c_restriction", 1):
        yield lever.times(100.0 / max(lever.value, float(typical.get(lever.cells[0][1], 1.0))))


def _budgets(loose: Loosened) -> Iterator[Lever]:
    plants = loose.statement.network.plants
    typical = float(plants.projects["capex_musd"].max()) if len(plants.projects) else 1.0
    label = loose.statement.network.ground.years
    table = loose.instance.table("budgets").set_index("budget")
    for lever in _limits(loose, "budgets", "budget", "limit_musd", "c_budget", 1):
        row = table.loc[lever.cells[0][1]]
        years = max(float(label.within(row["first_year"], row["last_year"]).sum()), 1.0)
        yield lever.times(100.0 * years / (lever.value or typical or 1.0))


def _contracts(loose: Loosened) -> Iterator[Lever]:
    for lever in _limits(loose, "contracts", "contract", "minimum_t_per_year", "c_contract", -1):
        if lever.value > 0.0:
            yield lever.times(100.0 / lever.value)


def _piles(loose: Loosened) -> Iterator[Lever]:
    rows = {(row["location"], row["commodity"]): int(row["row"]) for row in loose.rows("c_stock_final").to_dict("records")}
    for pile in records(loose.instance.table("stockpiles")):
        key = (pile["location"], pile["commodity"])
        least = number(pile["final_min_t"], number(pile["initial_t"], 0.0))
        if key in rows and least > 0.0:
            cells = tuple(zip(("location", "commodity"), key, strict=True))
            group = f"stockpiles|{key[0]}|{key[1]}"
            yield Lever("stockpiles", cells, "final_min_t", least, -1, (rows[key],), (1.0,), least, 100.0 / least, group)


def _demands(loose: Loosened) -> Iterator[Lever]:
    """Yield the listed rows of demands that must be met; one that has a price of shortage needs no repair."""
    priced = loose.instance.table("demand").groupby(["location", "commodity"])["shortage_usd_per_t"].transform("count") > 0
    substitutes = _substitutes(loose)
    soft = set(loose.instance.table("demand").loc[priced, ["location", "commodity"]].itertuples(index=False, name=None))
    for listed in _listed(loose, "demand", ["location", "commodity"], "quantity_t_per_year", "c_demand"):
        row, quantity = listed.cells, listed.figure
        if (row["location"], row["commodity"]) in soft or quantity <= 0.0:
            continue
        year: str = "" if pd.isna(row["year"]) else str(row["year"])
        yield Lever(
            "demand",
            (("location", row["location"]), ("commodity", row["commodity"]), ("year", year)),
            "quantity_t_per_year",
            quantity,
            -1,
            (*listed.rows, *(other for row_ in listed.rows for other, _ in substitutes.get(row_, ()))),
            (
                *listed.weights,
                *(part * weight for row_, weight in zip(listed.rows, listed.weights, strict=True) for _, part in substitutes.get(row_, ())),
            ),
            most=quantity,
            points=100.0 * GIVEN_UP / quantity * listed.years,
            group=f"demand|{row['location']}|{row['commodity']}",
        )


def _substitutes(loose: Loosened) -> dict[int, list[tuple[int, float]]]:
    """Return, for the row of each demand, the rows that limit its substitutes to a part of it, and that part: less demand lowers them."""
    network = loose.statement.network
    offers = network.cells.deliveries
    limited = offers[np.isfinite(offers["max_share"])].drop_duplicates(["location", "commodity", "supplied", "year"])
    named = network.decoded(limited[["location", "commodity", "supplied", "year"]]).assign(max_share=limited["max_share"])
    limits = loose.rows("c_substitute").merge(named, on=["location", "commodity", "supplied", "year"])
    pairs = limits.merge(loose.rows("c_demand"), on=["location", "commodity", "year"], suffixes=("", "_demand"))
    found: dict[int, list[tuple[int, float]]] = {}
    for row in pairs.to_dict("records"):
        found.setdefault(int(row["row_demand"]), []).append((int(row["row"]), float(row["max_share"])))
    return found


def _least_units(loose: Loosened) -> Iterator[Lever]:
    """Yield the least number of units of a project, or what must be built of it in t/yr."""
    plants = loose.statement.network.plants
    projects = plants.projects.assign(project=plants.project_labels.names).set_index("project")
    rows = {row["project"]: int(row["row"]) for row in loose.rows("c_units_min").to_dict("records")}
    for row in records(loose.instance.table("projects").sort_values("project")):
        name = row["project"]
        if name not in rows:
            continue
        one = projects.loc[name]
        in_tonnes = not pd.isna(row["min_t_per_year"])
        yield Lever(
            "projects",
            (("project", name),),
            "min_t_per_year" if in_tonnes else "units_min",
            float(one["units_min"]),
            -1,
            (rows[name],),
            (1.0,),
            most=float(one["units_min"]),
            points=100.0 / float(one["units_min"]),
            group=f"projects|{name}|least",
            integer=bool(one["lumpy"]),
            unit=float(one["size"]) if in_tonnes else 1.0,
        )


def _starts(loose: Loosened) -> Iterator[Lever]:
    """Yield, for each project and year in which it may not come on line yet, that it may from then on; ``value`` is that year."""
    network = loose.statement.network
    names, most = network.plants.project_labels.names, network.plants.projects["units_max"].to_numpy(dtype=np.float64)
    for project, early in loose.early[loose.early["row"] >= 0].groupby("project"):
        code = int(str(project))
        years: list[int] = sorted(early["year"].tolist())
        for year in years:
            later = early[early["year"] >= year]["row"].astype(int).tolist()
            label = float(network.ground.years.label[year])
            yield Lever(
                "projects",
                (("project", names[code]),),
                "earliest_year",
                label,
                1,
                tuple(later),
                (-most[code] - 1.0,) * len(later),
                most=1.0,
                points=EARLIER * max(float(loose.start[code]) - label, 0.0),
                group=f"projects|{names[code]}|start",
                integer=True,
            )
