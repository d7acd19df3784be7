"""Each constraint's printed row, against what the data say."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from all_features import all_features
from cases import instance
from printed import lines, printed, terms
from rows import ROWS

import diversify as dv
import diversify.model

D = {2026: 1.0, 2027: 1.44, 2029: 0.9216}
ANNUITY = 81.0 / 130.0
ANNUITY_JPN = 0.25 / (1.0 - 1.25**-10)


@pytest.fixture(scope="module")
def model() -> Any:
    return dv.build_model(all_features())


def stated_constraints() -> dict[str, str]:
    """Return the constraint functions of the families by name, with their docstrings."""
    found = {}
    for path in sorted(Path(diversify.model.__path__[0]).glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("c_"):
                found[node.name] = ast.get_docstring(node) or ""
    return found


@pytest.mark.parametrize(("name", "key", "row"), [pytest.param(*row, id=f"{row[0]}-{row[1]}") for row in ROWS])
def test_the_row_reads_as_the_data_say(model: Any, name: str, key: object, row: str) -> None:
    assert printed(model.component(name)[key]) == lines(row)


def test_every_constraint_has_a_row_test(model: Any) -> None:
    tested = {name for name, _, _ in ROWS}
    assert tested == {constraint.name for constraint in model.component_objects(pyo.Constraint)}
    assert tested == set(stated_constraints())


def test_every_constraint_states_its_formula_and_its_unit() -> None:
    for name, text in stated_constraints().items():
        formula = text.split("\n\n")[0]
        assert "=" in formula, f"{name} has no formula"
        assert formula.rstrip(".").endswith(")") or "(t" in formula, f"{name} does not say its unit"


def _of(model: Any, category: str, block: str) -> dict[str, float]:
    """Return the undiscounted USD per unit and year of a category's terms in one block of variables, by key and year."""
    coefficients, _ = terms(model.e_cost[category])
    found = {name: value * 1e6 for name, value in coefficients.items() if name.startswith(block + "[")}
    return {name: round(value / D[int(name.rstrip("]").rsplit(",", 1)[1])], 6) for name, value in found.items()}


def _one(values: dict[str, float], start: str) -> set[float]:
    return {value for name, value in values.items() if name.startswith(start)}


def test_variable_cost_is_that_of_the_process_in_every_year(model: Any) -> None:
    runs = _of(model, "variable", "v_run")
    expected = {"v_run[pit,mining": 10, "v_run[ridge,mining": 20, "v_run[works,making": 100, "v_run[works,recasting": 60}
    assert {start: _one(runs, start) for start in expected} == {start: {float(cost)} for start, cost in expected.items()}
    assert _one(runs, "v_run[press,pressing") == {50.0}


def test_freight_is_handling_and_distance_and_nothing_within_a_place(model: Any) -> None:
    flows = _of(model, "freight", "v_flow")
    assert _one(flows, "v_flow[Baotou,CHN,Osaka,ore") == {10 + 0.01 * 1000}
    assert _one(flows, "v_flow[Denver,USA,Osaka,ore") == {10 + 0.01 * 9000}
    assert _one(flows, "v_flow[Osaka,JPN,Denver,magnet") == {5.0}
    assert _one(flows, "v_flow[Osaka,JPN,Osaka") == set()


def test_tariffs_that_match_add_up(model: Any) -> None:
    flows = _of(model, "tariff", "v_flow")
    assert flows["v_flow[Baotou,CHN,Osaka,ore,china,2026]"] == 10.0
    assert flows["v_flow[Baotou,CHN,Osaka,ore,china,2027]"] == 15.0
    assert flows["v_flow[Denver,USA,Osaka,ore,,2029]"] == 5.0
    assert len(flows) == 5


def test_the_fixed_cost_of_what_stands_is_a_constant_that_closing_saves(model: Any) -> None:
    _, constant = terms(model.e_cost["fixed"])
    assert constant * 1e6 == pytest.approx(5 * (100 * D[2026] + 100 * D[2027] + 80 * D[2029]))
    assert set(_of(model, "fixed", "v_close").values()) == {-5.0}


def test_a_unit_pays_annuity_and_fixed_cost_in_every_year_of_service(model: Any) -> None:
    capital, fixed = terms(model.e_cost["capital"])[0], terms(model.e_cost["fixed"])[0]
    both_years = D[2027] + D[2029]
    assert capital["v_build[ridge-1,2027]"] == pytest.approx(3 * ANNUITY * both_years)
    assert capital["v_build[ridge-1,2029]"] == pytest.approx(3 * ANNUITY * D[2029])
    assert fixed["v_build[ridge-1,2027]"] == pytest.approx(2 * 30 * both_years / 1e6)
    assert capital["v_build[works-1,2029]"] == pytest.approx(0.1 * ANNUITY_JPN * D[2029])


def test_the_first_unit_cost_pays_its_annuity_from_its_purchase(model: Any) -> None:
    capital, _ = terms(model.e_cost["capital"])
    assert capital["v_open[ridge-1,2027]"] == pytest.approx(1 * ANNUITY * (D[2027] + D[2029]))
    assert capital["v_open[ridge-1,2029]"] == pytest.approx(1 * ANNUITY * D[2029])


@pytest.mark.parametrize(
    ("category", "block", "values"),
    [
        ("shortage", "v_short", {5000.0, 8000.0}),
        ("substitution", "v_deliver", {150.0}),
        ("disposal", "v_dispose", {6.0}),
        ("holding", "v_stock", {4.0}),
        ("cap_excess", "v_excess", {1000.0}),
        ("sales", "v_sell", {-30.0}),
    ],
)
def test_the_category_costs_the_figure_of_the_data(model: Any, category: str, block: str, values: set[float]) -> None:
    assert set(_of(model, category, block).values()) == values


def test_the_objective_is_the_sum_of_its_categories(model: Any) -> None:
    total, constant = terms(model.o_cost.expr)
    summed: dict[str, float] = {}
    for category in model.e_cost:
        for name, value in terms(model.e_cost[category])[0].items():
            summed[name] = summed.get(name, 0.0) + value
    assert total == pytest.approx(summed)
    assert constant == pytest.approx(sum(terms(model.e_cost[category])[1] for category in model.e_cost))


def test_units_are_integers_and_sized_capacity_is_not(model: Any) -> None:
    assert {name for name in model.v_build if model.v_build[name].is_integer()} == {("ridge-1", 2027), ("ridge-1", 2029)}
    assert all(model.v_open[name].ub == 1 and model.v_open[name].is_integer() for name in model.v_open)


def test_bounds_come_from_the_data(model: Any) -> None:
    assert model.v_run["ridge", "mining", "", 2029].ub == 60.0
    assert model.v_run["works", "recasting", "china", 2029].ub == 0.5 * 0.75 * (40 + 10) / 0.5
    assert model.v_close["pit", 2029].ub == 80.0
    assert model.v_short["Denver", "magnet", 2027].ub == 5.0
    assert model.v_build["works-1", 2029].ub == 20.0


def test_a_row_that_nothing_can_satisfy_stays_in_the_model() -> None:
    case = instance(
        {
            "commodities": [{"commodity": "ore"}],
            "countries": [{"country": "USA"}],
            "locations": [{"location": "Denver", "country": "USA"}],
            "demand": [{"location": "Denver", "commodity": "ore", "quantity_t_per_year": 3}],
        }
    )
    stated = dv.build_model(case)
    assert printed(stated.c_demand["Denver", "ore", 2030]) == "1 v_never[nothing can satisfy this]\n= 3"
    assert stated.v_never["nothing can satisfy this"].ub == 0.0
