"""How the questions solve: one thread each, interruption as an exception, plans as JSON records that a sweep can keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyomo.core as pyo

from diversify.errors import SolverError
from diversify.instance import Instance
from diversify.plan import TABLES, Plan
from diversify.planning import Progress, manifest_of, options_of, solve
from diversify.planning import program as programs
from diversify.solve import Options

Record = dict[str, Any]

_KEPT = ("builds", "shares", "shortages", "prices")
"""Tables of a plan that its record carries."""


@dataclass(frozen=True)
class Limits:
    """When each solve of a question stops: relative and absolute gap (million USD), seconds, and the seed. One thread."""

    gap: float = 0.01
    gap_musd: float = 0.0
    time_limit: float = 100.0
    seed: int = 0

    @classmethod
    def of(
        cls,
        instance: Instance,
        *,
        gap: float | None = None,
        gap_musd: float | None = None,
        time_limit: float | None = None,
        seed: int | None = None,
    ) -> Limits:
        """Return what is given, else the instance's own, else the package's. UsageError where one makes no sense."""
        chosen = options_of(instance, gap=gap, gap_musd=gap_musd, time_limit=time_limit, seed=seed)
        return cls(chosen.gap, chosen.gap_musd, chosen.time_limit, chosen.seed)

    @property
    def options(self) -> Options:
        """The options of the solver."""
        return Options(gap=self.gap, gap_musd=self.gap_musd, time_limit=self.time_limit, seed=self.seed, threads=1)

    def as_dict(self) -> dict[str, Any]:
        """Return the limits as arguments of a task."""
        return asdict(self)


def solved(
    instance: Instance,
    limits: Limits,
    *,
    builds: pd.DataFrame | None = None,
    start: pd.DataFrame | None = None,
    bound_musd: float | None = None,
    model: pyo.ConcreteModel | None = None,
    decided: pd.DataFrame | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """Solve within limits; arguments as in :func:`diversify.solve`. ``model`` is one of this instance with constraints added.

    Raises KeyboardInterrupt after Ctrl-C, so that no unfinished point is taken for a finished one, and SolverError where
    the plan fails its audit: no answer is built on it.
    """
    plan = solve(
        instance,
        model=model,
        gap=limits.gap,
        gap_musd=limits.gap_musd,
        time_limit=limits.time_limit,
        seed=limits.seed,
        threads=1,
        builds=builds,
        start=start,
        bound_musd=bound_musd,
        decided=decided,
        progress=progress,
    )
    if plan.stopped == "interrupted":
        raise KeyboardInterrupt
    if not plan.summary["audit"]["ok"]:
        raise SolverError(f"a plan of {instance.name} failed its audit: {plan.summary['audit']['violations'][0]['sentence']}")
    return plan


def minimised(
    model: pyo.ConcreteModel,
    expression: Any,
    limits: Limits,
    *,
    start: pd.DataFrame | None = None,
    bound: float = -np.inf,
    relaxed: bool = False,
) -> programs.Answer:
    """Minimise another expression than the cost within limits (gaps in its own unit); KeyboardInterrupt after Ctrl-C."""
    answer = programs.minimise(model, expression, limits.options, start=start, bound=bound, relaxed=relaxed)
    if answer.outcome.stopped == "interrupted":
        raise KeyboardInterrupt
    return answer


def record_of(plan: Plan) -> Record:
    """Return what the questions need of a plan as a JSON object: status, cost, bound, and the tables that :func:`table_of` gives back."""
    kept = ("stopped", "holds", "objective_musd", "bound_musd", "gap", "gap_musd", "cost_musd", "cost_by_country_musd")
    summary = {name: plan.summary[name] for name in (*kept, "cost_by_consumer_musd", "size", "nodes", "lp_iterations", "seconds")}
    return {**summary, "tables": {name: rows_of(plan.tables[name]) for name in _KEPT}}


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON objects, blanks as None."""
    plain = table.astype(object)
    rows: list[dict[str, Any]] = plain.where(plain.notna(), None).to_dict("records")  # type: ignore[assignment]
    return rows


def table_of(record: Mapping[str, Any], name: str) -> pd.DataFrame:
    """Return one of the tables ``builds``, ``shares``, ``shortages`` and ``prices`` from a plan's record."""
    return pd.DataFrame(record["tables"][name], columns=list(TABLES[name]))


def manifest(instance: Instance, limits: Limits, **asked: Any) -> dict[str, Any]:
    """Return what made an answer: the instance's hash, scenario and changes, options, versions, and what was asked."""
    return {**manifest_of(instance, limits.options, "highs"), "asked": asked}
