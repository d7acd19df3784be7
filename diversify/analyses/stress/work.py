"""A saved plan under one scenario: what an executor runs, a function of its arguments alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from pyomo.common.gc_manager import PauseGC

from diversify.analyses.kept_plans import builds_for, placed_years, told
from diversify.analyses.solving import Limits, Record, rows_of, solved
from diversify.analyses.stress.breaks import demand_of, exceeded, first_break, missing
from diversify.analyses.stress.past import LINKING, SLACK, Tables, delayed, held_model, reveal_of, why_free
from diversify.analyses.stress.softened import Softened
from diversify.instance import Instance
from diversify.model import Statement
from diversify.network.ground import Years, records
from diversify.plan import Plan
from diversify.planning import build_model
from diversify.planning.program import STATEMENT

_ROUNDING = 1e-6


def arguments(plan: Plan, case: Instance, *, adapt: bool, limits: Limits) -> dict[str, Any]:
    """Return what a task needs to know of a plan in a case; of the plan's past only what links it with later years is looked at."""
    reveal = reveal_of(case)
    past = {name: _past(plan.tables[name], reveal) for name in LINKING.values()}
    kept = {"builds": builds_for(plan, case), "closures": plan.closures, **past, "shortages": plan.shortages}
    return {"instance": case, "own": plan.instance, "kept": kept, "adapt": adapt, "limits": limits.as_dict()}


def _past(table: pd.DataFrame, reveal: int | None) -> pd.DataFrame:
    return table[table["year"] < (reveal or 0)].reset_index(drop=True)


def solve_cell(instance: Instance, own: Instance, kept: Mapping[str, pd.DataFrame], adapt: bool, limits: Mapping[str, Any]) -> Record:
    """Return how a plan fares under an instance's data: cost, shares, shortage, and where it breaks first."""
    free = why_free(instance, own)
    held, moved, left_out = _held(instance, kept, past=free is None, adapt=adapt)
    start = kept["builds"] if adapt else None
    plan, statement = _solved(instance, held, past=free is None, adapt=adapt, limits=Limits(**limits), start=start)
    found = _broken(statement, plan, kept, same=instance.content_hash == own.content_hash)
    if plan.stopped == "infeasible":
        found = _softened(instance, held, kept, past=free is None, adapt=adapt, limits=Limits(**limits))
    builds = rows_of(plan.builds) if adapt else []
    return {**told(plan), **found, "free": free, "moved": moved, "left_out": left_out, "builds": builds}


def _held(instance: Instance, kept: Tables, *, past: bool, adapt: bool) -> tuple[Tables, int, int]:
    """Return the tables that stay, and how many of their builds come later than planned or not at all."""
    reveal, builds = reveal_of(instance), kept["builds"]
    if adapt and reveal is not None:
        builds = builds[builds["decided_year"] < reveal - _ROUNDING].reset_index(drop=True)
    placed = delayed(instance, builds, reveal) if past and reveal is not None else builds
    years = placed_years(instance, placed)
    moved = sum(year is not None and year != int(row["year"]) for year, row in zip(years, records(builds), strict=True))
    return {**kept, "builds": placed}, moved, sum(year is None for year in years)


def _solved(
    instance: Instance, held: Tables, *, past: bool, adapt: bool, limits: Limits, start: pd.DataFrame | None = None
) -> tuple[Plan, Statement]:
    """Return the plan of a case with what stays held: exactly, and where that leaves none once more within the rounding of a plan."""
    for slack in (0.0, SLACK):
        with PauseGC():
            model = held_model(instance, held, past=past, adapt=adapt, slack=slack)
        plan = solved(instance, limits, model=model, start=start)
        if plan.stopped != "infeasible":
            break
    return plan, getattr(model, STATEMENT)


def _softened(instance: Instance, held: Tables, kept: Tables, *, past: bool, adapt: bool, limits: Limits) -> Record:
    """Return where a plan breaks that is none in a case: told from a copy that allows shortage and excess at a price."""
    with PauseGC():
        soft = Softened.of(getattr(build_model(instance), STATEMENT))
    plan, statement = _solved(soft.instance, held, past=past, adapt=adapt, limits=limits)
    return {**_broken(statement, plan, kept, caps=soft.caps), "softened": plan.stopped, "need_usd_per_t": soft.usd_per_t}


def _broken(statement: Statement, plan: Plan, kept: Tables, *, same: bool = False, caps: tuple[str, ...] = ()) -> Record:
    """Return what is short, all in all and beyond the plan's own shortage, and the first break; a plan does not break in its own case."""
    nothing: Record = {"softened": None, "need_usd_per_t": None, "short_t": None, "beyond_t": None, "missing": [], "breaks": None}
    if plan.holds != "plan":
        return nothing
    short = missing(statement, plan.shortages, plan.shortages if same else kept["shortages"])
    years = Years.of(plan.instance)
    weight = dict(zip(years.label.tolist(), years.weight.tolist(), strict=True))
    beyond = float((short["missing_t_per_year"] * short["year"].map(weight)).sum())
    breaks = first_break(short, exceeded(plan.shares, caps), demand_of(statement))
    return nothing | {"short_t": plan.summary["shortage_t"], "beyond_t": beyond, "missing": rows_of(short), "breaks": breaks}
