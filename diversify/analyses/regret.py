"""Plan i under the data of scenario j: what investments decided for one future cost in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.executor import Executor, Task
from diversify.analyses.mean_shares import mean_shares
from diversify.analyses.solving import Limits, Record, manifest, rows_of, solved
from diversify.errors import UsageError
from diversify.instance import Instance, load
from diversify.network import Network
from diversify.network.ground import records
from diversify.plan import TABLES, Plan
from diversify.planning.summary import about
from diversify.result_folder import Layout

__all__ = ["BASE", "LAYOUT", "regret"]

BASE = "base"
"""Name of the data without any scenario."""

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

_GAP = 0.002
"""Relative gap of the scenarios' own plans where none is given: a regret is known no better than the least cost."""

_OWN = "planned for it"
"""In ``least_by``: the scenario's own plan, whose investments were free."""


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
    given = _loaded(plans)
    case, cases = _cases(given, scenarios, instance)
    limits = Limits.of(case, gap=_GAP if gap is None else gap, time_limit=time_limit, seed=seed)
    found, own = _solved(given, cases, limits, executor or Executor())
    standing = {name: _scenario_row(name, cases, own[name], {plan: found[plan, name] for plan in given}) for name in cases}
    cells = [_cell(plan, name, found[plan, name], standing[name]) for plan in given for name in cases]
    rows = _plan_rows(given, cases, cells, standing)
    summary = _summary(case, rows, cells, list(standing.values()))
    shares = [{"plan": plan, "scenario": name, **row} for plan in given for name in cases for row in found[plan, name]["shares_by_year"]]
    listed = [{**row, "without_plan": "; ".join(row["without_plan"]), "unproved": "; ".join(row["unproved"])} for row in rows]
    tables = tabulated(LAYOUT, {"cells": cells, "plans": listed, "scenarios": list(standing.values()), "shares": shares})
    asked = {"verb": "regret", "plans": list(given), "scenarios": list(cases)}
    return Answer("regret", case, LAYOUT, summary, tables, manifest(case, limits, **asked))


def _loaded(plans: Mapping[str, Plan | str | Path] | Sequence[str | Path]) -> dict[str, Plan]:
    named = dict(plans) if isinstance(plans, Mapping) else {str(folder): folder for folder in plans}
    if not named or len(named) < len(plans):
        raise UsageError("regret needs a plan or more, each once.")
    loaded = {name: each if isinstance(each, Plan) else Plan.load(each) for name, each in named.items()}
    for name, plan in loaded.items():
        if plan.holds != "plan":
            raise UsageError(f"{name} holds no plan: its solve ended {plan.stopped}.")
    return loaded


def _cases(
    plans: Mapping[str, Plan], scenarios: Sequence[str] | Mapping[str, Instance] | None, instance: Instance | str | Path | None
) -> tuple[Instance, dict[str, Instance]]:
    """Return the case without a scenario (of a mapping: its first instance) and the instance of every scenario."""
    if isinstance(scenarios, Mapping):
        if not scenarios:
            raise UsageError("regret needs a scenario or more.")
        return next(iter(scenarios.values())), dict(scenarios)
    if instance is not None:
        case = instance if isinstance(instance, Instance) else load(instance)
        if case.applied[0] is not None:
            raise UsageError(f"The instance has the scenario {case.applied[0]!r} in it already. Give it as it is without one.")
    else:
        case = _unchanged(plans)
    if scenarios is None:
        every = {name: case if name == BASE else case.scenario(name) for name in [BASE, *_names(case)]}
        return case, {name: each for name, each in every.items() if name == BASE or each.content_hash != case.content_hash}
    if not scenarios or len(set(scenarios)) < len(scenarios):
        raise UsageError("regret needs a scenario or more, each once.")
    return case, {name: case if name == BASE and BASE not in _names(case) else case.scenario(name) for name in scenarios}


def _names(case: Instance) -> list[str]:
    return [name for name in map(str, case.table("scenarios")["scenario"]) if name != BASE]


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
    online = Network.of(instance)
    years = online.decoded(online.plants.online[["project", "year"]])
    placed = [_next_year(years, row) for row in records(builds)]
    plan = solved(instance, Limits(**limits), builds=builds)
    moved = sum(year is not None and year != int(row["year"]) for year, row in zip(placed, records(builds), strict=True))
    return {**_record(plan), "moved": moved, "left_out": sum(year is None for year in placed)}


def _next_year(online: pd.DataFrame, row: Mapping[str, Any]) -> int | None:
    """Return the year in which a build comes on line in another case, None where it cannot."""
    later = online.loc[(online["project"] == row["project"]) & (online["year"] >= int(row["year"])), "year"]
    return int(later.min()) if len(later) else None


def solve_freely(instance: Instance, limits: Mapping[str, Any], start: pd.DataFrame | None) -> Record:
    """Return the least-cost plan of an instance, from what another plan builds. Work of a task."""
    plan = solved(instance, Limits(**limits), start=start)
    return {**_record(plan), "builds": rows_of(plan.builds)}


