"""Rules on demand and substitutes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from diversify.errors import Problem
from diversify.instance.draft import Draft


def demand_years(draft: Draft) -> Iterator[Problem]:
    """The listed years of a demand cover every planning year, or one row with a blank year holds for all."""
    frame = draft.frame("demand")
    if frame.empty:
        return
    unfit = np.zeros(len(frame), dtype=bool)
    unfit[list(draft.unfit.get(("demand", "year"), ()))] = True
    demands = frame.assign(index=np.arange(len(frame)), blank=frame["year"].isna(), unfit=unfit).groupby(
        ["location", "commodity"], sort=False
    )
    found = demands.agg(
        index=("index", "first"),
        first=("year", "min"),
        last=("year", "max"),
        blanks=("blank", "sum"),
        rows=("blank", "size"),
        unfit=("unfit", "any"),
    )
    found = found[~found["unfit"]]
    mixed = found[(found["blanks"] > 0) & (found["blanks"] < found["rows"])]
    for place, good in mixed.index.to_list():
        row = int(np.flatnonzero(((frame["location"] == place) & (frame["commodity"] == good) & frame["year"].isna()).to_numpy())[0])
        message = f"The demand for {good!r} at {place!r} has a row without a year beside rows with one."
        yield draft.problem(
            "blank_year_beside_dated", "demand", row, "year", message, "Keep the row without a year alone, or give it a year."
        )
    if not draft.years:
        return
    dated = found[found["blanks"] == 0]
    outside = dated[(dated["first"] > draft.years[0]) | (dated["last"] < draft.years[-1])]
    listed = zip(outside.index.to_list(), outside["index"].tolist(), outside["first"].tolist(), outside["last"].tolist(), strict=True)
    for (place, good), index, first, last in listed:
        missing = [year for year in draft.years if year < first or year > last]
        message = f"The demand for {good!r} at {place!r} is listed from {first} to {last}, not for {_listing(missing)}."
        remedy = "Add rows that cover the planning years, or leave the year blank in a single row."
        yield draft.problem("year_not_covered", "demand", index, "year", message, remedy)


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
