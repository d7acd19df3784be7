"""The tasks of the question: a plan without the cap, and the least share along the path or in one year."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from diversify.analyses.cap_path import lifted
from diversify.analyses.least_cap.aim import Aim
from diversify.analyses.least_cap.holding import held_by
from diversify.analyses.least_cap.reach import Reach, limit_shortage
from diversify.analyses.least_cap.search import Found, relaxed, whole
from diversify.analyses.solving import Limits, Record, record_of, solved
from diversify.errors import SolverError
from diversify.instance import Instance
from diversify.plan import Plan
from diversify.planning import build_model

_DIGITS = 6
"""Decimals to which a share is rounded, upwards, before a plan is made for it."""

_ROOM = (0.0, 1e-5, 1e-4)
"""What is added to a share where the plan for it fails for the last digits."""

Records = Sequence[Mapping[str, Any]]


def without_cap(instance: Instance, caps: Sequence[str], limits: Mapping[str, Any]) -> Record:
    """Solve the instance with the caps at 100 %; a task's work."""
    return record_of(solved(lifted(instance, caps), Limits(**limits)))


def lowest(
    instance: Instance,
    caps: Sequence[str],
    year: int | None,
    allowed: Records,
    start: pd.DataFrame,
    tolerance: float,
    limits: Mapping[str, Any],
) -> Record:
    """Find the least share along the path (``year`` None) or in one year, the plan for it, and what holds it; a task's work.

    ``share`` None with ``stopped`` infeasible: it is proved that no plan keeps the limits, whatever the share.
    """
    aim, own = Aim.of(instance, caps, year), Limits(**limits)
    reach = Reach.of(aim, allowed)
    part = relaxed(reach, tolerance, own)
    binding, rows = held_by(reach, part, own)
    found = part if math.isinf(part.proved_share) else whole(reach, part, start, tolerance, own)
    result: Record = {
        "year": year,
        "share": None,
        "proved_share": None if math.isinf(found.proved_share) else found.proved_share,
        "relaxed_share": part.share,
        "proved": math.isinf(found.proved_share),
        "stopped": found.stopped if not math.isinf(found.proved_share) else "infeasible",
        "binding": binding,
        "rows": rows,
        "plan": None,
    }
    if found.share is None or found.answer is None or math.isinf(found.proved_share):
        return result
    share, plan = confirmed(aim, found, allowed, own)
    proved = share - found.proved_share <= tolerance + 2.0 * 10.0**-_DIGITS
    return {**result, "share": share, "proved": proved, "plan": record_of(plan)}


def confirmed(aim: Aim, found: Found, allowed: Records, limits: Limits) -> tuple[float, Plan]:
    """Return the share, rounded up, and an audited plan of the instance with the caps at it and no more shortage than allowed.

    Along the path it is the cheapest plan, to the limits' gap; for one year it is any plan: only the share is asked for.
    Raises SolverError where the search's plan does not stand up.
    """
    assert found.share is not None and found.answer is not None
    enough = limits if aim.year is None else replace(limits, gap=1.0)
    for room in _ROOM:
        share = min(math.ceil((found.share + room) * 10**_DIGITS - 1e-3) / 10**_DIGITS, 1.0)
        case = aim.at(share)
        model = build_model(case)
        limit_shortage(model, allowed)
        plan = solved(case, enough, model=model, start=found.answer.builds)
        if plan.holds == "plan":
            return share, plan
    raise SolverError(f"the least share of {', '.join(aim.caps)} ({found.share:.6f}) could not be confirmed by a plan")
