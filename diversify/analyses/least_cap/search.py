"""The search for the least share: targets are tried until the best plan and what is proved impossible are near enough to each other.

One try minimises ``v_over`` for a target share (see :mod:`.reach`). A plan with v_over <= 0 reaches the target, usually far more, and
its own share is the new best; a bound above zero proves that no plan reaches the target. With the target just below the best
this is Dinkelbach's method for ratios, which converges faster than linearly (W. Dinkelbach, On nonlinear fractional programming,
Management Science 13, 1967); where it does not, targets halve what is left. The search is done first with parts of units
allowed, which is quick and proves what whole units cannot reach either, and then with whole units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from diversify.analyses.least_cap.reach import Reach
from diversify.analyses.solving import Limits, minimised
from diversify.planning.program import Answer

_PROVED = 1e-6
"""v_over above which a bound counts as proof: well above the solver's tolerances, and far below any share that matters."""

_TRIES = 60
"""Targets after which a search ends in any case."""

_FINER = 0.1
"""Part of the tolerance to which the relaxation is solved."""


@dataclass(frozen=True)
class Found:
    """What a search knows: the least share reached (None: none yet) and by what, and the largest proved out of reach (infinite: all).

    ``stopped`` says why it ended.
    """

    share: float | None = None
    answer: Answer | None = None
    proved_share: float = 0.0
    stopped: str = "optimal"

    def gap(self) -> float:
        """Return what is left between the two."""
        return max((1.0 if self.share is None else self.share) - self.proved_share, 0.0)


def relaxed(reach: Reach, tolerance: float, limits: Limits) -> Found:
    """Return the least share where parts of units may be built: what it proves holds for whole units too."""
    finest = replace(limits, gap=0.0, gap_musd=0.0)
    return _narrowed(
        reach, Found(), 0.0, _FINER * tolerance, lambda _target, _known: minimised(reach.model, reach.over, finest, relaxed=True)
    )


def whole(reach: Reach, below: Found, start: pd.DataFrame, tolerance: float, limits: Limits) -> Found:
    """Return the least share with whole units; ``below`` is what the relaxation found, ``start`` a table ``builds``."""
    near = replace(limits, gap=0.0, gap_musd=tolerance / 4.0)
    out_of_reach = below.proved_share

    def solve(target: float, known: Found) -> Answer:
        builds = start if known.answer is None else known.answer.builds
        return minimised(reach.model, reach.over, near, start=builds, bound=0.0 if target <= out_of_reach else -np.inf)

    return _narrowed(reach, Found(proved_share=out_of_reach), out_of_reach, tolerance, solve)


def _narrowed(reach: Reach, found: Found, target: float, tolerance: float, solve: Callable[[float, Found], Answer]) -> Found:
    """Try targets, ``target`` first; ``solve`` minimises v_over for one of them."""
    halved = False
    for _ in range(_TRIES):
        before = found.gap()
        reach.demand(target)
        found, ended = _tried(reach, found, target, solve(target, found))
        if ended or found.gap() <= tolerance:
            return found
        halved = not halved and found.gap() > before / 4.0
        target = _target(found, tolerance, halved=halved)
    return replace(found, stopped="time_limit")


def _target(found: Found, tolerance: float, *, halved: bool) -> float:
    if found.share is None:
        return 1.0
    return found.proved_share + found.gap() / 2.0 if halved else found.share - tolerance / 2.0


def _tried(reach: Reach, found: Found, target: float, answer: Answer) -> tuple[Found, bool]:
    """Return what is known after a try at a target, and whether nothing more can be learnt."""
    outcome = answer.outcome
    if outcome.stopped == "infeasible":
        return replace(found, proved_share=np.inf, stopped="infeasible"), True
    learnt = found
    if outcome.bound > _PROVED:
        learnt = replace(learnt, proved_share=np.inf if target >= 1.0 else max(found.proved_share, target))
    if outcome.x is not None:
        reached, arrived = reach.reached(answer.point)
        share = reach.aim.share_of(reach.rows, reached)
        reach.usual(arrived)
        if share is not None and (found.share is None or share < found.share):
            learnt = replace(learnt, share=share, answer=answer)
    if learnt is found and outcome.stopped != "optimal":
        return replace(found, stopped=outcome.stopped), True
    return learnt, learnt.proved_share == np.inf
