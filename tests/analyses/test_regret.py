"""Regret: held to a case worked by hand, and to plans re-solved one by one with what is built fixed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cases import example
from click.testing import CliRunner, Result
from ridge import CHANGES, IN_SCENARIO, least, ridge_case
from ridge import cost as cost_of

import diversify as dv
from diversify.analyses.executor import Executor, Step
from diversify.analyses.regret import LAYOUT, regret
from diversify.cli import command
from diversify.errors import ResultFolderError, UsageError
from diversify.report.regret import regret_page
from diversify.report.terminal import rendered
from diversify.solve import Options, compile_model, run

UNITS = {"high": 3, "base": 2, "low": 1}


def cost(units: int, scenario: str) -> float:
    return cost_of(units, **IN_SCENARIO[scenario])  # type: ignore[arg-type]


def least_in(scenario: str) -> float:
    return least(**IN_SCENARIO[scenario])


@cache
def ridge_plans() -> dict[str, dv.Plan]:
    """Return the case's plans for high demand, as it is, and for low demand; each is the best of all numbers of units."""
    plans = {name: dv.solve(ridge_case() if name == "base" else ridge_case().scenario(name), gap=0) for name in ("base", "high", "low")}
    for name, plan in plans.items():
        assert plan.builds["units"].sum() == UNITS[name]
        assert plan.objective_musd == near(least_in(name))
    return plans


@cache
def ridge_answer() -> Any:
    return regret(ridge_plans(), gap=0)


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-6, abs=1e-7)


def cells(answer: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(cell["plan"], cell["scenario"]): cell for cell in answer.summary["cells"]}


@pytest.mark.slow
def test_every_plan_costs_in_every_scenario_what_it_costs_by_hand() -> None:
    """Among the scenarios: a build that comes a year later, one that never comes, and a first unit that costs half as much again."""
    scenarios = ["base", *(name for name in CHANGES if name != "as-planned")]  # whose data are those of base
    assert list(ridge_answer().scenarios["scenario"]) == scenarios
    assert set(cells(ridge_answer())) == {(plan, scenario) for plan in UNITS for scenario in scenarios}
    for (plan, scenario), cell in cells(ridge_answer()).items():
        assert cell["cost_musd"] == near(cost(UNITS[plan], scenario))
        assert cell["regret_musd"] == near(cost(UNITS[plan], scenario) - least_in(scenario))
        assert cell["regret_high_musd"] == near(cell["regret_musd"])
        assert (cell["moved"], cell["left_out"]) == {"slow": (1, 0), "never": (0, 1)}.get(scenario, (0, 0))


@pytest.mark.slow
def test_the_plan_with_the_least_worst_regret_is_found_and_proved() -> None:
    scenarios = ["base", *(name for name in CHANGES if name != "as-planned")]
    worst = {plan: max(cost(units, scenario) - least_in(scenario) for scenario in scenarios) for plan, units in UNITS.items()}
    summary = ridge_answer().summary
    assert {row["plan"]: row["worst_regret_musd"] for row in summary["plans"]} == {plan: near(value) for plan, value in worst.items()}
    assert summary["minimax"] == [min(worst, key=lambda plan: worst[plan])]
    assert summary["minimax_proved"]
    assert {row["plan"]: row["planned_for"] for row in summary["plans"]} == {"base": "base", "high": "high", "low": "low"}


def test_a_plan_whose_investments_a_scenario_forbids_has_a_dash_there_and_no_worst_regret() -> None:
    fewer = ridge_case().set("projects[].units_max=1")
    answer = regret({name: ridge_plans()[name] for name in ("base", "low")}, scenarios={"fewer": fewer}, gap=0)
    found = cells(answer)
    assert (found["base", "fewer"]["stopped"], found["base", "fewer"]["cost_musd"]) == ("infeasible", None)
    assert found["low", "fewer"]["cost_musd"] == near(cost(1, "base"))
    plans = {row["plan"]: row for row in answer.summary["plans"]}
    assert (plans["base"]["without_plan"], plans["base"]["worst_regret_musd"]) == (["fewer"], None)
    assert answer.summary["minimax"] == ["low"]
    page = " ".join(rendered(regret_page(answer.summary, answer.tables), width=100).split())
    assert "no plan in fewer" in page


