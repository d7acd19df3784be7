"""What a wrong word, a fault of the program, a closed pipe or a Ctrl-C leads to; and that help loads nothing heavy."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

PLANS = {"audit", "check", "compare", "convert", "export", "join", "list", "new", "show", "solve"}
QUESTIONS = {
    *(
        "alternatives",
        "coalition",
        "diagnose",
        "frontier",
        "least-cap",
        "prices",
        "regret",
        "rolling",
        "scenarios",
        "secure",
        "sensitivity",
    ),
    *("stochastic", "stress"),
}
BUILT = PLANS | QUESTIONS
SYNTHETIC = Path(__file__).parents[2] / "benchmarks" / "instances" / "synthetic-trilateral"


def test_help_names_exactly_the_verbs_that_are_built_and_the_exit_codes(run: Any) -> None:
    from diversify.cli import command

    result = run("--help")
    assert result.exit_code == 0
    assert set(command.commands) == BUILT
    assert "6  the audit failed" in result.stdout
    for verb in BUILT:
        assert run(verb, "--help").exit_code == 0


@pytest.mark.parametrize("start", ["import diversify, diversify.cli", "from diversify.cli import main; sys.argv = ['d', '--help']; main()"])
def test_help_loads_nothing_heavy(start: str) -> None:
    code = f"""
import atexit, sys
heavy = ("pyomo", "pandas", "scipy", "highspy", "numpy", "rich", "yaml", "openpyxl", "distributed", "dask")
atexit.register(lambda: print([name for name in heavy if name in sys.modules], file=sys.stderr))
{start}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_a_misspelt_option_exits_2_and_names_the_right_one(run: Any, case_file: Path) -> None:
    result = run("solve", case_file, "--gapp", "0.1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--gap" in result.stderr
    result = run("solve", case_file, "--gapp", "0.1", "--json")
    assert (result.exit_code, result.stderr) == (2, "")
    assert json.loads(result.stdout)["error"]["code"] == "usage"


@pytest.mark.parametrize(
    "args",
    [
        ("sovle", "x"),
        ("solve",),
        ("solve", "no-such-case"),
        ("solve", "{case}", "--gap", "-1"),
        ("solve", "{case}", "--gap", "much"),
        ("solve", "{case}", "--time-limit", "0"),
        ("solve", "{case}", "--threads", "-2"),
        ("solve", "{case}", "--solver", "no-such-solver"),
        ("solve", "{case}", "--scenario", "none"),
        ("solve", "{case}", "--set", "caps[].share"),
        ("check", "no-such-case"),
        ("export", "{case}"),
    ],
)
def test_bad_usage_exits_2_in_words_and_as_json(run: Any, case_file: Path, args: tuple[str, ...]) -> None:
    given = [each.format(case=case_file) for each in args]
    in_words, as_json = run(*given), run(*given, "--json")
    assert (in_words.exit_code, in_words.stdout, as_json.exit_code) == (2, "", 2)
    assert "Traceback" not in in_words.stderr
    error = json.loads(as_json.stdout)["error"]
    assert error["code"] and error["message"]


def test_an_unknown_instance_suggests_the_nearest_bundled_one(run: Any) -> None:
    import diversify as dv

    name = next(iter(dv.bundled_instances()))
    assert f"Did you mean {name!r}?" in run("solve", name[:-1]).stderr


def test_a_fault_of_the_program_is_one_line_and_a_traceback_only_when_asked_for(run: Any, case_file: Path, monkeypatch: Any) -> None:
    def faulty(*_: object, **__: object) -> None:
        raise RuntimeError("the wheel came off")

    monkeypatch.setattr("diversify.planning.solve", faulty)
    result = run("solve", case_file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Internal error: RuntimeError: the wheel came off. Run it again with --verbose to see where.\n"
    assert "Traceback" in run("solve", case_file, "--verbose").stderr
    assert json.loads(run("solve", case_file, "--json").stdout)["error"]["code"] == "internal"


def test_a_solver_that_fails_exits_5(run: Any, case_file: Path, monkeypatch: Any) -> None:
    from diversify.errors import SolverError

    def refuses(*_: object, **__: object) -> None:
        raise SolverError("HiGHS refused the model")

    monkeypatch.setattr("diversify.planning.solve", refuses)
    result = run("solve", case_file, "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (5, "solver")


def test_as_a_program_json_is_all_that_stands_on_standard_output(run_program: Any, case_file: Path) -> None:
    done = run_program("solve", case_file, "--json", "--no-cap-cost")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["holds"] == "plan"


def test_a_reader_that_goes_away_is_no_error(program: list[str]) -> None:
    with subprocess.Popen([*program, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.slow
def test_a_time_limit_of_a_second_exits_4_or_5_by_what_is_held(run_program: Any) -> None:
    done = run_program("solve", SYNTHETIC, "--time-limit", 1, "--gap", 0, "--json")
    summary = json.loads(done.stdout)
    assert summary["stopped"] == "time_limit"
    assert done.returncode == (4 if summary["holds"] == "plan" else 5)


@pytest.mark.slow
def test_ctrl_c_during_a_solve_keeps_and_writes_the_plan_it_holds(program: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["solve", str(SYNTHETIC), "--gap", "0", "--time-limit", "300", "--json", "--verbose", "--out", str(out)]
    # A background job ignores Ctrl-C, and what it starts inherits that: the tests may run in one, the command must not.
    heeding: Any = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen([*program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heeding) as process:
        assert process.stdout is not None and process.stderr is not None
        for line in process.stderr:
            if "%" in line and "inf" not in line:  # the log line of a first bound beside an incumbent
                break
        process.send_signal(signal.SIGINT)
        summary = json.loads(process.communicate(timeout=120)[0])
    assert (summary["stopped"], summary["holds"], process.returncode) == ("interrupted", "plan", 4)
    assert summary["bound_musd"] is None or summary["bound_musd"] <= summary["objective_musd"]
    assert (out / "summary.json").is_file()
