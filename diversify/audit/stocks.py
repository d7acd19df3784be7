"""Stocks: what is drawn and built follows from the levels; levels keep to capacity and to the final minimum."""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.audit.data import Case
from diversify.audit.report import SMALLEST_SHARE, Ledger
from diversify.audit.trade import present

USE = ["location", "commodity", "tag", "year"]


def check_stocks(stocks: pd.DataFrame, commodity_scale: pd.Series, case: Case, ledger: Ledger) -> None:
    """Check that stocks lie where there is a stockpile, within its capacity, and end no lower than its final minimum."""
    piles = case.tables["stockpiles"]
    kept = present(stocks, piles[["location", "commodity"]])
    sentence = "{location} holds {stock_t:.6g} t of {commodity} at the end of {year}, but has no stockpile of it"
    ledger.forbid("stock_place", "stocks", case.named(stocks[~kept]), ["location", "commodity", "tag"], sentence)
    levels = stock_levels(stocks, case).groupby(["location", "commodity", "year"], as_index=False)["stock_t"].sum()
    rows = levels.merge(piles, on=["location", "commodity"])
    floor = SMALLEST_SHARE * rows["commodity"].map(commodity_scale).fillna(0.0)
    limited = rows["capacity_t"].notna()
    sentence = "{location}: the stock of {commodity} at the end of {year} is {amount:.6g} t above its capacity"
    over = rows["stock_t"] - rows["capacity_t"]
    scale = np.maximum(rows["capacity_t"], floor)
    ledger.check("stock_capacity", "stocks", rows[limited], ["location", "commodity"], over[limited], scale[limited], "t", sentence)
    end = rows["year"] == case.years[-1]
    least = rows["final_min_t"].fillna(rows["initial_t"])
    sentence = "{location}: the stock of {commodity} ends {amount:.6g} t below its final minimum"
    scale = np.maximum(least, floor)
    ledger.check("stock_final", "stocks", rows[end], ["location", "commodity"], (least - rows["stock_t"])[end], scale[end], "t", sentence)


def stock_changes(stocks: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return USE columns and ``tonnes`` drawn (> 0) or built (< 0) a year: (level before - level at the end) / w_t."""
    levels = stock_levels(stocks, case)
    before = levels.groupby(["location", "commodity", "tag"])["stock_t"].shift(1)
    before = before.fillna(levels["initial"])
    return levels[USE].assign(tonnes=(before - levels["stock_t"]) / levels["year"].map(case.span))


def stock_levels(stocks: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return USE columns, ``stock_t`` and ``initial`` of that tag, for every planning year, in order."""
    piles = case.tables["stockpiles"]
    touch = piles["origin"].map({origin: case.touch(origin) for origin in piles["origin"].unique()})
    tag = np.where(piles["commodity"].map(case.traced).astype(bool), touch, 0).astype(int)
    start = piles.assign(tag=tag)[["location", "commodity", "tag", "initial_t"]]
    kinds = pd.concat([start, stocks[["location", "commodity", "tag"]].assign(initial_t=0.0)], ignore_index=True)
    kinds = kinds.groupby(["location", "commodity", "tag"])[["initial_t"]].sum().reset_index().rename(columns={"initial_t": "initial"})
    grid = kinds.merge(pd.DataFrame({"year": list(case.years)}), how="cross")
    grid = grid.merge(stocks.groupby(USE)[["stock_t"]].sum().reset_index(), on=USE, how="left")
    return grid.assign(stock_t=grid["stock_t"].fillna(0.0))
