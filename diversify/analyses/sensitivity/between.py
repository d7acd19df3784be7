"""Inputs between their ends: the changes that take an input part of the way, for sampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from diversify.analyses.sensitivity.inputs import Input
from diversify.instance import Instance
from diversify.instance.apply import arithmetic, matching
from diversify.instance.cells import UnfitCell, number_text, parse_number
from diversify.instance.changes import Change, Value, parse_change, written
from diversify.schema import META_KEYS, TABLES, Column

_Kind = Literal["times", "plus", "value"]
_AS_IT_IS = {"times": 1.0, "plus": 0.0}


@dataclass(frozen=True)
class _Way:
    """One thing that is set, from ``low`` to ``high``: a factor, something added, or a value."""

    change: Change
    kind: _Kind
    low: float
    high: float
    whole: bool

    def at(self, part: float) -> str:
        number = self.low * (1.0 - part) + self.high * part
        if self.kind == "times":
            text = f"x{number_text(number)}"
        elif self.kind == "plus":
            number = round(number) if self.whole else number
            text = f"{'minus' if number < 0 else 'plus'} {number_text(abs(number))}"
        else:
            text = number_text(round(number) if self.whole else number)
        return written(replace(self.change, value=Value(text)))


@dataclass(frozen=True)
class Between:
    """An input that can take any place in its range: ``at(0)`` is its low end, ``at(1)`` its high end."""

    name: str
    ways: tuple[_Way, ...]

    @classmethod
    def of(cls, instance: Instance, asked: Input) -> Between | None:
        """Return the input with what lies between its ends; None where an end is no matter of numbers (rows added, names set)."""
        low, high = _steps(asked.low), _steps(asked.high)
        if low is None or high is None:
            return None
        ways = [_way(instance, low.get(target), high.get(target)) for target in dict.fromkeys([*low, *high])]
        return None if None in ways else cls(asked.name, tuple(way for way in ways if way is not None))

    def at(self, part: float) -> list[str]:
        """Return the changes at a part (0 to 1) of the way from the low end to the high end, in a straight line."""
        return [way.at(part) for way in self.ways]


def _steps(changes: Sequence[str]) -> dict[Change, Change] | None:
    """Return the changes by what they set; None where one adds or deletes rows, or one cell is set twice."""
    steps = {}
    for text in changes:
        change = parse_change(text)
        target = replace(change, value=Value(""))
        if change.kind not in ("set", "key") or target in steps:
            return None
        steps[target] = change
    return steps


def _way(instance: Instance, low: Change | None, high: Change | None) -> _Way | None:
    stated = low or high
    assert stated is not None
    ends = [None if end is None else _read(end) for end in (low, high)]
    kinds = {end[0] for end in ends if end is not None}
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    if kind is None:
        return None
    now = _AS_IT_IS[kind] if kind in _AS_IT_IS else _present(instance, stated)
    numbers = [now if end is None else end[1] for end in ends]
    if numbers[0] is None or numbers[1] is None:
        return None
    whole = stated.kind == "set" and _column(stated).kind == "year"
    return _Way(stated, kind, numbers[0], numbers[1], whole)


def _column(change: Change) -> Column:
    return TABLES[change.table].column(change.column)


def _read(change: Change) -> tuple[_Kind | None, float]:
    """Return how a change sets a number, and that number; no kind where it sets none."""
    if change.kind == "set":
        if _column(change).kind not in ("number", "year"):
            return None, 0.0
        sum_of = arithmetic(_column(change), change.value)
        if sum_of is not None:
            return ("times", sum_of[0]) if change.value.text.startswith("x") else ("plus", sum_of[1])
    elif change.column.split(".")[0] not in META_KEYS or change.column != "discount_rate":
        return None, 0.0
    try:
        number = parse_number(change.value.text)
    except UnfitCell:
        return None, 0.0
    return (None, 0.0) if number != number else ("value", number)


def _present(instance: Instance, change: Change) -> float | None:
    """Return the number that stands in all the cells that a change sets; None where they differ or are blank."""
    if change.kind == "key":
        return float(instance.meta["discount_rate"])
    frame = instance.table(change.table)
    held = set(pd.to_numeric(frame.loc[matching(frame, change.table, change.cells), change.column]).tolist())
    number = held.pop() if len(held) == 1 else float("nan")
    return None if number is pd.NA or number != number else float(number)
