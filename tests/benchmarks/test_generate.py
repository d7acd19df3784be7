"""The benchmarks run: the generator makes cases that solve and audit, and the measurements print their tables."""

import subprocess
import sys
from pathlib import Path

import pytest

import diversify as dv

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from generate import Shape, generate  # noqa: E402

SMALL = Shape(sites=4, stages=3, years=4)


def run(script: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, str(BENCHMARKS / script), *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def rows_of(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")]


def test_the_same_seed_gives_the_same_case_and_another_seed_another():
    again, other = generate(SMALL), generate(Shape(sites=4, stages=3, years=4, seed=1))
    assert generate(SMALL).content_hash == again.content_hash != other.content_hash


def test_a_small_case_solves_to_a_plan_that_builds_and_passes_the_audit():
    plan = dv.solve(generate(SMALL), gap=0.001, time_limit=60)
    assert (plan.stopped, plan.holds) == ("optimal", "plan")
    assert plan.summary["audit"]["ok"], plan.summary["audit"]["violations"]
    assert len(plan.builds) and len(plan.flows)


@pytest.mark.parametrize("columns", [5_000, 20_000])
def test_the_size_asked_for_is_reached_with_no_more_sites_than_it_takes(columns):
    model = dv.build_model(generate(Shape().of_size(columns)))
    assert columns * 0.9 <= len(model.diversify.variables) <= columns * 1.4


def test_a_case_without_traced_caps_has_a_single_tag():
    flows = dv.solve(generate(Shape(sites=3, stages=2, years=2, traced=False)), gap=0.01).flows
    assert set(flows["tag"]) == {""}


def test_a_shape_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="2 stages"):
        Shape(stages=1)


def test_the_generator_writes_a_folder_that_loads(tmp_path):
    run("generate.py", "--columns", "2000", "--years", "5", str(tmp_path / "case"))
    assert len(dv.load(tmp_path / "case").years) == 5


def test_overhead_prints_the_break_down_and_a_row_a_size():
    rows = rows_of(run("overhead.py", "--columns", "2000", "--repeats", "1"))
    steps = {row[0] for row in rows if len(row) == 3}
    assert {"imports", "network", "state", "compile", "HiGHS", "audit", "write", "all but HiGHS"} <= steps
    sizes = [row for row in rows if len(row) == 14]
    assert len(sizes) == 3 and float(sizes[-1][7]) > 0


def test_the_options_table_has_a_row_a_run(tmp_path):
    dv.save(generate(SMALL), tmp_path / "case")
    rows = rows_of(run("highs_options.py", "--instance", str(tmp_path / "case"), "--seconds", "2", "--seeds", "0", "--only", "default"))
    assert [row[:2] for row in rows[2:]] == [["default", "0"]]


def test_the_sharing_table_has_a_row_each_way_and_their_ratio(tmp_path):
    dv.save(generate(SMALL), tmp_path / "case")
    cap = dv.load(tmp_path / "case").table("caps")["cap"].iloc[0]
    rows = rows_of(run("frontier_sharing.py", "--instance", str(tmp_path / "case"), "--cap", cap, "--shares", "0.6,0.5", "--gap-musd", "5"))
    assert [row[0] for row in rows[2:]] == ["shared", "cold", "cold / shared"]
    assert int(rows[3][1]) == 3
