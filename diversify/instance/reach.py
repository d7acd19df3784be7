"""Where a commodity can be made and used, and between which places it can move."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from diversify.instance.draft import Draft
from diversify.schema import EVERYTHING


class Reach:
    """Who can make what, and who can use it, by the tables alone: capacities, bans and years are not looked at.

    ``makers`` and ``users`` map a commodity to places; ``owners`` maps (place, commodity) to the countries that own
    the plants which make it there (the place's own country for returned scrap).
    """

    def __init__(self, draft: Draft) -> None:
        """Work out the makers and users of a draft."""
        self.country = {place: country for _, place, country in draft.rows("locations", "location", "country")}
        self.members = _members(draft)
        self.unions = {country: union for _, country, union in draft.rows("countries", "country", "customs_union") if union is not None}
        self.inputs: dict[str, dict[str, float]] = defaultdict(dict)
        self.outputs: dict[str, dict[str, float]] = defaultdict(dict)
        for _, process, commodity, amount in draft.rows("recipes", "process", "commodity", "amount_t_per_t"):
            if amount is not None and process is not None and commodity is not None:
                (self.outputs if amount > 0 else self.inputs)[process][commodity] = abs(amount)
        self.demands = {
            (place, good) for _, place, good in draft.rows("demand", "location", "commodity") if place is not None and good is not None
        }
        self.substitutes: dict[str, set[str]] = defaultdict(set)
        for _, wanted, substitute in draft.rows("substitutes", "commodity", "substitute"):
            self.substitutes[wanted].add(substitute)
        self.freight = {good for _, good in draft.rows("freight", "commodity")}
        self.lanes = {
            (origin, destination, good): cost
            for _, origin, destination, good, cost in draft.rows("lanes", "origin", "destination", "commodity", "cost_usd_per_t")
        }
        self.lane_goods = self.freight | {good for _, _, good in self.lanes}
        self._listed_distances = {(origin, destination) for _, origin, destination in draft.rows("distances", "origin", "destination")}
        self.runs = list(_runs(draft))
        self.makers: dict[str, set[str]] = defaultdict(set)
        self.users: dict[str, set[str]] = defaultdict(set)
        self.owners: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._add_plants(draft)
        self._add_returns(draft)
        self._add_uses(draft)

    def _add_plants(self, draft: Draft) -> None:
        plants = {plant: (place, owner) for _, plant, place, owner in draft.rows("facilities", "facility", "location", "owner")}
        for plant, process in self.runs:
            place, owner = plants.get(plant, (None, None))
            if place is None:
                continue
            for good in self.outputs[process]:
                self.makers[good].add(place)
                self.owners[place, good].add(owner if owner is not None else self.country.get(place, ""))
            for good in self.inputs[process]:
                self.users[good].add(place)

    def _add_returns(self, draft: Draft) -> None:
        for _, sold, where, scrap in draft.rows("returns", "commodity", "location", "scrap"):
            for place in self.return_places(sold, where):
                self.makers[scrap].add(place)
                self.owners[place, scrap].add(self.country.get(place, ""))

    def _add_uses(self, draft: Draft) -> None:
        for place, wanted in self.demands:
            self.users[wanted].add(place)
            for substitute in self.substitutes[wanted]:
                self.users[substitute].add(place)
        for _, place, good in draft.rows("stockpiles", "location", "commodity"):
            if place is not None and good is not None:
                self.users[good].add(place)

    def return_places(self, sold: str, where: str | None) -> set[str]:
        """Return the places where scrap of what was sold comes back: with demand for it (``*``), or for what it replaces."""
        if where == EVERYTHING:
            return {place for place, good in self.demands if good == sold}
        wanted = {sold} | {good for good, substitutes in self.substitutes.items() if sold in substitutes}
        return {place for place, good in self.demands if good in wanted and place == where}

    def countries_of(self, selector: str | None) -> set[str]:
        """Return the countries that a selector stands for."""
        return self.members.get(selector, {selector}) if selector is not None else set()

    def places_in(self, selector: str | None) -> set[str]:
        """Return the places whose country a selector holds."""
        countries = self.countries_of(selector)
        return {place for place, country in self.country.items() if country in countries}

    def can_move(self, origin: str, destination: str, good: str) -> bool:
        """Return whether there is a lane: within a place, because the commodity is in ``freight``, or because it is listed."""
        return origin == destination or good in self.freight or (origin, destination, good) in self.lanes

    def lanes_of(self, good: str, origins: set[str], destinations: set[str]) -> Iterator[tuple[str, str]]:
        """Yield the lanes of a commodity from the makers among some places to the users among others."""
        makers, users = self.makers.get(good, set()) & origins, self.users.get(good, set()) & destinations
        if good in self.freight:
            yield from ((origin, destination) for origin in makers for destination in users)
            return
        yield from ((place, place) for place in makers & users)
        yield from (
            (origin, destination)
            for origin, destination, listed in self.lanes
            if listed == good and origin in makers and destination in users and origin != destination
        )

    def lanes_without_distance(self, place: str) -> Iterator[tuple[str, str, str]]:
        """Yield the lanes (origin, destination, commodity) of a place whose generated cost needs a distance that is not listed."""
        for good in sorted(self.freight):
            makers, users = self.makers.get(good, set()), self.users.get(good, set())
            pairs = [(place, other) for other in sorted(users)] if place in makers else []
            pairs += [(other, place) for other in sorted(makers)] if place in users else []
            for origin, destination in pairs:
                listed = (origin, destination) in self._listed_distances or (destination, origin) in self._listed_distances
                if origin != destination and not listed and self.lanes.get((origin, destination, good)) is None:
                    yield origin, destination, good


def _members(draft: Draft) -> dict[str, set[str]]:
    members: dict[str, set[str]] = defaultdict(set)
    for _, group, country in draft.rows("groups", "group", "country"):
        members[group].add(country)
    return {**members, EVERYTHING: {country for _, country in draft.rows("countries", "country")}}


def _runs(draft: Draft) -> Iterator[tuple[str, str]]:
    for table in ("facilities", "modes"):
        for _, plant, process in draft.rows(table, "facility", "process"):
            if plant is not None and process is not None:
                yield plant, process
