"""The master problem of the L-shaped method: one scenario stated in full, the others known by cuts.

To keep a scenario in the master (partial Benders decomposition: Crainic, Hewitt, Maggioni and Rei, Transportation Science 55, 2021) tells
it from the start what decisions are for. Every scenario has a cut column of its own (Birge and Louveaux's multicut), so that any
weighing of their costs can be stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from diversify.network.ground import Floats, Ints
from diversify.planning.extensive_form import shared_keys, shared_of
from diversify.planning.stages import UNITS, Key, Staged
from diversify.solve import Extensive, Matrix, Part, Risk, extensive

_COST_SCALE = 2.0**10
"""Typical magnitude of a scenario's cost, million USD, as the solver sees it."""

_NO_LESS = -1e9
"""No scenario costs less, million USD: keeps the master bounded while all cuts of a scenario are about what it can bear."""


@dataclass(frozen=True)
class StandIn:
    """A cut on the cost of one scenario, or on what it can bear: ``of_cost`` x cost >= constant + slope'x of the shared ``columns``."""

    scenario: int
    of_cost: bool
    constant: float
    columns: Ints
    slope: Floats


@dataclass(frozen=True)
class Master:
    """A scenario in full (``staged``, of probability ``probability[0]``) and ``others`` scenarios known by cuts.

    ``allowed`` (k,) bounds the shared columns, which are those of the scenario stated in full.
    """

    staged: Staged
    probability: Sequence[float]
    risk: Risk
    allowed: Floats

    @cached_property
    def keys(self) -> dict[Key, int]:
        """The number of each shared column."""
        return shared_keys([self.staged])

    @cached_property
    def operating_cost(self) -> Floats:
        """Cost of the operations before the reveal year per unit of each shared column (k,), the same in every scenario."""
        cost = np.zeros(len(self.keys))
        for place, key in zip(self.staged.common.tolist(), self.staged.keys, strict=True):
            if key[0] not in UNITS:
                cost[self.keys[key]] = self.staged.program.matrix.cost[place]
        return cost

    def form(self, cuts: Sequence[StandIn], *, others: bool = True) -> Extensive:
        """Return the master problem with these cuts; without ``others`` the scenario in full alone."""
        own = self.staged.program.matrix
        parts = [Part(own, shared_of(self.staged, self.keys), np.arange(own.a.shape[0]), self.probability[0] if others else 1.0)]
        if not others:
            return extensive(parts, len(self.keys), self.allowed, Risk())
        for number, weight in enumerate(self.probability[1:], start=1):
            matrix = self._stand_in([cut for cut in cuts if cut.scenario == number])
            shared = np.append(np.arange(len(self.keys)), -1)
            parts.append(Part(matrix, shared, np.arange(len(matrix.rows)), weight))
        return extensive(parts, len(self.keys), self.allowed, self.risk)

    def _stand_in(self, cuts: Sequence[StandIn]) -> Matrix:
        """Return a scenario known by its cuts: the shared columns, then its cost but for the operations before the reveal year."""
        from scipy.sparse import csc_array

        count = len(self.keys) + 1
        rows = [self.row(cut, count - 1) for cut in cuts]
        line = np.repeat(np.arange(len(rows)), [len(columns) for _, columns, _ in rows])
        place = np.concatenate([columns for _, columns, _ in rows]) if rows else np.empty(0, dtype=np.int64)
        value = np.concatenate([slope for _, _, slope in rows]) if rows else np.empty(0)
        return Matrix(
            columns=[None] * count,
            rows=[None] * len(rows),
            a=csc_array((value, (line, place)), shape=(len(rows), count)),
            cost=np.append(self.operating_cost, 1.0),
            offset=0.0,
            lower=np.append(np.full(count - 1, -np.inf), _NO_LESS),
            upper=np.full(count, np.inf),
            row_lower=np.array([constant for constant, _, _ in rows]),
            row_upper=np.full(len(rows), np.inf),
            integer=np.zeros(count, dtype=bool),
            column_scale=np.append(np.ones(count - 1), _COST_SCALE),
            row_scale=np.ones(len(rows)),
            cost_scale=1.0,
        )

    @staticmethod
    def row(cut: StandIn, cost_column: int) -> tuple[float, Ints, Floats]:
        """Return a cut as a row: its lower side, columns and coefficients."""
        sloping = np.flatnonzero(cut.slope)
        columns, slope = cut.columns[sloping], -cut.slope[sloping]
        return cut.constant, np.append(columns, cost_column) if cut.of_cost else columns, np.append(slope, 1.0) if cut.of_cost else slope

    def relaxed(self, form: Extensive) -> Matrix:
        """Return a form's matrix with parts of units allowed."""
        return replace(form.matrix, integer=np.zeros(len(form.matrix.cost), dtype=bool))

    def stand_in(self, scenario: int, told: Mapping[str, Any], names: Sequence[Key]) -> StandIn:
        """Return a cut from what a task tells of it, with the keys of its slope."""
        return StandIn(
            scenario,
            bool(told["of_cost"]),
            float(told["constant"]),
            np.array([self.keys[key] for key in names], dtype=np.int64),
            np.array(told["slope"], dtype=np.float64),
        )
