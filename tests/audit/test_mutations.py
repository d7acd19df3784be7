"""Every rule of the audit catches the mistake that it is there for, and nothing cries out about a plan that is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toy import COST_MUSD, ToyPlan, toy_instance, toy_plan

from diversify.audit import AuditReport, audit

Cells = dict[str, object]


def rules(report: AuditReport) -> set[str]:
    return {violation.rule for violation in report.violations}


def where(frame: pd.DataFrame, cells: Cells) -> pd.Series:
    hit = pd.Series(True, index=frame.index)
    for column, cell in cells.items():
        hit &= frame[column] == cell
    assert hit.any(), f"the toy plan has no row with {cells}"
    return hit


def changed(table: str, matching: Cells, column: str, change: object) -> Callable[[ToyPlan], None]:
    """Set a cell of the plan's rows that match (a function is applied to what is there)."""

    def mutate(plan: ToyPlan) -> None:
        frame = plan.tables[table].copy()
        hit = where(frame, matching)
        there = zip(frame[column], hit, strict=True)
        cells = [(change(cell) if callable(change) else change) if found else cell for cell, found in there]
        frame[column] = pd.Series(cells, index=frame.index)
        plan.tables[table] = frame

    return mutate


def dropped(table: str, cells: Cells) -> Callable[[ToyPlan], None]:
    def mutate(plan: ToyPlan) -> None:
        frame = plan.tables[table]
        plan.tables[table] = frame[~where(frame, cells)]

    return mutate


def added(table: str, **cells: object) -> Callable[[ToyPlan], None]:
    def mutate(plan: ToyPlan) -> None:
        plan.tables[table] = pd.concat([plan.tables[table], pd.DataFrame([cells])], ignore_index=True)

    return mutate


def test_the_plan_worked_out_by_hand_is_clean() -> None:
    report = audit(toy_instance(), toy_plan())
    assert report.ok, "\n".join(map(str, report.violations))


def test_the_cost_worked_out_by_hand_is_recomputed_by_category() -> None:
    report = audit(toy_instance(), toy_plan())
    assert report.cost_musd == pytest.approx(COST_MUSD, rel=1e-12)
    assert report.objective_musd == pytest.approx(sum(COST_MUSD.values()), rel=1e-12)


def test_a_plan_that_holds_none_has_nothing_to_check() -> None:
    report = audit(toy_instance(), ToyPlan({}, None, holds="none"))
    assert report.ok
    assert report.cost_musd == {}


ORE_2026: Cells = {"commodity": "ore", "tag": "china", "year": 2026}
DIRTY_2028: Cells = {"process": "making", "tag": "china", "year": 2028}
SCRAP: Cells = {"owner": "JPN", "commodity": "ore"}
MAKING_2028: Cells = {"process": "making", "year": 2028}
SELLING = {"location": "Denver", "owner": "USA", "commodity": "ore", "tag": "", "year": 2028, "quantity_t_per_year": 1.0}
STRAY = {"origin": "Denver", "owner": "USA", "destination": "Osaka", "commodity": "ore", "tag": "", "year": 2026} | {
    "quantity_t_per_year": 1.0,
    "freight_musd": 100e-6,
    "tariff_musd": 0.0,
}
BUILD = {"project": "ridge-1", "facility": "ridge", "year": 2028, "decided_year": 2026.5, "units": 1.0} | {
    "capacity_t_per_year": 30.0,
    "capex_musd": 3.0,
}
PURCHASE = BUILD | {"units": 0.0, "capacity_t_per_year": 0.0, "capex_musd": 1.0}

