"""Where and when supply breaks: what is short beyond what was short anyway, and the first year and place of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from diversify.model import Statement
from diversify.network.ground import records

WEEKS = 52.0
"""Weeks of a year, in which cover and lost supply are counted."""

_PART = 1e-6
_TONNES = 1e-3
"""A place is short beyond its plan where it lacks more than this part of its demand and more than so many t/yr."""

BREAK = (
    *("kind", "year", "location", "country", "commodity", "cap", "consumers", "missing_t_per_year", "share", "weeks"),
    *("everywhere_t_per_year", "everywhere_share"),
)
"""What is told of a break; None where it does not apply. ``weeks`` is the part of a year without supply."""

_PLACE = ["location", "commodity", "year"]
_MISSING = ("location", "country", "commodity", "year", "missing_t_per_year", "demand_t_per_year", "share")


def missing(statement: Statement, shortages: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Return what each place lacks in each year beyond its shortage in ``own``: t/yr, its demand, and the part of it that is missing.

    Both tables are plans' ``shortages``. Without rows nothing breaks.
    """
    wanted = demand_of(statement)
    short = wanted.merge(_quantity(shortages, "short"), on=_PLACE, how="left").merge(_quantity(own, "own"), on=_PLACE, how="left")
    more = (short["short"].fillna(0.0) - short["own"].fillna(0.0)).astype(float)
    beyond = (more > _TONNES) & (more > _PART * short["demand_t_per_year"])
    found = short.assign(missing_t_per_year=more, share=more / short["demand_t_per_year"])
    return found.loc[beyond, list(_MISSING)].sort_values(["year", "share"], ascending=[True, False], ignore_index=True)


def demand_of(statement: Statement) -> pd.DataFrame:
    """Return what is wanted: location, commodity, year, country and demand_t_per_year."""
    network = statement.network
    ground, demand = network.ground, network.cells.demand
    return network.decoded(demand[_PLACE]).assign(
        demand_t_per_year=demand["quantity"].to_numpy(dtype=np.float64),
        country=ground.countries.decode(ground.location_country[demand["location"].to_numpy(dtype=np.int64)]),
    )


def _quantity(table: pd.DataFrame, name: str) -> pd.DataFrame:
    named = table[[*_PLACE, "quantity_t_per_year"]].rename(columns={"quantity_t_per_year": name})
    return named.astype({"location": object, "commodity": object, "year": "int64", name: float})


def exceeded(shares: pd.DataFrame, caps: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a plan's table ``shares`` in which one of the caps named is exceeded, the largest excess of a year first."""
    over = shares.assign(excess_t=shares["excess_t"].astype(float))
    kept = over[over["cap"].isin(list(caps)) & (over["excess_t"] > _TONNES)]
    return kept.sort_values(["year", "excess_t"], ascending=[True, False], ignore_index=True)


def first_break(short: pd.DataFrame, over: pd.DataFrame, demand: pd.DataFrame) -> dict[str, Any] | None:
    """Return the first year in which something breaks, and the place that lacks the largest part of its demand then.

    ``everywhere`` counts all places of that commodity in that year, which is the same whichever of them goes short.
    Where none is short in that year it is a cap that breaks: then ``missing_t_per_year`` is what comes in above it.
    """
    years = [int(frame["year"].iloc[0]) for frame in (short, over) if len(frame)]
    if not years:
        return None
    year = min(years)
    if len(short) and int(short["year"].iloc[0]) == year:
        return _shortage(records(short)[0], short, demand)
    row = records(over)[0]
    told = {"kind": "cap", "year": year, "cap": row["cap"], "consumers": row["consumers"], "missing_t_per_year": float(row["excess_t"])}
    return {**dict.fromkeys(BREAK), **told}


def _shortage(row: Mapping[str, Any], short: pd.DataFrame, demand: pd.DataFrame) -> dict[str, Any]:
    everywhere, wanted = (
        float(table.loc[(table["year"] == row["year"]) & (table["commodity"] == row["commodity"]), column].sum())
        for table, column in ((short, "missing_t_per_year"), (demand, "demand_t_per_year"))
    )
    figures = {
        "missing_t_per_year": float(row["missing_t_per_year"]),
        "share": float(row["share"]),
        "weeks": WEEKS * float(row["share"]),
        "everywhere_t_per_year": everywhere,
        "everywhere_share": everywhere / wanted,
    }
    place = {name: row[name] for name in ("location", "country", "commodity")}
    return {**dict.fromkeys(BREAK), "kind": "shortage", "year": int(row["year"]), **place, **figures}
