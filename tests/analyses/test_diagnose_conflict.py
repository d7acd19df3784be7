"""A conflict is held to hand-worked cases, and to the model itself: its rules cannot all be kept, but without any one of them they can."""

from __future__ import annotations

from typing import Any

import pyomo.core as pyo
import pytest
from cases import Rows, example
from ore import DEMAND, ban, budget, cap, contract, floor, ore_case, pile, ridge

import diversify as dv
from diversify.analyses.diagnose.work import conflict_of
from diversify.analyses.solving import Limits
from diversify.solve import Options, compile_model, run

LIMITS = Limits(gap=0.0).as_dict()

NO_CHINA: dict[str, Any] = {"baotou_t": 0}

WANTED = ("demand", "Osaka|ore", 2030)

BY_HAND: dict[str, tuple[dict[str, Any], set[tuple[str, str, int | None]]]] = {
    "a cap: 10 of 100 t may be Chinese, and Denver has 60": ({"caps": [cap(0.1)]}, {("cap", "china|JPN", 2030), WANTED}),
    "a floor: 80 of 100 t are to come from the USA": ({"floors": [floor(0.8)]}, {("floor", "home", 2030), WANTED}),
    "a ban: Denver alone has 60 t": ({"restrictions": [ban()]}, {("restriction", "stop", 2030), WANTED}),
    "a limit: 30 t from China and 60 from Denver": ({"restrictions": [ban(30)]}, {("restriction", "stop", 2030), WANTED}),
    "a budget: four units for 40 t more would be 2 million": (
        NO_CHINA | {"projects": [ridge()], "budgets": [budget(1)]},
        {("budget", "b", None), WANTED},
    ),
    "a contract for more than the mine has": ({"contracts": [contract(70)]}, {("contract", "k", 2030)}),
    "a contract for more than Osaka can take": (
        {"denver_t": 200, "contracts": [contract(150)], "demand": [DEMAND | {"shortage_usd_per_t": 1000}]},
        {("contract", "k", 2030)},
    ),
    "a contract on a lane that is banned": (
        {"denver_t": 200, "contracts": [contract(50, "Baotou")], "restrictions": [ban()]},
        {("contract", "k", 2030), ("restriction", "stop", 2030)},
    ),
    "a unit that must be built and cannot come on line": (
        {"projects": [ridge(units_min=1, lead_years=3)]},
        {("units_min", "ridge", None)},
    ),
    "a unit that must be built and may come on line too late": (
        {"projects": [ridge(units_min=1, earliest_year=2035)]},
        {("units_min", "ridge", None), ("start", "ridge", None)},
    ),
    "a project that may be decided too late": (
        NO_CHINA | {"projects": [ridge(decided_year=2032)]},
        {("start", "ridge", None), WANTED},
    ),
    "demand that nobody can supply": (NO_CHINA | {"denver_t": 0}, {WANTED}),
    "a least stock: 160 t in all would be needed": (
        NO_CHINA | {"denver_t": 120, "stockpiles": [pile(60)]},
        {("stock_final", "Osaka|ore", None), WANTED},
    ),
    "a lane that is too narrow": (
        {"lanes": [{"origin": "Baotou", "destination": "Osaka", "commodity": "ore", "capacity_t_per_year": 70}]},
        {("lane", "Baotou|Osaka|ore", 2030), WANTED},
    ),
    "a contract with a mine that is out": (
        {"contracts": [contract(10)], "outages": [{"outage": "strike", "facility": "Denver mine"}]},
        {("contract", "k", 2030)},
    ),
    "a store that is too small": (
        {"stockpiles": [pile(60, capacity_t=50)]},
        {("stock_final", "Osaka|ore", None), ("stock_capacity", "Osaka|ore", 2030)},
    ),
}


def found(case: dv.Instance) -> dict[str, Any]:
    return conflict_of(case, LIMITS)


def named(answer: dict[str, Any]) -> set[tuple[str, str, int | None]]:
    return {(rule["kind"], rule["key"], rule["year"]) for rule in answer["rules"]}


@pytest.mark.parametrize("what", list(BY_HAND))
def test_the_conflict_is_the_one_found_by_hand(what: str) -> None:
    tables, expected = BY_HAND[what]
    answer = found(ore_case(**tables))
    assert named(answer) == expected
    assert (answer["proved"], answer["irreducible"], answer["linear"]) == (True, True, True)


def test_where_only_whole_units_stand_in_the_way_it_is_said() -> None:
    """40 t more need 4/3 of a unit, for which the money is there; two units cost 2 million."""
    answer = found(ore_case(**NO_CHINA, projects=[ridge()], budgets=[budget(1.5)]))
    assert named(answer) == {("budget", "b", None), WANTED}
    assert (answer["proved"], answer["irreducible"], answer["linear"]) == (True, True, False)


def test_physics_alone_is_told_apart_by_a_conflict_without_rules() -> None:
    """The smelter must run at half its capacity and has nothing to run on: no rule of policy has a part in it."""
    case = ore_case(
        commodities=[{"commodity": "ore"}, {"commodity": "coke"}, {"commodity": "metal"}],
        processes=[{"process": "mining", "reference": "ore"}, {"process": "smelting", "reference": "metal"}],
        recipes=[
            {"process": "mining", "commodity": "ore", "amount_t_per_t": 1},
            {"process": "smelting", "commodity": "coke", "amount_t_per_t": -1},
            {"process": "smelting", "commodity": "metal", "amount_t_per_t": 1},
        ],
        facilities=[
            {"facility": "Denver mine", "location": "Denver", "process": "mining", "capacity_t_per_year": 500},
            {"facility": "smelter", "location": "Denver", "process": "smelting", "capacity_t_per_year": 10, "utilisation_min": 0.5},
        ],
    )
    answer = found(case)
    assert (answer["proved"], answer["rules"]) == (True, [])


