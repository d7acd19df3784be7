"""Repairs are held to hand-worked cases and to the solve of the repaired case; what is said of shortage and physics likewise."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cases import example, hand_solved
from click.testing import CliRunner, Result
from ore import DEMAND, ban, budget, cap, contract, floor, ore_case, pile, ridge

import diversify as dv
from diversify.analyses.answer import Answer
from diversify.analyses.diagnose import LAYOUT, NO_SHORTAGE, diagnose
from diversify.analyses.executor import Executor, Step
from diversify.cli import command
from diversify.errors import UsageError
from diversify.report.diagnose import diagnose_page
from diversify.report.terminal import rendered

NO_CHINA: dict[str, Any] = {"baotou_t": 0}
SOFT = DEMAND | {"shortage_usd_per_t": 1_000}
WHOLE_DEMAND = "demand[location=Osaka,commodity=ore,year=].quantity_t_per_year"

BY_HAND: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "10 of 100 t may be Chinese and Denver has 60: 40 % would do, or 66.6 t wanted": (
        {"caps": [cap(0.1)]},
        {"caps[cap=china,year=2030].share=0.4": 2_200, f"{WHOLE_DEMAND}=66.66": 66.66 * (0.9 * 30 + 0.1 * 10)},
    ),
    "the USA send out 60 of the 80 t that they are to": (
        {"floors": [floor(0.8)]},
        {"floors[floor=home,year=2030].share=0.6": 2_200, f"{WHOLE_DEMAND}=75": 60 * 30 + 15 * 10},
    ),
    "a ban with 40 t wanting": (
        {"restrictions": [ban()]},
        {"restrictions[restriction=stop].limit_t_per_year=40": 2_200, f"{WHOLE_DEMAND}=60": 1_800},
    ),
    "money for one unit where two are needed, a tenth of a million a year each": (
        NO_CHINA | {"projects": [ridge()], "budgets": [budget(1)]},
        {"budgets[budget=b].limit_musd=2": 3_000 + 200_000, f"{WHOLE_DEMAND}=90": 2_700 + 100_000},
    ),
    "money for one and a half: only whole units stand in the way": (
        NO_CHINA | {"projects": [ridge()], "budgets": [budget(1.5)]},
        {"budgets[budget=b].limit_musd=2": 3_000 + 200_000, f"{WHOLE_DEMAND}=90": 2_700 + 100_000},
    ),
    "a contract for more than Osaka takes": (
        {"denver_t": 200, "contracts": [contract(150)], "demand": [SOFT]},
        {"contracts[contract=k].minimum_t_per_year=100": 3_000},
    ),
    "a contract on a banned lane": (
        {"denver_t": 200, "contracts": [contract(50, "Baotou")], "restrictions": [ban()]},
        {"restrictions[restriction=stop].limit_t_per_year=50": 2_000, "contracts[contract=k].minimum_t_per_year=0": 3_000},
    ),
    "a unit that must be built but may only come on line later": (
        {"projects": [ridge(units_min=1, earliest_year=2035)]},
        {"projects[project=ridge].units_min=0": 1_000, "projects[project=ridge].earliest_year=2030": 1_000 + 100_000},
    ),
    "a stock of 60 t to be left where 20 can be": (
        NO_CHINA | {"denver_t": 120, "stockpiles": [pile(60)]},
        {"stockpiles[location=Osaka,commodity=ore].final_min_t=20": 3_600, f"{WHOLE_DEMAND}=60": 3_600},
    ),
    "a lane too narrow for what is wanted": (
        {"lanes": [{"origin": "Baotou", "destination": "Osaka", "commodity": "ore", "capacity_t_per_year": 70}]},
        {f"{WHOLE_DEMAND}=70": 700},
    ),
}
"""Cases with their repairs of one change each, and what the repaired plan costs in USD."""

QUICK = [list(BY_HAND)[number] for number in (0, 4)]
"""Cases of the default run: a cap, and money for parts of units; the others take as long each and are left to the slow group."""


@cache
def asked(what: str) -> Answer:
    return diagnose(ore_case(**BY_HAND[what][0]), gap=0)


def costs(answer: Answer) -> dict[str, float]:
    """Return the cost in USD of each verified repair of one change."""
    return {each["set"][0]: 1e6 * each["cost_musd"] for each in answer.summary["repairs"] if each["verified"] and len(each["set"]) == 1}


@pytest.mark.parametrize("what", [pytest.param(what, marks=() if what in QUICK else pytest.mark.slow) for what in BY_HAND])
def test_repairs_and_their_costs_are_those_found_by_hand(what: str) -> None:
    answer, expected = asked(what), BY_HAND[what][1]
    assert (answer.summary["kind"], answer.summary["feasible"], answer.summary["physics"]) == ("no plan", False, False)
    found = costs(answer)
    assert found == {text: pytest.approx(cost, rel=1e-6, abs=1e-3) for text, cost in expected.items()}
    assert next(iter(found)) == next(iter(expected)), "the cheapest that gives up no demand comes first"


def test_repairs_that_give_up_demand_come_last_and_say_so() -> None:
    repairs = asked(next(iter(BY_HAND))).summary["repairs"]
    assert [each["gives_up_demand"] for each in repairs] == [False, True]
    assert repairs[1]["cost_musd"] < repairs[0]["cost_musd"]


@pytest.mark.slow
def test_a_project_is_let_on_line_earlier_by_both_of_its_years_where_both_stand_in_the_way() -> None:
    case = ore_case(**NO_CHINA, years=(2030, 2033), projects=[ridge(earliest_year=2034, decided_year=2032, lead_years=2.5)])
    rising = case.replace(demand=[DEMAND | {"year": 2030, "quantity_t_per_year": 60}, DEMAND | {"year": 2033, "quantity_t_per_year": 90}])
    answer = diagnose(rising, gap=0)
    texts = answer.summary["repairs"][0]["set"]
    assert texts == ["projects[project=ridge].earliest_year=2033", "projects[project=ridge].decided_year=2030"]


@pytest.mark.slow
def test_lead_times_are_physics() -> None:
    """The project would take three years from 2030 on: no change of its years helps, and nothing is said of them."""
    answer = diagnose(ore_case(**NO_CHINA, projects=[ridge(earliest_year=2035, lead_years=3)]), gap=0)
    assert list(costs(answer)) == [f"{WHOLE_DEMAND}=60"]
    alone = {row["table"]: row["answer"] for row in answer.summary["alone"]}
    assert alone == {"projects": "no", "demand": "yes"}


def test_what_physics_alone_makes_impossible_is_said_plainly() -> None:
    answer = diagnose(impossible())
    assert (answer.summary["kind"], answer.summary["physics"]) == ("no plan", True)
    assert (answer.summary["conflict"], answer.summary["repairs"]) == ([], [])
    assert "whatever policy says" in page(answer)


def impossible() -> dv.Instance:
    """Return a case with a plant that must run and has nothing to run on."""
    return ore_case(
        commodities=[{"commodity": "ore"}, {"commodity": "coke"}],
        processes=[{"process": "mining", "reference": "ore"}, {"process": "smelting", "reference": "ore"}],
        recipes=[
            {"process": "mining", "commodity": "ore", "amount_t_per_t": 1},
            {"process": "smelting", "commodity": "coke", "amount_t_per_t": -1},
            {"process": "smelting", "commodity": "ore", "amount_t_per_t": 1},
        ],
        facilities=[
            {"facility": "Denver mine", "location": "Denver", "process": "mining", "capacity_t_per_year": 500},
            {"facility": "smelter", "location": "Denver", "process": "smelting", "capacity_t_per_year": 10, "utilisation_min": 0.5},
        ],
    )


def test_a_plan_without_shortage_needs_no_repair() -> None:
    answer = diagnose(ore_case(demand=[SOFT]))
    assert (answer.summary["kind"], answer.summary["feasible"], answer.summary["repairs"]) == ("fine", True, [])
    assert "nothing to repair" in page(answer)


def test_shortage_that_a_rule_causes_is_repaired_like_a_case_without_a_plan() -> None:
    answer = diagnose(ore_case(demand=[SOFT], caps=[cap(0.1)]), gap=0)
    said = answer.summary
    assert (said["kind"], said["feasible"], said["without_shortage"], said["physics"]) == ("shortage", True, "impossible", False)
    assert said["shortages"][0]["quantity_t_per_year"] == pytest.approx(100 - 60 / 0.9)
    assert [(rule["kind"], rule["year"]) for rule in said["conflict"]] == [("cap", 2030), ("demand", 2030)]
    (repair,) = said["repairs"]
    assert repair["set"] == [NO_SHORTAGE, "caps[cap=china,year=2030].share=0.4"]
    assert (repair["verified"], repair["cost_musd"]) == (True, pytest.approx(0.0022))
    assert "No plan without shortage keeps all rules of the case: this is proved." in page(answer)


def test_shortage_that_is_only_cheaper_is_told_apart() -> None:
    """A tonne short costs 5 USD, a tonne from Baotou 10: nobody ships, but everybody could."""
    answer = diagnose(ore_case(demand=[DEMAND | {"shortage_usd_per_t": 5}]), gap=0)
    said = answer.summary
    assert (said["without_shortage"], said["conflict"]) == ("dearer", [])
    assert [(each["set"], each["cost_musd"]) for each in said["repairs"]] == [([NO_SHORTAGE], pytest.approx(0.001))]
    assert "Nothing but its cost stands in the way" in page(answer)


def test_shortage_that_only_the_gap_left_is_told_apart() -> None:
    """The page of an answer that says so; whether a solve leaves such shortage is the solver's chance."""
    answer = diagnose(ore_case(demand=[DEMAND | {"shortage_usd_per_t": 5}]), gap=0)
    said = {**answer.summary, "without_shortage": "no_dearer"}
    assert "which is no more: the shortage is what the gap of the solve left" in rendered(diagnose_page(said, answer.tables), width=1000)


