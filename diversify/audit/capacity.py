"""Plants: what runs fits into what stands and was built, closures are for good, reserves last."""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.audit.builds import in_service, priced_builds
from diversify.audit.data import Case
from diversify.audit.report import SMALLEST_SHARE, Ledger

GRID = ["facility", "year"]


def standing_grid(plan: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    """Return facility, year, ``standing`` (t/yr before closures), ``available``, ``closed``, ``ramped`` and ``new`` (whole size)."""
    units = in_service(priced_builds(plan["builds"], case), case).drop(columns="facility")
    units["facility"] = units["project"].map(case.projects["facility"])
    units = units.groupby(GRID)[["ramped", "whole_size"]].sum().reset_index().rename(columns={"whole_size": "new"})
    closed = plan["closures"].groupby(GRID)[["closed_t_per_year"]].sum().reset_index().rename(columns={"closed_t_per_year": "closed"})
    rows = case.standing.merge(closed, on=GRID, how="left").merge(units, on=GRID, how="left")
    return rows.fillna({"closed": 0.0, "ramped": 0.0, "new": 0.0})


def check_capacity(plan: dict[str, pd.DataFrame], case: Case, ledger: Ledger) -> None:
    """Check modes, utilisation, reserves, closures and the plan's own account of capacity."""
    sentence = "{facility} runs {process} in {year}, which is none of its modes"
    load = plan["activity"].merge(case.modes, on=["facility", "process"], how="left")
    strange = case.named(load[load["capacity_per_t"].isna()])
    ledger.forbid("mode", "activity", strange, ["facility", "process", "tag"], sentence)
    load = load.assign(load=load["activity_t_per_year"] * load["capacity_per_t"].fillna(1.0))
    load = load.groupby(GRID)[["load", "activity_t_per_year"]].sum().reset_index().rename(columns={"activity_t_per_year": "activity"})
    rows = standing_grid(plan, case).merge(load, on=GRID, how="left").fillna({"load": 0.0, "activity": 0.0})
    limits = case.facilities[["process", "utilisation_max", "utilisation_min", "reserve_t", "closable"]]
    rows = rows.merge(limits.reset_index(), on="facility")
    _check_utilisation(rows, ledger)
    _check_reserves(rows, case, ledger)
    _check_closures(rows, ledger)
    _check_account(plan["capacity"], rows, ledger)


def _check_utilisation(rows: pd.DataFrame, ledger: Ledger) -> None:
    usable = rows["available"] * (rows["standing"] - rows["closed"] + rows["ramped"])
    # What stood before closures: what is left of a plant that was closed wholly is rounding, and no scale.
    largest = (rows["standing"] + rows["ramped"]).clip(lower=rows["load"])
    scale = largest.clip(lower=SMALLEST_SHARE * largest.groupby(rows["process"]).transform("max"))
    rows = rows.assign(usable=usable)
    over = rows["load"] - rows["utilisation_max"] * usable
    sentence = "{facility}, {year}: activity takes {amount:.6g} t per year more than the {usable:.6g} of capacity allow"
    ledger.check("utilisation_max", "activity", rows, ["facility"], over, scale, "t per year", sentence)
    under = rows["utilisation_min"] * usable - rows["load"]
    sentence = "{facility}, {year}: activity is {amount:.6g} t per year below the least that {usable:.6g} of capacity must run"
    ledger.check("utilisation_min", "activity", rows, ["facility"], under, scale, "t per year", sentence)


def _check_reserves(rows: pd.DataFrame, case: Case, ledger: Ledger) -> None:
    total = (rows["activity"] * rows["year"].map(case.span)).groupby(rows["facility"]).sum()
    limited = case.facilities[case.facilities["reserve_t"].notna()].reset_index()[["facility", "reserve_t"]]
    total = limited["facility"].map(total)
    sentence = "{facility}: activity over the horizon is {amount:.6g} t more than the reserve of {reserve_t:.6g} t"
    scale = np.maximum(limited["reserve_t"], total)
    ledger.check("reserve", "activity", limited, ["facility"], total - limited["reserve_t"], scale, "t", sentence)


def _check_closures(rows: pd.DataFrame, ledger: Ledger) -> None:
    scale = rows["standing"].groupby(rows["facility"]).transform("max")
    open_ended = ~rows["closable"].astype(bool)
    sentence = "{facility} may not be closed, but {closed:.6g} t per year are in {year}"
    shut = rows[open_ended]
    ledger.check("closure", "closures", shut, ["facility"], shut["closed"], scale[open_ended], "t per year", sentence)
    sentence = "{facility}: {amount:.6g} t per year more are closed in {year} than stand"
    ledger.check("closure", "closures", rows, ["facility"], rows["closed"] - rows["standing"], scale, "t per year", sentence)
    before = rows.groupby("facility")[["closed", "standing"]].shift(1)
    gone = (before["standing"] - rows["standing"]).clip(lower=0.0)
    reopened = (before["closed"] - gone - rows["closed"]).fillna(0.0)
    sentence = "{facility}: {amount:.6g} t per year that were closed stand again in {year}"
    ledger.check("closure", "closures", rows, ["facility"], reopened, scale, "t per year", sentence)


def _check_account(listed: pd.DataFrame, rows: pd.DataFrame, ledger: Ledger) -> None:
    """The plan's table ``capacity``: standing less closed, whole size of units in service, usable after outages, before utilisation."""
    kept = rows["standing"] - rows["closed"]
    beside = rows[GRID].merge(listed.drop_duplicates(GRID), on=GRID, how="left").fillna(0.0)
    scale = np.maximum(rows["standing"] + rows["new"], SMALLEST_SHARE * rows["standing"].groupby(rows["facility"]).transform("max"))
    usable = rows["available"] * (kept + rows["ramped"])
    columns = {"standing_t_per_year": kept, "new_t_per_year": rows["new"], "usable_t_per_year": usable}
    for column, actual in columns.items():
        stated = rows.assign(actual=actual, stated=beside[column])
        sentence = f"{{facility}}: {column} of {{year}} is {{actual:.6g}}, not {{stated:.6g}}"
        apart = (stated["actual"] - stated["stated"]).abs()
        ledger.check("capacity_row", "capacity", stated, ["facility"], apart, scale, "t per year", sentence)
