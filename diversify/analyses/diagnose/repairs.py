"""The least change of policy that gives a plan: the model with every lever free at the price of its points.

A share's limit is tonnes that hit over tonnes that arrive, and both move; its lever loosens the row by points of share times what
arrives. What arrives is guessed (the demand), read off the point that is found, and the search repeated with that. The shares of a
repair are those that its point reaches, so the point itself satisfies the repaired case. With shares a repair is the least found;
without them it is the least to within the gap.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.diagnose.changes import changes
from diversify.analyses.diagnose.levers import Lever, levers, stretch_of
from diversify.analyses.diagnose.loosened import Loosened
from diversify.analyses.solving import Limits
from diversify.network.ground import Floats
from diversify.solve import Outcome, run, stretched

_ROUNDS = 4
"""How often what arrives is read off and the search repeated."""

_SETTLED = 1e-3
"""Part of the points by which a further round must be better to be followed by another."""

_NOTHING = 1e-6
"""Part of a repair's points below which a change is the solver's noise."""


_SPARE = 1e-6
"""Part by which a last resort may be used more than was found to be needed: room for the solver's tolerance."""

_ROUNDINGS = ((4, 0), (8, 0), (4, 1))
"""Digits of the changes that are tried, and how much of the last digit is added. Outward is not always easier: demand that is
given up may leave no room for what a contract brings; then finer figures keep nearer to the point that was found."""


@dataclass(frozen=True)
class Repair:
    """Levers and how far each is moved, with the ``points`` in all; ``stopped`` is how the search ended."""

    moved: tuple[tuple[Lever, float], ...]
    points: float
    stopped: str

    def as_dict(self, loose: Loosened) -> dict[str, Any]:
        """Return the repair as a JSON object; ``tries`` are its changes in round figures, in finer ones, and with a little to spare."""
        tries = [[change.as_dict() for change in changes(loose, self.moved, *rounding)] for rounding in _ROUNDINGS]
        groups = sorted({lever.group for lever, _ in self.moved})
        return {"stopped": self.stopped, "points": self.points, "groups": groups, "tries": tries}


def least_repair(loose: Loosened, limits: Limits, *, tables: Collection[str], without: Collection[str] = (), last: str = "") -> Repair:
    """Return the least repair with the levers of some tables, without those of some groups; none moved where there is none.

    ``stopped`` is then ``infeasible`` if that is proved. The table ``last`` is a last resort: first its levers are moved as little as
    can be whatever the others do, and then, with no more than that, the others.
    """
    free = [lever for lever in levers(loose) if lever.table in tables and lever.group not in without]
    if not last:
        return _least(loose, limits, free, [lever.points for lever in free])
    first = _least(loose, limits, free, [lever.points if lever.table == last else 0.0 for lever in free])
    if not first.moved:
        return first
    needed = {lever.cells: amount for lever, amount in first.moved if lever.table == last}
    free = [
        replace(lever, most=needed[lever.cells] * (1.0 + _SPARE)) if lever.table == last else lever
        for lever in free
        if lever.table != last or lever.cells in needed
    ]
    second = _least(loose, limits, free, [0.0 if lever.table == last else lever.points for lever in free])
    moved = tuple((lever, min(amount, needed.get(lever.cells, amount))) for lever, amount in second.moved)
    return replace(second, moved=moved)


def _least(loose: Loosened, limits: Limits, free: list[Lever], price: list[float]) -> Repair:
    """Return the repair at which the levers' prices add up to the least; its points are the levers' own."""
    shares = _Shares.of(loose)
    best, least, size = Repair((), np.inf, "infeasible"), np.inf, shares.usual()
    cost_of = dict(zip(free, price, strict=True))
    for _ in range(_ROUNDS):
        outcome = run(stretched(loose.program.matrix, stretch_of(free, size, price)), limits.options)
        if outcome.stopped == "interrupted":
            raise KeyboardInterrupt
        if outcome.x is None:
            return best if best.moved else Repair((), np.inf, outcome.stopped)
        reached, arrived = shares.reached(outcome)
        moved = _moved(free, outcome.x[len(loose.program.matrix.cost) :], shares.needed(reached))
        before, cost = least, sum(cost_of[lever] * amount for lever, amount in moved)
        if cost < least:
            best, least = Repair(moved, sum(lever.points * amount for lever, amount in moved), outcome.stopped), cost
        if not any(lever.share for lever, _ in moved) or cost > (1.0 - _SETTLED) * before:
            break
        size = np.where(arrived > 0.0, arrived, size)
    return best


