"""A plan as a planner reads it: what it costs and how sure that is, what is built, who pays, shares against caps, what stays short."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from rich.console import RenderableType

from diversify.audit import AuditReport
from diversify.instance import Instance
from diversify.plan import Plan
from diversify.report.caps import cap_cost_sentence, cap_tables
from diversify.report.terminal import amount, grid, musd, number, percent, shown, side_by_side

_PROVED = 1e-6
"""A relative gap up to which a plan is called the cheapest: what a solver's own tolerance leaves open."""

CATEGORIES_IN_WORDS = {
    "variable": "running plants",
    "freight": "freight",
    "tariff": "tariffs",
    "fixed": "fixed cost of plants",
    "capital": "new capacity (annuities)",
    "shortage": "shortage",
    "substitution": "substitution",
    "disposal": "disposal",
    "holding": "holding stocks",
    "cap_excess": "excess over caps",
    "sales": "sales of surplus",
}

_NO_PLAN = {
    "infeasible": "There is no plan: what must be met (demand without a shortage cost, hard caps, contracts, floors, budgets, "
    "minimum units) cannot all be met at once.",
    "unbounded": "There is no least-cost plan: something can be sold without limit for more than it costs. Give its market a limit.",
    "time_limit": "Stopped by the time limit before any plan was found. Give it longer with --time-limit.",
    "interrupted": "Stopped by Ctrl-C before any plan was found.",
    "error": "The solver ended in numerical trouble and holds no plan. Nothing can be said about the case.",
}


def plan_page(plan: Plan) -> Iterator[RenderableType]:
    """Yield the parts of the page about one plan, most important first; a solve that holds none says why."""
    yield shown(headline(plan))
    if plan.holds == "plan":
        names = Names(plan)
        yield builds_table(plan, names)
        if plan.builds["quality"].ne("").any():
            yield shown(what_builds_rest_on(plan))
        if len(plan.closures):
            yield closures_table(plan, names)
        yield side_by_side([costs_table(plan), payers_table(plan, names)])
        yield from cap_tables(plan, names.country)
        if "cap_cost_musd" in plan.summary:
            yield shown(cap_cost_sentence(plan.summary["cap_cost_musd"]))
        yield shortage_table(plan, names)
        yield audit_part(plan.summary["audit"])
    yield shown(effort(plan.summary))


class Names:
    """Names in words of what a plan speaks of, by id."""

    def __init__(self, plan: Plan) -> None:
        """Read the names of an instance's tables."""
        table = plan.instance.table
        self.country = _named(table("countries"), "country", "name")
        self.project = _named(table("projects"), "project", "name")
        self.facility = _named(table("facilities"), "facility", "name")
        self.country_of = _named(table("locations"), "location", "country")
        self.place_of = _named(table("facilities"), "facility", "location")
        self.process = _named(table("facilities"), "facility", "process")
        self.any_size = set(table("projects").loc[table("projects")["unit_t_per_year"].isna(), "project"])

    def place(self, facility: str) -> str:
        """Return where a facility stands, with the country's code."""
        location = self.place_of.get(facility, "")
        return ", ".join(part for part in (location, self.country_of.get(location)) if part)


def _named(frame: pd.DataFrame, key: str, name: str) -> dict[str, str]:
    return {row[key]: row[name] if isinstance(row[name], str) else row[key] for row in frame[[key, name]].to_dict("records")}


def title_of(summary: Any) -> str:
    """Return the name of the case with its scenario and changes."""
    scenario = f", scenario {summary['scenario']}" if summary.get("scenario") else ""
    count = len(summary.get("changes") or ())
    changes = f", {count} change{'s' if count > 1 else ''} by --set" if count else ""
    return f"{summary['instance']}{scenario}{changes}"


