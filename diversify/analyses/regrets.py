"""Regrets from costs: the least cost known of each scenario, each plan's worst regret, and whose is least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from diversify.analyses.solving import Record
from diversify.instance import Instance
from diversify.plan import Plan

OWN = "planned for it"
"""In ``least_by``: the scenario's own plan, whose investments were free."""


def scenario_row(name: str, cases: Mapping[str, Instance], own: Record, found: Mapping[str, Record]) -> dict[str, Any]:
    """Return the least cost known in a scenario, whose it is, and how low it could be."""
    costs = {plan: record["objective_musd"] for plan, record in {OWN: own, **found}.items() if record["objective_musd"] is not None}
    least_by = min(costs, key=lambda plan: costs[plan], default=None)
    same = next(each for each, case in cases.items() if case.content_hash == cases[name].content_hash)
    return {
        "scenario": name,
        "same_as": None if same == name else same,
        "stopped": own["stopped"],
        "least_musd": None if least_by is None else costs[least_by],
        "bound_musd": own["bound_musd"],
        "least_by": least_by,
    }


def regret_of(record: Record, scenario: Mapping[str, Any]) -> dict[str, float | None]:
    """Return a plan's regret in a scenario (its row) and how large it could be; None where it has no cost or nothing is proved."""
    cost, least, bound = record["objective_musd"], scenario["least_musd"], scenario["bound_musd"]
    return {
        "regret_musd": None if cost is None else cost - least,
        "regret_high_musd": None if cost is None or bound is None else max(cost - bound, cost - least),
    }


def plan_rows(
    plans: Mapping[str, Plan], cases: Mapping[str, Instance], cells: Sequence[Mapping[str, Any]], standing: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return each plan's worst regret over the scenarios that have a plan at all, and which plan's is least."""
    judged = {name for name, row in standing.items() if row["stopped"] != "infeasible"}
    rows = [
        _plan_row(name, plan, cases, [cell for cell in cells if cell["plan"] == name and cell["scenario"] in judged])
        for name, plan in plans.items()
    ]
    least = min((row["worst_regret_musd"] for row in rows if row["worst_regret_musd"] is not None), default=None)
    for row in rows:
        row["minimax"] = least is not None and row["worst_regret_musd"] == least
    return rows


def _plan_row(name: str, plan: Plan, cases: Mapping[str, Instance], cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    without = [cell["scenario"] for cell in cells if cell["stopped"] == "infeasible"]
    unproved = [cell["scenario"] for cell in cells if cell["cost_musd"] is None and cell["stopped"] != "infeasible"]
    known = bool(cells) and not without and not unproved
    worst = max(cells, key=lambda cell: cell["regret_musd"]) if known else None
    highs = [cell["regret_high_musd"] for cell in cells]
    return {
        "plan": name,
        "planned_for": next((each for each, case in cases.items() if case.content_hash == plan.instance.content_hash), None),
        "worst_scenario": worst["scenario"] if worst else None,
        "worst_regret_musd": worst["regret_musd"] if worst else None,
        "worst_regret_high_musd": max(highs) if known and None not in highs else None,
        "without_plan": without,
        "unproved": unproved,
    }


def minimax_proved(plans: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]], minimax: Sequence[str]) -> bool:
    """Return whether no other plan's worst regret can be less, whatever the least costs are within their bands.

    It cannot be less than a plan's whose cost in each scenario is no more than the other's there, or leaves a regret no more than
    the other's worst for sure.
    """
    if len(minimax) != 1:
        return False
    ours = [cell for cell in cells if cell["plan"] == minimax[0] and cell["cost_musd"] is not None]
    costs = {(cell["plan"], cell["scenario"]): cell["cost_musd"] for cell in cells}

    def within(cell: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        cost, high = costs[other["plan"], cell["scenario"]], cell["regret_high_musd"]
        no_dearer = cost is not None and cell["cost_musd"] <= cost
        return no_dearer or (high is not None and other["worst_regret_musd"] is not None and high <= other["worst_regret_musd"])

    others = [row for row in plans if row["plan"] != minimax[0] and not row["without_plan"]]
    return all(within(cell, other) for cell in ours for other in others)
