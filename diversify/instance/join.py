"""Several cases as one: their tables row by row, refused where the cases say different things of the same row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from diversify.errors import InstanceError, Problem, UsageError
from diversify.instance.draft import row_keys, shown_value
from diversify.instance.record import Instance
from diversify.schema import PROVENANCE_COLUMNS, TABLES

_LEFT_OUT = ("scenarios", "changes", "families")
"""Tables that are not joined: scenarios of one case, or families of them, say nothing of the others, and names recur with other
meanings."""

_SHARED_KEYS = ("years", "discount_rate", "currency", "reveal_year")
_DESCRIBING = {*PROVENANCE_COLUMNS, "name", "description", "operator", "status"}
"""Columns in which the same row may differ from case to case; the first case's words are kept."""


def join(cases: Sequence[Instance], name: str, title: str = "") -> Instance:
    """Return several cases as one, which plans them together: shared places, countries, policies and money.

    Rows that several cases hold are kept once; words that describe them (names, notes, sources of the row) are the first case's. All
    else must agree: years, discount rate, currency, reveal year, every figure of a shared row, and a group's members among the
    countries that a case knows, so that every case alone means the same inside the whole. Scenarios, their changes and
    families are left out.

    Raises UsageError for fewer than two cases, and InstanceError with every disagreement, or with what is wrong with the whole.
    """
    if len(cases) < 2:
        raise UsageError("To join takes two cases or more.")
    problems = [*_of_keys(cases), *_of_groups(cases)]
    tables: dict[str, pd.DataFrame] = {}
    for case in cases:
        for table in case.tables:
            if table not in _LEFT_OUT:
                tables[table] = _joined(table, tables[table], case.table(table)) if table in tables else case.table(table)
    for table in tables:
        problems += _of_rows(table, cases)
    if problems:
        raise InstanceError(problems)
    kept = {key: value for key, value in cases[0].meta.items() if key in ("format", *_SHARED_KEYS)}
    return Instance.from_tables({**kept, "name": name, **({"title": title} if title else {})}, tables)


def _joined(table: str, first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    known = set(row_keys(first, TABLES[table]))
    new = [key not in known for key in row_keys(second, TABLES[table])]
    return pd.concat([part for part in (first, second[new]) if len(part)] or [first], ignore_index=True)


def _of_keys(cases: Sequence[Instance]) -> Iterator[Problem]:
    first = cases[0]
    for case in cases[1:]:
        for key in _SHARED_KEYS:
            here, there = case.meta.get(key), first.meta.get(key)
            if key == "years":
                here, there = list(case.years), list(first.years)
            if here != there:
                message = f"{case.name} has {key} {shown_value(here) or 'none'}, {first.name} {shown_value(there) or 'none'}."
                yield Problem("join_conflict", message, f"Give the cases the same {key}.", "instance", None, key, shown_value(here))


def _of_rows(table: str, cases: Sequence[Instance]) -> Iterator[Problem]:
    """Yield the figures of rows in several cases that differ from the first that holds the row; of sources everything counts."""
    figures = [name for name in TABLES[table].column_names if table == "sources" or name not in _DESCRIBING]
    seen: dict[str, tuple[str, dict[str, str]]] = {}
    for case in cases:
        frame = case.table(table)
        cells = [
            dict(zip(figures, map(shown_value, row), strict=True)) for row in zip(*(frame[name].tolist() for name in figures), strict=True)
        ]
        draft = case.draft()
        for index, (key, row) in enumerate(zip(row_keys(frame, TABLES[table]), cells, strict=True)):
            owner, there = seen.setdefault(key, (case.name, row))
            for column in figures:
                if row[column] != there[column]:
                    message = f"{case.name} has {row[column] or 'a blank'} for {key!r}, {owner} has {there[column] or 'a blank'}."
                    remedy = "Make the two alike, or give one of them another name."
                    yield draft.problem("join_conflict", table, index, column, message, remedy)


def _of_groups(cases: Sequence[Instance]) -> Iterator[Problem]:
    """Yield groups that would get members, among the countries that a case knows, that they do not have there."""
    members: dict[str, set[str]] = {}
    for case in cases:
        for group, country in case.table("groups")[["group", "country"]].itertuples(index=False):
            members.setdefault(str(group), set()).add(str(country))
    for case in cases:
        known = set(case.table("countries")["country"])
        own = case.table("groups").groupby("group")["country"].agg(set)
        for group, countries in own.items():
            foreign = sorted((members[str(group)] & known) - countries)
            if foreign:
                message = f"In {case.name} the group {group!r} does not hold {', '.join(foreign)}, in another of the cases it does."
                yield Problem(
                    "join_conflict", message, "Give the group the same members, or another name.", "groups", None, "group", str(group)
                )