def _moved(free: list[Lever], amounts: Floats, needed: Floats) -> tuple[tuple[Lever, float], ...]:
    """Return what moves and how far: shares by as much as the point needs, all listed years of one in proportion."""
    total = float(sum(lever.points * amount for lever, amount in zip(free, amounts, strict=True)))
    moved = [(lever, float(amount)) for lever, amount in zip(free, amounts, strict=True) if lever.points * amount > _NOTHING * total]
    lifted = np.zeros(len(needed))
    for lever, amount in moved:
        if lever.share:
            lifted[list(lever.rows)] += np.abs(lever.amounts) * amount
    factor: dict[str, float] = {}
    for lever, _ in moved:
        if lever.share:
            rows = np.array(lever.rows)
            lift = lifted[rows]
            ratio = np.where(lift > 0.0, needed[rows] / np.where(lift > 0.0, lift, 1.0), 0.0)
            factor[lever.group] = max(factor.get(lever.group, 0.0), float(ratio.max()))
    scaled = [(lever, amount * factor.get(lever.group, 1.0)) for lever, amount in moved]
    return tuple((lever, amount) for lever, amount in scaled if amount > 0.0)


@dataclass(frozen=True)
class _Shares:
    """The rows of caps and floors: ``listed`` has row (the solver's), limit and whether it is a floor; ``members`` the flows of each.

    ``members``: at (position in ``listed``), flow, hit (counts above the line), taken (counts below it).
    """

    loose: Loosened
    listed: pd.DataFrame
    members: pd.DataFrame

    @classmethod
    def of(cls, loose: Loosened) -> _Shares:
        policy, network = loose.statement.network.policy, loose.statement.network
        caps = policy.cap_flows.assign(taken=1)
        floors = policy.floor_flows.rename(columns={"sent": "hit"})
        parts = []
        for name, frame, members, key in (
            ("c_cap", policy.caps, caps, ["cap", "consumers", "year"]),
            ("c_floor", policy.floors, floors, ["floor", "year"]),
        ):
            named = network.decoded(frame[key]).assign(limit=frame["share"].to_numpy(dtype=np.float64), position=np.arange(len(frame)))
            listed = loose.rows(name).merge(named, on=key, how="left").assign(floor=name == "c_floor")
            mine = members.rename(columns={"row": "position"}).merge(listed[["position", "row"]].astype(np.int64), on="position")
            parts.append((listed[["row", "limit", "floor"]], mine[["row", "flow", "hit", "taken"]].astype(np.int64)))
        listed = pd.concat([part for part, _ in parts], ignore_index=True).astype({"row": np.int64, "limit": np.float64, "floor": bool})
        members = pd.concat([part for _, part in parts], ignore_index=True)
        at = members.merge(listed[["row"]].assign(at=np.arange(len(listed))), on="row")
        return cls(loose, listed, at)

    def usual(self) -> Floats:
        """Return a first guess of what arrives at each row of the solver (m,): the demand there, else a typical quantity; else 1."""
        network = self.loose.statement.network
        flows = network.cells.flows.loc[self.members["flow"], ["destination", "commodity", "year"]].reset_index(drop=True)
        taken = flows.assign(at=self.members["at"].to_numpy())[self.members["taken"].to_numpy() > 0]
        wanted = network.cells.demand.rename(columns={"location": "destination"})[["destination", "commodity", "year", "quantity"]]
        demand = taken.drop_duplicates().merge(wanted, on=["destination", "commodity", "year"]).groupby("at")["quantity"].sum()
        typical = taken.groupby("at")["commodity"].first().map(lambda code: network.scale[code])
        size = np.ones(self.loose.program.matrix.a.shape[0])
        guess = pd.Series(1.0, index=range(len(self.listed)))
        guess.update(typical.astype(float))
        guess.update(demand[demand > 0.0].astype(float))
        size[self.listed["row"].to_numpy()] = guess.to_numpy()
        return size

    def reached(self, outcome: Outcome) -> tuple[Floats, Floats]:
        """Return the share that a point reaches at each row of the solver and what arrives there (m,); zero at other rows."""
        assert outcome.x is not None
        flow = self.loose.program.point(outcome.x).of("v_flow")[self.members["flow"].to_numpy()]
        count = len(self.listed)
        hit, taken = (
            np.bincount(self.members["at"], weights=flow * self.members[column].to_numpy(dtype=np.float64), minlength=count)
            for column in ("hit", "taken")
        )
        share, arrived = np.zeros((2, self.loose.program.matrix.a.shape[0]))
        rows = self.listed["row"].to_numpy()
        arrived[rows] = taken
        share[rows] = np.where(taken > 0.0, hit / np.where(taken > 0.0, taken, 1.0), self.listed["limit"])
        return share, arrived

    def needed(self, reached: Floats) -> Floats:
        """Return by how much each row's share must move (m,) for what is reached; zero at other rows."""
        needed = np.zeros(len(reached))
        rows = self.listed["row"].to_numpy()
        beyond = (reached[rows] - self.listed["limit"].to_numpy()) * np.where(self.listed["floor"], -1.0, 1.0)
        needed[rows] = np.maximum(beyond, 0.0)
        return needed