MUTATIONS: list[tuple[str, str, Callable[[ToyPlan], None]]] = [
    ("a tenth more is shipped than is made", "supply_balance", changed("flows", ORE_2026, "quantity_t_per_year", 37.4)),
    ("a kilogram more is shipped than is made", "supply_balance", changed("flows", ORE_2026, "quantity_t_per_year", 34.001)),
    ("a run makes less than is shipped", "supply_balance", changed("activity", {"facility": "ridge"}, "activity_t_per_year", 14.0)),
    ("a disposal is forgotten", "supply_balance", dropped("disposal", {"location": "Denver"})),
    ("scrap is shipped beyond what comes back", "supply_balance", changed("flows", SCRAP, "quantity_t_per_year", 4.0)),
    ("a supply side ships under another owner", "lane", changed("flows", ORE_2026, "owner", "USA")),
    ("Chinese ore is called clean", "supply_balance", changed("flows", ORE_2026, "tag", "")),
    ("arrivals are called clean where they are used", "relabelling", changed("activity", DIRTY_2028, "tag", "")),
    ("more clean magnets than clean ore", "relabelling", changed("activity", MAKING_2028, "activity_t_per_year", lambda runs: 14.0 - runs)),
    ("an arrival is lost", "use_balance", dropped("flows", ORE_2026)),
    ("a delivery is dropped", "demand", dropped("deliveries", {"tag": "china", "year": 2026})),
    ("a delivery is dropped and its goods vanish", "use_balance", dropped("deliveries", {"tag": "china", "year": 2026})),
    ("a shortage is understated", "demand", changed("shortages", {"year": 2026}, "quantity_t_per_year", 4.0)),
    ("more is delivered than is wanted", "demand", changed("deliveries", {"year": 2026}, "quantity_t_per_year", 22.0)),
    ("ore is delivered as a magnet", "substitute", changed("deliveries", {"supplied_by": "ferrite"}, "supplied_by", "ore")),
    ("a place without demand is served", "demand", changed("deliveries", {"year": 2026}, "location", "Denver")),
    ("a substitute replaces too much", "substitute_share", changed("deliveries", {"supplied_by": "ferrite"}, "quantity_t_per_year", 5.0)),
    ("a stock at the wrong place", "stock_place", changed("stocks", {"year": 2026}, "location", "Denver")),
    ("a stock above its capacity", "stock_capacity", changed("stocks", {"year": 2026}, "stock_t", 9.5)),
    ("a stock that is drawn without being there", "use_balance", changed("stocks", {"year": 2026}, "stock_t", 0.5)),
    ("a tag on what is not traced", "tag", changed("flows", {"commodity": "ferrite"}, "tag", "china")),
    ("a tag on a mine's run", "tag", changed("activity", {"facility": "pit"}, "tag", "china")),
    ("a tag that is no tag", "tag", changed("flows", ORE_2026, "tag", "trilateral")),
    ("a tag joined twice", "tag", changed("flows", ORE_2026, "tag", "china+china")),
    ("a lane that nothing joins", "lane", changed("flows", {"commodity": "magnet", "year": 2026}, "destination", "Baotou")),
    ("goods from where nobody makes them", "lane", changed("flows", {"commodity": "magnet", "year": 2026}, "origin", "Baotou")),
    ("a flow out of nothing", "supply_balance", added("flows", **STRAY)),
    ("a plant that runs another's process", "mode", changed("activity", {"facility": "press"}, "process", "making")),
    ("more runs than a ramped unit allows", "utilisation_max", changed("activity", {"facility": "ridge"}, "activity_t_per_year", 15.1)),
    ("a plant that runs below its minimum", "utilisation_min", changed("activity", {"facility": "works"}, "activity_t_per_year", 1.0)),
    ("a reserve that is overdrawn", "reserve", changed("activity", {"facility": "ridge"}, "activity_t_per_year", 20.5)),
    ("a closure that is undone", "closure", changed("closures", {"facility": "pit"}, "year", 2026)),
    ("a closure beyond what stands", "closure", changed("closures", {"facility": "pit"}, "closed_t_per_year", 101.0)),
    ("a closure of what may not be closed", "closure", changed("closures", {"facility": "pit"}, "facility", "works")),
    ("capacity misstated", "capacity_row", changed("capacity", {"facility": "ridge"}, "usable_t_per_year", 30.0)),
    ("half a unit", "whole_units", changed("builds", {}, "units", 1.5)),
    ("a unit that comes on line too early", "build_year", changed("builds", {}, "year", 2026)),
    ("more units than can be", "units_max", changed("builds", {}, "units", 3.0)),
    ("a unit that must be built is not", "units_min", dropped("builds", {})),
    ("the first unit's cost is left out", "first_unit", changed("builds", {}, "capex_musd", 3.0)),
    ("the first unit's cost is halved", "capex", changed("builds", {}, "capex_musd", 3.6)),
    ("the same build twice", "duplicate", added("builds", **BUILD)),
    ("a decision that does not fit its year", "build_row", changed("builds", {}, "decided_year", 2027.0)),
    ("units of another size", "build_row", changed("builds", {}, "capacity_t_per_year", 60.0)),
    ("a project at another plant", "build_row", changed("builds", {}, "facility", "pit")),
    ("a lane beyond its capacity", "lane_capacity", changed("flows", {"origin": "Denver"}, "quantity_t_per_year", 12.1)),
    ("a contract that is not honoured", "contract", changed("flows", ORE_2026, "quantity_t_per_year", 12.0)),
    ("a quota that is overstepped", "restriction", changed("flows", ORE_2026, "quantity_t_per_year", 35.0)),
    ("a ban on owned plants that is broken", "restriction", changed("flows", {"commodity": "magnet", "year": 2026}, "owner", "CHN")),
    ("a sale without a market", "market", changed("sales", {}, "commodity", "magnet")),
    ("a market that is flooded", "market_limit", added("sales", **(SELLING | {"tag": "china"}))),
    ("an excess that is not stated", "cap", changed("shares", {}, "excess_t", 0.0)),
    ("an excess that is overstated", "share_row", changed("shares", {}, "excess_t", 0.6)),
    ("a share that is embellished", "share_row", changed("shares", {}, "share", 0.5)),
    ("a limit that is not the instance's", "share_row", changed("shares", {}, "limit", 0.55)),
    ("a share for a year without cap", "share_row", changed("shares", {}, "year", 2026)),
    ("a share that is left out", "share_row", dropped("shares", {})),
    ("a cost row that is off", "cost", changed("costs", {"category": "freight"}, "musd", lambda musd: musd * 1.001)),
    ("a cost row that is left out", "cost", dropped("costs", {"category": "holding"})),
    ("a cost row in another year", "cost", changed("costs", {"category": "holding"}, "year", 2028)),
    ("a cost at another plant", "cost", changed("costs", {"facility": "press"}, "facility", "works")),
    ("a cost of no known kind", "cost_category", changed("costs", {"category": "holding"}, "category", "goodwill")),
    ("freight of a flow that is off", "flow_cost", changed("flows", ORE_2026, "freight_musd", 670e-6)),
    ("a duty that is forgotten", "flow_cost", changed("flows", ORE_2026, "tariff_musd", 0.0)),
    ("a shortage priced too low", "shortage_cost", changed("shortages", {"year": 2028}, "cost_musd", 0.025)),
    ("a flow that runs backwards", "negative", changed("flows", ORE_2026, "quantity_t_per_year", -34.0)),
    ("a flow that is not a number", "not_a_number", changed("flows", ORE_2026, "quantity_t_per_year", np.nan)),
    ("an infinite stock", "not_a_number", changed("stocks", {}, "stock_t", np.inf)),
    ("a year that is not planned", "planning_year", changed("flows", ORE_2026, "year", 2027)),
    ("half a year", "planning_year", changed("activity", {"facility": "ridge"}, "year", 2028.5)),
    ("a place that does not exist", "unknown_name", changed("flows", ORE_2026, "origin", "Atlantis")),
    ("a project that does not exist", "unknown_name", changed("builds", {}, "project", "ridge-2")),
    ("a flow that is listed twice", "duplicate", added("flows", **(STRAY | {"year": 2028}))),
    ("a column that is missing", "missing_column", lambda plan: plan.tables.update(flows=plan.tables["flows"].drop(columns="tag"))),
    ("an objective that is not the cost", "objective", lambda plan: setattr(plan, "objective_musd", 0.9500)),
    ("no objective at all", "objective", lambda plan: setattr(plan, "objective_musd", None)),
]


