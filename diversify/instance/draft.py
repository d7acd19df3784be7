"""A case on its way to becoming an Instance: typed tables, where each row came from, and the problems found so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from diversify.errors import Problem
from diversify.instance.cells import Values, blank_column, domain_faults, frame_of, read_column, shown
from diversify.instance.names import nearest
from diversify.instance.raw import RawTable
from diversify.schema import TABLES, Table


@dataclass(frozen=True, slots=True)
class Places:
    """Where the rows of a table stand: ``file_of`` indexes ``files``, ``row_of`` is the row number that a user sees.

    ``letters`` maps a file's columns to the letters of its sheet, where it is a workbook.
    """

    files: tuple[str, ...]
    file_of: np.ndarray[Any, np.dtype[np.int64]]
    row_of: np.ndarray[Any, np.dtype[np.int64]]
    letters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def in_one_file(cls, file: str, rows: Sequence[int], letters: Mapping[str, str] | None = None) -> Places:
        """Return the places of rows that all stand in one file."""
        numbers = np.asarray(rows, dtype=np.int64)
        return cls((file,), np.zeros(len(numbers), dtype=np.int64), numbers, {file: letters} if letters else {})

    @classmethod
    def counted(cls, rows: int) -> Places:
        """Return the places of a table that came from no file: rows count from 1."""
        return cls.in_one_file("", range(1, rows + 1))

    def take(self, keep: np.ndarray[Any, Any]) -> Places:
        """Return the places of the rows that a mask or a list of positions selects."""
        return Places(self.files, self.file_of[keep], self.row_of[keep], self.letters)

    def followed_by(self, other: Places) -> Places:
        """Return these places and then the other's."""
        file_of = np.concatenate([self.file_of, other.file_of + len(self.files)])
        row_of = np.concatenate([self.row_of, other.row_of])
        return Places(self.files + other.files, file_of, row_of, {**self.letters, **other.letters})

    def where(self, index: int, column: str) -> tuple[str, int, str]:
        """Return file, row and (in a workbook) cell of one figure."""
        file, row = self.files[int(self.file_of[index])], int(self.row_of[index])
        letter = self.letters.get(file, {}).get(column, "")
        return file, row, f"{letter}{row}" if letter else ""


@dataclass(slots=True)
class Draft:
    """Typed tables (all columns of the schema), their places, and what is already known to be wrong.

    ``unfit`` holds, per table and column, the rows whose cell is already known to be wrong (unreadable cells are
    blank in the frame), so that no check speaks of them again. ``unread`` names tables that are there but could not be read at all.
    """

    meta: dict[str, Any] = field(default_factory=dict)
    years: tuple[int, ...] = ()
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    places: dict[str, Places] = field(default_factory=dict)
    unfit: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    _empty: dict[str, pd.DataFrame] = field(default_factory=dict)

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table with all columns of the schema, empty where it is absent."""
        if name in self.frames:
            return self.frames[name]
        if name not in self._empty:
            self._empty[name] = empty_frame(TABLES[name])
        return self._empty[name]

    def rows(self, name: str, *columns: str) -> Iterator[tuple[Any, ...]]:
        """Yield position and the named cells of every row of a table, None for a blank."""
        frame = self.frame(name)
        return zip(range(len(frame)), *(_plain_cells(frame[column]) for column in columns), strict=True)

    def is_unfit(self, table: str, column: str, index: int) -> bool:
        """Return whether a cell is already known to be wrong."""
        return index in self.unfit.get((table, column), ())

    def problem(self, code: str, table: str, index: int, column: str, message: str, remedy: str, value: str | None = None) -> Problem:
        """Return a problem of one row (``index`` counts from 0 within the frame), with its place and its cell's value."""
        file, row, cell = self.places[table].where(index, column) if table in self.places else ("", index + 1, "")
        if value is None:
            value = shown_value(self.frames[table][column].iloc[index]) if column else ""
        return Problem(code, message, remedy, table, row, column, value, file, cell)

    def of_table(self, code: str, table: str, message: str, remedy: str, column: str = "", value: str = "") -> Problem:
        """Return a problem of a table as a whole."""
        places = self.places.get(table)
        file = places.files[-1] if places is not None and places.files else ""
        return Problem(code, message, remedy, table, None, column, value, file)


