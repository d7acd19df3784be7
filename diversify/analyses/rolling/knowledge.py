"""What a planner believes in a year: the truth for what is known by then, the case's own data for what is not.

The truth differs from the case's own data in rows of tables, and the belief is an instance made of both, which can be read like any other:

- A row that has a ``year`` is known from that year on. Tables that are linear between listed years are first listed at every planning
  year, on both sides, as the engine reads them, so that to know one year says nothing of the next; so is ``capacities``, where a
  listed year holds until the next. What is listed on one side alone is listed on the other as what is the same as nothing:
  no demand, a cap of 1, a floor of 0, the commodity's constant price, the plant's own capacity.
- A row that has a ``first_year`` is known from that year on, as a whole: that a ban begins in 2028, and how long it lasts, is
  known in 2028. A row that the truth changes or removes counts by the earlier of its two first years.
- All else (other tables, rows without a first year) is known from the reveal year on, or from the first planning year where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.network.ground import Floats, Years, filled, number, records
from diversify.schema import EVERYTHING, PROVENANCE_COLUMNS, TABLES

BY_YEAR = ("prices", "capacities", "demand", "caps", "floors")
"""Tables whose rows have a year."""

SPANS = ("outages", "contracts", "tariffs", "restrictions", "budgets")
"""Tables whose rows hold from a first year to a last."""

_NOT_PLANNED_WITH = ("scenarios", "changes", "families", "figures", "sources")
"""Tables that a belief does without: they speak of rows that it may not hold."""

_NONE_BEFORE = {"caps": 1.0, "floors": 0.0}
"""Tables that say nothing before their first listed year, and the share that does the same as nothing."""

Row = dict[str, Any]
Name = tuple[Any, ...]


def known(base: Instance, truth: Instance, year: int) -> Instance:
    """Return what is believed in a year; UsageError where the truth differs in keys of the instance, such as its planning years."""
    if base.meta != truth.meta:
        changed = ", ".join(sorted(key for key in {**base.meta, **truth.meta} if base.meta.get(key) != truth.meta.get(key)))
        raise UsageError(f"The truth differs from {base.name} in instance.{changed}: only tables can be revealed as time goes.")
    frames = {name: (base.table(name), truth.table(name)) for name in TABLES if name not in _NOT_PLANNED_WITH}
    if all(ours.equals(theirs) for ours, theirs in frames.values()):
        return base
    reveal = int(base.meta.get("reveal_year") or base.years[0])
    tables: dict[str, list[Row]] = {}
    for name, (ours, theirs) in frames.items():
        if ours.equals(theirs):
            rows = _rows(ours)
        elif name in BY_YEAR:
            rows = _by_year(base, truth, name, year)
        elif name in SPANS:
            rows = _spans(_rows(ours), _rows(theirs), year, reveal)
        else:
            rows = _rows(theirs if year >= reveal else ours)
        if rows:
            tables[name] = rows
    return Instance.from_tables(base.meta, {name: _referring(name, rows, tables) for name, rows in tables.items()})


def _rows(frame: pd.DataFrame) -> list[Row]:
    plain = frame.astype(object)
    return records(plain.where(plain.notna(), None))


def _spans(ours: list[Row], theirs: list[Row], year: int, reveal: int) -> list[Row]:
    """Return rows by name, each as it is on the side that the year's knowledge lies."""
    believed = []
    named = [{next(iter(row.values())): row for row in rows} for rows in (ours, theirs)]
    for name in {**named[0], **named[1]}:
        sides = [rows.get(name) for rows in named]
        starts = [reveal if row["first_year"] is None else int(row["first_year"]) for row in sides if row is not None]
        row = sides[1] if year >= min(starts) else sides[0]
        if row is not None:
            believed.append(row)
    return believed


