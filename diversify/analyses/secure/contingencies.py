"""Losses that a plan should survive: scenarios that are named, and N-1 losses that are generated from what a plan relies on.

A loss is one plant (standing capacity and what is built there), one supplier country's exports, or one commodity's trade from one
country to another, from the reveal year on for some years. Its size is the largest part that it has, in the first of those years, of
all that is made (plants) or taken in (countries and trades) of a commodity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from diversify.instance import Instance
from diversify.network.ground import records

GENERATED = ("plants", "countries", "lanes")
"""Kinds of losses that can be generated."""

_ROUNDING = 1e-9
"""Slack when a size is compared with the smallest asked for."""


@dataclass(frozen=True)
class Contingency:
    """One loss: its name for people, its kind (``scenario`` or one of :data:`GENERATED`), the changes that make it, and its size."""

    name: str
    kind: str
    changes: tuple[str, ...]
    size: float | None = None

    def applied(self, case: Instance) -> Instance:
        """Return the case with the loss in it."""
        return case.scenario(self.name) if self.kind == "scenario" else case.set(*self.changes)


@dataclass(frozen=True)
class Losses:
    """Which losses are generated: kinds, from what size on, and the first and last year that they last."""

    kinds: tuple[str, ...]
    above: float
    first_year: int
    last_year: int

    def of_plan(self, case: Instance, activity: pd.DataFrame, flows: pd.DataFrame) -> list[Contingency]:
        """Return the losses of what a plan relies on in the first year that they last, the largest first."""
        country = dict(zip(case.table("locations")["location"], case.table("locations")["country"], strict=True))
        activity, flows = activity[activity["year"] == self.first_year], flows[flows["year"] == self.first_year]
        flows = flows.assign(start=flows["origin"].map(country), end=flows["destination"].map(country))
        chain = Chain.of(case, activity, flows)
        found: list[Contingency] = []
        whole = flows.groupby("commodity")["quantity_t_per_year"].sum()
        crossing = flows[flows["start"] != flows["end"]]
        if "plants" in self.kinds:
            found += [self._plant(case, chain, name, size) for name, size in self._large(_plants(case, activity))]
        if "countries" in self.kinds:
            found += [self._country(case, chain, name, size) for name, size in self._large(_largest(crossing, ["start"], whole))]
        if "lanes" in self.kinds:
            found += [
                self._lane(case, chain, key, size) for key, size in self._large(_largest(crossing, ["start", "end", "commodity"], whole))
            ]
        return sorted(found, key=lambda each: (-(each.size or 0.0), each.name))

    def _large(self, sizes: Iterator[tuple[Any, float]]) -> Iterator[tuple[Any, float]]:
        return ((name, size) for name, size in sizes if size >= self.above - _ROUNDING)

    @property
    def _years(self) -> str:
        return f"first_year={self.first_year},last_year={self.last_year}"

    def _plant(self, case: Instance, chain: Chain, facility: str, size: float) -> Contingency:
        name = f"loss of {facility}"
        text = f"+outages[outage={_quoted(name)},facility={_quoted(facility)},{self._years},available=0]"
        place, made, used = _made_and_used(case, facility)
        reached, supply = chain.after(lambda row: False, {(place, commodity) for commodity in made})

        def impossible(row: Mapping[str, Any]) -> bool:
            return (row["origin"], row["commodity"]) in supply or (row["destination"] == place and row["commodity"] in used)

        return Contingency(name, "plants", (text, *self._relieved(case, reached, impossible)), size)

    def _country(self, case: Instance, chain: Chain, country: str, size: float) -> Contingency:
        name, inside = f"no exports of {country}", _places(case, country)
        return self._ban(case, chain, name, "countries", (country, "*", "*"), size, lambda row: _between(row, inside, None))

    def _lane(self, case: Instance, chain: Chain, key: tuple[str, str, str], size: float) -> Contingency:
        start, end, commodity = key
        starts, ends = _places(case, start), _places(case, end)
        name = f"no {commodity} from {start} to {end}"
        return self._ban(case, chain, name, "lanes", key, size, lambda row: row["commodity"] == commodity and _between(row, starts, ends))

    def _ban(
        self, case: Instance, chain: Chain, name: str, kind: str, key: tuple[str, str, str], size: float, lost: Matches
    ) -> Contingency:
        start, end, commodity = key
        fields = f"restriction={_quoted(name)},origin={start},destination={end},commodity={_quoted(commodity)}"
        text = f"+restrictions[{fields},{self._years},limit_t_per_year=0]"
        reached, supply = chain.after(lost, set())

        def impossible(row: Mapping[str, Any]) -> bool:
            return lost(row) or (row["origin"], row["commodity"]) in supply

        return Contingency(name, kind, (text, *self._relieved(case, reached, impossible)), size)

    def _relieved(self, case: Instance, reached: set[str], impossible: Matches) -> Iterator[str]:
        """Yield changes that relieve those whom a loss reaches: contracts that cannot be fulfilled end, and plants need not run."""
        least = case.table("facilities").set_index("facility")["utilisation_min"].fillna(0.0)
        for facility in sorted(reached):
            if least[facility] > 0:
                yield f"facilities[facility={_quoted(facility)}].utilisation_min=0"
        for row in records(case.table("contracts").astype(object)):
            starts = row["first_year"] if pd.notna(row["first_year"]) else case.years[0]
            ends = row["last_year"] if pd.notna(row["last_year"]) else case.years[-1]
            if not impossible(row) or ends < self.first_year or starts > self.last_year:
                continue
            chosen = f"contracts[contract={_quoted(str(row['contract']))}]"
            yield f"{chosen}.last_year={self.first_year - 1}" if starts < self.first_year else f"-{chosen}"


Matches = Callable[[Mapping[str, Any]], bool]
"""Whether a row with origin, destination and commodity is meant."""


@dataclass(frozen=True)
class Chain:
    """Who supplies whom in a plan's year: what plants that run take in and give out at their places, and what is shipped."""

    takes: list[tuple[str, str, str]]
    gives: list[tuple[str, str, str]]
    flows: list[dict[str, Any]]

    @classmethod
    def of(cls, case: Instance, activity: pd.DataFrame, flows: pd.DataFrame) -> Chain:
        """Read it from the rows of one year."""
        place = dict(zip(case.table("facilities")["facility"], case.table("facilities")["location"], strict=True))
        lines = activity[["facility", "process"]].drop_duplicates().merge(case.table("recipes"), on="process")
        sides: tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]] = ([], [])
        for facility, commodity, amount in zip(lines["facility"], lines["commodity"], lines["amount_t_per_t"], strict=True):
            sides[amount > 0].append((facility, place[facility], commodity))
        return cls(*sides, records(flows[["origin", "destination", "commodity"]].drop_duplicates()))

    def after(self, lost: Matches, supply: set[tuple[str, str]]) -> tuple[set[str], set[tuple[str, str]]]:
        """Return the plants that some flows, or what is supplied at some places, reach through the chain, and all that is supplied so."""
        while True:
            arrives = {
                (row["destination"], row["commodity"]) for row in self.flows if (row["origin"], row["commodity"]) in supply or lost(row)
            }
            reached = {facility for facility, place, commodity in self.takes if (place, commodity) in arrives}
            further = supply | {(place, commodity) for facility, place, commodity in self.gives if facility in reached}
            if further == supply:
                return reached, supply
            supply = further


