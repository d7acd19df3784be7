"""Plan i under the data of scenario j: what investments decided for one future cost in another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.executor import Executor
from diversify.analyses.kept_plans import BASE, GAP, builds_for, loaded_plans, placed_years, scenarios_of, solved_under, told
from diversify.analyses.regrets import minimax_proved, plan_rows, regret_of, scenario_row
from diversify.analyses.solving import Limits, Record, manifest, solved
from diversify.errors import UsageError
from diversify.instance import Instance, load
from diversify.network.ground import records
from diversify.plan import Plan
from diversify.planning.summary import about
from diversify.result_folder import Layout

__all__ = ["BASE", "LAYOUT", "regret"]

LAYOUT: Layout = {
    "cells": (
        *("plan", "scenario", "stopped", "cost_musd", "bound_musd", "regret_musd", "regret_high_musd"),
        *("shortage_t", "moved", "left_out"),
    ),
    "plans": (
        *("plan", "planned_for", "worst_scenario", "worst_regret_musd", "worst_regret_high_musd", "without_plan", "unproved"),
        "minimax",
    ),
    "scenarios": ("scenario", "same_as", "stopped", "least_musd", "bound_musd", "least_by"),
    "shares": ("plan", "scenario", "cap", "consumers", "year", "share", "limit"),
}
"""The tables of the answer. Money is discounted million USD."""


def regret(
    plans: Mapping[str, Plan | str | Path] | Sequence[str | Path],
    *,
    scenarios: Sequence[str] | Mapping[str, Instance] | None = None,
    instance: Instance | str | Path | None = None,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Return what the investments of each plan cost under the data of each scenario, operations planned anew, and the regrets.

    ``plans`` are plans by label, or result folders. ``scenarios`` names scenarios of ``instance`` (``base``: its data as they
    are), or maps names to instances; default ``base`` and all scenarios whose data differ from it. ``instance`` is by
    default that of the first plan, which must then not have been planned under a scenario.

    The regret of a plan in a scenario is its cost less the least cost there, which lies between ``bound_musd`` and ``least_musd`` of
    the scenario (the cheaper of its own plan, with investments free, and the plans given): so between ``regret_musd`` and
    ``regret_high_musd``. Units that cannot come on line in their year come in the next possible year (``moved``), or
    not at all (``left_out``; both count rows of the plan's builds). A plan whose investments leave no plan in a scenario has no cost there.

    Each scenario's own plan is solved to the relative ``gap``, by default 0.002.

    Raises UsageError for unknown scenarios, plans that hold none, and where the data without a scenario are not known;
    InstanceError where a scenario cannot be made.
    """
    given = loaded_plans(plans, "regret")
    case, cases = _cases(given, scenarios, instance)
    limits = Limits.of(case, gap=GAP if gap is None else gap, time_limit=time_limit, seed=seed)

    def work(plan: Plan, under: Instance) -> tuple[Callable[..., Record], Mapping[str, Any]]:
        return solve_cell, {"instance": under, "builds": builds_for(plan, under), "limits": limits.as_dict()}

    found, own = solved_under(given, cases, work, limits, executor or Executor())
    standing = {name: scenario_row(name, cases, own[name], {plan: found[plan, name] for plan in given}) for name in cases}
    cells = [_cell(plan, name, found[plan, name], standing[name]) for plan in given for name in cases]
    rows = plan_rows(given, cases, cells, standing)
    summary = _summary(case, rows, cells, list(standing.values()))
    shares = [{"plan": plan, "scenario": name, **row} for plan in given for name in cases for row in found[plan, name]["shares_by_year"]]
    listed = [{**row, "without_plan": "; ".join(row["without_plan"]), "unproved": "; ".join(row["unproved"])} for row in rows]
    tables = tabulated(LAYOUT, {"cells": cells, "plans": listed, "scenarios": list(standing.values()), "shares": shares})
    asked = {"verb": "regret", "plans": list(given), "scenarios": list(cases)}
    return Answer("regret", case, LAYOUT, summary, tables, manifest(case, limits, **asked))


def _cases(
    plans: Mapping[str, Plan], scenarios: Sequence[str] | Mapping[str, Instance] | None, instance: Instance | str | Path | None
) -> tuple[Instance, dict[str, Instance]]:
    """Return the case without a scenario (of a mapping: its first instance) and the instance of every scenario."""
    if isinstance(scenarios, Mapping):
        if not scenarios:
            raise UsageError("regret needs a scenario or more.")
        return next(iter(scenarios.values())), dict(scenarios)
    given = _unchanged(plans) if instance is None else instance
    case = given if isinstance(given, Instance) else load(given)
    return case, scenarios_of(case, scenarios, "regret")


def _unchanged(plans: Mapping[str, Plan]) -> Instance:
    """Return the first plan's data, which must be free of any scenario: what a scenario has changed cannot be changed back."""
    name, plan = next(iter(plans.items()))
    scenario = plan.instance.applied[0] or plan.summary.get("scenario")
    if scenario is not None:
        raise UsageError(
            f"{name} was planned under the scenario {scenario!r}, and its folder holds the data with that scenario's changes made. "
            "Give the data without a scenario with --instance, or a plan made without one first."
        )
    return plan.instance


def solve_cell(instance: Instance, builds: pd.DataFrame, limits: Mapping[str, Any]) -> Record:
    """Return what the investments of another plan cost under an instance's data, operations planned anew. Work of a task."""
    placed = placed_years(instance, builds)
    plan = solved(instance, Limits(**limits), builds=builds)
    moved = sum(year is not None and year != int(row["year"]) for year, row in zip(placed, records(builds), strict=True))
    return {**told(plan), "moved": moved, "left_out": sum(year is None for year in placed)}


def _cell(plan: str, name: str, record: Record, scenario: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "plan": plan,
        "scenario": name,
        "stopped": record["stopped"],
        "cost_musd": record["objective_musd"],
        "bound_musd": record["bound_musd"],
        **regret_of(record, scenario),
        "shortage_t": record["shortage_t"] if record["holds"] == "plan" else None,
        "shares": record["shares"],
        "moved": record["moved"],
        "left_out": record["left_out"],
    }


def _summary(
    case: Instance, plans: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]], scenarios: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    minimax = [row["plan"] for row in plans if row["minimax"]]
    return {
        **about(case),
        "plans": list(plans),
        "scenarios": list(scenarios),
        "cells": list(cells),
        "minimax": minimax,
        "minimax_proved": minimax_proved(plans, cells, minimax),
    }
