"""The joint case is what its five parts say, and costs what they cost together."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import diversify as dv

ROOT = Path(__file__).parents[2]
PARTS = ("trilateral-magnets", "trilateral-gallium", "trilateral-germanium", "trilateral-graphite", "trilateral-lithium")
OWN = {"budgets", "scenarios", "changes"}
SCENARIOS = {"controls-2023", "controls-2025", "full-stop", "partners-first", "no-cap"}


@pytest.fixture(scope="module")
def whole() -> dv.Instance:
    return dv.load("trilateral-critical-minerals")


@pytest.fixture(scope="module")
def joined() -> dv.Instance:
    return dv.join([dv.load(part) for part in PARTS], "trilateral-critical-minerals")


def test_the_joint_case_is_the_join_of_its_parts(whole: dv.Instance, joined: dv.Instance) -> None:
    """Where this fails a part was changed and the joint case was not made again: docs/upkeep.md says how."""
    assert set(whole.tables) - OWN == set(joined.tables) - OWN
    for name, table in joined.tables.items():
        columns = list(table.columns)
        mine, theirs = (each.sort_values(columns, ignore_index=True) for each in (whole.table(name), table))
        if name == "sources":
            mine = mine[mine["source"].isin(theirs["source"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, theirs, obj=name)


def test_it_leaves_to_the_chains_what_they_hold() -> None:
    folder = ROOT / "instances" / "trilateral-critical-minerals"
    own = pd.read_csv(folder / "recipes.csv")
    for chain in ROOT.glob("models/*/recipes.csv"):
        held = pd.read_csv(chain)
        assert not set(zip(own["process"], own["commodity"], strict=True)) & set(zip(held["process"], held["commodity"], strict=True))


def test_it_has_one_cap_schedule_or_more_for_each_mineral(whole: dv.Instance) -> None:
    caps = whole.table("caps")
    for part in PARTS:
        assert set(dv.load(part).table("caps")["cap"]) <= set(caps["cap"])


def test_its_scenarios_can_be_made_and_change_what_they_say(whole: dv.Instance) -> None:
    assert set(whole.table("scenarios")["scenario"]) >= SCENARIOS
    for name in whole.table("scenarios")["scenario"]:
        made = whole.scenario(str(name))
        assert made != whole or name == "as-planned", name
    assert whole.scenario("no-cap").table("caps").empty
    bans = whole.scenario("full-stop").table("restrictions")
    stopped = bans[(bans["limit_t_per_year"] == 0) & (bans["first_year"] == 2028) & (bans["last_year"] == 2029)]
    exported = _chinese_exports(whole)
    assert set(stopped["commodity"]) >= exported, exported - set(stopped["commodity"])


def _chinese_exports(case: dv.Instance) -> set[str]:
    """Return the commodities that plants in China or owned from there can send to the three."""
    places = case.table("locations").set_index("location")["country"]
    plants = case.table("facilities")
    chinese = plants[(plants["location"].map(places) == "CHN") | (plants["owner"] == "CHN")]
    made = case.table("recipes").merge(chinese[["process"]].drop_duplicates(), on="process")
    shipped = set(case.table("freight")["commodity"])
    return set(made.loc[made["amount_t_per_t"] > 0, "commodity"]) & shipped


@pytest.mark.slow
def test_without_the_shared_budgets_it_costs_what_its_parts_cost_together(whole: dv.Instance) -> None:
    """Five solves against one: the joint model is the sum of the parts where nothing is shared."""
    together = dv.solve(whole.replace(budgets=None), gap=0.002, time_limit=300)
    parts = [dv.solve(dv.load(part), gap=0.002, time_limit=100) for part in PARTS]
    assert together.summary["audit"]["ok"]
    assert together.bound_musd is not None
    assert together.objective_musd is not None
    assert together.bound_musd <= sum(part.objective_musd or 0.0 for part in parts) * (1 + 1e-9)
    assert together.objective_musd >= sum(part.bound_musd or 0.0 for part in parts) * (1 - 1e-9)


@pytest.mark.slow
def test_it_solves_to_one_per_cent_within_its_time(whole: dv.Instance) -> None:
    plan = dv.solve(whole, gap=0.01, time_limit=600)
    assert plan.stopped == "optimal"
    assert plan.gap is not None
    assert plan.gap <= 0.01
    assert plan.summary["audit"]["ok"]
    assert plan.shortages.empty
