"""Reading a folder of CSV tables, a JSON file or JSON on standard input into cells; workbooks have their own module."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from diversify.errors import Problem, UsageError
from diversify.instance.names import nearest
from diversify.instance.raw import Cells, RawInstance, RawTable, table_from_grid
from diversify.schema import SAFE_NAME, TABLES

META_FILE = "instance.yaml"
_TABLE_LOOKALIKES = {".xlsx", ".xls", ".xlsm", ".ods", ".tsv", ".txt", ".json", ".parquet"}


def read_source(source: Path | str) -> RawInstance:
    """Read a folder, an ``.xlsx``, a ``.json`` or ``-`` (JSON on standard input).

    Problems inside the source are collected in the result; a source that is not there at all, or of no known
    kind, raises UsageError.
    """
    if str(source) == "-":
        return read_json_bytes(sys.stdin.buffer.read(), "standard input", "standard-input")
    path = Path(source)
    suffix = path.suffix.lower()
    try:
        if path.is_dir():
            return read_folder(path)
        if suffix not in (".json", ".xlsx"):
            raise UsageError(f"{path} is not an instance: it must be a folder, an .xlsx or a .json file.")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{error.filename or path} cannot be read: {error.strerror}.") from error
    if suffix == ".json":
        return read_json_bytes(data, path.name, safe_name(path.stem))
    from diversify.instance.workbook import read_workbook_bytes  # openpyxl only where a workbook is read

    return read_workbook_bytes(data, path.name, safe_name(path.stem))


def safe_name(text: str) -> str:
    """Return a file's name as a name that may become a path or an option."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in text).lstrip("._-")[:64]
    return kept if SAFE_NAME.match(kept) else "instance"


def read_folder(folder: Path) -> RawInstance:
    """Read ``instance.yaml`` and the CSV tables beside it."""
    raw = RawInstance(name=safe_name(folder.resolve().name), folder=folder, meta_file=META_FILE)
    _read_meta_file(folder, raw)
    read_csv_tables(folder, raw, "")
    return raw


def read_csv_tables(folder: Path, raw: RawInstance, prefix: str) -> None:
    """Read every CSV table of a folder into ``raw``; problems name the file with ``prefix`` before it."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() or path.name.startswith((".", "~")):
            continue
        suffix, label = path.suffix.lower(), prefix + path.name
        if suffix == ".csv":
            if path.stem not in TABLES:
                remedy = "Rename the file to the table that it holds, or remove it."
                raw.problems.append(
                    Problem(
                        "unknown_table",
                        f"There is no table {path.stem!r}.{nearest(path.stem, TABLES)}",
                        remedy,
                        path.stem,
                        value=path.stem,
                        file=label,
                    )
                )
                continue
            table, problems = read_csv_bytes(path.read_bytes(), path.stem, label)
            raw.problems += problems
            if table is None:
                raw.unread.add(path.stem)
            else:
                raw.tables[path.stem] = table
        elif path.stem in TABLES and suffix in _TABLE_LOOKALIKES:
            message = f"The table {path.stem!r} is in a file that a folder does not read."
            raw.problems.append(Problem("unknown_file", message, f"Save it as {path.stem}.csv.", path.stem, value=path.name, file=label))


def _read_meta_file(folder: Path, raw: RawInstance) -> None:
    path = folder / META_FILE
    if not path.is_file():
        beside = [name for name in ("instance.yml", "instance.json", "instance.csv", "Instance.yaml") if (folder / name).is_file()]
        remedy = (
            f"Rename {beside[0]} to {META_FILE}." if beside and beside[0] != "instance.json" else f"Give the folder a file {META_FILE}."
        )
        if beside == ["instance.json"]:
            remedy = "If this is a result folder, give its instance.json instead of the folder."
        raw.problems.append(Problem("no_meta", f"The folder has no {META_FILE}.", remedy, file=META_FILE))
        return
    text, problem = decode(path.read_bytes(), META_FILE)
    if problem is not None:
        raw.problems.append(problem)
        return
    assert text is not None
    try:
        document = yaml.load(text, Loader=_StrictLoader)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        row = mark.line + 1 if mark is not None else None
        what = getattr(error, "problem", None) or str(error) or type(error).__name__
        raw.problems.append(
            Problem("broken_yaml", f"The file is not YAML: {what}.", "Mend the YAML: one `key: value` per line.", row=row, file=META_FILE)
        )
        return
    if not isinstance(document, dict):
        raw.problems.append(
            Problem("broken_yaml", "The file does not hold keys and values.", "Write one `key: value` per line.", file=META_FILE)
        )
        return
    raw.meta = {str(key): value for key, value in document.items()}
    raw.meta_rows = {str(key.value): key.start_mark.line + 1 for key, _ in node.value} if isinstance(node, yaml.MappingNode) else {}


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if isinstance(key, str) and key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
            if isinstance(key, str):
                seen.add(key)
        return super().construct_mapping(node, deep)


def decode(data: bytes, file: str, table: str = "") -> tuple[str | None, Problem | None]:
    """Return bytes as text (UTF-8, a byte order mark accepted), or the problem that they are not, or are empty."""
    if not data.strip():
        return None, Problem("empty_file", "The file is empty.", "Give it at least a header, or remove it.", table, file=file)
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        return None, Problem("not_utf8", "The file is not UTF-8.", "Save it with the encoding UTF-8.", table, row=row, file=file)


def read_csv_bytes(data: bytes, name: str, file: str) -> tuple[RawTable | None, list[Problem]]:
    """Return a CSV file as a table (None where it cannot be read) and what is wrong with its shape."""
    text, problem = decode(data, file, name)
    if problem is not None or text is None:
        return None, [problem] if problem else []
    if not text.strip():
        return None, [Problem("empty_file", "The file is empty.", "Give it at least a header, or remove it.", name, file=file)]
    rows = _numbered_rows(text)
    try:
        header_row, header = next(rows)
        records = list(rows)
    except csv.Error as error:
        row = text.count("\n") + 1 if "end of data" in str(error) else None
        return None, [
            Problem(
                "broken_csv",
                f"The file is not CSV: {error}.",
                "Close every quoted text and double the quotes inside it.",
                name,
                row,
                file=file,
            )
        ]
    if len(header) == 1 and isinstance(header[0], str):
        for separator, word in ((";", "semicolons"), ("\t", "tabs")):
            if separator in header[0]:
                return None, [
                    Problem(
                        "wrong_separator",
                        f"The columns are separated by {word}.",
                        "Save the file with commas between the columns.",
                        name,
                        1,
                        file=file,
                    )
                ]
    return table_from_grid(name, file, header, records, header_row=header_row)


def _numbered_rows(text: str) -> Iterator[tuple[int, Cells]]:
    """Yield the rows that are not empty lines, each with the physical line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    first_line = 1
    for cells in reader:
        if cells:
            yield first_line, cells
        first_line = reader.line_num + 1


