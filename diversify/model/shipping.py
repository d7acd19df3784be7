"""Shipping: flows over lanes from supply sides to use sides, what leaves a supply side otherwise, and lane limits.

v_flow[i,o,j,c,g,t] t/yr of commodity c and tag g made at i by owner o and taken in at j; v_dispose and v_sell the t/yr
of a supply cell that are disposed of or sold to a market.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.model.statement import Statement, Terms
from diversify.network.cells import SUPPLY_KEY
from diversify.network.ground import Ground


def add(s: Statement) -> None:
    """Declare flows, disposal and sales; register their balance terms and costs; limit lanes and markets."""
    _flows(s)
    _disposal(s)
    _sales(s)
    c_lane_capacity(s)
    c_contract(s)
    c_restriction(s)
    c_market(s)


def _flows(s: Statement) -> None:
    ground, flows = s.network.ground, s.network.cells.flows
    scale = s.network.scale[flows["commodity"]]
    s.columns("v_flow", flows[["origin", "owner", "destination", "commodity", "tag", "year"]], scale=scale)
    column = np.arange(len(flows))
    s.supply("v_flow", flows["supply"], column, -1.0)
    s.use("v_flow", flows["use"], column, 1.0)
    discount = ground.years.discount[flows["year"]] / 1e6
    where = {
        "country": ground.countries.decode(flows["destination_country"].to_numpy()),
        "place": ground.locations.decode(flows["origin"].to_numpy()) + ">" + ground.locations.decode(flows["destination"].to_numpy()),
        "year": ground.years.label[flows["year"]],
    }
    s.cost("freight", "v_flow", column, flows["freight_usd_per_t"].to_numpy() * discount, **where)
    s.cost("tariff", "v_flow", column, flows["tariff_usd_per_t"].to_numpy() * discount, **where)


def _at_location(ground: Ground, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    location = frame["location"].to_numpy()
    return {
        "country": ground.countries.decode(ground.location_country[location]),
        "place": ground.locations.decode(location),
        "year": ground.years.label[frame["year"]],
    }


def _disposal(s: Statement) -> None:
    ground, supply = s.network.ground, s.network.cells.supply
    s.columns("v_dispose", supply[SUPPLY_KEY], scale=s.network.scale[supply["commodity"]])
    column = np.arange(len(supply))
    s.supply("v_dispose", column, column, -1.0)
    cost = ground.disposal_usd_per_t[supply["commodity"]] * ground.years.discount[supply["year"]] / 1e6
    s.cost("disposal", "v_dispose", column, cost, **_at_location(ground, supply))


def _sales(s: Statement) -> None:
    ground, sales = s.network.ground, s.network.cells.sold
    s.columns("v_sell", sales[SUPPLY_KEY], scale=s.network.scale[sales["commodity"]])
    column = np.arange(len(sales))
    s.supply("v_sell", sales["supply"], column, -1.0)
    revenue = sales["price_usd_per_t"].to_numpy() * ground.years.discount[sales["year"]] / 1e6
    s.cost("sales", "v_sell", column, -revenue, **_at_location(ground, sales))


def c_market(s: Statement) -> None:
    """sum over o,g of v_sell[l,o,c,g,t] <= limit_t_per_year of the market (t/yr)."""
    sales = s.network.cells.sold
    limited = sales[np.isfinite(sales["limit_t_per_year"])]
    key = ["location", "commodity", "year"]
    rows = limited[[*key, "limit_t_per_year"]].drop_duplicates(key).reset_index(drop=True)
    row = limited[key].merge(rows.assign(row=np.arange(len(rows))), on=key)["row"]
    s.rows("c_market", rows[key], [Terms.of("v_sell", row, limited.index, 1.0)], upper=rows["limit_t_per_year"])


def c_lane_capacity(s: Statement) -> None:
    """sum over o,g of v_flow[i,o,j,c,g,t] <= capacity_t_per_year of the lane (t/yr)."""
    lanes, flows = s.network.trade.lanes, s.network.cells.flows
    limited = np.flatnonzero(lanes["limited"].to_numpy()[flows["lane"]])
    part = flows.iloc[limited]
    key = ["origin", "destination", "commodity", "year"]
    rows = part[[*key, "lane"]].drop_duplicates().reset_index(drop=True)
    row = part[key].merge(rows.assign(row=np.arange(len(rows))), on=key)["row"]
    capacity = lanes["capacity_t_per_year"].to_numpy()[rows["lane"]]
    s.rows("c_lane_capacity", rows[key], [Terms.of("v_flow", row, limited, 1.0)], upper=capacity)


def c_contract(s: Statement) -> None:
    """sum over o,g of v_flow on the contract's lane >= minimum_t_per_year (t/yr)."""
    policy = s.network.policy
    terms = Terms.of("v_flow", policy.contract_flows["row"], policy.contract_flows["flow"], 1.0)
    s.rows("c_contract", policy.contracts[["contract", "year"]], [terms], lower=policy.contracts["minimum_t_per_year"])


def c_restriction(s: Statement) -> None:
    """sum of v_flow that the restriction matches <= limit_t_per_year (t/yr)."""
    policy = s.network.policy
    terms = Terms.of("v_flow", policy.limit_flows["row"], policy.limit_flows["flow"], 1.0)
    s.rows("c_restriction", policy.limits[["restriction", "year"]], [terms], upper=policy.limits["limit_t_per_year"])
