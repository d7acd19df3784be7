"""The plan's quantities as a graph of supply sides, runs and use sides, year by year, tags added up.

What is asked after the solve about origin and about who consumes is a Markov chain on this graph: upstream for the
origin of tonnes, downstream for the destination of dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from diversify.network import Network
from diversify.network.ground import Floats, Ints, filled

_LEAK = 1e-12
"""Share lost per step, so that goods circling without a source do not make a system singular."""

_STEPS = 300
"""Most steps along a chain before a system of equations is solved instead."""
_SETTLED = 1e-16
"""Largest change in a step, relative to the largest value, at which a chain has come to its end."""


@dataclass(frozen=True)
class Edges:
    """Edges of one year: node codes at either end and tonnes per year."""

    source: Ints
    target: Ints
    tonnes: Floats
    commodity: Ints
    position: Ints


class Graph:
    """Nodes and edges of a plan. Node codes: supply sides first, then runs, then use sides.

    ``supply`` (location, owner, commodity), ``runs`` (facility, process) and ``uses`` (location, commodity) are the
    nodes; ``stock`` (uses, T) is the level at the end of each year, ``load`` (runs, T) the capacity that each run takes.
    """

    def __init__(self, network: Network, values: Mapping[str, Floats]) -> None:
        """``values`` maps v_run, v_flow, v_deliver and v_stock to their values in the network's order."""
        self.network = network
        self._values = values
        cells = network.cells
        self.supply, self._supply_of = _nodes(cells.supply, ["location", "owner", "commodity"])
        self.runs, self._run_of = _nodes(cells.runs, ["facility", "process"])
        self.uses, self._use_of = _nodes(cells.use, ["location", "commodity"])
        self.at_run = len(self.supply)
        self.at_use = len(self.supply) + len(self.runs)
        self.size = self.at_use + len(self.uses)
        self.years = len(network.ground.years)

    def supply_node(self, cell: Ints) -> Ints:
        """Return the node of each supply cell."""
        return self._supply_of[cell]

    @cached_property
    def stock(self) -> Floats:
        """Stock at each use side at the end of each year (uses, T)."""
        stocks = self.network.cells.stocks
        level = np.zeros((len(self.uses), self.years))
        np.add.at(level, (self._use_of[stocks["use"]], stocks["year"].to_numpy()), self._values["v_stock"])
        return level

    @cached_property
    def initial_stock(self) -> Floats:
        """Stock at each use side before the first year (uses,)."""
        stock = np.zeros(len(self.uses))
        stock[self.piles["node"]] = self.piles["initial_t"]
        return stock

    @cached_property
    def piles(self) -> pd.DataFrame:
        """Use node, initial stock and its origin (country code) of each stockpile that can hold anything."""
        ground = self.network.ground
        table = ground.instance.table("stockpiles")
        piles = pd.DataFrame(
            {
                "location": ground.locations.codes(table["location"]),
                "commodity": ground.commodities.codes(table["commodity"]),
                "initial_t": filled(table, "stockpiles", "initial_t"),
                "origin": ground.countries.codes(table["origin"]),
            }
        )
        return piles.merge(self.uses.assign(node=np.arange(len(self.uses))), on=["location", "commodity"])

    def stock_before(self, year: int) -> Floats:
        """Return the stock at the beginning of a year (uses,)."""
        return self.initial_stock if year == 0 else self.stock[:, year - 1]

    def net_store(self, year: int) -> tuple[Floats, Floats]:
        """Return the t/yr stored and drawn at each use side in a year, net of each other."""
        change = (self.stock[:, year] - self.stock_before(year)) / self.network.ground.years.weight[year]
        return np.maximum(change, 0.0), np.maximum(-change, 0.0)

    @cached_property
    def load(self) -> Floats:
        """Capacity taken by each run in each year (runs, T)."""
        runs = self.network.cells.runs
        load = np.zeros((len(self.runs), self.years))
        np.add.at(load, (self._run_of, runs["year"].to_numpy()), runs["capacity_per_t"].to_numpy() * self._values["v_run"])
        return load

    def made(self, year: int) -> Edges:
        """Return what runs put on supply sides in a year (run to supply)."""
        return self._made[year]

    def used(self, year: int) -> Edges:
        """Return what runs take from use sides in a year (use to run)."""
        return self._used[year]

    def shipped(self, year: int) -> Edges:
        """Return flows in a year (supply to use); ``position`` is the row in the network's flows."""
        return self._shipped[year]

    @cached_property
    def _made(self) -> list[Edges]:
        cells = self.network.cells
        run, cell, amount = (cells.made[name].to_numpy() for name in ("run", "supply", "amount"))
        ends = self.at_run + self._run_of[run], self._supply_of[cell]
        return self._yearly(*ends, amount * self._values["v_run"][run], cells.supply, cell)

    @cached_property
    def _used(self) -> list[Edges]:
        cells = self.network.cells
        run, cell, amount = (cells.used[name].to_numpy() for name in ("run", "use", "amount"))
        ends = self.at_use + self._use_of[cell], self.at_run + self._run_of[run]
        return self._yearly(*ends, amount * self._values["v_run"][run], cells.use, cell)

    @cached_property
    def _shipped(self) -> list[Edges]:
        cells = self.network.cells
        supply, use = cells.flows["supply"].to_numpy(), cells.flows["use"].to_numpy()
        return self._yearly(self._supply_of[supply], self.at_use + self._use_of[use], self._values["v_flow"], cells.supply, supply)

    def _yearly(self, source: Ints, target: Ints, tonnes: Floats, cells: pd.DataFrame, cell: Ints) -> list[Edges]:
        """Split edges by the year, and tell their commodity, of the ``cell`` that each touches."""
        year, commodity = cells["year"].to_numpy()[cell], cells["commodity"].to_numpy()[cell]
        order = np.argsort(year, kind="stable")
        ends = np.searchsorted(year[order], np.arange(1, self.years))
        return [Edges(source[rows], target[rows], tonnes[rows], commodity[rows], rows) for rows in np.split(order, ends)]

    def delivered(self, year: int) -> Floats:
        """Return the t/yr delivered to demand at each node (size,)."""
        deliveries = self.network.cells.deliveries
        rows = np.flatnonzero(deliveries["year"] == year)
        node = self.at_use + self._use_of[deliveries["use"].to_numpy()[rows]]
        return added_up(node, self._values["v_deliver"][rows], self.size)

    @cached_property
    def scrap(self) -> pd.DataFrame:
        """Scrap returned: supply node, year, origin (country code) and t/yr."""
        cells = self.network.cells
        sales = cells.deliveries.assign(sold_t=self._values["v_deliver"])
        sales = sales.groupby(["location", "supplied", "year"])["sold_t"].sum().reset_index()
        sales = sales.rename(columns={"supplied": "sold", "year": "source_year"})
        scrap = cells.scrap.merge(sales, on=["location", "sold", "source_year"], how="left")
        sold = np.where(scrap["source_year"] < 0, scrap["past_t_per_year"], scrap["sold_t"].fillna(0.0))
        node = self._supply_of[scrap["supply"]]
        return pd.DataFrame({"node": node, "year": scrap["year"], "origin": scrap["origin"], "tonnes": scrap["scrap_t_per_t"] * sold})

    def outflow(self, edges: Edges, *, of_source: bool = True) -> Floats:
        """Return the t/yr of edges added up by node (size,), at their source or target."""
        return added_up(edges.source if of_source else edges.target, edges.tonnes, self.size)

    @cached_property
    def home(self) -> Ints:
        """Country code of each node (size,)."""
        ground = self.network.ground
        country = self.network.plants.facilities["country"].to_numpy()[self.runs["facility"]]
        parts = [ground.location_country[self.supply["location"]], country, ground.location_country[self.uses["location"]]]
        return np.concatenate(parts).astype(np.int64)


