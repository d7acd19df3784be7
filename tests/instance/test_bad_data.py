"""Every kind of error: one mutation of the small case, and the problem it must give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_case import META, TABLES, mutated, write_case

from diversify.errors import InstanceError, UsageError
from diversify.instance import check, load

# table, old text, new text, code, row, column
CELLS = [
    ("demand", "us,metal,2026,100,", "us,metal,2026,\"0,5\",", "decimal_comma", 2, "quantity_t_per_year"),
    ("demand", "us,metal,2026,100,", "us,metal,2026,\"1,000\",", "thousands_separator", 2, "quantity_t_per_year"),
    ("demand", "us,metal,2026,100,", "us,metal,2026,1 000,", "thousands_separator", 2, "quantity_t_per_year"),
    ("demand", "us,metal,2026,100,", "us,metal,2026,many,", "wrong_type", 2, "quantity_t_per_year"),
    ("demand", "us,metal,2026,100,", "us,metal,2026,nan,", "not_finite", 2, "quantity_t_per_year"),
    ("demand", "us,metal,2026,100,", "us,metal,2026,-inf,", "not_finite", 2, "quantity_t_per_year"),
    ("demand", "us,metal,2026,100,", "us,metal,2026,1e999,", "not_finite", 2, "quantity_t_per_year"),
    ("demand", "us,metal,2026,100,", "us,metal,2026,1_0,", "wrong_type", 2, "quantity_t_per_year"),
    ("demand", "us,metal,2026,100,", "us,metal,2026,,", "missing_cell", 2, "quantity_t_per_year"),
    ("demand", "us,metal,2026,100,", ",metal,2026,100,", "missing_cell", 2, "location"),
    ("demand", "us,metal,2030", "us,metal,2030.5", "wrong_type", 3, "year"),
    ("demand", "us,metal,2030", "us,metal,203", "year_out_of_range", 3, "year"),
    ("demand", "us,metal,2030", "us,metal,2029", "year_not_covered", 2, "year"),
    ("demand", "us,metal,2026", "us,metal,2027", "year_not_covered", 2, "year"),
    ("demand", "us,metal,2026", "us,metal,", "blank_year_beside_dated", 2, "year"),
    ("demand", "us,metal,2030,150", "us,metal,2026,150", "duplicate_key", 3, "location"),
    ("demand", "jp,metal,,80,50000\n", "jp,metal,,80,50000\njp,metal,,90,50000\n", "duplicate_key", 5, "location"),
    ("demand", "us,metal,2026", "us,mettal,2026", "unknown_reference", 2, "commodity"),
    ("demand", "us,metal,2026,100,50000", "us,metal,2026,100,50000,7", "row_too_long", 2, ""),
    ("facilities", "mine-cn,cn,mine,,900", "mine-cn,cn,mine,,-900", "negative", 2, "capacity_t_per_year"),
    ("facilities", "true,0.9,0.1", "true,1.9,0.1", "share_above_one", 3, "utilisation_max"),
    ("facilities", "true,0.9,0.1", "true,0.9,0.95", "utilisation_crossed", 3, "utilisation_min"),
    ("facilities", "true,0.9,0.1", "yes,0.9,0.1", "wrong_type", 3, "closable"),
    ("facilities", "50,2026,2030", "50,2031,2030", "years_crossed", 5, "first_year"),
    ("facilities", "us,smelt,JPN", "us,smelt,JAP", "unknown_reference", 4, "owner"),
    ("facilities", "us,smelt,JPN", "us,melt,JPN", "unknown_reference", 4, "process"),
    ("modes", "smelt-us,recycle", "smelt-us,smelt", "mode_is_own_process", 2, "process"),
    ("capacities", "smelt-cn,2030,450", "smelt-cn,2026,450", "duplicate_key", 3, "facility"),
    ("outages", "flood,smelt-cn", "flood,smelt-ch", "unknown_reference", 2, "facility"),
    ("outages", "2028,2028,0.5", "2028,2028,1.5", "share_above_one", 2, "available"),
    ("outages", "2028,2028,0.5", "2028,2028,-0.5", "negative", 2, "available"),
    ("outages", "2028,2028,0.5", "2028,2027,0.5", "years_crossed", 2, "first_year"),
    ("outages", "refit,smelt-us", "flood,smelt-us", "duplicate_key", 3, "outage"),
    ("outages", "refit,smelt-us", ",smelt-us", "missing_cell", 3, "outage"),
    ("families", "control,export_control,china,allies,metal", "control,exports,china,allies,metal", "not_a_choice", 2, "kind"),
    ("families", "control,export_control,china,allies,metal", "../control,export_control,china,allies,metal", "path_for_name", 2, "family"),
    ("families", "china,allies,metal", "chinna,allies,metal", "unknown_reference", 2, "origin"),
    ("families", "china,allies,metal", "china,,metal", "missing_cell", 2, "destination"),
    ("families", "china,allies,metal,,,0.4", "china,allies,metal,USA,,0.4", "not_of_this_kind", 2, "country"),
    ("families", "0.4,2028,2030", "0.4,2027,2030", "before_reveal", 2, "first_low"),
    ("families", "0.4,2028,2030", "0.4,2031,2030", "limits_crossed", 2, "first_low"),
    ("families", "0.4,2028,2030", "1.4,2028,2030", "share_above_one", 2, "chance"),
    ("families", "1,2,0.5,1,200", "1,,0.5,1,200", "missing_cell", 2, "years_high"),
    ("families", "1,2,0.5,1,200", "1,2.5,0.5,1,200", "not_whole_years", 2, "years_high"),
    ("families", "1,2,0.5,1,200", "1,2,0.5,1.1,200", "share_above_one", 2, "high"),
    ("families", "1,2,0.5,1,200", "1,2,0.5,1,", "missing_cell", 2, "reference_t_per_year"),
    ("families", "ore,,control,", "ore,,ore-control,", "follows_a_follower", 3, "follows"),
    ("families", "ore,,control,", "ore,,later,", "nothing_to_follow", 3, "follows"),
    ("families", "ore,,control,,", "ore,,control,0.3,", "taken_from_another", 3, "chance"),
    ("families", "allies,,,2028,2028,,,0.9", "allies,,,2028,2028,3,,0.9", "missing_cell", 4, "years_high"),
    ("families", "0.5,,,,,1,2,", "0.5,,,,,0.5,2,", "not_whole_years", 6, "low"),
    ("recipes", "smelt,metal,1\n", "smelt,metal,2\n", "reference_not_one", 4, "amount_t_per_t"),
    ("recipes", "smelt,ore,-1.5", "smelt,ore,0", "zero_amount", 3, "amount_t_per_t"),
    ("recipes", "smelt,metal,1\n", "", "recipe_without_reference", 3, "reference"),
    ("recipes", "blend,alloy,1\n", "", "no_recipe", 5, "process"),
    ("countries", "CHN,China,0.07", "CHN,China,-1", "out_of_range", 4, "wacc"),
    ("countries", "CHN,China,0.07,\n", "CHN,China,0.07,\nchn,China,0.07,\n", "bad_country_code", 5, "country"),
    ("groups", "china,CHN\n", "china,CHN\nUSA,JPN\n", "group_is_country", 5, "group"),
    ("groups", "china,CHN\n", "china,CHN\n*,JPN\n", "reserved_name", 5, "group"),
    ("groups", "china,CHN\n", "china,CHINA\n", "unknown_reference", 4, "country"),
    ("locations", "us,USA,40,-100", "us,USA,40,", "no_coordinates", 2, "longitude"),
    ("locations", "cn,CHN,30,110", "cn,CHN,99,110", "out_of_range", 4, "latitude"),
    ("projects", "100,3,,1,2.5,", "100,3,,1,2.5,9", "both_capex", 2, "capex_unit_musd"),
    ("projects", "100,3,,1,2.5,", "100,3,,1,,", "no_capex", 2, "capex_usd_per_t_year"),
    ("projects", "100,3,,1,2.5,", "100,3,300,1,2.5,", "both_limits", 2, "units_max"),
    ("projects", "100,3,,1,2.5,", "100,,,1,2.5,", "no_limit", 2, "units_max"),
    ("projects", ",,80,,,1000", ",,,,,1000", "no_limit", 3, "max_t_per_year"),
    ("projects", ",,80,,,1000", ",5,,,,1000", "units_without_size", 3, "units_max"),
    ("projects", ",,80,,,1000", ",,80,,5,", "units_without_size", 3, "capex_unit_musd"),
    ("projects", "100,3,,1,2.5,", "100,2.5,,1,2.5,", "fractional_units", 2, "units_max"),
    ("projects", "100,3,,1,2.5,", "100,3,,4,2.5,", "limits_crossed", 2, "units_min"),
    ("projects", "100,3,,1,2.5,", "100,,90,1,2.5,", "limits_crossed", 2, "units_min"),
    ("projects", "100,3,,1,2.5,", "0,3,,1,2.5,", "not_positive", 2, "unit_t_per_year"),
    ("projects", "20,0.5;1", "20,0.5;;1", "bad_ramp", 2, "ramp"),
    ("projects", "20,0.5;1", "20,50;100", "bad_ramp", 2, "ramp"),
    ("projects", "20,0.5;1", '20,"0,5;1"', "decimal_comma", 2, "ramp"),
    ("projects", "20,0.5;1", ",0.5;1", "missing_cell", 2, "life_years"),
    ("caps", "china,2026,0.9", "china,2026,90", "share_above_one", 2, "share"),
    ("caps", "china,2026,0.9", "china,2026,90 %", "wrong_type", 2, "share"),
    ("caps", "china,2030,0.5,metal,allies,china,traced", "china,2030,0.5,metal,allies,china,owned", "differs_within", 3, "basis"),
    ("caps", "china,2030,0.5,metal,allies", "china,2030,0.5,metal,USA", "differs_within", 3, "consumers"),
    ("caps", "CHN,produced", "CHN,made", "not_a_choice", 4, "basis"),
    ("caps", "each,2028,0.8,metal,allies", "each,2028,0.8,metal,alies", "unknown_reference", 4, "consumers"),
    ("floors", "home,2030", "home,", "missing_cell", 2, "year"),
    ("tariffs", "duty,china,USA,metal,2026,", "duty,china,USA,metal,2026,2025", "years_crossed", 2, "first_year"),
    ("tariffs", "duty,china", "duty,chima", "unknown_reference", 2, "origin"),
    ("substitutes", "metal,alloy", "metal,metal", "substitutes_itself", 2, "substitute"),
    ("substitutes", "alloy,1.2", "alloy,0", "not_positive", 2, "ratio_t_per_t"),
    ("markets", "*,alloy", "**,alloy", "unknown_reference", 2, "location"),
    ("scenarios", "ban,0.4", "../ban,0.4", "path_for_name", 3, "scenario"),
    ("scenarios", "base,0.6", "-base,0.6", "unsafe_name", 2, "scenario"),
    ("scenarios", "base,0.6", "base,1.6", "share_above_one", 2, "probability"),
    ("changes", "quantity_t_per_year=x1.2", "quantity=x1.2", "bad_change", 3, "change"),
    ("changes", "demand[commodity=metal].quantity", "demand[commodity=metal.quantity", "bad_change", 3, "change"),
    ("changes", "ban,demand", "bann,demand", "unknown_reference", 3, "scenario"),
    ("figures", "facilities,smelt-us", "facilitys,smelt-us", "unknown_reference", 2, "table"),
    ("figures", "facilities,smelt-us", "facilities,smelt-uk", "unknown_reference", 2, "key"),
    ("figures", "smelt-us,variable_usd_per_t", "smelt-us,variable", "unknown_reference", 2, "column"),
    ("figures", "cited,100,150", "cited,160,150", "limits_crossed", 2, "low"),
    ("figures", "cited,100,150", "sighted,100,150", "not_a_choice", 2, "quality"),
]  # fmt: skip

HEADERS = [
    ("demand", "quantity_t_per_year", "quantity_t_per_yr", "unknown_column", 1, "quantity_t_per_yr"),
    ("demand", "location,commodity,year,", "commodity,year,", "missing_column", 1, "location"),
    ("demand", "location,commodity,year,", "location,commodity,commodity,", "duplicate_column", 1, "commodity"),
    ("demand", "location,commodity,year,", "location,commodity,,", "no_column_name", 1, ""),
    ("freight", "commodity,handling_usd_per_t,freight_usd_per_t_km", "commodity;handling_usd_per_t", "wrong_separator", 1, ""),
]  # fmt: skip

METAS = [
    ("format: 1\n", "", "missing_key", "format"),
    ("format: 1\n", "format: 2\n", "unknown_format", "format"),
    ("name: small\n", "name: ../small\n", "path_for_name", "name"),
    ("name: small\n", "name: 2024\n", "wrong_type", "name"),
    ("discount_rate: 0.05\n", "", "missing_key", "discount_rate"),
    ("discount_rate: 0.05\n", "discount_rate: -1\n", "out_of_range", "discount_rate"),
    ("discount_rate: 0.05\n", "discount_rate: 0,05\n", "decimal_comma", "discount_rate"),
    ("discount_rate: 0.05\n", "discount_rate: .nan\n", "not_finite", "discount_rate"),
    ("discount_rate: 0.05\n", "discount_rate: 0.05\ndiscont: 1\n", "unknown_key", "discont"),
    ("[2026, 2028, 2030]", "[2026, 2030, 2028]", "years_not_increasing", "years"),
    ("[2026, 2028, 2030]", "[2026, 2026]", "years_not_increasing", "years"),
    ("[2026, 2028, 2030]", "[]", "bad_years", "years"),
    ("[2026, 2028, 2030]", "2026", "bad_years", "years"),
    ("[2026, 2028, 2030]", "{first: 2026, last: 2029, step: 2}", "last_off_step", "years"),
    ("[2026, 2028, 2030]", "{first: 2026, last: 2030, stop: 2}", "bad_years", "years"),
    ("[2026, 2028, 2030]", "{first: 2026, last: 2030, step: 0}", "bad_years", "years"),
    ("discount_rate: 0.05\n", "discount_rate: 0.05\nchains: [no-such-chain]\n", "unknown_chain", "chains"),
    ("discount_rate: 0.05\n", "discount_rate: 0.05\nchains: [../nowhere]\n", "unknown_chain", "chains"),
    ("discount_rate: 0.05\n", "discount_rate: 0.05\nchains: [/tmp]\n", "path_for_name", "chains"),
    ("discount_rate: 0.05\n", "discount_rate: 0.05\nsolve: fast\n", "wrong_type", "solve"),
    ("reveal_year: 2028\n", "reveal_year: soon\n", "wrong_type", "reveal_year"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "old", "new", "code", "row", "column"), CELLS + HEADERS)
def test_each_error_is_named_with_its_place_and_a_remedy(
    tmp_path: Path, table: str, old: str, new: str, code: str, row: int, column: str
) -> None:
    folder = write_case(tmp_path / "case", **mutated(table, old, new))
    with pytest.raises(InstanceError) as raised:
        load(folder)
    places = {(each.code, each.table, each.row, each.column) for each in raised.value.problems}
    where = "processes" if code in ("recipe_without_reference", "no_recipe") else table
    assert (code, where, row, column) in places, raised.value
    for problem in raised.value.problems:
        assert problem.message.strip() and problem.remedy.strip() and problem.file
        assert problem.code in str(problem.as_dict()) and str(problem)


@pytest.mark.parametrize(("old", "new", "code", "key"), METAS)
def test_each_error_of_the_keys_is_named(tmp_path: Path, old: str, new: str, code: str, key: str) -> None:
    assert META.count(old) == 1
    found = check(write_case(tmp_path / "case", META.replace(old, new)))
    hits = [each for each in found.errors if (each.code, each.column) == (code, key)]
    assert hits and hits[0].remedy and hits[0].file == "instance.yaml", found.errors


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"  \n \n", "empty_file"),
        (b"location,commodity\n\xff\xfe,metal\n", "not_utf8"),
        (TABLES["demand"].encode("utf-16"), "not_utf8"),
        (b'location,commodity\n"us,metal\n', "broken_csv"),
        (b'location,commodity\n"us"x,metal\n', "broken_csv"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_problem(tmp_path: Path, content: bytes, code: str) -> None:
    found = check(write_case(tmp_path / "case", demand=content))
    assert [(each.code, each.table, each.file) for each in found.errors] == [(code, "demand", "demand.csv")]


@pytest.mark.parametrize(
    ("meta", "code"),
    [("", "empty_file"), ("a: [1", "broken_yaml"), ("- 1\n", "broken_yaml"), ("name: a\nname: b\n", "broken_yaml"), (None, "no_meta")],
)
def test_keys_that_cannot_be_read_are_one_problem(tmp_path: Path, meta: str | None, code: str) -> None:
    found = check(write_case(tmp_path / "case", meta))
    assert [(each.code, each.file) for each in found.errors] == [(code, "instance.yaml")]


@pytest.mark.parametrize("content", ["{", "[]", '{"instance": {"a": 1, "a": 2}, "tables": {}}', "[" * 100_000, "nul", '{"instance": 1}'])
def test_json_that_cannot_be_read_is_a_problem(tmp_path: Path, content: str) -> None:
    (tmp_path / "case.json").write_text(content)
    found = check(tmp_path / "case.json")
    assert found.errors and {each.code for each in found.errors} <= {"broken_json", "wrong_shape", "no_meta"}


def test_json_rows_are_counted_from_one(tmp_path: Path) -> None:
    tables = {"countries": [{"country": "USA"}, {"country": "JPN", "wacc": "much"}, 3], "contries": [], "groups": {}}
    document = {"instance": {"format": 1, "years": [2030], "discount_rate": 0}, "tables": tables}
    (tmp_path / "case.json").write_text(json.dumps(document))
    found = {(each.code, each.table, each.row, each.column) for each in check(tmp_path / "case.json").errors}
    assert found == {
        ("wrong_type", "countries", 2, "wacc"),
        ("wrong_shape", "countries", 3, ""),
        ("unknown_table", "contries", None, ""),
        ("wrong_shape", "groups", None, ""),
    }


def test_a_path_of_a_chain_stands_only_in_a_folder(tmp_path: Path) -> None:
    document = {"instance": {"format": 1, "years": [2030], "discount_rate": 0, "chains": ["../chain"]}, "tables": {}}
    (tmp_path / "case.json").write_text(json.dumps(document))
    assert [each.code for each in check(tmp_path / "case.json").errors] == ["path_for_name"]


def test_unknown_files_are_named_with_the_nearest_table(tmp_path: Path) -> None:
    folder = write_case(tmp_path / "case")
    (folder / "demands.csv").write_text("location\n")
    (folder / "lanes.xlsx").write_bytes(b"")
    (folder / "NOTES.md").write_text("free text")
    found = {each.code: each for each in check(folder).errors}
    assert set(found) == {"unknown_table", "unknown_file"}
    assert "'demand'" in found["unknown_table"].message
    assert "lanes.csv" in found["unknown_file"].remedy


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    changed = {
        **mutated("demand", "us,metal,2026,100", "us,metall,2026,\"0,5\""),
        **mutated("caps", "china,2026,0.9", "china,2026,1.9"),
        **mutated("projects", "new-us,smelt-us", "new-us,smelt-uk"),
        "groups": "group,contry\nallies,USA\n",
    }  # fmt: skip
    with pytest.raises(InstanceError) as raised:
        load(write_case(tmp_path / "case", META.replace("0.05", "much"), **changed))
    found = {(each.code, each.table) for each in raised.value.problems}
    assert {
        ("wrong_type", "instance"),
        ("unknown_reference", "demand"),
        ("decimal_comma", "demand"),
        ("share_above_one", "caps"),
        ("unknown_reference", "projects"),
        ("unknown_column", "groups"),
        ("missing_column", "groups"),
    } <= found
    assert "'metal'" in str(raised.value) and "'smelt-us'" in str(raised.value)


def test_a_cell_is_complained_of_once(tmp_path: Path) -> None:
    found = check(write_case(tmp_path / "case", **mutated("demand", "us,metal,2026,100", "us,metal,later,100")))
    assert [(each.code, each.column, each.value) for each in found.errors] == [("wrong_type", "year", "later")]


def test_rows_are_physical_lines_whatever_is_quoted_before(tmp_path: Path) -> None:
    text = 'commodity,description\nore,"two\nlines"\n\nmetal,\nmetal,\nscrap,\nalloy,\n'
    found = check(write_case(tmp_path / "case", commodities=text))
    assert [(each.code, each.row) for each in found.errors if each.code == "duplicate_key"] == [("duplicate_key", 6)]


def test_text_that_looks_like_a_blank_stays_text(tmp_path: Path) -> None:
    text = "country,name,wacc\nUSA,NA,\nJPN,nan,\nCHN,null,\n"
    names = load(write_case(tmp_path / "case", countries=text)).table("countries")["name"].tolist()
    assert names == ["NA", "nan", "null"]


def test_spellings_of_booleans_years_and_a_byte_order_mark_are_accepted(tmp_path: Path) -> None:
    changed: dict[str, str | bytes | None] = {
        **mutated("facilities", "true,0.9", "TRUE,0.9"),
        "demand": b"\xef\xbb\xbf" + TABLES["demand"].replace("2030", "2030.0").replace("\n", "\r\n").encode(),
    }
    assert load(write_case(tmp_path / "a" / "case", META, **changed)) == load(write_case(tmp_path / "b" / "case"))


@pytest.mark.parametrize("source", ["nowhere", "./nowhere", "nowhere.xlsx", "", "{" * 5000, "a\0b"])
def test_a_source_that_is_not_there_is_bad_usage(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((UsageError, InstanceError)):
        load(source)


def test_many_wrong_rows_are_reported_quickly(tmp_path: Path) -> None:
    rows = "".join(f"us,metal,2026,{index},\n" for index in range(5000))
    found = check(write_case(tmp_path / "case", demand=TABLES["demand"] + rows))
    assert sum(each.code == "duplicate_key" for each in found.errors) == 5000


def test_coordinates_are_not_asked_for_where_distances_and_lanes_say_it_all(tmp_path: Path) -> None:
    assert check(write_case(tmp_path / "case", **mutated("locations", "cn,CHN,30,110", "cn,CHN,,"))).ok


def test_a_file_that_may_not_be_read_is_bad_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_case(tmp_path / "case")

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UsageError, match="Permission denied"):
        load(folder)
