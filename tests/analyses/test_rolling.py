"""Rolling decisions, held to a case worked by hand and to plain plans.

The case
--------
Osaka wants 100 t of ore in 2030, 2031 and 2032; a tonne short costs 3,000 USD. The port (CHN) sells at 50 USD per t. At the ridge (USA) one
unit of 100 t/yr can be built: 0.1 million USD, a year of lead time, two years of life, no interest, so 0.05 million in each year
of service, and 100 USD per t. Freight is free. In truth China's exports are banned from 2031 on.

A year costs 0.005 million USD from the port, 0.05 + 0.01 from the ridge, and 0.3 short.

- With foresight the unit is decided in 2030 for 2031: 0.005 + 0.06 + 0.06 = 0.125.
- Who looks ahead learns of the ban in 2031, too late for that year; the unit of 2031 serves 2032: 0.005 + 0.3 + 0.06 = 0.365.
- Who decides for the year alone sees no unit that comes on line in it: 0.005 + 0.3 + 0.3 = 0.605.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cases import KNOWN_OPTIMA, Row, Rows, example, instance
from click.testing import CliRunner, Result

import diversify as dv
from diversify.analyses.executor import Executor, Step
from diversify.analyses.rolling.findings import LAYOUT
from diversify.analyses.rolling.knowledge import known
from diversify.analyses.rolling.window import end_of, window
from diversify.cli import command
from diversify.errors import UsageError
from diversify.report.rolling import rolling_page
from diversify.report.terminal import rendered

BAN = "+restrictions[restriction=ban,origin=CHN,destination=*,commodity=ore,first_year=2031,limit_t_per_year=0]"
FORESEEN, LOOKING, BLIND = 0.125, 0.365, 0.605


def ridge(**more: object) -> Row:
    own: Row = {"project": "ridge", "facility": "ridge", "unit_t_per_year": 100, "units_max": 1, "capex_unit_musd": 0.1}
    return own | {"lead_years": 1, "life_years": 2} | more


def ban_case(*changes: str, years: tuple[int, ...] = (2030, 2031, 2032), reveal: int | None = None, **more: Rows) -> dv.Instance:
    """Return the case of the module's text with a scenario of some changes, by default the ban; ``more`` are tables in place of its own."""
    places = {"Osaka": "JPN", "port": "CHN", "ridge": "USA"}
    tables: dict[str, Rows] = {
        "commodities": [{"commodity": "ore"}],
        "processes": [{"process": "mining", "reference": "ore"}],
        "recipes": [{"process": "mining", "commodity": "ore", "amount_t_per_t": 1}],
        "countries": [{"country": name} for name in places.values()],
        "locations": [{"location": name, "country": country} for name, country in places.items()],
        "facilities": [
            {"facility": "port", "location": "port", "process": "mining", "capacity_t_per_year": 1000, "variable_usd_per_t": 50},
            {"facility": "ridge", "location": "ridge", "process": "mining", "variable_usd_per_t": 100},
        ],
        "projects": [ridge()],
        "lanes": [{"origin": name, "destination": "Osaka", "commodity": "ore"} for name in ("port", "ridge")],
        "demand": [{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100, "shortage_usd_per_t": 3000}],
        "scenarios": [{"scenario": "truth"}],
        "changes": [{"scenario": "truth", "change": change} for change in changes or (BAN,)],
    }
    case = instance(tables | more, years=years, name="ban")
    return case if reveal is None else case.replace(reveal_year=reveal)


def near(value: float | None) -> Any:
    return pytest.approx(value, rel=1e-6, abs=1e-7)


def replays(answer: dv.Answer) -> dict[int | str, dict[str, Any]]:
    return {row["look_ahead"]: row for row in answer.summary["replays"]}