@pytest.mark.slow
def test_shortage_that_physics_causes_says_how_much_is_left_at_best() -> None:
    answer = diagnose(ore_case(**NO_CHINA, demand=[SOFT], caps=[cap(0.1)]), gap=0)
    said = answer.summary
    assert (said["without_shortage"], said["physics"]) == ("impossible", True)
    assert said["repairs"][0]["set"] == [NO_SHORTAGE, f"{WHOLE_DEMAND}=60"]
    assert "this is proved" in page(answer)


@pytest.mark.slow
def test_a_repair_of_a_path_moves_the_listed_years_that_need_it() -> None:
    """The cap falls from 50 % in 2030 to 10 % in 2034: 30 % in 2032, where 40 are needed; only the end of the path moves."""
    answer = diagnose(ore_case(years=(2030, 2032, 2034), caps=[cap(0.5), cap(0.1) | {"year": 2034}]), gap=0)
    assert next(iter(costs(answer))) == "caps[cap=china,year=2034].share=0.4"


@pytest.mark.slow
def test_names_with_signs_of_the_grammar_are_quoted() -> None:
    row = cap(0.1) | {"cap": 'a, "b"]='}
    text = diagnose(ore_case(caps=[row]), repairs=1).summary["repairs"][0]["set"][0]
    assert text == 'caps[cap="a, ""b""]=",year=2030].share=0.4'


