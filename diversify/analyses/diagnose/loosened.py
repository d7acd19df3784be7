"""The case as a model from which its policy can be taken: the same plans, with columns for what policy forbids.

A ban leaves its flows out of the network, and a project has no columns before it may come on line. Here both are in, and rows
forbid them: ``c_restriction`` the banned flows, ``c_not_before`` what is early. With all rows in force the model holds the plans of
the case and no others; without some of them it holds those of a case with another policy. Lead times stay: they are physics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.instance import Instance
from diversify.model import Statement
from diversify.model.statement import Terms
from diversify.network.ground import Floats, Ground, Ints, filled
from diversify.network.plants import Plants
from diversify.network.trade import Trade
from diversify.planning import build_model
from diversify.planning.program import STATEMENT, Program

_BAN_T = 1e-9
"""Limit in t/yr that stands for a ban whose flows are kept: below what the solver can tell from zero."""


@dataclass(frozen=True)
class Loosened:
    """The model of ``instance`` (the case itself) with columns for what its policy forbids.

    ``early`` lists what no project may do yet: project (code), year (position), row (the solver's). ``start`` (P,) is the calendar
    year from which each project may come on line, as the case has it.
    """

    instance: Instance
    program: Program
    early: pd.DataFrame
    start: Floats

    @classmethod
    def of(cls, instance: Instance) -> Loosened:
        """State and compile the model."""
        ground = Ground(instance)
        plants = Plants.of(ground)
        model = build_model(_unbound(instance, Trade.of(ground, plants), ground))
        statement: Statement = getattr(model, STATEMENT)
        early = _not_before(statement, plants)
        program = Program.of(model)
        earliest, decided, lead = (
            plants.projects[name].to_numpy(dtype=np.float64) for name in ("earliest_year", "decided_year", "lead_years")
        )
        return cls(instance, program, early.assign(row=program.rows("c_not_before")), np.maximum(earliest, decided + lead))

    @property
    def statement(self) -> Statement:
        """The statement of the model."""
        return self.program.statement

    def rows(self, name: str) -> pd.DataFrame:
        """Return the index of a constraint (names and calendar years) with the solver's ``row``; rows that it does not see left out."""
        index = self.statement.row_index[name]
        found = index.assign(row=self.program.rows(name))
        return found[found["row"] >= 0].reset_index(drop=True)

    def codes(self, years: pd.Series) -> Ints:
        """Return the positions of calendar years among the planning years."""
        return np.searchsorted(self.statement.network.ground.years.label, years.to_numpy(dtype=np.int64)).astype(np.int64)


def _unbound(instance: Instance, trade: Trade, ground: Ground) -> Instance:
    """Return the case with the flows of bans, projects from as early as their lead times allow, and contracts that have a lane."""
    restrictions, projects, contracts = (instance.table(name) for name in ("restrictions", "projects", "contracts"))
    limit = filled(restrictions, "restrictions", "limit_t_per_year")
    first = int(ground.years.label[0])
    lanes = set(trade.lanes[["origin", "destination", "commodity"]].itertuples(index=False, name=None))
    on_lane = [
        key in lanes
        for key in zip(
            ground.locations.codes(contracts["origin"]).tolist(),
            ground.locations.codes(contracts["destination"]).tolist(),
            ground.commodities.codes(contracts["commodity"]).tolist(),
            strict=True,
        )
    ]
    return instance.replace(
        restrictions=restrictions.assign(limit_t_per_year=np.where(limit == 0.0, _BAN_T, limit)),
        projects=projects.assign(
            earliest_year=projects["earliest_year"].mask(projects["earliest_year"].notna()),
            decided_year=projects["decided_year"].mask((projects["decided_year"] > first).fillna(False)),
        ),
        contracts=contracts[np.array(on_lane, dtype=bool)],
    )


def _not_before(statement: Statement, plants: Plants) -> pd.DataFrame:
    """State ``c_not_before``: v_build[p,t] + v_open[p,t] <= 0 for every year in which the case itself lets no unit come on line."""
    loose = statement.network.plants
    allowed = set(plants.online[["project", "year"]].itertuples(index=False, name=None))
    new = np.array([key not in allowed for key in loose.online[["project", "year"]].itertuples(index=False, name=None)], dtype=bool)
    position = np.flatnonzero(new)
    row_of = np.full(len(loose.online), -1)
    row_of[position] = np.arange(len(position))
    opened = row_of[loose.openings["online"].to_numpy(dtype=np.int64)]
    terms = [
        Terms.of("v_build", np.arange(len(position)), position, 1.0),
        Terms.of("v_open", opened[opened >= 0], np.flatnonzero(opened >= 0), 1.0),
    ]
    early = loose.online.loc[new, ["project", "year"]].reset_index(drop=True)
    statement.rows("c_not_before", early, terms, upper=0.0)
    return early
