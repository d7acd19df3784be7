"""Every row of the bundled cases and chains says where it comes from, and every citation can be followed."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

import diversify as dv
from diversify.schema import QUALITIES

ROOT = Path(__file__).parents[2]
CASES = sorted(path.parent for path in ROOT.glob("instances/*/instance.yaml"))
CHAINS = sorted(path.parent for path in ROOT.glob("models/*/recipes.csv"))
JOINT = "trilateral-critical-minerals"
"""Made from the others: it lists their sources too, also those that only their scenarios use."""
TABLES = [path for folder in (*CASES, *CHAINS) for path in sorted(folder.glob("*.csv"))]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def label(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", [path for path in TABLES if path.stem != "sources"], ids=label)
def test_every_row_has_a_source_and_a_quality(path: Path) -> None:
    lacking = [number for number, row in enumerate(rows(path), start=2) if not row.get("source") or row.get("quality") not in QUALITIES]
    assert not lacking, f"{label(path)}: rows {lacking[:10]}"


@pytest.mark.parametrize("path", [path for path in TABLES if path.stem != "sources"], ids=label)
def test_a_row_without_an_outside_source_is_not_called_cited(path: Path) -> None:
    wrong = [row for row in rows(path) if row["quality"] == "cited" and row["source"] in ("assumed-here", "DATA-PACK")]
    assert not wrong, wrong[:3]


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_every_source_is_listed_and_every_listed_one_is_used(folder: Path) -> None:
    case = dv.load(folder)
    listed = case.table("sources")
    used = {source for name, table in case.tables.items() if name != "sources" for source in table["source"].dropna()}
    record = ROOT / "tests" / "bundled" / "records" / f"{folder.name}.csv"
    used |= {row["source"] for row in rows(record)} if record.exists() else set()
    cited_in_words = {name for name in listed["source"] if re.search(rf"\b{re.escape(name)}\b", _words(folder, case))}
    assert used <= set(listed["source"]), sorted(used - set(listed["source"]))
    of_parts = (
        {row["source"] for part in CASES if part.name != JOINT for row in rows(part / "sources.csv")} if folder.name == JOINT else set()
    )
    unused = set(listed["source"]) - of_parts - used - cited_in_words
    assert not unused, sorted(unused)


def _words(folder: Path, case: dv.Instance) -> str:
    notes = [note for table in case.tables.values() for note in table["note"].dropna()] if case.tables else []
    return "\n".join([(folder / "NOTES.md").read_text(encoding="utf-8"), *map(str, notes)])


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_a_source_has_a_title_and_a_publisher(folder: Path) -> None:
    for row in rows(folder / "sources.csv"):
        assert row["title"], row
        assert row["publisher"], row


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_a_case_has_notes_and_its_chains_a_readme(folder: Path) -> None:
    assert (folder / "NOTES.md").is_file()
    for chain in CHAINS:
        assert (chain / "README.md").is_file()


def test_the_same_source_is_the_same_row_everywhere() -> None:
    seen: dict[str, tuple[str, dict[str, str]]] = {}
    for folder in CASES:
        for row in rows(folder / "sources.csv"):
            where, first = seen.setdefault(row["source"], (folder.name, row))
            assert row == first, (where, folder.name, row["source"])
