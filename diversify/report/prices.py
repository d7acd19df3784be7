"""The page about prices: what each figure is worth at the margin, from either side where that differs, and what moving it costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.report.plan import title_of
from diversify.report.terminal import amount, grid, musd, number, percent, shown

_PROVED = 1e-6
"""A relative gap up to which a plan is called the cheapest."""

_SAME = 0.005
"""A band that is narrower than this part of its size is shown as one figure."""

_WORDS = {
    "cap": ("Caps: what a tonne more from the sources saves", "USD per t"),
    "floor": ("Floors: what a tonne more that must come from the makers costs", "USD per t"),
    "budget": ("Budgets: what a million USD more saves", "M USD"),
    "restriction": ("Restrictions: what a tonne more that may be shipped saves", "USD per t"),
    "contract": ("Contracts: what a tonne more that must be taken costs", "USD per t"),
    "tariff": ("Tariffs: what a percentage point more of the rate costs, in all its years", "M USD"),
    "project": ("Projects of any size: what a tonne per year more that may be built saves", "M USD"),
    "demand": ("Demand: what a tonne more costs", "USD per t"),
    "capacity": ("Capacity: what a tonne per year more at a plant saves", "USD per t"),
    "minimum_run": ("Minimum runs: what a tonne more that must be run costs", "USD per t"),
    "commodity": ("Commodities where they are used (place, commodity, origin touched): what a tonne more costs", "USD per t"),
    "supply": ("Commodities at their makers (place, owner, commodity, origin touched): what a tonne more costs", "USD per t"),
    "lane": ("Lanes: what a tonne more that fits saves", "USD per t"),
    "market": ("Markets: what a tonne more that can be sold saves", "USD per t"),
    "substitute": ("Substitutes: what a tonne more that may be replaced saves", "USD per t"),
    "reserve": ("Reserves: what a tonne more in the ground saves", "M USD"),
    "stock_capacity": ("Stores: what a tonne more that fits saves", "M USD"),
    "stock_final": ("Final stocks: what a tonne more that must be left costs", "M USD"),
}

_COLUMN_IN_WORDS = {
    "share": "share",
    "rate": "rate",
    "quantity_t_per_year": "t/yr",
    "limit_t_per_year": "t/yr",
    "minimum_t_per_year": "t/yr",
    "capacity_t_per_year": "t/yr",
    "max_t_per_year": "t/yr",
    "limit_musd": "million USD",
    "reserve_t": "t",
    "units_max": "units",
}


def prices_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the answer's summary and tables."""
    yield shown(headline(summary))
    if summary["holds"] != "plan":
        return
    listed = tables["prices"]
    for kind in dict.fromkeys(listed["kind"]):
        of_kind = listed[listed["kind"] == kind]
        yield units_table(of_kind) if kind == "unit" else prices_table(str(kind), of_kind)
    yield shown(
        "Prices are local: what is built in whole units stays as it is, and only a little is moved. USD per t are of the year, "
        "undiscounted; M USD are discounted. A range holds the prices from either side; a price that is not proved to be the only one "
        "has a range or was not among those shown."
    )
    if summary["move"] is not None:
        yield from moves_part(summary, tables["moves"])


def headline(summary: Mapping[str, Any]) -> str:
    """Return at which plan the prices hold, and what is proved of it."""
    name = title_of(summary)
    if summary["holds"] != "plan":
        why = "There is no plan" if summary["stopped"] == "infeasible" else f"The solve ended ({summary['stopped']}) without a plan"
        return f"{name}: {why}, so there are no prices."
    cost = musd(summary["objective_musd"])
    if summary["gap"] is not None and summary["gap"] <= _PROVED:
        return f"{name}: prices at the cheapest plan, which costs {cost}."
    if summary["gap_musd"] is None:
        return f"{name}: prices at the best plan found, which costs {cost}; how much cheaper one could be is not known."
    share = f" ({percent(summary['gap'], 3)} %)" if summary["gap"] is not None else ""
    return f"{name}: prices at the best plan found, which costs {cost}; one could be cheaper by at most {musd(summary['gap_musd'])}{share}."


def prices_table(kind: str, prices: pd.DataFrame) -> RenderableType:
    """Return the largest prices of one kind with their range."""
    title, unit = _WORDS[kind]
    sought = prices[prices["shown"].astype(bool)]
    columns = ["What", "Year", unit, "From either side"]
    rows = [[_name(row["key"]), _year(row["year"]), _price(row), _range(row)] for row in sought.to_dict("records")]
    if kind in ("cap", "floor"):
        columns.insert(3, "M USD a point")
        for cells, per_share in zip(rows, sought["musd_per_figure"], strict=True):
            cells.insert(3, amount(0.01 * abs(per_share)))
    return grid(columns, rows, left=("What", "From either side"), title=_counted(title, prices, sought))