def named(case: Instance, scenarios: Sequence[str]) -> list[Contingency]:
    """Return the contingencies of scenarios of a case; UsageError for an unknown one."""
    for name in scenarios:
        case.scenario(name)
    return [Contingency(name, "scenario", ()) for name in scenarios]


def _places(case: Instance, country: str) -> set[str]:
    locations = case.table("locations")
    return {str(place) for place in locations.loc[locations["country"] == country, "location"]}


def _between(row: Mapping[str, Any], starts: set[str], ends: set[str] | None) -> bool:
    """Return whether a row leads from some places to others; None: to any but the first."""
    return row["origin"] in starts and (row["destination"] not in starts if ends is None else row["destination"] in ends)


def _made_and_used(case: Instance, facility: str) -> tuple[str, set[str], set[str]]:
    """Return a plant's place, and the commodities that it can make and takes in, in any of its modes."""
    facilities, modes, recipes = case.table("facilities"), case.table("modes"), case.table("recipes")
    own = facilities[facilities["facility"] == facility]
    processes = {*own["process"], *modes.loc[modes["facility"] == facility, "process"]}
    lines = recipes[recipes["process"].isin(processes)]
    made, used = lines["amount_t_per_t"] > 0, lines["amount_t_per_t"] < 0
    return str(own["location"].iloc[0]), set(lines.loc[made, "commodity"]), set(lines.loc[used, "commodity"])


def _plants(case: Instance, activity: pd.DataFrame) -> Iterator[tuple[str, float]]:
    """Yield each plant that runs with the largest part that it makes of a commodity."""
    recipes = case.table("recipes")
    made = activity.merge(recipes[recipes["amount_t_per_t"] > 0], on="process")
    made = made.assign(quantity=made["activity_t_per_year"] * made["amount_t_per_t"])
    part = made.groupby(["facility", "commodity"])["quantity"].sum() / made.groupby("commodity")["quantity"].sum()
    for facility, size in part.groupby(level="facility").max().items():
        yield str(facility), float(size)


def _largest(crossing: pd.DataFrame, key: list[str], whole: pd.Series) -> Iterator[tuple[Any, float]]:
    """Yield each group of flows with the largest part that it is of all of a commodity."""
    parts = crossing.groupby(list(dict.fromkeys([*key, "commodity"])))["quantity_t_per_year"].sum()
    share = parts / whole.reindex(parts.index.get_level_values("commodity")).to_numpy()
    for name, size in share.groupby(level=key if len(key) > 1 else key[0]).max().items():
        yield name, float(size)


def _quoted(name: str) -> str:
    """Return a name as the grammar of changes takes it: literal, whatever signs it holds."""
    return '"' + name.replace('"', '""') + '"'