def test_a_scenario_without_any_plan_is_no_plan_s_fault() -> None:
    """The port closes and one unit at most is left: nothing can serve 100 t."""
    closed = ridge_case().set("facilities[facility=port].capacity_t_per_year=0", "projects[].units_max=1")
    answer = regret({"low": ridge_plans()["low"]}, scenarios={"closed": closed, "as it is": ridge_case()}, gap=0)
    assert [row["stopped"] for row in answer.summary["scenarios"]] == ["infeasible", "optimal"]
    (row,) = answer.summary["plans"]
    assert (row["worst_scenario"], row["without_plan"]) == ("as it is", [])
    assert row["worst_regret_musd"] == near(cost(1, "base") - cost(2, "base"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random-03", "random-06", "random-09"])
def test_plans_under_scenarios_cost_what_fixing_their_builds_by_hand_says(name: str) -> None:
    case = example(name)
    cases = {"base": case, **{str(scenario): case.scenario(str(scenario)) for scenario in case.table("scenarios")["scenario"]}}
    solved = {scenario: dv.solve(each, gap=0) for scenario, each in cases.items()}
    plans = {scenario: plan for scenario, plan in solved.items() if plan.holds == "plan"}
    answer = regret(plans, scenarios=list(cases), instance=case, gap=0)
    assert any(cell["cost_musd"] is not None and cell["regret_musd"] > 1e-6 for cell in answer.summary["cells"])
    for (plan, scenario), cell in cells(answer).items():
        by_hand = fixed_by_hand(cases[scenario], plans[plan])
        assert cell["cost_musd"] == (None if by_hand is None else near(by_hand))
        if by_hand is not None:
            optimum = solved[scenario].objective_musd
            assert optimum is not None
            assert cell["regret_musd"] == pytest.approx(by_hand - optimum, abs=1e-5 * abs(optimum))


def fixed_by_hand(case: dv.Instance, plan: dv.Plan) -> float | None:
    """Return the cost of a case with the units of a plan fixed year by year (later where they cannot come); None without any plan."""
    model = dv.build_model(case)
    possible = sorted(model.v_build.keys())
    units = dict.fromkeys(possible, 0.0)
    for row in plan.builds.itertuples():
        years = [year for project, year in possible if project == row.project and year >= row.year]
        if years:
            units[row.project, min(years)] += row.units
    for key, variable in model.v_build.items():
        variable.fix(units[key])
    outcome = run(compile_model(model, model.diversify.variables, model.diversify.scale), Options(gap=0.0))
    return None if outcome.x is None else outcome.objective


def test_a_plan_made_under_a_scenario_cannot_tell_the_data_without_it(tmp_path: Path) -> None:
    folder = ridge_plans()["high"].save(tmp_path / "high")
    with pytest.raises(UsageError, match=r"was planned under the scenario 'high'.*--instance"):
        regret([folder])
    answer = regret([folder], instance=ridge_case(), scenarios=["base", "high"], gap=0)
    assert cells(answer)[str(folder), "base"]["cost_musd"] == near(cost(3, "base"))
    with pytest.raises(UsageError, match="has the scenario 'low' in it already"):
        regret([folder], instance=ridge_case().scenario("low"))


def test_scenarios_of_the_same_data_are_solved_once_and_said_to_be_the_same() -> None:
    steps: list[Step] = []
    executor = Executor(progress=steps.append)
    answer = regret({"base": ridge_plans()["base"]}, scenarios=["base", "as-planned"], gap=0, executor=executor)
    assert sum(step.total for step in steps) == 2  # a cell and a plan
    assert [row["same_as"] for row in answer.summary["scenarios"]] == [None, "base"]
    assert [cell["cost_musd"] for cell in answer.summary["cells"]] == [near(cost(2, "base"))] * 2


def test_what_does_not_make_sense_is_refused(tmp_path: Path) -> None:
    plan = ridge_plans()["base"]
    for arguments in (
        {"plans": {}},
        {"plans": {"a": plan}, "scenarios": ["nonesuch"]},
        {"plans": {"a": plan}, "scenarios": ["low", "low"]},
        {"plans": {"a": plan}, "scenarios": {}},
    ):
        with pytest.raises(UsageError):
            regret(**arguments)  # type: ignore[arg-type]
    with pytest.raises(ResultFolderError):
        regret([tmp_path / "nothing"])
    none = dv.solve(ridge_case().set("facilities[].capacity_t_per_year=0", "projects[].units_max=1"))
    with pytest.raises(UsageError, match="holds no plan"):
        regret({"none": none})


@pytest.mark.slow
def test_a_gap_that_leaves_the_least_cost_open_leaves_the_regret_open() -> None:
    """With a gap of 100 % the scenario's own solve proves little; the cells, which are linear programs, stay exact."""
    answer = regret({name: ridge_plans()[name] for name in ("base", "high")}, scenarios=["base"], gap=1.0)
    for cell in answer.summary["cells"]:
        units = UNITS[cell["plan"]]
        assert cell["cost_musd"] == near(cost(units, "base"))
        true = cost(units, "base") - cost(2, "base")
        assert cell["regret_musd"] - 1e-7 <= true <= cell["regret_high_musd"] + 1e-7


@pytest.mark.slow
def test_the_answer_does_not_depend_on_workers_and_goes_on_from_what_is_kept(tmp_path: Path) -> None:
    steps: list[Step] = []
    plans = {name: ridge_plans()[name] for name in ("base", "low")}
    alone = regret(plans, scenarios=["base", "low"], executor=Executor())
    together = regret(plans, scenarios=["base", "low"], executor=Executor(2, tmp_path))
    again = regret(plans, scenarios=["base", "low"], executor=Executor(1, tmp_path, steps.append))
    assert json.dumps(alone.summary) == json.dumps(together.summary) == json.dumps(again.summary)
    assert all(step.reused == step.total for step in steps)


@pytest.fixture
def run_command(tmp_path: Path) -> Callable[..., Result]:
    env = {"COLUMNS": "100", "DIVERSIFY_CACHE": str(tmp_path / "cache")}
    return lambda *words: CliRunner(env=env).invoke(command, [str(word) for word in words])


def test_the_command_answers_as_the_function_does(run_command: Callable[..., Result], tmp_path: Path) -> None:
    folders = [ridge_plans()[name].save(tmp_path / name) for name in ("base", "low")]
    words = ["regret", *folders, "--scenario", "low", "--gap", 0, "--workers", 1]
    result = run_command(*words, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {"instance", "plans", "scenarios", "cells", "minimax", "minimax_proved"} <= set(found)
    costs = {(Path(cell["plan"]).name, cell["scenario"]): cell["cost_musd"] for cell in found["cells"]}
    assert costs == {(plan, scenario): near(cost(UNITS[plan], scenario)) for plan, scenario in (("base", "low"), ("low", "low"))}
    page = run_command(*words, "--out", tmp_path / "answer")
    assert page.exit_code == 0, page.output
    assert "has the least worst regret" in " ".join(page.stdout.split())
    assert {f"{name}.csv" for name in LAYOUT} <= {file.name for file in (tmp_path / "answer").iterdir()}
