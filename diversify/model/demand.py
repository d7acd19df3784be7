"""Demand: deliveries of what is wanted or of a substitute, shortage, and scrap that comes back from sales.

v_deliver[l,c,d,g,t] t/yr of d delivered for demand of c at l (d = c, or a substitute of it), tag g; v_short[l,c,t] t/yr
of demand not met; v_handover[l,c,g,h,t] t/yr of tag g handed over at a use side as the less clean tag h.
"""

from __future__ import annotations

import numpy as np

from diversify.model.statement import Statement, Terms


def add(s: Statement) -> None:
    """Declare deliveries, shortage and hand-overs; register their balance terms and costs."""
    _deliveries(s)
    _shortage(s)
    _handovers(s)
    _scrap(s)
    c_demand(s)
    c_substitute(s)


def _deliveries(s: Statement) -> None:
    ground, deliveries = s.network.ground, s.network.cells.deliveries
    scale = s.network.scale[deliveries["supplied"]]
    s.columns("v_deliver", deliveries[["location", "commodity", "supplied", "tag", "year"]], scale=scale)
    column = np.arange(len(deliveries))
    s.use("v_deliver", deliveries["use"], column, -1.0)
    extra = (deliveries["extra_usd_per_t"] / deliveries["ratio_t_per_t"]).to_numpy() * ground.years.discount[deliveries["year"]] / 1e6
    location = deliveries["location"].to_numpy()
    s.cost(
        "substitution",
        "v_deliver",
        column,
        extra,
        country=ground.countries.decode(ground.location_country[location]),
        place=ground.locations.decode(location),
        year=ground.years.label[deliveries["year"]],
    )


def _shortage(s: Statement) -> None:
    ground, demand = s.network.ground, s.network.cells.demand
    priced = demand[demand["shortage_usd_per_t"].notna()]
    s.columns(
        "v_short",
        priced[["location", "commodity", "year"]],
        upper=priced["quantity"].to_numpy(dtype=np.float64),
        scale=s.network.scale[priced["commodity"].to_numpy(dtype=np.int64)],
    )
    year, location = priced["year"].to_numpy(dtype=np.int64), priced["location"].to_numpy(dtype=np.int64)
    s.cost(
        "shortage",
        "v_short",
        np.arange(len(priced)),
        priced["shortage_usd_per_t"].to_numpy(dtype=np.float64) * ground.years.discount[year] / 1e6,
        country=ground.countries.decode(ground.location_country[location]),
        place=ground.locations.decode(location),
        year=ground.years.label[year],
    )


def _handovers(s: Statement) -> None:
    handovers = s.network.cells.handovers
    scale = s.network.scale[handovers["commodity"]]
    s.columns("v_handover", handovers[["location", "commodity", "tag", "as_tag", "year"]], scale=scale)
    column = np.arange(len(handovers))
    s.use("v_handover", handovers["use"], column, -1.0)
    s.use("v_handover", handovers["as_use"], column, 1.0)


def _scrap(s: Statement) -> None:
    """Scrap returned = scrap_t_per_t x sales in the planning year that holds t - lag_years; past sales are constants."""
    cells = s.network.cells
    scrap = cells.scrap[cells.scrap["source_year"] >= 0]
    scrap = scrap[["supply", "scrap_t_per_t", "sold", "location", "source_year"]]
    deliveries = cells.deliveries.assign(column=np.arange(len(cells.deliveries)))
    deliveries = deliveries[["column", "location", "supplied", "year"]].rename(columns={"supplied": "sold", "year": "source_year"})
    terms = scrap.merge(deliveries, on=["location", "sold", "source_year"])
    s.supply("v_deliver", terms["supply"], terms["column"], terms["scrap_t_per_t"])


def c_demand(s: Statement) -> None:
    """sum over d,g of v_deliver[l,c,d,g,t] / ratio + v_short[l,c,t] = demand[l,c,t] (t/yr of what is wanted)."""
    demand, deliveries = s.network.cells.demand, s.network.cells.deliveries
    priced = np.flatnonzero(demand["shortage_usd_per_t"].notna())
    terms = [
        Terms.of("v_deliver", deliveries["demand"], np.arange(len(deliveries)), 1.0 / deliveries["ratio_t_per_t"].to_numpy()),
        Terms.of("v_short", priced, np.arange(len(priced)), 1.0),
    ]
    quantity = demand["quantity"]
    s.rows("c_demand", demand[["location", "commodity", "year"]], terms, lower=quantity, upper=quantity)


def c_substitute(s: Statement) -> None:
    """sum over g of v_deliver[l,c,d,g,t] / ratio <= max_share demand[l,c,t] for each substitute d (t/yr of what is wanted)."""
    demand, deliveries = s.network.cells.demand, s.network.cells.deliveries
    limited = np.flatnonzero(np.isfinite(deliveries["max_share"]))
    part = deliveries.iloc[limited]
    key = ["location", "commodity", "supplied", "year"]
    rows = part[[*key, "demand", "max_share"]].drop_duplicates(key).reset_index(drop=True)
    row = part[key].merge(rows.assign(row=np.arange(len(rows))), on=key)["row"]
    upper = rows["max_share"] * demand["quantity"].to_numpy(dtype=np.float64)[rows["demand"]]
    s.rows("c_substitute", rows[key], [Terms.of("v_deliver", row, limited, 1.0 / part["ratio_t_per_t"].to_numpy())], upper=upper)
