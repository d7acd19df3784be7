"""What a scenario costs after what was decided before: its relaxed program with the linking columns fixed, and a cut from its duals.

The L-shaped method: Van Slyke and Wets, L-shaped linear programs with applications to optimal control and stochastic programming, SIAM
Journal on Applied Mathematics 17 (1969). The value is convex in the linking columns, and their reduced costs are a subgradient.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray

from diversify.errors import SolverError
from diversify.solve.highs import Options, checked, configured, hand_over, run_to_end
from diversify.solve.matrix import Floats, Matrix, cost_scale_of, row_scale_of

Ints = NDArray[np.int64]

_MET = 1e-6
"""Rows missed by less than this in all (in the solver's units) are met."""


@dataclass(frozen=True)
class Cut:
    """What a scenario's later stage costs is at least ``constant`` + slope'x (``of_cost``), or x breaks it: 0 >= constant + slope'x.

    ``value`` is the cost at the point where the cut was made (inf where there is no plan); ``basis`` is the solver's there.
    """

    of_cost: bool
    value: float
    constant: float
    slope: Floats
    basis: str
    iterations: int


@dataclass(frozen=True)
class Recourse:
    """The later stage of a scenario as a linear program: ``link`` (k,) are the positions of what was decided before."""

    matrix: Matrix
    link: Ints

    def cut(self, x: Floats, basis: str = "") -> Cut:
        """Return the cut at what was decided (k,), from a basis that an earlier cut ended with.

        Raises SolverError where the solver finds neither an optimum nor that there is none.
        """
        at = np.clip(x, self.matrix.lower[self.link], self.matrix.upper[self.link])
        fixed = _fixed(self.matrix, self.link, at)
        highs = _solved(fixed, basis)
        if highs.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            value = float(highs.getInfo().objective_function_value) / fixed.cost_scale
            slope = _slope(highs, fixed, self.link)
            return Cut(True, value, value - float(slope @ at), slope, _packed(highs), _iterations(highs))
        missed = _elastic(fixed)
        highs = _solved(missed, "")
        value = float(highs.getInfo().objective_function_value) / missed.cost_scale
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal or value <= _MET:
            raise SolverError("a scenario's linear program has neither an optimum nor a proof that it has none")
        slope = _slope(highs, missed, self.link)
        return Cut(False, np.inf, value - float(slope @ at), slope, basis, _iterations(highs))


def _fixed(matrix: Matrix, link: Ints, at: Floats) -> Matrix:
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    lower[link] = upper[link] = at
    return replace(matrix, lower=lower, upper=upper)


def _solved(matrix: Matrix, basis: str) -> highspy.Highs:
    highs = configured(Options(threads=1, time_limit=float("inf")))
    hand_over(highs, matrix, relaxed=True)
    checked(highs.setOptionValue("solver", "simplex"), "solver = simplex")
    if basis:
        checked(highs.setBasis(_unpacked(basis)), "the basis")
    run_to_end(highs)
    return highs


def _slope(highs: highspy.Highs, matrix: Matrix, link: Ints) -> Floats:
    reduced = np.asarray(highs.getSolution().col_dual, dtype=np.float64)[link]
    return np.asarray(reduced / (matrix.column_scale[link] * matrix.cost_scale))


def _iterations(highs: highspy.Highs) -> int:
    return max(int(highs.getInfo().simplex_iteration_count), 0)


def _elastic(matrix: Matrix) -> Matrix:
    """Return the program that minimises by how much rows are missed, in the solver's units of the rows."""
    from scipy import sparse

    rows, columns = matrix.a.shape
    missed = sparse.diags_array(1.0 / matrix.row_scale, format="csc")
    a = sparse.hstack([matrix.a, missed, -missed], format="csc")
    cost = np.concatenate([np.zeros(columns), np.ones(2 * rows)])
    scale = np.concatenate([matrix.column_scale, np.ones(2 * rows)])
    return replace(
        matrix,
        columns=[],
        rows=[],
        a=a,
        cost=cost,
        offset=0.0,
        lower=np.concatenate([matrix.lower, np.zeros(2 * rows)]),
        upper=np.concatenate([matrix.upper, np.full(2 * rows, np.inf)]),
        integer=np.zeros(columns + 2 * rows, dtype=bool),
        column_scale=scale,
        row_scale=row_scale_of(a, scale),
        cost_scale=cost_scale_of(cost),
    )


def _packed(highs: highspy.Highs) -> str:
    """Return the solver's basis as text, so that it travels with a task and its result."""
    basis = highs.getBasis()
    status = np.array([int(each) for each in [*basis.col_status, *basis.row_status]], dtype=np.uint8)
    return f"{len(basis.col_status)}:{base64.b64encode(zlib.compress(status.tobytes())).decode('ascii')}"


def _unpacked(text: str) -> highspy.HighsBasis:
    columns, _, packed = text.partition(":")
    status = np.frombuffer(zlib.decompress(base64.b64decode(packed)), dtype=np.uint8)
    kinds = {int(kind): kind for kind in highspy.HighsBasisStatus.__members__.values()}
    listed = [kinds[int(each)] for each in status]
    basis = highspy.HighsBasis()
    basis.col_status, basis.row_status, basis.valid = listed[: int(columns)], listed[int(columns) :], True
    return basis


class Growing:
    """A linear program kept in the solver, to which rows are added and which is then solved again from where it was."""

    def __init__(self, matrix: Matrix) -> None:
        """Hand the relaxed matrix over."""
        self._matrix = matrix
        self._highs = configured(Options(threads=1, time_limit=float("inf")))
        hand_over(self._highs, matrix, relaxed=True)

    def add(self, lower: Floats, columns: list[Ints], coefficients: list[Floats]) -> None:
        """Add rows ``lower`` (r,) <= coefficients'x, each with its columns."""
        scale = self._matrix.column_scale
        for side, place, value in zip(lower.tolist(), columns, coefficients, strict=True):
            entries = value * scale[place]
            size = 2.0 ** -np.round(np.log2(np.abs(entries[entries != 0.0]))).mean() if entries.any() else 1.0
            kept = np.abs(entries * size) > 1e-9
            indices = place[kept].astype(np.int32)
            status = self._highs.addRow(side * size, highspy.kHighsInf, len(indices), indices, (entries * size)[kept])
            checked(status, "a cut")

    def solve(self) -> tuple[Floats, float] | None:
        """Return the optimum and its value; None where there is none."""
        run_to_end(self._highs)
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        x = np.asarray(self._highs.getSolution().col_value, dtype=np.float64) * self._matrix.column_scale
        return x, float(self._highs.getInfo().objective_function_value) / self._matrix.cost_scale
