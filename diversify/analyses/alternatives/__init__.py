"""Plans that are almost as cheap as the best one, and which projects are in all of them, in some, in none.

"Within" is measured from the best plan found: a plan is within 2 % if it costs no more than 1.02 times what that one costs.
The true optimum lies between the best plan's bound and its cost, so the limit is no tighter than 1.02 times the
optimum, and what is proved of all plans within it holds for all plans within 2 % of the optimum too.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from diversify.analyses.alternatives.cases import Found, cheapest, examined
from diversify.analyses.alternatives.projects import choices
from diversify.analyses.alternatives.search import Different, Search, is_within, searched
from diversify.analyses.alternatives.verdicts import Knowledge, verdict
from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.executor import Executor, Task
from diversify.analyses.solving import Limits, manifest
from diversify.errors import SolverError, UsageError
from diversify.instance import Instance, load
from diversify.plan import TABLES
from diversify.planning.summary import about

__all__ = ["LAYOUT", "alternatives"]

_PLANS = ("plan", "objective_musd", "bound_musd", "over_optimum_musd", "over_optimum_share", "over_optimum_high_musd")
_EXTRAS = tuple(f"{name}{part}_musd" for name in ("regret", "cost_of_forcing") for part in ("", "_low", "_high"))

LAYOUT = {
    "plans": (*_PLANS, "stopped", "distance", "distance_bound", "distance_stopped"),
    "builds": ("plan", *TABLES["builds"]),
    "projects": ("project", "facility", "in", "proof", "units", *_EXTRAS),
}
"""Tables of the answer. Money is discounted million USD (``capex_musd``: overnight); distances are in projects."""

_CASE_GAP, _BEST_GAP = 1 / 20, 1 / 50
"""Gaps of a case and of the best plan, on which all else leans, as parts of ``within``, where no gap is given."""

_DISTANCE_GAP = 0.05


def alternatives(
    instance: Instance | str | Path,
    *,
    within: float = 0.02,
    plans: int = 5,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    distance_gap: float | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Return plans within ``within`` (a share) of the best that differ as much as possible, and what is proved of each project.

    ``plans`` says how many at most, the best among them. Each solve stops at the relative ``gap``; where none is given, at a
    twentieth of ``within``, and the best plan at a fiftieth. ``distance_gap``
    is the relative gap of the distances; where none is given 0.05, or 0 where ``gap`` is 0.

    Tables: ``plans`` (cost, what it is over the best, distance to the nearest earlier plan and the most that it could be),
    ``builds`` (as in a plan, by plan) and ``projects``: ``in`` is ``all``, ``some``, ``none`` or ``unproved``, ``proof``
    says by what (``by data``; ``bound``: the case with the project left out, or built, is proved to cost more than
    the limit; ``no plan``: that case has none; ``plans``: audited plans with and without it), ``regret_musd`` what
    leaving it out costs and ``cost_of_forcing_musd`` what building it costs, with the bands in which the true figures lie.

    Raises UsageError where the instance has no plan, or an option makes no sense, and SolverError where no plan was found
    in the time given.
    """
    apart_gap = (0.0 if gap == 0 else _DISTANCE_GAP) if distance_gap is None else distance_gap
    if not 0.0 <= within < math.inf or plans < 1 or not 0.0 <= apart_gap < 1.0:
        raise UsageError(
            f"within must be at least 0, plans at least 1, distance_gap at least 0 and below 1; got {within}, {plans}, {apart_gap}."
        )
    case = instance if isinstance(instance, Instance) else load(instance)
    runner = executor or Executor()
    limits = Limits.of(case, gap=_CASE_GAP * within if gap is None else gap, time_limit=time_limit, seed=seed)
    finest = Limits.of(case, gap=_BEST_GAP * within if gap is None else gap, time_limit=time_limit, seed=seed)
    chosen = choices(case)
    first = _best(case, finest, runner)
    without, forced = examined(case, first, chosen, limits, runner)
    known = [first, *(found for found in (*without.values(), *forced.values()) if found.holds)]
    best = min(known, key=lambda found: found.objective_musd)
    limit = best.objective_musd + within * abs(best.objective_musd)
    near = [found for found in known if is_within(found.objective_musd, limit)]
    best = Found({**best.record, "bound_musd": first.record["bound_musd"], "stopped": first.stopped})
    search = searched(case, limit, best, near, chosen, plans, limits, apart_gap, runner)
    every = [*known, *(plan.found for plan in search.plans)]
    knowledge = Knowledge(limit, first.bound_musd, every, without, forced)
    rows = [verdict(choice, knowledge) for choice in chosen]
    summary = _summary(case, within, knowledge, first, search, rows)
    records = {"plans": summary["plans"], "builds": _builds(search), "projects": rows}
    asked = {"verb": "alternatives", "within": within, "plans": plans, "distance_gap": apart_gap}
    return Answer("alternatives", case, LAYOUT, summary, tabulated(LAYOUT, records), manifest(case, limits, **asked))


def _best(instance: Instance, limits: Limits, executor: Executor) -> Found:
    """Return the best plan of the case; UsageError where there is none, SolverError where none was found."""
    task = Task("the cheapest plan", cheapest, {"instance": instance, "limits": limits.as_dict()})
    found = Found(executor.run([task])[0])
    if found.stopped in ("infeasible", "unbounded"):
        raise UsageError(f"{instance.name} has no cheapest plan to vary: it is {found.stopped}.")
    if not found.holds:
        raise SolverError(f"no plan of {instance.name} was found ({found.stopped}); give it more time.")
    return found


def _summary(
    instance: Instance, within: float, known: Knowledge, first: Found, search: Search, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    optimum, bound = known.optimum_musd, known.bound_musd
    gap_musd = max(optimum - bound, 0.0) if math.isfinite(bound) else None
    return {
        **about(instance),
        "within": within,
        "stopped": first.stopped,
        "optimum_musd": optimum,
        "bound_musd": bound if math.isfinite(bound) else None,
        "gap": gap_musd / abs(optimum) if gap_musd is not None and optimum else None,
        "gap_musd": gap_musd,
        "limit_musd": known.limit_musd,
        "ended": search.ended,
        "plans": [_plan_row(position + 1, plan, known) for position, plan in enumerate(search.plans)],
        "projects": rows,
    }


def _plan_row(number: int, plan: Different, known: Knowledge) -> dict[str, Any]:
    found, optimum = plan.found, known.optimum_musd
    over = found.objective_musd - optimum
    return {
        "plan": number,
        "objective_musd": found.objective_musd,
        "bound_musd": found.record["bound_musd"],
        "over_optimum_musd": over,
        "over_optimum_share": over / abs(optimum) if optimum else None,
        "over_optimum_high_musd": found.objective_musd - known.bound_musd if math.isfinite(known.bound_musd) else None,
        "stopped": found.stopped,
        "distance": plan.distance,
        "distance_bound": plan.distance_bound,
        "distance_stopped": plan.distance_stopped,
        "projects": dict(sorted(found.units.items())),
    }


def _builds(search: Search) -> list[dict[str, Any]]:
    return [{"plan": number + 1, **row} for number, plan in enumerate(search.plans) for row in plan.found.record["tables"]["builds"]]
