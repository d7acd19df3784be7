"""Cost by consumer: every dollar moves on with the goods that it paid for, until these are delivered.

A plant's cost goes to the products that it ships by value (price x tonnes; by tonnes where nothing has a price), a
place's to what leaves it by tonnes, a stock's to what is drawn from it. Cost that serves nothing (idle plants, goods
left in stock) stays in its country. The parts sum to the objective.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.network.ground import Floats
from diversify.planning.graph import Edges, Graph, added_up, ratio, solve_chain

_PLANT = ("variable", "fixed", "capital")
_SUPPLY = ("disposal", "sales")
_PLACE = ("shortage", "substitution", "cap_excess")


def consumer_costs(graph: Graph, costs: pd.DataFrame, supply_costs: Floats) -> pd.DataFrame:
    """Return country, year and discounted million USD, from the plan's ``costs``.

    ``supply_costs`` (supply nodes, T) is the cost of disposal less the revenue of sales at each supply side.
    """
    ground = graph.network.ground
    names = ground.countries.decode(graph.home)
    pool = np.zeros(len(graph.uses))
    parts = []
    for year in range(graph.years):
        label = int(ground.years.label[year])
        of_year = costs[costs["year"] == label]
        start, kept = _entering(graph, of_year, supply_costs[:, year], year)
        _, drawn = graph.net_store(year)
        released = pool * ratio(drawn * ground.years.weight[year], graph.stock_before(year))
        start[graph.at_use :] += released
        absorbed, stored = _pushed(graph, start, year)
        pool = pool - released + stored + _holding(graph, of_year, year)
        parts.append(pd.concat([kept, pd.DataFrame({"country": names, "musd": absorbed})]).assign(year=label))
    left = pd.DataFrame({"country": names[graph.at_use :], "musd": pool, "year": int(ground.years.label[-1])})
    total = pd.concat([*parts, left]).groupby(["country", "year"])["musd"].sum().reset_index()
    return pd.DataFrame(total.loc[total["musd"] != 0.0, ["country", "year", "musd"]]).reset_index(drop=True)


def _entering(graph: Graph, costs: pd.DataFrame, supply_cost: Floats, year: int) -> tuple[Floats, pd.DataFrame]:
    """Return the million USD entering at each node in one year, and what stays in its country at once."""
    start = np.zeros(graph.size)
    served, idle = _plant_costs(graph, costs, year)
    credit, kept = _supply_costs(graph, supply_cost, year)
    start[graph.at_run : graph.at_use] = served + credit[graph.at_run : graph.at_use]
    shipped, flows = graph.shipped(year), graph.network.cells.flows
    per_tonne = (flows["freight_usd_per_t"] + flows["tariff_usd_per_t"]).to_numpy()[shipped.position]
    landed = shipped.tonnes * per_tonne * graph.network.ground.years.discount[year] / 1e6
    start += added_up(shipped.target, landed, graph.size)
    return start, pd.concat([costs.loc[costs["category"].isin(_PLACE), ["country", "musd"]], idle, kept])


def _plant_costs(graph: Graph, costs: pd.DataFrame, year: int) -> tuple[Floats, pd.DataFrame]:
    """Split each plant's cost over its runs by the capacity that they take; an idle plant's stays at home."""
    plants, ground = graph.network.plants, graph.network.ground
    own = costs[costs["category"].isin(_PLANT)].groupby("facility")["musd"].sum()
    cost = np.zeros(len(plants.labels))
    cost[plants.labels.codes(own.index)] = own.to_numpy()
    facility, load = graph.runs["facility"].to_numpy(), graph.load[:, year]
    total = added_up(facility, load, len(cost))
    country = ground.countries.decode(plants.facilities["country"].to_numpy(dtype=np.int64))
    idle = pd.DataFrame({"country": country, "musd": np.where(total > 0, 0.0, cost)})
    return cost[facility] * ratio(load, total[facility]), idle


def _supply_costs(graph: Graph, cost: Floats, year: int) -> tuple[Floats, pd.DataFrame]:
    """Charge disposal and sales of each supply side to the runs that made the goods; those of scrap stay at home."""
    made = graph.made(year)
    total = graph.outflow(made, of_source=False)
    node_cost = np.zeros(graph.size)
    node_cost[: graph.at_run] = cost
    charged = added_up(made.source, ratio(made.tonnes, total[made.target]) * node_cost[made.target], graph.size)
    names = graph.network.ground.countries.decode(graph.home)
    return charged, pd.DataFrame({"country": names, "musd": np.where(total > 0, 0.0, node_cost)})


def _holding(graph: Graph, costs: pd.DataFrame, year: int) -> Floats:
    """Spread the holding cost of each place over the stocks that lie there."""
    ground = graph.network.ground
    held = costs[costs["category"] == "holding"].groupby("facility")["musd"].sum()
    cost = np.zeros(len(ground.locations))
    cost[ground.locations.codes(held.index)] = held.to_numpy()
    place, level = graph.uses["location"].to_numpy(), graph.stock[:, year]
    return np.asarray(cost[place] * ratio(level, added_up(place, level, len(cost))[place]), dtype=np.float64)


def _pushed(graph: Graph, start: Floats, year: int) -> tuple[Floats, Floats]:
    """Push one year's cost downstream; return what stays at each node, and what goes into stock at each use side."""
    shipped, used = graph.shipped(year), graph.used(year)
    made = _by_value(graph, graph.made(year), graph.outflow(shipped), year)
    stored = np.zeros(graph.size)
    stored[graph.at_use :], _ = graph.net_store(year)
    final = graph.delivered(year)
    moving = graph.outflow(made) + graph.outflow(shipped) + graph.outflow(used)
    leaving = moving + stored + final
    source, target, tonnes = (
        np.concatenate([getattr(edges, end) for edges in (made, shipped, used)]) for end in ("source", "target", "tonnes")
    )
    passed = solve_chain(target, source, ratio(tonnes, leaving[source]), start)
    return passed * ratio(final, leaving, otherwise=1.0), (passed * ratio(stored, leaving))[graph.at_use :]


def _by_value(graph: Graph, made: Edges, shipped: Floats, year: int) -> Edges:
    """Return the edges from runs to their products weighted by value, of products that are shipped at all."""
    price = graph.network.ground.price_usd_per_t[made.commodity, year]
    sent = shipped[made.target] > 0
    value = np.where(sent, made.tonnes * price, 0.0)
    priced = added_up(made.source, value, graph.size)[made.source] > 0
    return Edges(made.source, made.target, np.where(priced, value, np.where(sent, made.tonnes, 0.0)), made.commodity, made.position)
