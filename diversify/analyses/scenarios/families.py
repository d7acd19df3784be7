"""The table families read: what is uncertain, within which ranges, and the columns of a table of draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.instance.rules.families import ALLOWED, NEEDED
from diversify.network.ground import Floats, number, records
from diversify.schema import Column, Table

CHANGES_NOTHING = {"export_control": 0.0, "demand": 1.0, "price": 1.0, "capex": 1.0, "delay": 0.0}
"""The size of each kind at which the case is as it stands."""

_DIGITS = 6
"""Decimals of a drawn size, so that a table of draws can be read."""


@dataclass(frozen=True)
class Range:
    """What a parameter is drawn from, uniform from ``low`` to ``high``; over whole numbers only where ``whole``."""

    low: float
    high: float
    whole: bool

    def at(self, parts: Floats) -> Floats:
        """Return the values at parts of the range, each from 0 up to 1 (n,)."""
        if self.whole:
            return np.minimum(np.floor(self.low + parts * (self.high - self.low + 1.0)), self.high)
        return np.clip(np.round(self.low + parts * (self.high - self.low), _DIGITS), self.low, self.high)


@dataclass(frozen=True)
class Family:
    """One row of the table families.

    ``leader`` is the family that says whether, when and for how long: itself, or the one it follows. ``ranges`` holds what it
    says itself: ``first`` (year), ``years`` (both where its kind has them) and ``size``. ``row`` is the row as it stands.
    """

    name: str
    kind: str
    leader: str
    chance: float
    ranges: Mapping[str, Range]
    row: Mapping[str, Any]

    @property
    def leads(self) -> bool:
        """Whether it follows no other family."""
        return self.leader == self.name


@dataclass(frozen=True)
class Event:
    """A family as it happens in one draw: from ``first`` on, for ``years`` (None: not stated), of a ``size`` in the unit of its kind."""

    family: Family
    first: int | None
    years: int | None
    size: float

    @property
    def said(self) -> str:
        """What happens, in words."""
        name = self.family.name
        if self.family.kind == "export_control" and self.first is not None and self.years is not None:
            span = f"{self.first} to {self.first + self.years - 1}" if self.years > 1 else f"in {self.first}"
            return f"{name}: {100.0 * self.size:.3g} % cut, {span}"
        if self.family.kind == "delay":
            return f"{name}: {_years(int(self.size))} later"
        if self.first is None:
            return f"{name}: x{self.size:.3g}"
        reached = "by the last planning year" if self.years is None else f"in {_years(self.years)}"
        return f"{name}: x{self.size:.3g} from {self.first}, reached {reached}"


def _years(count: int) -> str:
    return f"{count} year{'s' if count != 1 else ''}"


def families_of(instance: Instance) -> list[Family]:
    """Return the instance's families in the order of their table; UsageError where it has none."""
    found = [_family(row) for row in records(instance.table("families"))]
    if not found:
        raise UsageError(f"{instance.name} has no table families to draw scenarios from. Its columns: docs/questions/scenarios.md.")
    return found


def _family(row: Mapping[str, Any]) -> Family:
    kind, follows = row["kind"], row["follows"]
    ranges = {}
    for name in ("first", "years"):
        if not pd.isna(row[f"{name}_low"]):
            ranges[name] = Range(float(row[f"{name}_low"]), float(row[f"{name}_high"]), whole=True)
    ranges["size"] = Range(float(row["low"]), float(row["high"]), whole=kind == "delay")
    return Family(row["family"], kind, follows or row["family"], number(row["chance"], 1.0), ranges, row)


def draws_table(families: Sequence[Family]) -> Table:
    """Return the columns of a table of draws: scenario, probability, and what every family says of itself."""
    columns = [
        Column("scenario", "text", "name of the scenario", key=True, required=True, safe_name=True),
        Column("probability", "number", "weight; they sum to 1", required=True, low=0.0, high=1.0),
    ]
    for family in families:
        if family.leads:
            columns.append(Column(f"{family.name}.happens", "boolean", "whether it happens", required=True))
        for name in family.ranges:
            column = f"{family.name}.{name}"
            if name == "first":
                columns.append(Column(column, "year", "year of start"))
            elif name == "years":
                columns.append(Column(column, "number", "length in years", low=1.0))
            else:
                most = 1.0 if family.kind == "export_control" else None
                columns.append(Column(column, "number", "size, in the unit of its kind", low=0.0, high=most))
    return Table("draws", "scenarios by what happens in them", tuple(columns))


def happens(families: Sequence[Family], draws: pd.DataFrame) -> dict[str, Floats]:
    """Return for every family whether it happens (1) or not (0) in each draw (n,)."""
    return {family.name: draws[f"{family.leader}.happens"].to_numpy(dtype=np.float64, na_value=0.0) for family in families}


def events(families: Sequence[Family], draw: Mapping[str, Any]) -> list[Event]:
    """Return what happens in one draw, a row of the table of draws by column, in the order of the table families."""
    found = []
    for family in families:
        if bool(draw[f"{family.leader}.happens"]):
            dated = any(name.startswith("first") for name in NEEDED[family.kind])
            lasting = any(name.startswith("years") for name in NEEDED[family.kind] + ALLOWED[family.kind])
            first = draw.get(f"{family.leader}.first") if dated else None
            years = draw.get(f"{family.leader}.years") if lasting else None
            found.append(Event(family, _whole(first), _whole(years), float(draw[f"{family.name}.size"])))
    return found


def _whole(value: Any) -> int | None:
    return None if value is None or pd.isna(value) else int(value)
