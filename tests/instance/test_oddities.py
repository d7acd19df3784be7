"""What is odd but has a meaning: one mutation of the small case, and the warning it must give."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_case import TABLES, mutated, write_case

from diversify.instance import check, load

ODD = [
    ("facilities", "blend-jp,jp,blend,,50", "idle-us,us,mine,,,,,,,,\nblend-jp,jp,blend,,50", "no_capacity", "facilities", 5),
    ("outages", "2028,2028,0.5", "2031,2031,0.5", "never_in_force", "outages", 2),
    ("demand", "jp,metal,,80,50000\n", "jp,metal,,80,50000\ncn,alloy,,5,9\n", "unsupplied_demand", "demand", 5),
    ("recipes", "smelt,ore,-1.5", "smelt,ore,-1.01", "relabelling", "processes", 3),
    ("projects", "2,2026,2030,20", "9,2026,2030,20", "cannot_be_built", "projects", 2),
    ("projects", "1,2.5,,2,2026,2030", ",2.5,,2,2030,2026", "window_empty", "projects", 2),
    ("projects", "100,3,,1,2.5", "100,,90,,2.5", "no_unit_fits", "projects", 2),
    ("modes", "recycle,1.2", "recycle,0", "no_capacity_taken", "modes", 2),
    ("tariffs", "metal,2026,,", "metal,2040,2041,", "never_in_force", "tariffs", 2),
    ("tariffs", "duty,china,USA", "duty,USA,china", "no_effect", "tariffs", 2),
    ("tariffs", "duty,china,USA,metal", "duty,china,china,*", "no_effect", "tariffs", 2),
    ("restrictions", "quota,china,allies,metal", "quota,allies,china,alloy", "no_effect", "restrictions", 2),
    ("restrictions", "2028,2030,300", "2028,2030,0", "contract_banned", "contracts", 2),
    ("lanes", "cn,jp,metal", "cn,jp,alloy", "no_effect", "lanes", 2),
    ("lanes", "cn,jp,metal", "jp,cn,alloy", "no_effect", "lanes", 2),
    ("contracts", "old,cn,jp,metal", "old,cn,us,alloy", "no_effect", "contracts", 2),
    ("markets", "*,alloy", "us,alloy", "no_effect", "markets", 2),
    ("stockpiles", "CHN,60,5\n", "CHN,60,5\nus,slag,,,,\n", "no_effect", "stockpiles", 3),
    ("substitutes", "metal,alloy,1.2", "ore,alloy,1.2", "no_effect", "substitutes", 2),
    ("returns", "metal,*,scrap", "ore,*,scrap", "no_effect", "returns", 2),
    ("caps", "each,2028,0.8,metal,allies", "each,2028,0.8,scrap,china", "no_effect", "caps", 4),
    ("floors", "home,2030,0.1,metal,allies,USA", "home,2030,0.1,metal,allies,JPN", "floor_without_makers", "floors", 2),
    ("commodities", "metal,5000,,true", "metal,5000,,false", "cap_on_untraced", "caps", 2),
    ("groups", "china,CHN\n", "china,CHN\nidle,CHN\n", "unused_group", "groups", 5),
    ("demand", "us,metal,2030,150,50000", "us,metal,2030,150,", "shortage_on_some_rows", "demand", 3),
    ("scenarios", "ban,0.4", "ban,0.5", "probabilities", "scenarios", 3),
    ("figures", "cited,100,150", "cited,130,150", "outside_its_range", "figures", 2),
]  # fmt: skip


@pytest.mark.parametrize(("table", "old", "new", "code", "where", "row"), ODD)
def test_each_oddity_is_a_warning_with_its_place(tmp_path: Path, table: str, old: str, new: str, code: str, where: str, row: int) -> None:
    slag = {"commodities": TABLES["commodities"] + "slag,,,,,\n"} if "slag" in new else {}
    folder = write_case(tmp_path / "case", **{**mutated(table, old, new), **slag})
    found = check(folder)
    assert not found.errors, found.errors
    assert (code, where, row) in {(each.code, each.table, each.row) for each in found.warnings}, found.warnings
    assert all(each.remedy and each.message for each in found.warnings)
    load(folder)


def test_an_outage_of_a_plant_without_capacity_has_no_effect(tmp_path: Path) -> None:
    idle = mutated("facilities", "blend-jp,jp,blend,,50", "idle-us,us,mine,,,,,,,,\nblend-jp,jp,blend,,50")
    found = check(write_case(tmp_path / "case", **idle, **mutated("outages", "refit,smelt-us", "refit,idle-us")))
    assert [(each.code, each.row) for each in found.warnings if each.table == "outages"] == [("no_effect", 3)]


def test_the_small_case_has_nothing_odd(tmp_path: Path) -> None:
    found = check(write_case(tmp_path / "case"))
    assert found.ok and not found.warnings


def test_an_instance_is_checked_as_its_file_is(tmp_path: Path) -> None:
    folder = write_case(tmp_path / "case", **mutated("tariffs", "duty,china,USA", "duty,USA,china"))
    assert check(load(folder)) == check(folder)


def test_a_header_without_rows_is_an_empty_table_and_a_warning(tmp_path: Path) -> None:
    folder = write_case(tmp_path / "case", lanes=TABLES["lanes"].split("\n")[0] + "\n")
    assert [(each.code, each.table) for each in check(folder).warnings] == [("empty_table", "lanes")]
    assert load(folder).table("lanes").empty


def test_demand_that_must_be_met_and_cannot_is_called_hopeless(tmp_path: Path) -> None:
    text = TABLES["demand"].replace("50000", "") + "jp,ore,,5,\n"
    freight = "commodity,handling_usd_per_t,freight_usd_per_t_km\nmetal,10,0.02\n"
    warnings = check(write_case(tmp_path / "case", demand=text, freight=freight)).warnings
    assert [each.row for each in warnings if each.code == "unsupplied_demand" and "no plan" in each.message] == [5]


def test_a_circle_of_processes_is_pointed_out(tmp_path: Path) -> None:
    changed = {
        "processes": TABLES["processes"] + "back,ore,\n",
        "recipes": TABLES["recipes"] + "back,metal,-0.8\nback,ore,1\n",
    }
    found = [each for each in check(write_case(tmp_path / "case", **changed)).warnings if each.code == "relabelling"]
    assert {each.value for each in found} == {"smelt", "back"}


def test_a_process_that_loses_a_traced_origin_is_pointed_out(tmp_path: Path) -> None:
    changed = {
        "commodities": TABLES["commodities"] + "slag,,,false,,\n",
        "processes": TABLES["processes"] + "crush,slag,\nremelt,metal,\n",
        "recipes": TABLES["recipes"] + "crush,ore,-2\ncrush,slag,1\nremelt,slag,-2\nremelt,metal,1\n",
    }
    found = [each for each in check(write_case(tmp_path / "case", **changed)).warnings if each.code == "origin_lost"]
    assert [each.value for each in found] == ["crush"]
