"""A saved plan put to the test: its investments, and its past, under each scenario; what that costs, and where and when it breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.executor import Executor
from diversify.analyses.kept_plans import GAP, loaded_plans, scenarios_of, solved_under
from diversify.analyses.regrets import minimax_proved, plan_rows, regret_of, scenario_row
from diversify.analyses.solving import Limits, Record, manifest
from diversify.analyses.stress.breaks import BREAK
from diversify.analyses.stress.cover import cover
from diversify.analyses.stress.past import reveal_of
from diversify.analyses.stress.work import arguments, solve_cell
from diversify.instance import Instance, load
from diversify.plan import Plan
from diversify.planning.stages import reveal_year_in
from diversify.planning.summary import about
from diversify.result_folder import Layout

__all__ = ["LAYOUT", "stress"]

LAYOUT: Layout = {
    "cells": (
        *("plan", "scenario", "foresight", "foresight_because", "stopped", "softened", "cost_musd", "bound_musd", "dearer_musd"),
        *("regret_musd", "regret_high_musd", "shortage_t", "shortage_beyond_t", "moved", "left_out"),
        *(f"break_{name}" for name in BREAK),
        "cover_weeks",
    ),
    "missing": ("plan", "scenario", "location", "country", "commodity", "year", "missing_t_per_year", "demand_t_per_year", "share"),
    "shares": ("plan", "scenario", "cap", "consumers", "year", "share", "limit"),
    "cover": ("plan", "commodity", "country", "stock_t", "use_t_per_year", "weeks"),
    "plans": (
        *("plan", "planned_for", "cost_musd", "hardest_scenario", "worst_scenario", "worst_regret_musd", "worst_regret_high_musd"),
        *("without_plan", "unproved", "minimax"),
    ),
    "least": ("scenario", "same_as", "stopped", "least_musd", "bound_musd", "least_by"),
    "builds": ("plan", "scenario", "project", "facility", "year", "decided_year", "units", "capacity_t_per_year", "capex_musd"),
}
"""The tables of the answer. Money is discounted million USD (``capex_musd``: overnight)."""


def stress(
    instance: Instance | str | Path,
    plans: Mapping[str, Plan | str | Path] | Sequence[str | Path] | Plan,
    *,
    scenarios: Sequence[str] | None = None,
    adapt: bool = False,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Return how each plan fares under each scenario with its investments kept, and where and when its supply breaks first.

    ``plans`` are plans by label, result folders, or one plan. ``scenarios`` names scenarios of the instance (``base``: its data as
    they are); default ``base`` and all of the same planning years whose data differ from it. Units, first-unit purchases and closures stay;
    with ``adapt`` those decided from the reveal year on are planned anew. So does what the plan did before the reveal
    year, as far as it touches later years: nobody knew. Where a scenario has other figures before that year, or there is
    none, operations are free from the start (``foresight``).

    ``regret_musd`` is the cost less the least cost known in the scenario; ``dearer_musd`` is the cost less the plan's
    in its own case; ``shortage_beyond_t`` and the break count what a place lacks beyond its shortage there. Where a scenario leaves
    a plan none (``stopped`` is infeasible) it has no cost, and shortage and break are told from a copy of the case in which
    demand that must be met may be short, and hard caps exceeded, at a price per tonne that is ten times what one can cost otherwise.

    Each scenario's own plan is solved to the relative ``gap``, by default 0.002.

    Raises UsageError for unknown scenarios, plans that hold none, an instance with a scenario in it, and ``adapt`` without a
    reveal year; InstanceError where a scenario cannot be made.
    """
    case = instance if isinstance(instance, Instance) else load(instance)
    given = loaded_plans({"plan": plans} if isinstance(plans, Plan) else plans, "stress")
    cases = scenarios_of(case, scenarios, "stress")
    if scenarios is None:
        cases = {name: each for name, each in cases.items() if each.years == case.years}
    if adapt:
        for each in cases.values():
            reveal_year_in(each)
    limits = Limits.of(case, gap=GAP if gap is None else gap, time_limit=time_limit, seed=seed)

    def work(plan: Plan, under: Instance) -> tuple[Callable[..., Record], Mapping[str, Any]]:
        return solve_cell, arguments(plan, under, adapt=adapt, limits=limits)

    found, own = solved_under(given, cases, work, limits, executor or Executor())
    standing = {name: scenario_row(name, cases, own[name], {plan: found[plan, name] for plan in given}) for name in cases}
    covers = [{"plan": name, **row} for name, plan in given.items() for row in cover(plan, reveal_of(case))]
    cells = [_cell(plan, name, given[plan], found[plan, name], standing[name], covers) for plan in given for name in cases]
    rows = [_plan_row(row, given[row["plan"]], cells) for row in plan_rows(given, cases, cells, standing)]
    summary = _summary(case, adapt, rows, cells, list(standing.values()), covers)
    tables = tabulated(LAYOUT, _tables(summary, found))
    asked = {"verb": "stress", "plans": list(given), "scenarios": list(cases), "adapt": adapt}
    return Answer("stress", case, LAYOUT, summary, tables, manifest(case, limits, **asked))


