"""Prices: the plan's integers fixed, the linear program solved again, its duals, whether they are unique, and else their range."""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray

from diversify.solve.highs import Options, checked, configured, hand_over, run_to_end
from diversify.solve.matrix import Floats, Matrix

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_STRICT = 1e-7
"""A right-hand side must be free to move at least this far, relative to its size, both ways, for a dual to be called unique."""

_TINY = 1e-5
"""How far a side (or a cost) is moved for a slope from one side, relative to its size as the solver sees it."""

_TOLERANCE = 1e-9
"""Feasibility tolerance of the small moves, far below their size."""


@dataclass(frozen=True)
class Fixed:
    """The linear program with the integers fixed: its point (n,), objective, and duals of rows (m,).

    ``dual`` is the change of the objective in million USD per unit of a row's right-hand side. ``unique`` (m,) is true only
    where it is proved: the basis stays optimal when the side moves either way, so the dual is the same from both sides.
    ``certain`` (n,) says the same of costs: the point stays optimal when a column's cost moves either way.
    """

    x: Floats
    objective: float
    dual: Floats
    unique: Bools
    certain: Bools


def fix_and_price(
    matrix: Matrix,
    x: Floats,
    options: Options,
    ties: Floats | None = None,
    implied: Bools | None = None,
    relief: Ints | None = None,
) -> Fixed | None:
    """Fix the integers at their rounded values in ``x`` and solve for the rest; None where that fails numerically.

    ``ties`` (n,) weighs columns to choose among points of equal cost: the one with the least sum of ties x columns.
    ``implied`` (n,) marks columns whose upper bounds rows imply; see :func:`_solved`. ``relief`` names rows whose duals, where several
    are equally right, are to say what a little more of all of their upper sides would save.
    """
    held = _solved(matrix, x, options, implied)
    if held is None:
        return None
    highs, fixed = held
    values = _values(highs, fixed)
    dual = _duals(highs, fixed)
    unique, certain = _unique(highs, fixed)
    if relief is not None and len(relief):
        dual = _from_relief(highs, fixed, dual, relief)
    if ties is not None and ties.any():
        values = _without_ties(highs, fixed, values, ties)
    return Fixed(values, float(matrix.cost @ values + matrix.offset), dual, unique, certain)


def _duals(highs: highspy.Highs, matrix: Matrix) -> Floats:
    return np.asarray(np.asarray(highs.getSolution().row_dual) * matrix.row_scale / matrix.cost_scale, dtype=np.float64)


def _from_relief(highs: highspy.Highs, matrix: Matrix, dual: Floats, rows: Ints) -> Floats:
    """Return the duals that hold when the upper sides of rows are a little higher; ``dual`` where they are not right here too.

    They are right here if the cost falls from here to there by just what they say. The solver is left as it was.
    """
    before, basis = highs.getInfo().objective_function_value, highs.getBasis()
    step = _TINY * (1.0 / matrix.row_scale[rows] + np.abs(matrix.row_upper[rows]))
    _move_sides(highs, matrix, rows, step)
    run_to_end(highs)
    solved = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    found, after = _duals(highs, matrix), highs.getInfo().objective_function_value
    _move_sides(highs, matrix, rows, np.zeros(len(rows)))
    checked(highs.setBasis(basis), "the basis")
    run_to_end(highs)
    if not solved:
        return dual
    said = float(found[rows] @ step) * matrix.cost_scale
    return found if abs(after - before - said) <= 1e-8 * (1.0 + abs(before)) + 1e-4 * abs(said) else dual


def _move_sides(highs: highspy.Highs, matrix: Matrix, rows: Ints, amounts: Floats) -> None:
    """Set the sides of rows to what the matrix says and ``amounts`` more."""
    scale = matrix.row_scale[rows]
    low, high = (matrix.row_lower[rows] + amounts) * scale, (matrix.row_upper[rows] + amounts) * scale
    # The stubs of highspy 1.15 leave this method out.
    checked(highs.changeRowsBounds(len(rows), rows.astype(np.int32), low, high), "moved sides")  # type: ignore[attr-defined]


def _solved(matrix: Matrix, x: Floats, options: Options, implied: Bools | None) -> tuple[highspy.Highs, Matrix] | None:
    """Return the solver with the optimal basis of the linear program with the integers fixed, and that program's matrix.

    An upper bound that repeats what a row says would take the row's price for itself, and the row would seem to be worth
    nothing. Such bounds (``implied``) are left out; where the point then breaks one, the program is solved with them.
    """
    whole = np.round(x)
    fixed = replace(
        matrix,
        lower=np.where(matrix.integer, whole, matrix.lower),
        upper=np.where(matrix.integer, whole, matrix.upper),
    )
    if implied is None or not (implied & ~matrix.integer).any():
        return _optimal(fixed, options)
    loose = replace(fixed, upper=np.where(implied & ~matrix.integer, np.inf, fixed.upper))
    held = _optimal(loose, options)
    if held is None:
        return _optimal(fixed, options)
    highs, _ = held
    values = np.asarray(highs.getSolution().col_value) * matrix.column_scale
    broken = values - fixed.upper > 1e-6 * (np.abs(fixed.upper) + matrix.column_scale)
    return _optimal(fixed, options) if broken.any() else (highs, fixed)


def _optimal(matrix: Matrix, options: Options) -> tuple[highspy.Highs, Matrix] | None:
    highs = configured(replace(options, gap=0.0, log=False))
    hand_over(highs, matrix, relaxed=True)
    checked(highs.setOptionValue("solver", "simplex"), "solver = simplex")
    run_to_end(highs)
    return (highs, matrix) if highs.getModelStatus() == highspy.HighsModelStatus.kOptimal else None


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


