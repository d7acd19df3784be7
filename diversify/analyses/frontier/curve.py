"""The curve as it is found: without the caps, its range, how exact is exact enough, its points in waves, and a grid beside it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from diversify.analyses.executor import Task
from diversify.analyses.frontier.band import Band, Result
from diversify.analyses.frontier.course import least_at_no_more_cost, shares_between, thirds
from diversify.analyses.frontier.spots import FREE, Spot
from diversify.analyses.least_cap import least_cap
from diversify.analyses.solving import Limits, table_of
from diversify.errors import UsageError

_SMALL_BESIDE_CAPS = 0.05
"""Gap of each point as a part of what the caps cost at the tight end."""

_SMALL_BESIDE_STEP = 0.25
"""Gap of a point as a part of its difference from a neighbour, where that is not proved at first."""

_FINEST = 0.1
"""The same as a part of the first gap, below which it does not go: a difference of next to nothing is not worth its proof."""

_SMALL_BESIDE_COST = 1e-5
"""Gap of each point as a part of its cost, below which it does not go either: caps may cost next to nothing."""

_LEVELS = 4
"""Levels of a grid, beside none, where none are given."""


@dataclass
class Curve:
    """The curve being found: its band, the limits of each solve, and what was found of its ends.

    ``given`` says that the gaps are the caller's and stay; else ``limits`` are made finer once it is known what the caps cost.
    """

    band: Band
    limits: Limits
    given: bool
    reached: float | None = None
    least: Mapping[str, Any] | None = None

    def range_of(self, points: int) -> list[float]:
        """Return the shares of the points, from the loose end to the tight one."""
        question = self.band.question
        self._without_caps()
        if self.reached is None:
            stopped = self.band.at(FREE).stopped
            why = "is infeasible" if stopped == "infeasible" else f"has no plan that was found ({stopped})"
            raise UsageError(f"{question.instance.name} {why} without {', '.join(question.caps)}: there is no range to find; give shares.")
        self.least = least_cap(
            question.instance,
            question.caps,
            years=False,
            gap=self.limits.gap,
            time_limit=self.limits.time_limit,
            seed=self.limits.seed,
            executor=self.band.executor,
        ).summary
        share = self.least["share"]
        return shares_between(self.reached, 0.0 if share is None else float(share), points)

    def solve(self, shares: Sequence[float]) -> None:
        """Solve the curve: what the caps cost at its tight end says how fine, then wave by wave, then what is not proved."""
        self._without_caps()
        if not self.given:
            self._find_gap(shares)
        spots = [Spot(share) for share in shares]
        ends, *between = [[spots[position] for position in wave] for wave in thirds(len(spots))]
        for wave in ([FREE, *ends], *between):
            self.band.solve(wave, dict.fromkeys(wave, self.limits))
        if not self.given:
            self._prove(spots)

    def weighed(self, shares: Sequence[float], levels: Sequence[float] | None) -> list[Result]:
        """Solve the grid, and return what is known of its points."""
        values = sorted({float(level) for level in levels}, reverse=True) if levels else self._levels_found(shares)
        across, down = thirds(len(shares)), thirds(len(values)) if values else []
        for number in range(len(across) + len(down) - 1 if values else 0):
            wave = [
                Spot(shares[point], values[limit])
                for one, other in ((number - step, step) for step in range(len(down)))
                if 0 <= one < len(across)
                for point in across[one]
                for limit in down[other]
            ]
            self.band.solve(wave, dict.fromkeys(wave, self.limits))
        return [self.band.at(Spot(share, limit)) for share in shares for limit in (math.inf, *values)]

    def reached_without_caps(self) -> float | None:
        """Return the least share that the builds of the best plan without the caps reach at no more than its cost; None without a plan."""
        free = self.band.at(FREE)
        if free.record is None or free.record is self.band.found[0][1]:
            return self.reached
        return self._least_share(free)

    def _without_caps(self) -> None:
        """Solve the case without the caps and find the share that it reaches."""
        if self.band.found:
            return
        self.band.solve([FREE], {FREE: self.limits})
        free = self.band.at(FREE)
        if free.record is None:
            return
        self.reached = self._least_share(free)

    def _least_share(self, free: Result) -> float:
        """Return the least share that a plan's builds reach without the caps at no more than its cost."""
        assert free.record is not None
        arguments = {
            "instance": self.band.question.arguments(FREE)["instance"],
            "caps": list(self.band.question.caps),
            "builds": table_of(free.record, "builds"),
            "cost_musd": free.objective_musd,
            "limits": self.limits.as_dict(),
        }
        (found,) = self.band.executor.run([Task("the share without the caps", least_at_no_more_cost, arguments)])
        own = self.band.question.reached(table_of(free.record, "shares"))
        return own if found["share"] is None else min(own, float(found["share"]))

    def _find_gap(self, shares: Sequence[float]) -> None:
        """Make the gap small beside what the caps cost at the tightest point that has a plan."""
        for share in reversed(shares):
            spot = Spot(share)
            self.band.solve([spot], {spot: self.limits})
            tight, free = self.band.at(spot), self.band.at(FREE)
            if tight.objective_musd is not None and free.objective_musd is not None:
                caps, cost = tight.objective_musd - free.objective_musd, abs(free.objective_musd)
                self.limits = replace(self.limits, gap=0.0, gap_musd=max(_SMALL_BESIDE_CAPS * caps, _SMALL_BESIDE_COST * cost))
                return

    def _prove(self, spots: Sequence[Spot]) -> None:
        """Solve again, and finer, the points whose bands reach over a neighbour's, and what all are measured against."""
        finer: dict[Spot, Limits] = {}
        for loose, tight in itertools.pairwise(spots):
            one, other = self.band.at(loose), self.band.at(tight)
            if one.objective_musd is None or other.objective_musd is None or other.bound_musd is None:
                continue
            if other.bound_musd > one.objective_musd:
                continue
            step = other.objective_musd - one.objective_musd
            enough = max(_SMALL_BESIDE_STEP * step, _FINEST * self.limits.gap_musd)
            for spot in (FREE, loose, tight):
                known = finer.get(spot, self.limits).gap_musd
                finer[spot] = replace(self.limits, gap_musd=min(known, enough))
        self.band.solve(list(finer), finer)

    def _levels_found(self, shares: Sequence[float]) -> list[float]:
        """Return levels from the most that a plan of the curve uses down to the least; none where all use the same."""
        question = self.band.question
        plans = [result.record for share in shares if (result := self.band.at(Spot(share))).record is not None]
        used = [question.used(record) for record in plans if record is not None]
        low, high = min(used, default=0.0), max(used, default=0.0)
        if high - low <= 1e-6 * max(high, 1.0):
            return []
        return [low + (high - low) * step / _LEVELS for step in range(_LEVELS - 1, -1, -1)]
