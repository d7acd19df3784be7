"""Changes: what the grammar reads, what it does, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from small_case import mutated, write_case

from diversify.errors import InstanceError, UsageError
from diversify.instance import Instance, load


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    return load(write_case(tmp_path_factory.mktemp("changes") / "small"))


def column(instance: Instance, table: str, name: str) -> list[object]:
    series = instance.table(table)[name]
    return [None if blank else value for value, blank in zip(series.tolist(), series.isna(), strict=True)]


@pytest.mark.parametrize(
    ("change", "table", "name", "expected"),
    [
        ("demand[commodity=metal].quantity_t_per_year=x1.5", "demand", "quantity_t_per_year", [150.0, 225.0, 120.0]),
        ("demand[location=us,year=2030.0].quantity_t_per_year=plus 5", "demand", "quantity_t_per_year", [100.0, 155.0, 80.0]),
        ("demand[year=].quantity_t_per_year=minus 5.5", "demand", "quantity_t_per_year", [100.0, 150.0, 74.5]),
        ("demand[].quantity_t_per_year=7", "demand", "quantity_t_per_year", [7.0, 7.0, 7.0]),
        ("demand[].shortage_usd_per_t=default", "demand", "shortage_usd_per_t", [None, None, None]),
        ("projects[project=new-us].lead_years=plus 1", "projects", "lead_years", [3.0, 1.0]),
        ("projects[].earliest_year=default", "projects", "earliest_year", [None, None]),
        ("projects[project=new-us].earliest_year=plus 2", "projects", "earliest_year", [2028, None]),
        ("projects[].decided_year=plus 1", "projects", "decided_year", [2027, 2027]),
        ("projects[].capex_first_musd=plus 3", "projects", "capex_first_musd", [3.0, 3.0]),
        ("projects[].ramp=0.1;1", "projects", "ramp", ["0.1;1", "0.1;1"]),
        ("facilities[facility=smelt-us].capacity_t_per_year=plus 10", "facilities", "capacity_t_per_year", [900.0, 500.0, 10.0, 50.0]),
        ("facilities[].utilisation_max=x0.5", "facilities", "utilisation_max", [0.5, 0.45, 0.5, 0.5]),
        ("facilities[closable=TRUE].closable=false", "facilities", "closable", [None, False, None, False]),
        ("countries[country=JPN].wacc=plus 0.02", "countries", "wacc", [0.06, 0.07, 0.07]),
        ("stockpiles[].final_min_t=x0.5", "stockpiles", "final_min_t", [10.0]),
        ('commodities[commodity=ore].description="x1.2, [y] = ""z"""', "commodities", "description", ['x1.2, [y] = "z"', None, None, None]),
        ("commodities[commodity=ore].description=x1.2", "commodities", "description", ["x1.2", None, None, None]),
        ('commodities[commodity=ore].description="default"', "commodities", "description", ["default", None, None, None]),
        ("  demand [ location = us , year = 2026 ] . quantity_t_per_year = x 2 ", "demand", "quantity_t_per_year", [200.0, 150.0, 80.0]),
    ],
)
def test_a_change_sets_the_cells_that_match(small: Instance, change: str, table: str, name: str, expected: list[object]) -> None:
    found = column(small.set(change), table, name)
    assert len(found) == len(expected)
    for value, wanted in zip(found, expected, strict=True):
        assert value == wanted or (isinstance(value, float) and isinstance(wanted, float) and math.isclose(value, wanted))


def test_rows_are_added_and_deleted(small: Instance) -> None:
    text = "+restrictions[restriction=ban,origin=china,destination=*,commodity=metal,first_year=2028,last_year=2029,limit_t_per_year=0]"
    added = small.set(text).table("restrictions")
    assert added["restriction"].tolist() == ["quota", "ban"] and added["first_year"].tolist() == [2028, 2028]
    assert small.set("-caps[cap=china]").table("caps")["cap"].tolist() == ["each"]
    assert small.set("-caps[]").table("caps").empty
    assert len(small.replace(lanes=None).set("+lanes[origin=us,destination=jp,commodity=metal]").table("lanes")) == 1
    assert small.set(text) != small and len(small.table("restrictions")) == 1, "the instance itself is left alone"


