"""The search for plans that are almost as cheap and build something else.

Each plan is the one that differs most from all earlier ones: the distance to the nearest of them is as large as it can be
while the cost stays within the limit. The distance of two plans is the sum over projects of the difference in units built
over the horizon, as a share of the project's most; when a unit comes does not count. It is stated exactly, with a binary
where an earlier plan builds some of a project and not all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd
import pyomo.core as pyo

from diversify.analyses.alternatives.cases import Found, kept
from diversify.analyses.alternatives.projects import Choice, Units, distance, held, units_of
from diversify.analyses.executor import Executor, Task
from diversify.analyses.solving import Limits, Record, minimised, solved
from diversify.instance import Instance
from diversify.planning import build_model

ROUNDING = 1e-6
"""Share of the limit by which a cost may lie above it and still count as within: the solver's own exactness."""

_FIRST_PRICE, _PRICES = 0.1, 4
"""The first price of distance, as a part of what a plan may cost more than the best, and how many are tried at most; they share
the time limit."""

_TRADED_GAP = 0.05
"""Gap of a solve at such a price, as a part of the same."""


@dataclass(frozen=True)
class Different:
    """A plan, how far it is from the nearest earlier one, and how far any plan within the limit could be at most."""

    found: Found
    distance: float | None = None
    distance_bound: float | None = None
    distance_stopped: str = ""


@dataclass(frozen=True)
class Search:
    """The plans found, the best first, and why the search ended.

    ``ended``: ``as_many_as_asked``; ``no_other``: it is proved that every plan within the limit builds the same as one of
    these; ``unproved``: none was found in the time given, and it is not proved that there is none.
    """

    plans: list[Different]
    ended: str


def searched(
    instance: Instance,
    limit_musd: float,
    best: Found,
    known: Sequence[Found],
    chosen: list[Choice],
    count: int,
    limits: Limits,
    distance_gap: float,
    executor: Executor,
) -> Search:
    """Return up to ``count`` plans of at most ``limit_musd``, the first being ``best``; ``known`` are plans to start from."""
    plans, bound = [Different(best)], float(sum(choice.can_be_built for choice in chosen))
    least = least_difference(chosen)
    while len(plans) < count:
        earlier = [plan.found.units for plan in plans]
        start = max(known, key=lambda found: nearest(found.units, earlier, chosen))
        task = Task(
            f"plan {len(plans) + 1}",
            most_different,
            {
                "instance": instance,
                "chosen": [asdict(choice) for choice in chosen],
                "optimum_musd": best.objective_musd,
                "limit_musd": limit_musd,
                "earlier": [dict(units) for units in earlier],
                "start": start.builds,
                "bound_musd": best.record["bound_musd"],
                "distance_bound": bound,
                "distance_gap": distance_gap,
                "limits": limits.as_dict(),
            },
        )
        (result,) = executor.run([task])
        bound = float(result["distance_bound"])
        if bound < least * (1.0 - ROUNDING):
            return Search(plans, "no_other")
        found = Found(result["plan"]) if result["plan"] else None
        if found is None or not is_within(found.objective_musd, limit_musd):
            return Search(plans, "unproved")
        apart = nearest(found.units, earlier, chosen)
        if apart < least * (1.0 - ROUNDING):
            return Search(plans, "unproved")
        plans.append(Different(found, apart, max(bound, apart), str(result["distance_stopped"])))
    return Search(plans, "as_many_as_asked")


def is_within(cost_musd: float, limit_musd: float) -> bool:
    """Return whether a plan's cost is within the limit."""
    return cost_musd <= limit_musd + ROUNDING * abs(limit_musd)


def least_difference(chosen: Sequence[Choice]) -> float:
    """Return the least distance of two plans that counts: one unit of the project that has most of them."""
    return min((choice.counted / choice.most for choice in chosen if choice.can_be_built), default=1.0)


