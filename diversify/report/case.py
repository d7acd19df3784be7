"""Planning cases as pages: what is bundled, what is wrong with a case, what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.padding import Padding

from diversify.errors import ASSUMED_AND_DECISIVE
from diversify.report.terminal import amount, grid, heading, musd, number, percent, shown, stacked

if TYPE_CHECKING:
    from diversify.errors import Problem
    from diversify.instance import Findings


def list_page(instances: Sequence[Mapping[str, Any]], chains: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """Yield the bundled instances and chains, one line each."""
    rows = [(each["name"], each["title"]) for each in instances]
    yield grid(("Instance", "Title"), rows, left=("Instance", "Title")) if rows else shown("No instances are bundled.")
    rows = [(each["name"], f"{each['commodities']} commodities, {each['processes']} processes") for each in chains]
    yield grid(("Chain", "Holds"), rows, left=("Chain", "Holds")) if rows else shown("No chains are bundled.")


_HEAVIEST = 12
"""Assumed figures shown on a page; the rest is in the JSON."""


def check_page(name: str, findings: Findings) -> Iterator[RenderableType]:
    """Yield errors apart from warnings: place, what is wrong, what to do; of assumed rows that decide the plan the heaviest."""
    assumed = [problem for problem in findings.warnings if problem.code == ASSUMED_AND_DECISIVE]
    odd_rows = [problem for problem in findings.warnings if problem.code != ASSUMED_AND_DECISIVE]
    for title, problems in (("error", findings.errors), ("warning", odd_rows)):
        if problems:
            yield stacked([heading(_counted(len(problems), title)), *(_problem(problem) for problem in problems)])
    if assumed:
        part = f"the {_HEAVIEST} heaviest of {len(assumed)}; all with --json" if len(assumed) > _HEAVIEST else "the heaviest first"
        title = f"Assumed rows that decide the plan ({part})"
        yield stacked([heading(title), *(_problem(problem) for problem in assumed[:_HEAVIEST])])
    if findings.errors:
        count = len(findings.errors)
        yield shown(f"{name} cannot be planned with until the {_counted(count, 'error')} above {'is' if count == 1 else 'are'} mended.")
    else:
        odd = f", {_counted(len(findings.warnings), 'warning')}" if findings.warnings else ""
        yield shown(f"{name} can be planned with: no errors{odd}.")


def _problem(problem: Problem) -> RenderableType:
    place = shown(f"{problem.where() or 'the case'}: ")
    place.stylize("bold")
    return Padding(place + shown(f"{problem.message} {problem.remedy}".rstrip()), (0, 0, 0, 2))


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def show_page(case: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield what is in a case, from the figures of ``describe``."""
    years = case["years"]
    first, last = str(years[0]), str(years[-1])
    title = f": {case['title']}" if case["title"] else ""
    span = f"{len(years)} planning years, {first} to {last}" if len(years) > 1 else f"One planning year, {first}"
    yield shown(f"{case['name']}{title}. {span}; discount rate {100 * case['discount_rate']:g} %; {case['currency']}.")
    yield supply_table(case["supply"], first, last)
    demand = [(row["commodity"], row["country"], amount(row["first_t_per_year"]), amount(row["last_t_per_year"])) for row in case["demand"]]
    columns = ["Commodity", "Country", first, last]
    yield grid(columns, demand, left=columns[:2], title="Demand (t per year)", rest="show --json")
    yield caps_table(case["caps"], first, last)
    yield provenance_table(case)
    if "weighed" in case:
        yield from weighed_part(case["weighed"], case["currency"])
    scenarios = ", ".join(case["scenarios"])
    yield shown(f"Scenarios: {scenarios}." if scenarios else "No scenarios.")


def supply_table(supply: Sequence[Mapping[str, Any]], first: str, last: str) -> RenderableType:
    """Return standing capacity by stage and commodity: totals, what projects could add, and who has most of it at the end."""
    sizes = ("first_t_per_year", "last_t_per_year", "projects_t_per_year")
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in sorted(supply, key=lambda row: _first_seen(supply, row["stage"])):
        groups.setdefault((row["stage"], row["commodity"]), []).append(row)
    rows = [(*key, *(amount(sum(row[size] for row in members)) for size in sizes), _largest(members)) for key, members in groups.items()]
    columns = ["Stage", "Commodity", first, last, "projects add", f"most in {last}"]
    left = ("Stage", "Commodity", columns[-1])
    return grid(columns, rows, left=left, title="Standing capacity (t per year, in the commodity named)", rest="show --json")


