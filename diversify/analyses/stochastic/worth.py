"""What it would be worth to know the scenario, and what it is worth to plan for all: EVPI and VSS, as bands of what is proved.

Birge and Louveaux, Introduction to Stochastic Programming (2011), chapter 4: with RP the stochastic optimum, WS the weighed cost of plans
that know their scenario, and EEV that of deciding for the mean of all figures before the reveal year, EVPI = RP - WS and VSS = EEV - RP.
Neither is negative, whatever the risk measure, as it never falls when a scenario's cost rises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from diversify.analyses.executor import Executor, Task
from diversify.analyses.solving import Limits, Record
from diversify.analyses.stochastic import work
from diversify.analyses.stochastic.ensemble import Ensemble
from diversify.analyses.stochastic.together import Found, plans_after


@dataclass(frozen=True)
class Worth:
    """Plans that know their scenario (``alone``), and plans after deciding for the mean (``mean``; empty where that has no plan)."""

    alone: Mapping[str, Record]
    mean: Mapping[str, Record]
    mean_stopped: str


@dataclass(frozen=True)
class Between:
    """A figure between what is proved of it; ``best`` is from the best plans found. None: not known."""

    low: float | None
    best: float | None
    high: float | None


def worth(ensemble: Ensemble, found: Found, limits: Limits, executor: Executor) -> Worth:
    """Solve what EVPI and VSS need, each to half the gap of the plan itself, since they are differences."""
    finer = replace(limits, gap=limits.gap / 2.0)
    alone = _known_beforehand(ensemble, finer, executor)
    arguments = {"case": ensemble.case, "names": list(ensemble.names), "probability": list(ensemble.probability)}
    (mean,) = executor.run([Task("the mean of all figures", work.for_the_mean, arguments | {"limits": finer.as_dict()})])
    plans = plans_after(ensemble, work.decided_of(mean), finer, executor) if mean["objective_musd"] is not None else {}
    return Worth(alone, plans, str(mean["stopped"]))


def without_plan(ensemble: Ensemble, limits: Limits, executor: Executor) -> list[str]:
    """Return the scenarios that have no plan even where they are known from the start."""
    return [name for name, record in _known_beforehand(ensemble, limits, executor).items() if record["stopped"] == "infeasible"]


def _known_beforehand(ensemble: Ensemble, limits: Limits, executor: Executor) -> dict[str, Record]:
    tasks = [
        Task(f"{name} known beforehand", work.alone, {"instance": ensemble.instance(name), "limits": limits.as_dict()})
        for name in ensemble.names
    ]
    return dict(zip(ensemble.names, executor.run(tasks), strict=True))


def weighed(ensemble: Ensemble, records: Mapping[str, Record]) -> Between:
    """Return the weighed cost of one plan per scenario and how low it could be; None where a scenario has no plan."""
    if not records:
        return Between(None, None, None)
    best = {name: record["objective_musd"] for name, record in records.items()}
    low = {name: record["bound_musd"] for name, record in records.items()}
    known = None if None in best.values() else ensemble.weighed(best)
    return Between(None if None in low.values() else ensemble.weighed(low), known, known)


def less(one: Between, other: Between) -> Between:
    """Return the difference of two figures, which cannot be negative."""
    low = None if one.low is None or other.high is None else max(0.0, one.low - other.high)
    high = None if one.high is None or other.low is None else max(0.0, one.high - other.low)
    best = None if one.best is None or other.best is None else max(0.0, one.best - other.best)
    return Between(low, best, high)
