"""Figures by year that a factor makes grow from some year on, written as changes that leave the years before as they are.

Demand and prices are linear between listed years, so that a change of the first listed year after the reveal year would bend
the years before it too. Therefore the year before the start is listed first, at the value that it has anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.instance import Instance
from diversify.instance.cells import number_text
from diversify.instance.changes import Change, Value, written
from diversify.network.ground import number, records

Cells = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Growth:
    """A factor: 1 until the year before ``first``, from there in a line to ``size`` in ``years`` years, and ``size`` from then on."""

    first: int
    years: int
    size: float

    @property
    def reached(self) -> int:
        """The year in which the factor is ``size``."""
        return self.first + self.years - 1

    def at(self, year: int) -> float:
        """Return the factor in a calendar year."""
        return 1.0 + (self.size - 1.0) * min(max((year - self.first + 1) / self.years, 0.0), 1.0)


@dataclass
class Path:
    """One demand or price: ``listed`` figures by year, linear between and held outside them.

    ``cells`` select it in its ``table``, ``column`` holds the figure. ``dated`` is False where a single row without a year holds for
    all, ``present`` where the table has rows of it at all (else the figure stands elsewhere). ``beside`` holds figures of another
    column (``beside_column``) that new rows must carry along.
    """

    table: str
    column: str
    cells: Cells
    listed: dict[int, float]
    dated: bool = True
    present: bool = True
    beside_column: str = ""
    beside: dict[int, float] | None = None

    def grown(self, growth: Growth, years: tuple[int, ...]) -> Iterator[str]:
        """Yield the changes that multiply the path by a growth, and keep the result in ``listed``. ``years`` are the planning years.

        The factor is applied in the listed years, and in the year before it starts, the year in which its size is reached and the
        last planning year, which are listed where they are not; between these years the path is linear as before.
        """
        if not self.dated:
            yield written(Change("set", self.table, self.cells, "year", Value(str(years[0]))))
            self.dated = True
        before, present = dict(self.listed), self.listed if self.present else {}
        points = {max(growth.first - 1, years[0]), min(growth.reached, years[-1]), *(year for year in present if year >= growth.first)}
        points |= {years[-1]} if max(present, default=0) < years[-1] else set()
        for year in sorted(points):
            factor = growth.at(year)
            value = _between(before, year) * factor
            if year not in present:
                yield self._added(year, value)
            elif factor != 1.0:
                cells = (*self.cells, ("year", Value(str(year))))
                yield written(Change("set", self.table, cells, self.column, Value(f"x{number_text(factor)}")))
            present[year] = value
        self.listed, self.present = present, True

    def _added(self, year: int, value: float) -> str:
        cells = (*self.cells, ("year", Value(str(year))), (self.column, Value(number_text(value))))
        if self.beside:
            cells = (*cells, (self.beside_column, Value(number_text(_between(self.beside, year)))))
        return written(Change("add", self.table, cells))


def _between(listed: dict[int, float], year: int) -> float:
    years = sorted(listed)
    return float(np.interp(year, years, [listed[each] for each in years]))


def demand_paths(instance: Instance) -> dict[tuple[str, str], Path]:
    """Return the demands by location and commodity; quantities in t per year, with shortage prices where there are any."""
    paths: dict[tuple[str, str], Path] = {}
    for row in records(instance.table("demand")):
        place, good = row["location"], row["commodity"]
        dated = not pd.isna(row["year"])
        year = int(row["year"]) if dated else instance.years[0]
        if (place, good) not in paths:
            cells = (("location", Value(place)), ("commodity", Value(good)))
            path = Path("demand", "quantity_t_per_year", cells, {}, dated, beside_column="shortage_usd_per_t", beside={})
            paths[place, good] = path
        path = paths[place, good]
        path.listed[year] = float(row["quantity_t_per_year"])
        if path.beside is not None and not pd.isna(row["shortage_usd_per_t"]):
            path.beside[year] = float(row["shortage_usd_per_t"])
    return paths


def price_paths(instance: Instance) -> dict[str, Path]:
    """Return the prices by commodity in USD per t: those of the table prices, else the commodity's constant."""
    listed: dict[str, dict[int, float]] = {}
    for row in records(instance.table("prices")):
        listed.setdefault(row["commodity"], {})[int(row["year"])] = float(row["price_usd_per_t"])
    paths = {}
    for row in records(instance.table("commodities")):
        good = row["commodity"]
        constant = {instance.years[0]: number(row["price_usd_per_t"], 0.0)}
        cells = (("commodity", Value(good)),)
        paths[good] = Path("prices", "price_usd_per_t", cells, listed.get(good, constant), present=good in listed)
    return {good: path for good, path in paths.items() if any(path.listed.values())}
