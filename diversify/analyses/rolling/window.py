"""How far a planner looks: an instance cut to the planning years up to the end of a window, and what is asked for in it.

A window begins with the first planning year, so that money is discounted alike in all. It ends with the first planning year, from the one
that is looked ahead to, whose weight the cut leaves as it is (the last year of a horizon repeats the gap before it, a single one
stands for itself): what is done in a year counts for as many calendar years in a window as in the end.

What cannot be done within a window is not asked for in it: to build units that must be built, where none can come on line by its end, and
to end with the least final stock, which is due at the end of the horizon. Contracts, floors, caps, demand and least utilisation
hold year by year, budgets, reserves and the most units limit from above: they stay. No budget is kept aside for what lies beyond.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from diversify.instance import Instance
from diversify.network.ground import Ground
from diversify.network.plants import Plants


def end_of(years: Sequence[int], position: int, look_ahead: int | None) -> int:
    """Return the last planning year of the window of a step; ``look_ahead`` 1 is the step's own year, None all years."""
    if look_ahead is None:
        return years[-1]
    for last in range(min(position + look_ahead, len(years)) - 1, len(years) - 1):
        gap = years[last] - years[last - 1] if last else 1
        if years[last + 1] - years[last] == gap:
            return years[last]
    return years[-1]


def window(belief: Instance, until: int) -> Instance:
    """Return the instance cut after a planning year, without what cannot be done in it."""
    if until == belief.years[-1]:
        return belief
    tables: dict[str, pd.DataFrame] = {}
    projects = belief.table("projects")
    later = {name for name, years in on_line(belief).items() if years[0] > until}
    if len(projects) and later:
        waits = projects["project"].isin(later)
        tables["projects"] = projects.assign(**{name: projects[name].mask(waits) for name in ("units_min", "min_t_per_year")})
    if len(stocks := belief.table("stockpiles")):
        tables["stockpiles"] = stocks.assign(final_min_t=0.0)
    return belief.replace(years=[year for year in belief.years if year <= until], reveal_year=None, **tables)


def on_line(belief: Instance) -> dict[str, list[int]]:
    """Return the planning years in which a unit of each project can come on line; projects that never can are left out."""
    ground = Ground(belief)
    plants = Plants.of(ground)
    found: dict[str, list[int]] = {}
    names = plants.project_labels.decode(plants.online["project"].to_numpy())
    for name, year in zip(names, ground.years.label[plants.online["year"]].tolist(), strict=True):
        found.setdefault(str(name), []).append(year)
    return found


def still_to_build(belief: Instance, built: dict[str, float]) -> dict[str, float]:
    """Return the units that each project must still be built beyond those that are decided, where there are any."""
    plants = Plants.of(Ground(belief))
    least = zip(plants.project_labels.names, plants.projects["units_min"].tolist(), strict=True)
    left = {name: units - built.get(name, 0.0) for name, units in least}
    return {name: units for name, units in left.items() if units > 1e-9}
