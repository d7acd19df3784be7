"""The changes of a repair as texts for ``--set``, in figures that are rounded so that they loosen no less."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diversify.analyses.diagnose.levers import Lever
from diversify.analyses.diagnose.loosened import Loosened
from diversify.instance.cells import number_text
from diversify.network.ground import number

_EXACT = 1e-3
"""Part of the last digit by which a figure may lie beyond a round one and still be that one."""


@dataclass(frozen=True)
class Change:
    """One change of a repair: the cell, its figure before and after, and the text for ``--set``."""

    table: str
    key: str
    column: str
    before: float | None
    after: float
    text: str

    def as_dict(self) -> dict[str, Any]:
        """Return the change as a JSON object; ``from`` is null where the cell was blank."""
        return {"table": self.table, "key": self.key, "column": self.column, "from": self.before, "to": self.after, "text": self.text}


def changes(loose: Loosened, moved: Sequence[tuple[Lever, float]], digits: int = 4, spare: int = 0) -> list[Change]:
    """Return the changes that move levers by the given amounts, rounded outward to so many digits (and ``spare`` more of the last)."""
    found = []
    for lever, amount in moved:
        if lever.column == "earliest_year":
            continue
        after = outward(lever, amount, digits, spare)
        found.append(_change(lever, lever.column, lever.value * lever.unit, after))
    return found + _earlier(loose, [lever for lever, _ in moved if lever.column == "earliest_year"])


def outward(lever: Lever, amount: float, digits: int = 4, spare: int = 0) -> float:
    """Return a lever's new figure, rounded so that it loosens no less, to so many digits (of a share: decimals)."""
    after = (lever.value + lever.sign * amount) * lever.unit
    if lever.integer:
        return max(math.floor(lever.value - amount + 1e-6) - spare, 0) * lever.unit
    largest = 1.0 if lever.share else max(abs(after), abs(amount) * lever.unit, 1e-9)
    decimals = digits - (0 if lever.share else 1 + math.floor(math.log10(largest)))
    steps = after * 10.0**decimals
    whole = math.ceil(steps - _EXACT) + spare if lever.sign > 0 else math.floor(steps + _EXACT) - spare
    return min(max(round(whole / 10.0**decimals, max(decimals, 0)), 0.0), 1.0 if lever.share and lever.sign > 0 else math.inf)


def _change(lever: Lever, column: str, before: float | None, after: float) -> Change:
    cells = ",".join(f"{name}={quoted(value)}" for name, value in lever.cells)
    text = f"{lever.table}[{cells}].{column}={number_text(after)}"
    return Change(lever.table, "|".join(value for _, value in lever.cells), column, before, after, text)


def _earlier(loose: Loosened, starts: Sequence[Lever]) -> list[Change]:
    """Return the changes that let projects come on line earlier: of the earliest year, of the year of decision, or both."""
    table = loose.instance.table("projects").set_index("project")
    first: dict[str, Lever] = {}
    for lever in starts:
        name = lever.cells[0][1]
        if name not in first or lever.value < first[name].value:
            first[name] = lever
    found = []
    for name, lever in sorted(first.items()):
        row = table.loc[name]
        earliest, decided, lead = (number(row[column], -np.inf) for column in ("earliest_year", "decided_year", "lead_years"))
        if earliest > lever.value:
            found.append(_change(lever, "earliest_year", earliest, lever.value))
        if decided + max(lead, 0.0) > lever.value:
            found.append(_change(lever, "decided_year", decided, float(math.floor(lever.value - max(lead, 0.0)))))
    return found


def quoted(value: str) -> str:
    """Return a value as it stands in the brackets of a change: in double quotes where it needs them."""
    plain = value == value.strip() and not any(letter in value for letter in ',]="')
    return value if plain else '"' + value.replace('"', '""') + '"'
