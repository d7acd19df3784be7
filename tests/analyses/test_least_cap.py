"""The least share that any plan can reach, against enumeration, closed forms and an independent check of feasibility.

The case
--------
Consumers want magnets that China sells without limit and clean makers make within their capacity. So the share of a year is
1 - (clean capacity) / (demand), and what matters is which projects are on line then. Enumeration tries every set of purchases.
"""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cases import Row, example, hand_solved, instance
from click.testing import CliRunner

import diversify as dv
from diversify.analyses.answer import Answer
from diversify.analyses.cap_path import moved
from diversify.analyses.executor import Executor, Step
from diversify.analyses.least_cap import LAYOUT, least_cap
from diversify.analyses.least_cap.aim import Aim
from diversify.analyses.least_cap.reach import Reach
from diversify.analyses.least_cap.search import relaxed, whole
from diversify.analyses.solving import Limits
from diversify.cli import command
from diversify.plan import TABLES
from diversify.report.least_cap import headline, least_cap_page
from diversify.report.terminal import rendered
from diversify.solve import Options, compile_model, run

CLOSE = 2e-6
"""Shares are rounded up to six decimals."""


def case(
    *,
    demand: dict[str, float],
    clean: float,
    shares: dict[int, float],
    years: tuple[int, ...] = (2030,),
    projects: list[Row] | None = None,
    shortage: float | None = 1e6,
    scope: str = "pooled",
    **tables: list[Row],
) -> dv.Instance:
    """Return a case: demand by country (t/yr), clean standing capacity in Australia, projects there, the cap's shares by year."""
    countries = ["CHN", "AUS", *demand]
    return instance(
        {
            "commodities": [{"commodity": "magnet"}],
            "processes": [{"process": "making", "reference": "magnet"}],
            "recipes": [{"process": "making", "commodity": "magnet", "amount_t_per_t": 1}],
            "countries": [{"country": country} for country in countries],
            "groups": [{"group": "allies", "country": country} for country in demand],
            "locations": [{"location": f"in {country}", "country": country} for country in countries],
            "facilities": [
                {"facility": "big", "location": "in CHN", "process": "making", "capacity_t_per_year": 10_000},
                {"facility": "clean", "location": "in AUS", "process": "making", "capacity_t_per_year": clean, "variable_usd_per_t": 50},
            ],
            "projects": projects or [],
            "lanes": [
                {"origin": f"in {origin}", "destination": f"in {country}", "commodity": "magnet", "cost_usd_per_t": 1}
                for origin in ("CHN", "AUS")
                for country in demand
                if not any(lane["origin"] == f"in {origin}" and lane["destination"] == f"in {country}" for lane in tables.get("lanes", []))
            ]
            + tables.pop("lanes", []),
            "demand": [
                {"location": f"in {country}", "commodity": "magnet", "quantity_t_per_year": wanted, "shortage_usd_per_t": shortage}
                for country, wanted in demand.items()
            ],
            "caps": [
                {"cap": "china", "year": year, "share": share, "commodity": "magnet", "consumers": "allies"}
                | {"sources": "CHN", "basis": "produced", "scope": scope}
                for year, share in shares.items()
            ],
            **tables,
        },
        years=years,
        name="least",
    )


def searched(case_: dv.Instance, caps: Any = ("china",), year: int | None = None, shortage_t: float = 0.0) -> float | None:
    """Return the least share that the search proves, without the plans around it; the case has no shortage without the cap."""
    reach = Reach.of(
        Aim.of(case_, caps, year), [{"commodity": "magnet", "year": y, "quantity_t_per_year": shortage_t} for y in case_.years]
    )
    limits = Limits(gap=0.0)
    part = relaxed(reach, 1e-3, limits)
    if part.proved_share == float("inf"):
        return None
    answer = whole(reach, part, pd.DataFrame(columns=list(TABLES["builds"])), 1e-3, limits)
    assert answer.share is not None
    assert answer.proved_share <= answer.share <= answer.proved_share + 1e-3
    return answer.share


def found(case_: dv.Instance, cap: Any = "china", *, years: bool = False, **given: Any) -> dict[str, Any]:
    """Return the summary of a proved answer."""
    answer = least_cap(case_, cap, years=years, gap=0.0, **given)
    summary = dict(answer.summary)
    assert summary["proved"]
    assert all(row["proved"] for row in summary["by_year"])
    for row in [summary, *summary["by_year"]]:
        if row["share"] is not None:
            assert row["proved_share"] <= row["share"] <= row["proved_share"] + summary["tolerance"] + CLOSE
    return summary


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the tasks of ``answer`` are kept."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def answer(store: Path) -> Answer:
    """Return the answer for a single year in which 40 of 100 t are clean."""
    return least_cap(case(demand={"JPN": 100}, clean=40, shares={2030: 0.9}), "china", executor=Executor(store=store))


