"""Money: the whole cost recomputed by category from the instance's figures and the plan's tonnes and units.

An annual cost counts D_t times; a capital annuity is charged in every planning year in service. Figures of the plan are
compared with the recomputed ones to the tolerance times what they are part of: a row with itself, but with no less than
a hundredth of its category and a millionth of the whole, since rounding follows their magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.audit.builds import in_service, priced_builds
from diversify.audit.capacity import standing_grid
from diversify.audit.data import Case
from diversify.audit.demand import replaced
from diversify.audit.policy import market_of
from diversify.audit.report import SMALLEST_SHARE, Ledger
from diversify.audit.shares import excess_costs
from diversify.audit.stocks import stock_levels
from diversify.audit.trade import LANE, duties, lane_costs

USD_PER_MUSD = 1e6

CATEGORIES = (
    "variable",
    "freight",
    "tariff",
    "fixed",
    "capital",
    "shortage",
    "substitution",
    "disposal",
    "holding",
    "cap_excess",
    "sales",
)
"""The terms of the objective; sales count negative."""

NEGLIGIBLE = 1e-6
"""Share of the whole cost below which a row of it is not compared with itself but with this."""

BY_PLACE = ("variable", "freight", "tariff", "fixed", "capital")
"""Categories whose rows name a plant or a lane, and are compared one by one."""


@dataclass(frozen=True, slots=True)
class FlowCosts:
    """Freight and duty of each flow, million USD a year, not discounted."""

    freight: pd.Series
    tariff: pd.Series


def flow_costs(flows: pd.DataFrame, case: Case) -> FlowCosts:
    """Return what each flow pays for carriage and duty."""
    lanes = flows[LANE].drop_duplicates()
    rate = flows[LANE].merge(lanes.assign(rate=lane_costs(lanes, case)), on=LANE, how="left")["rate"].to_numpy(dtype=float)
    tonnes = flows["quantity_t_per_year"]
    return FlowCosts(tonnes * rate / USD_PER_MUSD, tonnes * duties(flows, case) / USD_PER_MUSD)


def shortage_costs(shortages: pd.DataFrame, case: Case) -> pd.Series:
    """Return what each shortage costs, million USD a year, not discounted; nothing where demand must be met."""
    key = ["location", "commodity", "year"]
    price = shortages[key].merge(case.demand, on=key, how="left")["shortage_usd_per_t"].fillna(0.0)
    return shortages["quantity_t_per_year"].mul(price.to_numpy(dtype=float)).div(USD_PER_MUSD)


def recomputed_costs(plan: dict[str, pd.DataFrame], paid: FlowCosts, case: Case) -> pd.DataFrame:
    """Return category, place (plant or lane; blank elsewhere), year and musd (discounted) of the plan's whole cost."""
    flows = plan["flows"]
    lane = flows["origin"].astype(str) + ">" + flows["destination"].astype(str)
    annual = [
        _variable(plan["activity"], case),
        _entries("freight", flows["year"], paid.freight, lane),
        _entries("tariff", flows["year"], paid.tariff, lane),
        *_plants(plan, case),
        *_at_places(plan, case),
    ]
    rows = pd.concat(annual, ignore_index=True)
    rows["musd"] = rows["musd"] * rows["year"].map(case.discount)
    return rows.groupby(["category", "place", "year"])[["musd"]].sum().reset_index()


def _entries(category: str, year: pd.Series, musd: pd.Series, place: pd.Series | str = "") -> pd.DataFrame:
    return pd.DataFrame({"category": category, "place": place, "year": year, "musd": musd})


def _variable(activity: pd.DataFrame, case: Case) -> pd.DataFrame:
    rows = activity.merge(case.modes, on=["facility", "process"])
    return _entries("variable", rows["year"], rows["activity_t_per_year"] * rows["variable_usd_per_t"] / USD_PER_MUSD, rows["facility"])


def _plants(plan: dict[str, pd.DataFrame], case: Case) -> list[pd.DataFrame]:
    """Fixed cost of what stands less what is closed, and of units in service; annuities of units and first units."""
    standing = standing_grid(plan, case)
    rate = standing["facility"].map(case.facilities["fixed_usd_per_t_year"])
    kept = (standing["standing"] - standing["closed"]) * rate / USD_PER_MUSD
    units = in_service(priced_builds(plan["builds"], case), case)
    plant = units["project"].map(case.projects["facility"])
    return [
        _entries("fixed", standing["year"], kept, standing["facility"]),
        _entries("fixed", units["year"], units["whole_size"] * units["fixed_usd_per_t_year"] / USD_PER_MUSD, plant),
        _entries("capital", units["year"], units["capex"] * units["annuity"], plant),
    ]


