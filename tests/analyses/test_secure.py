"""Security: held to a case worked by hand, to enumeration, and to plain solves of each loss after what the plan decides early."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cases import Row, Rows, instance
from click.testing import CliRunner, Result
from uncertain import BAN, SQUEEZE, case_of, costs_after, ridge

import diversify as dv
from diversify.analyses.executor import Executor
from diversify.analyses.secure import LAYOUT, secure
from diversify.analyses.secure.contingencies import Contingency, Losses
from diversify.cli import command
from diversify.errors import UsageError
from diversify.report.secure import secure_page
from diversify.report.terminal import rendered

LEAST = 3_000 / 1e6
UNIT = 0.1


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-6, abs=1e-7)


def page(answer: dv.Answer) -> str:
    return " ".join(rendered(secure_page(answer.summary, answer.tables), width=120).split())


def units(answer: dv.Answer, within: float) -> dict[str, float]:
    """Return the units of each project in the plan of a level."""
    rows = answer.builds[answer.builds["within"] == within]
    return {str(name): float(count) for name, count in rows.groupby("project")["units"].sum().items()}


def two_pits(far: Row | None = None, project: Row | None = None, reveal: int | None = 2031, **more: Rows) -> dv.Instance:
    """A case worked by hand.

    Osaka (JPN) wants 100 t of ore in 2030, 2031 and 2032, or 20,000 USD for each tonne short. The far pit (CHN) yields any amount at 10
    USD per t, the near pit (JPN) 60 t a year at 100. Units of 20 t/yr can be added to the near pit, at most two, decided a year before
    they come: 0.1 million USD each, over two years of life, so 0.05 in each year of service. No interest, free freight. Least cost:
    all from far, 3 x 100 x 10 = 3,000 USD.

    Scenario *ban*: nothing leaves China in 2031, which shows in 2031. Then 60 t come from near and 40 t are short, 40 % of the demand.
    A unit decided in 2031 comes too late, so whoever wants less short builds in 2030: one unit leaves 20 t short, two nothing. A unit
    serves 2031 and 2032 and costs 0.1 million USD, more than the least cost, since far stays cheaper where nothing happens:

    ==========  =====  ==============
    within      units  security costs
    ==========  =====  ==============
    0.4 ...     0      0
    0.2 ... 0.4 1      0.1
    0   ... 0.2 2      0.2
    ==========  =====  ==============

    Scenario *quake*: the near pit yields nothing in 2031; far makes up for it. Scenario *dark*: both at once, and nothing is left.
    """
    mine: Row = {"process": "mining", "variable_usd_per_t": 100}
    ban = "+restrictions[restriction=ban,origin=CHN,destination=*,commodity=ore,first_year=2031,last_year=2031,limit_t_per_year=0]"
    quake = "+outages[outage=quake,facility=near,first_year=2031,last_year=2031,available=0]"
    shaken = {"ban": [ban], "quake": [quake], "dark": [ban, quake], "early": [ban.replace("first_year=2031", "first_year=2030")]}
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
            {"facility": "near", "location": "Kobe", "capacity_t_per_year": 60} | mine,
            {"facility": "far", "location": "Baotou", "capacity_t_per_year": 1000} | mine | {"variable_usd_per_t": 10} | (far or {}),
        ],
        "projects": [
            {"project": "more", "facility": "near", "unit_t_per_year": 20, "units_max": 2, "capex_unit_musd": UNIT}
            | {"life_years": 2, "lead_years": 1}
            | (project or {})
        ],
        "lanes": [{"origin": name, "destination": "Osaka", "commodity": "ore", "cost_usd_per_t": 0} for name in ("Baotou", "Kobe")],
        "demand": [{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100, "shortage_usd_per_t": 20_000}],
        "scenarios": [{"scenario": name} for name in shaken],
        "changes": [{"scenario": name, "change": change} for name, changes in shaken.items() for change in changes],
    }
    case = instance(tables | more, years=(2030, 2031, 2032), name="two-pits")
    return case if reveal is None else case.replace(reveal_year=reveal)


LEVELS = (0.5, 0.4, 0.3, 0.2, 0.1, 0.0)


@cache
def worked() -> dv.Answer:
    return secure(two_pits(), against=["ban"], within=LEVELS, gap=0)


def test_security_costs_the_annuities_of_the_units_that_a_ban_takes() -> None:
    expected = {0.5: 0, 0.4: 0, 0.3: 1, 0.2: 1, 0.1: 2, 0.0: 2}
    points = {point["within"]: point for point in worked().summary["points"]}
    assert list(points) == list(LEVELS)
    for level, count in expected.items():
        point = points[level]
        assert (point["stopped"], units(worked(), level)) == ("optimal", {"more": float(count)} if count else {})
        assert point["cost_musd"] == near(LEAST + count * UNIT)
        assert point["bound_musd"] == near(LEAST + count * UNIT)
        assert point["security_musd"] == near(count * UNIT)
        assert point["security_low_musd"] == near(count * UNIT)
        assert point["security_high_musd"] == near(count * UNIT)
        assert point["joined"] == (["ban"] if count else [])
    assert worked().summary["least_musd"] == near(LEAST)
    assert set(worked().builds.dropna(subset=["within"])["year"]) == {2031}


def test_how_the_least_cost_plan_fares_and_what_the_secure_plan_costs_under_the_loss() -> None:
    """Under the ban 100 t come from near at 100 USD in 2031: 1,000 + 10,000 + 1,000 USD and two units."""
    (row,) = worked().summary["contingencies"]
    assert (row["contingency"], row["kind"], row["size"], row["binds"]) == ("ban", "scenario", None, True)
    assert (row["first_year"], row["consumers"], row["commodity"]) == (2031, "*", "ore")
    assert (row["missed"], row["missed_t_per_year"]) == (near(0.4), near(40))
    assert (row["cost_musd"], row["shortage_t"]) == (near(12_000 / 1e6 + 2 * UNIT), near(0))


@pytest.mark.slow
def test_the_curve_never_falls_as_less_may_be_short_even_at_a_wide_gap() -> None:
    for gap in (0.0, 0.5):
        points = secure(two_pits(), against=["ban", "quake"], within=LEVELS, gap=gap).summary["points"]
        for loose, tight in pairwise(points):
            assert loose["security_musd"] <= tight["security_musd"] + 1e-12
            assert loose["bound_musd"] <= tight["bound_musd"] + 1e-12


def test_a_year_that_may_be_short_saves_the_units_for_a_loss_of_a_year_but_not_of_two() -> None:
    longer = "last_year=2031"
    for last, years, cost in ((2031, 1, 0.0), (2032, 1, 2 * UNIT), (2032, 2, 0.0)):
        changes = two_pits().table("changes")
        case = two_pits().replace(changes=changes.assign(change=changes["change"].str.replace(longer, f"last_year={last}")))
        # A later unit saves 2032 at half its cost, unless it cannot be had.
        case = case.set("projects[].latest_year=2031")
        (point,) = secure(case, against=["ban"], years=years, gap=0).summary["points"]
        assert point["security_musd"] == near(cost), (last, years)


def test_later_units_count_where_they_come_in_time() -> None:
    """A ban of both years: with a short year allowed, units decided when the ban shows save 2032, and none is built before."""
    changes = two_pits().table("changes")
    case = two_pits().replace(changes=changes.assign(change=changes["change"].str.replace("last_year=2031", "last_year=2032")))
    answer = secure(case, against=["ban"], years=1, gap=0)
    assert answer.summary["points"][0]["security_musd"] == near(0.0)
    assert units(answer, 0.0) == {}
    (row,) = answer.summary["contingencies"]
    assert (row["missed"], row["shortage_t"]) == (0.0, near(40))


def test_a_level_that_cannot_be_had_names_the_losses_to_blame() -> None:
    answer = secure(two_pits(), against=["ban", "quake", "dark"], within=(0.0, 0.5), gap=0)
    loose, tight = answer.summary["points"]
    for point in (loose, tight):
        assert (point["stopped"], point["cost_musd"], point["security_musd"]) == ("infeasible", None, None)
        assert point["without_plan"] == ["dark"]
        assert point["losses"] == 3
    assert "No plan keeps shortage within 0 % of demand under each loss: no plan survives dark" in page(answer)


def test_a_level_that_cannot_be_had_leaves_the_looser_ones() -> None:
    answer = secure(two_pits(project={"units_max": 1}), against=["ban"], within=(0.0, 0.2), gap=0)
    loose, tight = answer.summary["points"]
    assert (loose["security_musd"], loose["stopped"]) == (near(UNIT), "optimal")
    assert (tight["security_musd"], tight["stopped"], tight["without_plan"]) == (None, "infeasible", ["ban"])
    text = page(answer)
    assert "within 20 % of demand" in text
    assert "Within 0 %: no plan survives ban" in text


@pytest.mark.parametrize("both", [False, True])
def test_demand_that_must_be_met_is_met_under_each_loss(both: bool) -> None:
    """Without a price of shortage no share may be short, whatever is asked, and the least-cost plan has no plan left."""
    case = two_pits(demand=[{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100}])
    answer = secure(case, against=["ban", "quake"] if both else ["ban"], within=[0.5], gap=0)
    assert answer.summary["points"][0]["security_musd"] == near(2 * UNIT)
    assert answer.summary["contingencies"][0]["missed"] is None
    assert "all: no plan is left" in page(answer)


def test_only_what_is_asked_about_must_be_secure() -> None:
    """Kobe wants 10 t as well: pooled, 40 of 110 t may be short where 40 of 100 may not; and China wants none."""
    rows: Rows = [
        {"location": name, "commodity": "ore", "quantity_t_per_year": size, "shortage_usd_per_t": 20_000}
        for name, size in (("Osaka", 100), ("Kobe", 10))
    ]
    case = two_pits(demand=rows, groups=[{"group": "asia", "country": name} for name in ("CHN", "JPN")])
    costs = [
        secure(case, against=["ban"], within=[0.28], consumers=consumers, gap=0).summary["points"][0]["security_musd"]
        for consumers in (["JPN"], ["asia"], ["CHN"], ["CHN", "JPN"])
    ]
    # 60 t of 110 are there, 80 with a unit: 27.3 % short.
    assert costs == [near(UNIT), near(UNIT), near(0), near(UNIT)]


def test_stock_laid_in_before_the_loss_is_known_does_for_a_unit() -> None:
    """A store of 20 t at Osaka costs 1 USD per t at the end of 2030: bought at 10 and used later, it takes the place of a unit."""
    store: Rows = [{"location": "Osaka", "commodity": "ore", "capacity_t": 20, "holding_usd_per_t_year": 1}]
    answer = secure(two_pits(stockpiles=store), against=["ban"], within=(0.0, 0.2), gap=0)
    assert [point["security_musd"] for point in answer.summary["points"]] == [near(20 / 1e6), near(UNIT + 20 / 1e6)]


def losses_of(case: dv.Instance, *kinds: str, above: float = 0.25, last: int = 2031) -> dict[str, Contingency]:
    """Return the losses of a case's plan by name, in their order."""
    plan = dv.solve(case, gap=0)
    return {each.name: each for each in Losses(kinds, above, 2031, last).of_plan(case, plan.activity, plan.flows)}


