"""What is asked at each point: a share of the caps, perhaps a limit on something else; and which points are tighter than which."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.cap_path import CapPath, lifted, moved
from diversify.analyses.frontier.against import Against
from diversify.analyses.solving import Record, table_of
from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.network.ground import Floats, Years

_SAME = 1e-9
"""Difference below which two shares, or two limits (as a part), are the same."""


@dataclass(frozen=True, order=True)
class Spot:
    """One point: the last listed year's share of the caps (infinite: no cap), and the limit on what they are weighed against."""

    share: float
    limit: float = math.inf

    def __str__(self) -> str:
        """Return the point in words."""
        caps = "no cap" if math.isinf(self.share) else f"a share of {100 * self.share:g} %"
        return caps if math.isinf(self.limit) else f"{caps}, limit {self.limit:g}"


FREE = Spot(math.inf)
"""The point without the caps."""


@dataclass(frozen=True)
class Question:
    """Caps of an instance that are moved together, and what they are weighed against, whose limit is not in the instance."""

    instance: Instance
    caps: tuple[str, ...]
    against: Against | None = None

    @classmethod
    def of(cls, instance: Instance, caps: Sequence[str], against: str | None = None) -> Question:
        """Return the question; UsageError for an unknown cap or budget, or no cap at all."""
        if not caps:
            raise UsageError("frontier needs the name of a cap.")
        other = None if against is None else Against.of(instance, against)
        question = cls(instance if other is None else other.lifted(instance), tuple(sorted(set(caps))), other)
        assert question.paths
        return question

    @cached_property
    def paths(self) -> tuple[CapPath, ...]:
        """The path of each cap."""
        return tuple(CapPath.of(self.instance, cap) for cap in self.caps)

    def arguments(self, spot: Spot) -> dict[str, Any]:
        """Return the instance of a point, and the limit that only a constraint can state, as arguments of a task."""
        case = lifted(self.instance, self.caps) if math.isinf(spot.share) else moved(self.instance, self.caps, spot.share)
        if self.against is None or math.isinf(spot.limit):
            return {"instance": case, "shortage_t": None}
        return self.against.arguments(case, spot.limit)

    def tighter(self, spot: Spot, other: Spot) -> bool:
        """Return whether a plan for one point is one for the other whatever it is: every listed year's share and the limit no looser."""
        shares = all((low <= high + _SAME).all() for low, high in zip(self._shares(spot), self._shares(other), strict=True))
        return shares and spot.limit <= other.limit * (1 + _SAME)

    def keeps(self, found: Spot, record: Record, spot: Spot) -> bool:
        """Return whether the plan that was found at one point is a plan for another, seen what it uses of the limit."""
        if self.against is None or math.isinf(spot.limit):
            return self.tighter(found, spot)
        within = self.used(record) <= spot.limit * (1 + _SAME) or found.limit <= spot.limit
        return within and self.tighter(Spot(found.share), Spot(spot.share))

    def used(self, record: Record) -> float:
        """Return how much a plan uses of what the caps are weighed against."""
        assert self.against is not None
        return self.against.used(self.instance, record)

    def reached(self, shares: pd.DataFrame) -> float:
        """Return the largest share that a plan's table ``shares`` shows under the caps where their last listed share holds."""
        return float(shares.loc[self.last_rows(shares), "share"].max())

    def excess_t(self, shares: pd.DataFrame) -> float:
        """Return the most tonnes in a year that a plan takes above one of the caps and pays for."""
        return float(shares.loc[shares["cap"].isin(self.caps), "excess_t"].max())

    def last_rows(self, rows: pd.DataFrame) -> pd.Series[bool]:
        """Return which rows (cap, year as calendar years) lie in a planning year from the cap's last listed one on, or else in the last."""
        first = {path.cap: min(path.years[-1], self.instance.years[-1]) for path in self.paths}
        return rows["cap"].isin(self.caps) & (rows["year"].astype(float) >= rows["cap"].map(first).astype(float))

    def limits(self, spot: Spot) -> dict[tuple[str, int], float]:
        """Return the limit of each cap in each planning year at a point."""
        years = Years.of(self.instance)
        limits: dict[tuple[str, int], float] = {}
        for path, shares in zip(self.paths, self._shares(spot), strict=True):
            by_year = years.interpolate(np.asarray(path.years, dtype=np.float64), shares)
            limits.update({(path.cap, year): share for year, share in zip(years.label.tolist(), by_year.tolist(), strict=True)})
        return limits

    def _shares(self, spot: Spot) -> list[Floats]:
        return [np.ones(len(path.years)) if math.isinf(spot.share) else path.at(spot.share) for path in self.paths]


def projects_of(record: Mapping[str, Any]) -> dict[str, float]:
    """Return units that a plan builds over the horizon, by project (t/yr where any size can be built)."""
    units = table_of(record, "builds").groupby("project")["units"].sum()
    return {str(project): float(count) for project, count in units.items() if count > 0}