def _at_places(plan: dict[str, pd.DataFrame], case: Case) -> list[pd.DataFrame]:
    """What shortage, substitution, disposal, stocks and excess over caps cost, less what sales bring."""
    met, sales = replaced(plan["deliveries"], case), market_of(plan["sales"], case)
    stocks = stock_levels(plan["stocks"], case).merge(case.tables["stockpiles"], on=["location", "commodity"])
    disposal = plan["disposal"]
    price = disposal["commodity"].map(case.tables["commodities"].set_index("commodity")["disposal_usd_per_t"])
    return [
        _entries("shortage", plan["shortages"]["year"], shortage_costs(plan["shortages"], case)),
        _entries("substitution", met["year"], met["met"].fillna(0.0) * met["extra_usd_per_t"].fillna(0.0) / USD_PER_MUSD),
        _entries("disposal", disposal["year"], disposal["quantity_t_per_year"] * price / USD_PER_MUSD),
        _entries("holding", stocks["year"], stocks["stock_t"] * stocks["holding_usd_per_t_year"] / USD_PER_MUSD),
        _entries("cap_excess", plan["shares"]["year"], excess_costs(plan["shares"], case)),
        _entries("sales", sales["year"], -sales["quantity_t_per_year"] * sales["price_usd_per_t"].fillna(0.0) / USD_PER_MUSD),
    ]


def check_money(plan: dict[str, pd.DataFrame], objective_musd: float | None, case: Case, ledger: Ledger) -> dict[str, float]:
    """Check every figure of money in the plan's tables and its objective; return the recomputed cost by category."""
    paid = flow_costs(plan["flows"], case)
    _check_flow_costs(plan["flows"], paid, case, ledger)
    _check_shortage_costs(plan["shortages"], case, ledger)
    rows = recomputed_costs(plan, paid, case)
    _check_cost_rows(rows, plan["costs"], case, ledger)
    cost = rows.groupby("category")["musd"].sum().reindex(list(CATEGORIES)).fillna(0.0)
    total = pd.DataFrame({"recomputed": [cost.sum()], "objective": [np.nan if objective_musd is None else float(objective_musd)]})
    apart = (total["objective"] - total["recomputed"]).abs()
    sentence = "the whole cost is {recomputed:.10g} million USD, not {objective:.10g}"
    ledger.check("objective", "costs", total, [], apart, cost.abs().sum(), "musd", sentence)
    return {str(category): float(musd) for category, musd in cost.items()}


def _check_flow_costs(flows: pd.DataFrame, paid: FlowCosts, case: Case, ledger: Ledger) -> None:
    rows = case.named(flows)
    key = ["origin", "owner", "destination", "commodity", "tag"]
    for name, musd in (("freight", paid.freight), ("tariff", paid.tariff)):
        largest = musd.abs().groupby(flows["commodity"]).transform("max")
        sentence = f"{name} of {{commodity}} from {{origin}} to {{destination}} in {{year}} is off by {{amount:.6g}} million USD a year"
        apart = (flows[f"{name}_musd"] - musd).abs()
        ledger.check("flow_cost", "flows", rows, key, apart, np.maximum(musd.abs(), SMALLEST_SHARE * largest), "musd per year", sentence)


def _check_shortage_costs(shortages: pd.DataFrame, case: Case, ledger: Ledger) -> None:
    musd = shortage_costs(shortages, case)
    sentence = "the shortage of {commodity} at {location} in {year} is mispriced by {amount:.6g} million USD a year"
    scale = np.maximum(musd, SMALLEST_SHARE * musd.groupby(shortages["commodity"]).transform("max"))
    apart = (shortages["cost_musd"] - musd).abs()
    ledger.check("shortage_cost", "shortages", shortages, ["location", "commodity"], apart, scale, "musd per year", sentence)


def _check_cost_rows(rows: pd.DataFrame, listed: pd.DataFrame, case: Case, ledger: Ledger) -> None:
    """The plan's table ``costs`` by category, year and, where one is named, plant or lane."""
    known = listed["category"].isin(CATEGORIES)
    sentence = "the table costs has a row of category '{category}', which is no part of the cost"
    ledger.forbid("cost_category", "costs", listed[~known], ["category"], sentence)
    stated = listed.rename(columns={"facility": "place"})[["category", "place", "year", "musd"]]
    key = ["category", "place", "year"]
    both = pd.concat([rows.rename(columns={"musd": "recomputed"}), stated.rename(columns={"musd": "stated"})], ignore_index=True)
    both["place"] = both["place"].where(both["category"].isin(BY_PLACE), "")
    both = both.groupby(key, as_index=False)[["recomputed", "stated"]].sum()
    apart = (both["recomputed"] - both["stated"]).abs()
    size = both["recomputed"].abs()
    scale = size.clip(lower=SMALLEST_SHARE * size.groupby(both["category"]).transform("max")).clip(lower=NEGLIGIBLE * float(size.sum()))
    sentence = "{category} {place} in {year} costs {recomputed:.8g} million USD, not {stated:.8g}"
    ledger.check("cost", "costs", both, key[:-1], apart, scale, "musd", sentence)