def headline(plan: Plan) -> str:
    """Return what was found and how sure it is, in sentences; what is not proved cheapest is never called so."""
    summary = plan.summary
    title = title_of(summary)
    if plan.holds != "plan":
        bounded = plan.bound_musd is not None and plan.stopped in ("time_limit", "interrupted")
        known = f" No plan can cost less than {musd(plan.bound_musd)}." if bounded else ""
        return f"{title}: {_NO_PLAN[plan.stopped]}{known}"
    cost = f"{musd(plan.objective_musd)} ({summary['currency']}, discounted)"
    if plan.stopped == "optimal" and plan.gap is not None and plan.gap <= _PROVED:
        return f"{title}: The cheapest plan costs {cost}. It is proved that none is cheaper."
    why = {
        "optimal": "Solved to the gap asked for.",
        "time_limit": "Stopped by the time limit, holding a plan.",
        "interrupted": "Stopped by Ctrl-C, holding a plan.",
    }.get(plan.stopped, "The solver ended in trouble, holding a plan.")
    return f"{title}: {why} The plan costs {cost}. {_certainty(summary)}"


def _certainty(summary: Any) -> str:
    if summary["gap_musd"] is None:
        return "It is not proved optimal: how much cheaper a plan could be is not known."
    share = f"{percent(summary['gap'], 2)} % or " if summary["gap"] is not None else ""
    return f"It is not proved optimal: a plan could be cheaper by at most {share}{musd(summary['gap_musd'])}."


def builds_table(plan: Plan, names: Names) -> RenderableType:
    """Return what is built where and when, by year on line."""
    builds = plan.builds.sort_values(["year", "project"], kind="stable")
    if builds.empty:
        return shown("Nothing is built.")
    rows = [
        (
            f"{math.floor(row['decided_year'])}-{row['year']}",
            names.project.get(row["project"], row["project"]),
            names.process.get(row["facility"], ""),
            names.place(row["facility"]),
            "" if row["project"] in names.any_size else number(row["units"]),
            amount(row["capacity_t_per_year"]) if row["capacity_t_per_year"] else "site only",
            amount(row["capex_musd"]),
        )
        for row in builds.to_dict("records")
    ]
    columns = ("Years", "Project", "Process", "Place", "Units", "t/yr", "Capex")
    total = ("", "Total", "", "", "", "", amount(builds["capex_musd"].sum()))
    title = "What is built (years: decided - on line; capital cost in million USD, overnight)"
    return grid(columns, rows, left=columns[:4], title=title, total=total, rest="builds.csv")


def what_builds_rest_on(plan: Plan) -> str:
    """Return how many of the projects built stand on rows that are cited, derived or assumed."""
    quality = plan.builds.drop_duplicates("project")["quality"].replace("", "of no stated quality")
    counts = ", ".join(f"{count} {kind}" for kind, count in quality.value_counts(sort=False).sort_index().items())
    return f"The data of these {len(quality)} projects are: {counts} (see builds.csv and diversify show)."


def closures_table(plan: Plan, names: Names) -> RenderableType:
    """Return the capacity that is given up, at each plant in the years in which more is closed."""
    closures = plan.closures.sort_values(["facility", "year"], kind="stable")
    more = closures[closures["closed_t_per_year"] > closures.groupby("facility")["closed_t_per_year"].shift(fill_value=0.0)]
    plant = more["facility"]
    rows = [
        (str(year), names.facility.get(each, each), names.place(each), amount(closed))
        for each, year, closed in zip(plant, more["year"], more["closed_t_per_year"], strict=True)
    ]
    columns = ("From", "Plant", "Place", "t/yr closed so far")
    return grid(columns, rows, left=("Plant", "Place"), title="What is closed for good", rest="closures.csv")


def costs_table(plan: Plan) -> RenderableType:
    """Return the whole cost by category."""
    costs = plan.summary["cost_musd"]
    whole = sum(costs.values())
    rows = [(CATEGORIES_IN_WORDS.get(name, name), amount(cost), _part(cost, whole)) for name, cost in costs.items()]
    total = ("Total", amount(whole), "")
    return grid(("Cost of", "M USD", "%"), rows, left=("Cost of",), title="Cost by category (discounted)", total=total, block=True)


