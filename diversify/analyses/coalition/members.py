"""Who may act together: the members of a coalition and its subsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.instance.names import nearest

FEWEST, MOST = 2, 6
"""Members that a coalition may have. n members are 2^n - 1 solves; six are 63."""


@dataclass(frozen=True)
class Member:
    """One who decides for itself whether to join: a country, or a group of countries that acts as one."""

    name: str
    countries: tuple[str, ...]


@dataclass(frozen=True)
class Members:
    """The members in the order given. A subset is a number whose bit i says whether member i is in it."""

    members: tuple[Member, ...]

    @classmethod
    def of(cls, instance: Instance, names: Sequence[str]) -> Members:
        """Return the members that names (countries or groups) stand for.

        Raises UsageError for an unknown name, for one given twice, for members that share a country, and for too few or too many.
        """
        if isinstance(names, str):
            raise UsageError("members is a list of countries and groups, such as ['USA', 'JPN'].")
        if not FEWEST <= len(names) <= MOST:
            solves = f": {2 ** len(names) - 1} solves" if len(names) > MOST else ""
            raise UsageError(f"a coalition has {FEWEST} to {MOST} members; {len(names)} are given{solves}. A group can act as one member.")
        members = tuple(Member(name, _countries(instance, name)) for name in names)
        taken: dict[str, str] = {}
        for member in members:
            for country in member.countries:
                if country in taken:
                    raise UsageError(f"{country} is in two members: {taken[country]} and {member.name}.")
                taken[country] = member.name
        return cls(members)

    def __len__(self) -> int:
        return len(self.members)

    @property
    def all(self) -> int:
        """The subset of all members."""
        return (1 << len(self)) - 1

    @property
    def subsets(self) -> list[int]:
        """All non-empty subsets: the smaller ones first, then in the order of their members."""
        order = sorted((tuple(self.positions(subset)), subset) for subset in range(1, self.all + 1))
        return [subset for _, subset in sorted(order, key=lambda each: len(each[0]))]

    def positions(self, subset: int) -> list[int]:
        """Return the positions of a subset's members."""
        return [position for position in range(len(self)) if subset >> position & 1]

    def name(self, subset: int) -> str:
        """Return a subset's name: its members joined by ``+``."""
        return "+".join(self.members[position].name for position in self.positions(subset))

    @property
    def of_country(self) -> dict[str, int]:
        """Position of the member that each member country belongs to."""
        return {country: position for position, member in enumerate(self.members) for country in member.countries}


def _countries(instance: Instance, name: str) -> tuple[str, ...]:
    known = set(instance.table("countries")["country"])
    if name in known:
        return (name,)
    groups = instance.table("groups")
    countries = tuple(sorted(groups.loc[groups["group"] == name, "country"]))
    if not countries:
        names = [*sorted(known), *sorted(set(groups["group"]))]
        raise UsageError(f"{instance.name} has no country or group {name!r} to be a member.{nearest(name, names)}")
    return countries
