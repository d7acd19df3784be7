"""The pieces of a replay that an executor runs: each a function of its arguments alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pyomo.common.gc_manager import PauseGC

from diversify.analyses.rolling.knowledge import known
from diversify.analyses.rolling.window import on_line, still_to_build, window
from diversify.analyses.solving import Limits, Record, rows_of, solved
from diversify.instance import Instance
from diversify.network.ground import Floats
from diversify.plan import TABLES, Plan
from diversify.planning import build_model, solve
from diversify.planning.extract import builds as builds_of
from diversify.planning.program import Program
from diversify.planning.stages import UNITS, Key, Staged, as_table, from_table
from diversify.planning.summary import relative
from diversify.solve import Known, Options, run

Values = dict[Key, float]

CONTRADICTED = "contradicted"
"""Why a replay has no cost though every step has a plan: the truth does not allow what was done before it was known."""


def decide(
    base: Instance, truth: Instance, year: int, until: int, decided: pd.DataFrame, before: Mapping[str, Any], limits: Mapping[str, Any]
) -> Record:
    """Return what is decided in a year by who looks ahead until another, after what was decided before.

    ``before`` is the last step's record: its builds to start from, and its bound where this step sees the same data.
    """
    options = Limits(**limits).options
    belief = known(base, truth, year)
    case = window(belief, until)
    earlier = dated(from_table(decided), belief)
    with PauseGC():
        free = Program.of(build_model(case))
    program = free if year == base.years[0] else _after(free, year, earlier, belief)
    start = program.start(pd.DataFrame(before["builds"], columns=list(TABLES["builds"]))) if before else None
    bound = before["bound_musd"] if before and before["data"] == case.content_hash else None
    outcome = run(program.matrix, options, None, Known(start, -np.inf if bound is None else bound))
    if outcome.stopped == "interrupted":
        raise KeyboardInterrupt
    record: Record = {
        "stopped": outcome.stopped,
        "objective_musd": None,
        "bound_musd": float(outcome.bound) if np.isfinite(outcome.bound) else None,
        "gap": None,
        "data": case.content_hash,
    }
    if outcome.x is None:
        return record
    x = _with_whole_units(program, outcome.x, options)
    objective, low = float(outcome.objective), record["bound_musd"]
    following = next((each for each in base.years if each > year), base.years[-1] + 1)
    now = {key: value for key, value in _settled(Staged.of(program, following), x).items() if key not in earlier}
    return record | {
        "objective_musd": objective,
        "gap": None if low is None else relative(max(objective - low, 0.0), objective),
        "decided": rows_of(as_table({**from_table(decided), **now})),
        "builds": rows_of(builds_of(program.point(x))),
    }


def _settled(staged: Staged, x: Floats) -> Values:
    """Return what is decided at a point, of units also that none is: a step that comes to see further must not think it open."""
    units = {key: float(x[place]) for key, place in zip(staged.keys, staged.common.tolist(), strict=True) if key[0] in UNITS}
    return units | staged.values(x)


def _after(program: Program, year: int, earlier: Values, belief: Instance) -> Program:
    """Return the program with all that was decided before a year fixed.

    What no window has shown until now, and whose date of decision has passed, was not decided; but what must be built is under
    way, seen or not, and may still come on line in the years that this window is the first to show.
    """
    built: dict[str, float] = {}
    for key, value in earlier.items():
        if key[0] == "v_build":
            built[str(key[1])] = built.get(str(key[1]), 0.0) + value
    left = still_to_build(belief, built)
    staged = Staged.of(program, year)
    open_still = np.array([key[0] in UNITS and key not in earlier and str(key[1]) in left for key in staged.keys], dtype=bool)
    upper = program.matrix.upper.copy()
    for position in np.flatnonzero(open_still):
        key, column = staged.keys[position], staged.common[position]
        if key[0] == "v_build":
            upper[column] = min(upper[column], left[str(key[1])])
    program = replace(program, matrix=replace(program.matrix, upper=upper))
    keys = [key for key, still in zip(staged.keys, open_still, strict=True) if not still]
    return Staged(program, year, staged.common[~open_still], keys).pinned(earlier)


def dated(values: Values, belief: Instance) -> Values:
    """Return decisions with units at the dates that a belief has for them.

    Where a lead time turns out longer than believed, a unit that was decided comes on line in the next planning year that is
    possible, and one that never can is left out.
    """
    possible, leads = on_line(belief), belief.table("projects").set_index("project")["lead_years"].astype(float).fillna(0.0)
    moved: Values = {}
    for key, value in values.items():
        if key[0] not in UNITS or value == 0.0:
            moved.setdefault(key, value)
            continue
        lead = float(leads.get(key[1], 0.0))
        year = next((each for each in possible.get(str(key[1]), []) if each >= float(key[2]) + lead - 1e-6), None)
        if year is not None:
            name = (*key[:2], round(year - lead, 6))
            moved[name] = moved.get(name, 0.0) + value
    return {key: min(value, 1.0) if key[0] == "v_open" else value for key, value in moved.items()}


def _with_whole_units(program: Program, x: Floats, options: Options) -> Floats:
    """Return the point with its units whole, all else planned again around them, so that no rounding is carried on."""
    matrix, whole = program.matrix, np.where(program.matrix.integer, np.round(x), x)
    if not matrix.integer.any():
        return whole
    lower, upper = np.where(matrix.integer, whole, matrix.lower), np.where(matrix.integer, whole, matrix.upper)
    outcome = run(replace(matrix, lower=lower, upper=upper, integer=np.zeros_like(matrix.integer)), options)
    return whole if outcome.x is None else outcome.x


def come_true(
    base: Instance, truth: Instance, decided: pd.DataFrame, builds: Sequence[Mapping[str, Any]], limits: Mapping[str, Any]
) -> Record:
    """Return what everything decided costs in the truth: a linear program with the last year's operations alone left free."""
    last, told = base.years[-1], Limits(**limits)
    case = known(base, truth, last).replace(reveal_year=last)
    values = as_table(dated(from_table(decided), case))
    fixed = pd.DataFrame(list(builds), columns=list(TABLES["builds"]))
    plan = solve(case, gap=0.0, time_limit=told.time_limit, seed=told.seed, threads=1, builds=fixed, decided=values)
    if plan.stopped == "interrupted":
        raise KeyboardInterrupt
    record = _plan_record(plan)
    if plan.summary["audit"]["ok"]:
        return record
    why = plan.summary["audit"]["violations"][0]["sentence"]
    return record | {"stopped": CONTRADICTED, "holds": "none", "objective_musd": None, "bound_musd": None, "why": why}


def with_foresight(truth: Instance, builds: Sequence[Mapping[str, Any]], limits: Mapping[str, Any]) -> Record:
    """Return the least-cost plan of who knows the truth from the start, from what another plan builds."""
    start = pd.DataFrame(list(builds), columns=list(TABLES["builds"])) if builds else None
    return _plan_record(solved(truth, Limits(**limits), start=start))


def _plan_record(plan: Plan) -> Record:
    told = {name: plan.summary[name] for name in ("stopped", "holds", "objective_musd", "bound_musd", "gap")}
    holds = plan.holds == "plan"
    cost = plan.costs.groupby("year")["musd"].sum() if holds else pd.Series(dtype=float)
    short = plan.shortages.groupby("year")["quantity_t_per_year"].sum() if holds else pd.Series(dtype=float)
    return {
        **told,
        "why": "",
        "shortage_t": plan.summary["shortage_t"] if holds else None,
        "builds": rows_of(plan.builds),
        "cost_by_year": {str(year): float(cost.get(year, 0.0)) for year in plan.instance.years} if holds else {},
        "shortage_by_year": {str(year): float(short.get(year, 0.0)) for year in plan.instance.years} if holds else {},
    }
