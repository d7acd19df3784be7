"""Prices: the duals of the rows, with the plan's integers fixed, in money per tonne of their year.

They are local: they say what a little more or less would cost while what is built stays as it is. ``unique`` is false
where the dual is not proved unique; then it is one of several that are equally right.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.model import Statement
from diversify.network.ground import Bools, Floats

_YEARLY = {
    "c_use": ("commodity", "locations", ("location", "commodity", "tag")),
    "c_demand": ("demand", "demand", ("location", "commodity")),
    "c_cap": ("cap", "caps", ("cap", "consumers")),
    "c_floor": ("floor", "floors", ("floor",)),
    "c_restriction": ("restriction", "restrictions", ("restriction",)),
    "c_contract": ("contract", "contracts", ("contract",)),
    "c_lane_capacity": ("lane", "lanes", ("origin", "destination", "commodity")),
    "c_capacity": ("capacity", "facilities", ("facility",)),
    "c_market": ("market", "markets", ("location", "commodity")),
}
"""Rows that hold in one year, with the kind of price, the table and the key that they speak of."""

_ONCE = {
    "c_budget": ("budget", "budgets", "budget"),
    "c_units_max": ("project", "projects", "project"),
    "c_reserve": ("reserve", "facilities", "facility"),
}
"""Rows over several years: million USD per million of budget, per unit of a project, per tonne of reserve."""

_SIGN = {"c_use": 1.0, "c_demand": 1.0, "c_floor": 1.0, "c_contract": 1.0}
"""Balances, demands and floors cost what one more tonne of their side costs; limits are turned, so that relief saves."""


def prices(statement: Statement, dual: dict[str, Floats], unique: dict[str, Bools]) -> pd.DataFrame:
    """Return the table ``prices`` from the duals of the statement's rows, by constraint name in the order of their index.

    ``usd_per_t`` is undiscounted money of the row's year; ``musd`` the total discounted effect of one unit of the side.
    """
    years = statement.network.ground.years
    discount = dict(zip(years.label.tolist(), years.discount.tolist(), strict=True))
    parts = []
    for name, (kind, table, key) in _YEARLY.items():
        index = statement.row_index.get(name)
        if index is None or not len(index):
            continue
        proved = unique[name]
        value = _SIGN.get(name, -1.0) * dual[name]
        if name == "c_demand":
            extra, doubtful = _of_substitutes(statement, dual, unique)
            value, proved = value + extra, proved & ~doubtful
        part = pd.DataFrame({"kind": kind, "table": table, "key": _joined(index, key), "year": index["year"].to_numpy()})
        part["usd_per_t"] = value / index["year"].map(discount).to_numpy() * 1e6
        parts.append(part.assign(musd=np.nan, unique=proved))
    for name, (kind, table, column) in _ONCE.items():
        index = statement.row_index.get(name)
        if index is not None and len(index):
            part = pd.DataFrame({"kind": kind, "table": table, "key": index[column].to_numpy(), "year": pd.NA, "usd_per_t": np.nan})
            parts.append(part.assign(musd=-dual[name], unique=unique[name]))
    columns = ["kind", "table", "key", "year", "usd_per_t", "musd", "unique"]
    if not parts:
        return pd.DataFrame(columns=columns)
    total = pd.concat(parts, ignore_index=True).astype({"year": "Int64"})
    return total[(total["usd_per_t"].fillna(0.0).abs() > 1e-9) | (total["musd"].fillna(0.0).abs() > 1e-12)][columns].reset_index(drop=True)


def _of_substitutes(statement: Statement, dual: dict[str, Floats], unique: dict[str, Bools]) -> tuple[Floats, Bools]:
    """Return what a tonne more of each demand is worth at the limits on its substitutes, which grow with it, and where that is not unique.

    Both (rows of c_demand,). A limit is max_share x demand, so its dual counts max_share times.
    """
    demand = statement.row_index["c_demand"]
    extra, doubtful = np.zeros(len(demand)), np.zeros(len(demand), dtype=bool)
    limits = statement.row_index.get("c_substitute")
    if limits is None or not len(limits):
        return extra, doubtful
    key = ["location", "commodity", "year"]
    deliveries = statement.network.cells.deliveries
    shares = statement.network.decoded(deliveries[[*key, "supplied"]]).assign(max_share=deliveries["max_share"].to_numpy())
    share = limits.merge(shares.drop_duplicates([*key, "supplied"]), on=[*key, "supplied"], how="left")["max_share"].to_numpy()
    position = pd.MultiIndex.from_frame(demand[key]).get_indexer(pd.MultiIndex.from_frame(limits[key]))
    np.add.at(extra, position, share * dual["c_substitute"])
    np.logical_or.at(doubtful, position, ~unique["c_substitute"])
    return extra, doubtful


def _joined(index: pd.DataFrame, key: tuple[str, ...]) -> pd.Series:
    text = index[key[0]].astype(object)
    for column in key[1:]:
        text = text + "|" + index[column].astype(object)
    return text


def cap_prices(statement: Statement, dual: Floats, arrived: Floats) -> pd.DataFrame:
    """Return usd_per_t (of the year) and musd_per_point (discounted, per percentage point of share) of each row of c_cap.

    Raising a cap's share by d lets d x arrivals more tonnes come from the sources, hence the second from the first.
    """
    index = statement.row_index["c_cap"]
    years = statement.network.ground.years
    discount = index["year"].map(dict(zip(years.label.tolist(), years.discount.tolist(), strict=True))).to_numpy(dtype=np.float64)
    saved = np.maximum(-dual, 0.0)
    return index.assign(usd_per_t=saved / discount * 1e6, musd_per_point=saved * arrived * 0.01)