# What is built


def test_enumerating_all_purchases_finds_the_same_least_share_on_the_path_and_in_every_year() -> None:
    for seed in range(3):
        _check_against_enumeration(random.Random(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 20))
def test_enumerating_more_purchases(seed: int) -> None:
    _check_against_enumeration(random.Random(seed))


def _check_against_enumeration(rng: random.Random) -> None:
    """Projects of one unit or two that last a year or two, come late, and together cost more than the budget."""
    years = (2030, 2031, 2032)
    plans: list[dict[str, Any]] = [
        {
            "project": f"p{number}",
            "facility": "clean",
            "unit_t_per_year": rng.choice([15, 25, 40]),
            "units_max": rng.choice([1, 2]),
            "capex_unit_musd": rng.choice([2, 3, 5]),
            "life_years": rng.choice([1, 2, 9]),
            "earliest_year": rng.choice(years),
        }
        for number in range(3)
    ]
    budget = rng.choice([5, 8])
    first, last = rng.choice([(0.9, 0.5), (1.0, 0.2), (0.95, 0.95)])
    budgets: list[Row] = [{"budget": "all", "payer": "*", "limit_musd": budget}]
    shares = {2030: first, 2032: last}
    asked = case(demand={"JPN": 100}, clean=10, shares=shares, years=years, projects=list(plans), budgets=budgets)
    choices = [(plan, year) for plan in plans for year in years if year >= plan["earliest_year"]]
    best_path: float | None = None
    best_year = dict.fromkeys(years, 1.0)
    for units in itertools.product(*(range(plan["units_max"] + 1) for plan, _ in choices)):
        built = [(plan, year, count) for (plan, year), count in zip(choices, units, strict=True)]
        if any(sum(n for plan, _, n in built if plan is mine) > mine["units_max"] for mine in plans):
            continue
        if sum(plan["capex_unit_musd"] * n for plan, _, n in built) > budget:
            continue
        share = {
            year: max(0.0, 1 - (10 + sum(n * p["unit_t_per_year"] for p, on, n in built if on <= year < on + p["life_years"])) / 100)
            for year in years
        }
        best_year = {year: min(best_year[year], share[year]) for year in years}
        # The path: 2030 stays at ``first``; 2031 goes half of the way. With one share in both years the whole path moves.
        if first == last:
            needed: float | None = max(share.values())
        elif share[2030] > first:
            needed = None
        else:
            needed = max(share[2032], 2 * share[2031] - first, 0.0)
        if needed is not None and needed <= 1.0 and (best_path is None or needed < best_path):
            best_path = needed
    assert searched(asked) == (None if best_path is None else pytest.approx(best_path, abs=1e-3))
    assert [searched(asked, year=year) for year in years] == pytest.approx([best_year[year] for year in years], abs=1e-3)


# Closed forms


def test_a_share_of_zero_is_found_where_clean_makers_can_do_it_all() -> None:
    assert searched(case(demand={"JPN": 100}, clean=100, shares={2030: 0.5})) == 0.0


@pytest.mark.parametrize("shortage", [None, 100.0])
def test_demand_that_must_be_met_keeps_the_share_up(shortage: float | None) -> None:
    """40 of 100 t are clean. A shortage at 100 USD would be cheaper than a cap, but the plan without the cap has none."""
    assert searched(case(demand={"JPN": 100}, clean=40, shares={2030: 0.5}, shortage=shortage)) == pytest.approx(0.6, abs=CLOSE)


def test_shortage_that_is_allowed_lets_the_share_fall() -> None:
    """20 t/yr short: 40 of 80 t are clean."""
    assert searched(case(demand={"JPN": 100}, clean=40, shares={2030: 0.5}), shortage_t=20) == pytest.approx(0.5, abs=CLOSE)


def test_shortage_that_the_plan_without_the_cap_has_is_allowed() -> None:
    """90 t can come from China and 40 from elsewhere: 10 of the 140 t wanted are short without the cap too."""
    lanes: list[Row] = [
        {"origin": "in CHN", "destination": "in JPN", "commodity": "magnet", "cost_usd_per_t": 1, "capacity_t_per_year": 90}
    ]
    asked = case(demand={"JPN": 140}, clean=40, shares={2030: 0.9}, lanes=lanes)
    answer = least_cap(asked, "china", years=False, gap=0.0)
    assert answer.allowed["quantity_t_per_year"].tolist() == pytest.approx([10.0])
    assert answer.summary["share"] == pytest.approx(90 / 130, abs=CLOSE)


