"""From the cells of a file to typed columns, noting every cell that does not fit.

A number column becomes float64 (NaN for a blank), a year Int64, a boolean pandas' ``boolean``, text and ramps
object columns with None for a blank. Blanks stay blank: what they mean is decided by those who use the table.
"""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from diversify.instance.names import nearest
from diversify.schema import SAFE_NAME, Column

LONGEST_TEXT = 32_767
"""Longest text of a cell: what a workbook cell can hold, so that every encoding holds every instance."""

FIRST_POSSIBLE_YEAR, LAST_POSSIBLE_YEAR = 1000, 9999

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity|1\.#inf|1\.#qnan)", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:[,' _\u00a0\u202f\u2019][0-9]{3})+(?:\.[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9. ]*,[0-9]+(?:[eE][+-]?[0-9]+)?")
_PERCENT = re.compile(r"[+-]?[0-9.,]+\s*%")
_UNFIT_FOR_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell: ``index`` is its position in the column, from 0."""

    index: int
    code: str
    message: str
    remedy: str
    value: str


class UnfitCell(ValueError):
    """A cell that cannot be read as its column's kind; carries the code, message and remedy of the fault, and what it shows."""

    def __init__(self, code: str, message: str, remedy: str, value: str = "") -> None:
        """Keep what is wrong and what to do about it."""
        super().__init__(message)
        self.code, self.message, self.remedy, self.value = code, message, remedy, value


def shown(cell: object) -> str:
    """Return a cell as a problem shows it."""
    if isinstance(cell, UnfitCell):
        return cell.value
    text = cell if isinstance(cell, str) else as_text(cell) if cell is not None else ""
    return text if len(text) <= 200 else text[:197] + "..."