@pytest.mark.parametrize(("rule", "mutate"), [case[1:] for case in MUTATIONS], ids=[case[0] for case in MUTATIONS])
def test_a_mutation_of_the_plan_is_caught(rule: str, mutate: Callable[[ToyPlan], None]) -> None:
    plan = toy_plan()
    mutate(plan)
    assert rule in rules(audit(toy_instance(), plan))


TIGHTENED = [
    ("lanes[origin=Denver].capacity_t_per_year=11.9", {"lane_capacity"}),
    ("contracts[contract=offtake].minimum_t_per_year=13.1", {"contract"}),
    ("restrictions[restriction=quota].limit_t_per_year=33.9", {"restriction"}),
    ("markets[commodity=ore].limit_t_per_year=1.9", {"market_limit"}),
    ("-markets[commodity=ore]", {"market", "cost", "objective"}),
    ("+markets[location=Denver,commodity=ore,price_usd_per_t=30,limit_t_per_year=1]", {"market_limit"}),
    ("caps[cap=half].excess_usd_per_t=default", {"cap", "cost", "objective"}),
    ("caps[cap=half].year=2026", {"cap", "share_row"}),
    ("floors[floor=home].share=1.01", {"floor"}),
    ("floors[floor=home].makers=CHN", {"floor"}),
    ("budgets[budget=grants].limit_musd=3.9", {"budget"}),
    ("facilities[facility=ridge].reserve_t=29", {"reserve"}),
    ("facilities[facility=works].utilisation_max=0.49", {"utilisation_max"}),
    ("facilities[facility=works].utilisation_min=0.4", {"utilisation_min"}),
    ("facilities[facility=pit].closable=false", {"closure"}),
    ("+outages[outage=strike,facility=ridge,first_year=2028]", {"utilisation_max", "capacity_row"}),
    ("+outages[outage=strike,facility=ridge,last_year=2027]", set()),
    ("+outages[outage=repair,facility=works,first_year=2028,available=0.9]", {"capacity_row"}),
    ("+outages[outage=repair,facility=works,last_year=2026,available=0.6]", {"utilisation_max", "capacity_row"}),
    ("projects[project=ridge-1].units_min=2", {"units_min"}),
    ("projects[project=ridge-1].latest_year=2027", {"build_year"}),
    ("projects[project=ridge-1].earliest_year=2029", {"build_year"}),
    ("projects[project=ridge-1].decided_year=2027", {"build_year"}),
    ("stockpiles[location=Osaka].capacity_t=1.9", {"stock_capacity"}),
    ("stockpiles[location=Osaka].final_min_t=1", {"stock_final"}),
    ("stockpiles[location=Osaka].final_min_t=default", {"stock_final"}),
    ("substitutes[substitute=ferrite].max_share=0.07", {"substitute_share"}),
    ("demand[commodity=magnet].shortage_usd_per_t=default", {"hard_demand", "shortage_cost", "cost", "objective"}),
    ("projects[project=ridge-1].ramp=0.4;1", {"utilisation_max", "capacity_row"}),
    ("projects[project=ridge-1].life_years=20", {"cost", "objective"}),
    ("instance.discount_rate=0.09", {"cost", "objective"}),
    ("distances[origin=Osaka].km=8999", {"flow_cost", "cost"}),
    ("countries[country=JPN].customs_union=u", set()),
    ("countries[].customs_union=u", {"flow_cost", "cost", "objective"}),
    ("returns[scrap=ore].past_t_per_year=29", {"supply_balance"}),
    ("returns[scrap=ore].lag_years=1", set()),
    ("returns[scrap=ore].lag_years=3", {"supply_balance"}),
    ("returns[scrap=ore].origin=CHN", {"supply_balance"}),
]


