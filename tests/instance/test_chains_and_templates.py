"""Chains joined in, bundled names, and new folders to start from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_case import META, TABLES, write_case

from diversify.errors import InstanceError, UsageError
from diversify.instance import bundled, bundled_instances, check, load, new, save
from diversify.schema import TABLES as SCHEMA

CHAIN = ("commodities", "processes", "recipes")


def chained(root: Path, chains: str, **tables: str | None) -> Path:
    """Write the small case with its chain tables moved to ``models/metals``."""
    models = root / "models" / "metals"
    models.mkdir(parents=True)
    for name in CHAIN:
        (models / f"{name}.csv").write_text(TABLES[name])
    return write_case(root / "instances" / "small", META + f"chains: {chains}\n", **{**dict.fromkeys(CHAIN), **tables})


@pytest.mark.parametrize("chains", ["[metals]", "[../../models/metals]", "[metals, metals]", "metals"])
def test_a_chain_is_joined_in_by_name_or_relative_path(tmp_path: Path, chains: str) -> None:
    instance = load(chained(tmp_path / "a", chains))
    assert instance == load(write_case(tmp_path / "small"))
    assert instance.meta["chains"] == []


def test_own_rows_win_over_the_chains_and_come_after_them(tmp_path: Path) -> None:
    folder = chained(tmp_path, "[metals]", commodities="commodity,price_usd_per_t,traced\nmetal,9999,true\nlead,1,\n")
    frame = load(folder).table("commodities")
    assert frame["commodity"].tolist() == ["ore", "scrap", "alloy", "metal", "lead"]
    assert frame["price_usd_per_t"].tolist() == [100.0, 50.0, 4000.0, 9999.0, 1.0]


def test_a_converted_case_carries_its_chains(tmp_path: Path) -> None:
    instance = load(chained(tmp_path, "[metals]"))
    shutil.move(tmp_path / "models", tmp_path / "gone")
    assert load(save(instance, tmp_path / "alone.json")) == instance


def test_rows_that_two_chains_share_must_be_alike(tmp_path: Path) -> None:
    folder = chained(tmp_path, "[metals, more]")
    more = tmp_path / "models" / "more"
    shutil.copytree(tmp_path / "models" / "metals", more)
    assert check(folder).ok
    (more / "commodities.csv").write_text("commodity,price_usd_per_t\nmetal,1\n")
    problems = check(folder).errors
    assert [(each.code, each.file, each.row) for each in problems] == [("chain_conflict", "more/commodities.csv", 2)]


def test_problems_of_a_chain_are_named_by_its_file(tmp_path: Path) -> None:
    folder = chained(tmp_path, "[metals]")
    models = tmp_path / "models" / "metals"
    (models / "recipes.csv").write_text(TABLES["recipes"].replace("smelt,metal,1\n", "smelt,metal,3\n"))
    (models / "caps.csv").write_text(TABLES["caps"])
    found = {(each.code, each.file, each.row) for each in check(folder).errors}
    assert {("reference_not_one", "metals/recipes.csv", 4), ("not_in_chain", "metals/caps.csv", None)} <= found


def test_rows_of_chain_and_case_are_told_apart(tmp_path: Path) -> None:
    own = "process,commodity,amount_t_per_t\nblend,ore,0\n"
    found = {(each.code, each.file, each.row) for each in check(chained(tmp_path, "[metals]", recipes=own)).errors}
    assert found == {("zero_amount", "recipes.csv", 2)}


def test_a_template_has_every_table_and_explains_every_column(tmp_path: Path) -> None:
    folder = new(tmp_path / "My case")
    guide = (folder / "FORMAT.md").read_text()
    for name, table in SCHEMA.items():
        assert (folder / f"{name}.csv").read_text().strip() == ",".join(table.column_names)
        assert f"## {name}" in guide and all(column.name in guide for column in table.columns)
    found = check(folder)
    assert found.ok and load(folder).name == "My-case" and {each.code for each in found.warnings} == {"empty_table"}


def bundle(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chained(root, "[metals]")
    monkeypatch.setattr(bundled, "bundled_roots", lambda: [root])


def test_a_copy_of_a_bundled_instance_brings_its_chains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(tmp_path / "package", monkeypatch)
    copy = new(tmp_path / "copy", "small")
    shutil.rmtree(tmp_path / "package")
    assert load(copy) == load(write_case(tmp_path / "small"))


def test_a_bundled_name_is_known_and_a_misspelt_one_is_bad_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(tmp_path / "package", monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert load("small").name == "small" and list(bundled_instances()) == ["small"]
    with pytest.raises(UsageError, match="'small'"):
        load("smal")
    with pytest.raises(UsageError, match="'small'"):
        new(tmp_path / "copy", "smal")
    assert not (tmp_path / "copy").exists()


def test_a_folder_here_goes_before_a_bundled_name_only_where_it_is_an_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(tmp_path / "package", monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small").mkdir()
    assert load("small").meta["title"] == "A small case"
    write_case(tmp_path / "small", META.replace("A small case", "Mine"))
    assert load("small").meta["title"] == "Mine"


def test_a_new_folder_never_covers_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("x")
    with pytest.raises(UsageError):
        new(tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["a.txt"]


def test_every_bundled_instance_is_without_error() -> None:
    for folder in bundled_instances().values():
        try:
            load(folder)
        except InstanceError as error:
            pytest.fail(f"{folder.name}: {error}")
