"""The measures by which a plan is held against a recorded year: shares of imports, flows, outputs and sales."""

from __future__ import annotations

import pandas as pd

from diversify.instance import Instance
from diversify.plan import Plan

OUTSIDE_CHINA = "outside China"


def measured(row: pd.Series, plan: Plan, instance: Instance) -> float:
    """Return what the plan says about one series of the record, in the unit of the record (percent or t)."""
    countries = instance.table("locations").set_index("location")["country"]
    commodities = str(row["commodities"]).split(";")
    if row["measure"] == "share of imports":
        imports = _imports(plan, countries, commodities, row["destination"])
        return 100 * float(imports[imports["from"] == row["origin"]]["t"].sum() / imports["t"].sum())
    if row["measure"] == "imports":
        imports = _imports(plan, countries, commodities, row["destination"])
        return float(imports[imports["from"] == row["origin"]]["t"].sum())
    if row["measure"] == "sales":
        sales = plan.tables["sales"]
        sold = sales["commodity"].isin(commodities) & (sales["location"].map(countries) == row["origin"])
        return float(sales[sold]["quantity_t_per_year"].sum())
    return _output(plan, instance, countries, commodities, row["origin"])


def _imports(plan: Plan, countries: pd.Series, commodities: list[str], destination: str) -> pd.DataFrame:
    """Return what enters a country from others: columns ``from`` (country) and ``t``."""
    flows = plan.tables["flows"]
    ends = {"from": flows["origin"].map(countries), "to": flows["destination"].map(countries)}
    moved = pd.DataFrame({**ends, "t": flows["quantity_t_per_year"]})
    return moved[flows["commodity"].isin(commodities) & (moved["to"] == destination) & (moved["from"] != destination)]


def _output(plan: Plan, instance: Instance, countries: pd.Series, commodities: list[str], origin: str) -> float:
    """Return what plants of a country (or all outside China) make of the commodities, recycling left out."""
    processes = instance.table("processes").set_index("process")
    recipes = instance.table("recipes")
    made = recipes[recipes["commodity"].isin(commodities) & (recipes["amount_t_per_t"] > 0)]
    made = made[made["process"].map(processes["stage"]) != "recycling"]
    runs = plan.tables["activity"].merge(made[["process", "amount_t_per_t"]], on="process")
    places = runs["facility"].map(instance.table("facilities").set_index("facility")["location"]).map(countries)
    there = places != "CHN" if origin == OUTSIDE_CHINA else places == origin
    return float((runs["activity_t_per_year"] * runs["amount_t_per_t"])[there].sum())
