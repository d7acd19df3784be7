"""Whether scenarios agree before the reveal year: the small case change by change, and the bundled cases."""

from __future__ import annotations

from functools import cache

import pytest
from uncertain import BAN, case_of, ridge, staged, stock

import diversify as dv
from diversify.analyses.stochastic import stochastic
from diversify.errors import UsageError
from diversify.planning.agreement import differences
from diversify.planning.stages import Staged

BUNDLED = ["trilateral-gallium", "trilateral-germanium", "trilateral-graphite", "trilateral-lithium", "trilateral-magnets"]


@cache
def reference() -> tuple[dv.Instance, Staged]:
    """Return the case that changes are held to, and its program."""
    case = case_of(projects=[ridge(), ridge("vale", facility="vale", lead_years=0)], stockpiles=stock())
    return case, staged(case)


def told(change: str) -> list[str]:
    """Return the sentences on what a change does before 2031."""
    case, program = reference()
    return [each.sentence("one", "the other") for each in differences(program, staged(case.set(change)))]


@pytest.mark.parametrize(
    ("change", "name", "figure"),
    [
        (BAN.replace("2031", "2030"), "shipments of port, CHN, Osaka, ore, 2030", "absent"),
        ("demand[year=2030].quantity_t_per_year=120", "the demand at Osaka, ore, 2030", "120"),
        ("demand[].shortage_usd_per_t=4000", "shortage at Osaka, ore, 2030", "0.004"),
        ("facilities[facility=port].variable_usd_per_t=60", "runs of port, mining, 2030", "6e-05"),
        ("facilities[facility=port].capacity_t_per_year=10", "the capacity of port, 2030", "10"),
        ("recipes[].amount_t_per_t=1", None, None),
        ("stockpiles[].capacity_t=10", "room for stock at Osaka, ore, 2030", "10"),
        ("stockpiles[].initial_t=10", "stock at Osaka, ore, 2030", "10"),
        ("projects[project=vale].unit_t_per_year=20", "the capacity of vale, 2030 and units of vale, 2030", "-20"),
        ("projects[project=ridge].units_max=1", "units of ridge, 2030", "1"),
        ("projects[project=vale].capex_unit_musd=0.06", "units of vale, 2030", "0.03"),
        ("instance.discount_rate=0.1", "units of vale, 2030", None),
        ("lanes[origin=vale].cost_usd_per_t=7", "shipments of vale, AUS, Osaka, ore, 2030", None),
    ],
)
def test_a_change_before_the_reveal_is_told_with_place_and_figure(change: str, name: str | None, figure: str | None) -> None:
    sentences = [each for each in told(change) if name is None or f"{name} " in each]
    assert bool(sentences) == (name is not None)
    assert all(figure is None or f"{figure} in" in each for each in sentences[:1])


@pytest.mark.parametrize(
    "change",
    [
        BAN,
        "demand[year=2031].quantity_t_per_year=400",
        "projects[project=ridge].lead_years=plus 1",
        "projects[project=ridge].capex_unit_musd=x3",
        "projects[project=ridge].earliest_year=2032",
        "+tariffs[tariff=duty,origin=CHN,destination=*,commodity=ore,rate=4,first_year=2031]",
        "+caps[cap=china,year=2031,share=0.5,commodity=ore,consumers=JPN,sources=CHN,basis=produced]",
    ],
)
def test_a_change_from_the_reveal_on_is_none_before_it(change: str) -> None:
    """Delays and permits too: what was decided stays, when it comes on line differs."""
    assert told(change) == []


def test_demand_of_the_reveal_year_alone_moves_the_years_before_it() -> None:
    """Demand is linear between listed years: without a row for 2030 a change in 2031 is one in 2030 as well."""
    rows = [{"location": "Osaka", "commodity": "ore", "year": year, "quantity_t_per_year": 100} for year in (2029, 2031, 2032)]
    case = case_of({"calm": (0.5, ()), "growth": (0.5, ("demand[year=2031].quantity_t_per_year=300",))}, demand=rows)
    with pytest.raises(UsageError, match=r"(?s)growth: .*the demand at Osaka, ore, 2030 is 100 in calm and 200 in growth.*list 2030 too"):
        stochastic(case)


def checked(case: dv.Instance) -> None:
    """Hold all scenarios of a case with a probability to the first of them."""
    first, *others = [str(row["scenario"]) for row in case.records("scenarios") if row.get("probability") is not None]
    reference = staged(case, first)
    assert others
    for name in others:
        assert [each.sentence("one", "the other") for each in differences(reference, staged(case, name))] == [], name


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLED)
def test_the_scenarios_of_the_bundled_cases_agree(name: str) -> None:
    checked(dv.load(name))


@pytest.mark.slow
def test_draws_from_the_families_of_the_flagship_agree() -> None:
    checked(dv.sample("trilateral-magnets", 5, seed=1).instance)
