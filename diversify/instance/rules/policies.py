"""Rules on caps, floors and the provenance of figures."""

from __future__ import annotations

from collections.abc import Iterator

from diversify.errors import Problem
from diversify.instance.draft import Draft, row_keys, shown_value
from diversify.instance.names import nearest
from diversify.schema import TABLES


def same_on_all_rows(draft: Draft) -> Iterator[Problem]:
    """What must be the same on all rows of one cap or floor is."""
    for name in draft.frames:
        table = TABLES[name]
        for column in table.same_per:
            first: dict[str, tuple[int, object]] = {}
            for index, key, value in draft.rows(name, table.key[0], column):
                if key is None or draft.is_unfit(name, column, index):
                    continue
                at, expected = first.setdefault(key, (index, value))
                if value != expected:
                    row = draft.places[name].where(at, column)[1]
                    message = (
                        f"{key!r} has {column} {shown_value(value) or 'blank'} here and {shown_value(expected) or 'blank'} in row {row}."
                    )
                    remedy = f"Write the same {column} on all rows of {key!r}, or give this row another {table.key[0]}."
                    yield draft.problem("differs_within", name, index, column, message, remedy)


def figures_point_somewhere(draft: Draft) -> Iterator[Problem]:
    """Every row of ``figures`` names a table, one of its rows and one of its columns, and its low is not above its high."""
    keys: dict[str, set[str]] = {}
    for index, name, key, column, low, high in draft.rows("figures", "table", "key", "column", "low", "high"):
        if low is not None and high is not None and low > high:
            yield draft.problem("limits_crossed", "figures", index, "low", "The low end is above the high end.", "Exchange the two.")
        if name is None:
            continue
        if name not in TABLES or not TABLES[name].key:
            remedy = "Name a table whose rows have a key."
            yield draft.problem(
                "unknown_reference", "figures", index, "table", f"There is no table {name!r} with figures.{nearest(name, TABLES)}", remedy
            )
            continue
        if name in draft.unread:
            continue
        numeric = [each.name for each in TABLES[name].columns if each.kind in ("number", "year", "ramp", "boolean") and not each.key]
        if column is not None and column not in numeric:
            message = f"The table {name!r} has no figure {column!r}.{nearest(column, numeric)}"
            yield draft.problem("unknown_reference", "figures", index, "column", message, f"Name one of {', '.join(numeric)}.")
        if name not in keys:
            keys[name] = set(row_keys(draft.frame(name), TABLES[name]))
        if key is not None and key not in keys[name]:
            message = f"The table {name!r} has no row {key!r}.{nearest(key, keys[name])}"
            yield draft.problem(
                "unknown_reference",
                "figures",
                index,
                "key",
                message,
                f"Write the cells {' | '.join(TABLES[name].key)} of the row joined by |.",
            )
