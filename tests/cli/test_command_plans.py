"""diversify audit and compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import diversify as dv


def test_a_sound_plan_passes_its_audit(run: Any, case_file: Path, plan_folder: Path) -> None:
    result = run("audit", case_file, plan_folder)
    assert result.exit_code == 0
    assert "Audit: passed." in result.stdout
    found = json.loads(run("audit", case_file, plan_folder, "--json").stdout)
    assert (found["ok"], found["violations"], found["same_data"]) == (True, [], True)
    assert found["objective_musd"] == pytest.approx(found["stated_objective_musd"], rel=1e-6)


def test_a_plan_with_a_changed_flow_fails_its_audit_with_code_6(run: Any, case_file: Path, plan_folder: Path) -> None:
    flows = pd.read_csv(plan_folder / "flows.csv")
    flows.loc[0, "quantity_t_per_year"] += 5
    flows.to_csv(plan_folder / "flows.csv", index=False)
    result = run("audit", case_file, plan_folder)
    assert result.exit_code == 6
    assert "AUDIT FAILED" in result.stdout
    found = json.loads(run("audit", case_file, plan_folder, "--json").stdout)
    assert not found["ok"]
    assert found["violations"]


def test_auditing_against_other_data_says_so(run: Any, case_file: Path, plan_folder: Path) -> None:
    result = run("audit", case_file, plan_folder, "--set", "demand[].quantity_t_per_year=x2")
    assert result.exit_code == 6
    assert "The data are not those that the plan was solved with" in " ".join(result.stdout.split())


def test_a_folder_that_is_no_result_is_refused(run: Any, case_file: Path, tmp_path: Path) -> None:
    for verb in (("audit", case_file, tmp_path), ("compare", tmp_path, tmp_path / "none")):
        result = run(*verb, "--json")
        assert result.exit_code == 2
        assert json.loads(result.stdout)["error"]["code"] == "result_folder"


def test_a_result_without_a_plan_cannot_be_audited(run: Any, case_file: Path, tmp_path: Path) -> None:
    case = dv.load(case_file).replace(projects=None).set("demand[].shortage_usd_per_t=default")
    dv.solve(case).save(tmp_path / "none")
    result = run("audit", case_file, tmp_path / "none")
    assert result.exit_code == 2
    assert "holds no plan" in result.stderr


def test_compare_sets_plans_side_by_side(run: Any, hand_solved_plan: dv.Plan, plan_folder: Path, tmp_path: Path) -> None:
    dv.solve(hand_solved_plan.instance.replace(caps=None), gap=0).save(tmp_path / "free")
    result = run("compare", plan_folder, tmp_path / "free")
    assert result.exit_code == 0
    for text in ("new capacity (annuities)", "ridge-1", "B-A", "Shipments that differ"):
        assert text in result.stdout
    found = json.loads(run("compare", plan_folder, tmp_path / "free", "--json").stdout)
    assert set(found) == {"plans", "costs", "builds", "shares", "flows", "shortages"}
    assert found["plans"][1]["difference_musd"] < -2.8
    assert found["shares"][-1]["share"] is None


def test_compare_needs_two_plans(run: Any, plan_folder: Path) -> None:
    assert run("compare", plan_folder).exit_code == 2
    assert run("compare", plan_folder, plan_folder).exit_code == 2
