"""What holds the least share: the limits that would let it fall if they were wider, from duals where parts of units may be built.

The duals are those of the linear program that minimises ``v_over`` at the least share of the relaxation. They are local: they speak of
a little more. Where several limits hold together they may be one of several answers that are equally right; ``unique`` says
where that is excluded.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.least_cap.reach import Reach
from diversify.analyses.least_cap.search import Found
from diversify.analyses.least_cap.sentences import records
from diversify.analyses.solving import Limits, minimised
from diversify.network.ground import Floats
from diversify.planning.prices import fixed_program, row_sides
from diversify.planning.program import Answer, Program
from diversify.solve import Fixed

Records = list[dict[str, Any]]

_NOTHING_POINTS = 1e-4
"""Percentage points per per cent below which a limit is not worth a line."""

_PASSED_ON = {"commodity", "supply"}
"""Balances: they pass on what the limits hold, and limit nothing themselves."""

_PATH = "path"
"""Kind of a limit of the path itself that no share moves: that of its first listed year."""


def held_by(reach: Reach, found: Found, limits: Limits) -> tuple[Records, Records]:
    """Return what holds the least share of the relaxation: the limits by weight, and the caps' own rows.

    ``weight`` of a limit: by how many percentage points the share would fall if it were one per cent wider (what must be met: one
    per cent less). Where no share at all is in reach, the points are those by which the worst limit of the path is missed. Rows: cap,
    consumers, year and ``weight``, the part of each year (and consumer) in it; they add up to 1.
    """
    out_of_reach = math.isinf(found.proved_share)
    if not out_of_reach and not found.share:
        return [], []
    answer = _missed_least(reach, limits) if out_of_reach else _at(reach, found.share or 0.0, limits)
    fixed = None if answer.outcome.x is None else fixed_program(answer.program, answer.outcome.x, limits.options)
    if fixed is None:
        return [], []
    weighed = _weighed(reach, answer.program, fixed)
    kept = weighed[weighed["weight"] > _NOTHING_POINTS]
    order = kept.sort_values(["weight", "kind", "key", "year"], ascending=[False, True, True, True], kind="stable")
    return records(reach.statement.network, order), _own_rows(answer.program, fixed)


def _at(reach: Reach, share: float, limits: Limits, *, soft: bool = False) -> Answer:
    reach.demand(share, soft=soft)
    return minimised(reach.model, reach.over, limits, relaxed=True)


def _missed_least(reach: Reach, limits: Limits) -> Answer:
    """Return the point that misses the path's fixed limits by least, on the scale of its own arrivals."""
    first = _at(reach, 1.0, limits, soft=True)
    if first.outcome.x is None:
        return first
    reach.usual(reach.reached(first.point)[1])
    return _at(reach, 1.0, limits, soft=True)


def _own_rows(program: Program, fixed: Fixed) -> Records:
    index = program.statement.row_index["c_over"]
    weight = np.maximum(-fixed.dual[program.rows("c_over")], 0.0)
    return [
        {"cap": str(row["cap"]), "consumers": str(row["consumers"]), "year": int(row["year"]), "weight": float(part)}
        for row, part in zip(index.to_dict("records"), weight, strict=True)
        if part > _NOTHING_POINTS
    ]


def _weighed(reach: Reach, program: Program, fixed: Fixed) -> pd.DataFrame:
    """Return every limit: kind, table, key, year, size (in its own unit), weight, unique."""
    sides, dual = row_sides(program), fixed.dual
    listed = sides.listed
    worth = np.bincount(sides.price, weights=sides.amount * dual[sides.member], minlength=len(listed))
    size = np.zeros(len(listed))
    np.maximum.at(size, sides.price, _held(program, fixed.x)[sides.member])  # of rows that move together, the one that is spoken of
    hits = _hits(reach, program, fixed.x)
    capped = listed["kind"].isin(("cap", "floor")).to_numpy()
    named = zip(listed["kind"], listed["key"], listed["year"], strict=True)
    size[capped] = [hits.get((kind, key, int(year)), 0.0) for kind, key, year in named if kind in ("cap", "floor")]
    weight = np.sign(listed["factor"].to_numpy(dtype=np.float64)) * worth * size
    frame = listed[["kind", "table", "key", "year"]].assign(size=size, weight=weight, unique=sides.unique(fixed.unique))
    caps = reach.rows[reach.rows["cap"].isin(reach.aim.caps)]
    own = (frame["kind"] == "cap") & frame["key"].isin(caps["cap"] + "|" + caps["consumers"])
    others = frame[~frame["kind"].isin(_PASSED_ON) & ~own]
    fixed_limits = _fixed_limits(reach, program, fixed, hits)
    return pd.concat([others, fixed_limits], ignore_index=True) if len(fixed_limits) else others


def _held(program: Program, x: Floats) -> Floats:
    """Return how much each of the solver's rows holds (m,): the sum of its terms above zero."""
    a = program.matrix.a
    above = np.maximum(a.data * np.repeat(x, np.diff(a.indptr)), 0.0)
    return np.asarray(np.bincount(a.indices, weights=above, minlength=a.shape[0]), dtype=np.float64)


def _hits(reach: Reach, program: Program, x: Floats) -> dict[tuple[str, str, int], float]:
    """Return the tonnes per year that a cap or floor counts, by kind, key and year."""
    network, flow = program.statement.network, program.point(x).of("v_flow")
    policy, found = network.policy, {}
    for kind, rows, members, counted, key in (
        ("cap", policy.caps, policy.cap_flows, "hit", ["cap", "consumers"]),
        ("floor", policy.floors, policy.floor_flows, "sent", ["floor"]),
    ):
        tonnes = flow[members["flow"].to_numpy(dtype=np.int64)] * members[counted].to_numpy(dtype=np.float64)
        total = np.bincount(members["row"].to_numpy(dtype=np.int64), weights=tonnes, minlength=len(rows))
        for row, amount in zip(network.decoded(rows[[*key, "year"]]).to_dict("records"), total.tolist(), strict=True):
            found[kind, "|".join(str(row[name]) for name in key), int(row["year"])] = amount
    return found


def _fixed_limits(reach: Reach, program: Program, fixed: Fixed, hits: dict[tuple[str, str, int], float]) -> pd.DataFrame:
    """Return the limits of the path that no share moves, as rows like the others."""
    index = program.statement.row_index.get("c_held")
    if index is None or not len(index):
        return pd.DataFrame()
    position = program.rows("c_held")
    key = index["cap"].astype(object) + "|" + index["consumers"].astype(object)
    size = np.array([hits[("cap", name, int(year))] for name, year in zip(key, index["year"], strict=True)])
    caps = reach.statement.network.decoded(reach.rows[["cap", "consumers", "year"]]).assign(divisor=reach.divisor())
    divisor = index.merge(caps, on=["cap", "consumers", "year"], how="left")["divisor"].to_numpy(dtype=np.float64)
    dual = np.append(fixed.dual, 0.0)[position]
    unique = np.append(fixed.unique, True)[position]
    year = index["year"].astype("Int64")
    return pd.DataFrame(
        {"kind": _PATH, "table": "caps", "key": key, "year": year, "size": size, "weight": -dual * size / divisor, "unique": unique}
    )
