"""What points of a frontier save by sharing plans and bounds, against each of them solved by itself, to the same absolute gap.

Usage: ``python benchmarks/frontier_sharing.py [--instance NAME] [--cap NAME] [--shares S,S,...] [--gap-musd 30] [--time-limit 300]``

Every point is solved once either way, in turn, in this process with one solver thread. The table has CPU seconds of the solver
and its work in nodes and LP iterations; solves that sharing made superfluous count as nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

COLUMNS = ("solves", "CPU s", "nodes", "LP iterations")


def spent(work: Callable[[], Sequence[dict[str, Any]]]) -> list[float]:
    """Return the figures of COLUMNS for the solves whose records ``work`` returns."""
    begun = time.process_time()
    records = work()
    return [len(records), time.process_time() - begun, *(sum(record[name] for record in records) for name in ("nodes", "lp_iterations"))]


def compared(source: str, cap: str, shares: Sequence[float], gap_musd: float, time_limit: float) -> dict[str, list[float]]:
    """Return the figures of COLUMNS of the case without the cap and all shares: shared, and each cold."""
    import diversify as dv
    from diversify.analyses.executor import Executor
    from diversify.analyses.frontier.band import Band, least_cost
    from diversify.analyses.frontier.curve import Curve
    from diversify.analyses.frontier.spots import FREE, Question, Spot
    from diversify.analyses.solving import Limits

    question = Question.of(dv.load(source), [cap])
    limits = Limits(gap=0.0, gap_musd=gap_musd, time_limit=time_limit)
    curve = Curve(Band(question, Executor()), limits, given=True)

    def shared() -> Sequence[dict[str, Any]]:
        curve.solve(sorted(shares, reverse=True))
        return [record for _, record in curve.band.found]

    def cold() -> Sequence[dict[str, Any]]:
        spots = [FREE, *(Spot(share) for share in shares)]
        return [least_cost(**question.arguments(spot), limits=limits.as_dict(), start=None, bound_musd=None) for spot in spots]

    return {"shared": spent(shared), "cold": spent(cold)}


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description="What the points of a frontier save by sharing plans and bounds.")
    parser.add_argument("--instance", default="trilateral-magnets")
    parser.add_argument("--cap", default="heavy-traced")
    parser.add_argument("--shares", default="0.42,0.37,0.32,0.28,0.23,0.19,0.14,0.09,0.05,0")
    parser.add_argument("--gap-musd", type=float, default=30.0)
    parser.add_argument("--time-limit", type=float, default=300.0)
    asked = parser.parse_args()
    shares = [float(share) for share in asked.shares.split(",")]
    found = compared(asked.instance, asked.cap, shares, asked.gap_musd, asked.time_limit)
    print("| points | " + " | ".join(COLUMNS) + " |\n|---|" + "---:|" * len(COLUMNS))
    for name, figures in found.items():
        print(f"| {name} | " + " | ".join(f"{figure:,.0f}" for figure in figures) + " |")
    ratios = [other / own if own else float("nan") for own, other in zip(found["shared"], found["cold"], strict=True)]
    print("| cold / shared | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")


if __name__ == "__main__":
    main()
