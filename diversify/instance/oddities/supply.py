"""Remarks on what can be made, and what can serve to relabel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from diversify.errors import Problem
from diversify.instance.draft import Draft
from diversify.instance.reach import Reach

RELABELLING_LOSS = 0.02
"""A process whose one output weighs as much as its one input, to this share, may be no more than a change of name."""
CIRCULAR_YIELD = 0.5
"""A circle of processes that gives back this share of what goes in may serve to change an origin."""


def plants_without_capacity(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """A facility with neither capacity nor project never runs."""
    able = plants_with_capacity(draft)
    for index, plant in draft.rows("facilities", "facility"):
        if plant not in able:
            message = f"{plant!r} has no capacity and no project, so it never runs."
            yield draft.problem("no_capacity", "facilities", index, "facility", message, "Give it capacity or a project, or remove it.")


def outages_of_nothing(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Outages of a facility with neither capacity nor project."""
    able = plants_with_capacity(draft)
    for index, plant in draft.rows("outages", "facility"):
        if plant not in able:
            message = f"The outage has no effect: {plant!r} has no capacity and no project."
            yield draft.problem("no_effect", "outages", index, "facility", message, "Correct the name, or remove the row.")


def plants_with_capacity(draft: Draft) -> set[str]:
    """Return the facilities that have capacity in some year or may get it by a project."""
    by_year = {plant for _, plant in draft.rows("capacities", "facility")}
    able = {plant for _, plant, capacity in draft.rows("capacities", "facility", "capacity_t_per_year") if capacity}
    able |= {
        plant for _, plant, capacity in draft.rows("facilities", "facility", "capacity_t_per_year") if capacity and plant not in by_year
    }
    return able | {plant for _, plant in draft.rows("projects", "facility")}