def test_losses_are_generated_by_size_from_what_the_plan_relies_on() -> None:
    """Far yields 70 t: 0.7 of all ore is made there, leaves China and goes to Japan; near makes 0.3, and nothing leaves Japan."""
    case = two_pits(far={"capacity_t_per_year": 70}, projects=[])
    found = losses_of(case, "plants", "countries", "lanes")
    assert {name: each.size for name, each in found.items()} == {
        "loss of far": near(0.7),
        "no exports of CHN": near(0.7),
        "no ore from CHN to JPN": near(0.7),
        "loss of near": near(0.3),
    }
    assert [each.kind for each in found.values()] == ["plants", "countries", "lanes", "plants"]
    assert list(losses_of(case, "plants", above=0.3)) == ["loss of far", "loss of near"]
    assert list(losses_of(case, "plants", above=0.31)) == ["loss of far"]
    assert losses_of(case, "countries", "lanes", above=0.8) == {}
    for name, short in (("loss of far", 40), ("no exports of CHN", 40), ("no ore from CHN to JPN", 40), ("loss of near", 30)):
        assert dv.solve(found[name].applied(case), gap=0).summary["shortage_t"] == near(short), name
    for each in losses_of(case, "plants", "countries", "lanes", above=0.7, last=2032).values():
        assert dv.solve(each.applied(case), gap=0).summary["shortage_t"] == near(80), each.name