@pytest.mark.parametrize(("change", "expected"), TIGHTENED, ids=[case[0] for case in TIGHTENED])
def test_a_change_of_the_instance_shows_in_the_rules_that_it_bears_on_and_no_other(change: str, expected: set[str]) -> None:
    assert rules(audit(toy_instance().set(change), toy_plan())) == expected


def test_a_violation_says_where_when_and_by_how_much() -> None:
    plan = toy_plan()
    changed("flows", ORE_2026, "quantity_t_per_year", 35.0)(plan)
    quota = next(violation for violation in audit(toy_instance(), plan).violations if violation.rule == "restriction")
    assert (quota.table, quota.key, quota.year, quota.unit) == ("flows", "quota", 2026, "t per year")
    assert quota.amount == pytest.approx(1.0)
    assert quota.sentence == "restriction quota: 1 t per year more are shipped in 2026 than it allows"
    assert quota.as_dict()["rule"] == "restriction"


def test_blank_tags_read_back_as_missing_are_the_empty_tag() -> None:
    plan = toy_plan()
    for table, frame in plan.tables.items():
        if "tag" in frame:
            plan.tables[table] = frame.assign(tag=frame["tag"].where(frame["tag"] != "", None).astype("str"))
    assert audit(toy_instance(), plan).ok


def test_the_first_units_cost_may_be_paid_before_the_unit_but_not_after_it() -> None:
    years = toy_instance().replace(years=[2026, 2028, 2030])
    late = replace(toy_plan())
    late.tables["builds"] = pd.DataFrame([BUILD, PURCHASE | {"year": 2030, "decided_year": 2028.5}])
    assert "first_unit" in rules(audit(years, late))
    early = replace(toy_plan())
    early.tables["builds"] = pd.DataFrame([PURCHASE, BUILD | {"year": 2030, "decided_year": 2028.5}])
    assert "first_unit" not in rules(audit(years, early))
