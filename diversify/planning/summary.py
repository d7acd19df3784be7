"""The summary of a result: the JSON object of ``solve --json`` and ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from diversify.instance import Instance
from diversify.network.ground import Years
from diversify.solve import Outcome

CATEGORIES = (
    *("variable", "freight", "tariff", "fixed", "capital", "shortage", "substitution", "disposal", "holding", "cap_excess", "sales"),
)
"""Categories of cost, in the order in which they are shown."""

_AT_LIMIT = 1e-6


def about(instance: Instance) -> dict[str, Any]:
    """Return what every summary says of its instance: name, scenario and changes that are in it, and the money it counts in."""
    scenario, changes = instance.applied
    currency = instance.meta.get("currency") or "USD 2024"
    return {"instance": instance.name, "scenario": scenario, "changes": list(changes), "currency": currency}


def summarise(instance: Instance, outcome: Outcome, tables: Mapping[str, pd.DataFrame], size: Mapping[str, int]) -> dict[str, Any]:
    """Return the summary of an outcome and its tables; costs in discounted million USD, shares as fractions.

    ``cost_by_country_musd`` is by who pays (where the cost arises), ``cost_by_consumer_musd`` by whose deliveries it served;
    ``shortage_t`` is tonnes over the horizon, ``shortage_t_per_year`` by commodity and year.
    """
    holds = outcome.x is not None
    costs = tables["costs"]
    objective = float(costs["musd"].sum()) if holds else None
    bound = float(outcome.bound) if np.isfinite(outcome.bound) else None
    gap_musd = max(objective - bound, 0.0) if objective is not None and bound is not None else None
    return {
        **about(instance),
        "stopped": outcome.stopped,
        "holds": "plan" if holds else "none",
        "objective_musd": objective,
        "bound_musd": bound,
        "gap": relative(gap_musd, objective),
        "gap_musd": gap_musd,
        "seconds": {},
        "size": dict(size),
        "nodes": outcome.nodes,
        "lp_iterations": outcome.lp_iterations,
        "cost_musd": _cost_by(costs, "category"),
        "cost_by_country_musd": _cost_by(costs, "country"),
        "cost_by_consumer_musd": _cost_by(tables["consumer_costs"], "country"),
        "shares": _shares(instance, tables["shares"]),
        "shortage_t": _total_shortage(instance, tables["shortages"]),
        "shortage_t_per_year": _shortage(tables["shortages"]),
    }


def relative(gap_musd: float | None, objective: float | None) -> float | None:
    """Return a gap as a share of the objective; None where either is not known, or the objective is zero and the gap is not."""
    if gap_musd is None or objective is None:
        return None
    return gap_musd / abs(objective) if objective else (0.0 if gap_musd == 0 else None)


def _cost_by(costs: pd.DataFrame, column: str) -> dict[str, float]:
    totals = costs.groupby(column)["musd"].sum() if len(costs) else pd.Series(dtype=float)
    names = CATEGORIES if column == "category" else tuple(sorted(totals.index))
    return {str(name): float(totals[name]) for name in names if name in totals.index}


def _shares(instance: Instance, shares: pd.DataFrame) -> list[dict[str, Any]]:
    caps = instance.table("caps").drop_duplicates("cap").set_index("cap")
    rows = []
    for row in shares.to_dict("records"):
        cap = caps.loc[row["cap"]]
        rows.append(
            {
                "cap": row["cap"],
                "year": int(row["year"]),
                "consumers": row["consumers"],
                "scope": cap["scope"] or "pooled",
                "basis": cap["basis"],
                "commodity": cap["commodity"],
                "share": float(row["share"]),
                "limit": float(row["limit"]),
                "binding": bool(row["share"] >= row["limit"] - _AT_LIMIT),
                "excess_t": float(row["excess_t"]),
                "pro_rata_share": float(row["pro_rata_share"]),
                "usd_per_t": _blank(row["usd_per_t"]),
                "musd_per_point": _blank(row["musd_per_point"]),
            }
        )
    return rows


def _blank(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _total_shortage(instance: Instance, shortages: pd.DataFrame) -> float:
    """Return tonnes not delivered over the horizon: each planning year counts for the calendar years that it stands for."""
    years = Years.of(instance)
    weight = dict(zip(years.label.tolist(), years.weight.tolist(), strict=True))
    return float((shortages["quantity_t_per_year"] * shortages["year"].map(weight)).sum())


def _shortage(shortages: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return tonnes per year not delivered, by commodity and year."""
    total = shortages.groupby(["commodity", "year"])["quantity_t_per_year"].sum() if len(shortages) else pd.Series(dtype=float)
    result: dict[str, dict[str, float]] = {}
    for (commodity, year), quantity in zip(total.index.tolist(), total.tolist(), strict=True):
        result.setdefault(str(commodity), {})[str(int(year))] = float(quantity)
    return result