def _record(plan: Plan) -> Record:
    told = {name: plan.summary[name] for name in ("stopped", "holds", "objective_musd", "bound_musd", "shortage_t")}
    shares = plan.shares[["cap", "consumers", "year", "share", "limit"]]
    by_year = [{str(name): value for name, value in row.items()} for row in shares.to_dict("records")]
    return {**told, "shares": mean_shares(plan.instance, shares), "shares_by_year": by_year}


def _solved(
    plans: Mapping[str, Plan], cases: Mapping[str, Instance], limits: Limits, executor: Executor
) -> tuple[dict[tuple[str, str], Record], dict[str, Record]]:
    """Return the record of every plan under every scenario, and of every scenario's own plan; equal data are solved once."""
    wanted = {(plan, name): (plan, case.content_hash) for plan in plans for name, case in cases.items()}
    by_hash = {case.content_hash: (name, case) for name, case in reversed(list(cases.items()))}
    cells = list(dict.fromkeys(wanted.values()))
    told = limits.as_dict()
    tasks = [
        Task(
            f"{plan} under {by_hash[data][0]}",
            solve_cell,
            {"instance": by_hash[data][1], "builds": builds_for(plans[plan], by_hash[data][1]), "limits": told},
        )
        for plan, data in cells
    ]
    done = dict(zip(cells, executor.run(tasks), strict=True))
    starts = {data: _start(plans, {plan: done[plan, data] for plan in plans}, case) for data, (_, case) in by_hash.items()}
    again = [
        Task(f"{name} itself", solve_freely, {"instance": case, "limits": told, "start": starts[data]})
        for data, (name, case) in by_hash.items()
    ]
    own = dict(zip(by_hash, executor.run(again), strict=True))
    return {pair: done[cell] for pair, cell in wanted.items()}, {name: own[case.content_hash] for name, case in cases.items()}


def _start(plans: Mapping[str, Plan], found: Mapping[str, Record], case: Instance) -> pd.DataFrame | None:
    """Return what the plan builds that is cheapest under a case; None where none can be run there."""
    costs = {plan: record["objective_musd"] for plan, record in found.items() if record["objective_musd"] is not None}
    return builds_for(plans[min(costs, key=lambda plan: costs[plan])], case) if costs else None


def builds_for(plan: Plan, case: Instance) -> pd.DataFrame:
    """Return a plan's table ``builds`` with capital cost as the case has it.

    The first unit's cost was paid in a row where the plan's own data say so; the case's data may price both otherwise.
    """
    ours, theirs = _capital(plan.instance), _capital(case)
    rows = []
    for row in records(plan.builds):
        each, first = ours[str(row["project"])]
        bought = first > 0.0 and float(row["capex_musd"]) > float(row["units"]) * each + 0.5 * first
        each, first = theirs.get(str(row["project"]), (each, first))
        rows.append({**row, "capex_musd": float(row["units"]) * each + (first if bought else 0.0)})
    return pd.DataFrame(rows, columns=list(TABLES["builds"]))


def _capital(case: Instance) -> dict[str, tuple[float, float]]:
    """Return overnight capital cost of a unit (a t/yr of any-size projects) and of the first one, million USD."""
    found = {}
    for row in records(case.table("projects").astype(object)):
        size = 1.0 if pd.isna(row["unit_t_per_year"]) else float(row["unit_t_per_year"])
        by_size = 0.0 if pd.isna(row["capex_usd_per_t_year"]) else float(row["capex_usd_per_t_year"]) * size / 1e6
        each = by_size if pd.isna(row["capex_unit_musd"]) else float(row["capex_unit_musd"])
        found[str(row["project"])] = (each, 0.0 if pd.isna(row["capex_first_musd"]) else float(row["capex_first_musd"]))
    return found


def _scenario_row(name: str, cases: Mapping[str, Instance], own: Record, found: Mapping[str, Record]) -> dict[str, Any]:
    """Return the least cost known in a scenario, whose it is, and how low it could be."""
    costs = {plan: record["objective_musd"] for plan, record in {_OWN: own, **found}.items() if record["objective_musd"] is not None}
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


def _cell(plan: str, name: str, record: Record, scenario: Mapping[str, Any]) -> dict[str, Any]:
    cost, least, bound = record["objective_musd"], scenario["least_musd"], scenario["bound_musd"]
    return {
        "plan": plan,
        "scenario": name,
        "stopped": record["stopped"],
        "cost_musd": cost,
        "bound_musd": record["bound_musd"],
        "regret_musd": None if cost is None else cost - least,
        "regret_high_musd": None if cost is None or bound is None else max(cost - bound, cost - least),
        "shortage_t": record["shortage_t"] if record["holds"] == "plan" else None,
        "shares": record["shares"],
        "moved": record["moved"],
        "left_out": record["left_out"],
    }


def _plan_rows(
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
        "minimax_proved": _proved(plans, cells, minimax),
    }


def _proved(plans: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]], minimax: Sequence[str]) -> bool:
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
