"""Cost games in numbers: the Shapley value, the core and the least core, for values that are known only within bands.

A game of n players is an array of 2^n values; the position of a subset is the number whose bit i says whether player i
is in it, and the value at 0 is 0. A value is what serving the subset costs, so little is good; ``inf`` means that it
cannot be served. Where a value is not known exactly, ``low`` and ``high`` hold its band, and what is said of the game is
said of every game within the bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
from scipy.optimize import linprog

from diversify.errors import SolverError
from diversify.network.ground import Bools, Floats, Ints

TOLERANCE = 1e-6
"""What counts as nothing, as a part of the cost of all together: the accuracy of the solver that found the values."""


@dataclass(frozen=True)
class Band:
    """A figure that lies between two ends, either of which may be infinite."""

    low: float
    high: float


@dataclass(frozen=True)
class Breach:
    """Two subsets without a common player that cost more together than apart, by an amount within ``dearer``.

    Proved where its low end is positive.
    """

    left: int
    right: int
    dearer: Band


@dataclass(frozen=True)
class Game:
    """A cost game whose values lie within bands (2^n,)."""

    low: Floats
    high: Floats

    @classmethod
    def exact(cls, values: Floats) -> Game:
        """Return a game of known values."""
        return cls(np.asarray(values, dtype=np.float64), np.asarray(values, dtype=np.float64))

    @property
    def players(self) -> int:
        """How many play."""
        return len(self.low).bit_length() - 1

    @property
    def tolerance(self) -> float:
        """What counts as nothing, in the unit of the values."""
        together = self.high[-1]
        return TOLERANCE * max(1.0, abs(together)) if np.isfinite(together) else TOLERANCE

    def band_of(self, weights: Floats) -> Band:
        """Return the band of a sum of values with weights (2^n,), which is exact since every value moves by itself."""
        used = np.flatnonzero(weights)
        ends = weights[used] * np.stack([self.low[used], self.high[used]])
        if np.isnan(ends).any():
            return Band(-np.inf, np.inf)
        low, high = ends.min(axis=0), ends.max(axis=0)
        return Band(_summed(low, -np.inf), _summed(high, np.inf))

    def gain(self) -> Band:
        """Return what the grand coalition saves: the values of all players alone less the value of all together."""
        return self.band_of(gain_weights(self.players))

    def shapley(self) -> list[Band]:
        """Return each player's Shapley value."""
        return [self.band_of(weights) for weights in shapley_weights(self.players)]

    def core(self) -> str:
        """Return ``not_empty`` or ``empty`` where that holds for every game within the bands, else ``unproved``.

        Whether the core is empty depends on the value of all together growing and the others shrinking (Bondareva and
        Shapley: it is not empty where no balanced collection of subsets costs less than all together), so that two
        games, the least and the most favourable, decide for all.
        """
        epsilon = self.least_core()
        if epsilon.high <= self.tolerance:
            return "not_empty"
        return "empty" if epsilon.low > self.tolerance else "unproved"

    def least_core(self) -> Band:
        """Return the band of the least core's epsilon (see :func:`least_core`)."""
        favourable, adverse = self.high.copy(), self.low.copy()
        favourable[-1], adverse[-1] = self.low[-1], self.high[-1]
        return Band(_epsilon(favourable, -np.inf), _epsilon(adverse, np.inf))

    def stability(self, weights: Floats) -> str:
        """Return whether an allocation is in the core of every game within the bands: ``yes``, ``no`` or ``unproved``.

        The allocation is linear in the values: player i bears ``weights[i] @ values`` (n, 2^n).
        """
        size, inside = len(self.low), _members(self.players)
        over = [self.band_of(inside[:, subset] @ weights - _unit(subset, size)) for subset in _proper(self.players)]
        if all(band.high <= self.tolerance for band in over):
            return "yes"
        return "no" if any(band.low > self.tolerance for band in over) else "unproved"

    def breaches(self) -> list[Breach]:
        """Return the pairs of subsets that cost more together than apart, for the values at hand (``high``)."""
        found, size = [], len(self.low)
        for left in range(1, size):
            for right in range(left + 1, size):
                if left & right:
                    continue
                both = left | right
                dearer = self.band_of(_unit(both, size) - _unit(left, size) - _unit(right, size))
                if dearer.low > self.tolerance or _over(self.high[both], self.high[left] + self.high[right], self.tolerance):
                    found.append(Breach(left, right, dearer))
        return found


