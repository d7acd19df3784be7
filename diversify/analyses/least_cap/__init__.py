"""The smallest share that any plan can reach under a cap, along the cap's path and year by year, and what holds it there.

"Can reach" means: with no more shortage of each commodity in each year, over all places, than a plan of the same instance without
the cap has (``shortage_t`` allows more), and without paying for excess. Cost does not matter. Shortage is a choice of the plan without
the cap, not a fact of the case: it is taken from the one that is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.cap_path import CapPath
from diversify.analyses.executor import Executor, Task
from diversify.analyses.least_cap.aim import Aim
from diversify.analyses.least_cap.work import lowest, without_cap
from diversify.analyses.solving import Limits, Record, manifest, table_of
from diversify.errors import SolverError, UsageError
from diversify.instance import Instance, load
from diversify.network.ground import Years
from diversify.plan import TABLES
from diversify.planning.summary import about

__all__ = ["LAYOUT", "least_cap"]

LAYOUT = {
    "by_year": ("year", "share", "proved_share", "proved", "relaxed_share", "stopped", "limit", "share_without_cap"),
    "path": ("cap", "consumers", "year", "limit", "share", "limit_now", "weight"),
    "binding": ("of", "kind", "table", "key", "year", "sentence", "weight", "unique"),
    "allowed": ("commodity", "year", "quantity_t_per_year"),
    "builds": TABLES["builds"],
}


def least_cap(
    instance: Instance | str | Path,
    cap: str | Sequence[str],
    *,
    shortage_t: float = 0.0,
    years: bool = True,
    tolerance: float = 0.001,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Return the smallest share that any plan can reach under a cap, or under several that are moved together.

    ``share`` is the last listed year's, earlier years keeping their proportion of the way (the first keeps its own); other caps hold as
    they are. ``shortage_t`` (t/yr) is allowed of each commodity in each year beyond what the plan without the cap has. With ``years``
    each planning year is asked about alone too, the cap being lifted in all others; under a cap for each country the share
    is the largest of theirs. Shares are found to ``tolerance``: a plan, audited, reaches ``share``, and no plan reaches ``proved_share``.
    ``relaxed_share`` is what parts of units could reach.

    ``share`` is None where no plan keeps the path even with 100 % at its end (``stopped`` infeasible: proved), or where none was found
    in time; ``proved`` says whether the two shares are within the tolerance. ``objective_musd`` and ``bound_musd`` are the least
    cost at the share along the path with shortage limited, to the relative ``gap``. ``time_limit`` holds for each solve.

    Tables: ``by_year``, ``path`` (at the least share: limit and share of each year, the limit now, and each row's part in holding it),
    ``binding`` (``of`` the path or a year: what holds it there, see :func:`.holding.held_by`), ``allowed`` (shortage, t/yr) and ``builds``
    of the path's plan.

    Raises UsageError for an unknown cap, a path that goes up and down, and an instance that has no plan without the cap either.
    """
    case = instance if isinstance(instance, Instance) else load(instance)
    runner, caps = executor or Executor(), sorted({cap} if isinstance(cap, str) else set(cap))
    if not caps or not 0.0 <= shortage_t < float("inf") or not 0.0 < tolerance < 1.0:
        raise UsageError(
            f"It needs a cap, a shortage of at least 0 t/yr and a tolerance between 0 and 1; got {caps}, {shortage_t:g}, {tolerance:g}."
        )
    aim = Aim.of(case, caps)
    limits = Limits.of(case, gap=gap, time_limit=time_limit, seed=seed)
    free = _without_cap(case, caps, limits, runner)
    allowed = _allowed(case, free, shortage_t)
    same = {"instance": case, "caps": caps, "allowed": allowed, "start": table_of(free, "builds")}
    same |= {"tolerance": tolerance, "limits": limits.as_dict()}
    asked: list[int | None] = [None, *(aim.years() if years else [])]
    path, *by_year = runner.run([Task(f"least share {_of(year)}", lowest, {**same, "year": year}) for year in asked])
    records = {
        "by_year": [_year_row(case, caps, free, row) for row in by_year],
        "path": _path_rows(case, caps, path),
        "binding": [{"of": _of(row["year"]), **each} for row in (path, *by_year) for each in row["binding"]],
        "allowed": [row for row in allowed if row["quantity_t_per_year"] > 0.0],
        "builds": path["plan"]["tables"]["builds"] if path["plan"] else [],
    }
    summary = {**_asked(aim, shortage_t, tolerance), **_found(path), **{name: records[name] for name in ("by_year", "path", "binding")}}
    question = {"verb": "least-cap", "cap": caps, "shortage_t": shortage_t, "years": years, "tolerance": tolerance}
    return Answer("least-cap", case, LAYOUT, summary, tabulated(LAYOUT, records), manifest(case, limits, **question))


