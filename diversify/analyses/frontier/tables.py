"""The answer's tables and summary, from what is known of each point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from diversify.analyses.frontier.band import Result
from diversify.analyses.frontier.spots import Question, projects_of
from diversify.analyses.solving import table_of
from diversify.plan import TABLES
from diversify.result_folder import Layout

Rows = list[dict[str, Any]]

LAYOUT: Layout = {
    "points": (
        *(
            "point",
            "share",
            "reached",
            "objective_musd",
            "bound_musd",
            "gap_musd",
            "gap",
            "stopped",
            "plan_of_share",
            "shortage_t",
            "excess_t",
        ),
        *("musd_per_point", "musd_per_point_low", "musd_per_point_high", "proved"),
        *("cap_cost_musd", "cap_cost_low_musd", "cap_cost_high_musd"),
    ),
    "grid": (
        *("point", "share", "limit", "used", "reached", "objective_musd", "bound_musd", "gap_musd", "gap", "stopped"),
        *("plan_of_share", "plan_of_limit"),
    ),
    "shares": ("point", "cap", "consumers", "year", "share", "limit", "excess_t", "pro_rata_share", "unknown_t"),
    "builds": ("point", *TABLES["builds"]),
}
"""The tables of the answer and their columns. Money is discounted million USD; ``limit`` and ``used`` of the grid are t or million USD."""

_NOTHING = 1e-7
"""Part of the cost below which a difference of costs is nothing."""


def point_rows(question: Question, free: Result, results: Sequence[Result]) -> Rows:
    """Return one row per point, the loosest first."""
    looser: list[Result | None] = [None, *results[:-1]]
    return [
        {"point": number, **_known(question, result), **_step(result, before), **_cap_cost(result, free)}
        for number, (result, before) in enumerate(zip(results, looser, strict=True), start=1)
    ]


def grid_rows(question: Question, shares: Sequence[float], results: Sequence[Result]) -> Rows:
    """Return one row per point of the grid: shares from loose to tight, in each the limits from loose to tight, first without."""
    rows = []
    for result in results:
        known = _known(question, result)
        used = None if result.record is None else question.used(result.record)
        plan_of = None if result.plan_of is None else _finite(result.plan_of.limit)
        place = {"point": shares.index(result.spot.share) + 1, "limit": _finite(result.spot.limit), "used": used, "plan_of_limit": plan_of}
        rows.append({name: {**known, **place}[name] for name in LAYOUT["grid"]})
    return rows


def plan_rows(results: Sequence[Result], name: str) -> Rows:
    """Return the rows of a plan's table at every point."""
    columns = [column for column in LAYOUT[name] if column != "point"]
    return [
        {"point": number, **{str(column): value for column, value in row.items()}}
        for number, result in enumerate(results, start=1)
        if result.record is not None
        for row in table_of(result.record, name)[columns].to_dict("records")
    ]


def share_rows(question: Question, results: Sequence[Result]) -> Rows:
    """Return what each plan reaches under the caps that are moved, beside the limit asked for, which a neighbour's plan undercuts."""
    limits = [question.limits(result.spot) for result in results]
    return [
        {**row, "limit": limits[row["point"] - 1][row["cap"], int(row["year"])]}
        for row in plan_rows(results, "shares")
        if row["cap"] in question.caps
    ]


def uncapped(question: Question, free: Result, reached: float | None) -> dict[str, Any]:
    """Return what is known of the case without the caps; ``reached`` is the share of its best plan."""
    return {**{name: value for name, value in _known(question, free).items() if name not in ("share", "plan_of_share")}, "reached": reached}


def projects(result: Result) -> dict[str, float] | None:
    """Return units built by project; None where there is no plan."""
    return None if result.record is None else projects_of(result.record)


def _known(question: Question, result: Result) -> dict[str, Any]:
    record = result.record
    return {
        "share": _finite(result.spot.share),
        "reached": None if record is None else question.reached(table_of(record, "shares")),
        "objective_musd": result.objective_musd,
        "bound_musd": result.bound_musd,
        "gap_musd": result.gap_musd,
        "gap": result.gap,
        "stopped": result.stopped,
        "plan_of_share": None if result.plan_of is None else min(result.plan_of.share, 1.0),
        "shortage_t": None if record is None else record["shortage_t"],
        "excess_t": None if record is None else question.excess_t(table_of(record, "shares")),
    }


def _step(result: Result, looser: Result | None) -> dict[str, Any]:
    """Return the slope from the next looser point in million USD per percentage point, its band, and whether the difference is proved.

    It is proved where the bands of the two do not overlap, or where there is proved to be none.
    """
    names = ("musd_per_point", "musd_per_point_low", "musd_per_point_high", "proved")
    if looser is None or result.objective_musd is None or looser.objective_musd is None:
        return dict.fromkeys(names)
    width = 100.0 * (looser.spot.share - result.spot.share)
    low, high = _difference(result, looser)
    nothing = _NOTHING * max(abs(result.objective_musd), 1.0)
    proved = low is not None and (low > nothing or (high is not None and high <= nothing))
    slopes = [None if value is None else value / width for value in (result.objective_musd - looser.objective_musd, low, high)]
    return dict(zip(names, (*slopes, proved), strict=True))


def _cap_cost(result: Result, free: Result) -> dict[str, Any]:
    """Return what the caps cost at a point: its cost less that without them, and the band of the true difference."""
    names = ("cap_cost_musd", "cap_cost_low_musd", "cap_cost_high_musd")
    if result.objective_musd is None or free.objective_musd is None:
        return dict.fromkeys(names)
    return dict(zip(names, (result.objective_musd - free.objective_musd, *_difference(result, free)), strict=True))


def _difference(result: Result, looser: Result) -> tuple[float | None, float | None]:
    """Return the least and the most by which the least cost of a point can lie above that of a looser one; never below zero."""
    low = None if result.bound_musd is None or looser.objective_musd is None else max(result.bound_musd - looser.objective_musd, 0.0)
    high = None if result.objective_musd is None or looser.bound_musd is None else max(result.objective_musd - looser.bound_musd, 0.0)
    return low, high


def _finite(value: float) -> float | None:
    return None if math.isinf(value) else value
