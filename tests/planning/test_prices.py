"""Prices are what a little more or less would cost while what is built stays as it is."""

from __future__ import annotations

import pandas as pd
import pytest
from cases import Rows, example, hand_solved, instance, solved

import diversify as dv
from diversify.solve import Options, compile_model, run

D = {2030: 1.0, 2031: 1.44, 2033: 0.9216}


def price(plan: dv.Plan, kind: str, key: str, year: int) -> tuple[float, bool]:
    prices = plan.prices
    rows = prices[(prices["kind"] == kind) & (prices["key"] == key) & (prices["year"] == year)]
    assert len(rows) == 1, plan.prices
    return float(rows["usd_per_t"].iloc[0]), bool(rows["unique"].iloc[0])


def cost_with_builds_of(plan: dv.Plan, case: dv.Instance) -> float:
    """Return the cost of a case, in which everything adapts but what the plan builds."""
    model = dv.build_model(case)
    units = {(row.project, row.year): row.units for row in plan.builds.itertuples()}
    first = dict(case.table("projects")[["project", "capex_first_musd"]].fillna(0.0).itertuples(index=False, name=None))
    unit = dict(case.table("projects")[["project", "capex_unit_musd"]].itertuples(index=False, name=None))
    bought = {
        (row.project, row.year)
        for row in plan.builds.itertuples()
        if first[row.project] and row.capex_musd > row.units * unit[row.project] + 0.5 * first[row.project]
    }
    for key, variable in model.v_build.items():
        variable.fix(units.get(key, 0.0))
    for key, variable in model.v_open.items():
        variable.fix(1.0 if key in bought else 0.0)
    outcome = run(compile_model(model, model.diversify.variables, model.diversify.scale), Options(gap=0.0))
    assert outcome.stopped == "optimal"
    return outcome.objective


def test_prices_of_the_hand_solved_case_by_hand(hand_solved_plan: dv.Plan) -> None:
    """In 2031 the unit has 10 t/yr to spare: one more clean tonne is Denver's ore, one more magnet four fifths Chinese."""
    assert price(hand_solved_plan, "commodity", "Osaka|ore|", 2031) == (pytest.approx(90.0), True)
    assert price(hand_solved_plan, "commodity", "Osaka|ore|CHN", 2031) == (pytest.approx(30.0), True)
    assert price(hand_solved_plan, "demand", "Osaka|magnet", 2030) == (pytest.approx(130.0), True)
    assert price(hand_solved_plan, "demand", "Osaka|magnet", 2031) == (pytest.approx(0.8 * 130 + 0.2 * 190), True)


def test_a_cap_costs_the_difference_of_the_sources_that_it_trades(hand_solved_plan: dv.Plan) -> None:
    """A tonne more may come from China at 30 USD instead of 90; a point of 100 t of arrivals is a tonne in each year."""
    shares = hand_solved_plan.shares.set_index("year")
    assert price(hand_solved_plan, "cap", "china|JPN", 2031) == (pytest.approx(60.0), True)
    assert shares.loc[2031, "usd_per_t"] == pytest.approx(60.0)
    assert shares.loc[2031, "musd_per_point"] == pytest.approx(60.0 * D[2031] / 1e6)
    assert shares.loc[2030, ["usd_per_t", "musd_per_point"]].tolist() == [0.0, 0.0]


def test_a_price_that_differs_from_the_two_sides_is_not_called_unique(hand_solved_plan: dv.Plan) -> None:
    """In 2033 both units run full: relief saves 60 USD per t, but a tighter cap could not be met by Denver any more."""
    usd_per_t, unique = price(hand_solved_plan, "cap", "china|JPN", 2033)
    assert not unique
    assert usd_per_t >= 60.0 - 1e-6


