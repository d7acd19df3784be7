"""What acting together is worth: the cost of serving every subset of members, the gain, and how to share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.coalition.division import Division
from diversify.analyses.coalition.findings import game_of, summary_of, tables_of
from diversify.analyses.coalition.game import Game
from diversify.analyses.coalition.members import Members
from diversify.analyses.coalition.slices import case_of
from diversify.analyses.executor import Executor, Task
from diversify.analyses.solving import Limits, Record, manifest, record_of, solved, table_of
from diversify.instance import Instance, load
from diversify.result_folder import Layout

__all__ = ["LAYOUT", "coalition"]

LAYOUT: Layout = {
    "values": (
        *("subset", "members", "share", "cost_musd", "bound_musd", "stopped", "shortage_musd"),
        *("gain_musd", "gain_low_musd", "gain_high_musd"),
    ),
    "members": (
        *("member", "share", "alone_musd", "alone_low_musd", "shapley_musd", "shapley_low_musd", "shapley_high_musd"),
        *("gain_musd", "served_musd", "others_musd", "transfer_musd", "arises_musd"),
    ),
    "gains": ("category", "apart_musd", "together_musd", "gain_musd"),
    "costs": ("country", "member", "arises_musd", "served_musd"),
    "hosts": ("country", "member", "process", "apart_t_per_year", "together_t_per_year", "apart_capex_musd", "together_capex_musd"),
    "dearer_together": ("subset", "other", "dearer_musd", "low_musd", "high_musd", "proved"),
    "shortages": ("subset", "location", "commodity", "year", "quantity_t_per_year", "cost_musd"),
    "builds": ("subset", "project", "facility", "year", "decided_year", "units", "capacity_t_per_year", "capex_musd"),
}
"""The tables of the answer and their columns."""

_SMALL_BESIDE_GAIN = 0.05
"""How wide the band of the gain may be, as a part of the gain, before the solves are carried on."""

_SMALL_BESIDE_COST = 1e-4
"""The same as a part of the cost of all together, so that a gain of next to nothing does not ask for endless work."""


def coalition(
    instance: Instance | str | Path,
    members: Sequence[str],
    *,
    gap: float | None = None,
    gap_musd: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Return what acting together is worth to members (countries, or groups that act as one), and a fair split.

    Every non-empty subset is served by itself: its members' plants, projects and demand whole, the other members' not at
    all, the rest of the world at the subset's share of demand (docs/questions/coalition.md says it for every table). The
    values make a cost game: its Shapley value, whether its core is empty, its least core, with the bands that the solves
    leave open. The answer's tables are those of ``LAYOUT``; costs in discounted million USD.

    ``gap`` (relative) and ``gap_musd`` (absolute) say when each solve stops. Without ``gap_musd`` solves are carried on until
    the band of the gain is a twentieth of the gain, where that is still wanted after the first pass.

    Raises UsageError for unknown members, members that share a country, none with demand, fewer than 2 or more than 6.
    """
    case = instance if isinstance(instance, Instance) else load(instance)
    limits = Limits.of(case, gap=gap, gap_musd=gap_musd, time_limit=time_limit, seed=seed)
    division = Division(case, Members.of(case, members))
    runner = executor or Executor()
    cases = {subset: case_of(division, subset) for subset in division.members.subsets}
    records = _first_pass(division.members, cases, limits, runner)
    if gap_musd is None:
        records = _second_pass(division.members, cases, limits, runner, records)
    game = game_of(division.members, records)
    asked = {"question": "coalition", "members": list(members)}
    return Answer(
        verb="coalition",
        instance=case,
        layout=LAYOUT,
        summary=summary_of(division, records, game),
        tables=tabulated(LAYOUT, tables_of(division, records, game)),
        manifest=manifest(case, limits, **asked),
    )


def serve(instance: Instance, limits: Mapping[str, Any], start: pd.DataFrame | None, bound_musd: float | None) -> Record:
    """Return the record of the least-cost plan of one subset's case, from a plan and a bound that are known (or None)."""
    record = record_of(solved(instance, Limits(**limits), start=start, bound_musd=bound_musd))
    return {**record, "tables": {name: record["tables"][name] for name in ("builds", "shortages")}}


def _first_pass(members: Members, cases: Mapping[int, Instance], limits: Limits, executor: Executor) -> dict[int, Record]:
    """Serve every subset, the largest first, which take longest."""
    order = list(reversed(members.subsets))
    nothing = {"limits": limits.as_dict(), "start": None, "bound_musd": None}
    tasks = [Task(members.name(subset), serve, {"instance": cases[subset], **nothing}) for subset in order]
    found = dict(zip(order, executor.run(tasks), strict=True))
    return {subset: found[subset] for subset in members.subsets}


def _second_pass(
    members: Members, cases: Mapping[int, Instance], limits: Limits, executor: Executor, records: Mapping[int, Record]
) -> dict[int, Record]:
    """Carry on, from their plans and bounds, the solves whose gaps are not small beside the gain."""
    enough = small_beside(game_of(members, records))
    order = [subset for subset in reversed(members.subsets) if _may_go_on(records[subset], enough)]
    closer = {**limits.as_dict(), "gap": 0.0, "gap_musd": enough}
    tasks = [
        Task(
            f"{members.name(subset)}, closer",
            serve,
            {
                "instance": cases[subset],
                "limits": closer,
                "start": table_of(records[subset], "builds"),
                "bound_musd": records[subset]["bound_musd"],
            },
        )
        for subset in order
    ]
    again = dict(zip(order, executor.run(tasks), strict=True)) if tasks else {}
    return {subset: _better(record, again[subset]) if subset in again else record for subset, record in records.items()}


def small_beside(game: Game) -> float:
    """Return the gap in million USD that each solve may leave so that together they leave little of the gain open."""
    gain, together = game.gain().high, game.high[-1]
    if not np.isfinite(gain) or not np.isfinite(together):
        return np.inf
    wanted = max(_SMALL_BESIDE_GAIN * gain, _SMALL_BESIDE_COST * abs(together))
    return float(wanted / (game.players + 1))


def _may_go_on(record: Record, enough: float) -> bool:
    """Return whether a solve ended within its gap, and that is not enough. One that ran out of time is not given more."""
    return record["stopped"] == "optimal" and record["gap_musd"] is not None and record["gap_musd"] > enough


def _better(first: Record, second: Record) -> Record:
    """Return the record of the cheaper of two plans of one case, with the better of both bounds."""
    costs = [np.inf if record["objective_musd"] is None else record["objective_musd"] for record in (first, second)]
    bounds = [record["bound_musd"] for record in (first, second) if record["bound_musd"] is not None]
    best, bound = (second if costs[1] <= costs[0] else first), max(bounds, default=None)
    cost = best["objective_musd"]
    gap_musd = None if cost is None or bound is None else max(cost - bound, 0.0)
    gap = None if gap_musd is None else gap_musd / abs(cost) if cost else 0.0
    return {**best, "stopped": second["stopped"], "bound_musd": bound, "gap_musd": gap_musd, "gap": gap}