def solve_chain(row: Ints, column: Ints, value: Floats, source: Floats) -> Floats:
    """Return x = A x + source for the sparse A given by its entries.

    Step by step along the chain, which ends soon where little goes in circles; else as a system of equations.
    """
    from scipy.sparse import csr_array, eye_array  # here, since Pyomo must come before SciPy: see solve/matrix.py

    size = len(source)
    if size == 0:
        return source
    matrix = csr_array((value * (1.0 - _LEAK), (row, column)), shape=(size, size))
    reached = source
    for _ in range(_STEPS):
        before, reached = reached, matrix @ reached + source
        if np.abs(reached - before).max() <= _SETTLED * np.abs(reached).max():
            return np.asarray(reached, dtype=np.float64)
    from scipy.sparse.linalg import spsolve

    return np.asarray(spsolve((eye_array(size) - matrix).tocsc(), source), dtype=np.float64).reshape(size)


def added_up(node: Ints, amount: Floats, size: int) -> Floats:
    """Return amounts added up by node (size,); unlike ``bincount`` it stays a float where there are none."""
    return np.bincount(node, weights=amount, minlength=size).astype(np.float64)


def ratio(part: Floats, whole: Floats, otherwise: float = 0.0) -> Floats:
    """Return part / whole, and ``otherwise`` where the whole is nothing."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), otherwise)


def _nodes(cells: pd.DataFrame, key: list[str]) -> tuple[pd.DataFrame, Ints]:
    """Return the distinct nodes and the node of each cell."""
    nodes = cells[key].drop_duplicates().sort_values(key, ignore_index=True)
    position = cells[key].merge(nodes.assign(node=np.arange(len(nodes))), on=key, how="left")["node"]
    return nodes, position.to_numpy(dtype=np.int64)