def _to_korea(capacity: float) -> list[Row]:
    lane: Row = {"origin": "in AUS", "destination": "in KOR", "commodity": "magnet", "cost_usd_per_t": 1}
    return [lane | {"capacity_t_per_year": capacity}]


def test_a_cap_for_each_country_is_as_good_as_its_worst_country() -> None:
    """60 clean tonnes for 150: evenly spread, each country is at 1 - 60 / 150. With 10 t/yr at most to Korea that one stays at 0.8.

    One per cent more on the lane is 0.1 t of Korea's 50: 0.2 points.
    """
    demand = {"JPN": 100.0, "KOR": 50.0}
    assert searched(case(demand=demand, clean=60, shares={2030: 0.9}, scope="each")) == pytest.approx(0.6, abs=CLOSE)
    summary = found(case(demand=demand, clean=60, shares={2030: 0.9}, scope="each", lanes=_to_korea(10)))
    assert summary["share"] == pytest.approx(0.8, abs=CLOSE)
    assert [(row["consumers"], row["weight"]) for row in summary["path"] if row["weight"] > 1e-3] == [("KOR", pytest.approx(1.0))]
    assert {row["kind"]: row["weight"] for row in summary["binding"]} == pytest.approx({"lane": 0.2, "demand": 0.2})


def test_the_share_is_a_ratio_of_which_both_parts_move() -> None:
    """100 magnets: by a works that takes a tonne of Chinese ore each, or 40 of them by one that takes two of clean ore each.

    Least is 60 of 60 + 80 t of ore.
    """
    asked = instance(
        {
            "commodities": [{"commodity": "ore"}, {"commodity": "magnet"}],
            "processes": [
                {"process": "mining", "reference": "ore"},
                {"process": "lean", "reference": "magnet"},
                {"process": "wasteful", "reference": "magnet"},
            ],
            "recipes": [
                {"process": "mining", "commodity": "ore", "amount_t_per_t": 1},
                {"process": "lean", "commodity": "ore", "amount_t_per_t": -1},
                {"process": "lean", "commodity": "magnet", "amount_t_per_t": 1},
                {"process": "wasteful", "commodity": "ore", "amount_t_per_t": -2},
                {"process": "wasteful", "commodity": "magnet", "amount_t_per_t": 1},
            ],
            "countries": [{"country": "CHN"}, {"country": "AUS"}, {"country": "JPN"}],
            "locations": [
                {"location": "Baotou", "country": "CHN"},
                {"location": "Perth", "country": "AUS"},
                {"location": "Osaka", "country": "JPN"},
                {"location": "Kobe", "country": "JPN"},
            ],
            "facilities": [
                {"facility": "pit", "location": "Baotou", "process": "mining", "capacity_t_per_year": 900},
                {"facility": "ridge", "location": "Perth", "process": "mining", "capacity_t_per_year": 900},
                {"facility": "old", "location": "Osaka", "process": "lean", "capacity_t_per_year": 500},
                {"facility": "new", "location": "Kobe", "process": "wasteful", "capacity_t_per_year": 40},
            ],
            "lanes": [
                {"origin": "Baotou", "destination": "Osaka", "commodity": "ore"},
                {"origin": "Perth", "destination": "Kobe", "commodity": "ore"},
                {"origin": "Kobe", "destination": "Osaka", "commodity": "magnet"},
                {"origin": "Osaka", "destination": "Osaka", "commodity": "magnet"},
            ],
            "demand": [{"location": "Osaka", "commodity": "magnet", "quantity_t_per_year": 100}],
            "caps": [
                {"cap": "ore", "year": 2030, "share": 0.9, "commodity": "ore", "consumers": "JPN", "sources": "CHN", "basis": "produced"}
            ],
        }
    )
    assert searched(asked, ["ore"]) == pytest.approx(60 / 140, abs=1e-4)


