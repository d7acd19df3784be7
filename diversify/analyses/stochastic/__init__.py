"""One plan for all scenarios: what is decided before the reveal year is common, the rest adapts; and what knowing would be worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.executor import Executor
from diversify.analyses.solving import Limits, Record, manifest
from diversify.analyses.stochastic import findings
from diversify.analyses.stochastic.decomposition import decomposed
from diversify.analyses.stochastic.ensemble import BASE, Ensemble
from diversify.analyses.stochastic.findings import LAYOUT
from diversify.analyses.stochastic.together import agreed, stated_together
from diversify.analyses.stochastic.worth import without_plan, worth
from diversify.errors import UsageError
from diversify.instance import Instance, load
from diversify.solve import Risk

__all__ = ["BASE", "LAYOUT", "METHODS", "stochastic"]

METHODS = ("auto", "extensive", "decomposed")
"""How the plan is found: all scenarios in one problem, or by cuts; ``auto`` takes the first up to :data:`MOST_COLUMNS`."""

MOST_COLUMNS = 100_000
"""The most columns, all scenarios together, that ``auto`` states in one problem (benchmarks/README.md)."""


def stochastic(
    instance: Instance | str | Path,
    *,
    scenarios: Sequence[str] | Mapping[str, float] | None = None,
    cvar_weight: float = 0.0,
    cvar_level: float = 0.95,
    method: str = "auto",
    value: bool = True,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Return one plan for all scenarios of an instance: least (1 - w) x expected cost + w x CVaR of cost at level a.

    Common to all scenarios is what is decided before the instance's ``reveal_year``: operations and closures of earlier planning years,
    and units whose decision (on-line year less lead time) lies before it. The rest adapts to the scenario.

    ``scenarios`` names some of them (``base``: the data without any), or maps names to probabilities; by default all that have a
    probability. ``cvar_weight`` is w, ``cvar_level`` a: 0 is the expectation, 1 the dearest scenario. ``method`` is one of
    :data:`METHODS`; ``gap`` is relative, between the cost of the plan and what is proved; ``time_limit`` holds for each solve.

    With ``value`` also what it would be worth to know the scenario beforehand (EVPI: the plan's cost less that of plans that
    know), and what it is worth to plan for all of them (VSS: the cost of deciding for the mean of all figures less the plan's),
    both as bands of what is proved.

    The cost of each scenario is that of an audited plan of it. Raises UsageError where the scenarios do not agree before the reveal
    year (and says in what), have no probabilities, or options make no sense.
    """
    case = instance if isinstance(instance, Instance) else load(instance)
    ensemble = Ensemble.of(case, scenarios, _risk(cvar_weight, cvar_level))
    if method not in METHODS:
        raise UsageError(f"method is one of {', '.join(METHODS)}; got {method!r}.")
    limits = Limits.of(case, gap=gap, time_limit=time_limit, seed=seed)
    with (executor or Executor()).held() as runner:
        compared = agreed(case, ensemble.likeliest, ensemble.names, runner)
        together = _together(method, compared, len(ensemble.names))
        found = stated_together(ensemble, limits, runner) if together else decomposed(ensemble, compared, limits, runner)
        known = worth(ensemble, found, limits, runner) if value and found.plans else None
        hopeless = without_plan(ensemble, limits, runner) if found.stopped == "infeasible" else []
    summary, records = findings.told(ensemble, found, known)
    summary["without_plan"] = hopeless
    asked: dict[str, Any] = {"verb": "stochastic", "scenarios": dict(zip(ensemble.names, ensemble.probability, strict=True))}
    asked |= {"cvar_weight": cvar_weight, "cvar_level": cvar_level, "method": found.method, "value": value}
    return Answer("stochastic", case, LAYOUT, summary, tabulated(LAYOUT, records), manifest(case, limits, **asked))


def _risk(weight: float, level: float) -> Risk:
    if not (0.0 <= weight <= 1.0 and 0.0 <= level <= 1.0):
        raise UsageError(f"weight and level of CVaR lie between 0 and 1; got {weight:g} and {level:g}.")
    return Risk(weight, level)


def _together(method: str, compared: Sequence[Record], scenarios: int) -> bool:
    """Return whether all scenarios are stated in one problem; UsageError where cuts are asked for and cannot be made."""
    more = [name for record in compared for name in record["decide_more"]]
    if more and method == "decomposed":
        raise UsageError(
            f"In {more[0]} units can be decided before the reveal year that never serve in the likeliest scenario, which the cuts begin "
            "with. Take the method extensive, or make a scenario in which they serve the likeliest."
        )
    columns = max((record["columns"] for record in compared), default=0) * scenarios
    return method == "extensive" or (method == "auto" and (bool(more) or columns <= MOST_COLUMNS))