def test_the_price_of_a_cap_is_what_moving_it_costs_with_the_builds_fixed(hand_solved_plan: dv.Plan) -> None:
    step = 0.001

    def moved(share: float) -> dv.Instance:
        caps = hand_solved().table("caps")
        middle = caps.iloc[[0]].assign(year=2031, share=share)
        return hand_solved().replace(caps=pd.concat([caps, middle], ignore_index=True))

    tight, loose = (cost_with_builds_of(hand_solved_plan, moved(0.8 + sign * step)) for sign in (-1, 1))
    musd_per_point = hand_solved_plan.shares.set_index("year").loc[2031, "musd_per_point"]
    assert (tight - loose) / (200 * step) == pytest.approx(musd_per_point, rel=1e-6)


@pytest.mark.parametrize("name", ["random-02", pytest.param("random-17", marks=pytest.mark.slow)])
def test_unique_cap_prices_agree_with_finite_differences(name: str) -> None:
    case = example(name)
    plan = solved(case)
    caps = plan.prices[plan.prices["kind"] == "cap"]
    unique = set(caps.loc[caps["unique"], ["key", "year"]].itertuples(index=False, name=None))
    rows = [row for row in plan.shares.itertuples() if (f"{row.cap}|{row.consumers}", row.year) in unique]
    assert rows, "the case should have a cap with a unique price, or the test says nothing"
    row = max(rows, key=lambda each: each.musd_per_point)
    assert case.table("caps").set_index("cap").loc[[row.cap], "scope"].iloc[0] != "each"
    step = 1e-4

    def moved(change: float) -> dv.Instance:
        """The cap listed in every planning year with its interpolated share, that of one year moved."""
        table = case.table("caps")
        first = table[table["cap"] == row.cap].iloc[[0]]
        limits = plan.shares[plan.shares["cap"] == row.cap].drop_duplicates("year").set_index("year")["limit"]
        listed = [first.assign(year=year, share=limit + (change if year == row.year else 0.0)) for year, limit in limits.items()]
        return case.replace(caps=pd.concat([table[table["cap"] != row.cap], *listed], ignore_index=True).astype({"year": "Int64"}))

    tight, loose = (cost_with_builds_of(plan, moved(change)) for change in (-step, step))
    assert (tight - loose) / (200 * step) == pytest.approx(row.musd_per_point, rel=1e-4)


def test_limits_are_priced_at_what_relief_saves_and_contracts_at_what_they_cost() -> None:
    """Osaka takes 100 t: 60 over a full lane from a mine at 10 USD, 10 under contract at 50, the rest at 30."""
    tables: dict[str, Rows] = {
        "commodities": [{"commodity": "ore"}],
        "processes": [{"process": "mining", "reference": "ore"}],
        "recipes": [{"process": "mining", "commodity": "ore", "amount_t_per_t": 1}],
        "countries": [{"country": name} for name in ("AUS", "CHN", "JPN", "USA")],
        "locations": [
            {"location": "Perth", "country": "AUS"},
            {"location": "Baotou", "country": "CHN"},
            {"location": "Denver", "country": "USA"},
            {"location": "Osaka", "country": "JPN"},
        ],
        "facilities": [
            {"facility": place, "location": place, "process": "mining", "capacity_t_per_year": 500, "variable_usd_per_t": cost}
            for place, cost in (("Baotou", 10), ("Perth", 30), ("Denver", 50))
        ],
        "lanes": [
            {"origin": "Baotou", "destination": "Osaka", "commodity": "ore", "capacity_t_per_year": 60},
            {"origin": "Perth", "destination": "Osaka", "commodity": "ore"},
            {"origin": "Denver", "destination": "Osaka", "commodity": "ore"},
        ],
        "contracts": [{"contract": "k", "origin": "Denver", "destination": "Osaka", "commodity": "ore", "minimum_t_per_year": 10}],
        "demand": [{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100}],
    }
    plan = solved(instance(tables))
    assert plan.objective_musd == pytest.approx((60 * 10 + 30 * 30 + 10 * 50) / 1e6)
    assert price(plan, "lane", "Baotou|Osaka|ore", 2030) == (pytest.approx(30 - 10), True)
    assert price(plan, "contract", "k", 2030) == (pytest.approx(50 - 30), True)
    assert price(plan, "demand", "Osaka|ore", 2030) == (pytest.approx(30.0), True)
    assert price(plan, "commodity", "Osaka|ore|", 2030) == (pytest.approx(30.0), True)
    restricted = instance(
        tables | {"restrictions": [{"restriction": "r", "origin": "AUS", "destination": "*", "commodity": "ore", "limit_t_per_year": 25}]}
    )
    plan = solved(restricted)
    assert plan.objective_musd == pytest.approx((60 * 10 + 25 * 30 + 15 * 50) / 1e6)
    assert price(plan, "restriction", "r", 2030) == (pytest.approx(20.0), True)