def test_the_verb_generates_losses_for_as_long_as_asked() -> None:
    """Two years without China: later units come in 2032 only, and two that serve both years cost the same."""
    for lasting in (1, 2, 9):
        answer = secure(two_pits(), against=["countries"], lasting=lasting, gap=0)
        (row,) = answer.summary["contingencies"]
        assert (row["contingency"], row["size"], row["binds"]) == ("no exports of CHN", near(1), True)
        assert f"last_year={min(2030 + lasting, 2032)}" in row["changes"][0]
        assert answer.summary["points"][0]["security_musd"] == near(2 * UNIT)
    nothing = secure(two_pits(far={"capacity_t_per_year": 70}), against=["countries"], above=0.8, gap=0)
    assert (nothing.summary["contingencies"], nothing.summary["points"][0]["security_musd"]) == ([], near(0))
    assert "No loss is as large as asked for" in page(nothing)


def contract(name: str, origin: str = "Baotou", first: int | None = None, commodity: str = "ore") -> Row:
    own: Row = {"contract": name, "origin": origin, "destination": "Osaka", "commodity": commodity, "minimum_t_per_year": 10}
    return own | ({} if first is None else {"first_year": first})


def test_contracts_end_that_a_loss_leaves_nobody_to_fulfil() -> None:
    """A contract from the start ends the year before, one that begins with the loss is not there; that of the other pit stays."""
    case = two_pits(contracts=[contract("old, running"), contract("new", first=2031), contract("other", "Kobe")])
    found = losses_of(case, "plants", "countries", "lanes", above=0.8)
    assert len(found) == 3
    for loss in found.values():
        assert set(loss.changes[1:]) == {'contracts[contract="old, running"].last_year=2030', '-contracts[contract="new"]'}
        plan = dv.solve(loss.applied(case).set("projects[].units_max=0"), gap=0)
        assert (plan.holds, plan.summary["shortage_t"]) == ("plan", near(40))
    answer = secure(case, against=["plants", "countries", "lanes"], above=0.8, gap=0)
    assert answer.summary["points"][0]["security_musd"] == near(2 * UNIT)


