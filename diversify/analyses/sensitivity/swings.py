"""One input at a time: the case solved at both ends of every range, and what moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.executor import Executor, Task
from diversify.analyses.mean_shares import mean_shares
from diversify.analyses.sensitivity.inputs import Input, Provenance
from diversify.analyses.solving import Limits, Record, rows_of, solved
from diversify.errors import SolverError, UsageError
from diversify.instance import Instance
from diversify.plan import TABLES

_SAME = 1e-6
"""Part of a project's units below which two plans build the same."""

_EXACT = 1e-7
"""Part of the cost to which a solver's figures are exact; a smaller difference is none."""


def solve_end(instance: Instance, changes: Sequence[str], limits: Mapping[str, Any], start: pd.DataFrame | None) -> Record:
    """Return what the least-cost plan of a case with changes costs, its shares, and what it builds. Work of a task."""
    case = instance.set(*changes) if changes else instance
    plan = solved(case, Limits(**limits), start=start)
    told = {name: plan.summary[name] for name in ("stopped", "holds", "objective_musd", "bound_musd", "gap", "gap_musd", "shortage_t")}
    return {**told, "shares": mean_shares(case, plan.shares), "builds": rows_of(plan.builds)}


def base_and_ends(
    instance: Instance, inputs: Sequence[Input], limits: Limits, executor: Executor
) -> tuple[Record, list[dict[str, Record]]]:
    """Return the record of the case as it is, and for every input those of its ends; an end without changes is the case as it is.

    All ends start from what the case as it is builds. UsageError where that has no plan, SolverError where none was found.
    """
    plain = {"instance": instance, "limits": limits.as_dict()}
    (base,) = executor.run([Task("the case as it is", solve_end, {**plain, "changes": [], "start": None})])
    if base["stopped"] in ("infeasible", "unbounded"):
        raise UsageError(f"{instance.name} has no least-cost plan to start from: it is {base['stopped']}.")
    if base["holds"] != "plan":
        raise SolverError(f"no plan of {instance.name} was found ({base['stopped']}); give it more time.")
    start = pd.DataFrame(base["builds"], columns=list(TABLES["builds"]))
    wanted = {changes: f"{each.name}, {end}" for each in inputs for end, changes in each.ends.items() if changes}
    tasks = [Task(name, solve_end, {**plain, "changes": list(changes), "start": start}) for changes, name in wanted.items()]
    found: dict[tuple[str, ...], Record] = dict(zip(wanted, executor.run(tasks), strict=True))
    found[()] = base
    return base, [{end: found[changes] for end, changes in each.ends.items()} for each in inputs]


def swing_rows(instance: Instance, inputs: Sequence[Input], base: Record, ends: Sequence[Mapping[str, Record]]) -> list[dict[str, Any]]:
    """Return what every input moves, the one that moves cost most first; an input that can leave no plan comes before all."""
    provenance = Provenance(instance)
    rows = [_row(each, base, found, provenance) for each, found in zip(inputs, ends, strict=True)]
    rows.sort(key=lambda row: (not row["no_plan"], -(row["swing_musd"] or 0.0), row["input"]))
    for position, row in enumerate(rows):
        row["rank"] = position + 1
        others = [other for other in rows if other is not row]
        row["rank_best"] = 1 + sum(_low(other) > _high(row) for other in others)
        row["rank_worst"] = len(rows) - sum(_high(other) < _low(row) for other in others)
    return rows


def _row(asked: Input, base: Record, found: Mapping[str, Record], provenance: Provenance) -> dict[str, Any]:
    cells = sorted({cell for changes in asked.ends.values() for cell in provenance.touched(changes)})
    quality, sources = provenance.kinds(cells)
    return {
        "input": asked.name,
        "kind": asked.kind,
        "range": asked.said,
        **_swing([base, *found.values()]),
        **_share_swing([base, *found.values()]),
        **{end: _end(asked.ends[end], base, record) for end, record in found.items()},
        "figures": len(cells),
        "quality": quality,
        "sources": sources,
    }


