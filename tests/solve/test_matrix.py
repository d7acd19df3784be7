"""The hand-over: what the solver sees is the model, scaled without changing a digit."""

from __future__ import annotations

from pathlib import Path

import highspy
import numpy as np
import pyomo.environ as pyo
import pytest
from cases import HAND_SOLVED_MUSD, Rows, hand_solved, instance, solved

import diversify as dv
from diversify.errors import SolverError
from diversify.solve import Matrix, compile_model


def compiled(case: dv.Instance) -> Matrix:
    model = dv.build_model(case)
    return compile_model(model, model.diversify.variables, model.diversify.scale)


def _two_metals() -> dv.Instance:
    """10 t of germanium beside 1,000,000 t of lithium, each from a plant abroad and one that can be built at home."""
    sizes = {"germanium": 10.0, "lithium": 1_000_000.0}
    tables: dict[str, Rows] = {
        "commodities": [{"commodity": name} for name in sizes],
        "processes": [{"process": name, "reference": name} for name in sizes],
        "recipes": [{"process": name, "commodity": name, "amount_t_per_t": 1} for name in sizes],
        "countries": [{"country": "CHN"}, {"country": "USA"}],
        "locations": [{"location": "Baotou", "country": "CHN"}, {"location": "Denver", "country": "USA"}],
        "facilities": [
            {"facility": f"{name} abroad", "location": "Baotou", "process": name, "capacity_t_per_year": 2 * size}
            | {"variable_usd_per_t": 1e7 / size}
            for name, size in sizes.items()
        ]
        + [
            {"facility": f"{name} at home", "location": "Denver", "process": name, "variable_usd_per_t": 3e7 / size}
            for name, size in sizes.items()
        ],
        "projects": [
            {"project": name, "facility": f"{name} at home", "unit_t_per_year": 0.3 * size, "units_max": 3, "capex_unit_musd": 5}
            | {"life_years": 10}
            for name, size in sizes.items()
        ],
        "lanes": [{"origin": "Baotou", "destination": "Denver", "commodity": name} for name in sizes],
        "demand": [{"location": "Denver", "commodity": name, "quantity_t_per_year": size} for name, size in sizes.items()],
        "caps": [
            {"cap": name, "year": 2030, "share": 0.75, "commodity": name, "consumers": "USA", "sources": "CHN", "basis": "produced"}
            for name in sizes
        ],
    }
    return instance(tables)


def test_a_scarce_metal_beside_a_bulk_one_is_planned_exactly() -> None:
    """Each: one unit (5 million / 10 years), a quarter made at home at three times the price: 7.5 + 7.5 million USD."""
    plan = solved(_two_metals())
    assert plan.objective_musd == pytest.approx(2 * (0.5 + 7.5 + 7.5), rel=1e-9)
    assert plan.builds["units"].tolist() == [1.0, 1.0]
    assert plan.shares["share"].tolist() == pytest.approx([0.75, 0.75], rel=1e-9)


def test_what_the_solver_sees_lies_within_a_few_orders_of_magnitude() -> None:
    ranges = compiled(_two_metals()).ranges()
    for what in ("matrix", "cost", "bound", "side"):
        low, high = ranges[what]
        assert 1e-3 < low <= high < 1e3, what


def test_unscaled_the_same_model_spans_many_orders_of_magnitude() -> None:
    matrix = compile_model(dv.build_model(_two_metals()))
    assert np.abs(matrix.a.data).max() / np.abs(matrix.a.data).min() > 1e4


def test_scales_are_powers_of_two_and_integers_are_not_scaled() -> None:
    matrix = compiled(_two_metals())
    for scale in (matrix.column_scale, matrix.row_scale, np.array([matrix.cost_scale])):
        assert np.array_equal(np.frexp(scale)[0], np.full(len(scale), 0.5))
    assert (matrix.column_scale[matrix.integer] == 1.0).all()
    unscaled = matrix.scaled().toarray() / matrix.row_scale[:, None] / matrix.column_scale[None, :]
    assert np.array_equal(unscaled, matrix.a.toarray())


def test_the_matrix_is_the_model() -> None:
    model = dv.build_model(hand_solved())
    matrix = compile_model(model)
    column, row = matrix.positions(), matrix.row_positions()
    cap = row[id(model.c_cap["china", "JPN", 2031])]
    chinese = column[id(model.v_flow["Osaka", "JPN", "Osaka", "magnet", "CHN", 2031])]
    clean = column[id(model.v_flow["Osaka", "JPN", "Osaka", "magnet", "", 2031])]
    assert matrix.a.toarray()[cap, [chinese, clean]] == pytest.approx([0.2, -0.8])
    assert (matrix.row_lower[cap], matrix.row_upper[cap]) == (-np.inf, 0.0)
    build = column[id(model.v_build["ridge-1", 2033])]
    assert matrix.integer[build]
    assert (matrix.lower[build], matrix.upper[build]) == (0.0, 5.0)
    assert matrix.cost[build] == pytest.approx(0.9 * 0.9216)


@pytest.mark.parametrize("ending", [".mps", ".lp"])
def test_an_exported_model_has_the_same_optimum_and_readable_names(tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"model{ending}"
    size = dv.export_model(hand_solved(), target)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(target)) == highspy.HighsStatus.kOk
    assert (highs.getNumCol(), highs.getNumRow()) == (size["columns"], size["rows"])
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.run()
    assert highs.getInfo().objective_function_value == pytest.approx(HAND_SOLVED_MUSD, rel=1e-6)
    text = target.read_text(encoding="utf-8")
    assert all(name in text for name in ("v_build(ridge_1,2033)", "c_cap(china,JPN,2031)", "c_capacity(ridge,2033)"))


def test_a_sum_that_was_extended_after_a_row_was_made_of_it_leaves_that_row_as_it_is() -> None:
    """Pyomo's sums share the list of their terms: what is added to one later stands in the list of the earlier ones too."""
    model = dv.build_model(hand_solved())
    built = list(model.v_build.values())
    some = 1.0 * built[0] + 2.0 * built[1]
    model.c_some = pyo.Constraint(expr=some <= 7.0)
    model.c_more = pyo.Constraint(expr=some + 3.0 * built[2] <= 9.0)
    matrix = compile_model(model, model.diversify.variables, model.diversify.scale)
    rows = {row.name: position for position, row in enumerate(matrix.rows)}
    column = {id(variable): position for position, variable in enumerate(matrix.columns)}
    found = [
        matrix.a.tocsr()[[rows[name]]].toarray()[0][[column[id(each)] for each in built[:3]]].tolist() for name in ("c_some", "c_more")
    ]
    assert found == [[1.0, 2.0, 0.0], [1.0, 2.0, 3.0]]


def test_a_model_that_is_not_linear_is_refused() -> None:
    model = dv.build_model(hand_solved())
    model.curved = pyo.Constraint(expr=model.v_build["ridge-1", 2031] ** 2 <= 4)
    with pytest.raises(SolverError):
        dv.solve(model=model)


def test_a_maximised_objective_is_refused_rather_than_minimised() -> None:
    model = pyo.ConcreteModel()
    model.x = pyo.Var(bounds=(0, 1))
    model.o = pyo.Objective(expr=model.x, sense=pyo.maximize)
    with pytest.raises(SolverError, match="minimise"):
        compile_model(model)
