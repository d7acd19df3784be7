"""What replays found, told as the tables and the summary of the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diversify.analyses.solving import Record
from diversify.instance import Instance
from diversify.planning.summary import about
from diversify.result_folder import Layout

LAYOUT: Layout = {
    "replays": (
        *("look_ahead", "stopped", "ended_in", "why", "cost_musd", "shortage_t"),
        *("foresight_low_musd", "foresight_musd", "foresight_high_musd"),
    ),
    "builds": ("look_ahead", "project", "year", "decided_year", "units", "capex_musd"),
    "steps": ("look_ahead", "year", "stopped", "objective_musd", "bound_musd", "gap", "decided_capex_musd"),
    "shortages": ("look_ahead", "year", "shortage_t_per_year", "cost_musd", "regret_musd"),
}
"""The tables of the answer. Money is discounted million USD, capital overnight million USD."""

ALL = "all"
"""Name of the look-ahead to the end of the horizon."""

PERFECT = "perfect"
"""In ``look_ahead``: the plan that knows the truth from the start."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Replay:
    """A replay that has ended: the records of its steps, and what came of it in the truth (empty where a year has no plan)."""

    look_ahead: int | None
    steps: Sequence[Record]
    end: Record

    @property
    def name(self) -> int | str:
        """How far it looks ahead."""
        return ALL if self.look_ahead is None else self.look_ahead

    @property
    def cost(self) -> float | None:
        """Cost in the truth; None where there is none."""
        cost: float | None = self.end.get("objective_musd")
        return cost


def told(base: Instance, truth: str, replays: Sequence[Replay], perfect: Record) -> tuple[dict[str, Any], dict[str, Rows]]:
    """Return the summary and the records of the tables."""
    costs = [cost for cost in (perfect["objective_musd"], *(replay.cost for replay in replays)) if cost is not None]
    rows = [_row(base, replay, min(costs, default=None), perfect["bound_musd"]) for replay in replays]
    ends: list[tuple[int | str, Mapping[str, Any]]] = [*((replay.name, replay.end) for replay in replays), (PERFECT, perfect)]
    records: dict[str, Rows] = {
        "replays": rows,
        "builds": [
            {"look_ahead": name} | {column: row[column] for column in LAYOUT["builds"][1:]}
            for name, end in ends
            if end.get("objective_musd") is not None
            for row in end["builds"]
        ],
        "steps": [row for replay in replays for row in _steps(base, replay)],
        "shortages": [row for name, end in ends for row in _years(base, name, end, perfect)],
    }
    known = {name: perfect[name] for name in ("stopped", "objective_musd", "bound_musd", "gap", "shortage_t")}
    return {**about(base), "truth": truth, "replays": rows, "perfect": known}, records


def _row(base: Instance, replay: Replay, least: float | None, bound: float | None) -> dict[str, Any]:
    cost, last = replay.cost, replay.steps[-1]
    high = None if cost is None or bound is None or least is None else max(cost - bound, cost - least)
    return {
        "look_ahead": replay.name,
        "stopped": (replay.end or last)["stopped"],
        "ended_in": base.years[len(replay.steps) - 1],
        "why": replay.end.get("why", ""),
        "cost_musd": cost,
        "shortage_t": None if cost is None else replay.end["shortage_t"],
        "foresight_low_musd": None if cost is None or least is None else cost - least,
        "foresight_musd": None if cost is None or least is None else cost - least,
        "foresight_high_musd": high,
    }


def _steps(base: Instance, replay: Replay) -> Iterator[dict[str, Any]]:
    """Yield the steps; what a year decides is what stands by its end less what stood before."""
    before = 0.0
    for position, (year, step) in enumerate(zip(base.years, replay.steps, strict=False)):
        following = base.years[position + 1] if position + 1 < len(base.years) else year + 1
        stands = sum((row["capex_musd"] for row in step.get("builds", []) if row["decided_year"] < following - 1e-6), 0.0)
        told_of = {name: step[name] for name in ("stopped", "objective_musd", "bound_musd", "gap")}
        yield {"look_ahead": replay.name, "year": year, **told_of, "decided_capex_musd": stands - before if "builds" in step else None}
        before = stands


def _years(base: Instance, name: int | str, end: Mapping[str, Any], perfect: Record) -> Iterator[dict[str, Any]]:
    if end.get("objective_musd") is None:
        return
    for year in map(str, base.years):
        least = perfect["cost_by_year"].get(year)
        yield {
            "look_ahead": name,
            "year": int(year),
            "shortage_t_per_year": end["shortage_by_year"][year],
            "cost_musd": end["cost_by_year"][year],
            "regret_musd": None if least is None else end["cost_by_year"][year] - least,
        }
