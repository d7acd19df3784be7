"""Starting a new case: a copy of a bundled instance with its chains, or an empty template that explains itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from diversify.errors import UsageError
from diversify.instance.bundled import bundled_instances, find_chain
from diversify.instance.names import nearest
from diversify.instance.read import META_FILE, safe_name
from diversify.instance.write import aside_of, put_in_place
from diversify.schema import META_KEYS, TABLES, Column, Table


def new(target: Path | str, source: str | None = None) -> Path:
    """Make a folder to start a case from, and return its path.

    With ``source`` it is a copy of that bundled instance, its chains under ``models`` in it; without, a template:
    every table with its header, ``instance.yaml`` with comments, and ``FORMAT.md`` that explains each column.
    Raises UsageError where the target is not absent or empty, or there is no such bundled instance.
    """
    path = Path(target)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise UsageError(f"{path} exists already. Name another folder.")
    if source is None:
        return _made_aside(path, lambda aside: _write_template(aside, safe_name(path.resolve().name)))
    known = bundled_instances()
    if source not in known:
        raise UsageError(f"There is no bundled instance {source!r}.{nearest(source, known)} Bundled: {', '.join(known) or 'none'}.")
    return _made_aside(path, lambda aside: _copy_bundled(known[source], aside))


def _made_aside(path: Path, make: Callable[[Path], None]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = aside_of(path, "part")
    try:
        make(aside)
        put_in_place(aside, path)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return path


def _copy_bundled(folder: Path, aside: Path) -> None:
    shutil.copytree(folder, aside)
    for chain in yaml.safe_load((folder / META_FILE).read_text(encoding="utf-8")).get("chains") or []:
        found = find_chain(chain, folder)
        if found is not None and not (aside / "models" / chain).exists():
            shutil.copytree(found, aside / "models" / chain)


def _write_template(aside: Path, name: str) -> None:
    aside.mkdir()
    (aside / META_FILE).write_text(template_meta(name), encoding="utf-8")
    for table in TABLES.values():
        (aside / f"{table.name}.csv").write_text(",".join(table.column_names) + "\n", encoding="utf-8")
    (aside / "FORMAT.md").write_text(format_guide(), encoding="utf-8")


_EXAMPLES = {
    "format": "format: 1",
    "name": "name: {name}",
    "title": "# title: What the case is, in a few words",
    "chains": "# chains: [name-of-a-chain]",
    "years": "years: {{first: 2026, last: 2040, step: 1}}",
    "discount_rate": "discount_rate: 0.05",
    "currency": "# currency: USD 2024",
    "reveal_year": "# reveal_year: 2030",
    "solve": "# solve: {{gap: 0.01, time_limit_s: 100}}",
}


def template_meta(name: str) -> str:
    """Return an ``instance.yaml`` in which every key is explained; optional ones are commented out."""
    lines = ["# One planning case. FORMAT.md explains the tables beside this file; tables without rows may be removed."]
    for key in META_KEYS.values():
        lines += ["", f"# {key.name}: {key.meaning}{' (required)' if key.required else ''}", _EXAMPLES[key.name].format(name=name)]
    return "\n".join(lines) + "\n"


def format_guide() -> str:
    """Return the explanation of every table and column, derived from the schema, as Markdown."""
    return "\n".join(_guide_lines()) + "\n"


def _guide_lines() -> Iterator[str]:
    yield "# The tables of an instance"
    yield ""
    yield "Each table is a CSV file (UTF-8) with a header. A blank cell means the default. Tables without rows may be removed."
    yield "Shares and rates are fractions: 25 % is 0.25. Numbers have a decimal point and no separators. Booleans are true or false."
    yield "A selector is a country, a group or `*` (all). Columns that form the key of a row are in **bold**."
    for table in TABLES.values():
        yield from _table_lines(table)


def _table_lines(table: Table) -> Iterator[str]:
    yield ""
    yield f"## {table.name}"
    yield ""
    yield f"{table.meaning[:1].upper()}{table.meaning[1:]}."
    yield ""
    yield "| column | kind | unit | default | meaning |"
    yield "|---|---|---|---|---|"
    for column in table.columns:
        name = f"**{column.name}**" if column.key else column.name
        meaning = column.meaning.replace("|", "\\|")
        yield f"| {name} | {_kind_in_words(column)} | {column.unit} | {_default_in_words(column)} | {meaning} |"


def _kind_in_words(column: Column) -> str:
    if column.selector:
        return "selector"
    if column.choices:
        return " or ".join(f"`{choice}`" for choice in column.choices)
    if column.refers_to:
        return f"a name in {column.refers_to}" + (" or `*`" if column.wildcard else "")
    return column.kind


def _default_in_words(column: Column) -> str:
    if column.required:
        return "required"
    if column.default is None:
        return ""
    if isinstance(column.default, bool):
        return "true" if column.default else "false"
    return f"{column.default:g}" if isinstance(column.default, float) else str(column.default)
