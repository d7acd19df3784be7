"""Competitors who turn back to China are supplied, not short; the three cannot buy by that way."""

from __future__ import annotations

import pandas as pd
import pytest

from diversify.instance import Instance, load
from diversify.planning import solve

GRADES = ("magnet_standard", "magnet_heavy")


@pytest.fixture(scope="module")
def case() -> Instance:
    """Return the flagship."""
    return load("trilateral-magnets")


def countries_of(case: Instance, group: str) -> set[str]:
    """Return the countries of a group."""
    groups = case.table("groups")
    return set(groups[groups["group"] == group]["country"])


@pytest.mark.parametrize("grade", GRADES)
def test_only_competitors_have_a_lane_for_magnets_bought_back(case: Instance, grade: str) -> None:
    lanes = case.table("lanes")
    reached = lanes[lanes["commodity"] == f"{grade}_bought_back"]["destination"]
    countries = case.table("locations").set_index("location")["country"]
    assert set(reached.map(countries)) == countries_of(case, "competitors")
    assert f"{grade}_bought_back" not in set(case.table("freight")["commodity"])


@pytest.mark.parametrize("grade", GRADES)
def test_turning_back_costs_less_than_going_short(case: Instance, grade: str) -> None:
    demand = case.table("demand")
    facilities = case.table("facilities")
    price = facilities[facilities["process"] == f"supply_{grade}_bought_back"]["variable_usd_per_t"].item()
    assert (demand[demand["commodity"] == grade]["shortage_usd_per_t"] > price).all()


def test_competitors_turn_back_when_china_is_cheap_and_the_three_cannot(case: Instance) -> None:
    year = case.scenario("record-2024")
    for grade in GRADES:
        year = year.set(f"facilities[process=supply_{grade}_bought_back].variable_usd_per_t=10000")
    plan = solve(year, gap=0)
    deliveries = plan.tables["deliveries"]
    returned: pd.DataFrame = deliveries[deliveries["supplied_by"].astype("string").str.endswith("_bought_back").fillna(False)]
    countries = case.table("locations").set_index("location")["country"]
    assert set(returned["location"].map(countries)) == countries_of(case, "competitors")
    assert plan.tables["shortages"].empty
    assert plan.summary["audit"]["ok"]
