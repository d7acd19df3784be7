"""The projects of a case as choices: from when one counts as built, and the case with one forbidden, forced or held.

A project counts as built from one unit on; a continuous one from :data:`COUNTED_SHARE` of its most on, since a plan could
else differ from another by a tonne. Units of a continuous project are t/yr.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from diversify.instance import Instance
from diversify.network import Network

COUNTED_SHARE = 0.01
"""Share of its most from which a continuous project counts as built."""

_ROUNDING = 1e-6
"""Share of a project's most that counts as nothing: the solver's own exactness."""

Units = Mapping[str, float]
"""Units built over the horizon by project (t/yr where a project is continuous); what is not there is not built."""


@dataclass(frozen=True)
class Choice:
    """One project: how many units the data allow (``most``) and demand (``least``), and the years in which one could come on line."""

    project: str
    facility: str
    lumpy: bool
    most: float
    least: float
    years: tuple[int, ...]

    @property
    def counted(self) -> float:
        """Units from which the project counts as built."""
        return 1.0 if self.lumpy else COUNTED_SHARE * self.most

    @property
    def open(self) -> bool:
        """Whether the data leave the choice: it can be built, and need not be."""
        return self.can_be_built and not self.must_be_built

    @property
    def can_be_built(self) -> bool:
        """Whether a unit can come on line within the horizon at all."""
        return self.most > 0 and bool(self.years)

    @property
    def must_be_built(self) -> bool:
        """Whether the data themselves demand enough of it to count as built."""
        return self.least > 0 and self.least >= self.counted

    def is_in(self, units: Units) -> bool:
        """Return whether a plan builds it."""
        return self.can_be_built and units.get(self.project, 0.0) >= self.counted - _ROUNDING * self.most

    def is_out(self, units: Units) -> bool:
        """Return whether a plan does without it; at the very edge of counting (continuous projects alone) both hold."""
        most_left_out = 0.0 if self.lumpy else self.counted
        return units.get(self.project, 0.0) <= most_left_out + _ROUNDING * self.most

    def difference(self, some: Units, others: Units) -> float:
        """Return how far two plans are apart in this project, as a share of its most (0 to 1)."""
        return abs(some.get(self.project, 0.0) - others.get(self.project, 0.0)) / self.most if self.can_be_built else 0.0


def choices(instance: Instance) -> list[Choice]:
    """Return every project of the instance, by name."""
    network = Network.of(instance)
    plants = network.plants
    project, year = plants.online["project"].to_numpy(), network.ground.years.label[plants.online["year"]]
    return [
        Choice(
            project=str(plants.project_labels.names[code]),
            facility=str(plants.labels.names[int(row["facility"])]),
            lumpy=bool(row["lumpy"]),
            most=float(row["units_max"]),
            least=float(row["units_min"]),
            years=tuple(year[project == code].tolist()),
        )
        for code, row in enumerate(plants.projects.to_dict("records"))
    ]


def units_of(builds: pd.DataFrame) -> dict[str, float]:
    """Return units over the horizon by project, from a plan's table ``builds``."""
    total = builds.groupby("project")["units"].sum()
    return {str(project): float(units) for project, units in total.items() if units > 0}


def distance(some: Units, others: Units, chosen: list[Choice]) -> float:
    """Return how far two plans are apart: the sum over projects of the difference in units as a share of the project's most."""
    return sum(choice.difference(some, others) for choice in chosen)


def forbidden(instance: Instance, choice: Choice) -> Instance:
    """Return the case in which the project may not be built (a continuous one: no more than what does not count)."""
    return _limited(instance, {choice.project: (choice.least, 0.0 if choice.lumpy else choice.counted)})


def forced(instance: Instance, choice: Choice) -> Instance:
    """Return the case in which the project must be built: one unit at least, of a continuous one what counts as built."""
    return _limited(instance, {choice.project: (choice.counted, choice.most)})


def held(instance: Instance, chosen: list[Choice], units: Units) -> Instance:
    """Return the case in which exactly these units are built, whenever it is cheapest."""
    total = {choice.project: min(max(units.get(choice.project, 0.0), choice.least), choice.most) for choice in chosen}
    return _limited(instance, {project: (count, count) for project, count in total.items()})


def _limited(instance: Instance, limits: Mapping[str, tuple[float, float]]) -> Instance:
    """Return the instance with other least and most units of the named projects."""
    table = instance.table("projects")
    lumpy = table["unit_t_per_year"].notna()
    named = table["project"].isin(list(limits))
    for position, column in enumerate(("min", "max")):
        limit = table["project"].map({project: pair[position] for project, pair in limits.items()}).astype(float)
        table[f"units_{column}"] = table[f"units_{column}"].mask(named, limit.where(lumpy))
        table[f"{column}_t_per_year"] = table[f"{column}_t_per_year"].mask(named, limit.mask(lumpy))
    return instance.replace(projects=table)
