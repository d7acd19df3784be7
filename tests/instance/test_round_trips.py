"""Folder, workbook and JSON hold the same case."""

from __future__ import annotations

import sys
from pathlib import Path

import openpyxl
import pytest
from small_case import write_case

from diversify.errors import InstanceError, UsageError
from diversify.instance import Instance, bundled_instances, load, save, to_json

EXAMPLES = sorted(path.parent for path in (Path(__file__).parent.parent / "examples").glob("*/instance.yaml"))
CASES = [*EXAMPLES, *bundled_instances().values()]

TRICKY = [
    "007", "true", "=1+1", " lead", "tail ", "#N/A", "nan", "NA", "a\r\nb", "a\rb", "_x000D_", 'q"uo,te', "\t", "1e5", "_x005F_x000D_",
    "None", "'x", "-0", "2030-01-01", "ÅÄ∆ 稀土 🧲", "{", "a\nb", " ", "=\"x\"", "0.10", "@x", "+1", "- x", "null", "~", "# c", "a: b",
]  # fmt: skip


def codes(count: int) -> list[str]:
    return [f"{chr(65 + index // 26)}{chr(65 + index % 26)}A" for index in range(count)]


def tricky_case() -> Instance:
    numbers = [0.1 + 0.2, 1e-300, 1.7976931348623157e308, 5e-324, 123456789012345678.0, 1 / 3, -0.0, 100.0, 1e15, 1e16]
    countries = [
        {"country": code, "name": text, "wacc": 0.1 + 0.2 + index / 7}
        for index, (code, text) in enumerate(zip(codes(99), TRICKY, strict=False))
    ]
    commodities = [
        {"commodity": f"c{index}", "price_usd_per_t": abs(value), "traced": index % 3 == 0 or None} for index, value in enumerate(numbers)
    ]
    meta = {
        "format": 1, "name": "tricky", "title": " =1+1\r\nx: # y", "years": {"first": 2026, "last": 2030, "step": 2},
        "discount_rate": 0.1 + 0.2, "currency": "true", "reveal_year": 2028,
        "solve": {"gap": 1e-9, "presolve": "on", "threads": 2, "parallel": False, "limit": None},
    }  # fmt: skip
    return Instance.from_tables(meta, {"commodities": commodities, "countries": countries, "groups": []})


def through_all(instance: Instance, folder: Path) -> list[Instance]:
    first = load(save(instance, folder / "a"))
    second = load(save(first, folder / "b.xlsx"))
    third = load(save(second, folder / "c.json"))
    return [first, second, third, load(save(third, folder / "d"))]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_every_case_survives_every_encoding(case: Path, tmp_path: Path) -> None:
    instance = load(case)
    for copy in through_all(instance, tmp_path):
        assert copy == instance and copy.content_hash == instance.content_hash
        for name in instance.tables:
            assert copy.table(name).equals(instance.table(name)), name


def test_tricky_texts_and_numbers_survive_every_encoding(tmp_path: Path) -> None:
    instance = tricky_case()
    assert instance.table("countries")["name"].tolist() == TRICKY
    for copy in through_all(instance, tmp_path):
        assert copy.table("countries").equals(instance.table("countries"))
        assert copy.table("commodities").equals(instance.table("commodities"))
        assert copy.meta == instance.meta and copy == instance


def test_the_small_case_survives_every_encoding(tmp_path: Path) -> None:
    instance = load(write_case(tmp_path / "small"))
    assert all(copy == instance for copy in through_all(instance, tmp_path))


def test_what_differs_is_not_equal(tmp_path: Path) -> None:
    instance = load(write_case(tmp_path / "small"))
    frame = instance.table("demand")
    assert instance.replace(demand=frame.iloc[::-1]) != instance, "the order of rows counts"
    assert instance.replace(title="another") != instance
    assert instance.set("demand[].quantity_t_per_year=x1") == instance
    assert hash(instance) == hash(load(write_case(tmp_path / "again" / "small")))


