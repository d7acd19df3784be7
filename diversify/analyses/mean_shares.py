"""The shares that caps limit, one figure a cap."""

from __future__ import annotations

import pandas as pd

from diversify.instance import Instance
from diversify.network.ground import Years


def mean_shares(instance: Instance, shares: pd.DataFrame) -> dict[str, float]:
    """Return the share that every cap limits, on average over the calendar years in which it does.

    ``shares`` has cap, year and share as a plan's table of that name. Of a cap that holds for each consumer country, the
    largest share of a year counts.
    """
    if shares.empty:
        return {}
    years = Years.of(instance)
    weight = dict(zip(years.label.tolist(), years.weight.tolist(), strict=True))
    largest = shares.astype({"share": float}).groupby(["cap", "year"])["share"].max().reset_index()
    weights = largest["year"].map(weight)
    total = (largest["share"] * weights).groupby(largest["cap"]).sum() / weights.groupby(largest["cap"]).sum()
    return {str(cap): float(share) for cap, share in total.sort_index().items()}
