"""Stocks at places of use, by tag.

v_stock[l,c,g,t] t at the end of planning year t; v_store and v_draw t/yr built and drawn during it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.model.statement import Statement, Terms
from diversify.network.cells import USE_KEY
from diversify.network.ground import Floats, filled


def add(s: Statement) -> None:
    """Declare stock levels and movements with their balance, capacity, final minimum and holding cost."""
    ground, stocks = s.network.ground, s.network.cells.stocks
    scale = s.network.scale[stocks["commodity"]]
    column = np.arange(len(stocks))
    for name in ("v_stock", "v_store", "v_draw"):
        s.columns(name, stocks[USE_KEY], scale=scale)
    s.use("v_draw", stocks["use"], column, 1.0)
    s.use("v_store", stocks["use"], column, -1.0)
    holding = filled(ground.instance.table("stockpiles"), "stockpiles", "holding_usd_per_t_year")[stocks["stockpile"]]
    s.cost(
        "holding",
        "v_stock",
        column,
        holding * ground.years.discount[stocks["year"]] / 1e6,
        country=ground.countries.decode(ground.location_country[stocks["location"]]),
        place=ground.locations.decode(stocks["location"].to_numpy()),
        year=ground.years.label[stocks["year"]],
    )
    c_stock(s)
    c_stock_capacity(s)
    c_stock_final(s)


def _initial(s: Statement) -> Floats:
    """Return the initial stock that each tag of each stockpile holds, at the first planning year (0 elsewhere)."""
    ground, stocks, tags = s.network.ground, s.network.cells.stocks, s.network.tags
    table = ground.instance.table("stockpiles")
    commodity = ground.commodities.codes(table["commodity"])
    tag = np.where(ground.traced[commodity], tags.touched_by(ground.countries.codes(table["origin"])), 0)
    initial = filled(table, "stockpiles", "initial_t")
    pile = stocks["stockpile"].to_numpy()
    return np.where((stocks["year"] == 0) & (stocks["tag"] == tag[pile]), initial[pile], 0.0)


def c_stock(s: Statement) -> None:
    """v_stock[l,c,g,t] = v_stock[l,c,g,t-1] + w_t (v_store - v_draw) (t); before the first year stands the initial stock."""
    stocks = s.network.cells.stocks
    row = np.arange(len(stocks))
    later = np.flatnonzero(stocks["year"] > 0)
    weight = s.network.ground.years.weight[stocks["year"]]
    terms = [
        Terms.of("v_stock", row, row, 1.0),
        Terms.of("v_stock", later, later - 1, -1.0),
        Terms.of("v_store", row, row, -weight),
        Terms.of("v_draw", row, row, weight),
    ]
    initial = _initial(s)
    s.rows("c_stock", stocks[USE_KEY], terms, lower=initial, upper=initial)


def c_stock_capacity(s: Statement) -> None:
    """sum over g of v_stock[l,c,g,t] <= capacity_t (t)."""
    stocks = s.network.cells.stocks
    capacity = filled(s.network.ground.instance.table("stockpiles"), "stockpiles", "capacity_t")[stocks["stockpile"]]
    limited = np.flatnonzero(~np.isnan(capacity))
    part = stocks.iloc[limited].assign(capacity=capacity[limited])
    key = ["location", "commodity", "year"]
    rows = part[[*key, "capacity"]].drop_duplicates().reset_index(drop=True)
    row = part[key].merge(rows.assign(row=np.arange(len(rows))), on=key)["row"]
    s.rows("c_stock_capacity", rows[key], [Terms.of("v_stock", row, limited, 1.0)], upper=rows["capacity"])


def c_stock_final(s: Statement) -> None:
    """sum over g of v_stock[l,c,g,last year] >= final_min_t (t)."""
    ground, stocks = s.network.ground, s.network.cells.stocks
    table = ground.instance.table("stockpiles")
    final = filled(table, "stockpiles", "final_min_t")
    least = np.where(np.isnan(final), filled(table, "stockpiles", "initial_t"), final)
    last = np.flatnonzero(stocks["year"] == len(ground.years) - 1)
    index = pd.DataFrame({"location": ground.locations.codes(table["location"]), "commodity": ground.commodities.codes(table["commodity"])})
    terms = Terms.of("v_stock", stocks["stockpile"].to_numpy()[last], last, 1.0)
    s.rows("c_stock_final", index, [terms], lower=least)
