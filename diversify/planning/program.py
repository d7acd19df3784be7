"""A stated model with its matrix: into the solver with what is known already, and back to the statement's columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyomo.core as pyo

from diversify.errors import UsageError
from diversify.model import Statement
from diversify.network.ground import Floats, Ints
from diversify.planning.extract import Point, builds
from diversify.solve import Known, Matrix, Options, Outcome, Progress, compile_model, run

STATEMENT = "diversify"
"""Attribute of the Pyomo model that holds the statement it came from."""


@dataclass(frozen=True)
class Program:
    """A Pyomo model of ``build_model``, possibly with more constraints, and the matrix compiled from it."""

    model: pyo.ConcreteModel
    statement: Statement
    matrix: Matrix

    @classmethod
    def of(cls, model: pyo.ConcreteModel) -> Program:
        """Compile a model. Raises UsageError where it does not come from ``build_model``, SolverError where it is not linear."""
        statement = getattr(model, STATEMENT, None)
        if not isinstance(statement, Statement):
            raise UsageError("model must come from build_model(instance); other Pyomo models have no plan to read.")
        return cls(model, statement, compile_model(model, statement.variables, statement.scale))

    def point(self, x: Floats) -> Point:
        """Return the solver's values (n,) in the statement's order.

        The solver does not see columns that are fixed, nor those that no row and no cost mentions, which are zero.
        """
        position, variables = self._column_positions, self.statement.variables
        order = np.array([position.get(id(variable), -1) for variable in variables], dtype=np.int64)
        unseen = np.array([float(variable.value) if variable.fixed else 0.0 for variable in variables])
        return Point(self.statement, np.where(order >= 0, np.append(x, 0.0)[order], unseen))

    def columns(self, name: str) -> Ints:
        """Return the solver's position of each variable of a block; -1 for those that it does not see."""
        position = self._column_positions
        return np.array([position.get(id(variable), -1) for variable in _variables(self.statement, name)], dtype=np.int64)

    def rows(self, name: str) -> Ints:
        """Return the solver's position of each row of a constraint; -1 for those that it does not see: deactivated, or all fixed."""
        position = self._row_positions
        return np.array([position.get(id(row), -1) for row in self.statement.model.component(name).values()], dtype=np.int64)

    @cached_property
    def _column_positions(self) -> dict[int, int]:
        return self.matrix.positions()

    @cached_property
    def _row_positions(self) -> dict[int, int]:
        return self.matrix.row_positions()

    def start(self, plan_builds: pd.DataFrame) -> Floats:
        """Return a start (n,) from a plan's table ``builds``: units and first-unit purchases, NaN elsewhere."""
        position = self._column_positions
        start = np.full(len(self.matrix.columns), np.nan)
        for variable, value in _decisions(self.statement, plan_builds):
            if id(variable) in position:
                start[position[id(variable)]] = value
        return start


def fix_builds(statement: Statement, plan_builds: pd.DataFrame) -> None:
    """Fix every unit and first-unit purchase of a model at what a plan's table ``builds`` says."""
    for variable, value in _decisions(statement, plan_builds):
        variable.fix(value)


def _decisions(statement: Statement, plan_builds: pd.DataFrame) -> Iterator[tuple[Any, float]]:
    """Yield each build and purchase variable with its value in a table ``builds``, as near as this model allows.

    A unit whose on-line year is not possible here (a longer lead time) comes on line in the next year that is; where
    there is none, or the project does not exist, it is not built. A purchase falls on the year of its first unit at the latest.
    """
    network = statement.network
    online = network.decoded(network.plants.online[["project", "year"]])
    units, bought = np.zeros(len(online)), np.zeros(len(online))
    first = dict(zip(network.plants.project_labels.names, network.plants.projects["capex_first_musd"], strict=True))
    each = dict(zip(network.plants.project_labels.names, network.plants.projects["capex_musd"], strict=True))
    years = online["year"].to_numpy(dtype=np.int64)
    for row in plan_builds.sort_values("year").to_dict("records"):
        later = np.flatnonzero((online["project"] == row["project"]).to_numpy() & (years >= int(row["year"])))
        if not len(later):
            continue
        units[later[0]] += float(row["units"])
        name = str(row["project"])
        if first[name] > 0 and float(row["capex_musd"]) > float(row["units"]) * each[name] + 0.5 * first[name]:
            bought[later[0]] = 1.0
    yield from zip(_variables(statement, "v_build"), units.tolist(), strict=True)
    yield from zip(_variables(statement, "v_open"), bought[network.plants.openings["online"]].tolist(), strict=True)


def _variables(statement: Statement, name: str) -> list[Any]:
    block = statement.blocks[name]
    return statement.variables[block.start : block.start + len(block)]


@dataclass(frozen=True)
class Answer:
    """What a question put to a model found: how the solve ended, and the point it holds."""

    program: Program
    outcome: Outcome

    @property
    def point(self) -> Point:
        """Values of the statement's columns; UsageError where the solve holds none."""
        if self.outcome.x is None:
            raise UsageError(f"the solve ended {self.outcome.stopped} and holds no point.")
        return self.program.point(self.outcome.x)

    @property
    def builds(self) -> pd.DataFrame:
        """What the point builds, as a plan's table ``builds``."""
        return builds(self.point)

    def value(self, variable: Any) -> float:
        """Return the value of a Pyomo variable, also of one that the caller added."""
        position = self.program._column_positions.get(id(variable), -1)
        if self.outcome.x is None or position < 0:
            return float(variable.value or 0.0)
        return float(self.outcome.x[position])


def minimise(
    model: pyo.ConcreteModel,
    expression: Any,
    options: Options,
    *,
    start: pd.DataFrame | None = None,
    bound: float = -np.inf,
    relaxed: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Answer:
    """Minimise a linear expression of a model's variables in place of its cost; the model is left as it was.

    ``start`` is the table ``builds`` of a plan to start from, ``bound`` a lower bound that is proved already; ``relaxed`` lets
    parts of units be built. Gap, bound and objective are in the expression's own unit. Raises SolverError where the expression
    is not linear.
    """
    with _objective(model, expression):
        program = Program.of(model)
    if relaxed:
        whole = np.zeros(len(program.matrix.columns), dtype=bool)
        program = replace(program, matrix=replace(program.matrix, integer=whole))
    known = Known(program.start(start) if start is not None else None, bound)
    return Answer(program, run(program.matrix, options, progress, known))


@contextmanager
def _objective(model: pyo.ConcreteModel, expression: Any) -> Iterator[None]:
    model.o_cost.deactivate()
    model.o_question = pyo.Objective(expr=expression, sense=pyo.minimize)
    try:
        yield
    finally:
        model.del_component("o_question")
        model.o_cost.activate()
