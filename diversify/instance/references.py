"""Keys that stand twice, and names that are not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from diversify.errors import Problem
from diversify.instance.draft import Draft
from diversify.instance.names import nearest
from diversify.schema import EVERYTHING, TABLES, Column

COMPARISONS = 200_000
"""How many pairs of names are compared in search of the ones that were meant, per column."""


def key_problems(draft: Draft) -> Iterator[Problem]:
    """Yield every row whose key another row before it has."""
    for name in draft.frames:
        key = TABLES[name].key
        rows = list(draft.rows(name, *key)) if key else []
        if len({row[1:] for row in rows}) < len(rows):
            yield from _repeated_keys(draft, name, rows)


def _repeated_keys(draft: Draft, name: str, rows: list[tuple[Any, ...]]) -> Iterator[Problem]:
    key = TABLES[name].key
    required = [TABLES[name].column(column).required for column in key]
    first: dict[tuple[object, ...], int] = {}
    for index, *cells in rows:
        lacking = any(cell is None and needed for cell, needed in zip(cells, required, strict=True))
        if lacking or any(draft.is_unfit(name, column, index) for column in key):
            continue
        at = first.setdefault(tuple(cells), index)
        if at != index:
            row = draft.places[name].where(at, key[0])[1]
            shown = " | ".join("blank" if cell is None else str(cell) for cell in cells)
            message = f"The key {shown} ({', '.join(key)}) stands already in row {row}."
            yield draft.problem("duplicate_key", name, index, key[0], message, "Keep one of the two rows, or change the key of one.")


def reference_problems(draft: Draft) -> Iterator[Problem]:
    """Yield every cell that names what is not there."""
    names: dict[str, set[str]] = {}
    for name, frame in draft.frames.items():
        if frame.empty:
            continue
        for column in TABLES[name].columns:
            if column.refers_to or column.selector:
                targets = ("countries", "groups") if column.selector else (column.refers_to,)
                for target in targets:
                    if target not in names:
                        names[target] = set(draft.frame(target)[TABLES[target].key[0]].dropna())
                if not draft.unread.intersection(targets):
                    everything = {EVERYTHING} if column.selector or column.wildcard else set()
                    yield from _unknown_names(draft, name, column, everything.union(*(names[target] for target in targets)))


def _unknown_names(draft: Draft, table: str, column: Column, known: set[str]) -> Iterator[Problem]:
    suggestions: dict[str, str] = {}
    affordable = COMPARISONS // max(len(known), 1)
    what = "country or group" if column.selector else TABLES[column.refers_to].key[0]
    where = "countries or groups" if column.selector else column.refers_to
    for index, value in draft.rows(table, column.name):
        if value is None or value in known:
            continue
        if value not in suggestions:
            suggestions[value] = nearest(value, known) if len(suggestions) < affordable else ""
        remedy = f"Correct the name, or add it to the table {where}."
        message = f"There is no {what} {value!r}.{suggestions[value]}"
        yield draft.problem("unknown_reference", table, index, column.name, message, remedy)
