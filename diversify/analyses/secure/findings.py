"""What the answer of ``secure`` tells: points of the curve, and how each loss is survived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diversify.analyses.secure.search import Fate, Secured
from diversify.analyses.solving import Record
from diversify.instance import Instance
from diversify.planning.security import Security
from diversify.planning.summary import about
from diversify.result_folder import Layout

LAYOUT: Layout = {
    "points": (
        *("within", "stopped", "cost_musd", "bound_musd", "security_musd", "security_low_musd", "security_high_musd"),
        *("joined", "without_plan", "losses", "rounds"),
    ),
    "contingencies": (
        *("contingency", "kind", "size", "changes", "missed", "first_year", "consumers", "commodity", "missed_t_per_year"),
        *("missed_share", "binds", "cost_musd", "shortage_t"),
    ),
    "costs": ("within", "category", "musd"),
    "builds": (
        *("within", "project", "facility", "year", "decided_year", "units", "capacity_t_per_year", "capex_musd", "source", "quality"),
    ),
}
"""The tables of the answer. Money is discounted million USD. In ``costs`` and ``builds`` a blank ``within`` is the least-cost plan;
``missed`` is how that plan fares under a loss, parts of yearly demands summed, and what follows the most missed in the first year of that;
``cost_musd`` and ``shortage_t`` are of the secure plan under the loss."""


def point(least: Record, secured: Secured) -> dict[str, Any]:
    """Return one point of the curve: what security costs more than the least cost, between what is proved."""
    cost = None if secured.base is None else secured.base["objective_musd"]
    bound, low, best, high = secured.bound_musd, None, None, None
    if cost is not None:
        best = max(cost - least["objective_musd"], 0.0)
        high = None if least["bound_musd"] is None else max(cost - least["bound_musd"], 0.0)
        low = None if bound is None else max(bound - least["objective_musd"], 0.0)
    return {
        "within": secured.security.share,
        "stopped": secured.stopped,
        "cost_musd": cost,
        "bound_musd": bound,
        "security_musd": best,
        "security_low_musd": low,
        "security_high_musd": high,
        "joined": list(secured.joined),
        "without_plan": list(secured.hopeless),
        "losses": secured.losses,
        "rounds": secured.rounds,
    }


def told(
    case: Instance, security: Security, least: Record, points: Sequence[Secured], fates: Sequence[Fate]
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return summary and records of the tables."""
    rows, losses = [point(least, secured) for secured in points], [_loss(fate) for fate in fates]
    summary = {
        **about(case),
        "stopped": least["stopped"],
        "holds": least.get("holds", "none"),
        "reveal_year": int(case.meta["reveal_year"]),
        "commodities": list(security.commodities),
        "consumers": list(security.consumers),
        "years": security.years,
        "least_musd": least["objective_musd"],
        "least_bound_musd": least["bound_musd"],
        "points": rows,
        "contingencies": losses,
    }
    plans = [(None, least), *((secured.security.share, secured.base) for secured in points)]
    kept = [(level, record) for level, record in plans if record is not None and record.get("holds") == "plan"]
    builds = [{"within": level, **row} for level, record in kept for row in record["tables"]["builds"]]
    costs = [{"within": level, "category": name, "musd": musd} for level, record in kept for name, musd in record["cost_musd"].items()]
    return summary, {"points": rows, "contingencies": losses, "costs": costs, "builds": builds}


def _loss(fate: Fate) -> dict[str, Any]:
    """Return a row about one loss."""
    first = fate.fares["where"][0] if fate.fares["where"] else {}
    return {
        "contingency": fate.loss.name,
        "kind": fate.loss.kind,
        "size": fate.loss.size,
        "changes": list(fate.loss.changes),
        "missed": fate.fares["missed"],
        "first_year": first.get("year"),
        "consumers": first.get("consumers"),
        "commodity": first.get("commodity"),
        "missed_t_per_year": first.get("missed_t_per_year"),
        "missed_share": first.get("share"),
        "binds": fate.binds,
        "cost_musd": None if fate.plan is None else fate.plan["objective_musd"],
        "shortage_t": None if fate.plan is None else fate.plan["shortage_t"],
    }
