"""What is decided before the reveal year and what after: the columns of a program told apart, and named alike in every scenario.

Common to all scenarios is what is decided before ``reveal_year``: operations and closures of earlier planning years, and
units and first-unit purchases whose decision (on-line year less lead time) lies before it. Units are named by project and
date of decision, not by on-line year, so that a unit that a scenario delays is still the one that was decided.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.model import Statement
from diversify.network.ground import Bools, Floats, Ints
from diversify.planning.program import Program

Key = tuple[str | int | float, ...]
"""Name of a column: its variable, then its index; of units and purchases the project and the date of decision."""

UNITS = ("v_build", "v_open")
"""Variables of units and first-unit purchases."""

_ROUNDING = 1e-6
"""Slack when a date of decision is compared with a year: lead times may be fractions."""


@dataclass(frozen=True)
class Staged:
    """A program and which of its solver's columns are decided before the reveal year.

    ``common`` (k,) are their positions and ``keys`` (k,) their names, in order of position.
    """

    program: Program
    reveal_year: int
    common: Ints
    keys: list[Key]

    @classmethod
    def of(cls, program: Program, reveal_year: int | None = None) -> Staged:
        """Tell the columns of a program apart, by the instance's own reveal year if none is given; UsageError where there is none."""
        reveal = reveal_year_in(program.statement.network.ground.instance) if reveal_year is None else reveal_year
        found = [pair for name in program.statement.blocks for pair in _before(program, name, reveal)]
        found.sort(key=lambda pair: pair[0])
        return cls(program, reveal, np.array([position for position, _ in found], dtype=np.int64), [key for _, key in found])

    @cached_property
    def is_common(self) -> Bools:
        """Whether each of the solver's columns is decided before the reveal year (n,)."""
        mask = np.zeros(len(self.program.matrix.cost), dtype=bool)
        mask[self.common] = True
        return mask

    @cached_property
    def settled_rows(self) -> Bools:
        """Whether each of the solver's rows concerns common columns alone (m,)."""
        a = self.program.matrix.a
        touched = np.zeros(a.shape[0], dtype=bool)
        touched[a[:, np.flatnonzero(~self.is_common)].indices] = True
        return ~touched

    @cached_property
    def early_rows(self) -> dict[int, Key]:
        """Position and key of each of the solver's rows that belongs to a planning year before the reveal year."""
        found: dict[int, Key] = {}
        for name, index in self.program.statement.row_index.items():
            if "year" not in index.columns:
                continue
            position = self.program.rows(name)
            early = np.flatnonzero((index["year"].to_numpy(dtype=np.float64) < self.reveal_year) & (position >= 0))
            found.update(zip(position[early].tolist(), ((name, *key) for key in _keys(index.iloc[early])), strict=True))
        return found

    def values(self, x: Floats) -> dict[Key, float]:
        """Return the values of the common columns at a point (n,) of the solver, zeros left out."""
        return {key: float(value) for key, value in zip(self.keys, x[self.common], strict=True) if value != 0.0}

    def pinned(self, values: Mapping[Key, float]) -> Program:
        """Return the program with its common columns fixed at ``values`` (0 where a key is missing).

        Rows that concern them alone held where the values come from, and are let go, so that a rounding error in them
        cannot make the rest infeasible.
        """
        matrix = self.program.matrix
        fixed = np.array([values.get(key, 0.0) for key in self.keys], dtype=np.float64)
        whole = matrix.integer[self.common]
        fixed = np.clip(np.where(whole, np.round(fixed), fixed), matrix.lower[self.common], matrix.upper[self.common])
        lower, upper = matrix.lower.copy(), matrix.upper.copy()
        lower[self.common] = upper[self.common] = fixed
        free = self.settled_rows
        low, high = np.where(free, -np.inf, matrix.row_lower), np.where(free, np.inf, matrix.row_upper)
        return replace(self.program, matrix=replace(matrix, lower=lower, upper=upper, row_lower=low, row_upper=high))


def reveal_year_in(instance: Instance) -> int:
    """Return an instance's reveal year; UsageError where it has none or no planning year lies after it."""
    year = instance.meta.get("reveal_year")
    if year is None:
        raise UsageError(f"{instance.name} has no reveal_year: say in instance.yaml from which year on scenarios differ.")
    if int(year) > instance.years[-1]:
        raise UsageError(f"reveal_year {year} lies after the last planning year {instance.years[-1]}: no scenario can differ.")
    return int(year)


def decision_dates(statement: Statement, index: pd.DataFrame) -> Floats:
    """Return the date at which the unit of each row (project, year: names and calendar years) is decided."""
    plants = statement.network.plants
    lead = dict(zip(plants.project_labels.names, plants.projects["lead_years"], strict=True))
    return index["year"].to_numpy(dtype=np.float64) - np.array([lead[name] for name in index["project"]], dtype=np.float64)


def _before(program: Program, name: str, reveal: int) -> Iterator[tuple[int, Key]]:
    """Yield position and key of each column of a block that is decided before the reveal year and that the solver sees."""
    index = program.statement.blocks[name].index
    if "year" not in index.columns:
        return
    dates = decision_dates(program.statement, index) if name in UNITS else index["year"].to_numpy(dtype=np.float64)
    position = program.columns(name)
    early = np.flatnonzero((dates < reveal - _ROUNDING) & (position >= 0))
    named = index.iloc[early]
    if name in UNITS:
        named = named.assign(year=np.round(dates[early], 6))
    for place, key in zip(position[early].tolist(), _keys(named), strict=True):
        yield place, (name, *key)


def _keys(index: pd.DataFrame) -> Iterator[Key]:
    """Yield the rows of an index as plain values."""
    return zip(*(index[column].tolist() for column in index.columns), strict=True)


def as_table(values: Mapping[Key, float]) -> pd.DataFrame:
    """Return decisions as a table that a task can carry: ``key`` (a JSON list) and ``value``."""
    return pd.DataFrame({"key": [json.dumps(key, ensure_ascii=False) for key in values], "value": list(values.values())})


def from_table(table: pd.DataFrame) -> dict[Key, float]:
    """Return decisions from the table that :func:`as_table` made."""
    return {tuple(json.loads(key)): float(value) for key, value in zip(table["key"], table["value"], strict=True)}
