"""The case of a subset of members: the instance as those see it who act together without the others.

Each rule is one table's: which part of a row is in the case (1 what is the members' own, 0 what is the others', a share of
what is a third country's), and which of its figures that part concerns. A third country's project keeps its number
of units; their size and capital cost are scaled, so that a tonne costs the same at every share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from diversify import schema
from diversify.analyses.coalition.division import OUTSIDE, Division
from diversify.instance import Instance
from diversify.network.ground import Floats, Ints, records

_SIZES = ("unit_t_per_year", "max_t_per_year", "min_t_per_year", "capex_unit_musd", "capex_first_musd")

_FIGURES: Mapping[str, tuple[str, ...]] = {
    "facilities": ("capacity_t_per_year", "reserve_t"),
    "capacities": ("capacity_t_per_year",),
    "outages": (),
    "modes": (),
    "projects": _SIZES,
    "demand": ("quantity_t_per_year",),
    "markets": ("limit_t_per_year",),
    "stockpiles": ("initial_t", "capacity_t", "final_min_t"),
    "returns": ("past_t_per_year",),
    "lanes": ("capacity_t_per_year",),
    "contracts": ("minimum_t_per_year",),
    "restrictions": ("limit_t_per_year",),
    "budgets": ("limit_musd",),
}
"""The figures of each table that are quantities or sums of money, and so are in a case in part."""

_STAYS_AT_ZERO = ("restrictions", "budgets")
"""Tables whose rows stay when the part is nothing: a limit of zero says something."""


def case_of(division: Division, subset: int) -> Instance:
    """Return the case of a subset of members; that of all members is the instance itself."""
    instance = division.instance
    if subset == division.members.all:
        return instance
    slices = _Slices(division, subset)
    changed = {name: _cut(name, frame, part) for name, (frame, part) in slices.tables().items()}
    changed["facilities"] = changed["facilities"].assign(utilisation_min=slices.must_run(changed["facilities"]))
    kept = {name: frame if len(frame) else None for name, frame in changed.items()}
    return instance.replace(**kept, floors=slices.floors(), figures=None, scenarios=None, changes=None)


def _cut(name: str, frame: pd.DataFrame, part: Floats) -> pd.DataFrame:
    columns = {column: frame[column] * part for column in _FIGURES[name]}
    cut = frame.assign(**columns)
    return cut if name in _STAYS_AT_ZERO else cut[part > 0]


class _Slices:
    """The rows of every table that the division concerns, and the part of each that is in a subset's case."""

    def __init__(self, division: Division, subset: int) -> None:
        self.division, self.subset = division, subset
        self.inside = set(division.members.positions(subset))
        self.shares = division.shares(subset)

    def tables(self) -> dict[str, tuple[pd.DataFrame, Floats]]:
        rules: Mapping[str, Callable[[pd.DataFrame], Floats]] = {
            **dict.fromkeys(("facilities", "capacities", "outages", "modes", "projects"), self._of_plants),
            **dict.fromkeys(("demand", "stockpiles", "markets", "returns"), self._of_places),
            "lanes": self._of_lanes,
            "contracts": self._of_contracts,
            "restrictions": self._of_restrictions,
            "budgets": self._of_budgets,
        }
        frames = {name: self._spread(name) for name in rules}
        return {name: (frames[name], rule(frames[name])) for name, rule in rules.items()}

    def must_run(self, facilities: pd.DataFrame) -> pd.Series:
        """Return the minimum utilisation of plants: that of a member which buys nothing of the chain is owed to its buyers, of whom
        only a part is there.
        """
        whose = [self.division.of_facility[name] for name in facilities["facility"]]
        chains = [self.division.chain_of_facility[name] for name in facilities["facility"]]
        supplies = [at != OUTSIDE and not self.division.buys(at, chain) for at, chain in zip(whose, chains, strict=True)]
        return facilities["utilisation_min"] * np.where(supplies, self.shares[chains], 1.0)

    def floors(self) -> pd.DataFrame | None:
        """Return the floors that somebody in the case could fulfil: those of which not all makers are members left out."""
        table, ground = self.division.instance.table("floors"), self.division.ground
        present = self.division.inside(self.subset) | (self.division.of_country == OUTSIDE)
        kept = table[[bool((ground.select(str(makers)) & present).any()) for makers in table["makers"]]]
        return kept if len(kept) else None

    def _part(self, whose: Ints, chain: Ints) -> Floats:
        """Return the part of things by whose they are and by chain: whole, none, or the share."""
        own = np.isin(whose, list(self.inside)).astype(np.float64)
        return np.where(whose == OUTSIDE, self.shares[chain], own)

    def _chain(self, commodities: pd.Series) -> Ints:
        return self.division.chain[self.division.ground.commodities.codes(commodities)]

    def _at(self, locations: pd.Series) -> Ints:
        return self.division.of_location[self.division.ground.locations.codes(locations)]

    def _of_plants(self, frame: pd.DataFrame) -> Floats:
        whose = np.array([self.division.of_facility[name] for name in frame["facility"]], dtype=np.int64)
        return self._part(whose, np.array([self.division.chain_of_facility[name] for name in frame["facility"]], dtype=np.int64))

    def _of_places(self, frame: pd.DataFrame) -> Floats:
        everywhere = (frame["location"] == schema.EVERYTHING).to_numpy()
        named = self._part(self._at(frame["location"]), self._chain(frame["commodity"]))
        return np.where(everywhere, 1.0, named)

    def _ends(self, frame: pd.DataFrame) -> tuple[Ints, Ints]:
        return self._at(frame["origin"]), self._at(frame["destination"])

    def _of_lanes(self, frame: pd.DataFrame) -> Floats:
        """A lane with an end at a member is the member's; one between third countries is shared."""
        origin, destination = self._ends(frame)
        chain = self._chain(frame["commodity"])
        parts = np.minimum(self._part(origin, chain), self._part(destination, chain))
        between = (origin == OUTSIDE) & (destination == OUTSIDE)
        return np.where(between, parts, (parts > 0).astype(np.float64))

    def _of_contracts(self, frame: pd.DataFrame) -> Floats:
        """A contract holds at the share, since what it takes from is there in part; and for no more than the part of its makers there."""
        _, destination = self._ends(frame)
        chain = self._chain(frame["commodity"])
        supplied = [self._supply(str(row["origin"]), str(row["commodity"])) for row in records(frame)]
        return np.minimum(np.minimum(supplied, self._part(destination, chain)), self.shares[chain])

    def _supply(self, place: str, commodity: str) -> float:
        """Return the part in the case of what the plants making a commodity at a place can run; of the place, where none makes it."""
        makers = self.division.sources.get((place, commodity), {})
        frame, most = pd.DataFrame({"facility": list(makers)}), np.array(list(makers.values()))
        if most.sum() > 0:
            return float(self._of_plants(frame) @ most / most.sum())
        return float(self._part(self._at(pd.Series([place])), self._chain(pd.Series([commodity])))[0])

    def _of_restrictions(self, frame: pd.DataFrame) -> Floats:
        """A limit is claimed by those who buy under it; one on what members alone send out, by these."""
        ground, division = self.division.ground, self.division
        parts = []
        for row in records(frame):
            senders = ground.select(row["origin"])
            claimants = ground.select(row["destination"]) if (senders & (division.of_country == OUTSIDE)).any() else senders
            everything = row["commodity"] == schema.EVERYTHING
            chain = None if everything else int(division.chain[ground.commodities.code(row["commodity"])])
            parts.append(division.claim(self.subset, claimants, chain))
        return np.array(parts, dtype=np.float64)

    def _of_budgets(self, frame: pd.DataFrame) -> Floats:
        return np.array(
            [self.division.claim(self.subset, self.division.ground.select(str(payer)), None) for payer in frame["payer"]], dtype=np.float64
        )

    def _spread(self, name: str) -> pd.DataFrame:
        """Return a table with rows for every place (``*``) spelt out at third countries' places, where only a part is in the case."""
        table = self.division.instance.table(name)
        if name not in ("markets", "returns"):
            return table
        key = ["location", *(column for column in schema.TABLES[name].key if column != "location")]
        general = table[table["location"] == schema.EVERYTHING]
        parts = [table, *(general.assign(location=place) for place in self._third_places())]
        spread = pd.concat(parts, ignore_index=True)
        return spread.drop_duplicates(key, keep="first", ignore_index=True)

    def _third_places(self) -> list[str]:
        names = self.division.ground.locations.names
        return [name for name, whose in zip(names, self.division.of_location, strict=True) if whose == OUTSIDE]
