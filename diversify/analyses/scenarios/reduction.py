"""Few scenarios in place of many: fast forward selection.

Heitsch, H., Roemisch, W. (2003), Scenario reduction algorithms in stochastic programming, Computational Optimization and Applications
24(2-3), 187-206, algorithm 2.4. It keeps, one after the other, the scenario that brings the kept ones nearest to all, and gives the
probability of each one left out to the nearest kept. It is a heuristic: the best choice of several is not always found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.analyses.scenarios.families import CHANGES_NOTHING, Family, happens
from diversify.errors import UsageError
from diversify.network.ground import Floats

_TIE = 1e-12
"""Difference of two distances, relative to the larger, below which they count as equal: the earlier scenario wins."""


@dataclass(frozen=True)
class Selection:
    """Which scenarios are kept (positions, increasing), their probabilities, and the distances.

    ``distance`` is the Kantorovich distance (of order 1) between all scenarios and the kept ones with their new probabilities: the least
    probability-weighted way over which the weight of those left out must be carried. ``distance_of_one`` is that of the
    best single scenario, to compare with.
    """

    kept: list[int]
    probability: Floats
    distance: float
    distance_of_one: float


def forward_selection(points: Floats, probability: Floats, to: int) -> Selection:
    """Return the selection of ``to`` of n scenarios, given as points (n, d) at Euclidean distances, with probabilities (n,).

    UsageError where ``to`` is not from 1 to n.
    """
    if not 1 <= to <= len(points):
        raise UsageError(f"{len(points)} scenarios cannot be reduced to {to}. Give a number from 1 to {len(points)}.")
    apart = distances(points)
    nearest = np.full(len(points), np.inf)
    kept: list[int] = []
    course: list[float] = []
    for _ in range(to):
        remaining = probability @ np.minimum(nearest[:, None], apart)
        remaining[kept] = np.inf
        chosen = _first_least(remaining)
        kept.append(chosen)
        course.append(float(remaining[chosen]))
        nearest = np.minimum(nearest, apart[:, chosen])
    kept.sort()
    heir = [_first_least(apart[row, kept]) if row not in kept else kept.index(row) for row in range(len(points))]
    weights = np.array([math.fsum(probability[np.array(heir) == position]) for position in range(to)])
    return Selection(kept, weights, course[-1], course[0])


def _first_least(values: Floats) -> int:
    least = float(values.min())
    return int(np.flatnonzero(values <= least + _TIE * abs(least))[0])


def distances(points: Floats) -> Floats:
    """Return the Euclidean distances between points (n, d) as (n, n)."""
    square = np.zeros((len(points), len(points)))
    for column in points.T:
        square += (column[:, None] - column[None, :]) ** 2
    return np.sqrt(square)


def scaled(families: Sequence[Family], draws: pd.DataFrame) -> Floats:
    """Return the draws as points (n, d), one dimension a parameter, each from 0 for its least to 1 for its largest value.

    Of a family that does not happen the size is the one that changes nothing, start and length are the means of the draws in
    which it happens, so that only what makes a difference sets two draws apart.
    """
    happening = happens(families, draws)
    columns = []
    for family in families:
        there = happening[family.name] > 0.0
        for name in family.ranges:
            values = draws[f"{family.name}.{name}"].to_numpy(dtype=np.float64, na_value=np.nan)
            neutral = CHANGES_NOTHING[family.kind] if name == "size" else float(values[there].mean()) if there.any() else 0.0
            filled = np.where(there, values, neutral)
            spread = float(np.ptp(filled))
            columns.append((filled - filled.min()) / spread if spread > 0.0 else np.zeros(len(filled)))
    return np.column_stack(columns)