class _TwiceError(ValueError):
    """A key that stands twice in one JSON object."""


def _object_without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _TwiceError(f"the key {twice!r} stands twice in one object")
    return record


def read_json_bytes(data: bytes, file: str, name: str) -> RawInstance:
    """Read ``{"instance": {...}, "tables": {"demand": [{...}]}}``."""
    raw = RawInstance(name=name, meta_file=file)
    text, problem = decode(data, file)
    if problem is not None or text is None:
        raw.problems += [problem] if problem else []
        return raw
    try:
        document = json.loads(text, object_pairs_hook=_object_without_twins)
    except (ValueError, RecursionError) as error:
        row = error.lineno if isinstance(error, json.JSONDecodeError) else None
        what = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raw.problems.append(Problem("broken_json", f"The file is not JSON: {what}.", "Mend the JSON.", row=row, file=file))
        return raw
    shape = 'Write {"instance": {...}, "tables": {"demand": [{...}]}}.'
    if not isinstance(document, dict):
        raw.problems.append(Problem("wrong_shape", "The file does not hold an object.", shape, file=file))
        return raw
    for key in document:
        if key not in ("instance", "tables"):
            raw.problems.append(
                Problem("unknown_key", f"There is no key {key!r} here.{nearest(key, ('instance', 'tables'))}", shape, value=key, file=file)
            )
    meta, tables = document.get("instance"), document.get("tables", {})
    if isinstance(meta, dict):
        raw.meta = meta
    else:
        raw.problems.append(Problem("no_meta", "There is no object under the key 'instance'.", shape, file=file))
    if not isinstance(tables, dict):
        raw.problems.append(Problem("wrong_shape", "The tables are not an object of lists.", shape, file=file))
        return raw
    for table_name, records in tables.items():
        _read_json_table(raw, table_name, records, f"{file}, table {table_name}")
    return raw


def _read_json_table(raw: RawInstance, name: str, records: object, file: str) -> None:
    if name not in TABLES:
        remedy = "Rename the table, or remove it."
        raw.problems.append(
            Problem("unknown_table", f"There is no table {name!r}.{nearest(name, TABLES)}", remedy, name, value=name, file=file)
        )
        return
    if not isinstance(records, list):
        raw.problems.append(
            Problem("wrong_shape", "The table is not a list of records.", "Write a list of objects, one per row.", name, file=file)
        )
        raw.unread.add(name)
        return
    columns: dict[str, None] = {}
    kept: list[tuple[int, dict[str, object]]] = []
    for row, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raw.problems.append(Problem("wrong_shape", "The row is not an object.", 'Write {"column": value, ...}.', name, row, file=file))
            continue
        columns.update(dict.fromkeys(record))
        if any(value is not None and value != "" for value in record.values()):
            kept.append((row, record))
    cells = tuple([record.get(column) for _, record in kept] for column in columns)
    raw.tables[name] = RawTable(name, file, tuple(columns), cells, [row for row, _ in kept])
