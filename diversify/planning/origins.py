"""Pro-rata origin: which part of every flow stems from a group of countries, and which from nowhere known.

A process output's share is its traced inputs' shares weighted by mass, plants in the group count 1, stocks by average
(FORMULATION "Tags"). It is the convention beside the traced one, which segregates batches.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from diversify.network.ground import NOBODY, Bools, Floats, Ints
from diversify.planning.graph import Graph, added_up, ratio, solve_chain


def origin_share(graph: Graph, members: Bools) -> Floats:
    """Return the pro-rata share that stems from the countries ``members`` (N,) in each flow (n_flows,)."""
    facilities = graph.network.plants.facilities
    plant = members[facilities["country"]] | members[facilities["owner"]]

    def hit(country: Ints) -> Bools:
        return np.where(country == NOBODY, False, members[country])

    return _shares(graph, plant[graph.runs["facility"]], hit)


def unknown_share(graph: Graph) -> Floats:
    """Return the share of unknown origin (initial stock and scrap without ``origin``) in each flow (n_flows,)."""
    return _shares(graph, np.zeros(len(graph.runs), dtype=bool), lambda country: country == NOBODY)


def _shares(graph: Graph, full: Bools, hit: Callable[[Ints], Bools]) -> Floats:
    """Follow shares through the years: runs in ``full`` make 1, scrap and initial stock are ``hit`` by their origin."""
    result = np.zeros(len(graph.network.cells.flows))
    pile = np.zeros(len(graph.uses))
    pile[graph.piles["node"]] = hit(graph.piles["origin"].to_numpy(dtype=np.int64)).astype(np.float64)
    for year in range(graph.years):
        share = _year(graph, year, full, hit, pile)
        flows = graph.shipped(year)
        result[flows.position] = share[flows.source]
        stored, _ = graph.net_store(year)
        added = stored * graph.network.ground.years.weight[year]
        before = graph.stock_before(year)
        pile = np.where(added > 0, ratio(before * pile + added * share[graph.at_use :], before + added), pile)
    return result


def _year(graph: Graph, year: int, full: Bools, hit: Callable[[Ints], Bools], pile: Floats) -> Floats:
    """Return the share at every node in one year: the average over what fed it, from one sparse system."""
    traced = graph.network.ground.traced
    made, used, shipped = graph.made(year), graph.used(year), graph.shipped(year)
    scrap = graph.scrap[graph.scrap["year"] == year]
    _, drawn = graph.net_store(year)
    feeds = [
        (made.target, made.source, made.tonnes * traced[made.commodity]),
        (used.target, used.source, used.tonnes * traced[used.commodity]),
        (shipped.target, shipped.source, shipped.tonnes),
    ]
    row, column, tonnes = (np.concatenate(part) for part in zip(*feeds, strict=True))
    node, returned = scrap["node"].to_numpy(dtype=np.int64), scrap["tonnes"].to_numpy(dtype=np.float64)
    weight = added_up(row, tonnes, graph.size) + added_up(node, returned, graph.size)
    weight[graph.at_use :] += drawn
    touched = hit(scrap["origin"].to_numpy(dtype=np.int64))
    source = added_up(node, returned * touched.astype(np.float64), graph.size)
    source[graph.at_use :] += drawn * pile
    source = ratio(source, weight)
    value = ratio(tonnes, weight[row])
    always = np.zeros(graph.size, dtype=bool)
    always[graph.at_run : graph.at_use] = full
    return solve_chain(row, column, np.where(always[row], 0.0, value), np.where(always, 1.0, source))
