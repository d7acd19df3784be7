"""The bundled cases against the recorded year 2024: their scenario ``record-2024``, series by series.

``records/CASE.csv`` states for every series the recorded figure, what the model says and the residual. The residuals are part of a
case's documentation (its NOTES.md): a series that drifts from its stated residual, for better or worse, means that data
or engine changed, and the table has to be looked at again.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from record_measures import measured

from diversify.instance import Instance, load
from diversify.plan import Plan
from diversify.planning import solve

ROOT = Path(__file__).parents[2]
FILES = sorted(Path(__file__).with_name("records").glob("*.csv"))
RECORDS = {file.stem: pd.read_csv(file, keep_default_na=False) for file in FILES}
CHAINS = sorted(RECORDS)
SERIES = [(case, series) for case, table in RECORDS.items() for series in table["series"]]
THE_THREE = {"USA", "JPN", "KOR"}


@cache
def year_2024(case: str) -> tuple[Instance, Plan]:
    """Return a case of 2024 and its optimal plan."""
    instance = load(case).scenario("record-2024")
    return instance, solve(instance, gap=0)


def row_of(case: str, series: str) -> pd.Series:
    """Return what the record says of a series."""
    table = RECORDS[case]
    return table[table["series"] == series].iloc[0]


def test_every_chain_has_its_record() -> None:
    chains = {path.name for path in (ROOT / "models").iterdir() if path.is_dir()}
    assert len(CHAINS) == len(chains)


@pytest.mark.parametrize("case", CHAINS)
def test_the_year_solves_to_optimality_and_passes_its_audit(case: str) -> None:
    _, plan = year_2024(case)
    assert plan.stopped == "optimal"
    assert plan.summary["audit"]["ok"]


@pytest.mark.parametrize(("case", "series"), SERIES)
def test_the_residual_of_a_series_is_the_documented_one(case: str, series: str) -> None:
    row = row_of(case, series)
    instance, plan = year_2024(case)
    assert measured(row, plan, instance) - row["record"] == pytest.approx(row["residual"], abs=row["tolerance"])


@pytest.mark.parametrize(("case", "series"), SERIES)
def test_a_stated_residual_is_the_stated_model_less_the_record(case: str, series: str) -> None:
    row = row_of(case, series)
    assert row["residual"] == pytest.approx(row["modelled"] - row["record"], abs=0.051)


@pytest.mark.parametrize("case", CHAINS)
def test_tolerances_are_narrow(case: str) -> None:
    """Five per cent of the record or of the model, or a point and a half of a share: wide enough for noise, not for another answer."""
    table = RECORDS[case]
    size = table[["record", "modelled"]].astype(float).abs().max(axis=1)
    allowed = (0.05 * size).where(table["unit"] != "percent", 1.5).clip(lower=0.5)
    wide = table[table["tolerance"].astype(float) > allowed + 1e-9]
    assert wide[wide["record"].astype(float) > 0].empty, wide[["series", "tolerance"]]


@pytest.mark.parametrize("case", CHAINS)
def test_every_series_names_a_source_of_the_case(case: str) -> None:
    known = set(load(case).table("sources")["source"])
    assert set(RECORDS[case]["source"]) <= known


@pytest.mark.parametrize("case", CHAINS)
def test_nobody_of_the_three_goes_short_in_2024(case: str) -> None:
    instance, plan = year_2024(case)
    countries = instance.table("locations").set_index("location")["country"]
    assert not set(plan.tables["shortages"]["location"].map(countries)) & THE_THREE


@pytest.mark.parametrize("case", CHAINS)
def test_the_notes_show_the_same_residuals(case: str) -> None:
    notes = (ROOT / "instances" / case / "NOTES.md").read_text(encoding="utf-8")
    for row in RECORDS[case].itertuples():
        assert f"| {row.series} | {row.record:,g} | {row.modelled:,g} | {row.residual:+,g} |" in notes, row.series
