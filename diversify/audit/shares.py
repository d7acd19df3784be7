"""Caps on shares of origin: recomputed from the flows, held against the limits and against the plan's own table."""

from __future__ import annotations

import pandas as pd

from diversify.audit.data import Case
from diversify.audit.policy import share_limits
from diversify.audit.report import SMALLEST_SHARE, Ledger

ROW = ["cap", "consumers", "year"]


def capped_arrivals(flows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return one row per cap, consumers (selector, or country where the scope is ``each``) and year in force.

    ``hits`` and ``arrivals`` (t/yr) are what comes from the sources and all that comes; ``needed`` is the excess of
    ``hits`` over ``limit`` x ``arrivals``; ``excess_usd_per_t`` is NaN where the cap is hard.
    """
    rows = _scopes(share_limits(case.tables["caps"], "cap", case.years), case)
    leaves, enters = flows["origin"].map(case.country), flows["destination"].map(case.country)
    rows = rows.assign(hits=0.0, arrivals=0.0)
    for _, same in rows.groupby(ROW[:-1], sort=False):
        cap = same.iloc[0]
        arrive = (flows["commodity"] == cap["commodity"]) & enters.isin(case.members[cap["consumers"]])
        hit = arrive & _from_sources(flows, leaves, cap, case)
        for column, counted in (("arrivals", arrive), ("hits", hit)):
            by_year = flows[counted].groupby("year")["quantity_t_per_year"].sum()
            rows.loc[same.index, column] = same["year"].map(by_year).fillna(0.0)
    return rows.assign(needed=(rows["hits"] - rows["limit"] * rows["arrivals"]).clip(lower=0.0))


def _from_sources(flows: pd.DataFrame, leaves: pd.Series, cap: pd.Series, case: Case) -> pd.Series:
    """Which flows come from a cap's sources: by the place they leave, also by its owner, or by their tag."""
    sources = case.members[cap["sources"]]
    if cap["basis"] == "traced":
        return flows["tag"] & (1 << case.groups.index(cap["sources"])) != 0
    here = leaves.isin(sources)
    return here | flows["owner"].isin(sources) if cap["basis"] == "owned" else here


def _scopes(caps: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Open the caps that hold for each consumer country into one row per country."""
    each = caps["scope"] == "each"
    spread = caps[each].assign(consumers=caps.loc[each, "consumers"].map(lambda selector: sorted(case.members[selector])))
    return pd.concat([caps[~each], spread.explode("consumers")], ignore_index=True)


def excess_costs(shares: pd.DataFrame, case: Case) -> pd.Series:
    """Return what each row of the plan's table ``shares`` pays for its excess, million USD a year, not discounted.

    The stated excess is priced, which ``check_shares`` holds to the flows: a cap that binds is kept to the solver's
    tolerance, and the price of that is no cost of the plan.
    """
    price = case.tables["caps"].drop_duplicates("cap").set_index("cap")["excess_usd_per_t"].fillna(0.0)
    return shares["excess_t"] * shares["cap"].map(price).astype(float) / 1e6


def check_shares(plan: dict[str, pd.DataFrame], commodity_scale: pd.Series, case: Case, ledger: Ledger) -> None:
    """Check every cap, and the rows of the plan's table ``shares`` against what the flows say."""
    flows, listed = plan["flows"], plan["shares"]
    rows = capped_arrivals(flows, case)
    beside = rows[ROW].merge(listed.drop_duplicates(ROW).rename(columns={"limit": "stated"}), on=ROW, how="left")
    rows = rows.assign(share=beside["share"].fillna(0.0), stated=beside["stated"], excess=beside["excess_t"].fillna(0.0))
    scale = rows["arrivals"].clip(lower=SMALLEST_SHARE * rows["commodity"].map(commodity_scale).fillna(0.0))
    over = rows["needed"] - rows["excess"].where(rows["excess_usd_per_t"].notna(), 0.0)
    sentence = "cap {cap}, {consumers}, {year}: {amount:.6g} t per year more come from {sources} than the share of {limit:.4g} allows"
    ledger.check("cap", "flows", rows, ROW[:-1], over, scale, "t per year", sentence)
    _check_listed(rows, scale, ledger)
    strange = listed[~pd.MultiIndex.from_frame(listed[ROW]).isin(pd.MultiIndex.from_frame(rows[ROW]))]
    sentence = "the table shares has a row for cap {cap}, {consumers} in {year}, where none is in force"
    ledger.forbid("share_row", "shares", strange, ROW[:-1], sentence)


def _check_listed(rows: pd.DataFrame, scale: pd.Series, ledger: Ledger) -> None:
    some = rows["arrivals"] > 0.0
    actual = (rows["hits"] / rows["arrivals"].where(some)).fillna(0.0)
    sentence = "cap {cap}, {consumers}, {year}: the share is {actual:.6g}, not {share:.6g}"
    apart = (rows["share"] - actual).abs()[some]
    ledger.check("share_row", "shares", rows.assign(actual=actual)[some], ROW[:-1], apart, 1.0, "share", sentence)
    given = rows["stated"].notna()
    sentence = "cap {cap}, {consumers}, {year}: the limit is {limit:.6g}, not {stated:.6g}"
    ledger.check("share_row", "shares", rows[given], ROW[:-1], (rows["stated"] - rows["limit"]).abs()[given], 1.0, "share", sentence)
    # an excess that costs nothing may be stated above what is needed
    dear = ~(rows["excess_usd_per_t"] == 0.0)
    sentence = "cap {cap}, {consumers}, {year}: {excess:.6g} t per year are stated as excess, {needed:.6g} are"
    beyond = (rows["excess"] - rows["needed"])[dear]
    ledger.check("share_row", "shares", rows[dear], ROW[:-1], beyond, scale[dear], "t per year", sentence)