def test_caps_move_together_and_the_worse_one_counts() -> None:
    """The pooled share can be 0.4, the one for each country no less than 0.6 where Korea gets 20 t at most: then the answer is 0.6."""
    demand = {"JPN": 50.0, "KOR": 50.0}
    pooled = case(demand=demand, clean=60, shares={2030: 0.9}, lanes=_to_korea(20))
    rows = pooled.table("caps")
    both = pooled.replace(caps=pd.concat([rows, rows.assign(cap="each", scope="each")], ignore_index=True))
    assert searched(both) == pytest.approx(0.4, abs=CLOSE)
    assert searched(both, ["china", "each"]) == pytest.approx(0.6, abs=CLOSE)


def test_a_first_limit_that_nothing_keeps_leaves_no_share_at_all() -> None:
    """The path keeps 2030 at 0.3, but 60 of 100 t have to come from China: 30 points too much.

    One per cent of the clean capacity takes 0.4 t off, and a tonne that is not wanted 1 - 0.3 t.
    """
    answer = least_cap(
        case(demand={"JPN": 100}, clean=40, shares={2030: 0.3, 2031: 0.2}, years=(2030, 2031)), "china", years=False, gap=0.0
    )
    assert (answer.summary["share"], answer.summary["stopped"], answer.summary["proved"]) == (None, "infeasible", True)
    held = {row["kind"]: row["weight"] for row in answer.summary["binding"] if row["of"] == "path"}
    assert held == pytest.approx({"capacity": 0.4, "demand": 0.7}, rel=1e-3)
    assert "even with 100 % at the end some limit cannot be kept" in headline(answer.summary)
    assert [(row["year"], row["weight"]) for row in answer.summary["path"]] == [(2030, pytest.approx(1.0))]


# What holds it


@pytest.mark.slow
def test_what_holds_the_share_is_named_with_its_worth() -> None:
    """90 t demand, 30 clean standing and one project of 15 in 2031: 1 - 45 / 90 in 2031. One per cent of 45 t is 0.5 points; and of
    the unit, 0.15 / 90. In 2030 the project comes too late.
    """
    project: list[Row] = [
        {"project": "more", "facility": "clean", "unit_t_per_year": 15, "units_max": 1, "capex_unit_musd": 1, "life_years": 9}
        | {"earliest_year": 2031}
    ]
    asked = case(demand={"JPN": 90}, clean=30, shares={2030: 0.9, 2031: 0.8}, years=(2030, 2031), projects=project)
    summary = found(asked, years=True)
    assert [row["share"] for row in summary["by_year"]] == pytest.approx([2 / 3, 0.5], abs=1e-3 + CLOSE)
    held = {(row["of"], row["kind"], row["key"], row["year"]): row["weight"] for row in summary["binding"]}
    assert held[("2031", "capacity", "clean", 2031)] == pytest.approx(0.5, rel=1e-3)
    assert held[("2031", "project", "more", None)] == pytest.approx(100 * 0.15 / 90, rel=1e-3)
    assert held[("2030", "capacity", "clean", 2030)] == pytest.approx(100 * 0.3 / 90, rel=1e-3)
    assert held[("2030", "too_late", "more", 2031)] is None
    assert ("2031", "too_late", "more", 2031) not in held
    sentence = next(row["sentence"] for row in summary["binding"] if row["kind"] == "capacity" and row["of"] == "2031")
    assert sentence == "clean can do no more than 45 t/yr in 2031"


# Independent feasibility, and properties


def _has_plan(case_: dv.Instance) -> bool:
    model = dv.build_model(case_)
    statement = model.diversify
    outcome = run(compile_model(model, statement.variables, statement.scale), Options(gap=1.0))
    assert outcome.stopped in ("optimal", "infeasible")
    return outcome.stopped == "optimal"


def test_in_a_random_case_there_is_a_plan_at_the_share_and_none_at_what_is_proved() -> None:
    """Without shortage the question is whether the case with hard demand and a hard cap has a plan, which the engine answers itself."""
    asked = example("random-07")
    hard = asked.replace(demand=asked.table("demand").assign(shortage_usd_per_t=float("nan")))
    answer = least_cap(asked, "k0", years=False)
    assert answer.summary["proved"]
    assert answer.allowed.empty
    assert answer.summary["proved_share"] > 0.01
    assert _has_plan(moved(hard, ["k0"], answer.summary["share"]))
    assert not _has_plan(moved(hard, ["k0"], answer.summary["proved_share"]))


def test_the_more_shortage_is_allowed_the_smaller_the_share() -> None:
    demand = {"JPN": 70.0, "KOR": 40.0}
    asked = case(demand=demand, clean=45, shares={2030: 0.9}, scope="each")
    none, some, much = (searched(asked, shortage_t=shortage) for shortage in (0.0, 10.0, 30.0))
    assert none is not None and some is not None and much is not None
    assert much < some < none