def _two_goods() -> dict[str, Rows]:
    """Osaka wants 100 t of ore at 50 USD from a mine of 100 t/yr; slag at 20 USD may stand in for 30 % of it."""
    return {
        "commodities": [{"commodity": "ore"}, {"commodity": "slag"}],
        "processes": [{"process": "mining", "reference": "ore"}, {"process": "raking", "reference": "slag"}],
        "recipes": [
            {"process": "mining", "commodity": "ore", "amount_t_per_t": 1},
            {"process": "raking", "commodity": "slag", "amount_t_per_t": 1},
        ],
        "countries": [{"country": "JPN"}],
        "locations": [{"location": "Osaka", "country": "JPN"}],
        "facilities": [
            {"facility": "mine", "location": "Osaka", "process": "mining", "capacity_t_per_year": 100, "variable_usd_per_t": 50},
            {"facility": "heap", "location": "Osaka", "process": "raking", "capacity_t_per_year": 100, "variable_usd_per_t": 20},
        ],
        "lanes": [{"origin": "Osaka", "destination": "Osaka", "commodity": good} for good in ("ore", "slag")],
        "substitutes": [{"commodity": "ore", "substitute": "slag", "max_share": 0.3}],
        "demand": [{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100}],
    }


def test_demand_is_priced_with_the_share_of_it_that_a_substitute_may_serve() -> None:
    plan = solved(instance(_two_goods()))
    assert price(plan, "demand", "Osaka|ore", 2030) == (pytest.approx(0.7 * 50 + 0.3 * 20), True)
    assert price(plan, "substitute", "Osaka|ore|slag", 2030) == (pytest.approx(30.0), True)


def test_the_price_of_a_full_plant_is_on_its_capacity_not_on_the_bound_of_its_run() -> None:
    """Of 60 t/yr of slag that may stand in for all of it every one is used: a t more would save 50 - 20 USD."""
    tables = _two_goods() | {"substitutes": [{"commodity": "ore", "substitute": "slag"}]}
    plan = solved(instance(tables).set("facilities[facility=heap].capacity_t_per_year=60"))
    assert price(plan, "capacity", "heap", 2030) == (pytest.approx(30.0), True)


def test_a_plant_that_does_not_stand_is_priced_at_its_first_tonne() -> None:
    """The heap could be worth anything from 30 USD up while it does not exist; a first tonne of it would save 30."""
    tables = _two_goods() | {"substitutes": [{"commodity": "ore", "substitute": "slag"}]}
    project = {"project": "rake", "facility": "heap", "unit_t_per_year": 10, "units_max": 1, "capex_unit_musd": 1, "life_years": 1}
    plan = solved(instance(tables | {"projects": [project]}).set("facilities[facility=heap].capacity_t_per_year=0"))
    assert plan.builds.empty
    usd_per_t, _ = price(plan, "capacity", "heap", 2030)
    assert usd_per_t == pytest.approx(30.0)
    (unit,) = plan.prices[plan.prices["kind"] == "unit"].to_dict("records")
    assert (unit["key"], unit["year"]) == ("rake", 2030)
    assert unit["musd"] == pytest.approx(10 * 30 / 1e6 - 1.0)
