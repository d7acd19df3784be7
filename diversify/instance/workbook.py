"""Reading and writing one ``.xlsx`` workbook: a sheet per table, and ``instance`` as rows of key and value."""

from __future__ import annotations

import io
import json
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import yaml
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from diversify.errors import Problem, UsageError
from diversify.instance.cells import LONGEST_TEXT, UnfitCell, as_text
from diversify.instance.names import nearest
from diversify.instance.raw import Cells, RawInstance, drop_blank_rows, table_from_grid
from diversify.instance.record import Instance, plain_values
from diversify.schema import META_KEYS, TABLES

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

META_SHEET = "instance"
_BROKEN = (
    zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, AttributeError, IndexError,
    OSError, EOFError, SyntaxError, NotImplementedError, RuntimeError, zlib.error, struct.error,
)  # fmt: skip
"""What openpyxl raises on workbooks that are cut short, encrypted, or not workbooks."""

_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ESCAPE_START = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_UNPRINTABLE = re.compile("[\x7f-\x84\x86-\x9f\ufffe\uffff]")
"""The workbook's own way of writing a character that XML cannot hold, such as ``_x000D_``."""


def read_workbook_bytes(data: bytes, file: str, name: str) -> RawInstance:
    """Read a workbook; formulas count by the value that was saved with them."""
    raw = RawInstance(name=name, meta_file=f"{file}, sheet {META_SHEET}")
    if not data:
        raw.problems.append(Problem("empty_file", "The file is empty.", "Save the workbook again.", file=file))
        return raw
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sheets = list(_read_sheets(data))
    except _BROKEN as error:
        message = f"The file is not a workbook that can be read ({type(error).__name__})."
        raw.problems.append(Problem("broken_workbook", message, "Open it in a spreadsheet and save it again as .xlsx.", file=file))
        return raw
    for title, rows in sheets:
        if title == META_SHEET:
            _read_meta_sheet(raw, rows)
        elif title in TABLES:
            _read_table_sheet(raw, title, rows, f"{file}, sheet {title}")
        else:
            known = [META_SHEET, *TABLES]
            message = f"There is no table {title!r}.{nearest(title, known)}"
            raw.problems.append(
                Problem("unknown_table", message, "Rename the sheet, or remove it.", title, value=title, file=f"{file}, sheet {title}")
            )
    if raw.meta is None:
        remedy = f"Add a sheet {META_SHEET!r} with a key and its value in each row."
        raw.problems.append(Problem("no_meta", f"The workbook has no sheet {META_SHEET!r}.", remedy, file=file))
    return raw


Row = tuple[int, list[object]]


def _read_sheets(data: bytes) -> Iterator[tuple[str, list[Row]]]:
    """Yield title and numbered rows of every sheet; a cell that holds no value it should is an UnfitCell."""
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    formulas = _formula_cells(data) if _has_formulas(data) else {}
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        wanted = formulas.get(sheet.title, set())
        rows: list[Row] = []
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            rows.append((number, [_cell_value(cell, (number, position) in wanted) for position, cell in enumerate(cells)]))
        yield sheet.title, rows
    book.close()


def _cell_value(cell: Any, formula: bool) -> object:
    value = cell.value
    if cell.data_type == "e":
        return UnfitCell("error_value", f"The cell holds the error {value}.", "Mend the formula, or write the value.", str(value))
    if value is None and formula and cell.data_type != "str":  # a saved empty text is of the type str
        remedy = "Open the workbook in a spreadsheet and save it, or write the value in place of the formula."
        return UnfitCell("formula_without_value", "The cell holds a formula whose value was not saved.", remedy)
    return _plain(value) if isinstance(value, str) else value


def _has_formulas(data: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")]
        return any(_FORMULA.search(archive.read(name)) for name in sheets)


def _formula_cells(data: bytes) -> dict[str, set[tuple[int, int]]]:
    """Return the rows (from 1) and positions (from 0) of the cells of each sheet that hold a formula."""
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False)
    found: dict[str, set[tuple[int, int]]] = {}
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        cells = found.setdefault(sheet.title, set())
        for number, row in enumerate(sheet.iter_rows(), start=1):
            cells.update((number, position) for position, cell in enumerate(row) if cell.data_type == "f")
    book.close()
    return found


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _read_table_sheet(raw: RawInstance, name: str, rows: list[Row], file: str) -> None:
    filled = list(drop_blank_rows(rows))
    if not filled:
        raw.unread.add(name)
        raw.problems.append(Problem("empty_file", "The sheet is empty.", "Give it at least a header, or remove it.", name, file=file))
        return
    header_row, header = filled[0]
    letters = [get_column_letter(position + 1) for position in range(len(header))]
    titles = [None if cell is None or isinstance(cell, UnfitCell) else as_text(cell) for cell in header]
    raw.tables[name], problems = table_from_grid(name, file, titles, filled[1:], letters, header_row)
    raw.problems += problems


