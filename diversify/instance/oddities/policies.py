"""Remarks on caps, floors, groups, demand, scenarios and figures."""

from __future__ import annotations

import math
from collections.abc import Iterator

from diversify.errors import Problem
from diversify.instance.cells import number_text
from diversify.instance.draft import Draft, row_keys, shown_value
from diversify.instance.reach import Reach
from diversify.schema import TABLES


def caps_and_floors_on_nothing(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Caps and floors on a commodity that nobody takes in at the consumers, and floors whose makers make none."""
    for name in ("caps", "floors"):
        word, told = TABLES[name].key[0], set()
        for index, key, good, consumers in draft.rows(name, word, "commodity", "consumers"):
            if key in told:
                continue
            told.add(key)
            if not reach.users.get(good, set()) & reach.places_in(consumers):
                message = f"Nobody in {consumers!r} takes in {good!r}, so the {word} has no effect."
                yield draft.problem("no_effect", name, index, "commodity", message, "Correct its commodity or consumers, or remove it.")
    told = set()
    for index, key, good, makers in draft.rows("floors", "floor", "commodity", "makers"):
        if key not in told and not reach.makers.get(good, set()) & reach.places_in(makers):
            told.add(key)
            message = f"Nobody in {makers!r} makes {good!r}, so the floor holds only where nothing is taken in."
            yield draft.problem("floor_without_makers", "floors", index, "makers", message, "Add a maker or correct the row.")


def traced_caps_on_the_untraced(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Traced caps on a commodity that carries no origin."""
    untraced = {good for _, good, traced in draft.rows("commodities", "commodity", "traced") if traced is False}
    told = set()
    for index, cap, good, basis in draft.rows("caps", "cap", "commodity", "basis"):
        if basis == "traced" and good in untraced and cap not in told:
            told.add(cap)
            message = f"The cap is traced, but {good!r} is not: its origin is never known, and the cap has no effect."
            yield draft.problem(
                "cap_on_untraced", "caps", index, "basis", message, f"Set traced to true for {good!r}, or choose another basis."
            )


def groups_without_use(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Groups that no selector and no change names."""
    used: set[str] = set()
    for name in draft.frames:
        for column in TABLES[name].columns:
            if column.selector:
                used |= {value for _, value in draft.rows(name, column.name)}
    texts = [text for _, text in draft.rows("changes", "change") if text is not None]
    told = set()
    for index, group in draft.rows("groups", "group"):
        if group not in used and group not in told and not any(str(group) in text for text in texts):
            told.add(group)
            yield draft.problem(
                "unused_group",
                "groups",
                index,
                "group",
                f"Nothing names the group {group!r}.",
                "Correct the name where it was meant, or remove the group.",
            )


def shortage_on_some_rows(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """A shortage price on some rows of a demand only: it is interpolated among them, so nothing must be met."""
    priced: dict[tuple[str, str], bool] = {}
    blank: dict[tuple[str, str], int] = {}
    for index, place, good, price in draft.rows("demand", "location", "commodity", "shortage_usd_per_t"):
        priced[place, good] = priced.get((place, good), False) or price is not None
        if price is None:
            blank.setdefault((place, good), index)
    for (place, good), index in blank.items():
        if priced[place, good]:
            message = f"The demand for {good!r} at {place!r} has a shortage price on some rows only; it is interpolated among those."
            yield draft.problem(
                "shortage_on_some_rows",
                "demand",
                index,
                "shortage_usd_per_t",
                message,
                "Fill it in on all rows, or on none if the demand must be met.",
            )


def probabilities(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Probabilities of scenarios that do not sum to 1."""
    given = [(index, value) for index, value in draft.rows("scenarios", "probability") if value is not None]
    total = math.fsum(value for _, value in given)
    if given and abs(total - 1.0) > 1e-6:
        message = f"The probabilities sum to {number_text(total)}, not to 1."
        yield draft.problem("probabilities", "scenarios", given[-1][0], "probability", message, "Correct them before stochastic work.")


def tables_without_rows(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Tables that hold a header and nothing else, and a case without demand."""
    for name, frame in draft.frames.items():
        if frame.empty:
            yield draft.of_table("empty_table", name, f"The table {name!r} has no rows.", "Fill it in, or remove it.")
    if draft.frame("demand").empty and "demand" not in draft.frames:
        yield draft.of_table("no_demand", "demand", "There is no demand, so nothing needs to be made.", "Add the table demand.")


def figures_outside_their_range(draft: Draft, reach: Reach) -> Iterator[Problem]:
    """Figures that lie outside the low and high given for them."""
    held: dict[str, dict[str, int]] = {}
    for index, name, key, column, low, high in draft.rows("figures", "table", "key", "column", "low", "high"):
        table, frame = TABLES[name], draft.frame(name)
        if table.column(column).kind != "number" or (low is None and high is None):
            continue
        if name not in held:
            held[name] = {key: position for position, key in enumerate(row_keys(frame, table))}
        value = frame[column].iloc[held[name][key]]
        if (low is not None and value < low) or (high is not None and value > high):
            message = f"The figure {number_text(value)} in {name} lies outside {shown_value(low) or 'any'} to {shown_value(high) or 'any'}."
            yield draft.problem("outside_its_range", "figures", index, "low", message, "Correct the range or the figure.")