def nearest(units: Units, earlier: Sequence[Units], chosen: list[Choice]) -> float:
    """Return the distance to the nearest of the earlier plans."""
    return min(distance(units, other, chosen) for other in earlier)


def most_different(
    instance: Instance,
    chosen: Sequence[Mapping[str, Any]],
    optimum_musd: float,
    limit_musd: float,
    earlier: Sequence[Units],
    start: pd.DataFrame,
    bound_musd: float | None,
    distance_bound: float,
    distance_gap: float,
    limits: Mapping[str, Any],
) -> Record:
    """Find what the plan within the limit that is farthest from all earlier ones builds, and the cheapest plan that builds it.

    A task's work. ``distance_bound`` is known from the plan before: with more plans to differ from, no plan is farther.
    """
    able, own = [Choice(**choice) for choice in chosen], Limits(**limits)
    units = units_of(start)
    reached = Reached(start, nearest(units, earlier, able), distance_bound)
    question = Question(_with_distance(instance, able, earlier), optimum_musd, limit_musd, distance_gap, own)
    reached, stopped = traded(question, reached)
    if stopped == "optimal" and not question.is_enough(reached):  # what is too large at a price is much too large with the limit as a row
        reached, stopped = limited(question, reached, 0.5 * least_difference(able) if distance_gap else 0.0)
    result: Record = {"distance_bound": reached.bound, "distance_stopped": stopped, "plan": None}
    if reached.bound < least_difference(able) * (1.0 - ROUNDING):
        return result
    # At least cost: the search cared only for what is built, not for when, nor for what the limit leaves to waste.
    plan = solved(held(instance, able, units_of(reached.builds)), own, start=reached.builds, bound_musd=bound_musd)
    return {**result, "plan": kept(plan)}


@dataclass(frozen=True)
class Question:
    """The model with ``v_distance`` added, and how far and how finely the distance is to be made large (costs in million USD)."""

    model: pyo.ConcreteModel
    optimum_musd: float
    limit_musd: float
    distance_gap: float
    limits: Limits

    @property
    def slack_musd(self) -> float:
        """What a plan may cost more than the best."""
        return self.limit_musd - self.optimum_musd

    def is_enough(self, reached: Reached) -> bool:
        """Return whether the distance reached is within the gap of the most that is possible."""
        return reached.bound - reached.distance <= max(self.distance_gap * reached.bound, ROUNDING)


@dataclass(frozen=True)
class Reached:
    """The builds of the farthest plan so far, its distance, and what no plan within the limit can exceed."""

    builds: pd.DataFrame
    distance: float
    bound: float


def traded(question: Question, reached: Reached) -> tuple[Reached, str]:
    """Trade cost for distance: minimise cost - price x distance at prices that bring the cost to the limit.

    This is the Lagrangian of the limit. It keeps the structure of the cheapest plan's problem, which is solved fast, where the limit
    as a row is not. Any plan within the limit has cost - price x distance >= the bound found, so its distance is at most
    (limit - bound) / price. The next price is the slope between the plans on both sides of the limit. Returns what is reached, and
    ``optimal``, or why a solve stopped that was not solved to its gap.
    """
    model, slack = question.model, question.slack_musd
    stopped: str = "optimal"
    gap_musd = _TRADED_GAP * slack if question.distance_gap else 0.0
    fine = Limits(0.0, gap_musd, question.limits.time_limit / _PRICES, question.limits.seed)
    cost = sum(model.e_cost.values())
    sides = Sides((question.optimum_musd, 0.0))
    price = _FIRST_PRICE * slack
    for _ in range(_PRICES if slack > 0 else 0):
        answer = minimised(model, cost - price * model.v_distance, fine, start=reached.builds)
        if answer.outcome.stopped != "optimal":
            stopped = answer.outcome.stopped
        bound = max(min(reached.bound, (question.limit_musd - answer.outcome.bound) / price), reached.distance)
        reached = replace(reached, bound=bound)
        if answer.outcome.x is None:
            break
        distance = answer.value(model.v_distance)
        point = (answer.outcome.objective + price * distance, distance)
        if point[0] <= question.limit_musd and distance > reached.distance:
            reached = Reached(answer.builds, distance, max(bound, distance))
        following = sides.price_after(point, price, question.limit_musd)
        if question.is_enough(reached) or following is None:
            break
        price = following
    return reached, stopped


