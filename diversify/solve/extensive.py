"""The extensive form: the matrices of several scenarios as one, with the columns they share stated once.

Birge and Louveaux, Introduction to Stochastic Programming (2011), sections 2.4 and 3.1. Shared columns are merged rather than tied by
equations, so that the solver sees neither the copies nor the rows that concern shared columns alone more than once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diversify.solve.matrix import Floats, Matrix, cost_scale_of, row_scale_of

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Risk:
    """How the costs of scenarios are weighed: (1 - weight) x expectation + weight x CVaR at ``level``.

    CVaR at level a is the least over h of h + E[max(0, cost - h)] / (1 - a): the mean of the dearest 1 - a of the outcomes (Rockafellar
    and Uryasev, Optimization of conditional value-at-risk, Journal of Risk 2, 2000). At level 1 it is the dearest outcome.
    """

    weight: float = 0.0
    level: float = 0.95

    def of(self, costs: Floats, probability: Floats) -> float:
        """Return the weighed cost of outcomes (S,) with their probabilities (S,), which sum to 1."""
        return float((1.0 - self.weight) * (probability @ costs) + self.weight * cvar(costs, probability, self.level))


def cvar(costs: Floats, probability: Floats, level: float) -> float:
    """Return the conditional value at risk of outcomes (S,): the mean of the dearest 1 - ``level``; the dearest of them at level 1."""
    happening = probability > 0
    costs, probability = costs[happening], probability[happening]
    if level >= 1.0:
        return float(costs.max())
    order = np.argsort(-costs, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(probability[order])[:-1]])
    part = np.clip(1.0 - level - before, 0.0, probability[order])
    return float(part @ costs[order] / part.sum())


@dataclass(frozen=True)
class Part:
    """One scenario of an extensive form.

    ``shared`` (n,) is the number of the shared column that each of its columns is, -1 where it is the scenario's own;
    ``rows`` (r,) are the rows that it brings in; ``probability`` weighs its cost.
    """

    matrix: Matrix
    shared: Ints
    rows: Ints
    probability: float


@dataclass(frozen=True)
class Extensive:
    """An extensive form: its matrix, where its first ``shared`` columns are the shared ones, and each part's columns in it."""

    matrix: Matrix
    shared: int
    columns: list[Ints]


def extensive(parts: Sequence[Part], shared: int, upper: Floats, risk: Risk) -> Extensive:
    """Return the extensive form of scenarios that share ``shared`` columns.

    ``upper`` (shared,) bounds the shared columns beyond their own bounds (inf: no further). The columns of the risk measure come
    last: the value at risk, then each scenario's cost above it.
    """
    columns, count = [], shared
    for part in parts:
        own = np.flatnonzero(part.shared < 0)
        place = part.shared.copy()
        place[own] = count + np.arange(len(own))
        columns.append(place)
        count += len(own)
    plain = _stacked(parts, columns, count, upper)
    return Extensive(_with_risk(plain, parts, columns, risk) if risk.weight > 0 else plain, shared, columns)


def _stacked(parts: Sequence[Part], columns: Sequence[Ints], count: int, upper: Floats) -> Matrix:
    """Return the matrix whose objective is the expected cost."""
    from scipy import sparse  # after the matrix module has seen to how Pyomo loads it

    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    high[: len(upper)] = upper
    scale, whole, cost, offset = np.ones(count), np.zeros(count, dtype=bool), np.zeros(count), 0.0
    names: list[object] = [None] * count
    for part, place in zip(reversed(parts), reversed(columns), strict=True):
        matrix = part.matrix
        low[place] = np.maximum(low[place], matrix.lower)
        high[place] = np.minimum(high[place], matrix.upper)
        scale[place], whole[place] = matrix.column_scale, matrix.integer
        cost[place] += part.probability * matrix.cost
        offset += part.probability * matrix.offset
        for position, name in zip(place.tolist(), matrix.columns, strict=False):
            names[position] = name
    a = sparse.vstack([_spread(part.matrix.a[part.rows], place, count) for part, place in zip(parts, columns, strict=True)], format="csc")
    return Matrix(
        columns=names,
        rows=[part.matrix.rows[row] for part in parts if part.matrix.rows for row in part.rows.tolist()],
        a=a,
        cost=cost,
        offset=offset,
        lower=low,
        upper=high,
        row_lower=np.concatenate([part.matrix.row_lower[part.rows] for part in parts]),
        row_upper=np.concatenate([part.matrix.row_upper[part.rows] for part in parts]),
        integer=whole,
        column_scale=scale,
        row_scale=row_scale_of(a, scale),
        cost_scale=cost_scale_of(cost * scale),
    )


def _spread(a: csc_array, place: Ints, count: int) -> csr_array:
    """Return rows with their columns moved to new places among ``count``."""
    from scipy.sparse import csr_array

    triples = a.tocoo()
    return csr_array((triples.data, (triples.row, place[triples.col])), shape=(a.shape[0], count))


def _with_risk(plain: Matrix, parts: Sequence[Part], columns: Sequence[Ints], risk: Risk) -> Matrix:
    """Add the value at risk h and the excess u_s of each scenario's cost over it: cost_s - h - u_s <= 0.

    The objective becomes (1 - weight) x expectation + weight x (h + sum of p_s u_s / (1 - level)); without u at level 1.
    """
    from scipy import sparse

    count, happening = len(plain.cost), [number for number, part in enumerate(parts) if part.probability > 0]
    tail = len(happening) if risk.level < 1.0 else 0
    rows, sides = [], []
    for order, number in enumerate(happening):
        over = [count, count + 1 + order] if tail else [count]
        place = np.append(columns[number], over)
        value = np.append(parts[number].matrix.cost, np.full(len(over), -1.0))
        rows.append(sparse.csr_array((value, (np.zeros(len(place), dtype=np.int64), place)), shape=(1, count + 1 + tail)))
        sides.append(-parts[number].matrix.offset)
    wide = sparse.hstack([plain.a, sparse.csc_array((plain.a.shape[0], 1 + tail))], format="csc")
    a = sparse.vstack([wide, *rows], format="csc")
    a.eliminate_zeros()
    excess = [risk.weight * parts[number].probability / (1.0 - risk.level) for number in happening] if tail else []
    cost = np.concatenate([(1.0 - risk.weight) * plain.cost, [risk.weight], excess])
    typical = 2.0 ** np.round(np.log2(max(1.0, float(np.mean(np.abs(sides))) if sides else 1.0)))
    scale = np.concatenate([plain.column_scale, np.full(1 + tail, typical)])
    return replace(
        plain,
        columns=[*plain.columns, *([None] * (1 + tail))],
        rows=[*plain.rows, *([None] * len(rows))],
        a=a,
        cost=cost,
        offset=(1.0 - risk.weight) * plain.offset,
        lower=np.concatenate([plain.lower, [-np.inf], np.zeros(tail)]),
        upper=np.concatenate([plain.upper, np.full(1 + tail, np.inf)]),
        row_lower=np.concatenate([plain.row_lower, np.full(len(rows), -np.inf)]),
        row_upper=np.concatenate([plain.row_upper, sides]),
        integer=np.concatenate([plain.integer, np.zeros(1 + tail, dtype=bool)]),
        column_scale=scale,
        row_scale=row_scale_of(a, scale),
        cost_scale=cost_scale_of(cost * scale),
    )
