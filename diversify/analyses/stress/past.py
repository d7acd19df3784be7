"""What a saved plan has decided, held fast in another case: its investments, and where nobody could know better, its past.

The past is held by the columns that link the years before the reveal year with those after it: stocks at its end, deliveries whose
scrap returns later, activity of plants that draw on a reserve, closures. They are read off the matrix, so that none can be forgotten.
The rest of the past touches no later year and may be planned again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyomo.core as pyo
from pyomo.common.gc_manager import PauseGC

from diversify.instance import Instance
from diversify.model import Statement
from diversify.network.ground import Ints, records
from diversify.planning import build_model
from diversify.planning.agreement import differences
from diversify.planning.program import STATEMENT, Program, fix_builds
from diversify.planning.stages import Key, Staged, decision_dates

Tables = Mapping[str, pd.DataFrame]

LINKING = {"v_stock": "stocks", "v_deliver": "deliveries", "v_run": "activity"}
"""Variables that can link the past with the future, and the plan's tables of their values."""

SLACK = 1e-5
"""Part of a figure (or of its typical magnitude) by which what is held may differ where exact figures leave no plan.

A plan is as exact as the solver's tolerances (1e-6), so that its own figures need not fit its rows to the last digit. Ranges
nearer to those than this are worse than none: presolve takes them for fixed, at either end."""

_ROUNDING = 1e-6
"""Slack when a date of decision is compared with a year: lead times may be fractions."""


def reveal_of(instance: Instance) -> int | None:
    """Return the year from which on scenarios differ; None where none is given or it lies after the last planning year."""
    year = instance.meta.get("reveal_year")
    return None if year is None or int(year) > instance.years[-1] else int(year)


def why_free(instance: Instance, own: Instance) -> str | None:
    """Return why a plan's past cannot be held in a case: no reveal year, or other figures before it than the plan was made with."""
    reveal = reveal_of(instance)
    if reveal is None:
        return "there is no reveal year"
    if instance.content_hash == own.content_hash:
        return None
    with PauseGC():
        staged = [Staged.of(Program.of(build_model(case)), reveal) for case in (own, instance)]
    found = next(differences(*staged), None)
    return None if found is None else found.sentence("the plan's own case", "the scenario")


def delayed(instance: Instance, builds: pd.DataFrame, reveal: int) -> pd.DataFrame:
    """Return builds of which those decided before the reveal year come no sooner than their decision and the case's lead time allow.

    Who decided before knowing of a longer lead time cannot have decided earlier for it.
    """
    lead = dict(zip(instance.table("projects")["project"], instance.table("projects")["lead_years"].fillna(0.0).astype(float), strict=True))
    early = builds["decided_year"].to_numpy(dtype=np.float64) < reveal - _ROUNDING
    least = [
        math.ceil(float(row["decided_year"]) + lead.get(row["project"], 0.0) - _ROUNDING) if before else int(row["year"])
        for row, before in zip(records(builds), early, strict=True)
    ]
    return builds.assign(year=np.maximum(builds["year"].to_numpy(dtype=np.int64), np.array(least, dtype=np.int64)))


def held_model(instance: Instance, kept: Tables, *, past: bool, adapt: bool, slack: float = 0.0) -> pyo.ConcreteModel:
    """Return the model of a case with a plan's investments held and, with ``past``, what it did before the reveal year.

    ``kept`` has the plan's tables builds and closures (those that stay), stocks, deliveries and activity. With ``adapt``
    units, first-unit purchases and closures from the reveal year on are free beyond what stays. ``slack`` is relative.
    """
    model = build_model(instance)
    statement: Statement = getattr(model, STATEMENT)
    reveal = reveal_of(instance)
    fix_builds(statement, kept["builds"])
    _hold_closures(statement, kept["closures"], reveal if adapt else None, slack)
    if adapt and reveal is not None:
        _free_later(statement, reveal)
    if past and reveal is not None:
        _hold_past(Staged.of(Program.of(model), reveal), kept, slack)
    return model


def _free_later(statement: Statement, reveal: int) -> None:
    """Free units and purchases that are decided from the reveal year on; what is there of an earlier decision stays."""
    for name in ("v_build", "v_open"):
        index = statement.blocks[name].index
        dates = decision_dates(statement, index)
        for position in np.flatnonzero(dates >= reveal - _ROUNDING).tolist():
            variable = _variable(statement, name, position)
            variable.setlb(variable.value)
            variable.unfix()


def _hold_closures(statement: Statement, closures: pd.DataFrame, reveal: int | None, slack: float) -> None:
    """Hold what is closed; from ``reveal`` on (None: never) more may be. Closed capacity that would end anyway does so."""
    closed = {(str(row["facility"]), int(row["year"])): float(row["closed_t_per_year"]) for row in records(closures)}
    years = statement.network.ground.years.label.tolist()
    before: tuple[str, int, float, float] = ("", 0, 0.0, 0.0)
    for place, (facility, year) in enumerate(statement.blocks["v_close"].index.itertuples(index=False, name=None)):
        variable = _variable(statement, "v_close", place)
        most, position = float(variable.ub), years.index(year)
        stays = before[2] - max(0.0, before[3] - most) if before[:2] == (facility, position - 1) else 0.0
        value = min(max(closed.get((facility, year), 0.0), stays), most)
        before = (facility, position, value, most)
        if reveal is None or year < reveal:
            _hold(variable, value, slack * most)


def _hold_past(staged: Staged, kept: Tables, slack: float) -> None:
    """Hold every column of the past that stands in a row with later ones."""
    values = dict(_past_values(kept))
    matrix = staged.program.matrix
    for position in _linking(staged).tolist():
        place, key = int(staged.common[position]), staged.keys[position]
        if key[0] in LINKING:
            value = values.get(key, 0.0)
            _hold(matrix.columns[place], value, slack * max(value, float(matrix.column_scale[place])))


def _linking(staged: Staged) -> Ints:
    """Return which of the columns decided before the reveal year (positions among them) stand in a row with later ones."""
    rows = staged.program.matrix.a.tocsr()[~staged.settled_rows]
    return np.flatnonzero(np.diff(rows[:, staged.common].tocsc().indptr)).astype(np.int64)


def _past_values(kept: Tables) -> Iterator[tuple[Key, float]]:
    """Yield key and value of the rows of a plan's tables."""
    for name, table in LINKING.items():
        for row in kept[table].itertuples(index=False, name=None):
            yield (name, *row[:-1]), float(row[-1])


def _hold(variable: Any, value: float, slack: float) -> None:
    most = math.inf if variable.ub is None else float(variable.ub)
    held = max(0.0, min(value, most))
    variable.setlb(max(0.0, held - slack))
    variable.setub(min(most, held + slack))


def _variable(statement: Statement, name: str, position: int) -> Any:
    return statement.variables[statement.blocks[name].start + position]
