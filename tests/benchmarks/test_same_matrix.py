"""The quick ways lead to the same place: our matrix is the one that Pyomo's own compiler makes of the model."""

import sys
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

import diversify as dv
from diversify.solve import compile_model

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from generate import Shape, generate


def changed_model() -> pyo.ConcreteModel:
    """Return a model with what a caller may add: other columns, general expressions, parameters, repeated and fixed columns."""
    model = dv.build_model(generate(Shape(sites=3, stages=2, years=3)))
    flows, runs = list(model.v_flow.values()), list(model.v_run.values())
    model.rate = pyo.Param(initialize=0.5, mutable=True)
    model.v_own = pyo.Var(bounds=(-1, 4))
    model.c_sum = pyo.Constraint(expr=sum(flows[:5]) + model.rate * runs[0] - 3 * model.v_own <= 7)
    model.c_twice = pyo.Constraint(expr=pyo.inequality(1, flows[0] + 2.5 * flows[0] + 2 * (flows[1] - runs[1]), 9))
    flows[2].fix(12.0)
    runs[2].fix(0.0)
    return model


def entries(columns, rows, a, cost):
    """Return coefficients and costs by the names of rows and columns, which may stand in any order."""
    triplets = a.tocoo()
    matrix = sorted((rows[r], columns[c].name, round(v, 9)) for r, c, v in zip(triplets.row, triplets.col, triplets.data, strict=True))
    return matrix, sorted((column.name, round(float(usd), 9)) for column, usd in zip(columns, cost, strict=True))


def test_the_matrix_is_that_of_pyomos_own_compiler():
    model = changed_model()
    ours = compile_model(model, model.diversify.variables, model.diversify.scale)
    theirs = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    names = [row.constraint.name for row in theirs.rows]
    assert [row.name for row in ours.rows] == names
    cost = np.asarray(theirs.c.todense()).ravel()
    assert entries(ours.columns, names, ours.a, ours.cost) == entries(theirs.columns, names, theirs.A, cost)
    sides = np.where(np.isfinite(ours.row_upper), ours.row_upper, ours.row_lower)
    assert np.allclose(sides, theirs.rhs)
    assert ours.offset == theirs.c_offset[0]


def test_columns_stand_in_the_order_of_the_statement():
    model = dv.build_model(generate(Shape(sites=3, stages=2, years=3)))
    place = {id(variable): position for position, variable in enumerate(model.diversify.variables)}
    positions = [place[id(column)] for column in compile_model(model, model.diversify.variables).columns]
    assert positions == sorted(positions)
