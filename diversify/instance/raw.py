"""What a file holds before anything is made of it: cells and where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from diversify.errors import Problem

Cells = Sequence[object]


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table as read: a list of cells per column, and the row number that a user sees for each row.

    ``file`` is the place as a problem names it; ``letters`` are the sheet's column letters, empty elsewhere;
    ``header_row`` is the row of the column names, None where there is none. A cell may be an UnfitCell.
    """

    name: str
    file: str
    columns: tuple[str, ...]
    cells: tuple[Cells, ...]
    rows: Sequence[int]
    letters: tuple[str, ...] = ()
    header_row: int | None = None


@dataclass(slots=True)
class RawInstance:
    """A whole source as read. ``unread`` names the tables that are there but could not be read."""

    name: str
    folder: Path | None = None
    meta: dict[str, object] | None = None
    meta_file: str = ""
    meta_rows: Mapping[str, int] = field(default_factory=dict)
    tables: dict[str, RawTable] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)


def drop_blank_rows(records: Iterable[tuple[int, Cells]]) -> Iterable[tuple[int, Cells]]:
    """Leave out the rows in which nothing stands."""
    return ((row, cells) for row, cells in records if not all(map(_is_blank, cells)))


def _is_blank(cell: object) -> bool:
    return cell is None or cell == ""


def table_from_grid(
    name: str, file: str, header: Cells, records: Iterable[tuple[int, Cells]], letters: Sequence[str] = (), header_row: int = 1
) -> tuple[RawTable, list[Problem]]:
    """Return a header and numbered rows as a table, and what is wrong with their shape.

    A column without a name is left out where it is empty; rows may be shorter than the header (blank), not longer.
    """
    kept = list(drop_blank_rows(records))
    width = len(header)
    problems = [_long_row(name, file, row, cells, width) for row, cells in kept if any(not _is_blank(cell) for cell in cells[width:])]
    padded = [[*cells[:width], *[None] * (width - len(cells))] for _, cells in kept]
    by_column = list(zip(*padded, strict=True)) if padded else [()] * width
    columns: dict[str, int] = {}
    for index, title in enumerate("" if cell is None else str(cell) for cell in header):
        cell = f"{letters[index]}{header_row}" if letters else ""
        if not title.strip():
            if not all(map(_is_blank, by_column[index])):
                message, remedy = f"Column {index + 1} has cells but no name.", "Name the column in the header, or remove it."
                problems.append(Problem("no_column_name", message, remedy, name, header_row, file=file, cell=cell))
        elif title in columns:
            message = f"The column {title!r} stands twice in the header."
            problems.append(Problem("duplicate_column", message, "Keep one of the two.", name, header_row, title, title, file, cell))
        else:
            columns[title] = index
    kept_letters = tuple(letters[index] for index in columns.values()) if letters else ()
    kept_cells = tuple(by_column[index] for index in columns.values())
    return RawTable(name, file, tuple(columns), kept_cells, [row for row, _ in kept], kept_letters, header_row), problems


def _long_row(name: str, file: str, row: int, cells: Cells, width: int) -> Problem:
    message = f"The row has {len(cells)} cells, the header {width}."
    extra = next(str(cell) for cell in cells[width:] if not _is_blank(cell))
    return Problem(
        "row_too_long", message, "Remove the extra cells, or quote a text that holds a comma.", name, row, value=extra, file=file
    )
