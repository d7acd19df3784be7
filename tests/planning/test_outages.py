"""Outages: a plant that cannot run for some years, with all that was built there.

The case, worked out by hand
----------------------------
Osaka (JPN) wants 100 t of ore in each of 2030, 2031 and 2032; a tonne short costs 1,000 USD. Denver (USA) has 60 t/yr at 10 USD per t,
with a fixed cost of 5 USD per t/yr, and may add one unit of 40 t/yr: 2,000 USD overnight and 4 years of life, so 500 USD a year at no
interest, and a fixed cost of 10 USD per t/yr: 900 USD a year in all. Perth (AUS) has 100 t/yr at 60 USD per t. Lanes are free.

No outage: the unit saves 40 x 50 = 2,000 USD a year. 3 x (100 x 10 + 60 x 5 + 900) = 6,600 USD.

Denver is out in 2031. Built in 2030 the unit saves 2,000 in 2030 and in 2032 and costs 900 in all three years: 1,300 USD are gained.
Built in 2032 it gains 2,000 - 900 = 1,100. So it is built in 2030, and stands idle in 2031 like the rest: 100 x 10 + 300 + 900 = 2,200
USD in 2030 and in 2032, 100 x 60 + 300 + 900 = 7,200 in 2031. Together 11,600 USD. (Were the unit spared, it would run 40 t in 2031
and save 2,000.)

A strike that leaves half in 2031 and a flood that leaves two fifths of that: 20 of the 100 t/yr. 20 x 10 + 80 x 60 + 300 + 900 = 6,200
USD in 2031, 10,600 in all.
"""

from __future__ import annotations

import pandas as pd
import pytest
from cases import KNOWN_OPTIMA, Rows, cost_musd, example, instance, solved

import diversify as dv

STRIKE = "+outages[outage=strike,facility=denver,first_year=2031,last_year=2031]"
HALF = "+outages[outage=strike,facility=denver,first_year=2031,last_year=2031,available=0.5]"
FLOOD = "+outages[outage=flood,facility=denver,first_year=2031,last_year=2031,available=0.4]"


def two_mines(**tables: Rows) -> dv.Instance:
    """Return the case of the module's text, with the outages as scenarios."""
    own: dict[str, Rows] = {
        "commodities": [{"commodity": "ore"}],
        "processes": [{"process": "mining", "reference": "ore"}],
        "recipes": [{"process": "mining", "commodity": "ore", "amount_t_per_t": 1}],
        "countries": [{"country": name} for name in ("AUS", "JPN", "USA")],
        "locations": [{"location": place, "country": of} for place, of in (("Perth", "AUS"), ("Osaka", "JPN"), ("Denver", "USA"))],
        "facilities": [
            {"facility": "denver", "location": "Denver", "process": "mining", "capacity_t_per_year": 60, "variable_usd_per_t": 10}
            | {"fixed_usd_per_t_year": 5},
            {"facility": "perth", "location": "Perth", "process": "mining", "capacity_t_per_year": 100, "variable_usd_per_t": 60},
        ],
        "projects": [
            {"project": "deeper", "facility": "denver", "unit_t_per_year": 40, "units_max": 1, "capex_unit_musd": 0.002}
            | {"life_years": 4, "fixed_usd_per_t_year": 10},
        ],
        "lanes": [{"origin": place, "destination": "Osaka", "commodity": "ore"} for place in ("Denver", "Perth")],
        "demand": [{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100, "shortage_usd_per_t": 1000}],
        "scenarios": [{"scenario": "strike"}, {"scenario": "strike-and-flood"}],
        "changes": [
            {"scenario": "strike", "change": STRIKE},
            {"scenario": "strike-and-flood", "change": HALF},
            {"scenario": "strike-and-flood", "change": FLOOD},
        ],
    }
    return instance(own | tables, years=(2030, 2031, 2032), name="two-mines")


def at_denver(plan: dv.Plan, column: str) -> list[float]:
    return plan.capacity.query("facility == 'denver'").sort_values("year")[column].tolist()


def test_without_an_outage_the_unit_is_built_and_runs() -> None:
    assert solved(two_mines()).objective_musd == pytest.approx(0.006_600)


