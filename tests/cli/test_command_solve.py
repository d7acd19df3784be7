"""diversify solve: what it prints, writes and exits with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cases import EXAMPLES, HAND_SOLVED_MUSD, example, hand_solved

import diversify as dv
from diversify.cli.outcome import Exit
from diversify.cli.plans import exit_of
from diversify.plan import empty_tables

NO_ORE = "-facilities[process=mining]"
MUST_BE_MET = "demand[].shortage_usd_per_t=default"


def test_a_plan_is_shown_in_words_and_tables_and_exits_0(run: Any, case_file: Path) -> None:
    result = run("solve", case_file, "--gap", 0)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("hand-solved: The cheapest plan costs 3.00 million USD (USD 2024, discounted).")
    for text in ("ridge-1", "Denver, USA", "new capacity (annuities)", "80.0*", "The caps cost between", "All demand is met."):
        assert text in result.stdout
    assert result.stderr == ""


def test_a_plan_within_the_gap_is_not_called_the_cheapest(run: Any) -> None:
    result = run("solve", EXAMPLES / "random-05", "--gap", 0.05, "--no-cap-cost")
    assert result.exit_code == 0
    first = " ".join(result.stdout.split("\n\n")[0].split())
    assert "Solved to the gap asked for." in first
    assert "It is not proved optimal: a plan could be cheaper by at most" in first
    assert "heapest plan" not in first


def test_json_is_one_object_with_every_promised_key(run: Any, case_file: Path) -> None:
    result = run("solve", case_file, "--json", "--gap", 0)
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    promised = (
        *("instance", "stopped", "holds", "objective_musd", "bound_musd", "gap", "gap_musd", "seconds", "size"),
        *("cost_musd", "cost_by_country_musd", "shares", "shortage_t", "audit", "cap_cost_musd"),
    )
    assert set(promised) <= set(summary)
    assert summary["objective_musd"] == pytest.approx(HAND_SOLVED_MUSD, rel=1e-6)
    assert summary["audit"] == {"ok": True, "violations": []}
    seconds = summary["seconds"]
    assert {"read", "build", "solve", "total"} <= set(seconds)
    assert sum(value for name, value in seconds.items() if name != "total") <= seconds["total"] + 0.01


def test_the_cost_of_the_caps_is_left_out_when_not_wanted(run: Any, case_file: Path, solved_at_once: Any) -> None:
    assert "cap_cost_musd" not in json.loads(run("solve", case_file, "--json", "--no-cap-cost").stdout)


def test_a_case_without_caps_has_no_cost_of_them(run: Any, case_file: Path) -> None:
    result = run("solve", case_file, "--set", "-caps[]", "--json")
    assert result.exit_code == 0
    assert "cap_cost_musd" not in json.loads(result.stdout)


def test_changes_are_made_in_order_after_the_scenario(run: Any, solved_at_once: Any) -> None:
    options = ("--scenario", "shock", "--set", "-caps[]", "--set", "demand[].quantity_t_per_year=x0.5")
    assert run("solve", EXAMPLES / "random-03", *options, "--no-cap-cost").exit_code == 0
    [(instance, _)] = solved_at_once
    expected = example("random-03").scenario("shock").set("-caps[]").set("demand[].quantity_t_per_year=x0.5")
    assert instance.content_hash == expected.content_hash
    assert instance.applied == ("shock", ("-caps[]", "demand[].quantity_t_per_year=x0.5"))


def test_an_instance_is_read_from_standard_input(run: Any, case_file: Path, solved_at_once: Any) -> None:
    assert run("solve", "-", "--no-cap-cost", stdin=case_file.read_bytes()).exit_code == 0
    assert solved_at_once[0][0].content_hash == hand_solved().content_hash


def test_options_reach_the_solver(run: Any, case_file: Path, solved_at_once: Any) -> None:
    run("solve", case_file, "--gap", 0.02, "--time-limit", 30, "--threads", 1, "--seed", 7, "--solver", "cbc", "--no-cap-cost")
    wanted = {"solver": "cbc", "gap": 0.02, "time_limit": 30.0, "threads": 1, "seed": 7}
    assert wanted.items() <= solved_at_once[0][1].items()


def test_an_infeasible_case_exits_3_and_writes_nothing(run: Any, case_file: Path, tmp_path: Path) -> None:
    options = ("--set", NO_ORE, "--set", "-projects[]", "--set", MUST_BE_MET, "--out", tmp_path / "out")
    result = run("solve", case_file, *options)
    assert result.exit_code == 3, result.output
    assert "There is no plan" in result.stdout
    assert "Nothing was written" in result.stderr
    assert list(tmp_path.iterdir()) == []
    summary = json.loads(run("solve", case_file, *options, "--json").stdout)
    assert (summary["stopped"], summary["holds"], summary["objective_musd"]) == ("infeasible", "none", None)


@pytest.mark.parametrize(
    ("stopped", "holds", "audit_ok", "code"),
    [
        ("optimal", "plan", True, Exit.DONE),
        ("infeasible", "none", True, Exit.NO_PLAN_EXISTS),
        ("unbounded", "none", True, Exit.NO_PLAN_EXISTS),
        ("time_limit", "plan", True, Exit.STOPPED_HOLDING_PLAN),
        ("interrupted", "plan", True, Exit.STOPPED_HOLDING_PLAN),
        ("error", "plan", True, Exit.STOPPED_HOLDING_PLAN),
        ("time_limit", "none", True, Exit.STOPPED_HOLDING_NONE),
        ("interrupted", "none", True, Exit.STOPPED_HOLDING_NONE),
        ("error", "none", True, Exit.STOPPED_HOLDING_NONE),
        ("optimal", "plan", False, Exit.AUDIT_FAILED),
        ("time_limit", "plan", False, Exit.AUDIT_FAILED),
    ],
)
def test_every_way_to_end_has_its_exit_code(stopped: str, holds: str, audit_ok: bool, code: Exit) -> None:
    summary = {"stopped": stopped, "holds": holds, "audit": {"ok": audit_ok, "violations": []}}
    assert exit_of(dv.Plan(hand_solved(), summary, empty_tables())) == code


def test_out_writes_a_result_that_loads_and_is_replaced_by_the_next(run: Any, case_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run("solve", case_file, "--out", out, "--gap", 0)
    assert (first.exit_code, f"Written to {out}." in first.stderr) == (0, True)
    assert "cap_cost_musd" in dv.Plan.load(out).summary
    again = run("solve", case_file, "--out", out, "--no-cap-cost", "--set", "demand[].quantity_t_per_year=50")
    assert again.exit_code == 0
    assert dv.Plan.load(out).objective_musd < HAND_SOLVED_MUSD - 0.1
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_strangers_folder_is_refused_before_any_work_and_left_alone(run: Any, case_file: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    result = run("solve", case_file, "--out", tmp_path, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "result_folder"
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(run: Any, case_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("solve", case_file, "--out", tmp_path / "file" / "out")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert result.stdout == ""


def test_a_plan_that_cannot_be_written_after_all_is_still_shown(
    run: Any, case_file: Path, tmp_path: Path, monkeypatch: Any, solved_at_once: Any
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dv.Plan, "save", full)
    result = run("solve", case_file, "--out", tmp_path / "out", "--no-cap-cost")
    assert result.exit_code == 2
    assert "The plan costs" in result.stdout or "The cheapest plan costs" in result.stdout
    assert "No space left on device" in result.stderr
    summary = json.loads(run("solve", case_file, "--out", tmp_path / "out", "--no-cap-cost", "--json").stdout)
    assert summary["holds"] == "plan"
    assert "No space left" in summary["error"]["message"]


def test_ctrl_c_while_the_caps_are_priced_gives_up_only_that(run: Any, case_file: Path, monkeypatch: Any, solved_at_once: Any) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("diversify.planning.cap_cost.cap_cost", interrupted)
    result = run("solve", case_file, "--json")
    assert result.exit_code == 0
    assert "cap_cost_musd" not in json.loads(result.stdout)


def test_ctrl_c_before_the_solver_runs_exits_5_in_one_line(run: Any, case_file: Path, monkeypatch: Any) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("diversify.planning.solve", interrupted)
    result = run("solve", case_file)
    assert (result.exit_code, result.stdout, result.stderr.strip()) == (5, "", "Stopped by Ctrl-C.")
    result = run("solve", case_file, "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (5, "interrupted")


def test_a_failed_audit_exits_6_and_says_what_is_wrong(run: Any, case_file: Path, monkeypatch: Any) -> None:
    from diversify.audit import AuditReport, Violation

    violation = Violation("capacity", "activity", "pit", 2030, 1.0, "t", "pit runs 1 t above its capacity in 2030")
    monkeypatch.setattr("diversify.planning.audit", lambda *_: AuditReport((violation,), {}, {}))
    result = run("solve", case_file, "--no-cap-cost")
    assert result.exit_code == 6
    assert "AUDIT FAILED: 1 violation." in result.stdout
    assert "pit runs 1 t above its capacity in 2030" in result.stdout


def test_verbose_logs_sizes_ranges_and_the_solvers_own_lines_on_standard_error_only(run: Any, case_file: Path) -> None:
    result = run("solve", case_file, "--verbose", "--json", "--no-cap-cost")
    assert result.exit_code == 0
    json.loads(result.stdout)
    assert "range of" in result.stderr
    assert "HiGHS" in result.stderr
    assert run("solve", case_file, "--json", "--no-cap-cost").stderr == ""


def test_names_are_shown_as_text_whatever_they_look_like(run: Any, tmp_path: Path) -> None:
    name = "[red]x[/red] :boom: \u202egpj"
    case = hand_solved()
    source = dv.save(case.replace(projects=case.table("projects").assign(name=name)), tmp_path / "case.json")
    result = run("solve", source, "--out", tmp_path / "out", "--no-cap-cost", width=200)
    assert result.exit_code == 0, result.output
    assert r"[red]x[/red] :boom: \u202egpj" in result.stdout
    assert set(dv.Plan.load(tmp_path / "out").instance.table("projects")["name"]) == {name}


def test_control_characters_in_data_or_arguments_are_never_printed(run: Any, case_file: Path) -> None:
    change = "demand[location=\x1b[31m\x9bOsaka].year=2030"
    for args in (("solve", case_file, "--set", change), ("check", case_file, "--set", change), ("show", "\x1b[31m\x9bcase")):
        for options in ((), ("--json",)):
            result = run(*args, *options)
            assert result.exit_code == 2
            assert not {"\x1b", "\x9b"} & set(result.output)


def test_output_that_is_not_a_terminal_is_plain_ascii(run: Any, case_file: Path, solved_at_once: Any) -> None:
    result = run("solve", case_file, "--no-cap-cost", width=80)
    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.split("\n"))) <= 80


def test_nothing_is_left_on_the_loggers(run: Any, case_file: Path, solved_at_once: Any) -> None:
    import logging

    before = list(logging.getLogger().handlers), logging.getLogger("diversify").level
    run("solve", case_file, "--verbose", "--no-cap-cost")
    assert (list(logging.getLogger().handlers), logging.getLogger("diversify").level) == before
