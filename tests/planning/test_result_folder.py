"""A result folder is written whole or not at all, and never over anything else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

import diversify as dv
from diversify.plan import TABLES


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def infeasible_plan(hand_solved_plan: dv.Plan) -> dv.Plan:
    """A plan that holds none: the demand must be met, but no ore may come."""
    case = hand_solved_plan.instance
    lanes = case.table("lanes").iloc[:0]
    demand = case.table("demand").assign(shortage_usd_per_t=None)
    return dv.solve(case.replace(lanes=lanes, demand=demand))


def test_tables_have_exactly_the_columns_of_the_interface(hand_solved_plan: dv.Plan) -> None:
    assert {name: tuple(frame.columns) for name, frame in hand_solved_plan.tables.items()} == TABLES
    assert hand_solved_plan.flows is hand_solved_plan.tables["flows"]
    with pytest.raises(AttributeError, match="flows"):
        _ = hand_solved_plan.flow


def test_rows_of_zero_are_left_out(hand_solved_plan: dv.Plan) -> None:
    quantities = {"activity": "activity_t_per_year", "flows": "quantity_t_per_year", "stocks": "stock_t", "costs": "musd"}
    for name, column in quantities.items():
        assert (hand_solved_plan.tables[name][column] != 0).all(), name


def test_a_plan_comes_back_as_it_was_saved(hand_solved_plan: dv.Plan, tmp_path: Path) -> None:
    again = dv.Plan.load(hand_solved_plan.save(tmp_path / "out"))
    assert again.summary == hand_solved_plan.summary
    assert again.manifest == hand_solved_plan.manifest
    assert again.instance == hand_solved_plan.instance
    for name in TABLES:
        pd.testing.assert_frame_equal(again.tables[name], hand_solved_plan.tables[name], check_dtype=False, check_exact=True, obj=name)
    assert dv.audit(again.instance, again).ok


def test_a_result_without_a_plan_is_saved_too(infeasible_plan: dv.Plan, tmp_path: Path) -> None:
    again = dv.Plan.load(infeasible_plan.save(tmp_path / "out"))
    assert (again.stopped, again.holds, again.objective_musd) == ("infeasible", "none", None)
    assert all(frame.empty and tuple(frame.columns) == TABLES[name] for name, frame in again.tables.items())


def test_a_result_takes_the_place_of_an_earlier_one(hand_solved_plan: dv.Plan, infeasible_plan: dv.Plan, tmp_path: Path) -> None:
    infeasible_plan.save(tmp_path / "out")
    hand_solved_plan.save(tmp_path / "out")
    assert dv.Plan.load(tmp_path / "out").stopped == "optimal"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_and_one_that_is_not_there_are_taken(hand_solved_plan: dv.Plan, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    hand_solved_plan.save(tmp_path / "empty")
    hand_solved_plan.save(tmp_path / "deep" / "down")
    assert set(contents(tmp_path / "empty")) == set(contents(tmp_path / "deep" / "down"))


@pytest.mark.parametrize("stranger", ["thesis.docx", "builds.csv"])
def test_a_strangers_folder_is_refused_and_not_touched(hand_solved_plan: dv.Plan, tmp_path: Path, stranger: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / stranger).write_text("precious", encoding="utf-8")
    with pytest.raises(dv.ResultFolderError):
        hand_solved_plan.save(tmp_path / "mine")
    assert contents(tmp_path / "mine") == {stranger: b"precious"}
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_result_folder_with_a_strangers_file_in_it_is_refused(hand_solved_plan: dv.Plan, tmp_path: Path) -> None:
    folder = hand_solved_plan.save(tmp_path / "out")
    (folder / "notes.txt").write_text("precious", encoding="utf-8")
    before = contents(folder)
    with pytest.raises(dv.ResultFolderError, match=r"notes\.txt"):
        hand_solved_plan.save(folder)
    assert contents(folder) == before


def test_a_file_in_the_place_of_the_folder_is_refused(hand_solved_plan: dv.Plan, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious", encoding="utf-8")
    with pytest.raises(dv.ResultFolderError):
        hand_solved_plan.save(tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize("fatal_call", [1, 2])
def test_a_run_that_dies_while_folders_change_places_leaves_the_old_result_whole(
    hand_solved_plan: dv.Plan, infeasible_plan: dv.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fatal_call: int
) -> None:
    folder = infeasible_plan.save(tmp_path / "out")
    before = contents(folder)
    real, calls = os.rename, []

    def failing(source: object, target: object) -> None:
        calls.append((source, target))
        if len(calls) == fatal_call:
            raise OSError("no space left on device")
        real(str(source), str(target))

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OSError, match="no space"):
        hand_solved_plan.save(folder)
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_run_that_dies_while_writing_leaves_the_old_result_whole(
    hand_solved_plan: dv.Plan, infeasible_plan: dv.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = infeasible_plan.save(tmp_path / "out")
    before = contents(folder)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_csv", interrupted)
    with pytest.raises(KeyboardInterrupt):
        hand_solved_plan.save(folder)
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("damage", ["flows.csv", "summary.json", "manifest.json", "instance.json"])
def test_half_a_result_is_not_loaded(hand_solved_plan: dv.Plan, tmp_path: Path, damage: str) -> None:
    folder = hand_solved_plan.save(tmp_path / "out")
    (folder / damage).unlink()
    with pytest.raises(dv.ResultFolderError, match=damage.replace(".", r"\.")):
        dv.Plan.load(folder)


def test_a_table_with_other_columns_is_not_loaded(hand_solved_plan: dv.Plan, tmp_path: Path) -> None:
    folder = hand_solved_plan.save(tmp_path / "out")
    (folder / "flows.csv").write_text("origin,tonnes\nBaotou,1\n", encoding="utf-8")
    with pytest.raises(dv.ResultFolderError, match="flows"):
        dv.Plan.load(folder)


def test_the_manifest_says_what_made_the_plan(hand_solved_plan: dv.Plan) -> None:
    manifest = hand_solved_plan.manifest
    assert manifest["instance_sha256"] == hand_solved_plan.instance.content_hash
    assert set(manifest["versions"]) >= {"diversify", "pyomo", "highspy", "python"}
    assert set(manifest["options"]) >= {"solver", "gap", "time_limit_s", "threads", "seed"}


def test_the_summary_is_json_and_adds_up(hand_solved_plan: dv.Plan) -> None:
    summary = json.loads(json.dumps(hand_solved_plan.summary, allow_nan=False))
    objective = hand_solved_plan.objective_musd
    assert set(summary) >= {
        *("instance", "stopped", "holds", "objective_musd", "bound_musd", "gap", "gap_musd", "seconds", "size", "cost_musd"),
        *("cost_by_country_musd", "shares", "shortage_t", "audit"),
    }
    assert set(summary["seconds"]) >= {"read", "build", "solve", "total"}
    assert set(summary["size"]) == {"columns", "rows", "nonzeros", "integers"}
    for part in ("cost_musd", "cost_by_country_musd", "cost_by_consumer_musd"):
        assert sum(summary[part].values()) == pytest.approx(objective, rel=1e-9), part


def test_caps_that_bind_are_marked(hand_solved_plan: dv.Plan) -> None:
    binding = {share["year"]: share["binding"] for share in hand_solved_plan.summary["shares"]}
    assert binding == {2030: True, 2031: True, 2033: True}
