"""Writing an instance as a folder, a workbook or a JSON file: whole or not at all, and never over a stranger's files."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from diversify.errors import UsageError
from diversify.instance.assemble import left_to_chains
from diversify.instance.read import META_FILE
from diversify.instance.record import Instance
from diversify.schema import TABLES

_FOREIGN_SUFFIXES = {".xls", ".xlsm", ".xlsb", ".ods", ".csv", ".tsv", ".yaml", ".yml", ".txt", ".zip", ".parquet", ".toml"}


def save(instance: Instance, target: Path | str, *, replace: bool = False, chains: Sequence[str] = ()) -> Path:
    """Write an instance as a folder, an ``.xlsx`` or a ``.json`` file, by the target's ending, and return the path.

    The target must be absent or an empty folder; with ``replace`` it may be an instance of the same encoding. A folder names the bundled
    ``chains`` and leaves to them the rows that they hold; without, and in a file, all rows are written.
    What is written appears whole or not at all. Raises UsageError where the target may not be written to.
    """
    if str(target) == "-":
        raise UsageError("Only JSON goes to standard output; name a folder, an .xlsx or a .json file to write to.")
    path = Path(target)
    suffix = path.suffix.lower()
    if suffix in _FOREIGN_SUFFIXES and not path.is_dir():
        raise UsageError(f"{path} is of no kind that can be written: name a folder, an .xlsx or a .json file.")
    _refuse_to_overwrite(path, suffix, replace)
    if chains:
        if suffix in (".json", ".xlsx"):
            raise UsageError(f"{path} is a file, which carries its chains' rows itself. Name a folder.")
        instance = Instance(left_to_chains(instance.draft(), chains))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".json":
            _write_file(path, lambda aside: aside.write_text(to_json(instance), encoding="utf-8", newline=""))
        elif suffix == ".xlsx":
            from diversify.instance.workbook import write_workbook  # openpyxl only where a workbook is written

            _write_file(path, lambda aside: write_workbook(instance, aside))
        else:
            _write_folder(path, instance)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def to_json(instance: Instance) -> str:
    """Return an instance as the text of its JSON file; blanks are left out, numbers read back as the same numbers."""
    tables = {name: instance.records(name) for name in instance.tables}
    lines = []
    for name, records in tables.items():
        rows = ",\n".join("   " + json.dumps(record, ensure_ascii=False, allow_nan=False) for record in records)
        lines.append(f"  {json.dumps(name)}: [\n{rows}\n  ]" if records else f"  {json.dumps(name)}: []")
    meta = json.dumps(instance.meta, ensure_ascii=False, indent=1, allow_nan=False).replace("\n", "\n ")
    body = ",\n".join(lines)
    return f'{{\n "instance": {meta},\n "tables": {{\n{body}\n }}\n}}\n' if lines else f'{{\n "instance": {meta},\n "tables": {{}}\n}}\n'


def present_columns(instance: Instance, name: str) -> list[str]:
    """Return the columns worth writing: those that every table of the kind must have, and those in which something stands."""
    frame = instance.table(name)
    table = TABLES[name]
    return [column.name for column in table.columns if column.key or column.required or frame[column.name].notna().any()]


def csv_text(instance: Instance, name: str) -> str:
    """Return one table as CSV."""
    return csv_of(instance.table(name)[present_columns(instance, name)])


def csv_of(frame: pd.DataFrame) -> str:
    """Return a typed frame as CSV: blanks empty, booleans ``true`` and ``false``, numbers in their shortest form."""
    from diversify.instance.record import plain_values

    columns = list(frame.columns)
    cells = [[_csv_cell(value) for value in plain_values(frame[column])] for column in columns]
    lines = [",".join(columns), *(",".join(row) for row in zip(*cells, strict=True))]
    return "\n".join(lines) + "\n"


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else repr(value)
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\n\r') else text


def meta_text(instance: Instance) -> str:
    """Return the keys as ``instance.yaml``."""
    return yaml.safe_dump(instance.meta, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)


def aside_of(path: Path, ending: str) -> Path:
    """Return a free name beside the target, hidden, on the same file system."""
    return path.parent / f".{path.name[:40]}.{secrets.token_hex(6)}.{ending}"


def _write_file(path: Path, write: Callable[[Path], object]) -> None:
    aside = aside_of(path, "part")
    try:
        write(aside)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _write_folder(path: Path, instance: Instance) -> None:
    aside = aside_of(path, "part")
    aside.mkdir()
    try:
        (aside / META_FILE).write_text(meta_text(instance), encoding="utf-8", newline="")
        for name in instance.tables:
            (aside / f"{name}.csv").write_text(csv_text(instance, name), encoding="utf-8", newline="")
        put_in_place(aside, path)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def put_in_place(aside: Path, path: Path) -> None:
    """Move a finished folder to its place; a folder that stands there is removed only when the new one is in place."""
    if not path.exists():
        os.rename(aside, path)
        return
    if not any(path.iterdir()):
        path.rmdir()
        os.rename(aside, path)
        return
    old = aside_of(path, "old")
    os.rename(path, old)
    try:
        os.rename(aside, path)
    except BaseException:
        os.rename(old, path)
        raise
    shutil.rmtree(old)


def _refuse_to_overwrite(path: Path, suffix: str, replace: bool) -> None:
    if not path.exists() and not path.is_symlink():
        return
    if path.is_dir():
        if suffix in (".json", ".xlsx"):
            raise UsageError(f"{path} is a folder, not a file. Name another target.")
        if not any(path.iterdir()):
            return
        if replace and _is_instance_folder(path):
            return
    elif suffix not in (".json", ".xlsx"):
        raise UsageError(f"{path} is a file, not a folder. Name another target.")
    elif replace and _is_instance_file(path, suffix):
        return
    what = "is not an instance that could be replaced" if replace else "exists already"
    raise UsageError(f"{path} {what}. Name another target, or remove it first.")


def _is_instance_folder(path: Path) -> bool:
    names = {each.name for each in path.iterdir()}
    return META_FILE in names and names <= {META_FILE, *(f"{table}.csv" for table in TABLES)}


def _is_instance_file(path: Path, suffix: str) -> bool:
    if suffix == ".xlsx":
        from diversify.instance.workbook import is_instance_workbook

        return is_instance_workbook(path)
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and set(document) == {"instance", "tables"}
