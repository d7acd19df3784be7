"""What one plan for many scenarios costs: all in one problem against cuts, by number of scenarios; and the pieces of the cuts.

    python benchmarks/scenarios.py --counts 3,10 --methods extensive,decomposed --gap 0.003
    python benchmarks/scenarios.py --pieces trilateral-magnets trilateral-gallium trilateral-critical-minerals --years 5,10

Scenarios are drawn from the table families of the case (``dv.sample``, seed 0). Seconds are of the wall clock and of all cores together.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import diversify as dv
from diversify.analyses.stochastic.work import staged_of
from diversify.planning.agreement import differences
from diversify.planning.later_stage import LaterStage
from diversify.solve.recourse import Growing


def cpu_seconds() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def plans(case: dv.Instance, counts: list[int], methods: list[str], gap: float, time_limit: float, workers: int) -> None:
    print("| scenarios | method | stopped | cost | bound | gap % | wall s | CPU s | rounds | columns | integers |")
    print("|---:|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for count in counts:
        drawn = dv.sample(case, count, seed=0).instance
        for method in methods:
            wall, cpu = time.monotonic(), cpu_seconds()
            answer = dv.stochastic(drawn, method=method, value=False, gap=gap, time_limit=time_limit, executor=dv.Executor(workers))
            told = answer.summary
            cost, bound, share = (np.nan if told[name] is None else told[name] for name in ("objective_musd", "bound_musd", "gap"))
            figures = [
                f"{cost:,.1f}",
                f"{bound:,.1f}",
                f"{100 * share:.3f}",
                f"{time.monotonic() - wall:.0f}",
                f"{cpu_seconds() - cpu:.0f}",
            ]
            size = [str(told["size"][name]) for name in ("columns", "integers")]
            print("|", " | ".join([str(count), method, told["stopped"], *figures, str(len(answer.rounds)), *size]), "|", flush=True)


def cases_of(names: list[str], years: list[int]) -> list[tuple[str, dv.Instance]]:
    """Return cases by name, and the first of them with its horizon cut to the first so many planning years."""
    found = [(name, dv.load(name)) for name in names]
    first = found[0][1]
    cut = [(f"{names[0]}, {count} years", first.set(f'instance.years="{list(first.years[:count])}"')) for count in years]
    return [*cut, *found]


def pieces(cases: list[tuple[str, dv.Instance]]) -> None:
    print("| case | columns | common | linking | state s | compare s | first cut s | iterations | next cut s | iterations |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, case in cases:
        staged, stated = timed(lambda case=case: staged_of(case))
        _, compared = timed(lambda staged=staged: list(differences(staged, staged)))
        stage = LaterStage.of(staged)
        matrix = staged.program.matrix
        found = Growing(replace(matrix, integer=np.zeros(len(matrix.cost), dtype=bool))).solve()
        values = staged.values(found[0]) if found else {}
        point = np.array([values.get(key, 0.0) for key in stage.keys])
        first, cold = timed(lambda stage=stage, point=point: stage.recourse.cut(point))
        second, warm = timed(lambda stage=stage, point=point, first=first: stage.recourse.cut(0.9 * point, first.basis))
        sizes = [f"{count:,}" for count in (len(matrix.cost), len(staged.common), len(stage.keys))]
        cuts = [f"{cold:.2f}", f"{first.iterations:,}", f"{warm:.2f}", f"{second.iterations:,}"]
        print("|", " | ".join([name, *sizes, f"{stated:.2f}", f"{compared:.2f}", *cuts]), "|", flush=True)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.process_time()
    return work(), time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", default="trilateral-magnets")
    parser.add_argument("--counts", default="3,10")
    parser.add_argument("--methods", default="extensive,decomposed")
    parser.add_argument("--gap", type=float, default=0.003)
    parser.add_argument("--time-limit", type=float, default=900.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pieces", nargs="+", metavar="CASE")
    parser.add_argument("--years", default="", metavar="N,N", help="with --pieces: also the first case with so many planning years")
    asked = parser.parse_args()
    if asked.pieces:
        pieces(cases_of(asked.pieces, [int(count) for count in asked.years.split(",") if count]))
    else:
        counts = [int(count) for count in asked.counts.split(",")]
        plans(dv.load(asked.case), counts, asked.methods.split(","), asked.gap, asked.time_limit, asked.workers)


if __name__ == "__main__":
    main()
