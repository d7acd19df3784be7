"""The problem in which every figure is at its mean over the scenarios, which a plan that ignores uncertainty would solve.

Birge and Louveaux (2011), section 4.2: what its decisions cost beyond the stochastic optimum is the value of the stochastic solution.

Means are taken of what the data come to (coefficients, limits, costs). What a scenario does not state counts as it acts there: a
column that cannot occur is zero, a plant that cannot run has no capacity, a demand or balance without a row is zero, and a limit
that is not set is infinite, so that a ban that some scenario does not have is not there on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diversify.network.ground import Bools, Floats, Ints
from diversify.planning.stages import Key, Staged
from diversify.solve import Matrix
from diversify.solve.matrix import cost_scale_of, row_scale_of

if TYPE_CHECKING:
    from scipy.sparse import csc_array

_ROUNDING = 1e-9

_ZERO_WHERE_ABSENT = ("c_capacity", "c_minimum_run")
"""Inequalities that are left out where a plant cannot run: there they would say that nothing runs."""


@dataclass(frozen=True)
class MeanProgram:
    """The problem of means: its matrix, and the place of each column that is decided before the reveal year."""

    matrix: Matrix
    common: dict[Key, int]

    def decisions(self, x: Floats) -> dict[Key, float]:
        """Return what a point (n,) decides before the reveal year, zeros left out; units whole."""
        whole = np.where(self.matrix.integer, np.round(x), x)
        return {key: float(whole[place]) for key, place in self.common.items() if whole[place] != 0.0}


@dataclass(frozen=True)
class _Named:
    """A scenario's matrix with a name for each column and each side of a row."""

    staged: Staged
    columns: list[Key]
    rows: list[Key]
    probability: float


def mean_program(staged: Sequence[Staged], probability: Sequence[float]) -> MeanProgram:
    """Return the problem of means of scenarios that agree before the reveal year; weights (S,) sum to 1."""
    named = [_Named(each, _columns(each), _rows(each), weight) for each, weight in zip(staged, probability, strict=True) if weight > 0]
    columns = _numbered([each.columns for each in named])
    rows = _numbered([each.rows for each in named])
    matrix = _matrix(named, columns, rows)
    common = {key: columns[key] for each in named for key in each.staged.keys}
    return MeanProgram(matrix, common)


def _numbered(lists: Sequence[Sequence[Key]]) -> dict[Key, int]:
    numbers: dict[Key, int] = {}
    for keys in lists:
        for key in keys:
            numbers.setdefault(key, len(numbers))
    return numbers


def _columns(staged: Staged) -> list[Key]:
    """Return a name for each of the solver's columns: of units decided before the reveal year by date, else by index."""
    program = staged.program
    names: list[Key] = [()] * len(program.matrix.cost)
    for name, block in program.statement.blocks.items():
        for place, key in zip(program.columns(name).tolist(), block.index.itertuples(index=False, name=None), strict=True):
            if place >= 0:
                names[place] = (name, "", *key)
    for place, key in zip(staged.common.tolist(), staged.keys, strict=True):
        names[place] = key
    return names


def _rows(staged: Staged) -> list[Key]:
    program = staged.program
    names: list[Key] = [()] * program.matrix.a.shape[0]
    for name, index in program.statement.row_index.items():
        for place, key in zip(program.rows(name).tolist(), index.itertuples(index=False, name=None), strict=True):
            if place >= 0:
                names[place] = (name, *key)
    return names


def _matrix(named: Sequence[_Named], columns: dict[Key, int], rows: dict[Key, int]) -> Matrix:
    """Return the means, each scenario weighed by its probability."""
    count, height = len(columns), len(rows)
    weight, cost, lower, upper = np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count)
    stated, low, high = np.zeros(height), np.zeros(height), np.zeros(height)
    whole, scale, offset = np.zeros(count, dtype=bool), np.ones(count), 0.0
    for each in named:
        matrix, p = each.staged.program.matrix, each.probability
        place, line = _places(each.columns, columns), _places(each.rows, rows)
        for total, value in ((weight, 1.0), (cost, matrix.cost), (lower, matrix.lower), (upper, matrix.upper)):
            total[place] += p * value
        for total, value in ((stated, 1.0), (low, matrix.row_lower), (high, matrix.row_upper)):
            total[line] += p * value
        whole[place], scale[place] = matrix.integer, matrix.column_scale
        offset += p * matrix.offset
    acts_everywhere = (np.isfinite(low) & np.isfinite(high)) | np.array([key[0] in _ZERO_WHERE_ABSENT for key in rows], dtype=bool)
    gone = (stated < 1.0 - _ROUNDING) & ~acts_everywhere
    a, cost = _coefficients(named, columns, rows, acts_everywhere), cost / weight
    return Matrix(
        columns=[None] * count,
        rows=[None] * height,
        a=a,
        cost=cost,
        offset=offset,
        lower=lower,
        upper=upper,
        row_lower=np.where(gone, -np.inf, low),
        row_upper=np.where(gone, np.inf, high),
        integer=whole,
        column_scale=scale,
        row_scale=row_scale_of(a, scale),
        cost_scale=cost_scale_of(cost * scale),
    )


def _places(keys: Sequence[Key], numbers: dict[Key, int]) -> Ints:
    return np.array([numbers[key] for key in keys], dtype=np.int64)


def _coefficients(named: Sequence[_Named], columns: dict[Key, int], rows: dict[Key, int], acts_everywhere: Bools) -> csc_array:
    """Return the mean of each coefficient over the scenarios that have its column and in which its row acts."""
    from scipy.sparse import csc_array

    shape = (len(rows), len(columns))
    total = csc_array(shape)
    for each in named:
        entries = each.staged.program.matrix.a.tocoo()
        row, column = _places(each.rows, rows)[entries.row], _places(each.columns, columns)[entries.col]
        total = total + csc_array((each.probability * entries.data, (row, column)), shape=shape)
    total.sort_indices()
    line, place = total.indices, np.repeat(np.arange(shape[1]), np.diff(total.indptr))
    weight = np.zeros(total.nnz)
    for each in named:
        acts, present = acts_everywhere.copy(), np.zeros(shape[1], dtype=bool)
        acts[_places(each.rows, rows)] = True
        present[_places(each.columns, columns)] = True
        weight += each.probability * (acts[line] & present[place])
    total.data = total.data / weight
    return total
