"""Rules on demand and substitutes."""

from __future__ import annotations

from collections.abc import Iterator

from diversify.errors import Problem
from diversify.instance.draft import Draft


def demand_years(draft: Draft) -> Iterator[Problem]:
    """The listed years of a demand cover every planning year, or one row with a blank year holds for all."""
    listed: dict[tuple[str, str], list[tuple[int, int | None]]] = {}
    for index, place, good, year in draft.rows("demand", "location", "commodity", "year"):
        if place is not None and good is not None:
            listed.setdefault((place, good), []).append((index, year))
    unfit = draft.unfit.get(("demand", "year"), set())
    for (place, good), rows in listed.items():
        if unfit and any(index in unfit for index, _ in rows):
            continue
        years = [year for _, year in rows if year is not None]
        if 0 < len(years) < len(rows):
            blank = next(index for index, year in rows if year is None)
            message = f"The demand for {good!r} at {place!r} has a row without a year beside rows with one."
            yield draft.problem(
                "blank_year_beside_dated", "demand", blank, "year", message, "Keep the row without a year alone, or give it a year."
            )
        elif years and draft.years and (min(years) > draft.years[0] or max(years) < draft.years[-1]):
            missing = [year for year in draft.years if not min(years) <= year <= max(years)]
            message = f"The demand for {good!r} at {place!r} is listed from {min(years)} to {max(years)}, not for {_listing(missing)}."
            remedy = "Add rows that cover the planning years, or leave the year blank in a single row."
            yield draft.problem("year_not_covered", "demand", rows[0][0], "year", message, remedy)


def _listing(years: list[int]) -> str:
    shown = ", ".join(map(str, years[:4]))
    return shown if len(years) <= 4 else f"{shown}, ... {years[-1]}"


def substitutes(draft: Draft) -> Iterator[Problem]:
    """Nothing is its own substitute."""
    for index, commodity, substitute in draft.rows("substitutes", "commodity", "substitute"):
        if commodity is not None and commodity == substitute:
            yield draft.problem(
                "substitutes_itself",
                "substitutes",
                index,
                "substitute",
                f"{commodity!r} cannot replace itself.",
                "Name another substitute.",
            )