def _plain_cells(series: pd.Series) -> list[Any]:
    cells: list[Any] = series.tolist()
    if series.dtype == object:
        return cells
    return [None if cell is pd.NA or cell != cell else cell for cell in cells]


def shown_value(value: object) -> str:
    """Return a typed cell as a problem shows it, nothing for a blank."""
    return "" if value is None or value is pd.NA or value != value else shown(value)


def row_keys(frame: pd.DataFrame, table: Table) -> list[str]:
    """Return the key cells of every row joined by ``|``, blanks as nothing: the name of a row in the table ``figures``."""
    columns = [[shown_value(value) for value in frame[column].tolist()] for column in table.key]
    return ["|".join(cells) for cells in zip(*columns, strict=True)]


def empty_frame(table: Table) -> pd.DataFrame:
    """Return the table without rows, all columns typed."""
    return frame_of({column.name: blank_column(column, 0) for column in table.columns})


def typed_table(raw: RawTable, table: Table | None = None) -> tuple[pd.DataFrame, Places, dict[str, set[int]], list[Problem]]:
    """Return a raw table as a typed frame with its places, its unfit rows per column, and the problems of columns and cells.

    ``table`` says its columns; by default the table of the format of its name.
    """
    table = table or TABLES[raw.name]
    letters = dict(zip(raw.columns, raw.letters, strict=True)) if raw.letters else None
    places = Places.in_one_file(raw.file, raw.rows, letters)
    problems = list(_column_problems(raw, table))
    given = dict(zip(raw.columns, raw.cells, strict=True))
    data: dict[str, Values] = {}
    unfit: dict[str, set[int]] = {}
    for column in table.columns:
        if column.name not in given:
            data[column.name] = blank_column(column, len(raw.rows))
            continue
        data[column.name], faults = read_column(column, given[column.name])
        for fault in faults:
            file, row, cell = places.where(fault.index, column.name)
            problems.append(Problem(fault.code, fault.message, fault.remedy, raw.name, row, column.name, fault.value, file, cell))
        if faults:
            unfit[column.name] = {fault.index for fault in faults}
        if column.required:
            problems += _missing_cells(raw, places, column.name, data[column.name], unfit.get(column.name, set()))
    return frame_of(data), places, unfit, problems


def _missing_cells(raw: RawTable, places: Places, column: str, values: Values, excused: set[int]) -> list[Problem]:
    problems = []
    for index in np.flatnonzero(pd.isna(values)):
        if int(index) not in excused:
            file, row, cell = places.where(int(index), column)
            problems.append(Problem("missing_cell", f"The cell {column!r} is blank.", "Fill it in.", raw.name, row, column, "", file, cell))
    return problems


def _column_problems(raw: RawTable, table: Table) -> Iterable[Problem]:
    known = table.column_names
    for name in raw.columns:
        if name not in known:
            remedy = f"Rename the column, or remove it. Known: {', '.join(known)}."
            cell = f"{raw.letters[raw.columns.index(name)]}{raw.header_row}" if raw.letters else ""
            yield Problem(
                "unknown_column",
                f"There is no column {name!r}.{nearest(name, known)}",
                remedy,
                raw.name,
                raw.header_row,
                name,
                name,
                raw.file,
                cell,
            )
    if not raw.columns and not raw.rows:
        return
    for column in table.columns:
        if column.required and column.name not in raw.columns:
            message = f"The column {column.name!r} is missing."
            yield Problem("missing_column", message, f"Add it: {column.meaning}.", raw.name, raw.header_row, column.name, "", raw.file)


def cell_problems(draft: Draft, name: str) -> list[Problem]:
    """Return what is wrong with single cells of a typed table: out of their domain, or required and blank. Notes them as unfit."""
    problems = []
    for column in TABLES[name].columns:
        values = draft.frames[name][column.name].to_numpy() if column.kind in ("number", "text") else draft.frames[name][column.name].array
        wrong: set[int] = set()
        for fault in domain_faults(column, values):
            wrong.add(fault.index)
            problems.append(draft.problem(fault.code, name, fault.index, column.name, fault.message, fault.remedy))
        if column.required:
            for index in np.flatnonzero(pd.isna(values)):
                problems.append(
                    draft.problem("missing_cell", name, int(index), column.name, f"The cell {column.name!r} is blank.", "Fill it in.")
                )
        if wrong:
            draft.unfit[name, column.name] = wrong
    return problems
