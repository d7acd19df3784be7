"""The pieces of stochastic work that an executor runs: each a function of its arguments alone."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from pyomo.common.gc_manager import PauseGC

from diversify.analyses.solving import Limits, Record, record_of, rows_of, solved
from diversify.analyses.stochastic.ensemble import instance_of
from diversify.instance import Instance
from diversify.plan import Plan
from diversify.planning import build_model
from diversify.planning.agreement import differences
from diversify.planning.extensive_form import ExtensiveForm, possible, shared_keys
from diversify.planning.later_stage import LaterStage
from diversify.planning.master import Master, StandIn
from diversify.planning.mean import mean_program
from diversify.planning.program import Program
from diversify.planning.stages import Staged, as_table, from_table
from diversify.solve import Matrix, Options, Outcome, Risk, run

_TOLD = 3
"""How many differences before the reveal year are told of a scenario."""


def staged_of(case: Instance) -> Staged:
    """Return the program of an instance with what is decided before its reveal year told apart."""
    with PauseGC():
        return Staged.of(Program.of(build_model(case)))


def compare(case: Instance, ours: str, theirs: Sequence[str]) -> Record:
    """Return, for each of some scenarios, sentences on what differs from one scenario before the reveal year.

    Beside them the scenarios that ``decide_more`` (units that never serve in the one, such as where it delays them beyond the horizon),
    the positions of the one's common columns that are ``forbidden``, and its size.
    """
    reference = staged_of(instance_of(case, ours))
    found, more, forbidden = {}, [], np.zeros(len(reference.keys), dtype=bool)
    keys = shared_keys([reference])
    for name in theirs:
        other = staged_of(instance_of(case, name))
        found[name] = [each.sentence(ours, name) for each in islice(differences(reference, other), _TOLD)]
        if not found[name]:
            _keep(case, name, other)
            more += [name] if set(other.keys) - set(keys) else []
            forbidden |= possible([other], keys) == 0.0
    size = len(reference.program.matrix.cost)
    return {"differences": found, "decide_more": more, "forbidden": np.flatnonzero(forbidden).tolist(), "columns": size}


def together(
    case: Instance, names: Sequence[str], probability: Sequence[float], risk: Mapping[str, float], limits: Mapping[str, Any]
) -> Record:
    """Return the optimum of the extensive form: status, objective, bound, what is decided before the reveal year, and all builds."""
    with PauseGC():
        form = ExtensiveForm.of([staged_of(instance_of(case, name)) for name in names], probability, Risk(**risk))
    outcome = run_within(form.form.matrix, Limits(**limits).options)
    record = told(outcome) | {"size": form.form.matrix.size, "shared": len(form.keys)}
    if outcome.x is None:
        return record | {"decided": [], "builds": {}}
    x = np.where(form.form.matrix.integer, np.round(outcome.x), outcome.x)
    builds = {name: rows_of(form.builds(x, number)) for number, name in enumerate(names)}
    return record | {"decided": rows_of(as_table(form.decisions(x))), "builds": builds}


def alone(instance: Instance, limits: Mapping[str, Any]) -> Record:
    """Return the plan that knows its scenario from the start."""
    return plan_record(solved(instance, Limits(**limits)))


def after(instance: Instance, limits: Mapping[str, Any], decided: pd.DataFrame, builds: pd.DataFrame | None = None) -> Record:
    """Return the plan of one scenario after what was decided before the reveal year; with ``builds`` these stay too."""
    return plan_record(solved(instance, Limits(**limits), decided=decided, builds=builds))


def for_the_mean(case: Instance, names: Sequence[str], probability: Sequence[float], limits: Mapping[str, Any]) -> Record:
    """Return the optimum of the problem with every figure at its mean: what it decides before the reveal year."""
    staged = [staged_of(instance_of(case, name)) for name in names]
    mean = mean_program(staged, probability)
    outcome = run_within(mean.matrix, Limits(**limits).options)
    decided = [] if outcome.x is None else rows_of(as_table(mean.decisions(outcome.x)))
    return told(outcome) | {"decided": decided}


def cuts(case: Instance, names: Sequence[str], decided: pd.DataFrame, bases: Mapping[str, str]) -> Record:
    """Return a cut of each scenario at what is decided, and the basis that the next may start from."""
    values, found = from_table(decided), {}
    for name in names:
        stage = _later_stage(case, name)
        cut = stage.recourse.cut(np.array([values.get(key, 0.0) for key in stage.keys]), bases.get(name, ""))
        found[name] = {
            "of_cost": cut.of_cost,
            "value": cut.value if cut.of_cost else None,
            "constant": cut.constant,
            "slope": cut.slope.tolist(),
            "keys": [json.dumps(key, ensure_ascii=False) for key in stage.keys],
            "basis": cut.basis,
            "iterations": cut.iterations,
        }
    return found


_KEPT: OrderedDict[tuple[str, str], LaterStage] = OrderedDict()
"""Later stages that this process has stated, since each round of cuts asks for them again (about 6 MB each on the flagship)."""

_MOST_KEPT = 256


def _later_stage(case: Instance, name: str) -> LaterStage:
    """Return a scenario's later stage, kept or stated anew."""
    key = (case.content_hash, name)
    if key not in _KEPT:
        _keep(case, name, staged_of(instance_of(case, name)))
    _KEPT.move_to_end(key)
    return _KEPT[key]


