"""The page about stress: what each scenario does to a plan, and where and when it breaks first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.report.plan import title_of
from diversify.report.regret import letter, plans_grid, regrets_grid
from diversify.report.terminal import amount, grid, musd, number, percent, shown

_NONE = "-"


def stress_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the answer's summary and tables."""
    letters = {row["plan"]: letter(position) for position, row in enumerate(summary["plans"])}
    several = len(letters) > 1
    yield shown(headline(summary))
    if several:
        yield plans_grid(summary["plans"], letters)
    for plan in letters:
        cells = [cell for cell in summary["scenarios"] if cell["plan"] == plan]
        named = f" of {letters[plan]}" if several else ""
        yield _costs(cells, summary["least"], f"Cost{named} (M USD, discounted) and shortage")
        if any(cell["breaks"] for cell in cells):
            yield _breaks(cells, f"Where supply{named} breaks first")
        if any(row["stock_t"] > 0 for row in summary["cover"] if row["plan"] == plan):
            yield _cover([row for row in summary["cover"] if row["plan"] == plan], f"Weeks of cover{named}", summary)
    if several:
        yield regrets_grid({"cells": summary["scenarios"], "scenarios": summary["least"]}, letters)
    yield shown(_notes(summary))
    if summary["adapt"]:
        yield from _anew(tables["builds"], letters)


def headline(summary: Mapping[str, Any]) -> str:
    """Return which scenario hits each plan hardest, and what breaks first, when and where."""
    parts = [_of_plan(row, [cell for cell in summary["scenarios"] if cell["plan"] == row["plan"]]) for row in summary["plans"]]
    best = summary["minimax"]
    judged = f" The least worst regret has {' and '.join(best)}." if best and len(parts) > 1 else ""
    return f"{title_of(summary)}: {' '.join(parts)}{judged}"