def as_text(cell: object) -> str:
    """Return a cell as text: 7.0 as ``7``, True as ``true``, a date in ISO form."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, numbers.Real):
        return number_text(int(cell) if isinstance(cell, numbers.Integral) else float(cell))
    return repr(cell)


def number_text(value: float) -> str:
    """Return a number in the shortest form that reads back as the same number, whole ones without a point."""
    if isinstance(value, int):
        return str(value)
    plain = float(value)
    return str(int(plain)) if plain.is_integer() and abs(plain) < 1e15 else repr(plain)


def parse_number(cell: object) -> float:
    """Return a cell as a finite float, NaN for a blank; raises UnfitCell."""
    if isinstance(cell, str):
        text = cell.strip()
        if _NUMBER.fullmatch(text):
            return _finite(float(text), text)
        if not text:
            return math.nan
        raise _why_not_a_number(text)
    if cell is None:
        return math.nan
    if isinstance(cell, numbers.Real) and not isinstance(cell, (bool, np.bool_)):
        try:
            return _finite(float(cell), str(cell))
        except OverflowError:
            return _finite(math.inf, "a number of hundreds of digits")
    raise UnfitCell("wrong_type", f"{shown(cell)!r} is not a number.", "Write a plain number such as 1234.5.")


def _finite(value: float, text: str) -> float:
    if math.isfinite(value):
        return value
    raise UnfitCell("not_finite", f"{text} is not a finite number.", "Write a finite number, or leave the cell blank for the default.")


def _why_not_a_number(text: str) -> UnfitCell:
    if _NOT_FINITE.fullmatch(text):
        return UnfitCell(
            "not_finite", f"{text!r} is not a finite number.", "Write a finite number, or leave the cell blank for the default."
        )
    if _THOUSANDS.fullmatch(text):
        return UnfitCell(
            "thousands_separator",
            f"{text!r} holds a thousands separator or a decimal comma.",
            "Write 1234.5, without separators, with a decimal point.",
        )
    if _DECIMAL_COMMA.fullmatch(text):
        return UnfitCell("decimal_comma", f"{text!r} holds a decimal comma.", "Write the number with a decimal point, such as 0.5.")
    if _PERCENT.fullmatch(text):
        return UnfitCell("wrong_type", f"{text!r} is a percentage.", "Write the fraction: 25 % is 0.25.")
    return UnfitCell("wrong_type", f"{text!r} is not a number.", "Write a plain number such as 1234.5, without units.")


def parse_year(cell: object) -> int | None:
    """Return a cell as a calendar year, None for a blank; raises UnfitCell."""
    value = parse_number(cell)
    if math.isnan(value):
        return None
    if not value.is_integer():
        raise UnfitCell("wrong_type", f"{shown(cell)!r} is not a whole year.", "Write a calendar year such as 2030.")
    if not FIRST_POSSIBLE_YEAR <= value <= LAST_POSSIBLE_YEAR:
        raise UnfitCell("year_out_of_range", f"{shown(cell)!r} is not a calendar year.", "Write a year of four digits such as 2030.")
    return int(value)


def parse_boolean(cell: object) -> bool | None:
    """Return a cell as true or false, None for a blank; raises UnfitCell."""
    if cell is None or isinstance(cell, (bool, np.bool_)):
        return None if cell is None else bool(cell)
    if isinstance(cell, str):
        text = cell.strip().lower()
        if text in ("true", "false", ""):
            return None if not text else text == "true"
    raise UnfitCell("wrong_type", f"{shown(cell)!r} is neither true nor false.", "Write true or false.")


def parse_text(cell: object) -> str | None:
    """Return a cell as text, unstripped, None for a blank; raises UnfitCell."""
    if cell is None or cell == "":
        return None
    if not isinstance(cell, (str, numbers.Real, date)):
        raise UnfitCell("wrong_type", f"{shown(cell)} is not text.", "Write one text per cell.")
    if isinstance(cell, float) and not math.isfinite(cell):
        raise UnfitCell("not_finite", f"{cell} is not text.", "Write the text in quotes, or leave the cell blank.")
    text = as_text(cell)
    if len(text) > LONGEST_TEXT:
        raise UnfitCell("text_too_long", f"The text has {len(text):,} characters.", f"Keep it under {LONGEST_TEXT:,} characters.")
    if _UNFIT_FOR_TEXT.search(text):
        raise UnfitCell("control_character", f"{shown(text)!r} holds a control character.", "Remove the characters that cannot be printed.")
    return text


@lru_cache(maxsize=4096)
def ramp_shares(text: str) -> tuple[float, ...]:
    """Return the shares of a ramp such as ``0.4;0.8;1``; raises UnfitCell."""
    remedy = "Write shares from 0 to 1 separated by semicolons, such as 0.4;0.8;1."
    shares = []
    for part in text.split(";"):
        if not part.strip():
            raise UnfitCell("bad_ramp", f"{text!r} has an empty share.", remedy)
        try:
            share = parse_number(part)
        except UnfitCell as fault:
            raise UnfitCell(fault.code if fault.code == "decimal_comma" else "bad_ramp", fault.message, remedy) from None
        if not 0.0 <= share <= 1.0:
            raise UnfitCell("bad_ramp", f"{text!r} has the share {number_text(share)}, which is not from 0 to 1.", remedy)
        shares.append(share)
    return tuple(shares)


def parse_ramp(cell: object) -> str | None:
    """Return a cell as the text of a ramp, None for a blank; raises UnfitCell."""
    text = parse_text(cell)
    if text is None or not text.strip():
        return None
    ramp_shares(text)
    return text


PARSERS: dict[str, Callable[[object], Any]] = {
    "number": parse_number,
    "year": parse_year,
    "boolean": parse_boolean,
    "text": parse_text,
    "ramp": parse_ramp,
}


_OBJECT, _YEAR, _BOOLEAN = np.dtype(object), pd.Int64Dtype(), pd.BooleanDtype()
Values = np.ndarray[Any, Any] | ExtensionArray
"""The cells of one typed column."""


def blank_column(column: Column, rows: int) -> Values:
    """Return ``rows`` blank cells of the column's type."""
    return as_values(column, [math.nan if column.kind == "number" else None] * rows)


def as_values(column: Column, cells: Sequence[object]) -> Values:
    """Return parsed cells as an array of the column's type."""
    if column.kind == "number":
        return np.array(cells, dtype=np.float64)
    if column.kind in ("year", "boolean"):
        masked: Values = pd.array(cast(Any, cells), dtype=cast(Any, _YEAR if column.kind == "year" else _BOOLEAN))
        return masked
    values = np.empty(len(cells), dtype=_OBJECT)
    values[:] = cells
    return values