def _unique(highs: highspy.Highs, matrix: Matrix) -> tuple[Bools, Bools]:
    """Return for which rows the right-hand side can move both ways without a change of basis (ranging), or which are slack;
    and for which columns the cost can.
    """
    activity = np.asarray(highs.getSolution().row_value)
    basic = np.array([status == highspy.HighsBasisStatus.kBasic for status in highs.getBasis().row_status], dtype=bool)
    low, high = matrix.row_lower * matrix.row_scale, matrix.row_upper * matrix.row_scale
    slack = (activity - low > _STRICT * (1.0 + np.abs(activity))) & (high - activity > _STRICT * (1.0 + np.abs(activity)))
    status, ranging = highs.getRanging()
    if status == highspy.HighsStatus.kError:
        return np.asarray(basic & slack, dtype=bool), np.zeros(len(matrix.cost), dtype=bool)
    room = _STRICT * (1.0 + np.abs(activity))
    up = np.asarray(ranging.row_bound_up.value_) - activity > room
    down = activity - np.asarray(ranging.row_bound_dn.value_) > room
    cost = matrix.scaled_cost()
    dearer = np.asarray(ranging.col_cost_up.value_)[: len(cost)] - cost > _STRICT * (1.0 + np.abs(cost))
    cheaper = cost - np.asarray(ranging.col_cost_dn.value_)[: len(cost)] > _STRICT * (1.0 + np.abs(cost))
    held = matrix.lower == matrix.upper
    return np.asarray(np.where(basic, slack, up & down), dtype=bool), np.asarray(held | (dearer & cheaper), dtype=bool)


class Moving:
    """The linear program with the integers fixed, kept with its basis, so that a small move of sides or costs costs little.

    The cost as a function of how far sides move is convex and piecewise linear, so the slopes just left and just right
    of where it stands are the least and the greatest of all duals that are equally right.
    """

    def __init__(self, highs: highspy.Highs, matrix: Matrix) -> None:
        """Hold a solved program; use :meth:`of`."""
        self._highs, self._matrix = highs, matrix
        self._cost = matrix.scaled_cost()
        options = {"primal_feasibility_tolerance": _TOLERANCE, "dual_feasibility_tolerance": _TOLERANCE, "time_limit": np.inf}
        for name, value in options.items():
            checked(highs.setOptionValue(name, value), name)
        run_to_end(highs)
        self.objective = self._objective()
        self._basis = highs.getBasis()

    @classmethod
    def of(cls, matrix: Matrix, x: Floats, options: Options, implied: Bools | None = None) -> Moving | None:
        """Fix the integers at their rounded values in ``x`` and solve for the rest; None where that has no solution."""
        held = _solved(matrix, x, options, implied)
        return None if held is None else cls(*held)

    def slope(self, rows: Ints, amounts: Floats, sign: float) -> float:
        """Return the change of the objective per unit when the sides of ``rows`` go up by ``amounts`` times a unit.

        The slope just above (``sign`` 1) or just below (-1) where the sides stand; infinite (with that sign) where even a tiny
        move leaves no solution.
        """
        size = float(np.abs(self._middle(rows) * self._matrix.row_scale[rows]).max(initial=0.0))
        step = _TINY * (1.0 + size) / float(np.abs(amounts * self._matrix.row_scale[rows]).max())
        _move_sides(self._highs, self._matrix, rows, sign * step * amounts)
        failed = self._failed()
        dual = _duals(self._highs, self._matrix)[rows]
        self._restore_rows(rows)
        return float(dual @ amounts) if failed is None else sign * failed

    def change(self, rows: Ints, amounts: Floats) -> float:
        """Return the change of the objective when the sides of ``rows`` go up by ``amounts``; infinite where there is no solution."""
        _move_sides(self._highs, self._matrix, rows, amounts)
        failed = self._failed()
        objective = self._objective()
        self._restore_rows(rows)
        return objective - self.objective if failed is None else failed

    def quantity(self, columns: Ints, amounts: Floats, sign: float) -> float:
        """Return sum of amounts x columns just after the columns' costs went up (``sign`` 1) or down (-1) in proportion to ``amounts``."""
        each = columns.astype(np.int32)
        scaled = amounts * self._matrix.column_scale[columns] * self._matrix.cost_scale
        step = _TINY / float(np.abs(scaled).max())
        checked(self._highs.changeColsCost(len(each), each, self._cost[columns] + sign * step * scaled), "moved costs")
        failed = self._failed()
        values = np.asarray(self._highs.getSolution().col_value)[columns] * self._matrix.column_scale[columns]
        checked(self._highs.changeColsCost(len(each), each, self._cost[columns]), "costs as they were")
        checked(self._highs.setBasis(self._basis), "the basis")
        return float(values @ amounts) if failed is None else np.nan

    def _middle(self, rows: Ints) -> Floats:
        low, high = self._matrix.row_lower[rows], self._matrix.row_upper[rows]
        return np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))

    def _restore_rows(self, rows: Ints) -> None:
        _move_sides(self._highs, self._matrix, rows, np.zeros(len(rows)))
        checked(self._highs.setBasis(self._basis), "the basis")

    def _failed(self) -> float | None:
        """Solve again; return None for an optimum, infinity where there is no solution and NaN where the solver failed."""
        run_to_end(self._highs)
        status = self._highs.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            return None
        return np.inf if status == highspy.HighsModelStatus.kInfeasible else np.nan

    def _objective(self) -> float:
        return float(self._highs.getInfo().objective_function_value) / self._matrix.cost_scale
