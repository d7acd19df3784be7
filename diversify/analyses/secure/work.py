"""The pieces of a search for a secure plan that an executor runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pyomo.common.gc_manager import PauseGC

from diversify.analyses.solving import Limits, Record, rows_of, solved
from diversify.analyses.stochastic.work import plan_record, run_within, told
from diversify.instance import Instance
from diversify.planning import build_model
from diversify.planning.extensive_form import ExtensiveForm
from diversify.planning.program import Program
from diversify.planning.security import Security, add_security
from diversify.planning.stages import Staged, as_table, from_table
from diversify.solve import Matrix, Risk

_MISSED = 1e-5
"""Parts of demand, summed over commodities and years, that count as nothing missed: the solver's own tolerance."""


def _staged(case: Instance, security: Security | None) -> Staged:
    model = build_model(case)
    if security is not None:
        add_security(model, security)
    return Staged.of(Program.of(model))


def together(
    base: Instance, losses: Sequence[Instance], security: dict[str, Any], limits: Mapping[str, Any], relaxed: bool = False
) -> Record:
    """Return the cheapest plan of the base case whose decisions before the reveal year some losses can be survived after.

    Losses weigh nothing in the cost; each has operations and later builds of its own. ``relaxed`` lets parts of units be built.
    """
    with PauseGC():
        staged = [_staged(base, None), *(_staged(loss, Security.from_dict(security)) for loss in losses)]
        form = ExtensiveForm.of(staged, [1.0, *(0.0 for _ in losses)], Risk())
    matrix = _relaxed(form.form.matrix) if relaxed else form.form.matrix
    outcome = run_within(matrix, Limits(**limits).options)
    record = told(outcome) | {"size": matrix.size}
    if outcome.x is None:
        return record | {"decided": [], "builds": []}
    x = np.where(matrix.integer, np.round(outcome.x), outcome.x)
    return record | {"decided": rows_of(as_table(form.decisions(x))), "builds": rows_of(form.builds(x, 0))}


def _relaxed(matrix: Matrix) -> Matrix:
    return replace(matrix, integer=np.zeros(len(matrix.integer), dtype=bool))


def plan_after(instance: Instance, decided: pd.DataFrame, start: pd.DataFrame, limits: Mapping[str, Any]) -> Record:
    """Return the plan of the base case after what is decided, with what losses are generated from."""
    plan = solved(instance, Limits(**limits), decided=decided, start=start)
    holds = plan.holds == "plan"
    relied_on = {name: rows_of(plan.tables[name]) if holds else [] for name in ("activity", "flows")}
    return plan_record(plan) | relied_on


def missed(loss: Instance, decided: pd.DataFrame, security: dict[str, Any], limits: Mapping[str, Any], exactly: bool = True) -> Record:
    """Return how far a loss is from being survived after what is decided: parts of demand missed beyond what security allows.

    ``missed`` is the best found, ``bound`` what is proved; both 0 where it is survived. ``where`` lists what is missed. Unless it is to be
    told ``exactly``, what even parts of units miss is taken for it: that proves that the loss is not survived.
    """
    with PauseGC():
        model = build_model(loss)
        demand = add_security(model, Security.from_dict(security), missed=True)
        program = Staged.of(Program.of(model)).pinned(from_table(decided))
    options = replace(Limits(**limits).options, gap=0.05, gap_musd=_MISSED / 2.0)
    outcome = run_within(program.matrix if exactly else _relaxed(program.matrix), options)
    if not exactly and outcome.x is not None and outcome.objective <= _MISSED and program.matrix.integer.any():
        outcome = run_within(program.matrix, options)
    if outcome.x is None:
        return {"stopped": outcome.stopped, "missed": None, "bound": None, "where": []}
    position = program.matrix.positions()
    found = {key: float(outcome.x[position[id(model.v_missed[key])]]) for key in demand}
    where = [
        {"consumers": key[0], "commodity": key[1], "year": key[2], "missed_t_per_year": value, "share": value / demand[key]}
        for key, value in found.items()
        if value > _MISSED * demand[key]
    ]
    return {
        "stopped": outcome.stopped,
        "missed": outcome.objective if outcome.objective > _MISSED else 0.0,
        "bound": max(outcome.bound, 0.0),
        "where": sorted(where, key=lambda row: (row["year"], -row["missed_t_per_year"])),
    }


def survive(loss: Instance, decided: pd.DataFrame, security: dict[str, Any], limits: Mapping[str, Any]) -> Record:
    """Return the cheapest secure plan under a loss after what is decided: an audited plan of its own."""
    model = build_model(loss)
    add_security(model, Security.from_dict(security))
    return plan_record(solved(loss, Limits(**limits), model=model, decided=decided))
