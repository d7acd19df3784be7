"""New capacity: whole units, in years when they can come on line, between their least and most, first cost paid once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.audit.data import Case
from diversify.audit.report import Ledger


def priced_builds(builds: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return the builds with their project's data and with ``bought`` and ``capex`` (overnight, musd) recomputed.

    The plan does not list purchases of first units: ``bought`` (0 or 1) is what explains the row's capital best.
    """
    rows = builds.merge(case.projects.drop(columns="facility").reset_index(), on="project")
    beyond = rows["capex_musd"] - rows["units"] * rows["capex_unit"]
    bought = ((rows["capex_first"] > 0.0) & (beyond > rows["capex_first"] / 2.0)).astype(float)
    return rows.assign(bought=bought, capex=rows["units"] * rows["capex_unit"] + bought * rows["capex_first"])


def in_service(builds: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return one row per build and planning year in service: ``built`` (year on line), ``year``, ``ramped`` (usable t/yr) ..."""
    rows = builds.rename(columns={"year": "built"}).merge(pd.DataFrame({"year": list(case.years)}), how="cross")
    age = rows["year"] - rows["built"]
    rows = rows[(age >= 0) & (age < rows["life_years"])]
    size = rows["units"] * rows["size"]
    share = [ramp[min(later - built, len(ramp) - 1)] for ramp, built, later in zip(rows["ramp"], rows["built"], rows["year"], strict=True)]
    return rows.assign(whole_size=size, ramped=size * np.asarray(share, dtype=float))


def check_builds(builds: pd.DataFrame, case: Case, ledger: Ledger) -> None:
    """Check every row of new capacity, and the units of each project over the horizon."""
    rows = priced_builds(builds, case)
    key = ["project"]
    apart = (rows["units"] - rows["units"].round()).abs()[rows["whole"]]
    sentence = "{project}: {units:.6g} units come on line in {year}, which is no whole number"
    ledger.check("whole_units", "builds", rows[rows["whole"]], key, apart, 1.0, "units", sentence)
    sentence = "{project} comes on line in {year}, before it can: not before {opens:g} given its decision, lead time and earliest year"
    ledger.check("build_year", "builds", rows, key, rows["opens"] - rows["year"], 1.0, "years", sentence)
    sentence = "{project} comes on line in {year}, after its latest year {closes:g}"
    ledger.check("build_year", "builds", rows, key, rows["year"] - rows["closes"], 1.0, "years", sentence)
    _check_totals(rows, case, ledger)
    _check_first_units(rows, ledger)
    _check_rows(rows, case, ledger)


def _check_totals(rows: pd.DataFrame, case: Case, ledger: Ledger) -> None:
    built = rows.groupby("project")["units"].sum()
    projects = case.projects.assign(built=built.reindex(case.projects.index).fillna(0.0)).reset_index()
    scale = np.maximum(np.maximum(projects["built"], projects["least"]), 1.0)
    sentence = "{project}: {built:.6g} units are built over the horizon, more than the {most:.6g} that can be"
    ledger.check("units_max", "builds", projects, ["project"], projects["built"] - projects["most"], scale, "units", sentence)
    sentence = "{project}: {built:.6g} units are built over the horizon, fewer than the {least:.6g} that must be"
    ledger.check("units_min", "builds", projects, ["project"], projects["least"] - projects["built"], scale, "units", sentence)


def _check_first_units(rows: pd.DataFrame, ledger: Ledger) -> None:
    """The first unit's cost is paid at most once, before or with the first unit."""
    staged = rows[rows["capex_first"] > 0.0].sort_values(["project", "year"])
    paid = staged.groupby("project")["bought"].cumsum()
    sentence = "{project}: the cost of the first unit is paid again in {year}"
    ledger.check("first_unit", "builds", staged, ["project"], paid - 1.0, 1.0, "purchases", sentence)
    sentence = "{project}: a unit comes on line in {year} without the cost of the first unit paid by then"
    unpaid = (staged["units"] > 0.0) * (1.0 - paid)
    ledger.check("first_unit", "builds", staged, ["project"], unpaid, 1.0, "purchases", sentence)


def _check_rows(rows: pd.DataFrame, case: Case, ledger: Ledger) -> None:
    """What a row says of itself: its facility, decision, capacity and capital."""
    facility = rows["project"].map(case.projects["facility"])
    sentence = "{project} is a project of another facility than {facility}"
    ledger.forbid("build_row", "builds", rows[rows["facility"] != facility], ["project"], sentence)
    apart = (rows["decided_year"] - (rows["year"] - rows["lead_years"])).abs()
    sentence = "{project}: on line in {year} means a decision {lead_years:g} years earlier, not in {decided_year:g}"
    ledger.check("build_row", "builds", rows, ["project"], apart, 1.0, "years", sentence)
    size = rows["units"] * rows["size"]
    apart = (rows["capacity_t_per_year"] - size).abs()
    sentence = "{project}: {units:.6g} units of {size:.6g} t per year do not make {capacity_t_per_year:.6g} in {year}"
    larger = np.maximum(size, rows["capacity_t_per_year"].abs())
    ledger.check("build_row", "builds", rows, ["project"], apart, larger, "t per year", sentence)
    apart = (rows["capex_musd"] - rows["capex"]).abs()
    sentence = "{project}: the capital of {year} is {capex:.6g} million USD, not {capex_musd:.6g}"
    scale = np.maximum(rows["capex"], rows["capex_unit"] + rows["capex_first"])
    ledger.check("capex", "builds", rows, ["project"], apart, scale, "musd", sentence)
