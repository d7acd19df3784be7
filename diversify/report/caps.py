"""Shares against caps by year, and what the caps cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from diversify.plan import Plan
from diversify.report.terminal import amount, grid, musd, number, percent, shown, side_by_side

_BASIS = {
    "produced": "last step in {sources}",
    "owned": "last step in {sources} or in a plant owned from there",
    "traced": "any step back to the mine in {sources}, or owned from there",
}
_NOISE = 1e-4
_MOST_CONSUMERS = 6
"""Consumer countries that one cap's table shows beside each other."""


def cap_tables(plan: Plan, country: Mapping[str, str]) -> Iterator[RenderableType]:
    """Yield one small table per cap, packed beside each other: limit and share by year, and the price of the cap."""
    shares = pd.DataFrame(plan.summary["shares"])
    if shares.empty:
        return
    yield shown(
        "Shares against the caps, in per cent (* at the limit). 'mass' is the share by mass along the whole chain, mixed "
        "batches averaged; 'free' the share without the caps. Prices hold while what is built stays as it is: USD/t in money of the "
        "year, M/pt million USD (discounted) per percentage point."
    )
    heads = {row["cap"]: row for row in plan.instance.table("caps").drop_duplicates("cap").to_dict("records")}
    free = _free_shares(plan.summary.get("cap_cost_musd"))
    blocks = []
    for cap, head in heads.items():
        rows = shares[shares["cap"] == cap]
        if rows.empty:
            continue
        title = f"{cap}: {head['commodity']} in {head['consumers']}, {_BASIS[head['basis']].format(sources=head['sources'])}"
        each = rows["scope"].eq("each").any() and rows["consumers"].nunique() > 1
        blocks.append(_by_consumer(title, rows) if each else _pooled(title, rows, free))
    yield side_by_side(blocks)


def _free_shares(cap_cost: Any) -> dict[tuple[str, str, int], float]:
    if not cap_cost or not cap_cost.get("shares"):
        return {}
    return {
        (row["cap"], row["consumers"], row["year"]): row["pro_rata_share"] if row["basis"] == "traced" else row["share"]
        for row in cap_cost["shares"]
    }


def _marked(row: Any) -> Text:
    text = percent(row["share"])
    if row["excess_t"] > 0:
        return Text(f"{text}!", style="red")
    return Text(f"{text}*", style="yellow") if row["binding"] else Text(f"{text} ")


def _price(value: Any, decimals: int) -> str:
    """Return a price; blank where there is none, or so little that it is the solver's noise."""
    return number(value, decimals) if value is not None and abs(value) > _NOISE else ""


def _pooled(title: str, rows: pd.DataFrame, free: Mapping[tuple[str, str, int], float]) -> RenderableType:
    cells = [
        (
            str(row["year"]),
            percent(row["limit"]),
            _marked(row),
            percent(row["pro_rata_share"]),
            percent(free.get((row["cap"], row["consumers"], row["year"]))),
            _price(row["usd_per_t"], 0),
            _price(row["musd_per_point"], 2),
        )
        for row in rows.to_dict("records")
    ]
    return grid(("Year", "cap", "share", "mass", "free", "USD/t", "M/pt"), cells, title=title, block=True)


def _by_consumer(title: str, rows: pd.DataFrame) -> RenderableType:
    """Return one cap that holds for each country by itself: its countries beside each other."""
    closest = (rows["share"] - rows["limit"]).groupby(rows["consumers"]).max().sort_values(ascending=False)
    kept = sorted(closest.index[:_MOST_CONSUMERS])
    by = {(row["year"], row["consumers"]): row for row in rows.to_dict("records")}
    cells = []
    for year, of_year in rows.groupby("year"):
        marks = [_marked(by[year, consumer]) if (year, consumer) in by else Text("") for consumer in kept]
        priced = of_year["musd_per_point"].sum()
        cells.append((str(year), percent(of_year["limit"].iloc[0]), *marks, _price(priced, 2)))
    left_out = f"; {len(closest) - len(kept)} more countries in shares.csv" if len(closest) > len(kept) else ""
    return grid(("Year", "cap", *kept, "M/pt"), cells, title=f"{title}, each{left_out}", block=True)


def cap_cost_sentence(cap_cost: Any) -> str:
    """Return what the caps cost as a band (one of its ends may not be known), or why nothing is known."""
    low, high = cap_cost["low"], cap_cost["high"]
    if low is None and high is None:
        return f"What the caps cost is not known: without them the case {_UNKNOWN[cap_cost['stopped']]}."
    if high is None:
        return f"The caps cost at least {musd(low)}; how much more is not known."
    if low is None:
        return f"The caps cost at most {musd(high)}: without them the case {_UNKNOWN[cap_cost['stopped']]}."
    share = f" ({percent(cap_cost['low_share'], 2)} to {percent(cap_cost['high_share'], 2)} %)" if cap_cost["low_share"] is not None else ""
    band = f"between {amount(low, 4)} and {musd(high)}{share}"
    without = f"Without them the least cost is between {amount(cap_cost['bound_musd'], 4)} and {musd(cap_cost['objective_musd'])}."
    return f"The caps cost {band}. {without}"


_UNKNOWN = {
    "time_limit": "was not solved in the time given",
    "interrupted": "was not solved before Ctrl-C",
    "infeasible": "has no plan either",
    "unbounded": "has no least cost",
    "error": "led the solver into numerical trouble",
    "optimal": "has no proved bound",
}
