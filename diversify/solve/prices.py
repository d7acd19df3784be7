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


def fix_and_price(matrix: Matrix, x: Floats, options: Options) -> Fixed | None:
    """Fix the integers at their rounded values in ``x`` and solve for the rest; None where that fails numerically."""
    whole = np.round(x)
    fixed = replace(
        matrix,
        lower=np.where(matrix.integer, whole, matrix.lower),
        upper=np.where(matrix.integer, whole, matrix.upper),
    )
    highs = configured(replace(options, gap=0.0, log=False))
    hand_over(highs, fixed, relaxed=True)
    checked(highs.setOptionValue("solver", "simplex"), "solver = simplex")
    run_to_end(highs)
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    solution = highs.getSolution()
    values = np.clip(np.asarray(solution.col_value) * matrix.column_scale, fixed.lower, fixed.upper)
    dual = np.asarray(solution.row_dual) * matrix.row_scale
    return Fixed(values, float(highs.getInfo().objective_function_value), dual, _unique(highs, fixed))


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