def test_contracts_stay_that_a_loss_does_not_touch() -> None:
    """China also sells to Korea and at home: the trade with Japan ends neither, the exports' loss not the one at home."""
    places = {"Baotou": "CHN", "Beijing": "CHN", "Kobe": "JPN", "Osaka": "JPN", "Busan": "KOR"}
    ends = ("Osaka", "Busan", "Beijing")
    case = two_pits(
        countries=[{"country": name} for name in sorted(set(places.values()))],
        locations=[{"location": name, "country": country} for name, country in places.items()],
        lanes=[{"origin": "Baotou", "destination": name, "commodity": "ore"} for name in ends],
        demand=[{"location": name, "commodity": "ore", "quantity_t_per_year": 100, "shortage_usd_per_t": 20_000} for name in ends],
        contracts=[contract(name) | {"destination": name} for name in ends],
    )
    found = losses_of(case, "plants", "countries", "lanes")
    ended = {name: [end for end in ends if any(f'contract="{end}"' in text for text in loss.changes)] for name, loss in found.items()}
    assert ended == {
        "loss of far": list(ends),
        "no exports of CHN": ["Osaka", "Busan"],
        "no ore from CHN to JPN": ["Osaka"],
        "no ore from CHN to KOR": ["Busan"],
    }


def test_a_lost_plant_need_not_take_what_it_contracted_and_its_neighbour_still_delivers() -> None:
    """A works at Osaka turns ore into metal under contract; a second pit at Baotou sells sand under contract."""
    case = two_pits(
        commodities=[{"commodity": name} for name in ("ore", "metal", "sand")],
        processes=[{"process": name, "reference": made} for name, made in (("mining", "ore"), ("smelting", "metal"), ("digging", "sand"))],
        recipes=[
            {"process": process, "commodity": commodity, "amount_t_per_t": amount}
            for process, commodity, amount in (
                ("mining", "ore", 1),
                ("smelting", "ore", -1),
                ("smelting", "metal", 1),
                ("digging", "sand", 1),
            )
        ],
        facilities=[
            {"facility": name, "location": place, "process": process, "capacity_t_per_year": 1000}
            for name, place, process in (("far", "Baotou", "mining"), ("works", "Osaka", "smelting"), ("dune", "Baotou", "digging"))
        ],
        projects=[],
        lanes=[{"origin": "Baotou", "destination": "Osaka", "commodity": name} for name in ("ore", "sand")],
        demand=[
            {"location": "Osaka", "commodity": name, "quantity_t_per_year": 100, "shortage_usd_per_t": 20_000} for name in ("metal", "sand")
        ],
        contracts=[contract("ore"), contract("sand", commodity="sand")],
        scenarios=[],
        changes=[],
    )
    found = losses_of(case, "plants")
    ended = {
        name: [end for end in ("ore", "sand") if any(f'contract="{end}"' in text for text in loss.changes)] for name, loss in found.items()
    }
    assert ended == {"loss of far": ["ore"], "loss of works": ["ore"], "loss of dune": ["sand"]}
    for loss in found.values():
        plan = dv.solve(loss.applied(case), gap=0)
        assert (plan.holds, plan.summary["shortage_t"]) == ("plan", near(100))


