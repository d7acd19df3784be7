"""Shares: caps on the part of what consumers take in that comes from the sources, and floors on what makers send out.

v_excess[k,n,t] t/yr by which consumers n exceed cap k in year t, where the excess has a price.
"""

from __future__ import annotations

import numpy as np

from diversify.model.statement import Statement, Terms


def add(s: Statement) -> None:
    """Declare the priced excess, the caps and the floors."""
    _excess(s)
    c_cap(s)
    c_floor(s)


def _excess(s: Statement) -> None:
    ground, caps = s.network.ground, s.network.policy.caps
    priced = caps[caps["excess_usd_per_t"].notna()]
    scale = s.network.scale[priced["commodity"].to_numpy(dtype=np.int64)]
    s.columns("v_excess", priced[["cap", "consumers", "year"]], scale=scale)
    year = priced["year"].to_numpy(dtype=np.int64)
    cost = priced["excess_usd_per_t"].to_numpy(dtype=np.float64) * ground.years.discount[year] / 1e6
    where = {"country": priced["consumers"].to_numpy(dtype=object), "place": priced["cap"].to_numpy(dtype=object)}
    s.cost("cap_excess", "v_excess", np.arange(len(priced)), cost, year=ground.years.label[year], **where)


def c_cap(s: Statement) -> None:
    """sum of v_flow to the consumers from the sources - share x sum of all v_flow to them - v_excess <= 0 (t/yr)."""
    caps, members = s.network.policy.caps, s.network.policy.cap_flows
    share = caps["share"].to_numpy(dtype=np.float64)[members["row"]]
    priced = np.flatnonzero(caps["excess_usd_per_t"].notna())
    terms = [
        Terms.of("v_flow", members["row"], members["flow"], members["hit"].to_numpy() - share),
        Terms.of("v_excess", priced, np.arange(len(priced)), -1.0),
    ]
    s.rows("c_cap", caps[["cap", "consumers", "year"]], terms, upper=0.0)


def c_floor(s: Statement) -> None:
    """sum of v_flow from the makers - share x sum of v_flow to the consumers >= 0 (t/yr)."""
    floors, members = s.network.policy.floors, s.network.policy.floor_flows
    share = floors["share"].to_numpy(dtype=np.float64)[members["row"]]
    coefficient = members["sent"].to_numpy() - share * members["taken"].to_numpy()
    s.rows("c_floor", floors[["floor", "year"]], [Terms.of("v_flow", members["row"], members["flow"], coefficient)], lower=0.0)
