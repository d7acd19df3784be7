"""The problem of means against instances that say the mean themselves (case: :mod:`uncertain`)."""

from __future__ import annotations

import pytest
from uncertain import BAN, SQUEEZE, Scenarios, case_of, cost_musd, ridge, staged

import diversify as dv
from diversify.planning.mean import MeanProgram, mean_program
from diversify.solve import Options, run


def mean_of(case: dv.Instance) -> MeanProgram:
    """Return the problem of means of a case's scenarios by their own probabilities."""
    rows = case.records("scenarios")
    return mean_program([staged(case, str(row["scenario"])) for row in rows], [float(str(row["probability"])) for row in rows])


def least(case: dv.Instance) -> float:
    """Return the optimum of the problem of means."""
    outcome = run(mean_of(case).matrix, Options(gap=0.0))
    assert outcome.stopped == "optimal"
    return outcome.objective


def needs(*amounts: float) -> list[str]:
    """Return changes that set demand in 2031 and 2032."""
    return [f"demand[year={year}].quantity_t_per_year={amount}" for year, amount in zip((2031, 2032), amounts, strict=True)]


def test_demand_that_differs_is_at_its_mean() -> None:
    """Under a ban units are whole, so that the mean of the demands is not the mean of what they cost."""
    case = case_of({"low": (0.5, [BAN, *needs(60, 20)]), "high": (0.3, [BAN, *needs(100, 90)]), "none": (0.2, [BAN, *needs(0, 0)])})
    plain = cost_musd(case.set(BAN, *needs(0.5 * 60 + 0.3 * 100, 0.5 * 20 + 0.3 * 90)))
    assert least(case) == pytest.approx(plain)
    assert plain != pytest.approx(0.5 * cost_musd(case.scenario("low")) + 0.3 * cost_musd(case.scenario("high")))


@pytest.mark.parametrize("change", [BAN, SQUEEZE])
def test_a_limit_that_a_scenario_does_not_have_is_not_there_on_average(change: str) -> None:
    case = case_of({"calm": (0.01, ()), "limited": (0.99, (change,))})
    assert least(case) == pytest.approx(cost_musd(case))


def test_limits_that_all_scenarios_have_are_at_their_mean() -> None:
    """A limit of 0 is a lane that is not there; its limit on average counts as 0 all the same where others have one."""
    limits = [SQUEEZE.replace("=60", f"={amount}") for amount in (20, 80)]
    case = case_of({"tight": (0.25, limits[:1]), "wide": (0.75, limits[1:])})
    assert least(case) == pytest.approx(cost_musd(case.set(SQUEEZE.replace("=60", "=65"))))


def test_a_plant_that_fails_in_a_scenario_is_there_with_the_probability_of_the_others() -> None:
    """Of 80 t a year at the port 0.7 x 80 = 56 t are there on average."""
    capacity = [{"facility": "port", "year": year, "capacity_t_per_year": 80} for year in (2030, 2031)]
    facilities = case_of().records("facilities")
    case = case_of(
        {"calm": (0.7, ()), "outage": (0.3, ("capacities[year=2031].capacity_t_per_year=0",))}, capacities=capacity, facilities=facilities
    )
    assert least(case) == pytest.approx(cost_musd(case.set("capacities[year=2031].capacity_t_per_year=x0.7")))


def test_costs_are_at_their_mean() -> None:
    """Duties of 2031 on average: 0.25 x 400 % of 100 USD per t of ore, which costs nothing more in the year before."""
    prices = [{"commodity": "ore", "price_usd_per_t": 100}]
    duty = "+tariffs[tariff=duty,origin=CHN,destination=*,commodity=ore,rate={},first_year=2031]"
    scenarios: Scenarios = {"free": (0.75, (duty.format(0),)), "duty": (0.25, (duty.format(4),))}
    case = case_of(scenarios, commodities=prices)
    assert least(case) == pytest.approx(cost_musd(case.set(duty.format(1))))


def test_what_the_mean_decides_is_named_as_in_every_scenario() -> None:
    """A mean ban of 1 in 1: both units of the ridge, decided in 2030, whether they come on line in 2031 or, delayed, in 2032."""
    delay = "projects[project=ridge].lead_years=plus 1"
    for scenarios in ({"only": (1.0, (BAN,))}, {"one": (0.5, (BAN,)), "other": (0.5, (BAN, delay))}):
        mean = mean_of(case_of(scenarios, projects=[ridge()]))
        outcome = run(mean.matrix, Options(gap=0.0))
        assert outcome.x is not None
        assert mean.decisions(outcome.x)["v_build", "ridge", 2030.0] == 2.0


def test_a_scenario_without_probability_does_not_move_the_mean() -> None:
    case = case_of({"calm": (1.0, ()), "ban": (0.0, (BAN, *needs(500, 500)))})
    assert least(case) == pytest.approx(cost_musd(case))
