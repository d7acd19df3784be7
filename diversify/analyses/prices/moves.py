"""The discrete answer: the case solved again with one figure moved, everything adapting, beside the same with the builds held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.executor import Task
from diversify.analyses.prices.figures import DEARER, WIDENS, YEARLY, Figure, figure_of, movable, with_value
from diversify.analyses.solving import Limits, Record, record_of, solved, table_of
from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.planning import build_model
from diversify.planning.prices import moving_program
from diversify.planning.program import Program

_PART = 0.1
"""Gap of the solves as a part of the smallest change that the prices promise."""

_FINEST = 1e-5
"""Gap of the solves as a part of the whole cost below which it is not worth going."""


@dataclass(frozen=True)
class Move:
    """A figure to be moved to a value, and the change of cost (discounted million USD) that its price promises (NaN: none)."""

    figure: Figure
    value: float
    promised_musd: float

    @property
    def step(self) -> float:
        """How far the figure moves."""
        return self.value - float(self.figure.value or 0.0)

    @property
    def at_least(self) -> float:
        """What the least cost changes by at least: nothing where the move only narrows what is allowed or makes it dearer."""
        return 0.0 if self._harder > 0 else -np.inf

    @property
    def at_most(self) -> float:
        """What the least cost changes by at most: nothing where the move only widens what is allowed or makes it cheaper."""
        return 0.0 if self._harder < 0 else np.inf

    @property
    def _harder(self) -> float:
        kind = self.figure.kind
        return float(np.sign(self.step)) * (1 if kind in DEARER else -WIDENS.get(kind, 0))


def moves_of(instance: Instance, prices: Sequence[Mapping[str, Any]], step: float) -> list[Move]:
    """Return the moves, both ways, of the figures behind prices; figures that several prices share (a lane in its years) once.

    Raises UsageError where the step makes no sense: none at all, kinds of several units, or parts of a unit.
    """
    if not (np.isfinite(step) and step > 0.0):
        raise UsageError(f"--move needs a step above zero; got {step:g}.")
    kinds = sorted({str(price["kind"]) for price in prices if price["kind"] in movable()})
    if not kinds:
        raise UsageError(f"None of these prices has a figure of the data behind it. What can be moved: {', '.join(sorted(movable()))}.")
    if len(kinds) > 1:
        raise UsageError(f"A step has one unit, and these prices are of several kinds ({', '.join(kinds)}). Choose one with --kind.")
    moves = []
    for (key, year), promised in _promised(prices, kinds[0]).items():
        figure = figure_of(instance, kinds[0], key, year)
        if figure.whole and step != round(step):
            raise UsageError(f"A project's most units move by whole units; got a step of {step:g}.")
        for value in (figure.moved_to(-step), figure.moved_to(step)):
            if value is not None:
                moves.append(Move(figure, value, promised * (value - float(figure.value or 0.0))))
    return moves


def _promised(prices: Sequence[Mapping[str, Any]], kind: str) -> dict[tuple[str, int | None], float]:
    """Return the change of cost per unit of each figure (key, year) behind the prices that are shown: of all the years that it holds in."""
    found: dict[tuple[str, int | None], float] = {}
    shown: dict[tuple[str, int | None], None] = {}
    for price in prices:
        if price["kind"] == kind:
            figure = (str(price["key"]), price["year"] if kind in YEARLY else None)
            per_unit = np.nan if price["musd_per_figure"] is None else float(price["musd_per_figure"])
            found[figure] = found.get(figure, 0.0) + per_unit
            if price["shown"]:
                shown[figure] = None
    return {figure: found[figure] for figure in shown}


def finer(limits: Limits, moves: Sequence[Move], objective_musd: float, gap: float | None) -> Limits:
    """Return limits whose gap is small beside the changes that the prices promise (but no finer than is worth while)."""
    promised = [abs(move.promised_musd) for move in moves if abs(move.promised_musd) > 1e-9]
    gap_musd = max(_PART * min(promised), _FINEST * abs(objective_musd)) if promised else _FINEST * abs(objective_musd)
    return Limits(limits.gap if gap is not None else 0.0, gap_musd, limits.time_limit, limits.seed)


def task_of(instance: Instance, move: Move, limits: Limits, base: Record) -> Task:
    """Return the task that solves the case with one figure moved, from the plan that was priced."""
    harder = move.at_least == 0.0
    name = f"{move.figure.key}{'' if move.figure.year is None else f' {move.figure.year}'} at {move.value:g}"
    arguments = {
        "instance": with_value(instance, move.figure, move.value),
        "limits": limits.as_dict(),
        "builds": table_of(base, "builds"),
        "bound_musd": base["bound_musd"] if harder else None,
    }
    return Task(name, solve_moved, arguments)


def solve_moved(instance: Instance, limits: dict[str, Any], builds: pd.DataFrame, bound_musd: float | None) -> dict[str, Any]:
    """Solve a moved case with everything adapting, and with the builds as they were. Work of a task.

    ``held_musd`` is the least cost with the builds held, None where that has no plan.
    """
    within = Limits(**limits)
    plan = solved(instance, within, start=builds, bound_musd=bound_musd)
    program = Program.of(build_model(instance))
    x = program.start(builds)
    fits = np.isnan(x) | ~program.matrix.integer | ((x >= program.matrix.lower - 1e-6) & (x <= program.matrix.upper + 1e-6))
    moving = moving_program(program, np.nan_to_num(x), within.options) if fits.all() else None
    return {**record_of(plan), "held_musd": None if moving is None else moving.objective}


def row_of(move: Move, base: Record, base_held_musd: float, found: Record) -> dict[str, Any]:
    """Return the row of the table ``moves``.

    ``low_musd`` and ``high_musd`` hold the change of the least cost: bounds less objectives of both solves, and no change the
    wrong way; None where nothing is proved on that side. ``held_musd`` is the change with the builds held.
    """
    low, high = _band(move, base, found)
    return {
        "kind": move.figure.kind,
        "table": move.figure.table,
        "key": move.figure.key,
        "year": move.figure.year,
        "column": move.figure.column,
        "value": move.figure.value,
        "moved_to": move.value,
        "step": move.step,
        "price_musd": move.promised_musd if np.isfinite(move.promised_musd) else None,
        "held_musd": _less(found["held_musd"], base_held_musd),
        "low_musd": low,
        "high_musd": high,
        "stopped": found["stopped"],
        "holds": found["holds"],
        "objective_musd": found["objective_musd"],
        "bound_musd": found["bound_musd"],
        "gap": found["gap"],
        "builds_changed": _builds_changed(base, found) if found["holds"] == "plan" else None,
    }


def _band(move: Move, base: Record, found: Record) -> tuple[float | None, float | None]:
    if found["stopped"] == "infeasible":
        return None, None
    low, high = _less(found["bound_musd"], base["objective_musd"]), _less(found["objective_musd"], base["bound_musd"])
    bottom = max(-np.inf if low is None else low, move.at_least)
    top = min(np.inf if high is None else high, move.at_most)
    if bottom > top:  # by the solver's own exactness
        bottom = top = 0.5 * (bottom + top)
    return (float(bottom) if np.isfinite(bottom) else None), (float(top) if np.isfinite(top) else None)


def _less(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def _builds_changed(base: Record, found: Record) -> int:
    """Return how many projects come in other numbers or years."""
    built = [
        {(row["project"], row["year"]): round(float(row["units"]), 6) for row in record["tables"]["builds"]} for record in (base, found)
    ]
    return len({pair[0] for pair in {*built[0], *built[1]} if built[0].get(pair) != built[1].get(pair)})