@pytest.mark.slow
def test_less_demand_lowers_what_substitutes_may_serve_of_it() -> None:
    """Half of what is wanted may be scrap, of which there is plenty; Denver's 60 t then do for 120, so 140 are too much by 20."""
    case = ore_case(
        **NO_CHINA,
        commodities=[{"commodity": "ore"}, {"commodity": "scrap"}],
        processes=[{"process": "mining", "reference": "ore"}, {"process": "sorting", "reference": "scrap"}],
        recipes=[
            {"process": "mining", "commodity": "ore", "amount_t_per_t": 1},
            {"process": "sorting", "commodity": "scrap", "amount_t_per_t": 1},
        ],
        facilities=[
            {"facility": "Denver mine", "location": "Denver", "process": "mining", "capacity_t_per_year": 60},
            {"facility": "yard", "location": "Osaka", "process": "sorting", "capacity_t_per_year": 500},
        ],
        substitutes=[{"commodity": "ore", "substitute": "scrap", "max_share": 0.5}],
        demand=[DEMAND | {"quantity_t_per_year": 140}],
    )
    assert list(costs(diagnose(case, gap=0))) == [f"{WHOLE_DEMAND}=120"]


TIGHT: list[tuple[str, tuple[str, ...]]] = [
    ("random-02", ("demand[].shortage_usd_per_t=", "caps[].share=x0.1", "caps[].excess_usd_per_t=")),
    ("random-05", ("demand[].shortage_usd_per_t=", "caps[].share=x0.2", "budgets[].limit_musd=x0.2")),
    ("random-10", ("demand[].shortage_usd_per_t=", "caps[].share=0.02", "caps[].excess_usd_per_t=")),
    ("random-07", ("demand[].shortage_usd_per_t=", "floors[].share=3", "projects[].earliest_year=2035")),
    ("random-15", ("demand[].shortage_usd_per_t=", "caps[].share=0.05")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "changes"), TIGHT)
def test_every_repair_alone_gives_the_plan_that_it_says(name: str, changes: tuple[str, ...]) -> None:
    case = example(name).set(*changes)
    answer = diagnose(case)
    assert answer.summary["kind"] == "no plan"
    repairs = answer.summary["repairs"]
    assert repairs and all(each["verified"] for each in repairs)
    assert len({tuple(each["set"]) for each in repairs}) == len(repairs)
    for repair in repairs:
        plan = dv.solve(case.set(*repair["set"]))
        assert (plan.holds, plan.summary["audit"]["ok"]) == ("plan", True)
        assert plan.objective_musd == pytest.approx(repair["cost_musd"], rel=0.02)
    ranks = [(each["gives_up_demand"], each["cost_musd"]) for each in repairs]
    assert ranks == sorted(ranks)


