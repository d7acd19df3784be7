"""The flagship against the recorded year 2024: the scenario ``record-2024``, series by series.

``record_2024.csv`` states for every series the recorded figure, what the model says and the residual. The residuals
are part of the case's documentation (its NOTES.md): a series that drifts from its stated residual, for better or worse,
means that data or engine changed, and the table has to be looked at again.
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

RECORD = pd.read_csv(Path(__file__).with_name("record_2024.csv"), keep_default_na=False)
SERIES = list(RECORD["series"])


@cache
def year_2024() -> tuple[Instance, Plan]:
    """Return the case of 2024 and its optimal plan."""
    instance = load("trilateral-magnets").scenario("record-2024")
    return instance, solve(instance, gap=0)


@cache
def modelled(series: str) -> float:
    """Return what the model says about a series."""
    instance, plan = year_2024()
    return measured(RECORD[RECORD["series"] == series].iloc[0], plan, instance)


def test_the_year_solves_to_optimality_and_passes_its_audit() -> None:
    _, plan = year_2024()
    assert plan.stopped == "optimal"
    assert plan.summary["audit"]["ok"]


@pytest.mark.parametrize("series", SERIES)
def test_the_residual_of_a_series_is_the_documented_one(series: str) -> None:
    row = RECORD[RECORD["series"] == series].iloc[0]
    assert modelled(series) - row["record"] == pytest.approx(row["residual"], abs=row["tolerance"])


@pytest.mark.parametrize("series", SERIES)
def test_a_stated_residual_is_the_stated_model_less_the_record(series: str) -> None:
    row = RECORD[RECORD["series"] == series].iloc[0]
    assert row["residual"] == pytest.approx(row["modelled"] - row["record"], abs=0.051)


def test_nobody_of_the_three_goes_short_in_2024() -> None:
    _, plan = year_2024()
    assert plan.tables["shortages"].empty


def test_the_notes_show_the_same_residuals() -> None:
    notes = (Path(__file__).parents[2] / "instances" / "trilateral-magnets" / "NOTES.md").read_text(encoding="utf-8")
    for row in RECORD.itertuples():
        assert f"| {row.series} | {row.record:,g} | {row.modelled:,g} | {row.residual:+,g} |" in notes, row.series