def _read_meta_sheet(raw: RawInstance, rows: list[Row]) -> None:
    meta: dict[str, object] = {}
    numbers: dict[str, int] = {}
    for number, cells in drop_blank_rows(rows):
        if not numbers and [str(cell).strip().lower() for cell in cells if cell is not None and cell != ""] == ["key", "value"]:
            continue
        key = as_text(cells[0]) if cells[0] is not None and not isinstance(cells[0], UnfitCell) else ""
        fault, position = _meta_row_fault(key, cells, key in numbers)
        if fault is not None:
            cell = f"{get_column_letter(position + 1)}{number}"
            raw.problems.append(Problem(fault.code, fault.message, fault.remedy, META_SHEET, number, key, fault.value, raw.meta_file, cell))
            continue
        numbers[key] = number
        values = [cell for cell in cells[1:] if cell is not None and cell != ""]
        _put(meta, key, values if len(values) > 1 else _meta_value(key, values[0] if values else None))
    raw.meta, raw.meta_rows = meta, numbers


def _meta_row_fault(key: str, cells: Cells, twice: bool) -> tuple[UnfitCell | None, int]:
    """Return what is wrong with a row of the sheet ``instance``, and the position of the cell at fault."""
    for position, cell in enumerate(cells):
        if isinstance(cell, UnfitCell):
            return cell, position
    if not key:
        return UnfitCell("missing_cell", "The row has a value but no key.", "Name the key, or clear the row."), 0
    if twice:
        return UnfitCell("duplicate_key", f"The key {key!r} stands twice.", "Keep one of the two.", key), 0
    if key != "years" and sum(cell is not None and cell != "" for cell in cells[1:]) > 1:
        return UnfitCell("row_too_long", f"The key {key!r} has several values.", "Put the value into the second column alone."), 2
    return None, 0


def _put(meta: dict[str, object], key: str, value: object) -> None:
    """Put a value under its key; ``years.first`` goes inside ``years``."""
    outer, dot, inner = key.partition(".")
    held = meta.setdefault(outer, {}) if dot and outer in META_KEYS else None
    if isinstance(held, dict):
        held[inner] = value
    else:
        meta[key] = value


def _meta_value(key: str, cell: object) -> object:
    """Return a value of the sheet: lists and mappings stand there as JSON (or as YAML, or separated by commas)."""
    if key in ("name", "title", "currency"):
        return None if cell is None else as_text(cell)
    if not isinstance(cell, str):
        return cell
    if key in ("years", "chains", "solve") or cell.lstrip().startswith(("[", "{")):
        try:
            value = yaml.safe_load(cell)
        except (yaml.YAMLError, ValueError, RecursionError):
            return cell
        if key in ("years", "chains") and isinstance(value, str) and re.search(r"[,;]", value):
            return [part.strip() for part in re.split(r"[,;]", value) if part.strip()]
        return [value] if key == "years" and isinstance(value, int) else value
    return cell


def write_workbook(instance: Instance, path: Path) -> None:
    """Write an instance as a workbook; text is typed as text, so that ``007`` and ``=1+1`` stay what they are.

    Raises UsageError where a text is longer than a cell can hold.
    """
    from diversify.instance.write import present_columns

    _refuse_long_texts(instance)
    book = openpyxl.Workbook(write_only=True)
    sheet = _new_sheet(book, META_SHEET)
    sheet.append([_text_cell(sheet, "key"), _text_cell(sheet, "value")])
    for key, value in instance.meta.items():
        shown = _flow(value) if isinstance(value, (list, dict)) else value
        sheet.append([_text_cell(sheet, key), _cell(sheet, shown)])
    for name in instance.tables:
        sheet = _new_sheet(book, name)
        columns = present_columns(instance, name)
        frame = instance.table(name)
        sheet.append([_text_cell(sheet, column) for column in columns])
        for row in zip(*(plain_values(frame[column]) for column in columns), strict=True):
            sheet.append([_cell(sheet, value) for value in row])
    book.save(path)


def _flow(value: Any) -> str:
    """Return a list or mapping as text that YAML reads back, which takes some control characters only where they are escaped."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _new_sheet(book: Workbook, title: str) -> Any:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    return sheet


def _cell(sheet: Any, value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text_cell(sheet, value)
    cell = WriteOnlyCell(sheet, repr(value))  # given as text, since openpyxl keeps but 16 digits of a number
    cell.data_type = "n"
    return cell


def _text_cell(sheet: Any, text: str) -> object:
    cell = WriteOnlyCell(sheet, _escaped(text))
    cell.data_type = "s"
    return cell


def _escaped(text: str) -> str:
    return _ESCAPE_START.sub("_x005F_", text).replace("\r", "_x000D_")


def _refuse_long_texts(instance: Instance) -> None:
    """Raise UsageError where a text is too long once escaped; openpyxl would cut it without a word."""
    texts = [value for frame in instance.tables.values() for name in frame for value in frame[name].tolist() if isinstance(value, str)]
    if any(len(text) > LONGEST_TEXT // 7 and len(_escaped(text)) > LONGEST_TEXT for text in texts):
        raise UsageError("A text is too long for a workbook's cell. Write a folder or a .json file.")


def is_instance_workbook(path: Path) -> bool:
    """Return whether a file is a workbook whose sheets are all tables of the format."""
    try:
        book = openpyxl.load_workbook(path, read_only=True)
    except _BROKEN:
        return False
    titles = set(book.sheetnames)
    book.close()
    return META_SHEET in titles and titles <= {META_SHEET, *TABLES}