def test_json_is_read_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = load(write_case(tmp_path / "small"))
    (tmp_path / "in.json").write_text(to_json(instance), encoding="utf-8")
    with (tmp_path / "in.json").open(encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert load("-") == instance


def test_texts_are_text_in_a_workbook(tmp_path: Path) -> None:
    save(tricky_case(), tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx")["countries"]
    assert {cell.data_type for cell in sheet["B"]} == {"s"}


def workbook(path: Path, instance: Instance) -> openpyxl.Workbook:
    return openpyxl.load_workbook(save(instance, path))


def test_native_booleans_numbers_and_years_of_a_workbook_are_accepted(tmp_path: Path) -> None:
    instance = load(write_case(tmp_path / "small"))
    book = workbook(tmp_path / "b.xlsx", instance)
    book["demand"]["C2"] = 2026.0
    book["demand"]["D2"] = "100"
    book["locations"]["E1"], book["locations"]["E2"] = "name", 7
    for row in book["instance"].iter_rows():
        if row[0].value == "years":
            row[1].value = "2026, 2028, 2030"
    book.save(tmp_path / "c.xlsx")
    loaded = load(tmp_path / "c.xlsx")
    assert loaded.table("demand").equals(instance.table("demand")) and loaded.years == instance.years
    assert loaded.table("locations")["name"].tolist() == ["7", None, None]


def test_cells_of_a_workbook_are_named_by_their_address(tmp_path: Path) -> None:
    book = workbook(tmp_path / "b.xlsx", load(write_case(tmp_path / "small")))
    sheet = book["demand"]
    sheet["D2"] = "=1+1"
    sheet["C3"] = "later"
    sheet["D4"] = "#DIV/0!"
    book["instance"]["B2"] = "=2-1"
    book.create_sheet("demands").append(["x"])
    book.create_sheet("sources2")
    book.save(tmp_path / "c.xlsx")
    with pytest.raises(InstanceError) as raised:
        load(tmp_path / "c.xlsx")
    found = {(each.code, each.table, each.row, each.column, each.cell) for each in raised.value.problems}
    assert {
        ("formula_without_value", "demand", 2, "quantity_t_per_year", "D2"),
        ("wrong_type", "demand", 3, "year", "C3"),
        ("error_value", "demand", 4, "quantity_t_per_year", "D4"),
        ("formula_without_value", "instance", 2, "format", "B2"),
        ("unknown_table", "demands", None, "", ""),
        ("unknown_table", "sources2", None, "", ""),
    } <= found
    assert not any(each.code == "missing_cell" for each in raised.value.problems)


@pytest.mark.parametrize("content", [b"", b"not a workbook", b"PK\x03\x04 cut short"])
def test_a_broken_workbook_is_one_problem(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.xlsx").write_bytes(content)
    with pytest.raises(InstanceError) as raised:
        load(tmp_path / "b.xlsx")
    assert [each.code for each in raised.value.problems] == ["broken_workbook" if content else "empty_file"]


def test_a_workbook_cut_short_anywhere_never_raises_anything_else(tmp_path: Path) -> None:
    data = save(load(write_case(tmp_path / "small")), tmp_path / "b.xlsx").read_bytes()
    for length in range(0, len(data), max(1, len(data) // 40)):
        (tmp_path / "c.xlsx").write_bytes(data[:length])
        with pytest.raises(InstanceError):
            load(tmp_path / "c.xlsx")


@pytest.mark.parametrize("name", ["out", "out.json", "out.xlsx"])
def test_a_stranger_is_never_overwritten(tmp_path: Path, name: str) -> None:
    instance = load(write_case(tmp_path / "small"))
    target = tmp_path / name
    if name == "out":
        target.mkdir()
        (target / "thesis.txt").write_text("precious")
    else:
        target.write_text("precious")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for replace in (False, True):
        with pytest.raises(UsageError):
            save(instance, target, replace=replace)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["out", "out.json", "out.xlsx"])
def test_an_instance_is_replaced_only_on_request(tmp_path: Path, name: str) -> None:
    instance = load(write_case(tmp_path / "small"))
    other = instance.replace(title="another")
    save(instance, tmp_path / name)
    with pytest.raises(UsageError, match="exists already"):
        save(other, tmp_path / name)
    assert load(tmp_path / name) == instance
    save(other, tmp_path / name, replace=True)
    assert load(tmp_path / name) == other
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "nothing is left aside"


def test_an_empty_folder_is_filled_and_odd_targets_are_refused(tmp_path: Path) -> None:
    instance = load(write_case(tmp_path / "small"))
    (tmp_path / "empty").mkdir()
    assert load(save(instance, tmp_path / "empty")) == instance
    for name in ("a.xls", "b.csv", "c.yaml", "d.zip"):
        with pytest.raises(UsageError):
            save(instance, tmp_path / name)


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    instance = Instance.from_tables(
        {"format": 1, "years": [2030], "discount_rate": 0}, {"countries": [{"country": "USA", "name": "\r" * 9000}]}
    )
    with pytest.raises(UsageError, match="workbook"):
        save(instance, tmp_path / "out.xlsx")
    assert list(tmp_path.iterdir()) == []