def test_an_outage_takes_what_stands_and_what_is_built_and_nothing_is_paid_less() -> None:
    plan = solved(two_mines().scenario("strike"))
    assert plan.objective_musd == pytest.approx(0.011_600)
    assert plan.builds[["project", "year", "units"]].to_numpy().tolist() == [["deeper", 2030, 1.0]]
    assert at_denver(plan, "standing_t_per_year") == [60.0, 60.0, 60.0]
    assert at_denver(plan, "new_t_per_year") == [40.0, 40.0, 40.0]
    assert at_denver(plan, "usable_t_per_year") == [100.0, 0.0, 100.0]
    assert set(plan.activity.query("facility == 'denver'")["year"]) == {2030, 2032}
    paid = plan.costs[plan.costs["facility"] == "denver"].query("category in ['fixed', 'capital']").groupby("year")["musd"].sum()
    assert paid.to_dict() == pytest.approx({2030: 0.0012, 2031: 0.0012, 2032: 0.0012})


def test_outages_of_one_plant_in_one_year_multiply() -> None:
    plan = solved(two_mines().scenario("strike-and-flood"))
    assert plan.objective_musd == pytest.approx(0.010_600)
    assert at_denver(plan, "usable_t_per_year") == pytest.approx([100.0, 20.0, 100.0])


def test_a_plant_that_is_out_has_no_runs_and_no_rows_in_that_year() -> None:
    model = dv.build_model(two_mines().set(STRIKE))
    assert {key[-1] for key in model.v_run if key[0] == "denver"} == {2030, 2032}
    assert {year for facility, year in model.c_capacity if facility == "denver"} == {2030, 2032}


def test_an_activity_is_at_most_what_outages_leave() -> None:
    model = dv.build_model(two_mines().set(HALF))
    assert {key[-1]: variable.ub for key, variable in model.v_run.items() if key[0] == "denver"} == {2030: 100.0, 2031: 50.0, 2032: 100.0}


def test_a_plant_that_is_out_need_not_run() -> None:
    """Perth must run half of its capacity in every year; while it is out it must not, and Denver alone is cheaper."""
    must = two_mines().set("facilities[facility=perth].utilisation_min=0.5")
    out = solved(must.set("+outages[outage=drought,facility=perth]"))
    assert out.objective_musd == pytest.approx(0.006_600)
    assert solved(must).objective_musd > out.objective_musd


def test_a_contract_with_a_plant_that_is_out_throughout_stays_in_force() -> None:
    contract: Rows = [
        {
            "contract": "offtake",
            "origin": "Denver",
            "destination": "Osaka",
            "commodity": "ore",
            "minimum_t_per_year": 10,
            "first_year": 2032,
        }
    ]
    case = two_mines(contracts=contract)
    assert dv.solve(case.set("+outages[outage=closed,facility=denver]")).stopped == "infeasible"
    assert solved(case.set(STRIKE)).objective_musd == pytest.approx(0.011_600)


@pytest.mark.parametrize("name", ["random-08", "random-12", "random-16"])
def test_an_outage_that_leaves_everything_changes_nothing(name: str) -> None:
    case = example(name)
    plants = case.table("facilities")["facility"]
    outages = pd.DataFrame({"outage": plants, "facility": plants, "available": 1.0})
    assert cost_musd(case.replace(outages=outages)) == pytest.approx(KNOWN_OPTIMA[name]["objective_musd"], rel=1e-9)


@pytest.mark.parametrize("name", ["random-02", "random-08", "random-16"])
def test_the_less_an_outage_leaves_the_dearer(name: str) -> None:
    """Where nothing must run: a minimum run is a burden that an outage lightens."""
    case = example(name)
    plants = case.table("facilities")
    free = case.replace(facilities=plants.assign(utilisation_min=0.0))
    outages = pd.DataFrame({"outage": plants["facility"], "facility": plants["facility"], "last_year": case.years[0]}).astype(
        {"last_year": "Int64"}
    )
    costs = [cost_musd(free.replace(outages=outages.assign(available=share))) for share in (1.0, 0.9, 0.7)]
    assert costs[0] <= costs[1] * (1 + 1e-7) and costs[1] <= costs[2] * (1 + 1e-7), costs
    assert costs[2] > costs[0], "the outages of this case should bind, or the test says nothing"
