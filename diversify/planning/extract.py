"""From the solver's point to the plan's tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.model import Statement
from diversify.network.ground import Floats
from diversify.plan import TABLES

_NOTHING = 1e-9
"""Quantities below this part of their column's typical magnitude are solver noise and left out."""


class Point:
    """Values of the statement's columns at one point, block by block."""

    def __init__(self, statement: Statement, values: Floats) -> None:
        """``values`` (n,) has one entry per column of the statement, in its order."""
        self.statement = statement
        self.values = values

    def of(self, name: str) -> Floats:
        """Return the values of one block, noise set to zero."""
        block = self.statement.blocks[name]
        values = self.values[block.start : block.start + len(block)]
        return np.where(np.abs(values) <= _NOTHING * block.scale, 0.0, values)

    def frame(self, name: str, value: str) -> pd.DataFrame:
        """Return the decoded index of one block with its values as column ``value``, rows of zero left out."""
        values = self.of(name)
        kept = np.flatnonzero(values)
        return self.statement.blocks[name].index.iloc[kept].assign(**{value: values[kept]}).reset_index(drop=True)


def plan_tables(point: Point) -> dict[str, pd.DataFrame]:
    """Return the plan's tables of quantities (all but shares, concentration, costs by consumer and prices)."""
    quantity = "quantity_t_per_year"
    return {
        "builds": builds(point),
        "closures": point.frame("v_close", "closed_t_per_year"),
        "capacity": capacity(point),
        "activity": point.frame("v_run", "activity_t_per_year"),
        "flows": flows(point),
        "deliveries": point.frame("v_deliver", quantity).rename(columns={"supplied": "supplied_by"}),
        "shortages": shortages(point),
        "disposal": point.frame("v_dispose", quantity),
        "sales": point.frame("v_sell", quantity),
        "stocks": point.frame("v_stock", "stock_t"),
        "costs": costs(point),
    }


def builds(point: Point) -> pd.DataFrame:
    """One row per project and on-line year: units, their capacity, and overnight capex with the first-unit cost where it is bought.

    ``source`` and ``quality`` of the project's row go along, so that a result tells by itself what it rests on.
    """
    network = point.statement.network
    plants = network.plants
    units = point.of("v_build")
    opened = np.zeros(len(units))
    opened[plants.openings["online"]] = np.round(point.of("v_open"))
    online = plants.online
    project = online["project"].to_numpy()
    kept = np.flatnonzero((units != 0) | (opened != 0))
    of_project = plants.projects.iloc[project[kept]]
    frame = network.decoded(online.iloc[kept].assign(facility=of_project["facility"].to_numpy()))
    lumpy = of_project["lumpy"].to_numpy(dtype=bool)
    counted = np.where(lumpy, np.round(units[kept]), units[kept])
    first = of_project["capex_first_musd"].to_numpy(dtype=np.float64) * opened[kept]
    stated = network.ground.instance.table("projects").set_index("project")[["source", "quality"]].astype(object).fillna("")
    return (
        frame.assign(
            decided_year=frame["year"].to_numpy() - of_project["lead_years"].to_numpy(dtype=np.float64),
            units=counted,
            capacity_t_per_year=counted * of_project["size"].to_numpy(dtype=np.float64),
            capex_musd=counted * of_project["capex_musd"].to_numpy(dtype=np.float64) + first,
        )
        .join(stated, on="project")[list(TABLES["builds"])]
        .reset_index(drop=True)
    )


def capacity(point: Point) -> pd.DataFrame:
    """Per facility and year: standing less closed, whole size of units in service, and what of both is usable (ramped, after outages)."""
    network = point.statement.network
    plants, years = network.plants, network.ground.years
    standing = plants.standing.copy()
    np.subtract.at(standing, (plants.closings["facility"], plants.closings["year"]), point.of("v_close"))
    new, usable = np.zeros_like(standing), standing.copy()
    service = plants.service
    project = service["project"].to_numpy()
    place = (plants.projects["facility"].to_numpy(dtype=np.int64)[project], service["year"].to_numpy())
    size = plants.projects["size"].to_numpy(dtype=np.float64)[project] * point.of("v_build")[service["position"]]
    np.add.at(new, place, size)
    np.add.at(usable, place, size * service["ramp"].to_numpy())
    usable *= plants.available
    facility, year = np.nonzero((standing > 0) | (new > 0))
    return pd.DataFrame(
        {
            "facility": plants.labels.decode(facility),
            "year": years.label[year],
            "standing_t_per_year": standing[facility, year],
            "new_t_per_year": new[facility, year],
            "usable_t_per_year": usable[facility, year],
        }
    )


def flows(point: Point) -> pd.DataFrame:
    """Flows with their annual freight and tariff."""
    frame = point.statement.network.cells.flows
    quantity = point.of("v_flow")
    kept = np.flatnonzero(quantity)
    index = point.statement.blocks["v_flow"].index.iloc[kept]
    return index.assign(
        quantity_t_per_year=quantity[kept],
        freight_musd=quantity[kept] * frame["freight_usd_per_t"].to_numpy()[kept] / 1e6,
        tariff_musd=quantity[kept] * frame["tariff_usd_per_t"].to_numpy()[kept] / 1e6,
    ).reset_index(drop=True)


def shortages(point: Point) -> pd.DataFrame:
    """Demand not met and its annual cost."""
    demand = point.statement.network.cells.demand
    price = demand["shortage_usd_per_t"].dropna().to_numpy(dtype=np.float64)
    quantity = point.of("v_short")
    kept = np.flatnonzero(quantity)
    index = point.statement.blocks["v_short"].index.iloc[kept]
    return index.assign(quantity_t_per_year=quantity[kept], cost_musd=quantity[kept] * price[kept] / 1e6).reset_index(drop=True)


def costs(point: Point) -> pd.DataFrame:
    """Discounted cost by category, who pays, facility (or lane, or place) and year, from the objective's own terms."""
    parts = []
    for cost in point.statement.costs:
        amount = cost.musd * point.of(cost.columns)[cost.column] if cost.columns else cost.musd
        parts.append(
            pd.DataFrame({"category": cost.category, "country": cost.country, "facility": cost.place, "year": cost.year, "musd": amount})
        )
    key = ["category", "country", "facility", "year"]
    stacked = pd.concat(parts, ignore_index=True).astype({"country": object, "facility": object})
    total = stacked.groupby(key)["musd"].sum().reset_index()
    return pd.DataFrame(total[total["musd"] != 0.0]).reset_index(drop=True)