@dataclass
class Sides:
    """Cost (million USD) and distance of the plans next to the limit, below it and above it (None: none known)."""

    below: tuple[float, float]
    above: tuple[float, float] | None = None

    def price_after(self, point: tuple[float, float], price: float, limit_musd: float) -> float | None:
        """Take a plan in and return the next price: the slope between the two sides; None where no other price would tell more."""
        if point in (self.below, self.above):
            return None
        if point[0] <= limit_musd:
            self.below = point
        else:
            self.above = point
        if self.above is None:
            return 4.0 * price
        farther = self.above[1] - self.below[1]
        slope = (self.above[0] - self.below[0]) / farther if farther > ROUNDING else 0.0
        return slope if slope > 0 and abs(slope / price - 1.0) > ROUNDING else None


def limited(question: Question, reached: Reached, finest: float) -> tuple[Reached, str]:
    """Return the farthest plan with the limit as a row, and why the search stopped: exact, but slow where the case is large."""
    model = question.model
    model.c_within = pyo.Constraint(expr=sum(model.e_cost.values()) <= question.limit_musd)
    fine = Limits(question.distance_gap, finest, question.limits.time_limit, question.limits.seed)
    answer = minimised(model, -model.v_distance, fine, start=reached.builds, bound=-reached.bound)
    bound = min(reached.bound, -answer.outcome.bound)
    if answer.outcome.x is None or answer.value(model.v_distance) <= reached.distance:
        return replace(reached, bound=bound), answer.outcome.stopped
    return Reached(answer.builds, answer.value(model.v_distance), bound), answer.outcome.stopped


def _with_distance(instance: Instance, chosen: Sequence[Choice], earlier: Sequence[Units]) -> pyo.ConcreteModel:
    """Return the model with ``v_distance``, at most the distance to each of the earlier plans (``c_distance``)."""
    model = build_model(instance)
    able = [choice for choice in chosen if choice.can_be_built]
    model.v_distance = pyo.Var(bounds=(0, len(able)))
    model.v_apart, model.v_above = pyo.VarList(domain=pyo.NonNegativeReals), pyo.VarList(domain=pyo.Binary)
    model.c_apart = pyo.ConstraintList()
    model.c_distance = pyo.ConstraintList()
    built = {choice.project: sum(model.v_build[choice.project, year] for year in choice.years) / choice.most for choice in able}
    parts: dict[tuple[str, float], Any] = {}
    for units in earlier:
        total: Any = 0.0
        for choice in able:
            share = min(max(units.get(choice.project, 0.0) / choice.most, 0.0), 1.0)
            key = (choice.project, share)
            if key not in parts:
                parts[key] = _apart(model, built[choice.project], share)
            total = total + parts[key]
        model.c_distance.add(model.v_distance <= total)
    return model


def _apart(model: pyo.ConcreteModel, built: Any, share: float) -> Any:
    """Return an expression that can be as large as |built - share| and no larger; ``built`` lies between 0 and 1.

    In between, a binary says on which side: v_apart <= built - share + 2 share (1 - above) and
    v_apart <= share - built + 2 (1 - share) above.
    """
    if share <= 0.0:
        return built
    if share >= 1.0:
        return 1.0 - built
    apart, above = model.v_apart.add(), model.v_above.add()
    model.c_apart.add(apart <= built - share + 2.0 * share * (1.0 - above))
    model.c_apart.add(apart <= share - built + 2.0 * (1.0 - share) * above)
    return apart
