"""Random bad input: whatever is in the cells, only the errors made for it are raised, and nothing is lost on the way."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from small_case import META, TABLES, write_case

from diversify.errors import DiversifyError
from diversify.instance import Instance, check, load, save
from diversify.schema import TABLES as SCHEMA

pytestmark = pytest.mark.fuzz
QUIET = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

LIKELY = st.sampled_from(
    ["", " ", "0", "-1", "1e999", "nan", "2030", "2030.0", "true", "*", "metal", "us", "USA", "china", "0,5", "1;2", "x1.2", "=1", "\ufeff"]
)
CELL = LIKELY | st.text(max_size=12)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | LIKELY
NESTED = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6
)


@QUIET
@given(st.sampled_from(sorted(TABLES)), st.integers(1, 20), st.integers(0, 12), CELL)
def test_any_text_in_any_cell_of_a_folder_is_read_or_refused(table: str, row: int, column: int, cell: str) -> None:
    lines = [line.split(",") for line in TABLES[table].strip().split("\n")]
    line = lines[row % len(lines)]
    line[column % len(line)] = cell
    with TemporaryDirectory() as folder:
        text = "\n".join(",".join(cells) for cells in lines)
        case = write_case(Path(folder) / "case", META, **{table: text.encode("utf-8", "surrogatepass")})
        found = check(case)
        if found.ok:
            instance = load(case)
            for name in ("a.json", "b.xlsx", "c"):
                assert load(save(instance, Path(folder) / name)) == instance
        assert all(each.message and each.remedy for each in found.errors)


@QUIET
@given(st.binary(max_size=200), st.sampled_from(["instance.yaml", "demand.csv", "caps.csv"]))
def test_any_bytes_in_a_file_are_refused_or_read(content: bytes, file: str) -> None:
    with TemporaryDirectory() as folder:
        case = write_case(Path(folder) / "case")
        (case / file).write_bytes(content)
        check(case)


@QUIET
@given(st.text(max_size=80))
def test_any_text_of_keys_is_refused_or_read(text: str) -> None:
    with TemporaryDirectory() as folder:
        case = write_case(Path(folder) / "case")
        (case / "instance.yaml").write_bytes((META + text).encode("utf-8", "surrogatepass"))
        check(case)


@QUIET
@example({"solve": {"\x7f": None, "\x80\ufffe": "\x9f"}}, {})
@given(
    st.dictionaries(st.sampled_from(["format", "name", "years", "discount_rate", "chains", "solve", "reveal_year", "title"]), NESTED),
    st.dictionaries(st.sampled_from(sorted(SCHEMA)), st.lists(st.dictionaries(CELL, NESTED, max_size=4), max_size=3) | NESTED, max_size=3),
)
def test_any_json_is_refused_or_read(meta: dict[str, Any], tables: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "case.json"
        path.write_bytes(json.dumps({"instance": {"format": 1, "years": [2030], "discount_rate": 0, **meta}, "tables": tables}).encode())
        found = check(path)
        if found.ok:
            instance = load(path)
            for name in ("a.json", "b.xlsx", "c"):
                assert load(save(instance, Path(folder) / name)) == instance


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    return load(write_case(tmp_path_factory.mktemp("fuzz") / "small"))


PIECES = ["demand", "caps", "instance", "share", "quantity_t_per_year", "cap", "location", "us", "years", "0", "2030"]
PIECES += ["[", "]", ".", "=", ",", "+", "-", '"', "x1.2", "plus 5", "default"]


@QUIET
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join))
def test_any_change_is_refused_or_made(small: Instance, text: str) -> None:
    try:
        small.set(text)
    except DiversifyError as error:
        assert str(error)


@QUIET
@given(st.sampled_from(sorted(SCHEMA)), st.data())
def test_any_value_set_in_any_column_is_refused_or_made(small: Instance, table: str, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(SCHEMA[table].column_names))
    value = data.draw(CELL)
    quoted = '"' + value.replace('"', '""') + '"'
    try:
        small.set(f"{table}[].{column}={quoted}")
    except DiversifyError as error:
        assert str(error)