def test_keys_are_set(small: Instance) -> None:
    assert small.set("instance.discount_rate=0.07").meta["discount_rate"] == 0.07
    assert small.set('instance.years="[2026, 2030]"').years == (2026, 2030)
    assert small.set('instance.years="{first: 2026, last: 2030, step: 1}"', "instance.years.step=2").years == (2026, 2028, 2030)
    assert small.set("instance.solve.gap=0.5").meta["solve"] == {"gap": 0.5}
    assert "title" not in small.set("instance.title=default").meta


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ("demands[].quantity_t_per_year=1", "bad_change", "'demand'"),
        ("demand[].quantity=1", "bad_change", "'quantity_t_per_year'"),
        ("demand[locaton=us].quantity_t_per_year=1", "bad_change", "'location'"),
        ("demand[location=uss].quantity_t_per_year=1", "nothing_matches", "'us'"),
        ("-caps[cap=none]", "nothing_matches", "caps"),
        ("-distances[origin=us]", "nothing_matches", "distances"),
        ("demand[year=soon].quantity_t_per_year=1", "wrong_type", "soon"),
        ("demand[].quantity_t_per_year=\"0,5\"", "decimal_comma", "0,5"),
        ("demand[].quantity_t_per_year=0,5", "bad_change", "quotes"),
        ("demand[].quantity_t_per_year=xtwo", "wrong_type", "xtwo"),
        ("demand[].quantity_t_per_year=plus much", "wrong_type", "much"),
        ("demand[].quantity_t_per_year=minus 1000", "negative", "After the change"),
        ("demand[].quantity_t_per_year=default", "missing_cell", "After the change"),
        ("demand[].quantity_t_per_year=x1e308", "not_finite", "finite"),
        ("projects[project=new-us].earliest_year=plus 0.5", "wrong_type", "whole"),
        ("projects[project=more-jp].latest_year=plus 1", "no_number", "default"),
        ("stockpiles[].origin=USSR", "unknown_reference", "After the change"),
        ("markets[location=*].limit_t_per_year=x2", "no_number", "blank"),
        ("+groups[group=allies,country=USA]", "duplicate_key", "After the change"),
        ("+groups[group=new]", "missing_cell", "the change +groups"),
        ("+groups[group=new,cuntry=USA]", "bad_change", "'country'"),
        ("-countries[country=JPN]", "unknown_reference", "After the change"),
        ("caps[].share=2", "share_above_one", "After the change"),
        ("caps[cap=china,year=2030].basis=owned", "differs_within", "After the change"),
        ("instance.discount=0.07", "bad_change", "'discount_rate'"),
        ("instance.discount_rate=much", "wrong_type", "After the change"),
        ("instance.discount_rate=default", "missing_key", "After the change"),
        ("instance.years=2026", "bad_years", "After the change"),
        ("instance.chains=x", "bad_change", "joined"),
        ("instance.name.x=1", "bad_change", "holds nothing"),
        ("", "bad_change", "lacks"),
        ("demand", "bad_change", "needs"),
        ("demand[", "bad_change", "lacks"),
        ("demand[location=us", "bad_change", "closing"),
        ("demand[location=\"us].quantity_t_per_year=1", "bad_change", "double quote"),
        ("demand[location=us,location=jp].quantity_t_per_year=1", "bad_change", "twice"),
        ("demand[location=us]", "bad_change", "needs '.'"),
        ("-caps[].share=2", "bad_change", "after its end"),
        ("demand[].quantity_t_per_year", "bad_change", "needs '='"),
    ],
)  # fmt: skip
def test_a_change_that_does_not_apply_says_why(small: Instance, change: str, code: str, word: str) -> None:
    with pytest.raises(InstanceError) as raised:
        small.set(change)
    assert code in {each.code for each in raised.value.problems}, raised.value
    assert word in str(raised.value) and all(each.remedy for each in raised.value.problems)


def test_changes_are_checked_once_after_all_are_made(small: Instance) -> None:
    changed = small.set("caps[cap=china].share=x2", "caps[cap=china].share=x0.25")
    assert column(changed, "caps", "share") == [0.45, 0.25, 0.8]
    with pytest.raises(InstanceError) as raised:
        small.set("instance.discount_rate=0.06", "caps[cap=china].share=x2", "demand[].commodity=x")
    blamed = {each.code: each.message for each in raised.value.problems}
    assert "caps[cap=china].share=x2" in blamed["share_above_one"] and "demand[].commodity=x" in blamed["unknown_reference"]


def test_all_changes_that_do_not_apply_are_named_at_once(small: Instance) -> None:
    with pytest.raises(InstanceError) as raised:
        small.set("cap[].share=1", "demand[].q=1", "caps[].share=0.1")
    assert [each.value for each in raised.value.problems] == ["cap[].share=1", "demand[].q=1"]


def test_a_scenario_makes_its_changes_in_order(small: Instance) -> None:
    banned = small.scenario("ban")
    assert column(banned, "demand", "quantity_t_per_year") == [120.0, 180.0, 96.0]
    assert column(banned, "restrictions", "restriction") == ["quota", "ban"]
    assert banned.applied == ("ban", ()) and small.applied == (None, ())
    assert small.scenario("base") == small, "a scenario without changes is the case itself"
    assert banned.set("instance.discount_rate=0.07", "-caps[]").applied == ("ban", ("instance.discount_rate=0.07", "-caps[]"))


def test_an_unknown_scenario_is_bad_usage(small: Instance) -> None:
    with pytest.raises(UsageError, match="'ban'"):
        small.scenario("bann")


def test_what_a_change_made_can_be_read_again(small: Instance, tmp_path: Path) -> None:
    from diversify.instance import save

    changed = small.scenario("ban").set("-caps[]")
    assert load(save(changed, tmp_path / "changed.json")) == changed


def test_a_scenario_that_cannot_be_made_is_a_warning_and_an_error_when_asked_for(tmp_path: Path) -> None:
    from diversify.instance import check

    folder = write_case(tmp_path / "case", **mutated("changes", "demand[commodity=metal]", "demand[commodity=mettal]"))
    found = check(folder)
    assert not found.errors
    assert [(each.code, each.table, each.row) for each in found.warnings] == [("scenario_fails", "changes", 3)]
    with pytest.raises(InstanceError, match="'metal'"):
        load(folder).scenario("ban")
