"""A matrix whose rows may be left out, or missed at a price: what asks why there is no plan is made of these."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diversify.solve.matrix import Floats, Matrix, cost_scale_of

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Stretch:
    """Columns (k,) that loosen rows, each at a price.

    Column ``column`` stands in row ``row`` with ``coefficient`` (in the row's unit; arrays of one length): above zero it helps to reach
    the lower side, below zero to stay under the upper. ``most`` (k,) bounds each column, ``price`` (k,) is its cost, ``integer``
    (k,) marks whole ones.
    """

    row: Ints
    column: Ints
    coefficient: Floats
    most: Floats
    price: Floats
    integer: Bools


def left_out(matrix: Matrix, lower: Ints, upper: Ints) -> Matrix:
    """Return the matrix without the lower sides of some rows and the upper sides of others (positions)."""
    low, high = matrix.row_lower.copy(), matrix.row_upper.copy()
    low[lower] = -np.inf
    high[upper] = np.inf
    return replace(matrix, row_lower=low, row_upper=high)


def indifferent(matrix: Matrix) -> Matrix:
    """Return the matrix without its costs: any point that satisfies the rows is as good as another."""
    return replace(matrix, cost=np.zeros(len(matrix.cost)), offset=0.0, cost_scale=1.0)


def parts_allowed(matrix: Matrix) -> Matrix:
    """Return the matrix with its integers relaxed."""
    return replace(matrix, integer=np.zeros(len(matrix.integer), dtype=bool))


def stretched(matrix: Matrix, stretch: Stretch) -> Matrix:
    """Return the matrix with the columns of a stretch after its own, whose prices are the only cost."""
    count, own = len(stretch.most), len(matrix.cost)
    from scipy import sparse  # after the matrix module has seen to how Pyomo loads it

    block = sparse.csc_array((stretch.coefficient, (stretch.row, stretch.column)), shape=(matrix.a.shape[0], count))
    scale = np.where(stretch.integer, 1.0, _column_scale(matrix, stretch))
    cost = np.concatenate([np.zeros(own), stretch.price])
    column_scale = np.concatenate([matrix.column_scale, scale])
    return replace(
        matrix,
        columns=[*matrix.columns, *[None] * count],
        a=sparse.hstack([matrix.a, block], format="csc"),
        cost=cost,
        offset=0.0,
        lower=np.concatenate([matrix.lower, np.zeros(count)]),
        upper=np.concatenate([matrix.upper, stretch.most]),
        integer=np.concatenate([matrix.integer, stretch.integer]),
        column_scale=column_scale,
        cost_scale=cost_scale_of(cost * column_scale),
    )


def _column_scale(matrix: Matrix, stretch: Stretch) -> Floats:
    """Return a power of two for each column (k,) that brings the largest of its coefficients near one."""
    largest = np.zeros(len(stretch.most))
    np.maximum.at(largest, stretch.column, np.abs(stretch.coefficient) * matrix.row_scale[stretch.row])
    return np.asarray(2.0 ** -np.round(np.log2(np.where(largest > 0.0, largest, 1.0))), dtype=np.float64)
