"""The page about a case without a plan, or without one that leaves nothing short: what conflicts, and what would repair it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import RenderableType
from rich.padding import Padding

from diversify.report.plan import title_of
from diversify.report.terminal import amount, grid, heading, musd, number, percent, shown, stacked

_TABLES_IN_WORDS = {
    "caps": "the caps",
    "floors": "the floors",
    "restrictions": "the restrictions",
    "budgets": "the budgets",
    "contracts": "the contracts",
    "stockpiles": "the least stocks",
    "projects": "projects (start, units that must be built)",
    "demand": "demand",
}


def diagnose_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the answer's summary and tables."""
    yield shown(headline(summary))
    if summary["shortages"]:
        yield _shortages(tables["shortages"])
    if summary["kind"] == "fine":
        return
    yield from _conflict(summary)
    if summary["physics"]:
        yield shown(_physics(summary))
    repairs = summary["repairs"]
    if repairs:
        yield _overview(repairs, summary["objective_musd"])
        yield from (_repair(position + 1, repair) for position, repair in enumerate(repairs))
    elif summary["searched"] is not None and not summary["physics"]:
        yield shown("No repair was found within the time of each solve (--time-limit); it is not proved that there is none.")
    if summary["alone"]:
        yield shown(_alone(summary["alone"]))
    if repairs and summary["searched"] is not None:
        yield shown(
            "Each repair stands alone and is the least of its kind that the search found, measured by how far figures move; what else "
            "would do is not listed. A verified repair was solved and audited with just these changes."
        )


def headline(summary: Mapping[str, Any]) -> str:
    """Return what is wrong in a sentence or two, and whether that is proved."""
    kind, title = summary["kind"], title_of(summary)
    if kind == "fine":
        return f"{title}: The case has a plan without shortage: {_cost(summary)}. There is nothing to repair."
    if kind == "unproved":
        return f"{title}: No plan was found ({_ended(summary['stopped'])}), and it is not proved that there is none. Give more time."
    if kind == "no plan":
        return f"{title}: The case has no plan: this is proved."
    best = f"{title}: The best plan found leaves demand short: {_cost(summary)}, shortage at its price included."
    return f"{best} {_without_shortage(summary)}"


def _without_shortage(summary: Mapping[str, Any]) -> str:
    if summary["without_shortage"] == "impossible":
        return "No plan without shortage keeps all rules of the case: this is proved."
    if summary["without_shortage"] == "unproved":
        return "Whether a plan without shortage exists was not decided within the time of a solve (--time-limit)."
    (repair,) = summary["repairs"]
    if summary["without_shortage"] == "no_dearer":
        return (
            f"A plan without shortage exists and costs {musd(repair['cost_musd'])}, which is no more: the shortage is what the gap of the "
            f"solve left, not what the case asks for (--gap)."
        )
    low, high = _difference(repair, summary)
    dearer = f"between {low} and {high} million USD dearer" if low and high else "dearer by an amount that is not known"
    return (
        f"Nothing but its cost stands in the way of a plan without shortage: one exists and costs {musd(repair['cost_musd'])}; "
        f"the cheapest is {dearer} than the cheapest plan with shortage."
    )


def _difference(repair: Mapping[str, Any], summary: Mapping[str, Any]) -> tuple[str, str]:
    if repair["bound_musd"] is None or summary["bound_musd"] is None:
        return "", ""
    low = max(repair["bound_musd"] - summary["objective_musd"], 0.0)  # what is dearer by so much is proved
    return amount(low, 4) or "0", amount(repair["cost_musd"] - summary["bound_musd"], 4)


def _cost(summary: Mapping[str, Any]) -> str:
    gap = "" if summary["gap"] is None else f" (gap {percent(summary['gap'], 2)} %)"
    return f"it costs {musd(summary['objective_musd'])}{gap}"


def _ended(stopped: str) -> str:
    return {"time_limit": "time ran out", "unbounded": "the cost has no lower limit"}.get(stopped, f"the solve ended: {stopped}")


def _shortages(shortages: pd.DataFrame) -> RenderableType:
    rows = [
        (row["location"], row["commodity"], str(row["year"]), amount(row["quantity_t_per_year"])) for row in shortages.to_dict("records")
    ]
    return grid(
        ("Place", "Commodity", "Year", "t per year"), rows, left=("Place", "Commodity"), title="Short", rest="shortages.csv", most=20
    )


def _conflict(summary: Mapping[str, Any]) -> Iterator[RenderableType]:
    conflict = summary["conflict"]
    if conflict:
        needed = (
            "; without any one of them the others could be" if summary["irreducible"] else "; perhaps not all of them are needed for that"
        )
        one = "This rule cannot be kept:" if len(conflict) == 1 else f"These {len(conflict)} rules cannot all be kept{needed}:"
        yield stacked([heading(one), *(_bullet(rule["sentence"]) for rule in conflict)])
    elif summary["searched"] is not None and not summary["conflict_proved"]:
        yield shown("No conflict of rules was worked out within the time of each solve (--time-limit).")
    if summary["whole_units"]:
        yield shown("If parts of units could be built, these rules could all be kept: only whole units stand in the way.")
    if summary["capacities"]:
        yield stacked([heading("Behind it stand:"), *(_bullet(each["sentence"]) for each in summary["capacities"])])


