"""Result folders: written whole or not at all, and never in the place of what somebody else put there."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from diversify.errors import ResultFolderError
from diversify.instance import Instance, save

Layout = Mapping[str, tuple[str, ...]]
"""The tables of a result and their columns."""

SUMMARY, MANIFEST, INSTANCE = "summary.json", "manifest.json", "instance.json"


def as_json(value: Mapping[str, Any]) -> str:
    """Return JSON text (keys in order, no NaN) with a newline at its end."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def files_of(tables: Collection[str]) -> set[str]:
    """Return the names of the files of a result folder with these tables."""
    return {f"{name}.csv" for name in tables} | {SUMMARY, MANIFEST, INSTANCE}


def refuse_strangers(target: Path, ours: Collection[str]) -> None:
    """Raise ResultFolderError unless the target is absent, an empty folder or a result folder with nothing but ``ours`` in it."""
    if not target.exists():
        return
    if not target.is_dir():
        raise ResultFolderError(f"{target} is a file. Give the name of a new folder.")
    present = {entry.name for entry in target.iterdir()}
    strangers = sorted(present - set(ours))
    if strangers or (present and MANIFEST not in present):
        what = strangers[0] if strangers else sorted(present)[0]
        raise ResultFolderError(
            f"{target} is not a result folder of this kind (it holds {what}). Nothing was touched; give another folder."
        )


def write_result(
    folder: str | Path,
    layout: Layout,
    tables: Mapping[str, pd.DataFrame],
    summary: Mapping[str, Any],
    manifest: Mapping[str, Any],
    instance: Instance,
) -> Path:
    """Write tables as CSV, summary, manifest and the instance as solved; ResultFolderError as :func:`write_folder` has it."""

    def write(fresh: Path) -> None:
        for name, columns in layout.items():
            tables[name][list(columns)].to_csv(fresh / f"{name}.csv", index=False, lineterminator="\n")
        (fresh / SUMMARY).write_text(as_json(summary), encoding="utf-8")
        save(instance, fresh / INSTANCE)
        (fresh / MANIFEST).write_text(as_json(manifest), encoding="utf-8")

    return write_folder(folder, files_of(layout), write)


def write_folder(folder: str | Path, ours: Collection[str], write: Callable[[Path], None]) -> Path:
    """Let ``write`` fill a new folder and put it in the place of the named one, which must be absent, empty or an earlier result.

    The old result is moved aside and removed only when the new one is whole. Raises ResultFolderError where the folder
    holds anything else.
    """
    target = Path(os.path.abspath(folder))
    refuse_strangers(target, ours)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new-{secrets.token_hex(4)}")
    fresh.mkdir()
    try:
        write(fresh)
        _swap(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new-{secrets.token_hex(4)}")
    try:
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _swap(fresh: Path, target: Path) -> None:
    """Put the fresh folder in the target's place; on failure the old one comes back."""
    old = target.with_name(f".{target.name}.old-{secrets.token_hex(4)}")
    if target.exists():
        os.rename(target, old)
    try:
        os.rename(fresh, target)
    except OSError:
        if old.exists():
            os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)
