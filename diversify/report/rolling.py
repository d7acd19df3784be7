"""The page about rolling decisions: what each look-ahead costs in the truth, when it decided what, and the years that it regrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.report.plan import title_of
from diversify.report.terminal import amount, grid, musd, number, percent, shown

_NONE = "-"
_PERFECT = "perfect"
_NOTHING_T = 0.5


def rolling_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the answer's summary and tables."""
    yield shown(headline(summary))
    yield _replays(summary, tables["steps"])
    yield shown(
        "Looks ahead: planning years from that of decision on (1: it alone), with the truth known up to then. Foresight: what "
        f"it would have been worth to know the truth from the start, at least, and at most by the bound. {_NONE}: no plan, so no cost."
    )
    if any(row["why"] for row in summary["replays"]):
        yield shown(
            "What the scenario changes in rows without a year is known from the reveal year on, but bears on years before it, in which "
            "the planner could not know. Let it be known from the start: --set instance.reveal_year= with the first planning year."
        )
    yield from _decisions(summary, tables["builds"])
    yield from _years(summary, tables["shortages"])


def headline(summary: Mapping[str, Any]) -> str:
    """Return what knowing the truth would be worth to who looks ahead least and furthest."""
    title, perfect, truth = title_of(summary), summary["perfect"], summary["truth"]
    if perfect["objective_musd"] is None:
        return f"{title}: {truth} has no plan even with foresight: the solve ended {perfect['stopped'].replace('_', ' ')}."
    ordered = sorted(summary["replays"], key=_reach)
    told = "; ".join(_sentence(row) for row in ([ordered[0], ordered[-1]] if len(ordered) > 1 else ordered))
    foreseen = f"{musd(perfect['objective_musd'])} ({_money(summary)})"
    return f"{title}: If {truth} comes true and shows year by year: {told}. With foresight {foreseen}."


def _money(summary: Mapping[str, Any]) -> str:
    return f"{summary['currency']}, discounted"


def _reach(row: Mapping[str, Any]) -> float:
    return float("inf") if row["look_ahead"] == "all" else float(row["look_ahead"])


def _who(name: object) -> str:
    if name == "all":
        return "who looks ahead to the end"
    return f"who looks ahead {name} planning year{'' if name == 1 else 's'}"


def _sentence(row: Mapping[str, Any]) -> str:
    who = _who(row["look_ahead"])
    if row["cost_musd"] is None:
        return f"{who} {_ended(row)}"
    return f"{who} pays {musd(row['cost_musd'])}, {_band(row)} above the cost with foresight"


def _ended(row: Mapping[str, Any]) -> str:
    if row["why"]:
        return f"did what the truth does not allow ({row['why']})"
    return f"has no plan in {row['ended_in']} ({row['stopped'].replace('_', ' ')})"


def _band(row: Mapping[str, Any]) -> str:
    low, high = row["foresight_low_musd"], row["foresight_high_musd"]
    if high is None:
        return f"{amount(low, 4)} or more"
    return amount(low, 4) if amount(low, 4) == amount(high, 4) else f"{amount(low, 4)} to {amount(high, 4)}"


def _replays(summary: Mapping[str, Any], steps: pd.DataFrame) -> RenderableType:
    capex = steps.groupby("look_ahead", sort=False)["decided_capex_musd"].sum()
    lines = [
        (
            row["look_ahead"],
            amount(row["cost_musd"], 4) or _NONE,
            _NONE if row["cost_musd"] is None else _band(row),
            number(row["shortage_t"]) or _NONE,
            amount(capex.get(row["look_ahead"])),
            "" if row["cost_musd"] is not None else _ended(row),
        )
        for row in summary["replays"]
    ]
    perfect = summary["perfect"]
    known = f"known from the start (gap {percent(perfect['gap'], 2)} %)" if perfect["gap"] is not None else "known from the start"
    total = (known, amount(perfect["objective_musd"], 4) or _NONE, "", number(perfect["shortage_t"]) or _NONE, "", "")
    columns = ("Looks ahead", "cost", "foresight", "short (t)", "capex decided", " ")
    return grid(columns, [*lines, total], left=("Looks ahead", " "), title=f"Replays (M USD; {_money(summary)}, capex overnight)")


def _names(summary: Mapping[str, Any]) -> list[Any]:
    """Return the plans that there are to compare: replays with a cost, and the one with foresight."""
    found = [row["look_ahead"] for row in summary["replays"] if row["cost_musd"] is not None]
    return [*found, *([_PERFECT] if summary["perfect"]["objective_musd"] is not None else [])]


def _heads(names: Sequence[Any]) -> list[str]:
    return ["foresight" if name == _PERFECT else f"ahead {name}" for name in names]


def _decisions(summary: Mapping[str, Any], builds: pd.DataFrame) -> Iterator[RenderableType]:
    """Yield when each project was decided in each plan; projects that all decide alike are counted only."""
    names = _names(summary)
    cells = {name: builds[(builds["look_ahead"] == name) & (builds["units"] > 0)] for name in names}
    lines, alike = [], 0
    for project in sorted(builds["project"].unique()):
        told = [_decided(cells[name][cells[name]["project"] == project]) for name in names]
        if len(set(told)) > 1:
            lines.append((project, *told))
        else:
            alike += 1
    if lines:
        yield grid(("Project", *_heads(names)), lines, left=("Project",), title="Decided in (x units)", rest="builds.csv")
    if alike:
        yield shown(f"{'Another' if lines else 'All'} {alike} project{'s are' if alike > 1 else ' is'} decided alike in all of them.")


def _decided(rows: pd.DataFrame) -> str:
    return ", ".join(f"{_year(row['decided_year'])}{_times(row['units'])}" for row in rows.to_dict("records")) or _NONE


def _year(year: float) -> str:
    return f"{year:.0f}" if float(year).is_integer() else f"{year:.1f}"


def _times(units: float) -> str:
    return "" if units == 1.0 else f" x{number(units)}"


def _years(summary: Mapping[str, Any], years: pd.DataFrame) -> Iterator[RenderableType]:
    names = _names(summary)
    if not len(years):
        return
    short = years.pivot(index="year", columns="look_ahead", values="shortage_t_per_year")
    if (short > _NOTHING_T).any(axis=None):
        lines = [(year, *(number(short.loc[year, name]) for name in names)) for year in short.index]
        yield grid(("Year", *_heads(names)), lines, left=("Year",), title="Short (t per year)", rest="shortages.csv")
    if _PERFECT in names and len(names) > 1:
        regret = years.pivot(index="year", columns="look_ahead", values="regret_musd")
        lines = [(year, *(amount(regret.loc[year, name]) for name in names[:-1])) for year in regret.index]
        total = ("all", *(amount(regret[name].sum(), 4) for name in names[:-1]))
        title = f"Cost above that with foresight, by year (M USD; {_money(summary)})"
        yield grid(("Year", *_heads(names[:-1])), lines, left=("Year",), title=title, total=total, rest="shortages.csv")
