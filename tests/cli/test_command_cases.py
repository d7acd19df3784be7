"""diversify list, new, check, show, convert, export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cases import EXAMPLES, hand_solved

import diversify as dv


def test_list_has_a_line_for_every_bundled_instance_and_chain(run: Any) -> None:
    result = run("list")
    listed = json.loads(run("list", "--json").stdout)
    assert result.exit_code == 0
    assert [each["name"] for each in listed["instances"]] == list(dv.bundled_instances())
    assert [each["name"] for each in listed["chains"]] == list(dv.bundled_chains())
    for each in (*listed["instances"], *listed["chains"]):
        assert each["name"] in result.stdout


def test_new_makes_a_template_that_says_what_to_do_next(run: Any, tmp_path: Path) -> None:
    result = run("new", tmp_path / "mine", width=200)
    assert result.exit_code == 0
    assert f"diversify check {tmp_path / 'mine'}" in result.stdout
    assert (tmp_path / "mine" / "FORMAT.md").is_file()
    assert json.loads(run("new", tmp_path / "other", "--json").stdout) == {"path": str(tmp_path / "other"), "from": None}


def test_new_refuses_a_folder_that_holds_something(run: Any, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    result = run("new", tmp_path)
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_new_refuses_an_unknown_name(run: Any, tmp_path: Path) -> None:
    result = run("new", tmp_path / "mine", "--from", "no-such-case")
    assert result.exit_code == 2
    assert not (tmp_path / "mine").exists()


def test_check_passes_a_sound_case(run: Any, case_file: Path) -> None:
    result = run("check", case_file)
    assert result.exit_code == 0
    assert "can be planned with" in result.stdout
    assert json.loads(run("check", case_file, "--json").stdout)["errors"] == []


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Return a folder with two errors."""
    folder = dv.save(hand_solved(), tmp_path / "broken")
    demand = (folder / "demand.csv").read_text().replace("Osaka", "Osaca")
    (folder / "demand.csv").write_text(demand)
    (folder / "lanes.csv").write_text((folder / "lanes.csv").read_text().replace("20", "-20"))
    return folder


def test_check_lists_every_error_with_place_and_remedy_and_exits_2(run: Any, broken: Path) -> None:
    result = run("check", broken, width=200)
    assert result.exit_code == 2
    assert "2 errors" in result.stdout
    assert "demand.csv, row 2, column location" in result.stdout
    assert "Did you mean 'Osaka'?" in result.stdout
    assert "lanes.csv, row 2, column cost_usd_per_t" in result.stdout
    found = json.loads(run("check", broken, "--json").stdout)
    assert set(found) == {"errors", "warnings"}
    assert {(each["table"], each["row"], each["column"]) for each in found["errors"]} == {
        ("demand", 2, "location"),
        ("lanes", 2, "cost_usd_per_t"),
    }
    assert all({"code", "value", "message", "remedy", "file"} <= set(each) for each in found["errors"])


def test_other_verbs_refuse_bad_data_with_every_problem_and_no_output(run: Any, broken: Path, tmp_path: Path) -> None:
    for verb in (("solve", broken), ("show", broken), ("convert", broken, tmp_path / "x.json"), ("export", broken, tmp_path / "x.lp")):
        result = run(*verb)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "demand.csv, row 2, column location" in result.stderr
        assert "lanes.csv, row 2, column cost_usd_per_t" in result.stderr
        error = json.loads(run(*verb, "--json").stdout)["error"]
        assert (error["code"], len(error["problems"])) == ("bad_data", 2)
    assert not (tmp_path / "x.json").exists()


def test_warnings_stand_apart_and_do_not_fail(run: Any, case_file: Path) -> None:
    tariff = "+tariffs[tariff=t,origin=USA,destination=CHN,commodity=magnet,rate=0.1]"
    result = run("check", case_file, "--set", tariff)
    assert result.exit_code == 0
    assert "warning" in result.stdout
    found = json.loads(run("check", case_file, "--set", tariff, "--json").stdout)
    assert found["errors"] == []
    assert any(each["table"] == "tariffs" for each in found["warnings"])


def test_check_reports_a_change_that_cannot_be_made(run: Any, case_file: Path) -> None:
    result = run("check", case_file, "--set", "caps[].shar=1", "--json")
    assert result.exit_code == 2
    assert "share" in json.loads(result.stdout)["errors"][0]["message"]


def test_show_tells_years_supply_demand_caps_and_sources(run: Any, case_file: Path) -> None:
    result = run("show", case_file)
    assert result.exit_code == 0
    for text in ("3 planning years, 2030 to 2033", "CHN 100 %", "magnet", "traced, pooled", "Where the rows come from", "No scenarios."):
        assert text in result.stdout
    described = json.loads(run("show", case_file, "--json").stdout)
    assert described == dv.describe(hand_solved())


def test_show_makes_changes_first(run: Any, case_file: Path) -> None:
    described = json.loads(run("show", case_file, "--json", "--set", "demand[].quantity_t_per_year=x2").stdout)
    assert described["demand"][0]["first_t_per_year"] == 200


@pytest.mark.parametrize("target", ["case.json", "case.xlsx", "folder"])
def test_convert_writes_every_encoding_without_loss(run: Any, case_file: Path, tmp_path: Path, target: str) -> None:
    result = run("convert", case_file, tmp_path / target, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["path"] == str(tmp_path / target)
    assert dv.load(tmp_path / target).content_hash == hand_solved().content_hash


def test_convert_makes_the_scenario_and_never_overwrites(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "case.json"
    assert run("convert", EXAMPLES / "random-03", target, "--scenario", "shock").exit_code == 0
    written = target.read_bytes()
    assert dv.load(target).table("demand").equals(dv.load(EXAMPLES / "random-03").scenario("shock").table("demand"))
    assert run("convert", EXAMPLES / "random-03", target).exit_code == 2
    assert target.read_bytes() == written


@pytest.mark.parametrize("ending", ["lp", "mps"])
def test_export_writes_the_model_and_says_how_large_it_is(run: Any, case_file: Path, tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"model.{ending}"
    result = run("export", case_file, target, "--json")
    assert result.exit_code == 0
    assert set(json.loads(result.stdout)["size"]) == {"columns", "rows", "nonzeros", "integers"}
    assert "c_cap" in target.read_text()


def test_export_refuses_other_endings_and_folders_that_are_not_there(run: Any, case_file: Path, tmp_path: Path) -> None:
    assert run("export", case_file, tmp_path / "model.txt").exit_code == 2
    assert run("export", case_file, tmp_path / "no" / "model.lp").exit_code == 2
    assert list(tmp_path.iterdir()) == []
