"""Shares against the caps, and how concentrated each consumer's supply is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.network import Network
from diversify.network.ground import Floats
from diversify.planning.graph import Graph, added_up
from diversify.planning.origins import origin_share, unknown_share


def shares(network: Network, graph: Graph, flow: Floats, excess: Floats) -> pd.DataFrame:
    """Return one row per cap, consumers and year: share, limit, excess, pro-rata share and tonnes of unknown origin.

    ``flow`` and ``excess`` are the values of v_flow and v_excess.
    """
    policy = network.policy
    caps, members = policy.caps, policy.cap_flows
    count = len(caps)
    row, position = members["row"].to_numpy(dtype=np.int64), members["flow"].to_numpy(dtype=np.int64)
    arrived = added_up(row, flow[position], count)
    hit = added_up(row, flow[position] * members["hit"].to_numpy(dtype=np.float64), count)
    unknown = unknown_share(graph) if count else np.zeros(len(flow))
    pro_rata = np.zeros(count)
    sources = dict(network.ground.instance.table("caps")[["cap", "sources"]].itertuples(index=False, name=None))
    for name in sorted(set(sources.values())):
        share = origin_share(graph, network.ground.select(name))
        stemming = added_up(row, flow[position] * share[position], count)
        pro_rata = np.where(caps["cap"].map(sources) == name, stemming, pro_rata)
    over = np.zeros(count)
    over[np.flatnonzero(caps["excess_usd_per_t"].notna())] = excess
    any_arrived = np.where(arrived > 0, arrived, 1.0)
    return network.decoded(caps[["cap", "consumers", "year"]]).assign(
        share=hit / any_arrived,
        limit=caps["share"].to_numpy(dtype=np.float64),
        excess_t=over,
        pro_rata_share=pro_rata / any_arrived,
        unknown_t=added_up(row, flow[position] * unknown[position], count),
    )


def concentration(network: Network, flows: pd.DataFrame) -> pd.DataFrame:
    """Return where each consumer country's arrivals of each commodity were made, as shares, with the HHI (0 to 1).

    The HHI is the sum of squared shares of the countries of the last step. From the plan's ``flows``.
    """
    country = dict(network.ground.instance.table("locations")[["location", "country"]].itertuples(index=False, name=None))
    stage = dict(network.ground.instance.table("commodities")[["commodity", "stage"]].itertuples(index=False, name=None))
    made = flows.assign(country=flows["origin"].map(country), consumers=flows["destination"].map(country))
    key = ["commodity", "consumers", "year"]
    quantity = made.groupby([*key, "country"])["quantity_t_per_year"].sum().reset_index()
    total = quantity.groupby(key)["quantity_t_per_year"].transform("sum")
    quantity["share"] = quantity["quantity_t_per_year"] / total
    quantity["hhi"] = quantity["share"].pow(2).groupby([quantity[name] for name in key]).transform("sum")
    quantity["stage"] = quantity["commodity"].map(stage).fillna("")
    return quantity[["commodity", "stage", "consumers", "year", "country", "share", "hhi"]]