def _by_year(base: Instance, truth: Instance, table: str, year: int) -> list[Row]:
    """Return a table listed at every planning year: the truth's values up to the year, the case's own after it."""
    ours, theirs = _listed(base, table), _listed(truth, table)
    label, column = Years.of(base).label, _naming(table)
    known_by_now = label <= year
    first = TABLES[table].key[0]
    taken = {name[0] for name in ours}
    rows: list[Row] = []
    for name in {**ours, **theirs}:
        before, after = ours.get(name), theirs.get(name)
        sides = (before or _nothing(base, table, name, after), after or _nothing(truth, table, name, before))
        there = ~(np.isnan(sides[0][_main(table)]) & np.isnan(sides[1][_main(table)]))
        values = {each: np.where(known_by_now, sides[1][each], sides[0][each]) for each in sides[0]}
        told = dict(zip(column, name, strict=True))
        if before is None and table in _NONE_BEFORE and name[0] in taken:  # one name cannot stand for two caps at once
            told[first] = f"{told[first]}, changed"
        for position in np.flatnonzero(there):
            cells = {each: _cell(value[position], _NONE_BEFORE.get(table)) for each, value in values.items()}
            rows.append(told | {"year": int(label[position])} | cells)
    return rows


def _cell(value: float, otherwise: float | None) -> float | None:
    return otherwise if np.isnan(value) else float(value)


def _naming(table: str) -> tuple[str, ...]:
    """Return the columns that name what is listed by year: of a cap also what must be the same on all its rows."""
    return (*(name for name in TABLES[table].key if name != "year"), *TABLES[table].same_per)


def _listing(table: str) -> list[str]:
    """Return the columns that are listed by year."""
    skipped = {*_naming(table), "year", *PROVENANCE_COLUMNS}
    return [column.name for column in TABLES[table].columns if column.name not in skipped]


def _main(table: str) -> str:
    return _listing(table)[0]


def _listed(case: Instance, table: str) -> dict[Name, dict[str, Floats]]:
    """Return, for everything that a table lists by year, its values at the planning years (T,); NaN for none."""
    frame, years = case.table(table), Years.of(case)
    names = [tuple(row.values()) for row in _rows(frame[list(_naming(table))])]
    found = {}
    for name in dict.fromkeys(names):
        rows = frame.loc[[each == name for each in names]]
        found[name] = {column: _at(years, table, rows, column) for column in _listing(table)}
    return found


def _at(years: Years, table: str, rows: pd.DataFrame, column: str) -> Floats:
    values = filled(rows, table, column)
    listed = pd.to_numeric(rows["year"]).to_numpy(dtype=np.float64, na_value=float(years.label[0]))
    given = ~np.isnan(values)
    if not given.any():
        return np.full(len(years), np.nan)
    listed, values = listed[given], values[given]
    if table == "capacities":
        order = np.argsort(listed)
        return np.asarray(np.append(0.0, values[order])[np.searchsorted(listed[order], years.label, side="right")])
    found = years.interpolate(listed, values)
    return np.where(years.label < listed.min(), np.nan, found) if table in _NONE_BEFORE else found


def _nothing(case: Instance, table: str, name: Name, other: Mapping[str, Floats] | None) -> dict[str, Floats]:
    """Return the values at the planning years that do the same as not being listed."""
    years = Years.of(case)
    if table == "demand" and other is not None:
        return {**other, "quantity_t_per_year": np.zeros(len(years))}
    if table == "prices":
        goods = case.table("commodities")
        constant = filled(goods, "commodities", "price_usd_per_t")[(goods["commodity"] == name[0]).to_numpy()]
        return {_main(table): np.full(len(years), constant[0] if len(constant) else 0.0)}
    if table == "capacities":
        for row in _rows(case.table("facilities")):
            if row["facility"] == name[0]:
                stands = years.within(row["first_year"], row["last_year"])
                return {_main(table): np.where(stands, number(row["capacity_t_per_year"], 0.0), 0.0)}
        return {_main(table): np.zeros(len(years))}
    return {_main(table): np.full(len(years), np.nan)}


def _referring(table: str, rows: list[Row], tables: Mapping[str, list[Row]]) -> list[Row]:
    """Return the rows that speak of what is there: what is listed by year may be known before the plant that it is about."""
    if table not in (*BY_YEAR, *SPANS):
        return rows
    for column in TABLES[table].columns:
        if column.refers_to:
            there = {row[TABLES[column.refers_to].key[0]] for row in tables.get(column.refers_to, [])} | {EVERYTHING}
            rows = [row for row in rows if row[column.name] in there]
    return rows
