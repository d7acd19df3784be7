"""Stress: held to cases worked by hand, in which nobody foresees what comes, and to regret where there is nothing to foresee."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cases import Row, Rows, instance
from click.testing import CliRunner, Result
from ridge import ridge_case

import diversify as dv
from diversify.analyses.executor import Executor
from diversify.analyses.regret import regret
from diversify.analyses.stress import LAYOUT, stress
from diversify.analyses.stress.past import delayed
from diversify.cli import command
from diversify.errors import UsageError
from diversify.report.stress import stress_page
from diversify.report.terminal import rendered


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-6, abs=1e-7)


def cells(answer: dv.Answer) -> dict[str, dict[str, Any]]:
    """Return the cells of an answer about one plan by scenario."""
    return {cell["scenario"]: cell for cell in answer.summary["scenarios"]}


def page(answer: dv.Answer) -> str:
    return " ".join(rendered(stress_page(answer.summary, answer.tables), width=110).split())


def two_plants(reveal: int | None = 2031, **more: Rows) -> dv.Instance:
    """A case worked by hand.

    Osaka wants 100 t a year in 2030, 2031 and 2032, or 20,000 USD for each tonne short. The near pit (JPN) yields 60 t a year at 100 USD
    per t, the far pit (CHN) any amount at 10. A stockpile in Osaka holds up to 50 t at 1 USD per t and year; a unit of 40 t/yr
    can be added to the near pit, decided a year before it comes, from 2031 on: 0.1 million USD, over one year of life, so
    paid in each year in which it is bought. No interest. As it is, all comes from the far pit: 3 x 100 x 10 = 3,000 USD.

    In 2031 the scenario *ban* cuts the far pit off, for that year. Who did not know has no stock and no unit: 60 t come from near,
    40 t are short. 2030 and 2032 cost 1,000 USD each, 2031 60 x 100 + 40 x 20,000 = 806,000: 808,000 USD together. It breaks in 2031 in
    Osaka: 40 t of 100, 0.4 x 52 = 20.8 weeks.

    Who knew would have laid in 50 t in 2030 at 10 USD and held them over one year's end, for 1 USD: 1,550 USD in 2030, 50 t from near for
    5,000 in 2031, 1,000 in 2032: 7,550 USD.
    """
    mine: Row = {"process": "mining", "capacity_t_per_year": 60, "variable_usd_per_t": 100}
    ban: Row = {"restriction": "ban", "origin": "CHN", "destination": "*", "commodity": "ore"}
    told = ",".join(f"{key}={value}" for key, value in (ban | {"first_year": 2031, "last_year": 2031, "limit_t_per_year": 0}).items())
    tables: dict[str, Rows] = {
        "commodities": [{"commodity": "ore"}],
        "processes": [{"process": "mining", "reference": "ore"}],
        "recipes": [{"process": "mining", "commodity": "ore", "amount_t_per_t": 1}],
        "countries": [{"country": "CHN"}, {"country": "JPN"}],
        "locations": [
            {"location": "Baotou", "country": "CHN"},
            {"location": "Kobe", "country": "JPN"},
            {"location": "Osaka", "country": "JPN"},
        ],
        "facilities": [
            {"facility": "near", "location": "Kobe"} | mine,
            {"facility": "far", "location": "Baotou"} | mine | {"capacity_t_per_year": 1000, "variable_usd_per_t": 10},
        ],
        "projects": [
            {"project": "more", "facility": "near", "unit_t_per_year": 40, "units_max": 1, "capex_unit_musd": 0.1}
            | {"life_years": 1, "lead_years": 1, "decided_year": 2030}
        ],
        "lanes": [{"origin": name, "destination": "Osaka", "commodity": "ore", "cost_usd_per_t": 0} for name in ("Baotou", "Kobe")],
        "stockpiles": [{"location": "Osaka", "commodity": "ore", "capacity_t": 50, "holding_usd_per_t_year": 1}],
        "demand": [{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100, "shortage_usd_per_t": 20_000}],
        "scenarios": [{"scenario": "ban"}, {"scenario": "dear"}],
        "changes": [
            {"scenario": "ban", "change": f"+restrictions[{told}]"},
            {"scenario": "dear", "change": "facilities[facility=far].variable_usd_per_t=20"},
        ],
    }
    case = instance(tables | more, years=(2030, 2031, 2032), name="two-plants")
    return case if reveal is None else case.set(f"instance.reveal_year={reveal}")


@cache
def two_plants_plan(reveal: int | None = 2031) -> dv.Plan:
    plan = dv.solve(two_plants(reveal), gap=0)
    assert plan.objective_musd == near(3000 / 1e6)
    assert plan.builds.empty and plan.stocks.empty
    return plan


@cache
def two_plants_answer() -> dv.Answer:
    return stress(two_plants(), two_plants_plan(), gap=0)


def test_what_nobody_foresaw_costs_and_breaks_as_by_hand() -> None:
    cell = cells(two_plants_answer())["ban"]
    assert (cell["foresight"], cell["stopped"]) == (False, "optimal")
    assert cell["cost_musd"] == near(808_000 / 1e6)
    assert cell["dearer_musd"] == near(805_000 / 1e6)
    assert cell["regret_musd"] == near((808_000 - 7_550) / 1e6)
    assert (cell["shortage_t"], cell["shortage_beyond_t"]) == (near(40), near(40))
    breaks = cell["breaks"]
    assert (breaks["kind"], breaks["year"], breaks["location"], breaks["commodity"]) == ("shortage", 2031, "Osaka", "ore")
    assert (breaks["missing_t_per_year"], breaks["share"], breaks["weeks"]) == (near(40), near(0.4), near(20.8))
    assert (breaks["everywhere_t_per_year"], breaks["everywhere_share"]) == (near(40), near(0.4))
    assert cell["cover_weeks"] == 0.0


def test_a_plan_breaks_nowhere_in_its_own_case_and_a_scenario_that_shows_early_is_foreseen() -> None:
    found = cells(two_plants_answer())
    assert (found["base"]["cost_musd"], found["base"]["breaks"], found["base"]["foresight"]) == (near(3000 / 1e6), None, False)
    assert (found["dear"]["cost_musd"], found["dear"]["foresight"]) == (near(6000 / 1e6), True)
    assert "far" in found["dear"]["foresight_because"]


def test_without_a_reveal_year_a_plan_lays_in_what_it_needs_and_the_answer_says_so() -> None:
    """Known from the start, 50 t of stock make up for the ban: 7,550 USD, and no regret."""
    cell = cells(stress(two_plants(None), two_plants_plan(None), scenarios=["ban"], gap=0))["ban"]
    assert (cell["foresight"], cell["foresight_because"], cell["breaks"]) == (True, "there is no reveal year", None)
    assert cell["cost_musd"] == near(7_550 / 1e6)
    assert cell["regret_musd"] == near(0.0)


def test_a_stock_that_the_plan_holds_is_there_when_it_is_needed() -> None:
    """The far pit yields 90 t from 2031 on, and 10 t from near would cost 90 USD more each:
    the plan lays in 20 t in 2030 for both years.

    When the ban comes they are drawn: 20 t are short instead of 40. They last for 20 / (100 / 52) = 10.4 weeks.
    """
    sizes = ((2030, 1000), (2031, 90))
    case = two_plants(capacities=[{"facility": "far", "year": year, "capacity_t_per_year": size} for year, size in sizes])
    plan = dv.solve(case, gap=0)
    assert plan.stocks.loc[plan.stocks["year"] == 2030, "stock_t"].tolist() == [near(20)]
    answer = stress(case, plan, scenarios=["ban"], gap=0)
    cell = cells(answer)["ban"]
    assert (cell["shortage_beyond_t"], cell["cover_weeks"]) == (near(20), near(10.4))
    assert answer.summary["cover"] == [
        {"plan": "plan", "commodity": "ore", "country": "JPN", "stock_t": near(20), "use_t_per_year": near(100), "weeks": near(10.4)}
    ]


def test_with_adapt_what_the_reveal_leaves_open_is_planned_anew() -> None:
    """A unit costs 0.1 million USD a year and saves 40 t short of 20,000 each, 0.8 million; but it takes a year to come.

    Shown in 2031, the ban of 2031 is too early for it. A ban that lasts to 2032 leaves 2032 to be saved: a unit decided in 2031 yields 40 t
    at 100 USD. So 1,000 + 806,000 + (10,000 + 100,000) = 917,000 USD, against 1,000 + 2 x 806,000 of the plan as it is.
    """
    changes = two_plants().table("changes")
    longer = two_plants().replace(changes=changes.assign(change=changes["change"].str.replace("last_year=2031", "last_year=2032")))
    plan = dv.solve(longer, gap=0)
    answer = stress(longer, plan, scenarios=["ban"], adapt=True, gap=0)
    kept, anew = cells(stress(longer, plan, scenarios=["ban"], gap=0))["ban"], cells(answer)["ban"]
    assert kept["cost_musd"] == near((1_000 + 2 * 806_000) / 1e6)
    assert anew["cost_musd"] == near(917_000 / 1e6)
    assert (anew["breaks"]["year"], anew["shortage_t"]) == (2031, near(40))
    assert answer.builds[["project", "year", "units"]].to_numpy().tolist() == [["more", 2032, 1.0]]
    with pytest.raises(UsageError, match="no reveal_year"):
        stress(two_plants(None), two_plants_plan(None), adapt=True)


def test_where_no_plan_is_left_the_break_is_told_from_a_softened_copy() -> None:
    """Demand must be met, and under the ban 40 t of it cannot be."""
    case = two_plants().set("demand[].shortage_usd_per_t=default")
    answer = stress(case, dv.solve(case, gap=0), scenarios=["ban"], gap=0)
    cell = cells(answer)["ban"]
    assert (cell["stopped"], cell["cost_musd"], cell["regret_musd"], cell["softened"]) == ("infeasible", None, None, "optimal")
    assert cell["need_usd_per_t"] == near(10 * 100)
    assert (cell["breaks"]["kind"], cell["breaks"]["year"], cell["breaks"]["missing_t_per_year"]) == ("shortage", 2031, near(40))
    assert answer.summary["regret_musd"] == {"plan": {"ban": None}}
    assert "no plan is left, and 40 t more are short" in page(answer)


def test_a_hard_cap_that_cannot_be_kept_is_named() -> None:
    """From 2032 on no more than half may come from the far pit, which 60 t from near allow.

    In the scenario near yields only 20 t in 2032: 80 come from far, 30 t above the 50 that the cap leaves to a demand of 100.
    """
    cap: Row = {"cap": "half", "share": 0.5, "commodity": "ore", "consumers": "JPN", "sources": "CHN", "basis": "produced"}
    case = two_plants(
        demand=[{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100}],
        caps=[cap | {"year": 2032}],
        stockpiles=[],
        scenarios=[{"scenario": "flood"}],
        changes=[
            {"scenario": "flood", "change": f"+capacities[facility=near,year={year},capacity_t_per_year={size}]"}
            for year, size in ((2030, 60), (2032, 20))
        ],
    )
    cell = cells(stress(case, dv.solve(case, gap=0), scenarios=["flood"], gap=0))["flood"]
    assert (cell["stopped"], cell["foresight"], cell["softened"]) == ("infeasible", False, "optimal")
    breaks = cell["breaks"]
    assert (breaks["kind"], breaks["year"], breaks["cap"], breaks["missing_t_per_year"]) == ("cap", 2032, "half", near(30))


def test_what_is_closed_stays_closed() -> None:
    """The near pit costs 1.2 million USD a year to keep: the plan closes it at once, and has nothing when the ban comes."""
    near_pit: Row = {"facility": "near", "location": "Kobe", "process": "mining", "capacity_t_per_year": 60, "variable_usd_per_t": 100}
    far: Row = {"facility": "far", "location": "Baotou", "process": "mining", "capacity_t_per_year": 1000, "variable_usd_per_t": 10}
    case = two_plants(facilities=[near_pit | {"closable": True, "fixed_usd_per_t_year": 20_000}, far], projects=[])
    plan = dv.solve(case, gap=0)
    assert plan.closures["closed_t_per_year"].tolist() == [60.0] * 3
    cell = cells(stress(case, plan, scenarios=["ban"], gap=0))["ban"]
    assert cell["shortage_t"] == near(100)
    assert cell["cost_musd"] == near((1_000 + 100 * 20_000 + 1_000) / 1e6)


def test_what_was_taken_from_a_reserve_is_gone() -> None:
    """Near holds 100 t in all and is the cheaper one here: the plan has used 60 t of it in 2030, and 40 t are left for the ban."""
    near_pit: Row = {"facility": "near", "location": "Kobe", "process": "mining", "capacity_t_per_year": 60, "variable_usd_per_t": 1}
    far: Row = {"facility": "far", "location": "Baotou", "process": "mining", "capacity_t_per_year": 1000, "variable_usd_per_t": 10}
    interest = two_plants(facilities=[near_pit | {"reserve_t": 100}, far], projects=[], stockpiles=[]).set("instance.discount_rate=0.1")
    plan = dv.solve(interest, gap=0)
    used = plan.activity[plan.activity["facility"] == "near"].groupby("year")["activity_t_per_year"].sum()
    assert used[2030] == near(60)
    assert cells(stress(interest, plan, scenarios=["ban"], gap=0))["ban"]["shortage_t"] == near(60)


def test_units_decided_before_a_delay_showed_come_as_late_as_it_makes_them() -> None:
    builds = pd.DataFrame({"project": ["more", "more"], "year": [2031, 2032], "decided_year": [2030.0, 2031.0]})
    slow = two_plants().set("projects[].lead_years=2")
    assert delayed(slow, builds, 2031)["year"].tolist() == [2032, 2032]


@pytest.mark.slow
def test_where_nothing_is_to_be_foreseen_it_is_what_regret_says() -> None:
    """The case of regret by hand has no reveal year, no stock and no closure: cost, regret and minimax are the same."""
    plans = {name: dv.solve(ridge_case() if name == "base" else ridge_case().scenario(name), gap=0) for name in ("base", "low")}
    scenarios = ["base", "high", "low", "slow"]
    tested = stress(ridge_case(), plans, scenarios=scenarios, gap=0).summary
    judged = regret(plans, scenarios=scenarios, gap=0).summary
    for ours, theirs in zip(tested["scenarios"], judged["cells"], strict=True):
        for name in ("plan", "scenario", "stopped", "moved", "left_out"):
            assert ours[name] == theirs[name]
        for name in ("cost_musd", "regret_musd", "regret_high_musd", "shortage_t"):
            assert ours[name] == near(theirs[name])
    assert (tested["minimax"], tested["minimax_proved"]) == (judged["minimax"], judged["minimax_proved"])
    by_pair = {(cell["plan"], cell["scenario"]): cell["regret_musd"] for cell in judged["cells"]}
    assert tested["regret_musd"]["low"]["high"] == near(by_pair["low", "high"])


def test_what_does_not_make_sense_is_refused() -> None:
    plan = two_plants_plan()
    for case, plans, scenarios in (
        (two_plants(), {}, None),
        (two_plants(), plan, ["nonesuch"]),
        (two_plants(), plan, ["ban", "ban"]),
        (two_plants().scenario("ban"), plan, None),
    ):
        with pytest.raises(UsageError):
            stress(case, plans, scenarios=scenarios)


def test_the_page_says_what_hits_hardest_and_where_it_breaks() -> None:
    text = page(two_plants_answer())
    assert ": ban hits plan hardest: 40 t more are short than planned" in text
    assert "It breaks first in 2031: Osaka lacks 40 t/yr of ore (40.0 % of its demand, 20.8 weeks of a year" in text
    assert "No plan holds any stock before 2031." in text


@pytest.fixture
def run_command(tmp_path: Path) -> Callable[..., Result]:
    env = {"COLUMNS": "100", "DIVERSIFY_CACHE": str(tmp_path / "cache")}
    return lambda *words: CliRunner(env=env).invoke(command, [str(word) for word in words])


def test_the_command_answers_as_the_function_does(run_command: Callable[..., Result], tmp_path: Path) -> None:
    folder = two_plants_plan().save(tmp_path / "plan")
    dv.save(two_plants(), tmp_path / "case.json")
    words = ["stress", tmp_path / "case.json", folder, "--scenario", "ban", "--gap", 0, "--workers", 1]
    result = run_command(*words, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {"instance", "plans", "scenarios", "regret_musd", "cover", "least", "minimax", "minimax_proved"} <= set(found)
    (cell,) = found["scenarios"]
    assert {"plan", "scenario", "foresight", "stopped", "cost_musd", "bound_musd", "shares", "breaks", "cover_weeks"} <= set(cell)
    assert found["regret_musd"] == {str(folder): {"ban": near((808_000 - 7_550) / 1e6)}}
    shown = run_command(*words, "--adapt", "--out", tmp_path / "answer")
    assert shown.exit_code == 0, shown.output
    assert "hits" in shown.stdout
    assert {f"{name}.csv" for name in LAYOUT} <= {file.name for file in (tmp_path / "answer").iterdir()}


@pytest.mark.slow
def test_the_answer_does_not_depend_on_workers_and_goes_on_from_what_is_kept(tmp_path: Path) -> None:
    alone = stress(two_plants(), two_plants_plan(), gap=0, executor=Executor(1, tmp_path))
    again = stress(two_plants(), two_plants_plan(), gap=0, executor=Executor(2, tmp_path))
    assert json.dumps(alone.summary) == json.dumps(again.summary)
