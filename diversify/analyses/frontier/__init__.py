"""Least cost against a cap's share, as a band that never falls as the cap tightens; also against shortage or a budget, on a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.executor import Executor
from diversify.analyses.frontier import tables
from diversify.analyses.frontier.band import Band, Result
from diversify.analyses.frontier.curve import Curve
from diversify.analyses.frontier.spots import FREE, Question, Spot
from diversify.analyses.frontier.tables import LAYOUT
from diversify.analyses.solving import Limits, manifest
from diversify.errors import UsageError
from diversify.instance import Instance, load
from diversify.planning.summary import about

__all__ = ["LAYOUT", "frontier"]


def frontier(
    instance: Instance | str | Path,
    cap: str | Sequence[str],
    *,
    shares: Sequence[float] | None = None,
    points: int = 10,
    against: str | None = None,
    levels: Sequence[float] | None = None,
    gap: float | None = None,
    gap_musd: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Return the least cost (discounted million USD) at several shares of a cap, or of several caps moved together.

    A share is the caps' last listed year's; earlier years keep their proportion of the way from the first listed year,
    which stays. Without ``shares``, ``points`` of them run from the share that the plan without the caps reaches down to the least
    that any plan can reach with no more shortage (:func:`diversify.least_cap`). Each point is a band from what is proved
    (bound) to the best plan found, and neither falls as the share does; a point without a plan is ``infeasible``.

    ``against`` adds a grid: ``"shortage"`` limits the tonnes short of all commodities over the horizon, ``"budget:NAME"`` moves
    that budget's limit (million USD). The curve is then the one without that limit. ``levels`` are the limits; without them
    four, from below the most that a plan of the curve uses down to the least that one does.

    Without ``gap`` (relative) and ``gap_musd`` (absolute) each point is solved to a twentieth of what the caps cost at the tight end,
    and where a difference between neighbours is then not proved, to a quarter of that difference (or a tenth of the first gap);
    each solve within ``time_limit`` seconds. The answer's tables are those of ``LAYOUT`` (docs/questions/frontier.md explains them).

    Raises UsageError for an unknown cap or budget, shares outside 0 to 1, negative limits, or where no range can be found.
    """
    case = instance if isinstance(instance, Instance) else load(instance)
    named = (cap,) if isinstance(cap, str) else tuple(cap)
    question = Question.of(case, named, against)
    _check(shares, points, against, levels)
    first = Limits.of(case, gap=gap, gap_musd=gap_musd, time_limit=time_limit, seed=seed)
    runner = executor or Executor()
    curve = Curve(Band(question, runner), first, given=gap is not None or gap_musd is not None)
    chosen = curve.range_of(points) if shares is None else sorted({float(share) for share in shares}, reverse=True)
    curve.solve(chosen)
    grid = curve.weighed(chosen, levels) if question.against else []
    free, results = curve.band.at(FREE), [curve.band.at(Spot(share)) for share in chosen]
    records = {
        "points": tables.point_rows(question, free, results),
        "grid": tables.grid_rows(question, chosen, grid),
        "shares": tables.share_rows(question, results),
        "builds": tables.plan_rows(results, "builds"),
    }
    summary = {
        **_about(case, question),
        **_found(curve, free, results, records["points"]),
        "against": None if question.against is None else {"name": str(question.against), "unit": question.against.unit},
        "grid": records["grid"],
    }
    asked = {"question": "frontier", "cap": list(question.caps), "shares": shares and list(shares), "points": points}
    asked |= {"against": against, "levels": levels and list(levels)}
    return Answer("frontier", case, LAYOUT, summary, tabulated(LAYOUT, records), manifest(case, first, **asked))


def _check(shares: Sequence[float] | None, points: int, against: str | None, levels: Sequence[float] | None) -> None:
    if points < 1:
        raise UsageError(f"a frontier has one point or more; got {points}.")
    if shares is not None and (not len(shares) or not all(0.0 <= share <= 1.0 for share in shares)):
        raise UsageError(f"shares lie between 0 and 1, one or more; got {', '.join(f'{share:g}' for share in shares) or 'none'}.")
    if levels is not None and against is None:
        raise UsageError("levels are limits on what the caps are weighed against: say against what.")
    if levels is not None and not all(0.0 <= level < math.inf for level in levels):
        raise UsageError(f"levels are finite and at least 0; got {', '.join(f'{level:g}' for level in levels)}.")


def _about(case: Instance, question: Question) -> dict[str, Any]:
    return {
        **about(case),
        "cap": "+".join(question.caps),
        "caps": list(question.caps),
        "own_share": {path.cap: path.last for path in question.paths},
        "last_year": {path.cap: path.years[-1] for path in question.paths},
    }


def _found(curve: Curve, free: Result, results: Sequence[Result], rows: list[dict[str, Any]]) -> dict[str, Any]:
    question, least = curve.band.question, curve.least
    dearest = next((row for row in reversed(rows) if row["cap_cost_musd"] is not None), None)
    return {
        "points": [{**row, "projects": tables.projects(result)} for row, result in zip(rows, results, strict=True)],
        "uncapped": tables.uncapped(question, free, curve.reached_without_caps()),
        "least": None if least is None else {name: least[name] for name in ("share", "proved_share", "proved", "stopped")},
        "cap_cost_musd": None if dearest is None else {"low": dearest["cap_cost_low_musd"], "high": dearest["cap_cost_high_musd"]},
        "gap_asked_musd": curve.limits.gap_musd,
        "gap_asked": curve.limits.gap,
    }