def test_those_whom_a_loss_reaches_are_held_neither_to_run_nor_to_deliver() -> None:
    """The works must run at 90 % and its metal is contracted to Kobe; a mill at Kobe must run too, on ore from near, which nobody loses."""
    steps = (("mining", "ore", None), ("smelting", "metal", "ore"), ("milling", "sheet", "ore"))
    plants = (
        ("far", "Baotou", "mining", 0),
        ("near", "Kobe", "mining", 0),
        ("works", "Osaka", "smelting", 0.9),
        ("mill", "Kobe", "milling", 0.9),
    )
    case = two_pits(
        commodities=[{"commodity": made} for _, made, _ in steps],
        processes=[{"process": name, "reference": made} for name, made, _ in steps],
        recipes=[
            {"process": name, "commodity": commodity, "amount_t_per_t": amount}
            for name, made, used in steps
            for commodity, amount in ((made, 1), (used, -1))
            if commodity is not None
        ],
        facilities=[
            {"facility": name, "location": place, "process": process, "capacity_t_per_year": 100, "utilisation_min": least}
            for name, place, process, least in plants
        ],
        projects=[],
        lanes=[
            {"origin": start, "destination": end, "commodity": name}
            for start, end, name in (("Baotou", "Osaka", "ore"), ("Osaka", "Kobe", "metal"))
        ],
        demand=[
            {"location": "Kobe", "commodity": name, "quantity_t_per_year": 100, "shortage_usd_per_t": 20_000} for name in ("metal", "sheet")
        ],
        contracts=[contract("metal", "Osaka", commodity="metal") | {"destination": "Kobe"}],
        scenarios=[],
        changes=[],
    )
    found = losses_of(case, "plants", "countries")
    relieved = ('facilities[facility="works"].utilisation_min=0', 'contracts[contract="metal"].last_year=2030')
    assert found["loss of far"].changes[1:] == found["no exports of CHN"].changes[1:] == relieved
    assert found["loss of near"].changes[1:] == ('facilities[facility="mill"].utilisation_min=0',)
    assert found["loss of works"].changes[1:] == relieved[1:]
    for loss in found.values():
        plan = dv.solve(loss.applied(case), gap=0)
        assert (plan.holds, plan.summary["shortage_t"]) == ("plan", near(100)), loss.name


