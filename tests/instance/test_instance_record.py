"""The Instance as Python users have it."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from small_case import mutated, write_case

from diversify.errors import InstanceError, UsageError
from diversify.instance import Instance, describe, load
from diversify.schema import TABLES


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    return load(write_case(tmp_path_factory.mktemp("record") / "small"))


def test_every_table_has_all_columns_in_order_and_in_its_type(small: Instance) -> None:
    dtypes = {"text": "object", "ramp": "object", "number": "float64", "year": "Int64", "boolean": "boolean"}
    without = small.replace(lanes=None)
    for name, table in TABLES.items():
        frame = without.table(name)
        assert list(frame.columns) == list(table.column_names)
        assert [str(dtype) for dtype in frame.dtypes] == [dtypes[column.kind] for column in table.columns], name


def test_blanks_stay_blank(small: Instance) -> None:
    facilities = small.table("facilities")
    assert facilities["owner"].tolist() == [None, None, "JPN", None]
    assert facilities["capacity_t_per_year"].isna().tolist() == [False, False, True, False]


def test_years_are_resolved_and_keys_kept_as_given(small: Instance) -> None:
    stepped = small.replace(years={"first": 2026, "last": 2030, "step": 2})
    assert stepped.years == small.years == (2026, 2028, 2030)
    assert stepped.meta["years"] == {"first": 2026, "last": 2030, "step": 2} and small.meta["years"] == [2026, 2028, 2030]
    assert small.meta["chains"] == [] and small.name == "small"


def test_what_is_handed_out_is_a_copy(small: Instance) -> None:
    before = small.content_hash
    for frame in (small.table("demand"), small.tables["demand"]):
        frame.loc[0, "quantity_t_per_year"] = 1e9
    small.meta["years"].append(2099)
    assert small.table("demand")["quantity_t_per_year"].iloc[0] == 100.0 and small.meta["years"] == [2026, 2028, 2030]
    assert Instance.from_tables(small.meta, small.tables).content_hash == before


def test_frames_and_records_make_an_instance(small: Instance) -> None:
    records = {name: small.records(name) for name in small.tables}
    assert Instance.from_tables(small.meta, records) == small == Instance.from_tables(small.meta, small.tables)
    plain = {name: pd.DataFrame(rows) for name, rows in records.items()}
    assert Instance.from_tables(small.meta, plain) == small


def test_wrong_frames_are_refused_with_rows_from_one(small: Instance) -> None:
    frame = small.table("demand")
    frame.loc[1, "quantity_t_per_year"] = -5.0
    with pytest.raises(InstanceError) as raised:
        small.replace(demand=frame.assign(extra=1))
    found = {(each.code, each.table, each.row, each.column) for each in raised.value.problems}
    assert found == {("negative", "demand", 2, "quantity_t_per_year"), ("unknown_column", "demand", None, "extra")}
    with pytest.raises(InstanceError):
        small.replace(demand=frame.assign(quantity_t_per_year=float("inf")))


def test_unknown_names_are_bad_usage(small: Instance) -> None:
    with pytest.raises(UsageError, match="'demand'"):
        small.replace(demnd=None)
    with pytest.raises(UsageError, match="'demand'"):
        small.table("demands")


def test_an_instance_travels_between_processes(small: Instance) -> None:
    assert pickle.loads(pickle.dumps(small)) == small


def test_the_overview_counts_supply_demand_caps_and_provenance(small: Instance) -> None:
    shown = describe(small)
    smelting = [row for row in shown["supply"] if row["commodity"] == "metal"]
    assert [(row["country"], row["first_t_per_year"], row["last_t_per_year"], row["projects_t_per_year"]) for row in smelting] == [
        ("CHN", 400.0, 450.0, 0.0),
        ("USA", 0.0, 0.0, 300.0),
    ]
    assert {(row["country"], row["first_t_per_year"], row["last_t_per_year"]) for row in shown["demand"]} == {
        ("USA", 100.0, 150.0),
        ("JPN", 80.0, 80.0),
    }
    assert [(row["cap"], row["first_share"], row["last_share"]) for row in shown["caps"]] == [("china", 0.9, 0.5), ("each", None, 0.8)]
    assert shown["provenance"]["demand"] == {"cited": 0, "derived": 0, "assumed": 0, "none": 3}
    assert shown["rows"]["demand"] == 3


def test_openpyxl_is_loaded_only_for_workbooks(tmp_path: Path) -> None:
    folder = write_case(tmp_path / "small")
    target = tmp_path / "out.json"
    code = f"import sys, diversify.instance as i; i.save(i.load({str(folder)!r}), {str(target)!r}); print('openpyxl' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root).stdout.strip() == "False"


def test_warnings_do_not_keep_a_case_from_loading(tmp_path: Path) -> None:
    assert load(write_case(tmp_path / "case", **mutated("tariffs", "duty,china,USA", "duty,USA,china"))).name == "small"