def test_a_case_with_a_plan_has_no_conflict() -> None:
    answer = found(ore_case(caps=[cap(0.5)]))
    assert (answer["proved"], answer["rules"]) == (False, [])


def test_the_rules_are_said_in_plain_words() -> None:
    sentences = [rule["sentence"] for rule in found(ore_case(caps=[cap(0.1)]))["rules"]]
    assert sentences == [
        "The cap china lets at most 10 % of the ore taken in by JPN in 2030 come from CHN in the last step.",
        "Osaka must get all 100 t of ore that it wants in 2030.",
    ]


def test_the_plants_behind_a_conflict_are_named_with_what_they_can_run() -> None:
    answer = found(ore_case(caps=[cap(0.1)], projects=[ridge(lead_years=3)]))
    assert [(row["key"], row["year"], row["t_per_year"]) for row in answer["capacities"]] == [("Denver mine", 2030, 60.0)]


def test_outages_of_plants_of_the_same_process_are_said() -> None:
    """Denver has half of 60 t and Baotou is out."""
    outages: Rows = [
        {"outage": "strike", "facility": "Denver mine", "available": 0.5},
        {"outage": "flood", "facility": "Baotou mine", "last_year": 2030},
        {"outage": "later", "facility": "Denver mine", "first_year": 2031, "available": 0.1},
    ]
    (behind,) = found(ore_case(outages=outages))["capacities"]
    assert (behind["key"], behind["t_per_year"]) == ("Denver mine", 30.0)
    assert behind["sentence"] == (
        "The plant Denver mine of the process mining can run at most 30 t in 2030, with every project that can serve by then. "
        "Outages: flood leaves 0 % of Baotou mine, strike leaves 50 % of Denver mine."
    )


def test_a_cap_with_a_priced_excess_and_demand_with_a_price_of_shortage_are_never_in_the_way() -> None:
    soft = ore_case(caps=[cap(0.1, excess_usd_per_t=100)], floors=[floor(0.8)])
    assert named(found(soft)) == {("floor", "home", 2030), WANTED}
    priced = ore_case(caps=[cap(0.1)], contracts=[contract(70)], demand=[DEMAND | {"shortage_usd_per_t": 1000}])
    assert named(found(priced)) == {("contract", "k", 2030)}


COMPONENTS = {
    "cap": "c_cap",
    "floor": "c_floor",
    "budget": "c_budget",
    "restriction": "c_restriction",
    "contract": "c_contract",
    "demand": "c_demand",
    "units_min": "c_units_min",
    "stock_final": "c_stock_final",
    "lane": "c_lane_capacity",
    "stock_capacity": "c_stock_capacity",
}


def can_be_kept(case: dv.Instance, kept: set[tuple[str, str, int | None]]) -> bool:
    """Return whether the model of a case has a plan when of all rules only these are in force.

    Bans and the years of projects leave columns out of the model, so they are taken out of the tables if none is to be kept.
    """
    kinds = {kind for kind, _, _ in kept}
    if "restriction" not in kinds and len(case.table("restrictions")):
        case = case.set("-restrictions[]")
    if "start" not in kinds:
        case = case.set("projects[].earliest_year=", "projects[].decided_year=")
    model = dv.build_model(case)
    for kind, component in COMPONENTS.items():
        for key, row in model.component(component).items():
            parts = [str(part) for part in (key if isinstance(key, tuple) else (key,))]
            dated = kind not in ("budget", "units_min", "stock_final")
            name = "|".join(parts[:-1] if dated else parts)
            if (kind, name, int(parts[-1]) if dated else None) in kept:
                continue
            if kind == "demand":  # nobody takes more than is wanted, whatever the rules
                row.set_value((None, row.body, pyo.value(row.upper)))
            else:
                row.deactivate()
    outcome = run(compile_model(model, model.diversify.variables, model.diversify.scale), Options(gap=1.0))
    assert outcome.stopped in ("optimal", "infeasible")
    return outcome.stopped == "optimal"


TIGHT: list[tuple[str, tuple[str, ...]]] = [
    ("random-02", ("demand[].shortage_usd_per_t=", "caps[].share=x0.1", "caps[].excess_usd_per_t=")),
    ("random-05", ("demand[].shortage_usd_per_t=", "caps[].share=x0.2", "budgets[].limit_musd=x0.2")),
    ("random-10", ("demand[].shortage_usd_per_t=", "caps[].share=0.02", "caps[].excess_usd_per_t=")),
    ("random-15", ("demand[].shortage_usd_per_t=", "caps[].share=0.05")),
]


@pytest.mark.parametrize(("name", "changes"), [TIGHT[0], *(pytest.param(*each, marks=pytest.mark.slow) for each in TIGHT[1:])])
def test_without_any_one_of_its_rules_a_conflict_is_none(name: str, changes: tuple[str, ...]) -> None:
    case = example(name).set(*changes)
    answer = found(case)
    rules = named(answer)
    assert answer["proved"] and answer["irreducible"] and rules
    assert not can_be_kept(case, rules)
    for rule in sorted(rules, key=str):
        assert can_be_kept(case, rules - {rule}), rule


def test_the_same_case_has_the_same_conflict() -> None:
    rows: Rows = [cap(0.1)]
    assert found(ore_case(caps=rows)) == found(ore_case(caps=rows))
