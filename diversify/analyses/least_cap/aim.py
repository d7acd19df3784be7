"""What is to be as small as possible: one number that sets the limits of some caps in all their years, or in one year alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from diversify.analyses.cap_path import CapPath, moved
from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.network.ground import Bools, Floats, Years

_HALVINGS = 60
"""Halvings of 0 to 1 that leave nothing to tell apart."""

_EXACT, _EXACT_ENOUGH = 1e-10, 1e-6
"""By how much a share may lie above a limit and still keep it: one that moves (it settles a little higher), and one that does not."""


@dataclass(frozen=True)
class Aim:
    """Caps whose limits one share sets: along their paths (``year`` None; the last listed year's share), or in one planning year alone."""

    instance: Instance
    caps: tuple[str, ...]
    year: int | None = None

    @classmethod
    def of(cls, instance: Instance, caps: Sequence[str], year: int | None = None) -> Aim:
        """Return an aim. UsageError for an unknown cap, or a path on which tightening the last year loosens another."""
        aim = cls(instance, tuple(sorted(set(caps))), year)
        for cap, path in aim.paths.items():
            if year is None and (path.way < 0).any():
                wrong = path.years[int(np.flatnonzero(path.way < 0)[0])]
                raise UsageError(
                    f"The path of cap {cap!r} goes up and down: a smaller share in {path.years[-1]} would mean a larger one in {wrong}. "
                    "Give the cap a path that goes one way."
                )
        return aim

    @cached_property
    def paths(self) -> dict[str, CapPath]:
        """The paths of the caps."""
        return {cap: CapPath.of(self.instance, cap) for cap in self.caps}

    @cached_property
    def _planning_years(self) -> Years:
        return Years.of(self.instance)

    def limits(self, rows: pd.DataFrame, share: float) -> Floats:
        """Return the limit (m,) that a share sets on each row of a network's ``caps``; infinite on rows that are no part of it."""
        years, found = self._planning_years, np.full(len(rows), np.inf)
        cap_of, year_of = rows["cap"].to_numpy(), rows["year"].to_numpy(dtype=np.int64)
        for cap, path in self.paths.items():
            if self.year is None:
                by_year = years.interpolate(np.asarray(path.years, dtype=np.float64), path.at(share))
            else:
                by_year = np.where(years.label == self.year, share, np.inf)
            mine = cap_of == cap
            found[mine] = by_year[year_of[mine]]
        return found

    def moves(self, rows: pd.DataFrame) -> Bools:
        """Return on which rows (m,) the limit depends on the share: a path leaves its first listed year as it is."""
        low, high = self.limits(rows, 0.0), self.limits(rows, 1.0)
        return np.isfinite(low) & (high > low)

    def way(self, rows: pd.DataFrame) -> Floats:
        """Return how far each row's limit (m,) goes while the share goes from 0 to 1; 1 where it does not go at all."""
        return np.where(self.moves(rows), self.limits(rows, 1.0) - np.minimum(self.limits(rows, 0.0), 1.0), 1.0)

    def share_of(self, rows: pd.DataFrame, reached: Floats) -> float | None:
        """Return the smallest share whose limits the shares ``reached`` (m,) keep; None where none does, whatever the share."""
        exact = reached - np.where(self.moves(rows), _EXACT, _EXACT_ENOUGH)
        low, high = 0.0, 1.0
        if (exact > self.limits(rows, high)).any():
            return None
        if (exact <= self.limits(rows, low)).all():
            return low
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            low, high = (low, middle) if (exact <= self.limits(rows, middle)).all() else (middle, high)
        return high

    def years(self) -> list[int]:
        """Return the planning years in which one of the caps holds."""
        first = min(path.years[0] for path in self.paths.values())
        return [year for year in self.instance.years if year >= first]

    def at(self, share: float) -> Instance:
        """Return the instance with the caps at a share, hard: what exceeds them can not be paid for."""
        if self.year is None:
            return _hard(moved(self.instance, self.caps, share), self.caps)
        return _hard(_in_one_year(self.instance, self.caps, self.year, share), self.caps)


def _hard(instance: Instance, caps: Sequence[str]) -> Instance:
    table = instance.table("caps")
    return instance.replace(caps=table.assign(excess_usd_per_t=table["excess_usd_per_t"].mask(table["cap"].isin(caps))))


def _in_one_year(instance: Instance, caps: Sequence[str], year: int, share: float) -> Instance:
    """Return the instance with caps that hold in one planning year and are at 100 % in all others."""
    table = instance.table("caps")
    parts = [table[~table["cap"].isin(caps)]]
    for cap in caps:
        rows = table[table["cap"] == cap].sort_values("year")
        listed = [each for each in instance.years if each >= int(rows["year"].iloc[0])]
        own = rows.iloc[np.zeros(len(listed), dtype=np.int64)].reset_index(drop=True)
        parts.append(own.assign(year=listed, share=[share if each == year else 1.0 for each in listed]))
    kept = [part for part in parts if len(part)]
    return instance.replace(caps=pd.concat(kept, ignore_index=True))
