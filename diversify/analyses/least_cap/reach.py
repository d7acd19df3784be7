"""The model of a question: nothing limits the caps, shortage is limited, and one column says by how much limits are missed.

The share that a plan reaches is a ratio (tonnes that hit over tonnes that arrive), and both move. For a given share the model is
linear: ``v_over`` is the most by which any row's hits lie above what its limit lets through of its arrivals,

    v_over >= (hits[r] - limit[r](share) arrivals[r]) / (way[r] arrivals[r] of a known plan)   for every row r of the caps,

so a plan keeps the limits at that share if and only if it has v_over <= 0, and v_over is about the part of the share that is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyomo.core as pyo

from diversify.analyses.cap_path import lifted
from diversify.analyses.least_cap.aim import Aim
from diversify.model import Statement
from diversify.model.statement import Terms
from diversify.network.ground import Floats
from diversify.planning import build_model
from diversify.planning.extract import Point
from diversify.planning.program import STATEMENT

_SMALL_WAY = 0.01
"""The least way by which a row is divided: nearer the start of a path the division would only blow up its coefficients."""

_LEAST_OVER = -2.0
"""Bound of v_over, which only has to say whether it can be below zero."""

_NOTHING = 1e-6
"""Part of a row's usual arrivals below which tonnes are the solver's noise: its tolerance for rows."""

_SLACK = 1e-7
"""Part of the demand by which shortage may exceed what is allowed: the exactness to which the reference plan is known."""


@dataclass
class Reach:
    """A model with the caps of an aim lifted and shortage limited; ``arrived`` (m,) are each cap row's usual arrivals in t/yr."""

    aim: Aim
    model: pyo.ConcreteModel
    arrived: Floats

    @classmethod
    def of(cls, aim: Aim, allowed: Sequence[Mapping[str, Any]]) -> Reach:
        """State the model. ``allowed`` are records of commodity, year and the shortage (t/yr) that a plan may have of it."""
        model = build_model(lifted(aim.instance, aim.caps))
        limit_shortage(model, allowed)
        statement: Statement = getattr(model, STATEMENT)
        statement.columns("v_over", pd.DataFrame({"of": ["caps"]}))
        for variable in model.v_over.values():
            variable.domain = pyo.Reals
            variable.setlb(_LEAST_OVER)
        caps = statement.network.policy.caps
        usual = statement.network.scale[caps["commodity"].to_numpy(dtype=np.int64)] if len(caps) else np.empty(0)
        return cls(aim, model, usual)

    @property
    def statement(self) -> Statement:
        """The statement of the model."""
        found: Statement = getattr(self.model, STATEMENT)
        return found

    @property
    def rows(self) -> pd.DataFrame:
        """The network's cap rows."""
        return self.statement.network.policy.caps

    @property
    def over(self) -> Any:
        """The Pyomo variable to minimise."""
        return next(iter(self.model.v_over.values()))

    def demand(self, share: float, *, soft: bool = False) -> None:
        """State the rows ``c_over`` for a share, and ``c_held`` for limits that no share moves; ``soft`` lets those count in v_over too."""
        limit, moves, divisor = self.aim.limits(self.rows, share), self.aim.moves(self.rows), self.divisor()
        served = np.bincount(self.statement.network.policy.cap_flows["row"].to_numpy(dtype=np.int64), minlength=len(limit)) > 0
        fixed = served & ~moves & (limit < 1.0)
        self._state("c_over", (served & moves) | (fixed & soft), limit, 1.0 / divisor, over=True)
        self._state("c_held", fixed & (not soft), limit, 1.0 / divisor, over=False)

    def divisor(self) -> Floats:
        """Return what each row of ``c_over`` is divided by (m,), in t/yr."""
        return np.maximum(self.aim.way(self.rows), _SMALL_WAY) * self.arrived

    def _state(self, name: str, chosen: np.ndarray, limit: Floats, factor: Floats, *, over: bool) -> None:
        if self.model.component(name) is not None:
            self.model.del_component(name)
        self.statement.row_index.pop(name, None)
        position = np.cumsum(chosen) - 1
        members = self.statement.network.policy.cap_flows
        row = members["row"].to_numpy(dtype=np.int64)
        kept = chosen[row]
        row, flow, hit = row[kept], members["flow"].to_numpy(dtype=np.int64)[kept], members["hit"].to_numpy(dtype=np.float64)[kept]
        terms = [Terms.of("v_flow", position[row], flow, (hit - limit[row]) * factor[row])]
        if over:
            terms.append(Terms.of("v_over", np.arange(int(chosen.sum())), np.zeros(int(chosen.sum())), -1.0))
        self.statement.rows(name, pd.DataFrame(self.rows[chosen])[["cap", "consumers", "year"]], terms, upper=0.0)

    def reached(self, point: Point) -> tuple[Floats, Floats]:
        """Return each cap row's share (m,), 0 where nothing arrives, and its arrivals (m,) in t/yr."""
        members, count = self.statement.network.policy.cap_flows, len(self.rows)
        row, flow = members["row"].to_numpy(dtype=np.int64), point.of("v_flow")[members["flow"].to_numpy(dtype=np.int64)]
        arrived = np.bincount(row, weights=flow, minlength=count)
        hits = np.bincount(row, weights=flow * members["hit"].to_numpy(dtype=np.float64), minlength=count)
        noise = _NOTHING * self.arrived
        share = np.where(hits > noise, hits / np.where(hits > noise, arrived, 1.0), 0.0)
        return share, np.asarray(arrived, dtype=np.float64)

    def usual(self, arrived: Floats) -> None:
        """Take a plan's arrivals (m,) for the usual ones."""
        self.arrived = np.where(arrived > 0.01 * self.arrived, arrived, self.arrived)


def limit_shortage(model: pyo.ConcreteModel, allowed: Sequence[Mapping[str, Any]]) -> None:
    """Add ``c_shortage``: the shortage of each commodity in each year, over all places, is at most what is allowed (t/yr)."""
    statement: Statement = getattr(model, STATEMENT)
    network = statement.network
    demand = network.cells.demand
    priced = demand[demand["shortage_usd_per_t"].notna()].reset_index(drop=True)
    rows = pd.DataFrame(priced.groupby(["commodity", "year"])["quantity"].sum()).reset_index()
    row = priced[["commodity", "year"]].merge(rows.assign(row=np.arange(len(rows))), on=["commodity", "year"], how="left")["row"]
    known = {(each["commodity"], int(each["year"])): float(each["quantity_t_per_year"]) for each in allowed}
    named = network.decoded(rows[["commodity", "year"]])
    limit = np.array([known.get((name, int(year)), 0.0) for name, year in named.itertuples(index=False, name=None)])
    terms = [Terms.of("v_short", row, np.arange(len(priced)), 1.0)]
    statement.rows("c_shortage", rows[["commodity", "year"]], terms, upper=limit + _SLACK * rows["quantity"].to_numpy(dtype=np.float64))
