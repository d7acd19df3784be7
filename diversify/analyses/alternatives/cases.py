"""The solves about one project each: what the cheapest plan with it, or without it, costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from diversify.analyses.alternatives.projects import Choice, Units, forbidden, forced, units_of
from diversify.analyses.executor import Executor, Task
from diversify.analyses.solving import Limits, Record, record_of, solved, table_of
from diversify.instance import Instance
from diversify.plan import Plan


@dataclass(frozen=True)
class Found:
    """The end of one solve as it was kept: the plan that it holds, if any, and what it proved."""

    record: Mapping[str, Any]

    @property
    def holds(self) -> bool:
        """Whether there is a plan."""
        return bool(self.record["holds"] == "plan")

    @property
    def stopped(self) -> str:
        """Why the solve stopped."""
        return str(self.record["stopped"])

    @property
    def objective_musd(self) -> float:
        """Cost of the plan, infinite where there is none."""
        return float(self.record["objective_musd"]) if self.holds else float("inf")

    @property
    def bound_musd(self) -> float:
        """Lower bound on the cost of any plan of the case; infinite where it is proved that there is none."""
        if self.stopped == "infeasible":
            return float("inf")
        return float("-inf") if self.record["bound_musd"] is None else float(self.record["bound_musd"])

    @cached_property
    def builds(self) -> pd.DataFrame:
        """The plan's table of that name."""
        return table_of(self.record, "builds")

    @cached_property
    def units(self) -> Units:
        """Units over the horizon by project."""
        return units_of(self.builds)


def cheapest(instance: Instance, limits: Mapping[str, Any]) -> Record:
    """Solve the case; a task's work."""
    return kept(solved(instance, Limits(**limits)))


def cheapest_with(
    instance: Instance,
    choice: Mapping[str, Any],
    built: bool,
    best_builds: pd.DataFrame,
    bound_musd: float | None,
    limits: Mapping[str, Any],
) -> Record:
    """Solve the case with one project forced or forbidden, from the best plan with that one change; a task's work.

    ``bound_musd`` is a bound of the case without the change: with it no plan is cheaper.
    """
    asked = Choice(**choice)
    changed = forced(instance, asked) if built else forbidden(instance, asked)
    start = _with_unit(best_builds, asked) if built else best_builds[best_builds["project"] != asked.project]
    return kept(solved(changed, Limits(**limits), start=start, bound_musd=bound_musd))


def kept(plan: Plan) -> Record:
    """Return what this question needs of a plan: status, cost, bound and builds."""
    record = record_of(plan)
    return {name: record[name] for name in ("stopped", "holds", "objective_musd", "bound_musd", "gap", "seconds")} | {
        "tables": {"builds": record["tables"]["builds"]}
    }


def _with_unit(builds: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """Return the builds with just enough of the project to count, in the last year that is possible, where it is paid for least."""
    row = {"project": choice.project, "facility": choice.facility, "year": choice.years[-1], "units": choice.counted}
    # Its whole overnight cost does not matter to a start but for the first unit's, which infinity says is bought.
    return pd.DataFrame([*builds.to_dict("records"), {**row, "capex_musd": float("inf")}], columns=list(builds.columns))


def examined(
    instance: Instance, best: Found, chosen: list[Choice], limits: Limits, executor: Executor
) -> tuple[dict[str, Found], dict[str, Found]]:
    """Return, by project, the cheapest plan without it (of what the best plan builds) and with it (of the others).

    A project on which the data leave no choice is in neither.
    """
    asked = {choice: not choice.is_in(best.units) for choice in chosen if choice.open}
    same = {"instance": instance, "best_builds": best.builds, "bound_musd": best.record["bound_musd"], "limits": limits.as_dict()}
    tasks = [
        Task(f"{choice.project} {'built' if built else 'left out'}", cheapest_with, {**same, "choice": asdict(choice), "built": built})
        for choice, built in asked.items()
    ]
    found = dict(zip(asked, map(Found, executor.run(tasks)), strict=True))
    without, built_anyway = ({choice.project: found[choice] for choice in asked if asked[choice] is built} for built in (False, True))
    return without, built_anyway
