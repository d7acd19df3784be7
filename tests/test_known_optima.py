"""Optima that were found by hand or by formulations that share nothing with this one."""

from __future__ import annotations

import pytest
from cases import HAND_SOLVED_MUSD, KNOWN_OPTIMA, example, solved

import diversify as dv


def _cases() -> list[tuple[str, str, float]]:
    return [
        (name, key.removeprefix("scenario ") if key.startswith("scenario ") else "", value)
        for name, entry in KNOWN_OPTIMA.items()
        for key, value in entry.items()
        if key == "objective_musd" or key.startswith("scenario ")
    ]


@pytest.mark.parametrize(("name", "scenario", "optimum"), [pytest.param(*case, id="-".join(filter(None, case[:2]))) for case in _cases()])
def test_the_known_optimum_is_met_and_audited(name: str, scenario: str, optimum: float) -> None:
    case = example(name)
    plan = solved(case.scenario(scenario) if scenario else case)
    assert plan.objective_musd == pytest.approx(optimum, rel=1e-6)
    assert plan.bound_musd == pytest.approx(optimum, rel=1e-6)
    assert plan.costs["musd"].sum() == pytest.approx(plan.objective_musd, rel=1e-12)
    assert plan.consumer_costs["musd"].sum() == pytest.approx(plan.objective_musd, rel=1e-9)


def test_the_hand_solved_case_costs_what_the_hand_says(hand_solved_plan: dv.Plan) -> None:
    assert hand_solved_plan.objective_musd == pytest.approx(HAND_SOLVED_MUSD, rel=1e-9)


def test_the_hand_solved_case_builds_one_unit_and_then_two(hand_solved_plan: dv.Plan) -> None:
    builds = hand_solved_plan.builds[["year", "units", "capacity_t_per_year", "capex_musd"]]
    assert builds.to_dict("list") == {
        "year": [2031, 2033],
        "units": [1.0, 2.0],
        "capacity_t_per_year": [30.0, 60.0],
        "capex_musd": [1.0, 2.0],
    }


def test_the_hand_solved_case_pays_annuities_at_the_cost_of_capital_of_the_plants_country(hand_solved_plan: dv.Plan) -> None:
    capital = hand_solved_plan.costs.query("category == 'capital'").set_index("year")["musd"]
    assert capital.to_dict() == pytest.approx({2031: 0.9 * 1.44, 2033: 1.8 * 0.9216})


def test_the_hand_solved_case_meets_its_caps_exactly(hand_solved_plan: dv.Plan) -> None:
    shares = hand_solved_plan.shares.set_index("year")
    assert shares["limit"].to_dict() == pytest.approx({2030: 1.0, 2031: 0.8, 2033: 0.4})
    assert shares["share"].to_dict() == pytest.approx({2030: 1.0, 2031: 0.8, 2033: 0.4})
