"""Plans side by side: differences from the first, what is missing counts as nothing, ranges that two gaps leave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cases import HAND_SOLVED_MUSD

import diversify as dv

FREE_MUSD = 13_000 * (1 + 1.44 + 0.9216) / 1e6
"""Cost of the hand-solved case without its cap: all from Baotou, nothing built."""


@pytest.fixture(scope="module")
def free(hand_solved_plan: dv.Plan) -> dv.Plan:
    return dv.solve(hand_solved_plan.instance.replace(caps=None), gap=0)


@pytest.fixture(scope="module")
def tables(hand_solved_plan: dv.Plan, free: dv.Plan) -> Any:
    return dv.compare({"capped": hand_solved_plan, "free": free})


def test_costs_differ_by_category_and_in_total(tables: Any) -> None:
    costs = tables["costs"].set_index(["category", "plan"])
    assert costs.loc[("capital", "capped"), "musd"] == pytest.approx(0.9 * (1.44 + 2 * 0.9216))
    assert costs.loc[("capital", "free"), "difference_musd"] == pytest.approx(-0.9 * (1.44 + 2 * 0.9216))
    assert costs.xs("free", level="plan")["difference_musd"].sum() == pytest.approx(FREE_MUSD - HAND_SOLVED_MUSD)
    assert (costs.xs("capped", level="plan")["difference_musd"] == 0).all()


def test_what_a_plan_does_not_build_is_nothing_built(tables: Any) -> None:
    builds = tables["builds"].set_index(["project", "year", "plan"])
    assert builds.loc[("ridge-1", 2033, "capped"), "units"] == 2
    assert builds.loc[("ridge-1", 2033, "free"), ["capacity_t_per_year", "difference_capacity_t_per_year"]].tolist() == [0, -60]


def test_flows_are_by_country_and_year(tables: Any) -> None:
    flows = tables["flows"].set_index(["commodity", "origin", "destination", "year", "plan"])["quantity_t_per_year"]
    assert flows["ore", "CHN", "JPN", 2033, "capped"] == pytest.approx(40)
    assert flows["ore", "CHN", "JPN", 2033, "free"] == pytest.approx(100)
    assert flows["ore", "USA", "JPN", 2033, "free"] == 0


def test_a_cap_that_a_plan_does_not_have_is_blank_there(tables: Any) -> None:
    shares = tables["shares"].set_index(["cap", "year", "plan"])
    assert shares.loc[("china", 2033, "capped"), "share"] == pytest.approx(0.4)
    assert shares.loc[("china", 2033, "free"), ["share", "limit", "difference_share"]].isna().all()


def test_the_range_of_a_difference_uses_both_bounds(hand_solved_plan: dv.Plan, free: dv.Plan) -> None:
    loose = replace(free, summary={**free.summary, "bound_musd": 0.01, "gap": 0.8})
    wide = replace(hand_solved_plan, summary={**hand_solved_plan.summary, "bound_musd": 2.5, "gap": 0.1})
    row = dv.compare({"a": wide, "b": loose})["plans"].iloc[1]
    assert row["difference_musd"] == pytest.approx(FREE_MUSD - HAND_SOLVED_MUSD)
    assert row["difference_low_musd"] == pytest.approx(0.01 - HAND_SOLVED_MUSD)
    assert row["difference_high_musd"] == pytest.approx(FREE_MUSD - 2.5)


def test_every_table_has_every_key_once_for_every_plan(tables: Any) -> None:
    for name, table in tables.items():
        counts = table.groupby("plan", sort=False).size()
        assert list(counts.index[:2]) == ["capped", "free"] or table.empty, name
        assert counts.nunique() <= 1, name


def test_a_sequence_is_labelled_by_instance_scenario_and_changes(free: dv.Plan) -> None:
    labels = dv.compare([free, free])["plans"]["plan"].tolist()
    assert labels == ["hand-solved", "hand-solved (2)"]


def test_one_plan_cannot_be_compared(free: dv.Plan) -> None:
    with pytest.raises(dv.UsageError, match="two plans"):
        dv.compare([free])
