"""What is known of every project: in all plans within the limit, in some, in none, and what it costs to decide otherwise.

Let U+ be the cost of the cheapest plan found that builds the project and L+ what is proved that every such plan costs at
least, U- and L- the same of plans without it; U, the smaller of U+ and U-, is the cost of the best plan and L the bound on
any plan. The project is in all plans if L- lies above the limit, in none if L+ does, in some if U+ and U- are within it.
Leaving it out costs U- less U, which lies between L- less U and U- less L when both optima are known exactly; building it likewise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diversify.analyses.alternatives.cases import Found
from diversify.analyses.alternatives.projects import Choice
from diversify.analyses.alternatives.search import is_within


@dataclass(frozen=True)
class Knowledge:
    """All plans found, the optimum's bound, and how the cases without and with each project ended."""

    limit_musd: float
    bound_musd: float
    plans: Sequence[Found]
    without: Mapping[str, Found]
    forced: Mapping[str, Found]

    @property
    def optimum_musd(self) -> float:
        """Cost of the best plan found."""
        return min(found.objective_musd for found in self.plans)


@dataclass(frozen=True)
class Side:
    """The cheapest plan found and the bound on all plans (million USD), of those with a project or of those without it."""

    cost_musd: float
    bound_musd: float


def verdict(choice: Choice, known: Knowledge) -> dict[str, Any]:
    """Return a project's row of the table ``projects``."""
    inside = _side(known, [found for found in known.plans if choice.is_in(found.units)], known.forced.get(choice.project))
    outside = _side(known, [found for found in known.plans if choice.is_out(found.units)], known.without.get(choice.project))
    answer, proof = _answer(choice, known, inside, outside)
    best = min(known.plans, key=lambda found: found.objective_musd)
    return {
        "project": choice.project,
        "facility": choice.facility,
        "in": answer,
        "proof": proof,
        "units": best.units.get(choice.project, 0.0),
        **_extra("regret", known, None if choice.must_be_built else outside),
        **_extra("cost_of_forcing", known, inside if choice.can_be_built else None),
    }


def _side(known: Knowledge, plans: Sequence[Found], case: Found | None) -> Side:
    """Return what is known of one side; a case that was not solved is at least a case of the whole."""
    cost = min((found.objective_musd for found in plans), default=math.inf)
    return Side(cost, known.bound_musd if case is None else max(case.bound_musd, known.bound_musd))


def _answer(choice: Choice, known: Knowledge, inside: Side, outside: Side) -> tuple[str, str]:
    """Return ``all``, ``some``, ``none`` or ``unproved``, and what proves it."""
    if choice.must_be_built or not choice.can_be_built:
        return ("all" if choice.must_be_built else "none"), "by data"
    with_it, without_it = (is_within(side.cost_musd, known.limit_musd) for side in (inside, outside))
    if with_it and without_it:
        return "some", "plans"
    if with_it and not is_within(outside.bound_musd, known.limit_musd):
        return "all", _proof(outside)
    if without_it and not is_within(inside.bound_musd, known.limit_musd):
        return "none", _proof(inside)
    return "unproved", ""


def _proof(side: Side) -> str:
    return "no plan" if math.isinf(side.bound_musd) else "bound"


def _extra(name: str, known: Knowledge, side: Side | None) -> dict[str, float | None]:
    """Return what one side costs more than the best plan, and the band in which that lies; None where there is no plan or no bound."""
    value = low = high = None
    if side is not None and side.bound_musd < math.inf:
        low = max(side.bound_musd - known.optimum_musd, 0.0)
    if side is not None and side.cost_musd < math.inf:
        value = max(side.cost_musd - known.optimum_musd, 0.0)
        low = value if low is None else min(low, value)  # equal but for rounding where both are exact
        high = max(side.cost_musd - known.bound_musd, value) if math.isfinite(known.bound_musd) else None
    return {f"{name}_musd": value, f"{name}_low_musd": low, f"{name}_high_musd": high}
