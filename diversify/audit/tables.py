"""The plan's tables made ready for the audit: known names, planning years, finite and non-negative figures, no row twice.

Rows that cannot be read (an unknown name, a year that is not planned, a figure that is not a number) are reported and
left out, so that the rules that follow can speak about the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.audit.data import Case, text
from diversify.audit.report import Ledger


@dataclass(frozen=True, slots=True)
class Layout:
    """How one table of a plan is read: its key, the column that scales its figures, and which figures may be negative."""

    key: tuple[str, ...]
    figures: tuple[str, ...]
    scaled_by: str
    signed: tuple[str, ...] = ()


LAYOUTS = {
    "builds": Layout(("project", "facility", "year"), ("units", "capacity_t_per_year", "capex_musd"), "project", ("decided_year",)),
    "closures": Layout(("facility", "year"), ("closed_t_per_year",), "facility"),
    "capacity": Layout(("facility", "year"), ("standing_t_per_year", "new_t_per_year", "usable_t_per_year"), "facility"),
    "activity": Layout(("facility", "process", "tag", "year"), ("activity_t_per_year",), "facility"),
    "flows": Layout(
        ("origin", "owner", "destination", "commodity", "tag", "year"),
        ("quantity_t_per_year", "freight_musd"),
        "commodity",
        ("tariff_musd",),
    ),
    "deliveries": Layout(("location", "commodity", "supplied_by", "tag", "year"), ("quantity_t_per_year",), "supplied_by"),
    "shortages": Layout(("location", "commodity", "year"), ("quantity_t_per_year", "cost_musd"), "commodity"),
    "disposal": Layout(("location", "owner", "commodity", "tag", "year"), ("quantity_t_per_year",), "commodity"),
    "sales": Layout(("location", "owner", "commodity", "tag", "year"), ("quantity_t_per_year",), "commodity"),
    "stocks": Layout(("location", "commodity", "tag", "year"), ("stock_t",), "commodity"),
    "shares": Layout(("cap", "consumers", "year"), ("share", "limit", "excess_t"), "cap"),
    "costs": Layout(("category", "country", "facility", "year"), (), "category", ("musd",)),
}
"""Tables of INTERFACE's result folder that bear on the audit."""

REFERENCES = {
    "project": "projects",
    "facility": "facilities",
    "process": "processes",
    "commodity": "commodities",
    "supplied_by": "commodities",
    "location": "locations",
    "origin": "locations",
    "destination": "locations",
    "owner": "countries",
    "cap": "caps",
}
"""Which table of the instance a column's names come from. In ``costs`` names may be lanes, places or blank."""


def read_tables(tables: Mapping[str, pd.DataFrame], case: Case, ledger: Ledger) -> dict[str, pd.DataFrame]:
    """Return the plan's tables with clean columns, ``tag`` as a bit mask of tracing groups; report what cannot be read."""
    return {name: _read_table(name, layout, tables.get(name), case, ledger) for name, layout in LAYOUTS.items()}


def _read_table(name: str, layout: Layout, given: pd.DataFrame | None, case: Case, ledger: Ledger) -> pd.DataFrame:
    columns = (*layout.key, *layout.figures, *layout.signed)
    frame = pd.DataFrame(columns=list(columns)) if given is None else given.reset_index(drop=True)
    missing = pd.DataFrame({"column": [column for column in columns if column not in frame.columns]}, dtype=object)
    ledger.forbid("missing_column", name, missing, ["column"], f"the table {name} of the plan has no column {{column}}")
    frame = frame.reindex(columns=list(columns))
    for column in layout.key:
        if column != "year":
            frame[column] = text(frame[column])
    frame = _planned_years(name, frame, case, ledger)
    frame = _known_names(name, layout, frame, case, ledger)
    frame = _finite_figures(name, layout, frame, ledger)
    twice = frame[frame.duplicated(list(layout.key))]
    ledger.forbid("duplicate", name, twice, layout.key, f"the table {name} of the plan lists the same row twice")
    return _masked_tags(name, layout, frame, case, ledger)


def _planned_years(name: str, frame: pd.DataFrame, case: Case, ledger: Ledger) -> pd.DataFrame:
    years = _figures(frame["year"])
    known = np.isin(years, case.years)
    strange = frame[~known].assign(label=frame["year"][~known].astype(str), year=None)
    ledger.forbid("planning_year", name, strange, ["label"], f"{{label}} in the table {name} of the plan is not a planning year")
    return frame[known].assign(year=years[known].astype(int)).reset_index(drop=True)


def _figures(column: pd.Series) -> np.ndarray:
    """Return a column as floats, NaN where a cell is not a number."""
    if column.dtype.kind in "fiu":
        return column.to_numpy(dtype=float, na_value=np.nan)
    return pd.to_numeric(column, errors="coerce").astype("Float64").to_numpy(dtype=float, na_value=np.nan)


def _known_names(name: str, layout: Layout, frame: pd.DataFrame, case: Case, ledger: Ledger) -> pd.DataFrame:
    keep = np.ones(len(frame), dtype=bool)
    if name == "costs":
        return frame
    for column in layout.key:
        if column not in REFERENCES:
            continue
        known = frame[column].isin(case.names[REFERENCES[column]]).to_numpy()
        sentence = f"the instance has no {column} called '{{{column}}}', which the table {name} of the plan names"
        ledger.forbid("unknown_name", name, frame[~known], layout.key, sentence)
        keep &= known
    return frame[keep].reset_index(drop=True)


def _finite_figures(name: str, layout: Layout, frame: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    figures = {column: _figures(frame[column]) for column in (*layout.figures, *layout.signed)}
    finite = {column: np.isfinite(values) for column, values in figures.items()}
    for column, kept in finite.items():
        ledger.forbid("not_a_number", name, frame[~kept], layout.key, f"{column} in the table {name} of the plan is not a finite number")
    frame = frame.assign(**figures)[np.logical_and.reduce(list(finite.values()))].reset_index(drop=True)
    for column in layout.figures:
        scale = frame[column].abs().groupby(frame[layout.scaled_by]).transform("max")
        sentence = f"{column} in the table {name} of the plan is negative by {{amount:.6g}}"
        ledger.check("negative", name, frame, layout.key, -frame[column], scale, column, sentence)
    return frame


def _masked_tags(name: str, layout: Layout, frame: pd.DataFrame, case: Case, ledger: Ledger) -> pd.DataFrame:
    if "tag" not in layout.key:
        return frame
    masks = frame["tag"].map({tag: case.mask(tag) for tag in frame["tag"].unique()}).astype("Float64")
    unknown = masks.isna()
    sentence = f"'{{tag}}' in the table {name} of the plan is no tag: sorted tracing groups joined by +"
    ledger.forbid("tag", name, frame[unknown], layout.key, sentence)
    return frame[~unknown].assign(tag=masks[~unknown].astype(int)).reset_index(drop=True)