def _of_plan(row: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> str:
    hardest = next((cell for cell in cells if cell["scenario"] == row["hardest_scenario"]), None)
    if hardest is None:
        return f"Of {row['plan']} nothing is known."
    broken = [cell for cell in cells if cell["breaks"]]
    if not broken:
        none = f"In none of {len(cells)} scenarios does {row['plan']} lack more than planned"
        return f"{none}; the dearest is {hardest['scenario']}, {musd(hardest['cost_musd'])}."
    first = min(broken, key=lambda cell: (cell["breaks"]["year"], -(cell["breaks"]["share"] or 0.0)))
    hit = f"{hardest['scenario']} hits {row['plan']} hardest: {_hit(hardest)}."
    where = "" if first is hardest else f" in {first['scenario']}"
    return f"{hit} It breaks first{where} in {first['breaks']['year']}: {_broken(first['breaks'])}."


def _hit(cell: Mapping[str, Any]) -> str:
    short = f"{number(cell['shortage_beyond_t'])} t more are short than planned"
    if cell["cost_musd"] is None:
        return "no plan is left" + ("" if cell["shortage_beyond_t"] is None else f", and {short} at the least")
    return f"{short}, and it costs {musd(abs(cell['dearer_musd']))} {'more' if cell['dearer_musd'] >= 0 else 'less'} than planned"


def _broken(breaks: Mapping[str, Any]) -> str:
    if breaks["kind"] == "cap":
        return f"{number(breaks['missing_t_per_year'])} t/yr come in above the cap {breaks['cap']}"
    weeks = f"{percent(breaks['share'])} % of its demand, {number(breaks['weeks'], 1)} weeks of a year"
    everywhere = f"of {breaks['commodity']} {percent(breaks['everywhere_share'])} % is missing over all"
    return f"{breaks['location']} lacks {number(breaks['missing_t_per_year'])} t/yr of {breaks['commodity']} ({weeks}; {everywhere})"


def _costs(cells: Sequence[Mapping[str, Any]], least: Sequence[Mapping[str, Any]], title: str) -> RenderableType:
    known = {row["scenario"]: row["least_musd"] for row in least}
    delayed = any(cell["moved"] or cell["left_out"] for cell in cells)
    lines = [
        (
            f"{cell['scenario']}{' *' if cell['foresight'] else ''}",
            amount(known[cell["scenario"]], 4) or _NONE,
            amount(cell["cost_musd"], 4) or _stopped(cell["stopped"]),
            amount(cell["dearer_musd"], 4) or _NONE,
            amount(cell["regret_musd"], 4) or _NONE,
            number(cell["shortage_t"]) or _NONE,
            number(cell["shortage_beyond_t"]) or _NONE,
            *([f"{cell['moved']} / {cell['left_out']}"] if delayed else []),
        )
        for cell in cells
    ]
    columns = ("Scenario", "least known", "this plan", "more", "regret", "short (t)", "more (t)", *(["late / never"] if delayed else []))
    return grid(columns, lines, left=("Scenario",), title=title, rest="cells.csv")


def _stopped(stopped: str) -> str:
    return "no plan" if stopped == "infeasible" else stopped.replace("_", " ")


def _breaks(cells: Sequence[Mapping[str, Any]], title: str) -> RenderableType:
    broken = sorted((cell for cell in cells if cell["breaks"]), key=lambda cell: int(cell["breaks"]["year"]))
    lines = [
        (
            cell["scenario"],
            cell["breaks"]["year"],
            cell["breaks"]["location"] or f"cap {cell['breaks']['cap']}",
            cell["breaks"]["commodity"] or "",
            number(cell["breaks"]["missing_t_per_year"]),
            percent(cell["breaks"]["share"]),
            number(cell["breaks"]["weeks"], 1),
            number(cell["cover_weeks"], 1) or _NONE,
            percent(cell["breaks"]["everywhere_share"]),
        )
        for cell in broken
    ]
    columns = ("Scenario", "year", "Where", "What", "t/yr", "% of demand", "weeks", "cover", "% everywhere")
    return grid(columns, lines, left=("Scenario", "Where", "What"), title=title, rest="missing.csv")


def _cover(rows: Sequence[Mapping[str, Any]], title: str, summary: Mapping[str, Any]) -> RenderableType:
    when = "at the start" if summary["reveal_year"] is None else f"before {summary['reveal_year']}"
    lines = [
        (row["commodity"], row["country"], amount(row["stock_t"]), amount(row["use_t_per_year"]), number(row["weeks"], 1) or _NONE)
        for row in rows
    ]
    columns = ("Commodity", "Country", f"stock {when} (t)", "use (t/yr)", "weeks")
    return grid(columns, lines, left=("Commodity", "Country"), title=title, rest="cover.csv")


def _notes(summary: Mapping[str, Any]) -> str:
    reveal = summary["reveal_year"]
    kept, rest = "What a plan builds and closes is kept", "the rest"
    if summary["adapt"]:
        kept, rest = f"What a plan decided before {reveal} to build and close is kept", "the rest, later investments too,"
    past = "" if reveal is None else f", and so is what it did before {reveal} where later years depend on it"
    notes = [
        f"{kept}{past}; {rest} is planned anew. More: than the plan has in its own case. Regret: cost above the least known, whose plan "
        "knew the scenario from the start."
    ]
    if any(cell["moved"] or cell["left_out"] for cell in summary["scenarios"]):
        notes.append("Late / never: builds that come on line later than planned or not at all.")
    if any(cell["foresight"] for cell in summary["scenarios"]):
        notes.append("*: operations know the scenario from the start, as its figures differ from there (or there is no reveal year).")
    if reveal is not None and not any(row["stock_t"] > 0 for row in summary["cover"]):
        notes.append(f"No plan holds any stock before {reveal}." if summary["cover"] else "The case has no stockpiles.")
    if any(cell["softened"] == "optimal" for cell in summary["scenarios"]):
        notes.append("Where no plan is left, shortage and break are told from a copy in which all demand may be short and caps exceeded.")
    return " ".join(notes)


def _anew(builds: pd.DataFrame, letters: Mapping[str, str]) -> Iterator[RenderableType]:
    """Yield what is built in each scenario, t/yr by facility, where that differs between scenarios."""
    for plan, named in letters.items():
        mine = builds[builds["plan"] == plan]
        if mine.empty:
            continue
        size = mine.assign(capacity=mine["capacity_t_per_year"].astype(float))
        wide = size.pivot_table(index="facility", columns="scenario", values="capacity", aggfunc="sum", fill_value=0.0, sort=False)
        differs = wide[wide.max(axis=1) - wide.min(axis=1) > 1e-6 * wide.max(axis=1)]
        lines = [(facility, *(number(value) for value in row)) for facility, row in zip(differs.index, differs.to_numpy(), strict=True)]
        if lines:
            title = f"What {named if len(letters) > 1 else 'the plan'} builds where the scenarios differ (t/yr)"
            yield grid(("Facility", *map(str, wide.columns)), lines, left=("Facility",), title=title, rest="builds.csv", most=30)