def test_the_case_worked_by_hand() -> None:
    answer = dv.rolling(ban_case(), "truth", look_ahead=(1, 2, None), gap=0)
    assert answer.summary["perfect"]["objective_musd"] == near(FORESEEN)
    for name, cost, short in ((1, BLIND, 200), (2, LOOKING, 100), ("all", LOOKING, 100)):
        row = replays(answer)[name]
        assert (row["stopped"], row["ended_in"]) == ("optimal", 2032)
        assert (row["cost_musd"], row["shortage_t"]) == (near(cost), near(short))
        for foresight in ("foresight_low_musd", "foresight_musd", "foresight_high_musd"):
            assert row[foresight] == near(cost - FORESEEN)
    decided = {row["look_ahead"]: (row["decided_year"], row["year"]) for row in answer.builds.to_dict("records")}
    assert decided == {2: (2031, 2032), "all": (2031, 2032), "perfect": (2030, 2031)}
    blind = answer.shortages[answer.shortages["look_ahead"] == 1]
    assert blind["shortage_t_per_year"].tolist() == near([0, 100, 100])
    assert blind["regret_musd"].tolist() == near([0, 0.24, 0.24])
    steps = answer.steps[answer.steps["look_ahead"] == 2]
    assert steps["objective_musd"].tolist() == near([0.01, LOOKING, LOOKING])
    assert steps["decided_capex_musd"].tolist() == near([0, 0.1, 0])


def test_a_ban_is_known_when_it_begins_and_then_with_its_length() -> None:
    case = ban_case(BAN.replace("first_year=2031", "first_year=2031,last_year=2031"))
    truth = case.scenario("truth")
    assert not len(known(case, truth, 2030).table("restrictions"))
    assert known(case, truth, 2031).table("restrictions")["last_year"].tolist() == [2031]
    answer = dv.rolling(case, "truth", look_ahead=(None,), gap=0)
    assert replays(answer)["all"]["cost_musd"] == near(0.005 + 0.3 + 0.005)  # nothing is built for a ban that is over by then
    assert not (answer.builds["look_ahead"] == "all").any()


def test_what_of_demand_is_known_does_not_tell_what_is_to_come() -> None:
    """Demand of 100 t in 2030 and 2034 is in truth 300 t in 2034, so on a line 150 in 2031, 200 in 2032 and 250 in 2033."""
    years = (2030, 2031, 2032, 2034)
    rows: Rows = [
        {"location": "Osaka", "commodity": "ore", "year": year, "quantity_t_per_year": 100, "shortage_usd_per_t": 3000}
        for year in (2030, 2034)
    ]
    case = ban_case("demand[year=2034].quantity_t_per_year=300", years=years, demand=rows)
    truth = case.scenario("truth")
    believed = {year: known(case, truth, year).table("demand")["quantity_t_per_year"].tolist() for year in years}
    assert believed == {2030: [100] * 4, 2031: [100, 150, 100, 100], 2032: [100, 150, 200, 100], 2034: [100, 150, 200, 300]}


def test_caps_that_go_and_caps_that_come_keep_the_same_traces() -> None:
    """A cap that the truth drops reads 1 where that is known; one that it adds reads 1 where it is not."""
    cap = {"cap": "old", "commodity": "ore", "consumers": "JPN", "sources": "CHN", "basis": "traced"}
    rows: Rows = [{**cap, "year": 2030, "share": 0.5}, {**cap, "year": 2032, "share": 0.3}]
    new = "+caps[cap=new,year=2031,share=0.2,commodity=ore,consumers=JPN,sources=CHN,basis=produced]"
    case = ban_case("-caps[]", new, caps=rows)
    shares = known(case, case.scenario("truth"), 2031).table("caps").pivot(index="year", columns="cap", values="share")
    assert shares["old"].tolist() == near([1.0, 1.0, 0.3])
    assert shares["new"].tolist()[1:] == near([0.2, 1.0])
    answer = dv.rolling(case, "truth", look_ahead=(1, None), gap=0)
    bound = answer.summary["perfect"]["bound_musd"]
    assert all(row["cost_musd"] >= bound - 1e-7 for row in replays(answer).values())


def test_a_capacity_is_known_year_by_year() -> None:
    rows: Rows = [{"facility": "port", "year": 2030, "capacity_t_per_year": 60}]
    case = ban_case("capacities[].capacity_t_per_year=20", "+outages[outage=fire,facility=port,first_year=2032]", capacities=rows)
    believed = known(case, case.scenario("truth"), 2031)
    assert believed.table("capacities")["capacity_t_per_year"].tolist() == [20, 20, 60]
    assert not len(believed.table("outages"))


