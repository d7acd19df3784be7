"""From what happens in a draw to changes of the data, in the grammar of the table changes, all from the reveal year on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.scenarios.families import Event
from diversify.analyses.scenarios.paths import Growth, Path, demand_paths, price_paths
from diversify.instance import Instance
from diversify.instance.cells import number_text
from diversify.instance.changes import Change, Value, written
from diversify.network.ground import Bools, Ground, number, records
from diversify.network.plants import Plants
from diversify.schema import EVERYTHING

_CAPITAL = ("capex_unit_musd", "capex_usd_per_t_year", "capex_first_musd")


class Base:
    """The instance that changes are written for, with what is looked up for every draw."""

    def __init__(self, instance: Instance) -> None:
        """Resolve the instance, which must have a reveal year."""
        self.instance = instance
        self.reveal = int(instance.meta["reveal_year"])
        self.ground = Ground(instance)

    @cached_property
    def _projects(self) -> list[dict[str, Any]]:
        """Projects that first come on line in the horizon, not before the reveal year; with country (code) and commodities made."""
        plants = Plants.of(self.ground)
        online = plants.online.groupby("project")["year"].min()
        earliest = dict(zip(plants.project_labels.decode(online.index.to_numpy()), self.ground.years.label[online.to_numpy()], strict=True))
        made = np.zeros((len(plants.labels), len(self.ground.commodities)), dtype=bool)
        lines = plants.modes.merge(self.ground.recipes[self.ground.recipes["amount"] > 0], on="process")
        made[lines["facility"], lines["commodity"]] = True
        country = plants.facilities["country"].to_numpy()
        rows = []
        for row in records(self.instance.table("projects")):
            if earliest.get(row["project"], -1) >= self.reveal:
                facility = plants.labels.code(row["facility"])
                rows.append({**row, "country": country[facility], "made": made[facility]})
        return rows

    def projects(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the projects that a family of capital cost or delay (its row) is about."""
        there = self.ground.select(row["country"])
        goods = self._goods(row["commodity"])
        return [project for project in self._projects if there[project["country"]] and (project["made"] & goods).any()]

    def _goods(self, commodity: str | None) -> Bools:
        return self.ground.select_commodity(commodity or EVERYTHING)

    def places(self, row: Mapping[str, Any]) -> tuple[set[str], set[str]]:
        """Return locations of the consumers and commodities that a family of demand (its row) is about."""
        there = self.ground.select(row["country"])[self.ground.location_country]
        places = {name for name, inside in zip(self.ground.locations.names, there, strict=True) if inside}
        return places, self.goods(row)

    def goods(self, row: Mapping[str, Any]) -> set[str]:
        """Return the commodities that a family (its row) names."""
        return {name for name, meant in zip(self.ground.commodities.names, self._goods(row["commodity"]), strict=True) if meant}

    @cached_property
    def _restrictions(self) -> set[str]:
        return set(self.instance.table("restrictions")["restriction"])

    def restriction(self, family: str) -> str:
        """Return a name for a family's restriction that no other bears: the family's own, else with a number."""
        names = itertools.chain([family], (f"{family} ({count})" for count in itertools.count(2)))
        return next(name for name in names if name not in self._restrictions)


@dataclass
class Draw:
    """One draw on its way to changes: the paths of demand and prices as the changes made so far leave them."""

    base: Base
    demand: dict[tuple[str, str], Path]
    prices: dict[str, Path]

    @classmethod
    def of(cls, base: Base) -> Draw:
        """Start from the data as they are."""
        return cls(base, demand_paths(base.instance), price_paths(base.instance))

    def changes(self, event: Event) -> list[str]:
        """Return the changes that make one event; none where it falls outside the horizon or changes nothing."""
        make = {"export_control": _control, "demand": _demand, "price": _price, "capex": _capital, "delay": _delay}
        return list(make[event.family.kind](self, event))


def _control(draw: Draw, event: Event) -> Iterator[str]:
    """A restriction by ownership for the years of the control, over all matching lanes together."""
    row = event.family.row
    if event.first is None or event.years is None or event.first > draw.base.ground.years.label[-1] or event.size == 0.0:
        return
    limit = round((1.0 - event.size) * number(row["reference_t_per_year"], 0.0), 6)
    cells = {
        "restriction": draw.base.restriction(event.family.name),
        **{name: row[name] for name in ("origin", "destination", "commodity")},
        "first_year": str(event.first),
        "last_year": str(event.first + event.years - 1),
        "limit_t_per_year": number_text(limit),
        "by": "owned",
    }
    yield written(Change("add", "restrictions", tuple((name, Value(text)) for name, text in cells.items())))


def _growth(draw: Draw, event: Event) -> Growth | None:
    """Return the event's path of a factor, None where it starts after the horizon or changes nothing."""
    years = draw.base.instance.years
    if event.first is None or event.first > years[-1] or event.size == 1.0:
        return None
    return Growth(event.first, event.years or years[-1] - event.first + 1, event.size)


def _demand(draw: Draw, event: Event) -> Iterator[str]:
    growth = _growth(draw, event)
    places, goods = draw.base.places(event.family.row)
    for (place, good), path in draw.demand.items():
        if growth is not None and place in places and good in goods:
            yield from path.grown(growth, draw.base.instance.years)


def _price(draw: Draw, event: Event) -> Iterator[str]:
    growth = _growth(draw, event)
    goods = draw.base.goods(event.family.row)
    for good, path in draw.prices.items():
        if growth is not None and good in goods:
            yield from path.grown(growth, draw.base.instance.years)


def _capital(draw: Draw, event: Event) -> Iterator[str]:
    for project in draw.base.projects(event.family.row):
        for column in _CAPITAL:
            if number(project[column], 0.0) > 0.0 and event.size != 1.0:
                yield _of_project(project["project"], column, f"x{number_text(event.size)}")


def _delay(draw: Draw, event: Event) -> Iterator[str]:
    """A longer lead time; a latest year moves along, or a project that must be built would leave no plan."""
    for project in draw.base.projects(event.family.row):
        if event.size:
            yield _of_project(project["project"], "lead_years", f"plus {number_text(event.size)}")
            if not pd.isna(project["latest_year"]):
                yield _of_project(project["project"], "latest_year", f"plus {number_text(event.size)}")


def _of_project(project: str, column: str, value: str) -> str:
    return written(Change("set", "projects", (("project", Value(project)),), column, Value(value)))