def gain_weights(players: int) -> Floats:
    """Return the weights of the values in the gain from acting together (2^n,)."""
    weights = np.zeros(2**players)
    weights[1 << np.arange(players)] = 1.0
    weights[-1] -= 1.0
    return weights


def shapley_weights(players: int) -> Floats:
    """Return the weights of the values in each player's Shapley value (n, 2^n).

    The value of player i is the sum over all subsets S without i of |S|! (n - |S| - 1)! / n! x (v(S with i) - v(S))
    (Shapley 1953).
    """
    weights = np.zeros((players, 2**players))
    for player in range(players):
        for subset in range(2**players):
            if not subset >> player & 1:
                size = subset.bit_count()
                weight = factorial(size) * factorial(players - size - 1) / factorial(players)
                weights[player, subset | 1 << player] += weight
                weights[player, subset] -= weight
    weights[:, 0] = 0.0
    return weights


def least_core(values: Floats) -> tuple[float, Floats]:
    """Return the smallest epsilon, and an allocation (n,) with it, such that no subset pays more than its own cost plus epsilon.

    The allocation shares the cost of all; epsilon is at most 0 exactly where the core is not empty, and -epsilon is then what
    every subset saves at the least. ``-inf`` and NaN where subsets that cannot be served alone leave it without a limit.
    """
    players = len(values).bit_length() - 1
    bound = [subset for subset in _proper(players) if np.isfinite(values[subset])]
    sums = _members(players).T.astype(np.float64)
    solution = linprog(
        c=np.append(np.zeros(players), 1.0),
        A_ub=np.column_stack([sums[bound], -np.ones(len(bound))]) if bound else None,
        b_ub=values[bound] if bound else None,
        A_eq=np.append(np.ones(players), 0.0)[None, :],
        b_eq=values[-1:],
        bounds=(None, None),
    )
    if solution.status == 3:
        return -np.inf, np.full(players, np.nan)
    if solution.status != 0:
        raise SolverError(f"the least core was not found: {solution.message}")
    found = np.asarray(solution.x, dtype=np.float64)
    return float(found[-1]), found[:-1]


def _epsilon(values: Floats, otherwise: float) -> float:
    """Return the least core's epsilon; ``otherwise`` where a value has no finite end on this side."""
    if not np.isfinite(values[-1]) or np.isneginf(values).any():
        return otherwise
    return least_core(values)[0]


def _members(players: int) -> Ints:
    """Return which players are in which subsets (n, 2^n), as 0 and 1."""
    return (np.arange(2**players)[None, :] >> np.arange(players)[:, None]) & 1


def _proper(players: int) -> range:
    """Return the subsets but the empty one and all together."""
    return range(1, 2**players - 1)


def _unit(subset: int, size: int) -> Floats:
    return np.asarray(np.arange(size) == subset, dtype=np.float64)


def _summed(ends: Floats, otherwise: float) -> float:
    """Return the sum of ends; ``otherwise`` where infinities of both signs meet."""
    infinite: Bools = np.isinf(ends)
    if np.isposinf(ends).any() and np.isneginf(ends).any():
        return otherwise
    return float(ends[infinite][0]) if infinite.any() else float(ends.sum())


def _over(together: float, apart: float, tolerance: float) -> bool:
    return bool(np.isfinite(apart) and np.isfinite(together) and together - apart > tolerance)
