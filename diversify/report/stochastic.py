"""The page about one plan for all scenarios: its cost in each, what it decides before it is known which comes, what knowing is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.network.ground import records
from diversify.report.plan import title_of
from diversify.report.terminal import amount, grid, musd, number, percent, shown

_NONE = "-"
_MOST_COLUMNS = 6
"""Scenarios up to which decisions are set side by side."""

_TOGETHER = "all scenarios"

_ENDED = {
    "time_limit": "stopped by the time limit, not proven within the gap",
    "round_limit": "not proven within the gap: more cuts brought nothing",
}


def stochastic_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the answer's summary and tables."""
    yield shown(headline(summary))
    if summary["holds"] != "plan":
        return
    yield from (shown(sentence) for sentence in _worth(summary))
    yield _scenarios(summary)
    yield from _decisions(summary, tables["decisions"])


def headline(summary: Mapping[str, Any]) -> str:
    """Return what the plan costs, what is proved, and what is common to all scenarios."""
    title, count = title_of(summary), len(summary["scenarios"])
    if summary["holds"] != "plan":
        if summary["stopped"] == "infeasible":
            alone = ", ".join(summary["without_plan"])
            why = f"{alone} has none even if it is known from the start" if alone else "each has one if it is known from the start"
            return f"{title}: No plan exists that serves all {count} scenarios: {why}."
        return f"{title}: No plan for all {count} scenarios was found ({summary['stopped'].replace('_', ' ')})."
    risk = summary["risk"]
    what = "expected cost" if not risk["cvar_weight"] else f"cost with weight {risk['cvar_weight']:g} on the dearest {_tail(risk)}"
    bound = summary["bound_musd"]
    proved = "nothing proved" if bound is None else f"no plan can cost less than {musd(bound)}"
    ended = _ENDED.get(summary["stopped"])
    said = f"{title}: One plan for {count} scenarios has an {what} of {musd(summary['objective_musd'])} ({summary['currency']}, discounted)"
    gap = "" if summary["gap"] is None else f" ({percent(summary['gap'], 2)} % gap)"
    said += f"; {proved}{gap}"
    return f"{said}{f'; {ended}' if ended else ''}. What is decided before {summary['reveal_year']} is the same in all."


def _tail(risk: Mapping[str, Any]) -> str:
    return "scenario" if risk["cvar_level"] >= 1.0 else f"{percent(1.0 - risk['cvar_level'])} % of outcomes"


def _worth(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what risk, knowing and planning for all are worth."""
    if summary["risk"]["cvar_weight"]:
        yield (
            f"Its expected cost is {musd(summary['expected_musd'])}; the mean of the dearest {_tail(summary['risk'])} is "
            f"{musd(summary['cvar_musd'])}."
        )
    if summary["evpi_musd"] is not None:
        yield f"To know the scenario from the start would be worth {_band(summary, 'evpi')} (EVPI)."
    if summary["vss_musd"] is not None:
        yield f"To decide for the mean of all figures instead would cost {_band(summary, 'vss')} more (VSS)."
    elif summary["mean_without_plan"]:
        yield f"After deciding for the mean of all figures there is no plan in {', '.join(summary['mean_without_plan'])}."


def _band(summary: Mapping[str, Any], name: str) -> str:
    best, low, high = (summary[f"{name}{part}_musd"] for part in ("", "_low", "_high"))
    if low is None or high is None:
        return f"about {musd(best)}"
    return musd(best) if amount(low, 4) == amount(high, 4) else f"{musd(best)} (proved: {amount(low, 4)} to {amount(high, 4)})"


def _scenarios(summary: Mapping[str, Any]) -> RenderableType:
    known = any(row["alone_musd"] is not None for row in summary["scenarios"].values())
    lines: list[tuple[str, ...]] = []
    for name, row in summary["scenarios"].items():
        line = [name, f"{row['probability']:.3g}", amount(row["cost_musd"], 5), number(row["shortage_t"])]
        if known:
            line += [amount(row[column], 5) or _NONE for column in ("alone_musd", "after_mean_musd")]
        lines.append(tuple(line))
    columns = ("Scenario", "probability", "cost", "short (t)", *(("known beforehand", "after the mean") if known else ()))
    return grid(columns, lines, left=("Scenario",), title="Cost in each scenario (M USD, discounted)", rest="scenarios.csv")


def _decisions(summary: Mapping[str, Any], decisions: pd.DataFrame) -> Iterator[RenderableType]:
    """Yield what is decided before the reveal year, side by side with plans that know their scenario, where they differ."""
    plans = list(dict.fromkeys(decisions["plan"]))
    year = summary["reveal_year"]
    if len(plans) - 1 > _MOST_COLUMNS or len(plans) == 1:
        ours = decisions[decisions["plan"] == _TOGETHER]
        listed = [(str(row["project"]), number(row["decided_year"], 1), number(row["units"], 1)) for row in records(ours)]
        yield grid(
            ("Project", "decided", "units"),
            listed,
            left=("Project",),
            title=f"Decided before {year}, the same in all",
            rest="decisions.csv",
        )
        return
    units = decisions.pivot_table(index="project", columns="plan", values="units", aggfunc="sum").reindex(columns=plans).fillna(0.0)
    differ = units[units.sub(units[_TOGETHER], axis=0).abs().max(axis=1) > 1e-6]
    lines = [
        (str(project), *(number(value, 1) if value % 1 else number(value) for value in row))
        for project, row in zip(differ.index, differ.to_numpy(), strict=True)
    ]
    title = f"Units decided before {year}, where a plan that knows its scenario decides otherwise"
    if len(lines):
        yield grid(("Project", *plans), lines, left=("Project",), title=title, rest="decisions.csv")
    yield shown(
        f"{len(units) - len(lines)} other projects are decided in equal number in all. Later builds adapt to the scenario: builds.csv."
    )
