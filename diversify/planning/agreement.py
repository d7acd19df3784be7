"""Do scenarios agree on everything before the reveal year, as they must where one plan is made for all of them?

Compared is what the data come to (rows, bounds and costs of the years before), not the cells: a demand listed for the
reveal year alone also moves the years before it, since demand is linear between listed years.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from diversify.network.ground import Floats, Ints
from diversify.planning.stages import UNITS, Key, Staged

_SAME = 1e-9
"""Relative difference below which two figures are the same."""


_WORDS = {
    "v_build": "units of",
    "v_open": "the first unit of",
    "v_close": "the closure of",
    "v_run": "runs of",
    "v_flow": "shipments of",
    "v_deliver": "deliveries at",
    "v_short": "shortage at",
    "v_stock": "stock at",
    "v_store": "stock at",
    "v_draw": "stock at",
    "v_handover": "handing over at",
    "v_dispose": "disposal at",
    "v_sell": "sales at",
    "v_excess": "the excess over",
    "c_capacity": "the capacity of",
    "c_minimum_run": "the minimum run of",
    "c_demand": "the demand at",
    "c_substitute": "substitutes at",
    "c_lane_capacity": "the lane",
    "c_contract": "the contract",
    "c_restriction": "the restriction",
    "c_market": "the market at",
    "c_cap": "the cap",
    "c_floor": "the floor",
    "c_stock": "stock at",
    "c_stock_capacity": "room for stock at",
    "constant": "what stands, category",
}
"""What columns and rows are about, in words; the others are named as they are."""


@dataclass(frozen=True)
class Difference:
    """One thing before the reveal year in which two cases differ: where it stands (variable or constraint, key) and both figures."""

    what: str
    where: str
    ours: float | None
    theirs: float | None

    def sentence(self, ours: str, theirs: str) -> str:
        """One sentence for people, with the names of both cases."""
        return f"the {self.what} of {self.where} is {_figure(self.ours)} in {ours} and {_figure(self.theirs)} in {theirs}"


def _figure(value: float | None) -> str:
    return "absent" if value is None else "unlimited" if np.isinf(value) else f"{value:.6g}"


def differences(ours: Staged, theirs: Staged) -> Iterator[Difference]:
    """Yield what two cases do not agree on before the reveal year: what can be decided, the rows of those years, and their costs."""
    yield from _between("upper bound", _bounds(ours), _bounds(theirs))
    yield from _between("most units", *_unit_bounds(ours, theirs))
    yield from _between("limit", _sides(ours), _sides(theirs))
    yield from _between("coefficient", _coefficients(ours), _coefficients(theirs))
    yield from _between("cost", _costs(ours), _costs(theirs))


def _between(what: str, ours: Mapping[Key, float], theirs: Mapping[Key, float]) -> Iterator[Difference]:
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        left, right = ours.get(key), theirs.get(key)
        if left is None or right is None or not _same(left, right):
            yield Difference(what, _named(key), left, right)


def _same(left: float, right: float) -> bool:
    return left == right or abs(left - right) <= _SAME * max(abs(left), abs(right))


def _named(key: Key) -> str:
    """Return a key in words; a coefficient's has that of the column after that of the row."""
    parts: list[list[str]] = []
    for position, value in enumerate(key):
        if position == 0 or value in _WORDS:
            parts.append([_WORDS.get(str(value), str(value))])
        elif value != "":
            parts[-1].append(f"{value:g}" if isinstance(value, float) else str(value))
    return " and ".join(f"{word} {', '.join(told)}" for word, *told in parts)


def _operations(staged: Staged) -> Iterator[tuple[int, Key]]:
    """Yield position and key of the common columns but units and purchases, which a later delay may move."""
    for position, key in zip(staged.common.tolist(), staged.keys, strict=True):
        if key[0] not in UNITS:
            yield position, key


def _bounds(staged: Staged) -> dict[Key, float]:
    upper = staged.program.matrix.upper
    return {key: float(upper[position]) for position, key in _operations(staged)}


def _unit_bounds(ours: Staged, theirs: Staged) -> list[dict[Key, float]]:
    """Return the upper bounds of units and purchases that both cases can decide before the reveal year."""
    both = set(ours.keys) & set(theirs.keys)
    return [
        {
            key: float(each.program.matrix.upper[place])
            for place, key in zip(each.common.tolist(), each.keys, strict=True)
            if key in both and key[0] in UNITS
        }
        for each in (ours, theirs)
    ]


def _sides(staged: Staged) -> dict[Key, float]:
    matrix = staged.program.matrix
    sides: Floats = np.where(np.isfinite(matrix.row_upper), matrix.row_upper, matrix.row_lower)
    return {key: float(sides[place]) for place, key in staged.early_rows.items()}


def _coefficients(staged: Staged) -> dict[Key, float]:
    """Return each coefficient of an early row by the row's key and the column's; of units only what the row's year needs."""
    rows = staged.early_rows
    names = dict(zip(staged.common.tolist(), staged.keys, strict=True))
    places: Ints = np.fromiter(rows, dtype=np.int64, count=len(rows))
    part = staged.program.matrix.a.tocsr()[places].tocoo()
    return {
        (*rows[int(places[row])], *names[column]): float(value)
        for row, column, value in zip(part.row.tolist(), part.col.tolist(), part.data.tolist(), strict=True)
    }


def _costs(staged: Staged) -> dict[Key, float]:
    """Return the cost that falls before the reveal year of each common column, and the constant part by category."""
    statement, names = staged.program.statement, dict(zip(staged.common.tolist(), staged.keys, strict=True))
    found: dict[Key, float] = {}
    for cost in statement.costs:
        early = np.asarray(cost.year) < staged.reveal_year
        if not cost.columns:
            found[("constant", cost.category)] = found.get(("constant", cost.category), 0.0) + float(cost.musd[early].sum())
            continue
        positions = staged.program.columns(cost.columns)
        for column, musd in zip(positions[cost.column[early]].tolist(), cost.musd[early].tolist(), strict=True):
            if column in names:
                found[names[column]] = found.get(names[column], 0.0) + musd
    return {key: value for key, value in found.items() if value != 0.0}