def _of(year: int | None) -> str:
    return "path" if year is None else str(year)


def _without_cap(instance: Instance, caps: Sequence[str], limits: Limits, executor: Executor) -> Record:
    task = Task("plan without the cap", without_cap, {"instance": instance, "caps": caps, "limits": limits.as_dict()})
    (free,) = executor.run([task])
    if free["stopped"] in ("infeasible", "unbounded"):
        raise UsageError(f"{instance.name} has no plan to compare with even without {', '.join(caps)}: it is {free['stopped']}.")
    if free["holds"] != "plan":
        raise SolverError(f"no plan of {instance.name} without {', '.join(caps)} was found ({free['stopped']}); give it more time.")
    return free


def _allowed(instance: Instance, free: Record, shortage_t: float) -> list[dict[str, Any]]:
    """Return the shortage (t/yr) that a plan may have of each commodity that is wanted, in each year."""
    short = table_of(free, "shortages").groupby(["commodity", "year"])["quantity_t_per_year"].sum().reset_index()
    known = dict(zip(zip(short["commodity"], short["year"].astype(int), strict=True), short["quantity_t_per_year"].tolist(), strict=True))
    return [
        {"commodity": commodity, "year": year, "quantity_t_per_year": known.get((commodity, year), 0.0) + shortage_t}
        for commodity in sorted(set(instance.table("demand")["commodity"]))
        for year in instance.years
    ]


def _year_row(instance: Instance, caps: Sequence[str], free: Record, row: Record) -> dict[str, Any]:
    shares = table_of(free, "shares")
    mine = shares[shares["cap"].isin(caps) & (shares["year"] == row["year"])]["share"]
    names = ("year", "share", "proved_share", "proved", "relaxed_share", "stopped")
    limits = _limits_now(instance, caps)
    limit = min(limits[cap][row["year"]] for cap in caps if row["year"] in limits[cap])
    return {**{name: row[name] for name in names}, "limit": limit, "share_without_cap": float(mine.max()) if len(mine) else None}


def _limits_now(instance: Instance, caps: Sequence[str]) -> dict[str, dict[int, float]]:
    """Return the limits that the caps set as they stand, by cap and planning year."""
    years = Years.of(instance)
    found = {}
    for cap in caps:
        path = CapPath.of(instance, cap)
        shares = years.interpolate(np.asarray(path.years, dtype=np.float64), path.shares)
        found[cap] = {year: share for year, share in zip(years.label.tolist(), shares.tolist(), strict=True) if year >= path.years[0]}
    return found


def _path_rows(instance: Instance, caps: Sequence[str], path: Record) -> list[dict[str, Any]]:
    """Return the caps' rows at the least share; without a plan, those that are in the way."""
    weight = {(row["cap"], row["consumers"], row["year"]): row["weight"] for row in path["rows"]}
    limits = _limits_now(instance, caps)
    rows = path["plan"]["tables"]["shares"] if path["plan"] else [{**row, "limit": None, "share": None} for row in path["rows"]]
    return [
        {
            **{name: row[name] for name in ("cap", "consumers", "year", "limit", "share")},
            "limit_now": limits[row["cap"]][int(row["year"])],
            "weight": weight.get((row["cap"], row["consumers"], row["year"]), 0.0),
        }
        for row in rows
        if row["cap"] in caps
    ]


def _asked(aim: Aim, shortage_t: float, tolerance: float) -> dict[str, Any]:
    caps = [_ends_of(path) for path in aim.paths.values()]
    return {**about(aim.instance), "cap": "+".join(aim.caps), "caps": caps, "shortage_t": shortage_t, "tolerance": tolerance}


def _ends_of(path: CapPath) -> dict[str, Any]:
    first = {"first_year": path.years[0], "first_share": float(path.shares[0])}
    return {"cap": path.cap, **first, "last_year": path.years[-1], "last_share": path.last}


def _found(path: Record) -> dict[str, Any]:
    plan = path["plan"] or {"objective_musd": None, "bound_musd": None, "gap": None, "stopped": None}
    cost = {name: plan[name] for name in ("objective_musd", "bound_musd", "gap")}
    names = ("stopped", "share", "proved_share", "proved", "relaxed_share")
    return {**{name: path[name] for name in names}, **cost, "plan_stopped": plan["stopped"]}
