"""Prices: the plan's integers fixed, the linear program solved again, its duals and whether they are unique."""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray

from diversify.solve.highs import Options, checked, configured, hand_over, run_to_end
from diversify.solve.matrix import Floats, Matrix

_STRICT = 1e-7
"""A right-hand side must be free to move at least this far, relative to its size, both ways, for a dual to be called unique."""

_BROKEN = 1e-6
"""A column this far above a bound that rows should imply, relative to its size, shows that they do not."""


@dataclass(frozen=True)
class Fixed:
    """The linear program with the integers fixed: its point (n,), objective, and duals of rows (m,).

    ``dual`` is the change of the objective in million USD per unit of a row's right-hand side. ``unique`` is true only
    where it is proved: the basis stays optimal when the side moves either way, so the dual is the same from both sides.
    """

    x: Floats
    objective: float
    dual: Floats
    unique: NDArray[np.bool_]


def fix_and_price(
    matrix: Matrix, x: Floats, options: Options, ties: Floats | None = None, implied: NDArray[np.bool_] | None = None
) -> Fixed | None:
    """Fix the integers at their rounded values in ``x`` and solve for the rest; None where that fails numerically.

    ``ties`` (n,) weighs columns to choose among points of equal cost: the one with the least sum of ties x columns.
    ``implied`` (n,) marks columns whose upper bounds repeat what rows say. A bound would take such a row's price for itself, and
    the row would seem to be worth nothing, so they are left out; where the point then breaks one, they are put back.
    """
    whole = np.round(x)
    fixed = replace(
        matrix,
        lower=np.where(matrix.integer, whole, matrix.lower),
        upper=np.where(matrix.integer, whole, matrix.upper),
    )
    highs = None
    if implied is not None:
        highs = _optimal(replace(fixed, upper=np.where(implied & ~matrix.integer, np.inf, fixed.upper)), options)
        if highs is not None and (_excess(highs, fixed) > _BROKEN).any():
            highs = None
    highs = highs or _optimal(fixed, options)
    if highs is None:
        return None
    values = _values(highs, fixed)
    dual = np.asarray(highs.getSolution().row_dual) * matrix.row_scale / matrix.cost_scale
    unique = _unique(highs, fixed)
    if ties is not None and ties.any():
        values = _without_ties(highs, fixed, values, ties)
    return Fixed(values, float(matrix.cost @ values + matrix.offset), dual, unique)


def _optimal(matrix: Matrix, options: Options) -> highspy.Highs | None:
    """Return the solver at the optimum of the linear program, integrality left out; None where it finds none."""
    highs = configured(replace(options, gap=0.0, log=False))
    hand_over(highs, matrix, relaxed=True)
    checked(highs.setOptionValue("solver", "simplex"), "solver = simplex")
    run_to_end(highs)
    return highs if highs.getModelStatus() == highspy.HighsModelStatus.kOptimal else None


def _excess(highs: highspy.Highs, matrix: Matrix) -> Floats:
    """Return by how much each column is above its upper bound (n,), relative to its size."""
    upper = matrix.upper / matrix.column_scale
    over = np.asarray(highs.getSolution().col_value) - upper
    return np.asarray(np.where(np.isfinite(upper), over / (1.0 + np.abs(np.where(np.isfinite(upper), upper, 0.0))), -1.0), dtype=np.float64)


def _values(highs: highspy.Highs, matrix: Matrix) -> Floats:
    return np.clip(np.asarray(highs.getSolution().col_value) * matrix.column_scale, matrix.lower, matrix.upper)


def _without_ties(highs: highspy.Highs, matrix: Matrix, values: Floats, ties: Floats) -> Floats:
    """Return the point of least ties among those that cost no more than ``values``; ``values`` itself if that fails.

    What has a price stays: columns with a reduced cost keep their value and rows with a dual stay at their side, so that only
    the face of optimal points is left.
    """
    solution = highs.getSolution()
    zero = _STRICT * float(np.abs(matrix.scaled_cost()).max(initial=0.0)) * 1e-2
    held = np.flatnonzero(np.abs(np.asarray(solution.col_dual)) > zero).astype(np.int32)
    level = values[held] / matrix.column_scale[held]
    checked(highs.changeColsBounds(len(held), held, level, level), "the columns that have a price")
    low, high = matrix.row_lower * matrix.row_scale, matrix.row_upper * matrix.row_scale
    activity = np.asarray(solution.row_value)
    tight = np.flatnonzero(np.abs(np.asarray(solution.row_dual)) > zero).astype(np.int32)
    side = np.where(np.abs(activity - low) <= np.abs(high - activity), low, high)[tight]
    # The stubs of highspy 1.15 leave this method out.
    checked(highs.changeRowsBounds(len(tight), tight, side, side), "the rows that have a price")  # type: ignore[attr-defined]
    count = len(values)
    checked(highs.changeColsCost(count, np.arange(count, dtype=np.int32), ties * matrix.column_scale), "the ties")
    run_to_end(highs)
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return values
    chosen = _values(highs, matrix)
    dearer = float(matrix.cost @ (chosen - values))
    return chosen if dearer <= _STRICT * 1e-2 * float(np.abs(matrix.cost * values).sum()) else values


def _unique(highs: highspy.Highs, matrix: Matrix) -> NDArray[np.bool_]:
    """Return where the right-hand side can move both ways without a change of basis (ranging), or the row is slack."""
    activity = np.asarray(highs.getSolution().row_value)
    basic = np.array([status == highspy.HighsBasisStatus.kBasic for status in highs.getBasis().row_status], dtype=bool)
    low, high = matrix.row_lower * matrix.row_scale, matrix.row_upper * matrix.row_scale
    slack = (activity - low > _STRICT * (1.0 + np.abs(activity))) & (high - activity > _STRICT * (1.0 + np.abs(activity)))
    status, ranging = highs.getRanging()
    if status == highspy.HighsStatus.kError:
        return np.asarray(basic & slack, dtype=bool)
    room = _STRICT * (1.0 + np.abs(activity))
    up = np.asarray(ranging.row_bound_up.value_) - activity > room
    down = activity - np.asarray(ranging.row_bound_dn.value_) > room
    return np.asarray(np.where(basic, slack, up & down), dtype=bool)
