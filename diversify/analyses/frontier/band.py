"""A band around the least cost at many points that are nested: points share plans and bounds, and solve only what is still open.

A plan for a tighter point is a plan for a looser one, so its cost is a cost there; what is proved of a looser point (a bound, or
that it has no plan) holds for a tighter one. Carried over all points, costs and bounds never fall as the caps tighten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyomo.core as pyo

from diversify.analyses.executor import Executor, Task
from diversify.analyses.frontier.spots import Question, Spot
from diversify.analyses.solving import Limits, Record, record_of, solved, table_of
from diversify.errors import SolverError
from diversify.instance import Instance
from diversify.network.ground import Years
from diversify.planning import build_model

_ROUNDING = 1e-9
"""Part of the cost that is the solver's own exactness."""

_CONTRADICTION = 1e-5
"""Part of the cost by which a bound may lie above a plan's cost before something must be wrong."""

_KEPT = ("builds", "shares")


@dataclass(frozen=True)
class Result:
    """What is known of a point: why its solve stopped, cost and bound (million USD), and the plan and where it was found."""

    spot: Spot
    stopped: str
    objective_musd: float | None
    bound_musd: float | None
    record: Record | None
    plan_of: Spot | None

    @property
    def gap_musd(self) -> float | None:
        """Cost less bound; None where either is missing."""
        if self.objective_musd is None or self.bound_musd is None:
            return None
        return self.objective_musd - self.bound_musd

    @property
    def gap(self) -> float | None:
        """Cost less bound, relative to the cost."""
        if self.gap_musd is None or not self.objective_musd:
            return None if self.gap_musd is None else 0.0 if self.gap_musd == 0.0 else None
        return self.gap_musd / abs(self.objective_musd)


@dataclass
class Band:
    """Solves points of a question in the order that it is told, and says what is known of any point."""

    question: Question
    executor: Executor
    found: list[tuple[Spot, Record]] = field(default_factory=list)

    def solve(self, spots: Sequence[Spot], limits: Mapping[Spot, Limits]) -> None:
        """Solve the points that are still open, independently of each other, each to its limits, from what earlier calls found."""
        asked = [spot for spot in spots if self._open(spot, limits[spot])]
        records = self.executor.run([self._task(spot, limits[spot]) for spot in asked])
        self.found.extend(zip(asked, records, strict=True))

    def at(self, spot: Spot) -> Result:
        """Return what is known of a point. Raises SolverError where a bound contradicts a plan."""
        own = [record["stopped"] for at, record in self.found if at == spot]
        best = self._plan(spot)
        if self._impossible(spot):
            if best is not None:
                raise SolverError(f"{spot} was found infeasible, but the plan for {best[0]} is a plan for it")
            return Result(spot, "infeasible", None, None, None, None)
        bounds = [record["bound_musd"] for at, record in self.found if record["bound_musd"] is not None and self.question.tighter(spot, at)]
        bound = max(bounds, default=None)
        if best is None:
            return Result(spot, own[-1] if own else "unknown", None, bound, None, None)
        source, record = best
        cost = float(record["objective_musd"])
        if bound is not None and bound > cost + _CONTRADICTION * max(abs(cost), 1.0):
            raise SolverError(f"a plan for {source} costs {cost:.6f} million USD, but {bound:.6f} was proved to be the least for {spot}")
        return Result(spot, own[-1] if own else "optimal", cost, None if bound is None else min(bound, cost), record, source)

    def _plan(self, spot: Spot) -> tuple[Spot, Record] | None:
        """Return the cheapest plan found for a point, its own first among equals, then that of the nearest point."""
        plans = [(at, record) for at, record in self.found if record["holds"] == "plan" and self.question.keeps(at, record, spot)]
        return min(plans, key=lambda plan: (plan[1]["objective_musd"], plan[0] != spot, -plan[0].share, plan[0].limit), default=None)

    def _impossible(self, spot: Spot) -> bool:
        return any(record["stopped"] == "infeasible" and self.question.tighter(spot, at) for at, record in self.found)

    def _open(self, spot: Spot, limits: Limits) -> bool:
        """Return whether a point needs a solve: its band is wider than asked, and no solve of it ran into its limit of time."""
        result = self.at(spot)
        if result.stopped in ("infeasible", "unbounded", "time_limit", "error"):
            return False
        if result.gap_musd is None or result.objective_musd is None:
            return True
        size = abs(result.objective_musd)
        return result.gap_musd > max(limits.gap_musd, limits.gap * size, _ROUNDING * size)

    def _task(self, spot: Spot, limits: Limits) -> Task:
        known, best = self.at(spot), self._plan(spot)
        arguments = {
            **self.question.arguments(spot),
            "limits": limits.as_dict(),
            "start": None if best is None else table_of(best[1], "builds"),
            "bound_musd": known.bound_musd,
        }
        return Task(str(spot), least_cost, arguments)


def least_cost(
    instance: Instance, shortage_t: float | None, limits: Mapping[str, Any], start: pd.DataFrame | None, bound_musd: float | None
) -> Record:
    """Solve one point, at most ``shortage_t`` tonnes short over the horizon (None: no limit); a task's work."""
    model = build_model(instance)
    if shortage_t is not None:
        limit_shortage(model, instance, shortage_t)
    plan = solved(instance, Limits(**limits), model=model, start=start, bound_musd=bound_musd)
    record = record_of(plan)
    tables = {name: record["tables"][name] for name in _KEPT}
    return {**record, "shortage_t": plan.summary["shortage_t"], "tables": tables}


def limit_shortage(model: pyo.ConcreteModel, instance: Instance, most_t: float) -> None:
    """Add ``c_short_in_all``: tonnes short of all commodities over the horizon are at most ``most_t``."""
    years = Years.of(instance)
    weight = dict(zip(years.label.tolist(), years.weight.tolist(), strict=True))
    short = [weight[int(key[-1])] * variable for key, variable in model.v_short.items()]
    if short:
        model.c_short_in_all = pyo.Constraint(expr=sum(short) <= most_t)