@pytest.mark.slow
def test_a_second_run_solves_nothing_and_says_the_same(tmp_path: Path) -> None:
    heard: list[Step] = []
    what = next(iter(BY_HAND))
    case = ore_case(**BY_HAND[what][0])
    first = diagnose(case, gap=0, executor=Executor(1, tmp_path))
    again = diagnose(case, gap=0, executor=Executor(1, tmp_path, heard.append))
    assert same(first, again) and same(first, asked(what))
    assert heard and all(step.reused == step.done == step.total for step in heard)


@pytest.mark.slow
def test_the_answer_does_not_depend_on_the_workers() -> None:
    what = next(iter(BY_HAND))
    assert same(diagnose(ore_case(**BY_HAND[what][0]), gap=0, executor=Executor(2)), asked(what))


def same(some: Answer, other: Answer) -> bool:
    return some.summary == other.summary and all(some.tables[name].equals(other.tables[name]) for name in LAYOUT)


@pytest.mark.slow
def test_a_run_that_is_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    what = next(iter(BY_HAND))
    case = ore_case(**BY_HAND[what][0])

    def stop(step: Step) -> None:
        if step.name == "conflict":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        diagnose(case, gap=0, executor=Executor(1, tmp_path, stop))
    kept = set(tmp_path.rglob("*.json"))
    assert len(kept) == 2
    assert diagnose(case, gap=0, executor=Executor(1, tmp_path)).summary == asked(what).summary
    assert kept < set(tmp_path.rglob("*.json"))


def test_what_is_not_decided_is_not_called_proved() -> None:
    answer = diagnose(example("random-05"), time_limit=1e-6)
    assert (answer.summary["kind"], answer.summary["feasible"]) == ("unproved", None)
    assert "not proved that there is none" in page(answer)


def test_errors_are_said_before_anything_is_solved() -> None:
    with pytest.raises(UsageError):
        diagnose(hand_solved(), repairs=0)
    with pytest.raises(UsageError):
        diagnose(hand_solved(), gap=-1.0)


def page(answer: Answer) -> str:
    return rendered(diagnose_page(answer.summary, answer.tables), width=100).replace("\n", " ").replace("  ", " ")


def test_the_page_shows_conflict_repairs_and_what_to_type() -> None:
    shown = page(asked(next(iter(BY_HAND))))
    assert "has no plan: this is proved." in shown
    assert "These 2 rules cannot all be kept; without any one of them the others could be:" in shown
    assert "--set 'caps[cap=china,year=2030].share=0.4'" in shown
    assert "Raise the cap china in 2030 from 10 % to 40 %." in shown


def test_what_is_to_be_typed_stands_on_one_line() -> None:
    case = ore_case(caps=[cap(0.1) | {"cap": "a name with many words " * 6 + "end"}])
    lines = rendered(diagnose_page((answer := diagnose(case, repairs=1)).summary, answer.tables), width=60).splitlines()
    assert any(line.strip().startswith("--set '") and line.endswith("share=0.4'") for line in lines)


def test_an_answer_is_written_and_read_as_tables(tmp_path: Path) -> None:
    answer = asked(next(iter(BY_HAND)))
    folder = answer.save(tmp_path / "answer")
    assert {file.stem for file in folder.glob("*.csv")} == set(LAYOUT)
    assert list(answer.changes["to"]) == [0.4, 66.66]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs the verb in this process on the case with a tight cap."""
    monkeypatch.setenv("DIVERSIFY_CACHE", str(tmp_path / "cache"))
    case = dv.save(ore_case(caps=[cap(0.5)]), tmp_path / "ore.json")

    def ask_it(*args: object) -> Result:
        words = ["diagnose", str(case), "--set", "caps[].share=0.1", "--workers", "1", *map(str, args)]
        return CliRunner(env={"COLUMNS": "100"}).invoke(command, words)

    return ask_it


def test_the_verb_prints_one_json_object_with_the_keys_of_the_interface(ask: Callable[..., Result], tmp_path: Path) -> None:
    result = ask("--json", "--quiet", "--gap", 0, "--out", tmp_path / "answer")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert {"kind", "feasible", "conflict", "repairs"} <= set(said)
    assert {"table", "key", "sentence"} <= set(said["conflict"][0])
    assert {"set", "cost_musd", "verified"} <= set(said["repairs"][0])
    assert (tmp_path / "answer" / "repairs.csv").is_file()
    shown = ask("--gap", 0)
    assert "Repair 1" in shown.stdout
    assert ask("--repairs", 0).exit_code == 2