def _keep(case: Instance, name: str, staged: Staged) -> None:
    _KEPT[case.content_hash, name] = LaterStage.of(staged)
    while len(_KEPT) > _MOST_KEPT:
        _KEPT.popitem(last=False)


def solve_master(
    instance: Instance,
    probability: Sequence[float],
    risk: Mapping[str, float],
    forbidden: Sequence[int],
    cuts: Sequence[Mapping[str, Any]],
    limits: Mapping[str, Any],
) -> Record:
    """Return the optimum of the master problem with whole units: its bound, and what it decides before the reveal year."""
    staged = staged_of(instance)
    allowed = np.full(len(staged.keys), np.inf)
    allowed[list(forbidden)] = 0.0
    master = Master(staged, probability, Risk(**risk), allowed)
    form = master.form([StandIn(**(dict(cut) | {"columns": np.array(cut["columns"]), "slope": np.array(cut["slope"])})) for cut in cuts])
    outcome = run_within(form.matrix, Limits(**limits).options)
    record = told(outcome) | {"size": form.matrix.size}
    if outcome.x is None:
        return record | {"decided": []}
    x = np.where(form.matrix.integer, np.round(outcome.x), outcome.x)
    return record | {"decided": rows_of(as_table({key: float(x[place]) for key, place in master.keys.items() if x[place] != 0.0}))}


def decided_of(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return what a record decides before the reveal year, as the table that plans take."""
    return pd.DataFrame(record["decided"], columns=["key", "value"])


def plan_record(plan: Plan) -> Record:
    """Return a plan's record with its shortage over the horizon."""
    return {**record_of(plan), "shortage_t": plan.summary["shortage_t"] if plan.holds == "plan" else None}


def run_within(matrix: Matrix, options: Options) -> Outcome:
    """Solve a matrix on one thread; KeyboardInterrupt after Ctrl-C."""
    outcome = run(matrix, replace(options, threads=1))
    if outcome.stopped == "interrupted":
        raise KeyboardInterrupt
    return outcome


def told(outcome: Outcome) -> Record:
    """Return how a solve ended as a JSON object."""
    holds = outcome.x is not None
    return {
        "stopped": outcome.stopped,
        "objective_musd": outcome.objective if holds else None,
        "bound_musd": float(outcome.bound) if np.isfinite(outcome.bound) else None,
        "nodes": outcome.nodes,
        "lp_iterations": outcome.lp_iterations,
        "seconds": outcome.seconds,
    }
