"""Remarks on lanes, contracts, tariffs, restrictions, markets and stocks that have no effect."""

from __future__ import annotations

from collections.abc import Iterator

from diversify.errors import Problem
from diversify.instance.draft import Draft
from diversify.instance.reach import Reach
from diversify.schema import EVERYTHING, TABLES


def windows_outside_the_horizon(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Rows in force in no planning year."""
    for name in ("outages", "contracts", "tariffs", "restrictions"):
        for index, first, last in draft.rows(name, "first_year", "last_year"):
            if not any((first is None or year >= first) and (last is None or year <= last) for year in draft.years):
                word = TABLES[name].key[0]
                yield draft.problem(
                    "never_in_force",
                    name,
                    index,
                    "first_year",
                    f"The {word} is in force in no planning year.",
                    "Correct its years, or remove it.",
                )


def lanes_and_contracts(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Lanes and contracts for what cannot be made at the origin or used at the destination."""
    for name in ("lanes", "contracts"):
        for index, origin, destination, good in draft.rows(name, "origin", "destination", "commodity"):
            if origin not in reach.makers.get(good, set()):
                reason, column = f"{good!r} cannot be made at {origin!r}", "origin"
            elif destination not in reach.users.get(good, set()):
                reason, column = f"{good!r} cannot be used at {destination!r}", "destination"
            elif not reach.can_move(origin, destination, good):
                reason, column = f"there is no lane for {good!r} from {origin!r} to {destination!r}", "commodity"
            else:
                continue
            yield draft.problem(
                "no_effect",
                name,
                index,
                column,
                f"The {TABLES[name].name[:-1]} has no effect: {reason}.",
                "Correct the names, or remove the row.",
            )


def contracts_on_banned_lanes(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Contracts on a lane that is banned while they run: there is no plan."""
    bans = [
        (reach.countries_of(origin), reach.countries_of(destination), good, first, last)
        for _, origin, destination, good, first, last, limit in draft.rows(
            "restrictions", "origin", "destination", "commodity", "first_year", "last_year", "limit_t_per_year"
        )
        if limit == 0.0
    ]
    columns = ("origin", "destination", "commodity", "first_year", "last_year", "minimum_t_per_year")
    for index, origin, destination, good, first, last, minimum in draft.rows("contracts", *columns):
        source, target = reach.country.get(origin), reach.country.get(destination)
        if not minimum or source == target:
            continue
        running = [year for year in draft.years if (first is None or year >= first) and (last is None or year <= last)]
        for sources, targets, banned, ban_first, ban_last in bans:
            hit = source in sources and target in targets and banned in (good, EVERYTHING)
            if hit and any((ban_first is None or year >= ban_first) and (ban_last is None or year <= ban_last) for year in running):
                message = f"The lane of {good!r} from {origin!r} to {destination!r} is banned while the contract runs: there is no plan."
                yield draft.problem(
                    "contract_banned",
                    "contracts",
                    index,
                    "minimum_t_per_year",
                    message,
                    "End the contract before the ban, or lift the ban.",
                )
                break


def tariffs_and_restrictions(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Tariffs and restrictions that no lane can meet."""
    goods = sorted(set(reach.makers) & set(reach.users))
    for index, origin, destination, good in draft.rows("tariffs", "origin", "destination", "commodity"):
        named = goods if good == EVERYTHING else [good]
        if not any(_dutiable(reach, each, origin, destination) for each in named):
            yield draft.problem(
                "no_effect",
                "tariffs",
                index,
                "commodity",
                "The tariff matches no lane.",
                "Correct its origin, destination or commodity, or remove it.",
            )
    for index, origin, destination, good, by in draft.rows("restrictions", "origin", "destination", "commodity", "by"):
        named = goods if good == EVERYTHING else [good]
        if not any(_restricted(reach, each, origin, destination, by == "owned") for each in named):
            message = "The restriction matches no lane."
            yield draft.problem(
                "no_effect", "restrictions", index, "commodity", message, "Correct its origin, destination or commodity, or remove it."
            )


def _dutiable(reach: Reach, good: str, origin: str, destination: str) -> bool:
    for start, end in reach.lanes_of(good, reach.places_in(origin), reach.places_in(destination)):
        source, target = reach.country[start], reach.country[end]
        union = reach.unions.get(source)
        if source != target and (union is None or union != reach.unions.get(target)):
            return True
    return False


def _restricted(reach: Reach, good: str, origin: str, destination: str, owned: bool) -> bool:
    countries, targets = reach.countries_of(origin), reach.places_in(destination)
    starts = reach.makers.get(good, set()) if owned else reach.places_in(origin)
    for start, end in reach.lanes_of(good, starts, targets):
        located = reach.country[start] in countries and reach.country[start] != reach.country[end]
        if located or (owned and reach.owners.get((start, good), set()) & countries):
            return True
    return False


def tariffs_without_price(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Tariffs on a commodity without a price cost nothing."""
    priced = {good for table in ("commodities", "prices") for _, good, price in draft.rows(table, "commodity", "price_usd_per_t") if price}
    for index, good, rate in draft.rows("tariffs", "commodity", "rate"):
        if good != EVERYTHING and good not in priced and rate:
            message = f"{good!r} has no price, so the tariff costs nothing."
            yield draft.problem("no_price", "tariffs", index, "commodity", message, "Give the commodity a price.")


def markets(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Markets for what is not made there."""
    for index, place, good in draft.rows("markets", "location", "commodity"):
        makers = reach.makers.get(good, set())
        if not makers if place == EVERYTHING else place not in makers:
            where = "anywhere" if place == EVERYTHING else f"at {place!r}"
            yield draft.problem(
                "no_effect",
                "markets",
                index,
                "commodity",
                f"The market has no effect: {good!r} is not made {where}.",
                "Correct the row, or remove it.",
            )


def stocks_substitutes_and_returns(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Stockpiles that can never hold anything, substitutes for what nobody wants or that nobody makes, returns of what is not sold."""
    for index, good, initial in draft.rows("stockpiles", "commodity", "initial_t"):
        if not initial and not reach.makers.get(good):
            yield draft.problem(
                "no_effect",
                "stockpiles",
                index,
                "commodity",
                f"Nobody makes {good!r}, and the stock begins empty.",
                "Correct the row, or remove it.",
            )
    wanted = {good for _, good in reach.demands}
    stocked = {good for _, good, initial in draft.rows("stockpiles", "commodity", "initial_t") if initial}
    for index, good, substitute in draft.rows("substitutes", "commodity", "substitute"):
        if good not in wanted:
            yield draft.problem(
                "no_effect",
                "substitutes",
                index,
                "commodity",
                f"There is no demand for {good!r} to replace.",
                "Correct the row, or remove it.",
            )
        elif not reach.makers.get(substitute) and substitute not in stocked:
            yield draft.problem(
                "no_effect", "substitutes", index, "substitute", f"Nobody makes {substitute!r}.", "Add a maker, or remove the row."
            )
    for index, sold, place in draft.rows("returns", "commodity", "location"):
        if not reach.return_places(sold, place):
            where = "anywhere" if place == EVERYTHING else f"at {place!r}"
            yield draft.problem(
                "no_effect",
                "returns",
                index,
                "commodity",
                f"{sold!r} is not sold {where}, so nothing comes back.",
                "Correct the row, or remove it.",
            )