def _first_seen(supply: Sequence[Mapping[str, Any]], stage: str) -> int:
    return next(position for position, row in enumerate(supply) if row["stage"] == stage)


def _largest(members: Sequence[Mapping[str, Any]]) -> str:
    """Return the three countries with most capacity in the last year and their shares."""
    total = sum(row["last_t_per_year"] for row in members)
    ranked = sorted((row for row in members if row["last_t_per_year"] > 0), key=lambda row: (-row["last_t_per_year"], row["country"]))
    return ", ".join(f"{row['country']} {percent(row['last_t_per_year'] / total, 0)} %" for row in ranked[:3])


def caps_table(caps: Sequence[Mapping[str, Any]], first: str, last: str) -> RenderableType:
    """Return the caps with their shares in the first and the last planning year."""
    if not caps:
        return shown("No caps.")
    rows = [
        (
            row["cap"],
            row["commodity"],
            row["consumers"],
            row["sources"],
            ", ".join([row["basis"], row["scope"], *_price_above(row["excess_usd_per_t"])]),
            percent(row["first_share"]) or "none",
            percent(row["last_share"]) or "none",
        )
        for row in caps
    ]
    columns = ("Cap", "Commodity", "Consumers", "Sources", "Basis", f"% {first}", f"% {last}")
    return grid(columns, rows, left=columns[:5], title="Caps on the share", rest="show --json")


def _price_above(usd_per_t: float | None) -> list[str]:
    return [] if usd_per_t is None else [f"{number(usd_per_t)} USD/t above"]


def provenance_table(case: Mapping[str, Any]) -> RenderableType:
    """Return the rows of every table, and how many of them are cited, derived, assumed or silent."""
    kinds = ("cited", "derived", "assumed", "none")
    rows = [
        (table, number(count), *(number(case["provenance"][table][kind]) if table in case["provenance"] else "" for kind in kinds))
        for table, count in case["rows"].items()
    ]
    return grid(("Table", "rows", *kinds), rows, left=("Table",), title="Where the rows come from")


def weighed_part(weighed: Mapping[str, Any], currency: str) -> Iterator[RenderableType]:
    """Yield how much of a plan's cost rests on figures of which quality, and the assumptions that carry most of it."""
    if weighed["holds"] != "plan":
        yield shown("Which figures decide is not known: no plan was found. See diversify diagnose.")
        return
    cost, parts = weighed["objective_musd"], weighed["cost_by_quality_musd"]
    total = sum(abs(part) for part in parts.values())
    shares = ", ".join(
        f"{percent(part / total, 0)} % by figures {_IN_WORDS[kind]}" for kind, part in parts.items() if abs(part) > 0.005 * total
    )
    gap = "" if weighed["gap"] is None else f", at most {percent(weighed['gap'], 2)} % above the least,"
    yield shown(f"A plan{gap} costs {musd(cost)} ({currency}, discounted). Of that {shares} (net of sales).")
    rows = [
        (row["table"], _with_years(row), row["column"] or "the row", row["role"], number(row["musd"]), row["source"])
        for row in weighed["assumed"]
    ]
    columns = ("Table", "Row", "Figure", "Role", "M USD", "Source")
    yield grid(
        columns,
        rows,
        left=(*columns[:4], columns[5]),
        title="Assumptions that carry most (paid: part of the cost; binds: the figure times what more of it costs; built: capital)",
        rest="show --json",
        most=_HEAVIEST,
    )


def _with_years(row: Mapping[str, Any]) -> str:
    years = row["years"]
    return f"{row['key']}, {years[0]} to {years[-1]}" if len(years) > 1 else "|".join([row["key"], *map(str, years)])


_IN_WORDS = {
    "cited": "that are cited",
    "derived": "derived from cited ones",
    "assumed": "that are assumed",
    "not stated": "without a stated quality",
}