def frame_of(columns: Mapping[str, Values]) -> pd.DataFrame:
    """Return typed columns as a frame; text stays in object columns with None for blanks, which pandas would make ``str``."""
    index = pd.RangeIndex(max(map(len, columns.values()), default=0))
    data = {name: pd.Series(values, index, dtype=_OBJECT) if values.dtype == _OBJECT else values for name, values in columns.items()}
    return pd.DataFrame(data, index)


def read_column(column: Column, cells: Sequence[object]) -> tuple[Values, list[Fault]]:
    """Return the cells in their type, unfit ones blank, and the faults found (in kind and in domain).

    A cell that its file could not give is itself an UnfitCell.
    """
    parse = PARSERS[column.kind]
    parsed: list[object] = []
    faults: list[Fault] = []
    add = parsed.append
    blank = math.nan if column.kind == "number" else None
    for index, cell in enumerate(cells):
        try:
            if isinstance(cell, UnfitCell):
                raise cell
            add(parse(cell))
        except UnfitCell as fault:
            faults.append(Fault(index, fault.code, fault.message, fault.remedy, shown(cell)))
            add(blank)
    values = as_values(column, parsed)
    faults += domain_faults(column, values)
    return values, faults


def domain_fault(column: Column, value: object) -> UnfitCell | None:
    """Return what is wrong with a parsed, filled value for this column, None where nothing is."""
    if column.kind == "number" and isinstance(value, float):
        return _limit_fault(column, value)
    if isinstance(value, str) and column.kind == "text":
        return _text_fault(column, value)
    return None


def domain_faults(column: Column, values: Values) -> list[Fault]:
    """Return the faults of typed values: outside the limits, not among the choices, not a safe name."""
    if column.kind == "number":
        suspects = _outside(column, np.asarray(values))
    elif column.kind == "text" and (column.choices or column.safe_name):
        suspects = np.flatnonzero(pd.notna(values))
    else:
        return []
    faults = []
    for index in suspects:
        fault = domain_fault(column, values[index])
        if fault is not None:
            faults.append(Fault(int(index), fault.code, fault.message, fault.remedy, shown(values[index])))
    return faults


def _outside(column: Column, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    outside = np.zeros(len(values), dtype=bool)
    if column.low is not None:
        outside |= values <= column.low if column.low_open else values < column.low
    if column.high is not None:
        outside |= values > column.high
    return np.flatnonzero(outside)


def _limit_fault(column: Column, value: float) -> UnfitCell | None:
    text = number_text(value)
    if column.low is not None and (value < column.low or (column.low_open and value == column.low)):
        if column.low == 0.0 and column.low_open:
            return UnfitCell("not_positive", f"{text} is not above 0.", "Write a number above 0.")
        if column.low == 0.0:
            return UnfitCell("negative", f"{text} is negative.", "Write 0 or more.")
        limit = f"{'above' if column.low_open else 'at least'} {number_text(column.low)}"
        return UnfitCell("out_of_range", f"{text} is too low.", f"Write a number {limit}.")
    if column.high is not None and value > column.high:
        if column.high == 1.0:
            return UnfitCell("share_above_one", f"{text} is above 1.", "Write the share as a fraction from 0 to 1: 25 % is 0.25.")
        return UnfitCell("out_of_range", f"{text} is too high.", f"Write a number of at most {number_text(column.high)}.")
    return None


def _text_fault(column: Column, value: str) -> UnfitCell | None:
    if column.choices and value not in column.choices:
        return UnfitCell(
            "not_a_choice", f"{value!r} is not known here.{nearest(value, column.choices)}", f"Write one of {', '.join(column.choices)}."
        )
    if column.safe_name and not SAFE_NAME.match(value):
        return unsafe_name(value)
    return None


def unsafe_name(value: str) -> UnfitCell:
    """Return the fault of a name that could be taken for a path or an option."""
    remedy = "Write letters, digits, dots, dashes and underscores, beginning with a letter or digit, 64 at most."
    if "/" in value or "\\" in value or value.startswith((".", "~")):
        return UnfitCell("path_for_name", f"{value!r} is a path, where a name belongs.", remedy)
    return UnfitCell("unsafe_name", f"{value!r} cannot serve as a name.", remedy)