def payers_table(plan: Plan, names: Names) -> RenderableType:
    """Return the whole cost by the country where it arises and by the country whose deliveries it served."""
    paid, served = plan.summary["cost_by_country_musd"], plan.summary["cost_by_consumer_musd"]
    countries = sorted({*paid, *served}, key=lambda country: (-abs(served.get(country, 0.0)), -abs(paid.get(country, 0.0)), country))
    rows = [(names.country.get(each, each), amount(served.get(each)), amount(paid.get(each))) for each in countries]
    total = ("Total", amount(sum(served.values())), amount(sum(paid.values())))
    return grid(("Country", "serving it", "arising"), rows, left=("Country",), title="Cost by country (M USD)", total=total, block=True)


def _part(cost: float, whole: float) -> str:
    return percent(cost / whole) if whole > 0 else ""


def shortage_table(plan: Plan, names: Names) -> RenderableType:
    """Return what stays short, by commodity, country and year, with its part of demand and its cost in the year."""
    if plan.shortages.empty:
        return shown("All demand is met.")
    key = ["commodity", "country", "year"]
    short = plan.shortages.assign(country=plan.shortages["location"].map(names.country_of))
    wanted = demand_by_country(plan.instance)
    rows = [
        (
            row["commodity"],
            names.country.get(row["country"], row["country"]),
            str(row["year"]),
            amount(row["quantity_t_per_year"]),
            percent(row["quantity_t_per_year"] / wanted[row["commodity"], row["country"], row["year"]]),
            amount(row["cost_musd"]),
        )
        for row in short.groupby(key, as_index=False)[["quantity_t_per_year", "cost_musd"]].sum().to_dict("records")
    ]
    columns = ("Commodity", "Country", "Year", "t short", "% of demand", "M USD")
    title = "What stays short (t per year; cost of the year, undiscounted)"
    return grid(columns, rows, left=columns[:2], title=title, rest="shortages.csv")


def demand_by_country(instance: Instance) -> dict[tuple[str, str, int], float]:
    """Return demand in t per year by commodity, country and planning year; linear between the years that are listed."""
    country = _named(instance.table("locations"), "location", "country")
    wanted: dict[tuple[str, str, int], float] = defaultdict(float)
    for (place, good), listed in instance.table("demand").sort_values("year").groupby(["location", "commodity"]):
        years, quantities = listed["year"].fillna(0).to_numpy(dtype=float), listed["quantity_t_per_year"].to_numpy(dtype=float)
        for year, quantity in zip(instance.years, np.interp(instance.years, years, quantities), strict=True):
            wanted[str(good), country[str(place)], year] += float(quantity)
    return wanted


def audit_part(audit: Any) -> RenderableType:
    """Return the outcome of the audit, every violation in its own words."""
    if audit["ok"]:
        return shown("Audit: passed. Balances, capacities, caps and the whole cost were recomputed from the tables.")
    rows = [(each["rule"], each["sentence"]) for each in audit["violations"]]
    title = f"AUDIT FAILED: {len(rows)} violation{'s' if len(rows) != 1 else ''}. Do not use this plan."
    return grid(("Rule", "What is wrong"), rows, left=("Rule", "What is wrong"), title=title, rest="summary.json")


def audit_page(report: AuditReport, plan: Plan, same_data: bool) -> Iterator[RenderableType]:
    """Yield the outcome of auditing a saved plan, and whether the data are those that it was solved with."""
    if not same_data:
        yield shown(f"The data are not those that the plan was solved with ({title_of(plan.summary)}).")
    yield audit_part(report.as_dict())
    yield shown(f"Cost recomputed: {musd(report.objective_musd)}; the plan states {amount(plan.objective_musd, 4)}.")


def effort(summary: Any) -> str:
    """Return seconds and size in one line."""
    seconds = ", ".join(f"{name} {value:.1f}" for name, value in summary["seconds"].items() if name != "total")
    size = ", ".join(f"{number(count)} {what}" for what, count in summary["size"].items())
    nodes = f"{number(summary['nodes'])} node{'s' if summary['nodes'] != 1 else ''}"
    return f"{summary['seconds']['total']:.1f} seconds ({seconds}); {size}; {nodes}."