def two_projects() -> dv.Instance:
    """Nothing stands: a plant at Baotou costs 0.2 million USD in all, one at Kobe 0.3, either yields all that is wanted from 2031 on."""
    mine: Row = {"process": "mining"}
    new: Row = {"unit_t_per_year": 100, "units_max": 1, "life_years": 2, "lead_years": 1, "latest_year": 2031}
    rows = [(2030, 0), (2031, 100), (2032, 100)]
    return two_pits(
        facilities=[{"facility": "far", "location": "Baotou"} | mine, {"facility": "near", "location": "Kobe"} | mine],
        projects=[{"project": name, "facility": name, "capex_unit_musd": capex} | new for name, capex in (("far", 0.2), ("near", 0.3))],
        demand=[
            {"location": "Osaka", "commodity": "ore", "year": year, "quantity_t_per_year": size, "shortage_usd_per_t": 20_000}
            for year, size in rows
        ],
        scenarios=[],
        changes=[],
    )


def test_losses_are_generated_anew_from_the_plan_that_they_lead_to() -> None:
    """The least-cost plan has far alone. Near alone survives the loss of far, for 0.3; but then near could be lost. Both cost 0.5."""
    answer = secure(two_projects(), against=["plants"], gap=0)
    (point,) = answer.summary["points"]
    assert answer.summary["least_musd"] == near(0.2)
    assert (point["cost_musd"], point["joined"], point["rounds"]) == (near(0.5), ["loss of far", "loss of near"], 2)
    assert units(answer, 0.0) == {"far": 1.0, "near": 1.0}
    missed = {row["contingency"]: row["missed"] for row in answer.summary["contingencies"]}
    assert missed == {"loss of far": near(1.0), "loss of near": 0.0}


def least_shortage(case: dv.Instance, builds: pd.DataFrame) -> dict[int, float]:
    """Return the part of each year's demand that is short at the least in a plain solve where just ``builds`` are built."""
    plan = dv.solve(case, gap=0, builds=builds)
    demand = sum(float(row["quantity_t_per_year"]) for row in case.records("demand"))
    return {int(year): float(quantity) / demand for year, quantity in plan.shortages.groupby("year")["quantity_t_per_year"].sum().items()}


@pytest.mark.slow
def test_each_loss_is_survived_by_a_plain_plan_after_what_is_decided_before_it_shows() -> None:
    """With nothing in stock and no later unit in time, what is short in 2031 depends on the early units alone."""
    case = two_pits(far={"capacity_t_per_year": 90})
    answer = secure(case, against=["plants", "countries", "lanes", "ban", "quake"], within=(0.3, 0.2, 0.1), above=0.1, gap=0)
    losses = [Contingency(row["contingency"], row["kind"], tuple(row["changes"])) for row in answer.summary["contingencies"]]
    assert len(losses) == 6
    assert [point["security_musd"] for point in answer.summary["points"]] == [near(UNIT), near(UNIT), near(2 * UNIT)]
    for point in answer.summary["points"]:
        builds = answer.builds[(answer.builds["within"] == point["within"]) & (answer.builds["decided_year"] < 2031)]
        for loss in losses:
            assert least_shortage(loss.applied(case), builds).get(2031, 0.0) <= point["within"] + 1e-6, (point["within"], loss.name)