def test_finished_tasks_are_not_done_again_and_the_answer_is_the_same(answer: Answer, store: Path) -> None:
    heard: list[Step] = []
    again = least_cap(answer.instance, "china", executor=Executor(store=store, progress=heard.append))
    assert again.summary == answer.summary
    assert heard
    assert all(step.reused == step.total for step in heard)


@pytest.mark.slow
def test_workers_change_nothing(tmp_path: Path) -> None:
    asked = case(demand={"JPN": 100}, clean=40, shares={2030: 0.9, 2031: 0.5}, years=(2030, 2031))
    assert least_cap(asked, "china").summary == least_cap(asked, "china", executor=Executor(workers=2, store=tmp_path)).summary


# What is refused


def test_an_unknown_cap_is_named_with_those_there_are() -> None:
    with pytest.raises(dv.UsageError, match=r"no cap 'chine'\. Its caps: china"):
        least_cap(hand_solved(), "chine")


def test_a_path_that_goes_up_and_down_is_refused() -> None:
    shares = {2030: 0.5, 2031: 0.6, 2032: 0.3}
    with pytest.raises(dv.UsageError, match="goes up and down: a smaller share in 2032 would mean a larger one in 2031"):
        least_cap(case(demand={"JPN": 100}, clean=40, shares=shares, years=(2030, 2031, 2032)), "china")


@pytest.mark.parametrize("given", [{"shortage_t": -1.0}, {"tolerance": 0.0}, {"tolerance": float("nan")}, {"gap": -0.1}])
def test_options_that_make_no_sense_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(dv.UsageError):
        least_cap(hand_solved(), "china", **given)


def test_a_case_without_a_plan_is_sent_back() -> None:
    impossible = case(demand={"JPN": 20_000}, clean=40, shares={2030: 0.9}, shortage=None)
    with pytest.raises(dv.UsageError, match="no plan to compare with even without china"):
        least_cap(impossible, "china")


def test_the_answer_is_a_folder_of_tables(answer: Answer, tmp_path: Path) -> None:
    answer.save(tmp_path / "out")
    assert {file.name for file in (tmp_path / "out").glob("*.csv")} == {f"{name}.csv" for name in LAYOUT}
    assert {name: tuple(table.columns) for name, table in answer.tables.items()} == dict(LAYOUT)


# The command


def test_the_command_answers_in_json_and_on_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a share s of the hand-solved case 2031 wants 100 (1 - s) / 3 t from Denver and 2033 100 (1 - s), in units of 30 t that last
    for one of them; five can be built. A tenth needs 1 + 3; anything less 2 + 4. Parts of units would do: 4.44 (1 - s) of them.
    """
    monkeypatch.setenv("DIVERSIFY_CACHE", str(tmp_path / "cache"))
    file = dv.save(hand_solved(), tmp_path / "case.json")
    asked = ["least-cap", str(file), "--cap", "china", "--path-only", "--quiet", "--workers", "1"]
    told = CliRunner().invoke(command, [*asked, "--json"])
    assert told.exit_code == 0, told.output
    summary = json.loads(told.stdout)
    assert {"cap", "share", "proved_share", "proved", "stopped", "by_year", "path", "binding", "objective_musd"} <= set(summary)
    assert summary["share"] == pytest.approx(0.1, abs=1e-3)
    assert summary["relaxed_share"] == pytest.approx(0.0, abs=1e-4)
    assert summary["by_year"] == []
    page = CliRunner(env={"COLUMNS": "200"}).invoke(command, asked).stdout
    assert "Along its path cap china can go down to 10.0" in page
    assert "the difference is that units are whole" in page


def test_the_page_of_years_names_what_holds_each(answer: Answer) -> None:
    page = rendered(least_cap_page(answer.summary, answer.tables), width=200)
    assert "it is proved that no plan reaches 59.9" in page
    assert "clean can do no more than 40 t/yr in 2030" in page
    assert "Each year alone" in page


def test_what_is_not_proved_is_not_said_to_be(answer: Answer) -> None:
    """A summary as a search leaves it that ran out of time."""
    said = headline({**answer.summary, "proved": False, "stopped": "time_limit", "proved_share": 0.2})
    assert "that no plan reaches 20.00 % is proved, what lies between is not (the time given ran out)" in said
    nothing = headline({**answer.summary, "proved": False, "stopped": "time_limit", "proved_share": 0.2, "share": None})
    assert "No plan was found along the path of cap china: the time given ran out. This is not a proof." in nothing