def _bullet(sentence: str) -> RenderableType:
    return Padding(shown(f"- {sentence}"), (0, 0, 0, 2))


def _physics(summary: Mapping[str, Any]) -> str:
    what = "leaves nothing short" if summary["kind"] == "shortage" else "gives a plan"
    said = f"No change of caps, floors, restrictions, budgets, contracts, least stocks or projects' years {what}: this is proved."
    if summary["kind"] == "shortage":
        return f"{said} Plants, recipes, lanes and lead times do not let it. A repair below gives up as little demand as they leave."
    said = said.replace(" or projects", ", demand or projects")
    return f"{said} What plants, recipes, lanes and lead times allow is not enough, whatever policy says."


def _overview(repairs: Sequence[Mapping[str, Any]], objective: float | None) -> RenderableType:
    rows = [
        (
            str(position + 1),
            "; ".join(sorted({change["table"] for change in repair["changes"]}, key=list(_TABLES_IN_WORDS).index)),
            str(len(repair["changes"])),
            amount(repair["points"]) if repair["points"] else "",
            amount(repair["cost_musd"], 4),
            *((amount(_more(repair["cost_musd"], objective)),) if objective is not None else ()),
            percent(repair["gap"], 2),
            "yes" if repair["verified"] else f"no: {repair['stopped']}",
        )
        for position, repair in enumerate(repairs)
    ]
    more = ("more",) if objective is not None else ()
    columns = ("Repair", "of", "changes", "points", "M USD", *more, "gap %", "verified")
    title = "Repairs, each alone (points: per cent moved x years; M USD: cost of the plan it gives, discounted)"
    return grid(columns, rows, left=("of", "verified"), title=title)


def _more(cost: float | None, objective: float) -> float | None:
    return None if cost is None else cost - objective


def _repair(position: int, repair: Mapping[str, Any]) -> RenderableType:
    words = [_bullet(_in_words(change)) for change in repair["changes"]]
    return stacked([heading(f"Repair {position}"), *words, *map(_to_type, repair["set"])])


def _to_type(text: str) -> RenderableType:
    """Return a change as an option of the command, on one line however long, so that it can be copied."""
    line = shown(f"    --set {shlex.quote(text)}")
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _in_words(change: Mapping[str, Any]) -> str:
    """Return a change in words."""
    key = change["key"].split("|")
    before, after = change["from"], change["to"]
    if change["table"] in ("caps", "floors"):
        verb, what = ("Raise the cap", key[0]) if change["table"] == "caps" else ("Lower the floor", key[0])
        return f"{verb} {what} in {key[1]} from {_share(before)} to {_share(after)}."
    if change["table"] == "restrictions":
        return f"Let restriction {key[0]} pass {_figure(after)} t per year instead of {_figure(before)}."
    if change["table"] == "budgets":
        return f"Raise the budget {key[0]} from {_figure(before)} to {_figure(after)} million USD."
    if change["table"] == "contracts":
        return f"Ask for {_figure(after)} t per year under the contract {key[0]} instead of {_figure(before)}."
    if change["table"] == "stockpiles":
        return f"Ask for {_figure(after)} t of {key[1]} at {key[0]} at the end instead of {_figure(before)}."
    if change["column"] == "shortage_usd_per_t":
        return "Allow no shortage."
    return _of_project(change, key[0]) if change["table"] == "projects" else _of_demand(change, key)


def _of_project(change: Mapping[str, Any], name: str) -> str:
    before, after = change["from"], change["to"]
    if change["column"] == "earliest_year":
        return f"Let the project {name} come on line from {after:.0f} instead of {before:.0f}."
    if change["column"] == "decided_year":
        return f"Let the project {name} be decided from {after:.0f} instead of {before:.0f}."
    unit = "t/yr" if change["column"] == "min_t_per_year" else "units"
    return f"Ask for {_figure(after)} {unit} of the project {name} instead of {_figure(before)}."


def _of_demand(change: Mapping[str, Any], key: Sequence[str]) -> str:
    when = f" in {key[2]}" if key[2] else ""
    return f"Give up demand: {key[0]} wants {_figure(change['to'])} t of {key[1]}{when} instead of {_figure(change['from'])}."


def _share(share: float) -> str:
    return f"{100.0 * share:.4g} %"


def _figure(value: float) -> str:
    return number(value, 0) if abs(value) >= 1e5 else f"{value:,.5g}"


def _alone(rows: Sequence[Mapping[str, Any]]) -> str:
    said = {
        answer: "; ".join(f"{_TABLES_IN_WORDS[row['table']]}{_number(row['repair'])}" for row in rows if row["answer"] == answer)
        for answer in ("yes", "no", "unproved")
    }
    parts = [
        f"Enough alone is a change of: {said['yes']}." if said["yes"] else "",
        f"Proved not to be enough alone: {said['no']}." if said["no"] else "",
        f"Not decided: {said['unproved']}." if said["unproved"] else "",
    ]
    return " ".join(part for part in parts if part)


def _number(repair: int | None) -> str:
    return "" if repair is None else f" (repair {repair})"
