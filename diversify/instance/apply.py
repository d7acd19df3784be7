"""Making changes to a case, and checking the result once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import yaml

from diversify.errors import Problem
from diversify.instance.cells import PARSERS, UnfitCell, as_values, blank_column, domain_fault, parse_number
from diversify.instance.changes import Change, Value, bad_change, parse_change
from diversify.instance.draft import Draft, Places, cell_problems
from diversify.instance.meta import read_meta
from diversify.instance.names import nearest
from diversify.schema import META_KEYS, TABLES, Column

_SCALED = re.compile(r"x\s*([0-9.]\S*|[+-][0-9.]\S*)")
_SHIFTED = re.compile(r"(plus|minus)\s+(\S+)")


def changed_draft(draft: Draft, texts: Sequence[str]) -> tuple[Draft, list[Problem]]:
    """Return the draft with the changes made in order, and every problem: of a change itself, else of the result."""
    changed, problems = _apply_all(draft, texts)
    if problems:
        return changed, problems
    changed, problems = _checked(changed)
    if not problems:
        return changed, []
    return changed, _with_blame(draft, texts, problems)


def _apply_all(draft: Draft, texts: Sequence[str]) -> tuple[Draft, list[Problem]]:
    changed = Draft(dict(draft.meta), draft.years, dict(draft.frames), dict(draft.places))
    problems = []
    for text in texts:
        try:
            apply_change(changed, text)
        except UnfitCell as fault:
            problems.append(Problem(fault.code, fault.message, fault.remedy, value=text, file="the change " + text))
    return changed, problems


def _checked(draft: Draft) -> tuple[Draft, list[Problem]]:
    from diversify.instance.checks import errors_of

    meta, years, problems = read_meta(draft.meta, "instance", "", {})
    checked = Draft(meta, years, draft.frames, draft.places)
    for name in checked.frames:
        problems += cell_problems(checked, name)
    return checked, problems + errors_of(checked)


def _with_blame(draft: Draft, texts: Sequence[str], problems: list[Problem]) -> list[Problem]:
    """Name, in each problem of the result, the first change after which it is there."""
    first_seen: dict[tuple[str, ...], str] = {}
    partial = Draft(dict(draft.meta), draft.years, dict(draft.frames), dict(draft.places))
    for text in texts:
        apply_change(partial, text)
        for problem in _checked(partial)[1]:
            first_seen.setdefault(_identity(problem), text)
    blamed = []
    for problem in problems:
        text = first_seen.get(_identity(problem), texts[-1])
        blamed.append(replace(problem, message=f"{problem.message} (After the change {text})"))
    return blamed


def _identity(problem: Problem) -> tuple[str, ...]:
    return problem.code, problem.table, problem.column, problem.value, problem.message


def apply_change(draft: Draft, text: str) -> None:
    """Make one change in the draft; raises UnfitCell where it cannot be read or does not apply."""
    change = parse_change(text)
    check_names(change)
    if change.kind == "key":
        _set_key(draft, change)
    elif change.kind == "add":
        _add_row(draft, change, text)
    elif change.kind == "delete":
        _delete_rows(draft, change, text)
    else:
        _set_cells(draft, change, text)


def check_names(change: Change) -> None:
    """Raise UnfitCell where a change names a table, column or key that there is not, or a value of the wrong kind."""
    if change.kind == "key":
        key = change.column.split(".")[0]
        if key not in META_KEYS:
            raise bad_change(f"There is no key {key!r}.{nearest(key, META_KEYS)}", f"Known: {', '.join(META_KEYS)}.")
        if key == "chains":
            raise bad_change("Chains cannot be changed: they are joined in when the instance is read.", "Change the tables instead.")
        return
    if change.table not in TABLES:
        raise bad_change(f"There is no table {change.table!r}.{nearest(change.table, TABLES)}", f"Known: {', '.join(TABLES)}.")
    for name, value in change.cells:
        column = _column(change.table, name)
        parsed = _literal(column, value)
        fault = domain_fault(column, parsed) if change.kind == "add" else None
        if fault is not None:
            raise UnfitCell(fault.code, f"{name}: {fault.message}", fault.remedy)
    if change.kind == "set":
        column = _column(change.table, change.column)
        if arithmetic(column, change.value) is None:
            _literal(column, change.value)


def _column(table: str, name: str) -> Column:
    known = TABLES[table].column_names
    if name not in known:
        raise bad_change(f"The table {table!r} has no column {name!r}.{nearest(name, known)}", f"Known: {', '.join(known)}.")
    return TABLES[table].column(name)


def _literal(column: Column, value: Value) -> object:
    """Return a value in the column's kind, a blank for ``default`` and for nothing."""
    if not value.quoted and value.text in ("", "default"):
        return math.nan if column.kind == "number" else None
    try:
        return PARSERS[column.kind](value.text)
    except UnfitCell as fault:
        raise UnfitCell(fault.code, f"{column.name}: {fault.message}", fault.remedy) from None


