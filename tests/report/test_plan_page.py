"""The page about a plan: sentences that promise no more than is proved, and tables that agree with the plan's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cases import hand_solved

import diversify as dv
from diversify.plan import empty_tables
from diversify.report.caps import cap_cost_sentence
from diversify.report.plan import demand_by_country, headline, plan_page
from diversify.report.terminal import rendered


def with_summary(plan: dv.Plan, **changes: Any) -> dv.Plan:
    return replace(plan, summary={**plan.summary, **changes})


def holding_none(stopped: str, bound: float | None = None) -> dv.Plan:
    summary = {"instance": "hand-solved", "stopped": stopped, "holds": "none", "objective_musd": None, "bound_musd": bound, "gap": None}
    return dv.Plan(hand_solved(), summary, empty_tables())


def test_only_a_proved_plan_is_called_the_cheapest(hand_solved_plan: dv.Plan) -> None:
    assert "The cheapest plan costs" in headline(with_summary(hand_solved_plan, gap=0.0, gap_musd=0.0))
    for stopped in ("optimal", "time_limit", "interrupted", "error"):
        text = headline(with_summary(hand_solved_plan, stopped=stopped, gap=0.01, gap_musd=0.03, bound_musd=2.97))
        assert "heapest plan" not in text
        assert "It is not proved optimal: a plan could be cheaper by at most 1.00 % or 0.03 million USD." in text


def test_a_plan_stopped_at_gap_0_by_the_clock_is_not_called_the_cheapest(hand_solved_plan: dv.Plan) -> None:
    assert "heapest plan" not in headline(with_summary(hand_solved_plan, stopped="time_limit", gap=0.0, gap_musd=0.0))


def test_an_unknown_bound_is_said_to_be_unknown(hand_solved_plan: dv.Plan) -> None:
    text = headline(with_summary(hand_solved_plan, stopped="time_limit", bound_musd=None, gap=None, gap_musd=None))
    assert "how much cheaper a plan could be is not known" in text


@pytest.mark.parametrize(
    ("stopped", "words"),
    [
        ("infeasible", "There is no plan"),
        ("unbounded", "There is no least-cost plan"),
        ("time_limit", "Stopped by the time limit before any plan was found"),
        ("interrupted", "Stopped by Ctrl-C before any plan was found"),
        ("error", "holds no plan"),
    ],
)
def test_every_way_to_hold_none_has_its_words(stopped: str, words: str) -> None:
    assert words in headline(holding_none(stopped))


def test_a_bound_without_a_plan_is_told() -> None:
    assert "No plan can cost less than 12.00 million USD." in headline(holding_none("time_limit", 12.0))


def test_scenario_and_changes_stand_in_the_headline(hand_solved_plan: dv.Plan) -> None:
    assert headline(with_summary(hand_solved_plan, scenario="shock", changes=["a", "b"])).startswith(
        "hand-solved, scenario shock, 2 changes by --set: "
    )


def test_tables_show_what_the_plan_holds(hand_solved_plan: dv.Plan) -> None:
    page = rendered(plan_page(hand_solved_plan), width=100)
    built = [line.split() for line in page.split("\n") if "ridge-1" in line]
    assert built == [
        ["2031-2031", "ridge-1", "mining", "Denver,", "USA", "1", "30.0", "1.00"],
        ["2033-2033", "ridge-1", "mining", "Denver,", "USA", "2", "60.0", "2.00"],
    ]
    shares = {line.split()[0]: line.split()[1:3] for line in page.split("\n") if line.startswith(("2030 ", "2031 ", "2033 "))}
    assert shares == {"2030": ["100.0", "100.0*"], "2031": ["80.0", "80.0*"], "2033": ["40.0", "40.0*"]}
    assert "All demand is met." in page


def test_shortage_is_told_with_its_part_of_demand() -> None:
    case = hand_solved().replace(projects=None)
    plan = dv.solve(case, gap=0)
    page = rendered(plan_page(plan), width=100)
    assert ["magnet", "JPN", "2033", "100", "100.0", "4.00"] in [line.split() for line in page.split("\n")]
    assert "Nothing is built." in page


def test_demand_is_linear_between_listed_years_and_summed_over_places() -> None:
    tables = hand_solved().tables
    rows = [("Osaka", 2030, 100.0), ("Osaka", 2033, 400.0)]
    demand = [{"location": place, "commodity": "magnet", "year": year, "quantity_t_per_year": quantity} for place, year, quantity in rows]
    wanted = demand_by_country(hand_solved().replace(demand=demand))
    assert len(tables["demand"]) == 1
    assert wanted == {("magnet", "JPN", 2030): 100.0, ("magnet", "JPN", 2031): 200.0, ("magnet", "JPN", 2033): 400.0}


@pytest.mark.parametrize(
    ("band", "words"),
    [
        ({"low": 1.0, "high": 2.0}, "The caps cost between 1.00 and 2.00 million USD (10.00 to 20.00 %)."),
        ({"low": None, "high": 2.0}, "The caps cost at most 2.00 million USD"),
        ({"low": 1.0, "high": None}, "The caps cost at least 1.00 million USD"),
        ({"low": None, "high": None}, "What the caps cost is not known: without them the case was not solved in the time given."),
    ],
)
def test_the_cost_of_caps_is_a_band_or_said_to_be_unknown(band: dict[str, float | None], words: str) -> None:
    rest = {"low_share": 0.1, "high_share": 0.2, "objective_musd": 10.0, "bound_musd": 9.0, "stopped": "time_limit"}
    assert words in cap_cost_sentence({**rest, **band})


@pytest.mark.parametrize("width", [80, 120])
def test_the_page_keeps_to_its_width(hand_solved_plan: dv.Plan, width: int) -> None:
    assert max(map(len, rendered(plan_page(hand_solved_plan), width=width).split("\n"))) <= width