@pytest.mark.parametrize(("reveal", "cost"), [(None, 0.3 + 2 * 0.06), (2031, 0.35 + 0.3 + 0.06)])
def test_what_has_no_year_is_known_from_the_reveal_year_on(reveal: int | None, cost: float) -> None:
    """In truth the port asks 3,500 USD per t: it is cheaper to be short.

    Known at once, 2030 is short and the unit is decided for 2031. Known from 2031 on, 2030 has bought at the port, 2031 is short, and the
    unit comes in 2032.
    """
    case = ban_case("facilities[facility=port].variable_usd_per_t=3500", reveal=reveal)
    assert replays(dv.rolling(case, "truth", look_ahead=(None,), gap=0))["all"]["cost_musd"] == near(cost)


def test_a_unit_comes_when_its_lead_time_turns_out_longer() -> None:
    """Only 40 t at the port: the unit is decided in 2030 for 2031. From 2031 on it is known to come in 2032."""
    rows: Rows = [{"facility": "port", "year": 2030, "capacity_t_per_year": 40}]
    case = ban_case("projects[].lead_years=2", reveal=2031, capacities=rows)
    answer = dv.rolling(case, "truth", look_ahead=(None,), gap=0)
    built = answer.builds[answer.builds["look_ahead"] == "all"]
    assert built[["year", "decided_year"]].to_numpy().tolist() == [[2032, 2030]]
    a_year = 0.002 + 60 * 3000 / 1e6
    assert replays(answer)["all"]["cost_musd"] == near(2 * a_year + 0.05 + (40 * 50 + 60 * 100) / 1e6)


def test_what_the_truth_forbids_after_it_was_done_is_said() -> None:
    case = ban_case("facilities[facility=port].capacity_t_per_year=30", reveal=2031)
    answer = dv.rolling(case, "truth", look_ahead=(1,), gap=0)
    row = replays(answer)[1]
    assert (row["stopped"], row["cost_musd"]) == ("contradicted", None)
    assert "port" in row["why"]
    assert "Let it be known from the start" in " ".join(rendered(rolling_page(answer.summary, answer.tables), width=100).split())
    known_at_once = dv.rolling(case.set("instance.reveal_year=2030"), "truth", look_ahead=(1,), gap=0)
    assert replays(known_at_once)[1]["cost_musd"] == near(3 * (30 * 50 + 70 * 3000) / 1e6)


def test_a_year_without_a_plan_ends_the_replay_and_is_told() -> None:
    """Demand that must be met, and a ban that leaves nothing."""
    case = ban_case(demand=[{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100}])
    answer = dv.rolling(case, "truth", look_ahead=(1, None), gap=0)
    for row in replays(answer).values():
        assert (row["stopped"], row["ended_in"], row["cost_musd"], row["foresight_musd"]) == ("infeasible", 2031, None, None)
    assert answer.summary["perfect"]["objective_musd"] == near(FORESEEN)
    page = " ".join(rendered(rolling_page(answer.summary, answer.tables), width=100).split())
    assert "has no plan in 2031 (infeasible)" in page


def test_what_must_be_built_is_built_though_a_window_shows_it_late() -> None:
    """Whoever decides for the year alone sees the unit only in the year in which it comes on line: 2031, at the first."""
    case = ban_case(projects=[ridge(units_min=1)])
    answer = dv.rolling(case, "base", look_ahead=(1, None), gap=0)
    built = answer.builds.set_index("look_ahead")["year"].to_dict()
    assert built == {1: 2031, "all": 2032, "perfect": 2032}
    assert replays(answer)[1]["foresight_musd"] == near(0.05)  # a year of service that nobody needs


def test_a_final_stock_is_asked_for_at_the_end_of_the_horizon_alone() -> None:
    case = ban_case(stockpiles=[{"location": "Osaka", "commodity": "ore", "initial_t": 50}])
    assert window(case, 2031).table("stockpiles")["final_min_t"].tolist() == [0]
    assert window(case, 2032).equals(case)
    answer = dv.rolling(case, "base", look_ahead=(1,), gap=0)
    assert replays(answer)[1]["cost_musd"] == near(0.015)  # drawn at first, and bought again in the end


