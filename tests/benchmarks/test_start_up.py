"""What a solve does not need is not loaded: imports are the largest part of the time around HiGHS."""

import subprocess
import sys

HEAVY = ("scipy.stats", "scipy.optimize", "pyomo.environ", "openpyxl", "rich")


def loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_a_solve_loads_neither_statistics_nor_workbooks_nor_solvers_of_pyomo():
    solved = (
        "sys.path.insert(0, 'benchmarks'); import generate, diversify; "
        "diversify.solve(generate.generate(generate.Shape(sites=3, stages=2, years=2)), gap=0.1)"
    )
    assert not loaded_after(solved) & set(HEAVY)


def test_scipy_still_loads_its_parts_when_they_are_used():
    assert "scipy.stats" in loaded_after("import diversify.planning, scipy; scipy.stats.norm")
