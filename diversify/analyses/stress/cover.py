"""Weeks of cover: how long the stock that a plan holds would last at each consumer if no more of it came."""

from __future__ import annotations

from typing import Any

import pandas as pd

from diversify.analyses.stress.breaks import WEEKS
from diversify.instance import Instance
from diversify.network.ground import filled, records
from diversify.plan import Plan


def cover(plan: Plan, reveal: int | None) -> list[dict[str, Any]]:
    """Return stock, yearly use and weeks of cover by commodity and country, where the plan's case has a stockpile.

    The stock (t) is what lies at the country's places at the end of the last planning year before ``reveal``, the initial stock
    where there is none. The use (t/yr) is what plants take in and what is delivered there in the planning year that follows.
    """
    case = plan.instance
    year = next((each for each in case.years if reveal is not None and each >= reveal), case.years[0])
    before = [each for each in case.years if each < year]
    piles = case.table("stockpiles")
    stocks = _stocks_at(plan, before[-1]) if before else _initial(case)
    used = pd.concat([_delivered(plan, year), _taken_in(plan, year)], ignore_index=True)
    country = dict(zip(case.table("locations")["location"], case.table("locations")["country"], strict=True))
    rows = []
    for commodity, place in sorted({(str(row["commodity"]), str(country[row["location"]])) for row in records(piles)}):
        held, use = (
            float(table.loc[(table["commodity"] == commodity) & (table["location"].map(country) == place), "t"].sum())
            for table in (stocks, used)
        )
        weeks = WEEKS * held / use if use > 0 else None
        rows.append({"commodity": commodity, "country": place, "stock_t": held, "use_t_per_year": use, "weeks": weeks})
    return rows


def _stocks_at(plan: Plan, year: int) -> pd.DataFrame:
    held = plan.stocks[plan.stocks["year"] == year]
    return held[["location", "commodity", "stock_t"]].rename(columns={"stock_t": "t"})


def _initial(case: Instance) -> pd.DataFrame:
    piles = case.table("stockpiles")
    return piles[["location", "commodity"]].assign(t=filled(piles, "stockpiles", "initial_t"))


def _delivered(plan: Plan, year: int) -> pd.DataFrame:
    part = plan.deliveries[plan.deliveries["year"] == year]
    return part[["location", "supplied_by", "quantity_t_per_year"]].set_axis(["location", "commodity", "t"], axis="columns")


def _taken_in(plan: Plan, year: int) -> pd.DataFrame:
    """Return what processes take in, by the place of their plant."""
    part = plan.activity[plan.activity["year"] == year]
    recipes = plan.instance.table("recipes")[["process", "commodity", "amount_t_per_t"]]
    taken = part.merge(recipes[recipes["amount_t_per_t"].astype(float) < 0], on="process")
    places = plan.instance.table("facilities").set_index("facility")["location"]
    tonnes = -taken["amount_t_per_t"].astype(float) * taken["activity_t_per_year"].astype(float)
    return pd.DataFrame({"location": taken["facility"].map(places), "commodity": taken["commodity"], "t": tonnes})