def _swing(points: Sequence[Record]) -> dict[str, Any]:
    """Return how far apart the costs of the points are, and the band in which that distance of the least costs is proved to lie."""
    held = [point for point in points if point["objective_musd"] is not None]
    bounds = [point["bound_musd"] for point in points if point["bound_musd"] is not None]
    costs = [point["objective_musd"] for point in held]
    nothing = _EXACT * max(map(abs, costs))
    swing = max(costs) - min(costs)
    low = max(bounds) - min(costs) if bounds else 0.0
    low = min(low, swing) if low > nothing else 0.0
    open_above = len(held) < len(points) or len(bounds) < len(points)
    no_plan = any(point["stopped"] == "infeasible" for point in points)
    return {
        "no_plan": no_plan,
        "swing_musd": None if no_plan else swing if swing > nothing else 0.0,
        "swing_low_musd": None if no_plan else low,
        "swing_high_musd": None if open_above else max(max(costs) - min(bounds), swing),
        "proved": no_plan or low > 0.0,
    }


def _low(row: Mapping[str, Any]) -> float:
    return np.inf if row["no_plan"] else float(row["swing_low_musd"])


def _high(row: Mapping[str, Any]) -> float:
    return np.inf if row["swing_high_musd"] is None else float(row["swing_high_musd"])


def _share_swing(points: Sequence[Record]) -> dict[str, Any]:
    """Return the cap whose mean share moves most between the points, and how far."""
    held = [point["shares"] for point in points if point["holds"] == "plan"]
    caps = sorted(set.intersection(*(set(shares) for shares in held)))
    moves = {cap: max(shares[cap] for shares in held) - min(shares[cap] for shares in held) for cap in caps}
    most = max(moves, key=lambda cap: (moves[cap], cap), default=None)
    return {"share_swing": None if most is None else moves[most], "share_swing_cap": most}


def _end(changes: Sequence[str], base: Record, found: Record) -> dict[str, Any]:
    cost, bound = found["objective_musd"], found["bound_musd"]
    less, least = base["objective_musd"], base["bound_musd"]
    return {
        "set": list(changes),
        "stopped": found["stopped"],
        "cost_musd": cost,
        "bound_musd": bound,
        "change_musd": None if cost is None else cost - less,
        "change_low_musd": None if bound is None else 0.0 if not changes else bound - less,
        "change_high_musd": None if cost is None or least is None else 0.0 if not changes else cost - least,
        "shortage_t": found["shortage_t"] if found["holds"] == "plan" else None,
        "shares": found["shares"],
        **_built(base, found),
    }


def _built(base: Record, found: Record) -> dict[str, Any]:
    """Return how many projects the plan builds, and which it builds more or less of than that of the case as it is."""
    if found["holds"] != "plan":
        return {"projects": None, "more": [], "less": [], "later_or_earlier": []}
    now, then = units(found["builds"]), units(base["builds"])
    names = sorted(set(now) | set(then))
    change = {name: sum(now.get(name, {}).values()) - sum(then.get(name, {}).values()) for name in names}
    size = {name: max(sum(now.get(name, {}).values()), sum(then.get(name, {}).values())) for name in names}
    more = [name for name in names if change[name] > _SAME * size[name]]
    less = [name for name in names if change[name] < -_SAME * size[name]]
    moved = [name for name in names if name not in more and name not in less and set(now[name]) != set(then[name])]
    return {"projects": len(now), "more": more, "less": less, "later_or_earlier": moved}


def units(builds: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, float]]:
    """Return the units of every project by year on line, from a plan's table ``builds``."""
    found: dict[str, dict[int, float]] = {}
    for row in builds:
        if row["units"]:
            found.setdefault(str(row["project"]), {})[int(row["year"])] = float(row["units"])
    return found


def cap_rows(rows: Sequence[Mapping[str, Any]], base: Record) -> list[dict[str, Any]]:
    """Return the mean share of every cap at the ends of every input, beside that of the case as it is."""
    return [
        {
            "input": row["input"],
            "cap": cap,
            "base_share": share,
            **{f"{end}_share": row[end]["shares"].get(cap) for end in ("low", "high")},
        }
        for row in rows
        for cap, share in base["shares"].items()
    ]


def built_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the projects that the plan at an end builds more of, less of, or at other times."""
    return [
        {"input": row["input"], "end": end, "project": project, "change": change}
        for row in rows
        for end in ("low", "high")
        for change in ("more", "less", "later_or_earlier")
        for project in row[end][change]
    ]