def unsupplied_demand(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Demand that no maker can reach, by itself or by a substitute."""
    arrivals = Arrivals(draft, reach)
    priced = {
        (place, good) for _, place, good, price in draft.rows("demand", "location", "commodity", "shortage_usd_per_t") if price is not None
    }
    told: set[tuple[str, str]] = set()
    for index, place, good, quantity in draft.rows("demand", "location", "commodity", "quantity_t_per_year"):
        if (place, good) in told or not quantity or any(arrivals.possible(place, each) for each in {good} | reach.substitutes[good]):
            continue
        told.add((place, good))
        message = f"Nobody can supply {good!r} to {place!r}" + (
            ", so all of it stays short." if (place, good) in priced else ", and it must be met: there is no plan."
        )
        remedy = "Add a maker with capacity or a project, freight or a lane, or a substitute."
        yield draft.problem("unsupplied_demand", "demand", index, "commodity", message, remedy)


class Arrivals:
    """Where a commodity can arrive: made by plants whose inputs can arrive, returned as scrap, or in stock."""

    def __init__(self, draft: Draft, reach: Reach) -> None:
        """Work out, step by step, what can be made where."""
        self._reach = reach
        self._made: dict[str, set[str]] = {}
        self._stocked = {
            (place, good) for _, place, good, initial in draft.rows("stockpiles", "location", "commodity", "initial_t") if initial
        }
        able = plants_with_capacity(draft)
        where = {plant: place for _, plant, place in draft.rows("facilities", "facility", "location")}
        waiting = {(where[plant], process) for plant, process in reach.runs if plant in able}
        returns = list(draft.rows("returns", "commodity", "location", "scrap", "past_t_per_year"))
        growing = True
        while growing:
            ready = {(place, process) for place, process in waiting if all(self.possible(place, good) for good in reach.inputs[process])}
            waiting -= ready
            for place, process in ready:
                for good in reach.outputs[process]:
                    self._made.setdefault(good, set()).add(place)
            growing = self._return_scrap(returns) or bool(ready)

    def possible(self, place: str, good: str) -> bool:
        """Return whether the commodity can arrive at the place."""
        made = self._made.get(good, set())
        if (place, good) in self._stocked or place in made or (made and good in self._reach.freight):
            return True
        return good in self._reach.lane_goods and any((origin, place, good) in self._reach.lanes for origin in made)

    def _return_scrap(self, returns: list[tuple[int, str, str, str, float | None]]) -> bool:
        grown = False
        for _, sold, where, scrap, past in returns:
            for place in self._reach.return_places(sold, where):
                if (past or self.possible(place, sold)) and place not in self._made.setdefault(scrap, set()):
                    self._made[scrap].add(place)
                    grown = True
        return grown


def relabelling(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Processes that may do no more than change a name: one input given back as one output, or part of a circle."""
    circular = _circular_processes(reach)
    for index, process in draft.rows("processes", "process"):
        inputs, outputs = reach.inputs.get(process, {}), reach.outputs.get(process, {})
        if len(inputs) == 1 and len(outputs) == 1:
            ((taken, amount_in),) = inputs.items()
            ((given, amount_out),) = outputs.items()
            if abs(amount_out - amount_in) <= RELABELLING_LOSS * amount_in:
                message = f"{process!r} turns {taken!r} into {given!r} tonne for tonne: it could serve to relabel what it takes in."
                yield draft.problem(
                    "relabelling", "processes", index, "process", message, "Make sure that it stands for a real step, or cap the input too."
                )
                continue
        if process in circular:
            message = f"{process!r} is part of a circle of processes that gives back much of what goes in: it could serve to relabel."
            yield draft.problem(
                "relabelling", "processes", index, "process", message, "Make sure that the circle is real, or cap by what is traced."
            )


def _circular_processes(reach: Reach) -> set[str]:
    """Return the processes on a circle of commodities whose yields multiply to CIRCULAR_YIELD or more."""
    goods = sorted({good for recipe in (*reach.inputs.values(), *reach.outputs.values()) for good in recipe})
    position = {good: index for index, good in enumerate(goods)}
    steps = [
        (process, position[taken], position[given], min(given_t / taken_t, 1.0))
        for process, inputs in reach.inputs.items()
        for taken, taken_t in inputs.items()
        for given, given_t in reach.outputs.get(process, {}).items()
    ]
    best = np.zeros((len(goods), len(goods)))
    for _, start, end, share in steps:
        best[start, end] = max(best[start, end], share)
    for middle in range(len(goods)):
        best = np.maximum(best, np.outer(best[:, middle], best[middle, :]))
    return {process for process, start, end, share in steps if share * best[end, start] >= CIRCULAR_YIELD}


def lost_origin(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Processes by which a traced commodity becomes an untraced one that is made into a traced one again."""
    traced_caps = {sources for _, basis, sources in draft.rows("caps", "basis", "sources") if basis == "traced"}
    if not traced_caps:
        return
    untraced = {good for _, good, traced in draft.rows("commodities", "commodity", "traced") if traced is False}
    returns_to_traced = {
        good
        for process, inputs in reach.inputs.items()
        for good in inputs
        if good in untraced and set(reach.outputs.get(process, {})) - untraced
    }
    for index, process in draft.rows("processes", "process"):
        lost = set(reach.outputs.get(process, {})) & returns_to_traced
        if lost and set(reach.inputs.get(process, {})) - untraced:
            good = min(lost)
            message = (
                f"{process!r} loses an origin: it makes the untraced {good!r} from a traced commodity, and a traced one is made of that."
            )
            yield draft.problem(
                "origin_lost", "processes", index, "process", message, f"Set traced to true for {good!r}, unless that is meant."
            )


def projects_that_never_come(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Projects that must be built but cannot come on line within the horizon, or whose window is empty."""
    columns = ("earliest_year", "decided_year", "lead_years", "latest_year", "units_min", "min_t_per_year")
    for index, earliest, decided, lead, latest, units, least in draft.rows("projects", *columns):
        ready = (decided if decided is not None else draft.years[0]) + (lead or 0.0)
        able = [
            year for year in draft.years if year >= ready and (earliest is None or year >= earliest) and (latest is None or year <= latest)
        ]
        if able:
            continue
        if units or least:
            message = "The project must be built but cannot come on line in any planning year: there is no plan."
            yield draft.problem(
                "cannot_be_built",
                "projects",
                index,
                "units_min" if units else "min_t_per_year",
                message,
                "Allow an earlier decision, a shorter lead or a later year, or require nothing.",
            )
        elif earliest is not None and latest is not None and earliest > latest:
            message = f"The earliest year {earliest} comes after the latest, {latest}: the project is never built."
            yield draft.problem("window_empty", "projects", index, "earliest_year", message, "Exchange the two, or remove the project.")


def projects_without_a_whole_unit(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Projects whose largest capacity is below a single unit."""
    for index, unit, most in draft.rows("projects", "unit_t_per_year", "max_t_per_year"):
        if unit is not None and most is not None and 0 < most < unit:
            message = "The most that may be built is less than one unit, so nothing is."
            yield draft.problem(
                "no_unit_fits", "projects", index, "max_t_per_year", message, "Raise max_t_per_year or lower unit_t_per_year."
            )


def free_modes(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Modes that take no capacity run without limit."""
    for index, capacity in draft.rows("modes", "capacity_per_t"):
        if capacity == 0.0:
            yield draft.problem(
                "no_capacity_taken",
                "modes",
                index,
                "capacity_per_t",
                "The mode takes no capacity, so it runs without limit.",
                "Write a number above 0.",
            )