def arithmetic(column: Column, value: Value) -> tuple[float, float] | None:
    """Return factor and addend of ``x1.2``, ``plus 5`` or ``minus 5`` for a column of numbers, else None; raises UnfitCell."""
    if value.quoted or column.kind not in ("number", "year"):
        return None
    scaled, shifted = _SCALED.fullmatch(value.text), _SHIFTED.fullmatch(value.text)
    if scaled is not None:
        return parse_number(scaled[1]), 0.0
    if shifted is not None:
        return 1.0, parse_number(shifted[2]) * (1.0 if shifted[1] == "plus" else -1.0)
    return None


def matching(frame: pd.DataFrame, table: str, cells: Sequence[tuple[str, Value]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which rows hold the given cells, compared in the column's kind; nothing after ``=`` matches blanks."""
    mask = np.ones(len(frame), dtype=bool)
    for name, value in cells:
        column, series = TABLES[table].column(name), frame[name]
        wanted = PARSERS[column.kind](value.text) if value.text or value.quoted else None
        if wanted is None or wanted != wanted:
            mask &= series.isna().to_numpy()
        else:
            mask &= (series == wanted).fillna(False).to_numpy(dtype=bool)
    return mask


def _matching_rows(draft: Draft, change: Change, text: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    mask = matching(draft.frame(change.table), change.table, change.cells)
    if not mask.any():
        frame = draft.frame(change.table)
        hints = [_selection_hint(frame, name, value) for name, value in change.cells]
        message = f"Nothing in the table {change.table!r} matches.{''.join(hints)}"
        raise UnfitCell("nothing_matches", message, "Correct the values in the brackets, or leave the change out.")
    return mask


def _selection_hint(frame: pd.DataFrame, name: str, value: Value) -> str:
    known = [each for each in frame[name].dropna().unique() if isinstance(each, str)]
    return nearest(value.text, known) if known and value.text not in known else ""


def _delete_rows(draft: Draft, change: Change, text: str) -> None:
    keep = ~_matching_rows(draft, change, text)
    places = _places(draft, change.table)
    draft.frames[change.table] = draft.frames[change.table].loc[keep].reset_index(drop=True)
    draft.places[change.table] = places.take(keep)


def _places(draft: Draft, table: str) -> Places:
    return draft.places.get(table) or Places.counted(len(draft.frame(table)))


def _add_row(draft: Draft, change: Change, text: str) -> None:
    table, given = TABLES[change.table], dict(change.cells)
    frame = draft.frame(change.table)
    columns = {}
    for column in table.columns:
        cell = as_values(column, [_literal(column, given[column.name])]) if column.name in given else blank_column(column, 1)
        columns[column.name] = pd.concat([frame[column.name], pd.Series(cell, dtype=frame[column.name].dtype)], ignore_index=True)
    places = _places(draft, change.table)
    draft.frames[change.table] = pd.DataFrame(columns)
    draft.places[change.table] = places.followed_by(Places.in_one_file("the change " + text, [1]))


def _set_cells(draft: Draft, change: Change, text: str) -> None:
    mask = _matching_rows(draft, change, text)
    column = TABLES[change.table].column(change.column)
    frame = draft.frames[change.table]
    sum_of = arithmetic(column, change.value)
    values = frame[column.name].astype(object).to_numpy(copy=True)
    if sum_of is None:
        values[mask] = _literal(column, change.value)
    else:
        factor, addend = sum_of
        current = _with_defaults(draft, change.table, column, mask)
        with np.errstate(over="ignore"):
            results = (current * factor + addend).tolist()
        try:
            values[mask] = [PARSERS[column.kind](result) for result in results]
        except UnfitCell as fault:
            raise UnfitCell(fault.code, f"{column.name}: {fault.message}", fault.remedy) from None
    plain = [None if value is pd.NA else value for value in values]
    draft.frames[change.table] = frame.assign(**{column.name: pd.Series(as_values(column, plain), dtype=frame[column.name].dtype)})


def _with_defaults(draft: Draft, table: str, column: Column, mask: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the numbers of the rows, defaults for blanks; raises UnfitCell where a blank has no number for a default."""
    series = draft.frames[table][column.name]
    present: np.ndarray[Any, np.dtype[np.float64]] = series.to_numpy(dtype=np.float64, na_value=np.nan)[mask]
    blank = np.isnan(present)
    if not blank.any():
        return present
    filled = np.where(blank, _default_numbers(draft, table, column)[mask], present)
    lost = np.flatnonzero(np.isnan(filled))
    if len(lost):
        _, row, _ = _places(draft, table).where(int(np.flatnonzero(mask)[lost[0]]), column.name)
        message = f"The cell {column.name!r} of row {row} of {table} is blank, and its default is not a number."
        raise UnfitCell("no_number", message, "Set the cell to a number, or select rows in which it has one.")
    return filled


def _default_numbers(draft: Draft, table: str, column: Column) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the default of a blank cell in each row, NaN where it is no number (unlimited, always, as generated)."""
    frame = draft.frames[table]
    default = float(column.default) if isinstance(column.default, (int, float)) and not isinstance(column.default, bool) else math.nan
    if (table, column.name) == ("countries", "wacc"):
        default = _as_float(draft.meta.get("discount_rate"))
    elif (table, column.name) == ("projects", "decided_year"):
        default = float(draft.years[0]) if draft.years else math.nan
    elif (table, column.name) == ("stockpiles", "final_min_t"):
        return frame["initial_t"].to_numpy(dtype=np.float64, na_value=0.0)
    return np.full(len(frame), default)


def _as_float(value: object) -> float:
    try:
        return parse_number(value)
    except UnfitCell:
        return math.nan


def _set_key(draft: Draft, change: Change) -> None:
    key, *inner = change.column.split(".")
    value = _key_value(key, change.value)
    if not inner:
        draft.meta.pop(key, None)
        if value is not None:
            draft.meta[key] = value
        return
    held = draft.meta.get(key, {})
    if len(inner) > 1 or not isinstance(held, Mapping):
        raise bad_change(f"The key {key!r} holds nothing called {'.'.join(inner)!r}.")
    draft.meta[key] = {**{name: each for name, each in held.items() if name != inner[0]}, **({} if value is None else {inner[0]: value})}


def _key_value(key: str, value: Value) -> object:
    if not value.quoted and value.text in ("", "default"):
        return None
    if key in ("name", "title", "currency"):
        return value.text
    try:
        return yaml.safe_load(value.text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise bad_change(f"{value.text!r} is not a value for {key!r}.", f"Meaning: {META_KEYS[key].meaning}.") from None


def scenario_texts(draft: Draft) -> Iterator[Problem]:
    """Every change of a scenario can be read, and names tables, columns and keys that there are."""
    for index, text in draft.rows("changes", "change"):
        if text is None:
            continue
        try:
            check_names(parse_change(text))
        except UnfitCell as fault:
            yield draft.problem(fault.code, "changes", index, "change", fault.message, fault.remedy)
