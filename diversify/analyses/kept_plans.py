"""Saved plans in other futures: which plans and scenarios, what a plan builds as another case has it, and what is solved of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from diversify.analyses.executor import Executor, Task
from diversify.analyses.mean_shares import mean_shares
from diversify.analyses.solving import Limits, Record, rows_of, solved
from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.network import Network
from diversify.network.ground import records
from diversify.plan import TABLES, Plan

BASE = "base"
"""Name of the data without any scenario."""

GAP = 0.002
"""Relative gap of the scenarios' own plans where none is given: a regret is known no better than the least cost."""


def loaded_plans(plans: Mapping[str, Plan | str | Path] | Sequence[str | Path], verb: str) -> dict[str, Plan]:
    """Return plans by label, read where they are folders. UsageError, in the name of the verb, where one holds no plan."""
    named = dict(plans) if isinstance(plans, Mapping) else {str(folder): folder for folder in plans}
    if not named or len(named) < len(plans):
        raise UsageError(f"{verb} needs a plan or more, each once.")
    loaded = {name: each if isinstance(each, Plan) else Plan.load(each) for name, each in named.items()}
    for name, plan in loaded.items():
        if plan.holds != "plan":
            raise UsageError(f"{name} holds no plan: its solve ended {plan.stopped}.")
    return loaded


def scenarios_of(case: Instance, names: Sequence[str] | None, verb: str) -> dict[str, Instance]:
    """Return the case under each of its scenarios that is named; by default as it is and under all whose data differ.

    Raises UsageError where the case has a scenario in it already, one is unknown or named twice.
    """
    if case.applied[0] is not None:
        raise UsageError(f"The instance has the scenario {case.applied[0]!r} in it already. Give it as it is without one.")
    own = [str(name) for name in case.table("scenarios")["scenario"] if name != BASE]
    if names is None:
        every = {name: case if name == BASE else case.scenario(name) for name in [BASE, *own]}
        return {name: each for name, each in every.items() if name == BASE or each.content_hash != case.content_hash}
    if not names or len(set(names)) < len(names):
        raise UsageError(f"{verb} needs a scenario or more, each once.")
    return {name: case if name == BASE and BASE not in own else case.scenario(name) for name in names}


def placed_years(instance: Instance, builds: pd.DataFrame) -> list[int | None]:
    """Return the year in which each of a plan's builds comes on line in another case (the next possible), None where it cannot."""
    network = Network.of(instance)
    online = network.decoded(network.plants.online[["project", "year"]])
    return [_next_year(online, row) for row in records(builds)]


def _next_year(online: pd.DataFrame, row: Mapping[str, Any]) -> int | None:
    later = online.loc[(online["project"] == row["project"]) & (online["year"] >= int(row["year"])), "year"]
    return int(later.min()) if len(later) else None


def solve_freely(instance: Instance, limits: Mapping[str, Any], start: pd.DataFrame | None) -> Record:
    """Return the least-cost plan of an instance, from what another plan builds. Work of a task."""
    plan = solved(instance, Limits(**limits), start=start)
    return {**told(plan), "builds": rows_of(plan.builds)}


def told(plan: Plan) -> Record:
    """Return of a plan what is judged: how its solve ended, cost, bound, shortage over the horizon and the shares that caps limit."""
    said = {name: plan.summary[name] for name in ("stopped", "holds", "objective_musd", "bound_musd", "shortage_t")}
    shares = plan.shares[["cap", "consumers", "year", "share", "limit"]]
    by_year = [{str(name): value for name, value in row.items()} for row in shares.to_dict("records")]
    return {**said, "shares": mean_shares(plan.instance, shares), "shares_by_year": by_year}


def solved_under(
    plans: Mapping[str, Plan],
    cases: Mapping[str, Instance],
    asked: Callable[[Plan, Instance], tuple[Callable[..., Record], Mapping[str, Any]]],
    limits: Limits,
    executor: Executor,
) -> tuple[dict[tuple[str, str], Record], dict[str, Record]]:
    """Return the record of every plan under every scenario, and of every scenario's own plan; equal data are solved once.

    ``asked`` says which work, with which arguments, tells how a plan fares in a case.
    """
    wanted = {(plan, name): (plan, case.content_hash) for plan in plans for name, case in cases.items()}
    by_hash = {case.content_hash: (name, case) for name, case in reversed(list(cases.items()))}
    cells = list(dict.fromkeys(wanted.values()))
    tasks = [Task(f"{plan} under {by_hash[data][0]}", *asked(plans[plan], by_hash[data][1])) for plan, data in cells]
    done = dict(zip(cells, executor.run(tasks), strict=True))
    starts = {data: _start(plans, {plan: done[plan, data] for plan in plans}, case) for data, (_, case) in by_hash.items()}
    again = [
        Task(f"{name} itself", solve_freely, {"instance": case, "limits": limits.as_dict(), "start": starts[data]})
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
