"""The command, run in this process or as a program of its own, and a saved case and plan to run it on."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cases import hand_solved
from click.testing import CliRunner, Result

import diversify as dv
from diversify.cli import command

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Return a function that runs the command in this process."""

    def run_command(*args: object, stdin: bytes = b"", width: int = 100) -> Result:
        return CliRunner(env={"COLUMNS": str(width)}).invoke(command, [str(each) for each in args], input=stdin)

    return run_command


@pytest.fixture
def solved_at_once(hand_solved_plan: dv.Plan, monkeypatch: pytest.MonkeyPatch) -> list[tuple[dv.Instance, dict[str, Any]]]:
    """Let ``solve`` answer at once with the hand-solved plan; return the list of the instances and options it is given."""
    given: list[tuple[dv.Instance, dict[str, Any]]] = []

    def answer(instance: dv.Instance, **options: Any) -> dv.Plan:
        given.append((instance, options))
        return replace(hand_solved_plan, summary=copy.deepcopy(dict(hand_solved_plan.summary)))

    monkeypatch.setattr("diversify.planning.solve", answer)
    return given


@pytest.fixture(scope="session")
def program() -> list[str]:
    """Return the words that start the command as a program of its own."""
    return [sys.executable, "-c", "from diversify.cli import main; main()"]


@pytest.fixture(scope="session")
def run_program(program: list[str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs the command as a program of its own."""

    def run_it(*args: object, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*program, *map(str, args)], capture_output=True, text=True, timeout=timeout, check=False)

    return run_it


@pytest.fixture(scope="session")
def case_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the hand-solved case as a JSON file."""
    return dv.save(hand_solved(), tmp_path_factory.mktemp("case") / "hand-solved.json")


@pytest.fixture
def plan_folder(hand_solved_plan: dv.Plan, tmp_path: Path) -> Path:
    """Return the hand-solved plan as a result folder."""
    return hand_solved_plan.save(tmp_path / "plan")