def test_windows_weigh_the_years_as_the_horizon_does() -> None:
    assert [end_of((2030, 2031, 2032), position, 1) for position in range(3)] == [2030, 2031, 2032]
    assert [end_of((2030, 2035, 2040), position, 1) for position in range(3)] == [2035, 2035, 2040]
    assert [end_of((2030, 2031, 2033), position, 1) for position in range(3)] == [2030, 2033, 2033]
    assert end_of((2030, 2031, 2032), 1, None) == 2032


@pytest.mark.parametrize(
    "name", ["random-09", pytest.param("random-06", marks=pytest.mark.slow), pytest.param("random-13", marks=pytest.mark.slow)]
)
def test_looking_to_the_end_of_what_is_true_is_the_plain_plan(name: str) -> None:
    answer = dv.rolling(example(name), "base", look_ahead=(1, None), gap=0)
    optimum = KNOWN_OPTIMA[name]["objective_musd"]
    assert replays(answer)["all"]["cost_musd"] == near(optimum)
    assert replays(answer)["all"]["foresight_high_musd"] == pytest.approx(0.0, abs=1e-6 * optimum)
    assert replays(answer)[1]["cost_musd"] >= optimum * (1.0 - 1e-9)


@pytest.mark.slow
def test_no_replay_costs_less_than_foresight() -> None:
    case = example("random-09")
    answer = dv.rolling(case, "free", look_ahead=(1, 2, None), gap=0.01)
    bound = answer.summary["perfect"]["bound_musd"]
    for row in replays(answer).values():
        assert row["cost_musd"] >= bound
        assert 0.0 <= row["foresight_low_musd"] <= row["foresight_musd"] <= row["foresight_high_musd"]


def test_what_does_not_make_sense_is_refused() -> None:
    case = ban_case("instance.discount_rate=0.1")
    with pytest.raises(UsageError, match=r"instance\.discount_rate"):
        dv.rolling(case, "truth")
    with pytest.raises(UsageError, match="no scenario 'nonesuch'"):
        dv.rolling(case, "nonesuch")
    with pytest.raises(UsageError, match="in it already"):
        dv.rolling(ban_case().scenario("truth"), "base")
    for look_ahead in ((), (0,), (1, 1)):
        with pytest.raises(UsageError, match="look_ahead"):
            dv.rolling(ban_case(), "truth", look_ahead=look_ahead)


def test_a_replay_goes_on_from_what_is_kept(tmp_path: Path) -> None:
    steps: list[Step] = []
    arguments: dict[str, Any] = {"look_ahead": (1, None), "gap": 0}
    alone = dv.rolling(ban_case(), "truth", **arguments)
    kept = dv.rolling(ban_case(), "truth", **arguments, executor=Executor(1, tmp_path))
    again = dv.rolling(ban_case(), "truth", **arguments, executor=Executor(1, tmp_path, steps.append))
    assert json.dumps(alone.summary) == json.dumps(kept.summary) == json.dumps(again.summary)
    assert steps
    assert all(step.reused == step.total for step in steps)


@pytest.fixture
def run_command(tmp_path: Path) -> Callable[..., Result]:
    env = {"COLUMNS": "100", "DIVERSIFY_CACHE": str(tmp_path / "cache")}
    return lambda *words: CliRunner(env=env).invoke(command, [str(word) for word in words])


def test_the_command_answers_as_the_function_does(run_command: Callable[..., Result], tmp_path: Path) -> None:
    folder = dv.save(ban_case(), tmp_path / "ban")
    words = ["rolling", folder, "--scenario", "truth", "--look-ahead", "1", "--look-ahead", "all", "--gap", 0, "--workers", 1]
    result = run_command(*words, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {row["look_ahead"]: row["cost_musd"] for row in found["replays"]} == {1: near(BLIND), "all": near(LOOKING)}
    page = run_command(*words, "--out", tmp_path / "answer")
    assert page.exit_code == 0, page.output
    told = " ".join(page.stdout.split())
    assert "who looks ahead 1 planning year pays 0.6" in told
    assert "Decided in" in told
    assert {f"{name}.csv" for name in LAYOUT} <= {file.name for file in (tmp_path / "answer").iterdir()}
    refused = run_command("rolling", folder, "--scenario", "truth", "--look-ahead", "none")
    assert refused.exit_code != 0
    assert "neither a number of planning years nor all" in refused.output
