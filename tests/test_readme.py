"""The README's commands and snippets do what it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MARKED = re.compile(r"<!-- (?P<kind>command|commands|python)(?:: (?P<name>[a-z]+))? -->\n```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
BLOCKS = [match.groupdict() for match in MARKED.finditer(README)]
TOURS = [block for block in BLOCKS if block["kind"] == "commands"]
SNIPPETS = [block for block in BLOCKS if block["kind"] == "python"]


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        arguments,
        cwd=folder,
        env=os.environ | {"PATH": path, "DIVERSIFY_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def test_every_code_block_is_marked_and_so_run_by_a_test() -> None:
    assert README.count("```") == 2 * len([*BLOCKS, *re.findall(r"```text\n", README)])


def test_the_two_commands_set_up_and_run_from_nothing() -> None:
    commands = {block["name"]: block["text"].strip() for block in BLOCKS if block["kind"] == "command"}
    assert set(commands) == {"solve", "test"}
    for command in commands.values():
        assert command.count("\n") == 0
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install")


def test_continuous_integration_runs_both_setup_commands() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "readme_command.py test" in script
    assert "readme_command.py solve" in script


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    for link in links:
        if not link.startswith("http"):
            assert (ROOT / link).exists(), link


@pytest.mark.slow
@pytest.mark.parametrize("block", TOURS, ids=[str(block["name"]) for block in TOURS])
def test_commands_run_as_written(block: dict[str, str], tmp_path: Path) -> None:
    done = run(["bash", "-euo", "pipefail", "-c", block["text"]], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("block", SNIPPETS)
def test_snippets_run_as_written(block: dict[str, str], tmp_path: Path) -> None:
    done = run([sys.executable, "-c", block["text"]], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "plan" in done.stdout


@pytest.mark.slow
def test_the_result_shown_is_the_one_that_comes_out(tmp_path: Path) -> None:
    """Two plans within the same gap may differ; each must cost at least the other's proved bound."""
    shown = re.search(r"The plan costs ([\d,]+) million USD .*?cheaper by at most [\d.]+ % or ([\d.]+) million", README, re.DOTALL)
    assert shown
    cost = float(shown[1].replace(",", ""))
    bound = cost - float(shown[2])
    done = run(["diversify", "solve", "trilateral-magnets", "--no-cap-cost", "--json"], tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["bound_musd"] <= cost + 1
    assert summary["objective_musd"] >= bound - 1