@pytest.mark.slow
@pytest.mark.parametrize("years", [0, 1])
def test_it_is_the_best_of_all_choices(years: int) -> None:
    """Units of ridge and vale decided before 2031 enumerated; of each, what is short in plain solves at a dear price of shortage."""
    vale = ridge("vale now", facility="vale", unit_t_per_year=30, capex_unit_musd=0.04, latest_year=2031)
    early = [ridge("ridge now", latest_year=2031), vale]
    losses = {"ban": (None, (BAN,)), "squeeze": (None, (SQUEEZE,))}
    case = case_of(losses, projects=[*early, ridge("ridge later", earliest_year=2032, capex_unit_musd=0.1)])
    case = case.set("facilities[facility=vale].variable_usd_per_t=20")
    choices = []
    for counts in product(range(3), repeat=2):
        chosen = dict(zip(("ridge now", "vale now"), counts, strict=True))
        fixed = [f'projects[project="{name}"].{column}={count}' for name, count in chosen.items() for column in ("units_max", "units_min")]
        dear = case.set(*fixed, "demand[].shortage_usd_per_t=1000000")
        short = [dv.solve(dear.scenario(name), gap=0).shortages for name in losses]
        parts = [sorted((table.groupby("year")["quantity_t_per_year"].sum() / 100).tolist(), reverse=True) for table in short]
        worst = max((part[years] if len(part) > years else 0.0) for part in parts)
        choices.append((worst, costs_after(case.set(*fixed).replace(scenarios=[{"scenario": "calm"}], changes=[]), ["calm"], {})[0]))
    levels = (0.9, 0.7, 0.5, 0.4, 0.2, 0.1, 0.0)
    answer = secure(case, against=list(losses), within=levels, years=years, gap=0)
    expected = [min(cost for worst, cost in choices if worst <= level + 1e-6) for level in levels]
    assert [point["cost_musd"] for point in answer.summary["points"]] == [near(cost) for cost in expected]
    assert len(set(expected)) > (3 if years == 0 else 0)


def test_names_are_data() -> None:
    """Commas, quotes, brackets and equals signs in names of plants, places, commodities and contracts."""
    pit, ore, place, deal = 'pit, "old" [1]=x', 'ore], "fine"', "Bao,tou=]", 'deal "7", [a]'
    case = two_pits(
        commodities=[{"commodity": ore}],
        processes=[{"process": "mining", "reference": ore}],
        recipes=[{"process": "mining", "commodity": ore, "amount_t_per_t": 1}],
        countries=[{"country": "CHN"}, {"country": "JPN"}],
        locations=[{"location": place, "country": "CHN"}, {"location": "Kobe", "country": "JPN"}, {"location": "Osaka", "country": "JPN"}],
        facilities=[
            {"facility": "near", "location": "Kobe", "process": "mining", "capacity_t_per_year": 60, "variable_usd_per_t": 100},
            {"facility": pit, "location": place, "process": "mining", "capacity_t_per_year": 1000, "variable_usd_per_t": 10},
        ],
        lanes=[{"origin": name, "destination": "Osaka", "commodity": ore} for name in (place, "Kobe")],
        demand=[{"location": "Osaka", "commodity": ore, "quantity_t_per_year": 100, "shortage_usd_per_t": 20_000}],
        contracts=[contract(deal, place, commodity=ore)],
        scenarios=[],
        changes=[],
    )
    answer = secure(case, against=["plants", "countries", "lanes"], gap=0)
    assert answer.summary["points"][0]["security_musd"] == near(2 * UNIT)
    expected = {f"loss of {pit}", "no exports of CHN", f"no {ore} from CHN to JPN"}
    assert expected <= set(answer.contingencies["contingency"])
    assert f"loss of {pit}" in page(answer)
    assert len(json.dumps(answer.summary)) > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"against": ["bann"]}, "Did you mean 'ban'"),
        ({"against": ["early"]}, "differ before the reveal year 2031"),
        ({"against": []}, "against needs"),
        ({"within": []}, "within needs"),
        ({"within": [0.1, -0.1]}, "from 0 to below 1"),
        ({"within": [1.0]}, "from 0 to below 1"),
        ({"within": [float("nan")]}, "from 0 to below 1"),
        ({"years": -1}, "0 years or more"),
        ({"commodities": ["orr"]}, "no demanded commodity 'orr'"),
        ({"commodities": []}, "Name a demanded commodity"),
        ({"consumers": ["JPM"]}, "no country or group 'JPM'"),
        ({"above": 0.0}, "above a share"),
        ({"lasting": 0}, "a planning year or more"),
    ],
)
def test_what_does_not_make_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        secure(two_pits(), **({"against": ["ban"], "gap": 0} | options))


