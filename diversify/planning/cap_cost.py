"""What the caps cost: the same case solved without them, and the band in which the difference lies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from diversify.instance import Instance
from diversify.plan import Plan
from diversify.planning import Progress, solve

_SHARE_OF_TIME = 0.2
"""Time given to the case without caps, as a part of the time limit of the case itself."""


def cap_cost(
    plan: Plan, *, gap: float | None = None, time_limit: float | None = None, progress: Callable[[Progress], None] | None = None
) -> dict[str, Any] | None:
    """Return what the caps of a plan's instance cost; None where the instance has none or the plan holds none.

    The case without caps is solved to the same ``gap`` in a ``time_limit`` (seconds; default a fifth of the plan's own).
    Both solves leave a gap, so the cost is a band: ``low`` = bound with caps less plan without, ``high`` = plan with
    caps less bound without, in discounted million USD, neither below zero (caps cannot lower the least cost);
    ``low_share`` and ``high_share`` relate them to the plan without caps. ``objective_musd``, ``bound_musd``,
    ``gap``, ``stopped`` and ``shares`` (cap, consumers, year, basis, share, pro_rata_share) tell of the case without caps;
    ``share`` of a traced cap then counts the last step and owners only, ``pro_rata_share`` the chain back to the mine.
    """
    if plan.holds != "plan" or plan.instance.table("caps").empty:
        return None
    options = plan.manifest["options"]
    free = solve(
        without_caps(plan.instance),
        solver=options["solver"],
        gap=options["gap"] if gap is None else gap,
        time_limit=_SHARE_OF_TIME * options["time_limit_s"] if time_limit is None else time_limit,
        threads=options["threads"],
        seed=options["seed"],
        progress=progress,
    )
    return {**_band(plan, free), "stopped": free.stopped, "shares": _shares(plan.instance, free)}


def without_caps(instance: Instance) -> Instance:
    """Return the instance with every cap at 100 % of its last step: no limit at all, but the shares are still computed.

    Tracing is dropped with the limits, since it only serves them; that keeps the model small.
    """
    caps = instance.table("caps")
    traced = caps["basis"] == "traced"
    return instance.replace(caps=caps.assign(share=1.0, excess_usd_per_t=float("nan"), basis=caps["basis"].mask(traced, "owned")))


def _band(plan: Plan, free: Plan) -> dict[str, float | None]:
    low = high = low_share = high_share = None
    if plan.objective_musd is not None and free.bound_musd is not None:
        high = max(plan.objective_musd - free.bound_musd, 0.0)
    if plan.bound_musd is not None and free.objective_musd is not None:
        low = max(plan.bound_musd - free.objective_musd, 0.0)
    if low is not None and high is not None and free.objective_musd and free.objective_musd > 0:
        low_share, high_share = low / free.objective_musd, high / free.objective_musd
    return {
        "low": low,
        "high": high,
        "low_share": low_share,
        "high_share": high_share,
        "objective_musd": free.objective_musd,
        "bound_musd": free.bound_musd,
        "gap": free.gap,
    }


def _shares(instance: Instance, free: Plan) -> list[dict[str, Any]]:
    basis = instance.table("caps").drop_duplicates("cap").set_index("cap")["basis"]
    return [
        {
            "cap": row["cap"],
            "consumers": row["consumers"],
            "year": int(row["year"]),
            "basis": basis[row["cap"]],
            "share": float(row["share"]),
            "pro_rata_share": None if pd.isna(row["pro_rata_share"]) else float(row["pro_rata_share"]),
        }
        for row in free.shares.to_dict("records")
    ]
