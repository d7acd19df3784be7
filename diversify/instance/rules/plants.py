"""Rules on facilities, modes and projects."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from diversify.errors import Problem
from diversify.instance.cells import number_text
from diversify.instance.draft import Draft
from diversify.schema import TABLES


def windows(draft: Draft) -> Iterator[Problem]:
    """No first year comes after its last year."""
    for name in draft.frames:
        if not {"first_year", "last_year"} <= set(TABLES[name].column_names):
            continue
        frame = draft.frames[name]
        crossed = (frame["first_year"] > frame["last_year"]).fillna(False).to_numpy(dtype=bool)
        for index in np.flatnonzero(crossed):
            first, last = frame["first_year"].iloc[index], frame["last_year"].iloc[index]
            message = f"The first year {first} comes after the last year {last}."
            yield draft.problem("years_crossed", name, int(index), "first_year", message, "Exchange the two, or correct one.")


def utilisation(draft: Draft) -> Iterator[Problem]:
    """The least utilisation is not above the largest."""
    for index, low, high in draft.rows("facilities", "utilisation_min", "utilisation_max"):
        low, high = 0.0 if low is None else low, 1.0 if high is None else high
        if (
            low > high
            and not draft.is_unfit("facilities", "utilisation_min", index)
            and not draft.is_unfit("facilities", "utilisation_max", index)
        ):
            message = f"The least utilisation {number_text(low)} is above the largest, {number_text(high)}."
            yield draft.problem(
                "utilisation_crossed", "facilities", index, "utilisation_min", message, "Lower utilisation_min or raise utilisation_max."
            )


def further_modes(draft: Draft) -> Iterator[Problem]:
    """A facility's own process is its first mode already."""
    own = {facility: process for _, facility, process in draft.rows("facilities", "facility", "process")}
    for index, facility, process in draft.rows("modes", "facility", "process"):
        if process is not None and own.get(facility) == process:
            message = f"{process!r} is the own process of {facility!r}, which is its first mode already."
            yield draft.problem("mode_is_own_process", "modes", index, "process", message, "Remove the row.")


def project_costs(draft: Draft) -> Iterator[Problem]:
    """A project says its capital cost once, and per size where it has no units."""
    for index, unit, per_unit, per_size in draft.rows("projects", "unit_t_per_year", "capex_unit_musd", "capex_usd_per_t_year"):
        if any(draft.is_unfit("projects", column, index) for column in ("unit_t_per_year", "capex_unit_musd", "capex_usd_per_t_year")):
            continue
        if per_unit is not None and per_size is not None:
            message = "The capital cost stands both per unit and per t/yr."
            yield draft.problem(
                "both_capex", "projects", index, "capex_unit_musd", message, "Leave capex_unit_musd or capex_usd_per_t_year blank."
            )
        elif per_unit is None and per_size is None:
            remedy = "Fill in capex_unit_musd or capex_usd_per_t_year (0 if it costs nothing)."
            yield draft.problem("no_capex", "projects", index, "capex_usd_per_t_year", "The project has no capital cost.", remedy)
        elif unit is None and per_unit is not None:
            remedy = "Fill in unit_t_per_year, or give the cost as capex_usd_per_t_year."
            yield draft.problem(
                "units_without_size", "projects", index, "capex_unit_musd", "The cost is per unit, but no size of a unit is given.", remedy
            )


def project_limits(draft: Draft) -> Iterator[Problem]:
    """A project says once how much may be built, in units only where it has units, and in whole ones."""
    columns = ("unit_t_per_year", "units_max", "max_t_per_year", "units_min", "min_t_per_year")
    for index, unit, units_max, most, units_min, least in draft.rows("projects", *columns):
        if any(draft.is_unfit("projects", column, index) for column in columns):
            continue
        if units_max is None and most is None:
            column = "max_t_per_year" if unit is None else "units_max"
            message = "The project does not say how much can be built."
            yield draft.problem("no_limit", "projects", index, column, message, f"Fill in {column}.")
        for word, count, size in (("max", units_max, most), ("min", units_min, least)):
            if count is not None and size is not None:
                message = f"The {'most' if word == 'max' else 'least'} is given both in units and in t/yr."
                remedy = f"Leave units_{word} or {word}_t_per_year blank."
                yield draft.problem("both_limits", "projects", index, f"units_{word}", message, remedy)
            yield from _unfit_count(draft, index, word, unit, count)
        yield from _crossed_limits(draft, index, unit, units_max, most, units_min, least)


def _unfit_count(draft: Draft, index: int, word: str, unit: float | None, count: float | None) -> Iterator[Problem]:
    if count is None:
        return
    if unit is None:
        remedy = f"Fill in unit_t_per_year, or use {word}_t_per_year."
        message = "Units are counted, but no size of a unit is given."
        yield draft.problem("units_without_size", "projects", index, f"units_{word}", message, remedy)
    elif not float(count).is_integer():
        message = f"{number_text(count)} is not a whole number of units."
        yield draft.problem("fractional_units", "projects", index, f"units_{word}", message, "Write a whole number.")


def _crossed_limits(
    draft: Draft, index: int, unit: float | None, units_max: float | None, most: float | None, units_min: float | None, least: float | None
) -> Iterator[Problem]:
    size = 1.0 if unit is None else unit
    upper = most if most is not None else units_max * size if units_max is not None else math.inf
    lower = least if least is not None else units_min * size if units_min is not None else 0.0
    if unit is not None and upper < math.inf:  # only whole units can be built
        upper, lower = math.floor(upper / unit + 1e-9) * unit, math.ceil(lower / unit - 1e-9) * unit
    if lower > upper * (1.0 + 1e-12):
        column = "min_t_per_year" if least is not None else "units_min"
        message = f"At least {number_text(lower)} t/yr must be built, at most {number_text(upper)} can be."
        yield draft.problem("limits_crossed", "projects", index, column, message, "Lower the least or raise the most.")
