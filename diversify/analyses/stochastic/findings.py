"""What the answer of ``stochastic`` tells: its summary and tables."""

from __future__ import annotations

from typing import Any

from diversify.analyses.solving import table_of
from diversify.analyses.stochastic.ensemble import Ensemble
from diversify.analyses.stochastic.together import Found
from diversify.analyses.stochastic.worth import Between, Worth, less, weighed
from diversify.network.ground import records
from diversify.planning.summary import about, relative
from diversify.result_folder import Layout

LAYOUT: Layout = {
    "scenarios": ("scenario", "probability", "cost_musd", "bound_musd", "shortage_t", "alone_musd", "alone_bound_musd", "after_mean_musd"),
    "builds": (
        *("scenario", "common", "project", "facility", "year", "decided_year", "units", "capacity_t_per_year", "capex_musd"),
        *("source", "quality"),
    ),
    "decisions": ("project", "decided_year", "plan", "units"),
    "shortages": ("scenario", "location", "commodity", "year", "quantity_t_per_year", "cost_musd"),
    "shares": ("scenario", "cap", "consumers", "year", "share", "limit"),
    "costs": ("scenario", "category", "musd"),
    "rounds": ("round", "kind", "bound_musd", "relaxed_musd", "cuts"),
}
"""The tables of the answer. Money is discounted million USD but for ``capex_musd`` (overnight) and a shortage's cost (a year's)."""

TOGETHER = "all scenarios"
"""In ``decisions``: the plan for all scenarios; the others are plans that know their scenario, by its name."""

_ROUNDING = 1e-6


def told(ensemble: Ensemble, found: Found, known: Worth | None) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return summary and records of the tables."""
    holds = bool(found.plans) and None not in found.costs.values()
    reached = weighed(ensemble, found.plans)
    objective = reached.best
    bound = found.bound_musd
    gap = max(objective - bound, 0.0) if objective is not None and bound is not None else None
    costs = {name: record["objective_musd"] for name, record in found.plans.items()}
    rows = [_scenario(ensemble, found, known, name) for name in ensemble.names]
    summary = {
        **about(ensemble.case),
        "reveal_year": int(ensemble.case.meta["reveal_year"]),
        "method": found.method,
        "stopped": found.stopped,
        "holds": "plan" if holds else "none",
        "objective_musd": objective,
        "bound_musd": bound,
        "gap": relative(gap, objective),
        "gap_musd": gap,
        "expected_musd": float(ensemble.weights @ [costs[name] for name in ensemble.names]) if holds else None,
        "cvar_musd": ensemble.tail(costs) if holds else None,
        "risk": {"cvar_weight": ensemble.risk.weight, "cvar_level": ensemble.risk.level},
        **_worth(ensemble, Between(bound, objective, objective), known),
        "scenarios": {row["scenario"]: {name: value for name, value in row.items() if name != "scenario"} for row in rows},
        "size": dict(found.size),
    }
    tables = {
        "scenarios": rows,
        "builds": [row for name in found.plans for row in _builds(ensemble, found, name)],
        "decisions": _decisions(ensemble, found, known),
        "shortages": [{"scenario": name, **row} for name in found.plans for row in records(table_of(found.plans[name], "shortages"))],
        "shares": [{"scenario": name, **row} for name in found.plans for row in records(table_of(found.plans[name], "shares"))],
        "costs": [
            {"scenario": name, "category": category, "musd": musd}
            for name, record in found.plans.items()
            for category, musd in (record["cost_musd"] or {}).items()
        ],
        "rounds": found.rounds,
    }
    return summary, tables


def _scenario(ensemble: Ensemble, found: Found, known: Worth | None, name: str) -> dict[str, Any]:
    plan, alone, mean = found.plans.get(name, {}), known.alone[name] if known else {}, known.mean.get(name, {}) if known else {}
    return {
        "scenario": name,
        "probability": dict(zip(ensemble.names, ensemble.probability, strict=True))[name],
        "cost_musd": plan.get("objective_musd"),
        "bound_musd": plan.get("bound_musd"),
        "shortage_t": plan.get("shortage_t"),
        "alone_musd": alone.get("objective_musd"),
        "alone_bound_musd": alone.get("bound_musd"),
        "after_mean_musd": mean.get("objective_musd"),
    }


def _worth(ensemble: Ensemble, reached: Between, known: Worth | None) -> dict[str, Any]:
    """Return EVPI and VSS; ``*_musd`` from the best plans found, low and high what is proved. None: not asked for, or not known."""
    nothing = Between(None, None, None)
    evpi = less(reached, weighed(ensemble, known.alone)) if known else nothing
    vss = less(weighed(ensemble, known.mean), reached) if known else nothing
    without = [name for name, record in known.mean.items() if record["stopped"] == "infeasible"] if known else []
    return {
        "evpi_musd": evpi.best,
        "evpi_low_musd": evpi.low,
        "evpi_high_musd": evpi.high,
        "vss_musd": vss.best,
        "vss_low_musd": vss.low,
        "vss_high_musd": vss.high,
        "mean_stopped": known.mean_stopped if known else None,
        "mean_without_plan": without,
    }


def _builds(ensemble: Ensemble, found: Found, name: str) -> list[dict[str, Any]]:
    reveal = int(ensemble.case.meta["reveal_year"])
    rows = records(table_of(found.plans[name], "builds"))
    return [{"scenario": name, "common": float(row["decided_year"]) < reveal - _ROUNDING, **row} for row in rows]


def _decisions(ensemble: Ensemble, found: Found, known: Worth | None) -> list[dict[str, Any]]:
    """Return the units decided before the reveal year, in the plan for all and in each plan that knows its scenario."""
    plans = {TOGETHER: found.plans[ensemble.names[0]]} if found.plans else {}
    plans |= {name: known.alone[name] for name in ensemble.names} if known else {}
    reveal = int(ensemble.case.meta["reveal_year"])
    rows = []
    for plan, record in plans.items():
        builds = table_of(record, "builds")
        early = builds[builds["decided_year"].astype(float) < reveal - _ROUNDING]
        rows += [{"plan": plan, **{name: row[name] for name in ("project", "decided_year", "units")}} for row in records(early)]
    return rows
