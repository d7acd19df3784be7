"""How the world is divided among subsets of members: whose each thing is, and which share of it a subset has.

Whatever is a member's own is in a subset's case whole when the member is in the subset, and not at all when it is not.
The rest of the world, its supply and its demand alike, is in it at the subset's share of the members' demand, so that
the shares of subsets without a common member add up, and all members together have all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import pandas as pd

from diversify.analyses.coalition.members import Members
from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.network import Network
from diversify.network.cells import largest_capacity
from diversify.network.ground import Bools, Floats, Ground, Ints

OUTSIDE = -1
"""In place of a member's position: a third country."""


class Division:
    """The claims of the members of an instance.

    ``of_country`` (N,) is the position of each country's member, ``OUTSIDE`` for third countries. ``chain`` (C,) numbers the
    supply chains: commodities that recipes, plants, substitutes or returns connect. ``tonnes`` (N, K) is each country's
    demand in each chain over the horizon, in t.

    A member without demand, which only supplies, has a share of nothing; its own is its own. Raises UsageError where no member has any.
    """

    def __init__(self, instance: Instance, members: Members) -> None:
        self.instance, self.members, self.ground = instance, members, Ground(instance)
        known = members.of_country
        self.of_country = np.array([known.get(country, OUTSIDE) for country in self.ground.countries.names], dtype=np.int64)
        self.of_location: Ints = self.of_country[self.ground.location_country]
        self.chain = _chains(self.ground)
        self.tonnes = self._tonnes()
        if not self.tonnes[self.of_country != OUTSIDE].sum() > 0:
            names = ", ".join(member.name for member in members.members)
            raise UsageError(f"None of {names} has demand in the planning years, so there is nobody to be served, together or alone.")

    def _tonnes(self) -> Floats:
        ground, years = self.ground, self.ground.years
        result = np.zeros((len(ground.countries), int(self.chain.max(initial=0)) + 1))
        for (location, commodity), rows in self.instance.table("demand").groupby(["location", "commodity"]):
            quantity = rows["quantity_t_per_year"].to_numpy(dtype=np.float64)
            listed = rows["year"].to_numpy(dtype=np.float64, na_value=np.nan)
            by_year = quantity.repeat(len(years)) if np.isnan(listed).any() else years.interpolate(listed, quantity)
            country = ground.location_country[ground.locations.code(str(location))]
            result[country, self.chain[ground.commodities.code(str(commodity))]] += float(by_year @ years.weight)
        return result

    @cached_property
    def of_facility(self) -> dict[str, int]:
        """Whose each plant is: the member's on whose soil it stands; in a third country the member's that owns it, else outside."""
        table = self.instance.table("facilities")
        host = self.of_location[self.ground.locations.codes(table["location"])]
        owner = self.ground.countries.codes(table["owner"])
        owned = np.where(owner >= 0, self.of_country[owner], OUTSIDE)
        return dict(zip(table["facility"], np.where(host == OUTSIDE, owned, host).tolist(), strict=True))

    @cached_property
    def chain_of_facility(self) -> dict[str, int]:
        """The supply chain that each plant works in."""
        processes, table = self.instance.table("processes"), self.instance.table("facilities")
        reference = dict(zip(processes["process"], processes["reference"], strict=True))
        commodities = self.ground.commodities.codes(reference[process] for process in table["process"])
        return dict(zip(table["facility"], self.chain[commodities].tolist(), strict=True))

    @cached_property
    def sources(self) -> dict[tuple[str, str], dict[str, float]]:
        """The plants that make a commodity at a place, by place and commodity, with the most that each can run in a year (t)."""
        network = Network.of(self.instance)
        most = dict(zip(network.plants.labels.names, largest_capacity(network.plants).max(axis=1).tolist(), strict=True))
        recipes, facilities, modes = (self.instance.table(name) for name in ("recipes", "facilities", "modes"))
        made = recipes.loc[recipes["amount_t_per_t"] > 0, ["process", "commodity"]]
        runs = pd.concat([facilities[["facility", "process"]], modes[["facility", "process"]]]).drop_duplicates()
        rows = runs.merge(made, on="process").merge(facilities[["facility", "location"]], on="facility")
        found: dict[tuple[str, str], dict[str, float]] = {}
        for facility, place, commodity in rows[["facility", "location", "commodity"]].itertuples(index=False, name=None):
            found.setdefault((place, commodity), {})[facility] = most[facility]
        return found

    def buys(self, member: int, chain: int) -> bool:
        """Return whether a member has demand in a chain."""
        return bool(self.tonnes[self.of_country == member, chain].sum() > 0)

    def inside(self, subset: int) -> Bools:
        """Return which countries belong to a subset's members (N,)."""
        return np.isin(self.of_country, self.members.positions(subset))

    def share(self, subset: int, chain: int | None = None) -> float:
        """Return a subset's share of the members' demand in one chain; over all chains for None, or where no member buys from it."""
        demand = self.tonnes.sum(axis=1) if chain is None else self.tonnes[:, chain]
        total = demand[self.of_country != OUTSIDE].sum()
        return float(demand[self.inside(subset)].sum() / total) if total > 0 else self.share(subset)

    def shares(self, subset: int) -> Floats:
        """Return a subset's share of each chain (K,)."""
        return np.array([self.share(subset, chain) for chain in range(self.tonnes.shape[1])])

    def claim(self, subset: int, claimants: Bools, chain: int | None) -> float:
        """Return a subset's share of a limit that holds for several countries (N,) together.

        Members claim by their own demand, third countries by theirs at the subset's share of the outside. Members that buy
        nothing claim alike, each as much as another.
        """
        demand = self.tonnes.sum(axis=1) if chain is None else self.tonnes[:, chain]
        own, outside = claimants & (self.of_country != OUTSIDE), claimants & (self.of_country == OUTSIDE)
        if not demand[claimants].sum() > 0:
            return float((own & self.inside(subset)).sum() / own.sum()) if own.any() else self.share(subset, chain)
        claimed = demand[own & self.inside(subset)].sum() + self.share(subset, chain) * demand[outside].sum()
        return float(claimed / demand[claimants].sum())


def _chains(ground: Ground) -> Ints:
    """Number the connected sets of commodities (C,)."""
    group = np.arange(len(ground.commodities))
    for linked in _links(ground):
        codes = ground.commodities.codes(linked)
        group[np.isin(group, group[codes])] = group[codes].min()
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def _links(ground: Ground) -> Iterable[list[str]]:
    """Yield lists of commodities that belong to one chain: what one plant makes and uses, and what stands in for what."""
    recipes = ground.instance.table("recipes").groupby("process")["commodity"].agg(list).to_dict()
    facilities, modes = ground.instance.table("facilities"), ground.instance.table("modes")
    runs = pd.concat([facilities[["facility", "process"]], modes[["facility", "process"]]])
    for processes in runs.groupby("facility")["process"].agg(list):
        yield [commodity for process in processes for commodity in recipes[process]]
    for table, columns in (("substitutes", ["commodity", "substitute"]), ("returns", ["commodity", "scrap"])):
        yield from ground.instance.table(table)[columns].astype(str).to_numpy().tolist()
