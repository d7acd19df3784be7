"""Rules on families of scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from diversify.errors import Problem
from diversify.instance.cells import number_text
from diversify.instance.draft import Draft

NEEDED: dict[str, tuple[str, ...]] = {
    "export_control": ("origin", "destination", "commodity", "first_low", "first_high", "years_low", "years_high"),
    "demand": ("country", "commodity", "first_low", "first_high"),
    "price": ("commodity", "first_low", "first_high"),
    "capex": ("country",),
    "delay": ("country",),
}
"""What a row of each kind must say, beside its size."""

ALLOWED: dict[str, tuple[str, ...]] = {
    "export_control": ("reference_t_per_year",),
    "demand": ("years_low", "years_high"),
    "price": ("years_low", "years_high"),
    "capex": ("commodity",),
    "delay": ("commodity",),
}
"""What a row of each kind may say."""

_OF_KINDS = tuple(dict.fromkeys(name for kinds in (NEEDED, ALLOWED) for names in kinds.values() for name in names))
_WHEN = ("chance", "first_low", "first_high", "years_low", "years_high")
"""What a row takes from the family that it follows."""

Row = dict[str, Any]


def families(draft: Draft) -> Iterator[Problem]:
    """A family says what its kind needs and no more, its ranges are in order, and it changes nothing before the reveal year."""
    columns = ("family", "kind", "follows", "chance", "low", "high", *_OF_KINDS)
    rows: dict[int, Row] = {index: dict(zip(columns, cells, strict=True)) for index, *cells in draft.rows("families", *columns)}
    if rows and draft.years and draft.meta.get("reveal_year") is None:
        message = "There are families of scenarios, but no reveal_year says from which year on scenarios differ."
        remedy = "Write it in instance.yaml, for example reveal_year: 2028."
        yield Problem("no_reveal_year", message, remedy, "instance", None, "reveal_year")
    leaders = {row["family"]: row for row in rows.values()}
    for index, row in rows.items():
        if row["kind"] in NEEDED:
            yield from _of_kind(draft, index, row)
            yield from _sizes(draft, index, row)
            yield from _years(draft, index, row)
        yield from _following(draft, index, row, leaders)


def _of_kind(draft: Draft, index: int, row: Row) -> Iterator[Problem]:
    """Yield cells that the row's kind lacks, and cells that mean nothing for it."""
    kind = row["kind"]
    taken = _WHEN if row["follows"] is not None else ()
    for name in NEEDED[kind]:
        if row[name] is None and name not in taken and not draft.is_unfit("families", name, index):
            message = f"A family of the kind {kind} needs {name!r}, which is blank."
            yield draft.problem("missing_cell", "families", index, name, message, "Fill it in.")
    for name in _OF_KINDS:
        if row[name] is not None and name not in NEEDED[kind] + ALLOWED[kind]:
            message = f"{name!r} means nothing for a family of the kind {kind}."
            yield draft.problem("not_of_this_kind", "families", index, name, message, "Leave the cell blank, or correct the kind.")
    low, high = row["years_low"], row["years_high"]
    if (low is None) != (high is None) and "years_low" not in NEEDED[kind]:
        name = "years_low" if low is None else "years_high"
        if not draft.is_unfit("families", name, index) and not taken:
            message = f"{name!r} is blank beside its other end."
            yield draft.problem("missing_cell", "families", index, name, message, "Fill in both or neither.")


def _sizes(draft: Draft, index: int, row: Row) -> Iterator[Problem]:
    """Yield ranges that are crossed, shares above 1, delays of parts of years, and a share of exports that nobody stated."""
    for name in ("first", "years", ""):
        low_name, high_name = (f"{name}_low", f"{name}_high") if name else ("low", "high")
        low, high = row[low_name], row[high_name]
        if low is not None and high is not None and low > high:
            yield draft.problem("limits_crossed", "families", index, low_name, "The low end is above the high end.", "Exchange the two.")
    whole = ("years_low", "years_high", *(("low", "high") if row["kind"] == "delay" else ()))
    for name in whole:
        value = row[name]
        if value is not None and (not float(value).is_integer() or (name.startswith("years") and value < 1)):
            least = " of 1 or more" if name.startswith("years") else ""
            message = f"{number_text(value)} is not a whole number of years{least}."
            yield draft.problem("not_whole_years", "families", index, name, message, "Scenarios start, last and delay by whole years.")
    if row["kind"] != "export_control":
        return
    for name in ("low", "high"):
        if row[name] is not None and row[name] > 1:
            remedy = "Write the share of exports that is cut, from 0 to 1; 1 is a ban."
            yield draft.problem("share_above_one", "families", index, name, f"{number_text(row[name])} is above 1.", remedy)
    unstated = row["reference_t_per_year"] is None and not draft.is_unfit("families", "reference_t_per_year", index)
    if row["low"] is not None and row["low"] < 1 and unstated:
        message = "A control that is not a ban cuts a share of exports, but 'reference_t_per_year' does not say of how much."
        yield draft.problem("missing_cell", "families", index, "reference_t_per_year", message, "Fill it in, or set low and high to 1.")


def _years(draft: Draft, index: int, row: Row) -> Iterator[Problem]:
    reveal, first = draft.meta.get("reveal_year"), row["first_low"]
    if reveal is not None and first is not None and first < reveal:
        message = f"It can start in {first}, before the reveal year {reveal}, until which all scenarios are alike."
        yield draft.problem("before_reveal", "families", index, "first_low", message, f"Write {reveal} or later, or move reveal_year.")


def _following(draft: Draft, index: int, row: Row, leaders: dict[str, Row]) -> Iterator[Problem]:
    """Yield a family that follows itself or a follower, says itself what it takes over, or lacks what it would take over."""
    if row["follows"] is None or row["follows"] not in leaders:
        return
    leader = leaders[row["follows"]]
    if leader is row or leader["follows"] is not None:
        message = f"{row['follows']!r} {'is the family itself' if leader is row else 'follows another family'}."
        yield draft.problem("follows_a_follower", "families", index, "follows", message, "Name a family that follows none.")
        return
    for name in _WHEN:
        if row[name] is not None:
            message = f"{name!r} is taken from {row['follows']!r}, which the family follows."
            yield draft.problem("taken_from_another", "families", index, name, message, "Leave the cell blank, or follow no family.")
    for name in NEEDED.get(row["kind"], ()):
        if name in _WHEN and leader[name] is None:
            message = f"{row['follows']!r} has no {name!r}, which a family of the kind {row['kind']} needs."
            yield draft.problem("nothing_to_follow", "families", index, "follows", message, "Follow a family that says it, or none.")
