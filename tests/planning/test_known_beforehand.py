"""Solving with what is known already: builds that are fixed, a start, a bound; and asking for something else than cost."""

from __future__ import annotations

import pytest
from cases import HAND_SOLVED_MUSD, example, hand_solved

import diversify as dv
from diversify.errors import UsageError
from diversify.planning.program import minimise
from diversify.solve import Options

EXAMPLES = ["random-02", "random-08", "random-17"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_fixing_what_the_optimal_plan_builds_changes_nothing(name: str) -> None:
    plan = dv.solve(example(name), gap=0)
    again = dv.solve(example(name), gap=0, builds=plan.builds)
    assert again.objective_musd == pytest.approx(plan.objective_musd, rel=1e-9)
    assert again.builds.equals(plan.builds)
    assert again.summary["size"]["integers"] == 0
    assert again.summary["audit"]["ok"]


def test_building_nothing_leaves_only_the_pit_and_what_is_short() -> None:
    """Hand-solved case: only Baotou's ore, which the cap allows in 2030 alone; then 100 t are short at 40,000 USD, by D."""
    plan = dv.solve(hand_solved(), gap=0, builds=dv.solve(hand_solved(), gap=0).builds.iloc[:0])
    assert plan.builds.empty
    assert plan.objective_musd == pytest.approx((13_000 + 4e6 * (1.44 + 0.9216)) / 1e6)


def test_a_unit_that_is_late_comes_in_the_next_year_that_is_possible(hand_solved_plan: dv.Plan) -> None:
    """With two years of lead decided in 2030 the unit of 2031 comes in 2033; what no later year can take is left out."""
    late = hand_solved().set("projects[project=ridge-1].lead_years=2")
    builds = dv.solve(late, gap=0, builds=hand_solved_plan.builds).builds
    assert builds[["year", "units"]].to_numpy().tolist() == [[2033, 3]]
    never = hand_solved().set("projects[project=ridge-1].latest_year=2031")
    builds = dv.solve(never, gap=0, builds=hand_solved_plan.builds).builds
    assert builds[["year", "units"]].to_numpy().tolist() == [[2031, 1]]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_start_and_a_bound_change_the_way_and_not_the_answer(name: str) -> None:
    plan = dv.solve(example(name), gap=0)
    again = dv.solve(example(name), gap=0, start=plan.builds, bound_musd=plan.bound_musd)
    assert again.stopped == "optimal"
    assert again.objective_musd == pytest.approx(plan.objective_musd, rel=1e-7)
    assert again.bound_musd == pytest.approx(plan.objective_musd, rel=1e-7)


def test_a_start_that_is_no_plan_is_dropped(hand_solved_plan: dv.Plan) -> None:
    tight = hand_solved().set("projects[project=ridge-1].units_max=2")
    plan = dv.solve(tight, gap=0, start=hand_solved_plan.builds.assign(units=5))
    assert plan.objective_musd == pytest.approx(dv.solve(tight, gap=0).objective_musd)


def test_a_known_bound_that_a_plan_is_near_enough_to_ends_the_solve() -> None:
    plan = dv.solve(hand_solved(), gap=0.5, bound_musd=HAND_SOLVED_MUSD)
    assert plan.stopped == "optimal"
    assert plan.bound_musd is not None
    assert plan.bound_musd >= HAND_SOLVED_MUSD
    assert plan.objective_musd <= 2 * HAND_SOLVED_MUSD


def test_an_absolute_gap_is_in_million_usd_whatever_the_scale() -> None:
    for gap_musd in (0.0, 10.0):
        plan = dv.solve(example("random-17"), gap=0, gap_musd=gap_musd)
        assert plan.stopped == "optimal"
        assert plan.summary["gap_musd"] <= gap_musd + 1e-5
    with pytest.raises(UsageError, match="gap"):
        dv.solve(hand_solved(), gap_musd=-1)


def test_another_question_than_cost_is_answered_and_the_model_stays_as_it_was() -> None:
    """The least that can be short in the hand-solved case is nothing; it takes three units (one in 2031, and two in 2033)."""
    model = dv.build_model(hand_solved())
    least = minimise(model, sum(model.v_short.values()), Options(gap=0.0))
    assert least.outcome.objective == pytest.approx(0.0)
    fewest = minimise(model, sum(model.v_build.values()) + 10 * sum(model.v_short.values()), Options(gap=0.0))
    assert fewest.outcome.objective == pytest.approx(3.0)
    assert fewest.builds["units"].sum() == 3
    assert sum(fewest.value(variable) for variable in model.v_build.values()) == pytest.approx(3.0)
    assert dv.solve(model=model, gap=0).objective_musd == pytest.approx(HAND_SOLVED_MUSD)
