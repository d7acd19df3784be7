"""The figure of the case that stands behind a price, and the case with that figure moved: a change of data, not of the model.

What the tables give by spans or by points between which they interpolate is written out first, year by year or place by place,
so that one year's (or one place's) figure can be moved alone and everything else stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from diversify.instance import Instance
from diversify.network import Network
from diversify.network.ground import number


@dataclass(frozen=True)
class Figure:
    """One figure: the price's ``kind``, ``key`` and ``year`` (None: all its years), the data's ``table`` and ``column``.

    ``value`` is what stands there (None: nothing, so that it cannot be moved), between ``least`` and ``most`` it may be moved.
    ``whole`` marks counts.
    """

    kind: str
    key: str
    year: int | None
    table: str
    column: str
    value: float | None
    least: float = 0.0
    most: float = np.inf
    whole: bool = False

    def moved_to(self, step: float) -> float | None:
        """Return the value after a step, kept within its limits; None where it cannot be moved that way."""
        if self.value is None:
            return None
        target = min(max(self.value + step, self.least), self.most)
        return None if abs(target - self.value) <= 1e-12 * max(1.0, abs(self.value)) else float(target)


WIDENS = {
    "cap": 1,
    "restriction": 1,
    "lane": 1,
    "market": 1,
    "budget": 1,
    "project": 1,
    "unit": 1,
    "reserve": 1,
    "contract": -1,
    "floor": -1,
}
"""Kinds whose figure only widens (1) or narrows (-1) what is allowed as it grows, so that the least cost cannot rise (or fall)."""

DEARER = {"tariff"}
"""Kinds whose figure only makes things dearer as it grows (where a tariff's base is a price, which is never below zero)."""

YEARLY = {"cap", "floor", "demand", "contract", "restriction", "capacity"}
"""Kinds whose figure can be moved in one year alone."""


def figure_of(instance: Instance, kind: str, key: str, year: int | None) -> Figure:
    """Return the figure behind a price of a kind that is :func:`movable`."""
    return _FIGURES[kind][0](instance, kind, key, year)


def with_value(instance: Instance, figure: Figure, value: float) -> Instance:
    """Return the instance in which the figure has another value."""
    return _FIGURES[figure.kind][1](instance, figure, value)


def movable() -> tuple[str, ...]:
    """Return the kinds of price that a figure of the data stands behind; behind a commodity at a place there is none."""
    return tuple(_FIGURES)


# What is interpolated between listed years: shares of caps and floors, demand


def _path(instance: Instance, rows: pd.DataFrame, column: str) -> dict[int, float]:
    """Return a figure in every planning year that it speaks of: none before the first listed, the last holds on."""
    listed = rows["year"].to_numpy(dtype=np.float64, na_value=np.nan)
    value = rows[column].to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isnan(listed).any():  # one row for all years
        return dict.fromkeys(instance.years, float(value[0]))
    order = np.argsort(listed)
    return {year: float(np.interp(year, listed[order], value[order])) for year in instance.years if year >= listed.min()}


def _spelt_out(instance: Instance, rows: pd.DataFrame, columns: tuple[str, ...], **changed: Any) -> pd.DataFrame:
    """Return one row per planning year with the interpolated figures, in place of the listed rows."""
    paths = {column: _path(instance, rows, column) for column in columns if rows[column].notna().any()}
    years = list(next(iter(paths.values())))
    first = rows.iloc[[0] * len(years)].reset_index(drop=True)
    return first.assign(year=pd.array(years, dtype="Int64"), **{name: list(path.values()) for name, path in paths.items()}, **changed)


def _of_cap(instance: Instance, key: str) -> tuple[pd.DataFrame, str | None]:
    """Return the rows of the cap that a key ``cap|consumers`` names, and the consumer where the cap holds for each alone."""
    table = instance.table("caps")
    for _, rows in table.groupby("cap", sort=False):
        name, consumers = str(rows["cap"].iloc[0]), str(rows["consumers"].iloc[0])
        if rows["scope"].iloc[0] != "each":
            if key == f"{name}|{consumers}":
                return rows, None
        elif key.startswith(f"{name}|") and key[len(name) + 1 :] in set(instance.table("countries")["country"]):
            return rows, key[len(name) + 1 :]
    return table.iloc[:0], None


def _cap(instance: Instance, kind: str, key: str, year: int | None) -> Figure:
    rows, _ = _of_cap(instance, key)
    value = _path(instance, rows, "share").get(year or 0) if len(rows) else None
    return Figure(kind, key, year, "caps", "share", value, most=1.0)


def _with_cap(instance: Instance, figure: Figure, value: float) -> Instance:
    """A cap that holds for each consumer country alone becomes a cap of its own for each, so that one can be moved alone."""
    table, (rows, consumer) = instance.table("caps"), _of_cap(instance, figure.key)
    cap = str(rows["cap"].iloc[0])
    spelt = _spelt_out(instance, rows, ("share",))
    parts = [spelt] if consumer is None else _caps_of_each(instance, spelt)
    moved = parts[0] if consumer is None else next(part for part in parts if part["consumers"].iloc[0] == consumer)
    moved.loc[moved["year"] == figure.year, "share"] = value
    return instance.replace(caps=pd.concat([table[table["cap"] != cap], *parts], ignore_index=True))


def _caps_of_each(instance: Instance, spelt: pd.DataFrame) -> list[pd.DataFrame]:
    cap = str(spelt["cap"].iloc[0])
    rows = Network.of(instance).policy.caps
    consumers = sorted(set(rows.loc[rows["cap"] == cap, "consumers"]))
    taken = set(instance.table("caps")["cap"])
    return [spelt.assign(cap=_free_name(f"{cap}|{each}", taken), consumers=each, scope="pooled") for each in consumers]


def _floor(instance: Instance, kind: str, key: str, year: int | None) -> Figure:
    table = instance.table("floors")
    return Figure(kind, key, year, "floors", "share", _path(instance, table[table["floor"] == key], "share").get(year or 0))


def _with_floor(instance: Instance, figure: Figure, value: float) -> Instance:
    table = instance.table("floors")
    spelt = _spelt_out(instance, table[table["floor"] == figure.key], ("share",))
    spelt.loc[spelt["year"] == figure.year, "share"] = value
    return instance.replace(floors=pd.concat([table[table["floor"] != figure.key], spelt], ignore_index=True))


def _mine(table: pd.DataFrame, columns: tuple[str, ...], key: str) -> pd.Series:
    """Return which rows have the key, their cells joined by ``|``."""
    joined = table[columns[0]].astype(str)
    for column in columns[1:]:
        joined = joined + "|" + table[column].astype(str)
    return joined == key


def _demand(instance: Instance, kind: str, key: str, year: int | None) -> Figure:
    table = instance.table("demand")
    path = _path(instance, table[_mine(table, ("location", "commodity"), key)], "quantity_t_per_year")
    return Figure(kind, key, year, "demand", "quantity_t_per_year", path.get(year or 0))


def _with_demand(instance: Instance, figure: Figure, value: float) -> Instance:
    table = instance.table("demand")
    mine = _mine(table, ("location", "commodity"), figure.key)
    spelt = _spelt_out(instance, table[mine], ("quantity_t_per_year", "shortage_usd_per_t"))
    spelt.loc[spelt["year"] == figure.year, "quantity_t_per_year"] = value
    return instance.replace(demand=pd.concat([table[~mine], spelt], ignore_index=True))


# What holds in a span of years: contracts, restrictions


def _spanned(table: str, name: str, column: str) -> tuple[_Read, _Write]:
    def read(instance: Instance, kind: str, key: str, year: int | None) -> Figure:
        rows = instance.table(table)
        return Figure(kind, key, year, table, column, float(rows.loc[rows[name] == key, column].iloc[0]))

    def write(instance: Instance, figure: Figure, value: float) -> Instance:
        rows = instance.table(table)
        mine = rows[name] == figure.key
        parts = _split(instance, rows[mine], figure.year or 0, name, set(rows[name]))
        parts[0][column] = value
        return instance.replace(**{table: pd.concat([rows[~mine], *parts], ignore_index=True)})

    return read, write


def _split(instance: Instance, row: pd.DataFrame, year: int, name: str, taken: set[str]) -> list[pd.DataFrame]:
    """Return the row for one planning year, under its own name, and rows of further names for the years before and after it."""
    first, last = (number(row[column].iloc[0], default) for column, default in (("first_year", -np.inf), ("last_year", np.inf)))
    before = [each for each in instance.years if first <= each < year]
    after = [each for each in instance.years if year < each <= last]
    parts = [row.assign(first_year=year, last_year=year)]
    for word, years in (("before", before), ("after", after)):
        if years:
            named = _free_name(f"{row[name].iloc[0]} ({word} {year})", taken)
            parts.append(row.assign(first_year=years[0], last_year=years[-1]))
            parts[-1][name] = named
    return [part.astype({"first_year": "Int64", "last_year": "Int64"}) for part in parts]


def _free_name(wanted: str, taken: set[str]) -> str:
    while wanted in taken:
        wanted += "'"
    taken.add(wanted)
    return wanted


# What is one cell of one row: budgets, tariffs, reserves, the most units


def _cell(table: str, name: str, column: str, least: float = 0.0) -> tuple[_Read, _Write]:
    def read(instance: Instance, kind: str, key: str, year: int | None) -> Figure:
        rows = instance.table(table)
        value = number(rows.loc[rows[name] == key, column].iloc[0], np.nan)
        return Figure(kind, key, None, table, column, None if np.isnan(value) else value, least)

    def write(instance: Instance, figure: Figure, value: float) -> Instance:
        rows = instance.table(table)
        return instance.replace(**{table: rows.assign(**{column: rows[column].mask(rows[name] == figure.key, value)})})

    return read, write


def _project(instance: Instance, kind: str, key: str, year: int | None) -> Figure:
    """The most units, which a project may also state as capacity; at least those that must be built."""
    rows = instance.table("projects")
    row = rows[rows["project"] == key].iloc[0]
    size, units = number(row["unit_t_per_year"], np.nan), number(row["units_max"], np.nan)
    lumpy = not np.isnan(size)
    by_units = not np.isnan(units)
    value = units if by_units else number(row["max_t_per_year"], np.nan)
    step_size = 1.0 if by_units or not lumpy else size
    least = max(number(row["units_min"], 0.0), number(row["min_t_per_year"], 0.0) / (size if lumpy else 1.0)) * step_size
    column = "units_max" if by_units else "max_t_per_year"
    return Figure(kind, key, None, "projects", column, value, least, whole=lumpy and by_units)


def _with_project(instance: Instance, figure: Figure, value: float) -> Instance:
    rows = instance.table("projects")
    return instance.replace(projects=rows.assign(**{figure.column: rows[figure.column].mask(rows["project"] == figure.key, value)}))


# What a row for one place, or for one lane, says


def _market(instance: Instance, kind: str, key: str, year: int | None) -> Figure:
    row = _market_row(instance, key)
    limit = np.nan if row is None else number(row["limit_t_per_year"].iloc[0], np.nan)
    return Figure(kind, key, None, "markets", "limit_t_per_year", None if np.isnan(limit) else limit)


def _market_row(instance: Instance, key: str) -> pd.DataFrame | None:
    """Return the row of a market at one place, written out for it where one row speaks for every place."""
    rows = instance.table("markets")
    own = rows[_mine(rows, ("location", "commodity"), key)]
    if len(own):
        return own
    everywhere = rows[rows["location"] == "*"]
    for place in instance.table("locations")["location"]:
        general = everywhere.assign(location=place)
        mine = general[_mine(general, ("location", "commodity"), key)]
        if len(mine):
            return mine
    return None


def _with_market(instance: Instance, figure: Figure, value: float) -> Instance:
    rows, row = instance.table("markets"), _market_row(instance, figure.key)
    assert row is not None, "a figure with a value has a row"
    kept = rows[~_mine(rows, ("location", "commodity"), figure.key)]
    return instance.replace(markets=pd.concat([kept, row.assign(limit_t_per_year=value)], ignore_index=True))


_LANE = ("origin", "destination", "commodity")


def _lane(instance: Instance, kind: str, key: str, year: int | None) -> Figure:
    rows = instance.table("lanes")
    capacity = number(rows.loc[_mine(rows, _LANE, key), "capacity_t_per_year"].iloc[0], np.nan)
    return Figure(kind, key, None, "lanes", "capacity_t_per_year", None if np.isnan(capacity) else capacity)


def _with_lane(instance: Instance, figure: Figure, value: float) -> Instance:
    rows = instance.table("lanes")
    return instance.replace(lanes=rows.assign(capacity_t_per_year=rows["capacity_t_per_year"].mask(_mine(rows, _LANE, figure.key), value)))


def _capacity(instance: Instance, kind: str, key: str, year: int | None) -> Figure:
    standing = _standing(instance, key)
    return Figure(kind, key, year, "capacities", "capacity_t_per_year", standing.get(year or 0))


def _standing(instance: Instance, facility: str) -> dict[int, float]:
    plants = Network.of(instance).plants
    return dict(zip(instance.years, plants.standing[plants.labels.code(facility)].tolist(), strict=True))


def _with_capacity(instance: Instance, figure: Figure, value: float) -> Instance:
    """Standing capacity written out by year in the table ``capacities``, which takes the place of the facility's own columns."""
    table = instance.table("capacities")
    standing = _standing(instance, figure.key) | {int(figure.year or 0): value}
    rows = pd.DataFrame({"facility": figure.key, "year": list(standing), "capacity_t_per_year": list(standing.values())})
    kept = table[table["facility"] != figure.key]
    return instance.replace(capacities=pd.concat([kept, rows], ignore_index=True) if len(kept) else rows)


_Read = Callable[[Instance, str, str, int | None], Figure]
_Write = Callable[[Instance, Figure, float], Instance]
_FIGURES: dict[str, tuple[_Read, _Write]] = {
    "cap": (_cap, _with_cap),
    "floor": (_floor, _with_floor),
    "demand": (_demand, _with_demand),
    "restriction": _spanned("restrictions", "restriction", "limit_t_per_year"),
    "contract": _spanned("contracts", "contract", "minimum_t_per_year"),
    "budget": _cell("budgets", "budget", "limit_musd"),
    "tariff": _cell("tariffs", "tariff", "rate", -np.inf),
    "reserve": _cell("facilities", "facility", "reserve_t"),
    "project": (_project, _with_project),
    "unit": (_project, _with_project),
    "market": (_market, _with_market),
    "lane": (_lane, _with_lane),
    "capacity": (_capacity, _with_capacity),
}
"""For each kind: how its figure is read and how it is moved."""
