"""How far HiGHS comes on one case under variants of its options, interleaved, with work counted besides seconds.

Usage: ``python benchmarks/highs_options.py [--instance DIR] [--seconds 60] [--seeds 0 1] [--only default no-reduced-cost]``

Every run goes on for the given CPU seconds of the process with a gap of 0, so that a busy machine changes little. The table
tells when the gap first fell to 1 %, bound and plan (million USD) on the way, and nodes and LP iterations at the end.
"""

from __future__ import annotations

import argparse
import sys
import time
from math import isfinite
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
GAP = 0.01

VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "no-reduced-cost": {"mip_heuristic_run_root_reduced_cost": False},
    "effort-0.2": {"mip_heuristic_effort": 0.2},
    "effort-0.01": {"mip_heuristic_effort": 0.01},
    "no-symmetry": {"mip_detect_symmetry": False},
    "no-presolve": {"presolve": "off"},
    "pool-1000": {"mip_pool_soft_limit": 1_000},
    "parallel-2": {"parallel": "on", "threads": 2},
}


def compiled(source: str) -> Any:
    """Return the matrix of a case."""
    import diversify as dv
    from diversify.solve import compile_model

    model = dv.build_model(dv.load(source))
    return compile_model(model, model.diversify.variables, model.diversify.scale)


class Trace:
    """Bound and incumbent as a run goes, one entry per callback; it ends the run after ``limit`` CPU seconds."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.begun = time.process_time()
        self.entries: list[tuple[float, float, float]] = []

    def note(self, event: Any) -> None:
        data = event.data_out
        self.entries.append((time.process_time() - self.begun, float(data.mip_dual_bound), float(data.mip_primal_bound)))
        if self.entries[-1][0] >= self.limit:
            event.interrupt()

    def at(self, seconds: float) -> tuple[float, float]:
        """Return bound and incumbent at a moment."""
        return next((entry[1:] for entry in reversed(self.entries) if entry[0] <= seconds), (float("-inf"), float("inf")))

    def reached(self, gap: float) -> float:
        """Return the seconds after which the relative gap was first within ``gap``; inf where it never was."""
        return next((at for at, bound, plan in self.entries if isfinite(plan) and plan - bound <= gap * abs(plan)), float("inf"))


def measured(matrix: Any, settings: dict[str, Any], seed: int, seconds: float) -> tuple[Trace, Any]:
    """Run one variant for so many CPU seconds."""
    from diversify.solve import Options
    from diversify.solve.highs import checked, configured, hand_over, run_to_end

    highs = configured(Options(gap=0.0, time_limit=20 * seconds, seed=seed))
    for name, value in settings.items():
        checked(highs.setOptionValue(name, value), f"{name} = {value}")
    hand_over(highs, matrix)
    trace = Trace(seconds)
    highs.cbMipInterrupt.subscribe(trace.note)
    run_to_end(highs)
    return trace, highs.getInfo()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure HiGHS under variants of its options.")
    parser.add_argument("--instance", default=str(HERE / "instances" / "synthetic-trilateral"))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    given = parser.parse_args()
    matrix = compiled(given.instance)
    moments = [given.seconds / 6, given.seconds / 2, given.seconds]
    stations = " | ".join(f"bound, plan at {moment:.0f} s" for moment in moments)
    print(f"| variant | seed | s to 1 % | {stations} | nodes | LP iterations |")
    print("|---|---:|---:|" + "---:|" * (len(moments) + 2))
    for seed in given.seeds:
        for name in given.only:
            trace, info = measured(matrix, VARIANTS[name], seed, given.seconds)
            on_the_way = " | ".join("{:,.0f}, {:,.0f}".format(*trace.at(moment)) for moment in moments)
            reached = f"{trace.reached(GAP):.1f}"
            print(f"| {name} | {seed} | {reached} | {on_the_way} | {info.mip_node_count} | {info.simplex_iteration_count} |", flush=True)


if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parent)]
    main()
