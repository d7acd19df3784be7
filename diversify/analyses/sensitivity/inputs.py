"""An input: something that may be other than the case says, and the changes that take it to the two ends of its range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.instance.apply import matching
from diversify.instance.cells import UnfitCell
from diversify.instance.changes import Change, Value, parse_change, written
from diversify.instance.draft import shown_value
from diversify.instance.provenance import UNSTATED, Cell, Origins
from diversify.network.ground import Bools, records
from diversify.schema import QUALITIES, TABLES

GRAMMAR = (
    "Write NAME=LOW|HIGH, where LOW and HIGH are changes as --set takes them (several joined by ';', none: as the case is), or HIGH is "
    "only the value, e.g. 'freight=freight[].freight_usd_per_t_km=x0.8|x1.2'."
)


@dataclass(frozen=True)
class Input:
    """``low`` and ``high`` are the changes that make the two ends of its range (none: the case as it is).

    ``kind`` says where the range comes from: ``data`` (low and high of the table figures), ``standard`` (a default of this
    question, no finding) or ``given``. ``said`` is the range in words.
    """

    name: str
    low: tuple[str, ...]
    high: tuple[str, ...]
    kind: str = "given"
    said: str = ""

    @property
    def ends(self) -> dict[str, tuple[str, ...]]:
        """The changes of each end."""
        return {"low": self.low, "high": self.high}


def read_input(text: str) -> Input:
    """Return an input read from ``NAME=LOW|HIGH``; UsageError where it cannot be read."""
    name, equals, rest = text.partition("=")
    parts = _split(rest, "|")
    if not name.strip() or not equals or len(parts) != 2:
        raise UsageError(f"{text!r} is no input. {GRAMMAR}")
    low, high = (tuple(change for change in _split(part, ";") if change) for part in parts)
    if len(low) == len(high) == 1:
        high = (_whole(low[0], high[0]),)
    if low == high:
        raise UsageError(f"Both ends of the input {name.strip()!r} are the same. {GRAMMAR}")
    return Input(name.strip(), low, high, "given", " | ".join(part or "as it is" for part in parts))


def _split(text: str, sign: str) -> list[str]:
    """Split at a sign outside double quotes; blanks around the parts are dropped."""
    parts, quoted = [""], False
    for letter in text:
        quoted ^= letter == '"'
        if letter == sign and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _whole(first: str, second: str) -> str:
    """Return the second change; where it is only a value, that of what the first change sets."""
    try:
        parse_change(second)
    except UnfitCell:
        try:
            change = parse_change(first)
        except UnfitCell:
            return second
        return written(replace(change, value=Value(""))) + second if change.kind in ("set", "key") else second
    return second


def setting(instance: Instance, table: str, column: str, value: str, chosen: Bools | None = None) -> tuple[str, ...]:
    """Return changes that set a column to a value in the chosen rows: one for the whole table, else one a row.

    Rows whose cell is blank and has no number for a default stay as they are.
    """
    frame = instance.table(table)
    default = TABLES[table].column(column).default
    able = frame[column].notna().to_numpy(dtype=bool) | (default is not None or (table, column) == ("countries", "wacc"))
    wanted = able if chosen is None else able & chosen
    if not wanted.any():
        return ()
    if wanted.all():
        return (written(Change("set", table, (), column, Value(value))),)
    rows = records(frame.loc[wanted, list(TABLES[table].key)])
    return tuple(written(Change("set", table, key_cells(row), column, Value(value))) for row in rows)


def key_cells(row: Mapping[str, object]) -> tuple[tuple[str, Value], ...]:
    """Return the cells that select one row, from its key."""
    return tuple((name, Value(shown_value(value))) for name, value in row.items())


class Provenance(Origins):
    """Where the figures that an input moves come from, and of what kind they are."""

    def touched(self, changes: Sequence[str]) -> list[Cell]:
        """Return the cells of the case that changes set or delete, in order."""
        found: set[Cell] = set()
        for text in changes:
            change = parse_change(text)
            if change.kind == "key":
                found.add(("instance", "", change.column))
            elif change.kind != "add":
                keys = np.array(list(self.rows(change.table)), dtype=object)
                mask = matching(self.instance.table(change.table), change.table, change.cells)
                found |= {(change.table, str(key), change.column or "*") for key in keys[mask]}
        return sorted(found)

    def kinds(self, cells: Sequence[Cell]) -> tuple[dict[str, int], list[str]]:
        """Return how many of the cells are cited, derived, assumed or of no stated kind, and their sources."""
        known = [self.of(cell) for cell in cells]
        count = {kind: sum(origin.quality == kind for origin in known) for kind in (*QUALITIES, UNSTATED)}
        return {kind: number for kind, number in count.items() if number}, sorted({origin.source for origin in known if origin.source})