def units_table(prices: pd.DataFrame) -> RenderableType:
    """Return what one more unit of each project would save, at the margin and as a whole."""
    sought = prices[prices["shown"].astype(bool)]
    rows = [
        (_name(row["key"]), _year(row["year"]), amount(row["musd_high"]), amount(row["musd_low"]) or "no plan")
        for row in sought.to_dict("records")
    ]
    title = _counted(
        "Projects: what one more unit saves, less its cost, in its best year (beyond its limit and outside budgets)", prices, sought
    )
    columns = ("Project", "On line", "M USD at the first tonnes' rate", "M USD for all of it")
    return grid(columns, rows, left=("Project",), title=title)


def _counted(title: str, prices: pd.DataFrame, sought: pd.DataFrame) -> str:
    return title if len(prices) == len(sought) else f"{title} (the first {len(sought)} of {len(prices)}; --most for more)"


def _name(key: object) -> str:
    return ", ".join(part for part in str(key).split("|") if part)


def _year(year: object) -> str:
    return "" if pd.isna(year) else str(int(year))  # type: ignore[call-overload]


def _price(row: Mapping[Any, Any]) -> str:
    return amount(row["musd"]) if pd.isna(row["usd_per_t"]) else number(row["usd_per_t"])


def _range(row: Mapping[Any, Any]) -> str:
    """Return the prices from either side in words, nothing where there is one price."""
    if pd.isna(row["usd_per_t"]) and pd.isna(row["musd"]):
        return "a ban has no price at the margin; --move tells what lifting it would save"
    annual = not pd.isna(row["usd_per_t"])
    low, high = (row["usd_per_t_low"], row["usd_per_t_high"]) if annual else (row["musd_low"], row["musd_high"])
    write = number if annual else amount
    if row["unlimited"] == "both" or (pd.isna(low) and pd.isna(high)):
        return "none: not even a tiny move can be met" if row["unlimited"] else "not known"
    if pd.isna(high):
        return f"{write(low)} or more: even a little {row['unlimited']} cannot be met"
    if pd.isna(low):
        return f"{write(high)} or less: even a little {row['unlimited']} cannot be met"
    return "" if abs(high - low) <= 1e-6 * max(1.0, abs(high)) else f"{write(low)} to {write(high)}"


def moves_part(summary: Mapping[str, Any], moves: pd.DataFrame) -> Iterator[RenderableType]:
    """Yield what moving the figures changes: by the price, with the builds held, and with everything adapting."""
    if moves.empty:
        yield shown("None of these figures can be moved.")
        return
    unit = _COLUMN_IN_WORDS.get(str(moves["column"].iloc[0]), str(moves["column"].iloc[0]))
    rows = [
        (
            _name(row["key"]),
            _year(row["year"]),
            f"{row['value']:g}",
            f"{row['moved_to']:g}",
            amount(row["price_musd"]),
            "no plan" if pd.isna(row["held_musd"]) else amount(row["held_musd"]),
            _band(row),
            "" if pd.isna(row["builds_changed"]) else str(int(row["builds_changed"])),
        )
        for row in moves.to_dict("records")
    ]
    columns = ("What", "Year", "From", "To", "By its price", "Builds held", "Everything adapts", "Builds changed")
    title = f"What moving by {summary['move']:g} ({unit}) changes in the whole cost (million USD, discounted)"
    yield grid(columns, rows, left=("What",), title=title, most=200)
    yield shown(
        "Everything adapts: the case is solved again; a range says between which figures the change is proved to lie, as wide as the gaps "
        "of both solves. Builds held: only flows and runs adapt. No plan: what must be met cannot be."
        + (
            " Some solves were stopped by the time limit: --time-limit narrows their ranges."
            if (moves["stopped"] == "time_limit").any()
            else ""
        )
    )


def _band(row: Mapping[Any, Any]) -> str:
    low, high = row["low_musd"], row["high_musd"]
    if row["stopped"] == "infeasible":
        return "no plan"
    if pd.isna(low) and pd.isna(high):
        return "not known"
    if pd.isna(high):
        return f"{amount(low)} or more"
    if pd.isna(low):
        return f"{amount(high)} or less"
    if high - low <= _SAME * max(abs(low), abs(high), 1e-9):
        return amount(high)
    return f"{amount(low)} to {amount(high)}"