def _cell(
    plan: str, name: str, saved: Plan, record: Record, scenario: Mapping[str, Any], covers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    cost, breaks = record["objective_musd"], record["breaks"]
    return {
        "plan": plan,
        "scenario": name,
        "foresight": record["free"] is not None,
        "foresight_because": record["free"],
        "stopped": record["stopped"],
        "softened": record["softened"],
        "need_usd_per_t": record["need_usd_per_t"],
        "cost_musd": cost,
        "bound_musd": record["bound_musd"],
        "dearer_musd": None if cost is None or saved.objective_musd is None else cost - saved.objective_musd,
        **regret_of(record, scenario),
        "shortage_t": record["short_t"],
        "shortage_beyond_t": record["beyond_t"],
        "shares": record["shares"],
        "moved": record["moved"],
        "left_out": record["left_out"],
        "breaks": breaks,
        "cover_weeks": None if breaks is None else _weeks(plan, breaks, covers),
    }


def _weeks(plan: str, breaks: Mapping[str, Any], covers: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the weeks of cover of what breaks where it breaks; None where there is no stockpile."""
    place = (plan, breaks["commodity"], breaks["country"])
    return next((row["weeks"] for row in covers if (row["plan"], row["commodity"], row["country"]) == place), None)


def _plan_row(row: Mapping[str, Any], saved: Plan, cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a plan's regrets with its own cost, and the scenario that hits it hardest: leaves it no plan, most short, or dearest."""
    mine = [cell for cell in cells if cell["plan"] == row["plan"] and (cell["cost_musd"] is not None or cell["stopped"] == "infeasible")]
    hardest = max(mine, key=_hardness, default=None)
    return {**row, "cost_musd": saved.objective_musd, "hardest_scenario": None if hardest is None else hardest["scenario"]}


def _hardness(cell: Mapping[str, Any]) -> tuple[bool, float, float]:
    return cell["cost_musd"] is None, cell["shortage_beyond_t"] or 0.0, cell["cost_musd"] or 0.0


def _summary(
    case: Instance,
    adapt: bool,
    plans: Sequence[Mapping[str, Any]],
    cells: Sequence[Mapping[str, Any]],
    least: Sequence[Mapping[str, Any]],
    covers: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    minimax = [row["plan"] for row in plans if row["minimax"]]
    by_plan = {row["plan"]: {cell["scenario"]: cell["regret_musd"] for cell in cells if cell["plan"] == row["plan"]} for row in plans}
    return {
        **about(case),
        "reveal_year": reveal_of(case),
        "adapt": adapt,
        "plans": list(plans),
        "scenarios": list(cells),
        "regret_musd": by_plan,
        "least": list(least),
        "cover": list(covers),
        "minimax": minimax,
        "minimax_proved": minimax_proved(plans, cells, minimax),
    }


def _tables(summary: Mapping[str, Any], found: Mapping[tuple[str, str], Record]) -> dict[str, list[dict[str, Any]]]:
    def of_cells(name: str) -> list[dict[str, Any]]:
        return [{"plan": plan, "scenario": scenario, **row} for (plan, scenario), record in found.items() for row in record[name]]

    cells = [{**cell, **{f"break_{name}": (cell["breaks"] or {}).get(name) for name in BREAK}} for cell in summary["scenarios"]]
    plans = [{**row, "without_plan": "; ".join(row["without_plan"]), "unproved": "; ".join(row["unproved"])} for row in summary["plans"]]
    return {
        "cells": cells,
        "missing": of_cells("missing"),
        "shares": of_cells("shares_by_year"),
        "cover": summary["cover"],
        "plans": plans,
        "least": summary["least"],
        "builds": of_cells("builds"),
    }