def test_a_case_without_a_reveal_year_is_refused_and_one_without_a_plan_is_told() -> None:
    with pytest.raises(UsageError, match="no reveal_year"):
        secure(two_pits(reveal=None), against=["ban"])
    case = two_pits(far={"capacity_t_per_year": 1}, demand=[{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100}])
    answer = secure(case, against=["ban", "plants"], gap=0)
    assert (answer.summary["stopped"], answer.summary["holds"], answer.summary["points"]) == ("infeasible", "none", [])
    assert "The case has no plan even without a loss (infeasible)" in page(answer)


def test_a_plan_that_supplies_nothing_has_nothing_to_lose() -> None:
    case = two_pits(facilities=[{"facility": "far", "location": "Baotou", "process": "mining"}], projects=[], scenarios=[], changes=[])
    answer = secure(case, gap=0)
    assert answer.summary["contingencies"] == []
    assert answer.summary["points"][0]["security_musd"] == near(0)


def test_the_page_says_what_security_costs_and_what_it_builds() -> None:
    text = page(worked())
    assert "two-pits: To keep shortage within 0 % of demand under ban costs 0.20 million USD more" in text
    assert "does not survive it within 0 %. Counted is shortage of ore, year by year from 2031 on." in text
    assert "ban yes 40 t/yr (40.0 %) of ore in 2031" in text
    assert "Units decided before 2031 that security changes: how many, and when on line Project least cost secure" in text
    assert "more - 2 in 2031" in text
    assert "capital" in text
    spared = page(secure(two_pits(), against=["ban", "quake"], within=[0.4], years=1, gap=0))
    assert "The least-cost plan keeps shortage within 40 % of demand under each of 2 losses: security costs nothing." in spared
    assert "survives them all within 40 %. Counted is shortage of ore, year by year from 2031 on, but for 1 calendar year." in spared


@pytest.fixture
def run_command(tmp_path: Path) -> Callable[..., Result]:
    env = {"COLUMNS": "100", "DIVERSIFY_CACHE": str(tmp_path / "cache")}
    return lambda *words: CliRunner(env=env).invoke(command, [str(word) for word in words])


def test_the_command_answers_as_the_function_does(run_command: Callable[..., Result], tmp_path: Path) -> None:
    dv.save(two_pits(), tmp_path / "case.json")
    words = ["secure", tmp_path / "case.json", "--against", "ban", "--within", "0.2", "--within", 0, "--gap", 0, "--workers", 1]
    result = run_command(*words, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    keys = {"instance", "stopped", "holds", "reveal_year", "commodities", "consumers", "years", "least_musd", "least_bound_musd"}
    assert keys | {"points", "contingencies"} <= set(found)
    assert [set(LAYOUT["points"]) <= set(point) for point in found["points"]] == [True, True]
    assert [point["security_musd"] for point in found["points"]] == [near(UNIT), near(2 * UNIT)]
    shown = run_command(*words, "--out", tmp_path / "answer")
    assert shown.exit_code == 0, shown.output
    assert "What security costs" in shown.stdout
    assert {f"{name}.csv" for name in LAYOUT} <= {file.name for file in (tmp_path / "answer").iterdir()}
    assert run_command("secure", tmp_path / "case.json", "--against", "nothing").exit_code == 2


def test_without_options_the_command_is_n_minus_1_at_no_shortage(run_command: Callable[..., Result], tmp_path: Path) -> None:
    dv.save(two_pits(), tmp_path / "case.json")
    found = json.loads(run_command("secure", tmp_path / "case.json", "--gap", 0, "--workers", 1, "--json").stdout)
    assert [point["within"] for point in found["points"]] == [0.0]
    assert {row["kind"] for row in found["contingencies"]} == {"plants", "countries", "lanes"}


@pytest.mark.slow
def test_the_answer_does_not_depend_on_workers_and_goes_on_from_what_is_kept(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"against": ["ban", "quake", "plants"], "within": (0.2, 0.0), "gap": 0}
    answers: Sequence[dv.Answer] = [secure(two_pits(), **asked, executor=Executor(count, store)) for count, store in ((1, None), (2, None))]
    kept = [secure(two_pits(), **asked, executor=Executor(1, tmp_path)) for _ in range(2)]
    assert len({json.dumps(answer.summary) for answer in (*answers, *kept)}) == 1
