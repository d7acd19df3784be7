"""The page about regret: plans under scenarios, what each costs there, and whose worst regret is least."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.report.plan import title_of
from diversify.report.terminal import amount, grid, musd, number, percent, shown

_NONE = "-"
_SHARE_MOVES = 1e-3


def regret_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the answer's summary and tables."""
    letters = {row["plan"]: letter(position) for position, row in enumerate(summary["plans"])}
    yield shown(headline(summary))
    yield plans_grid(summary["plans"], letters)
    yield _costs(summary, letters)
    yield regrets_grid(summary, letters)
    yield shown(
        "What a plan builds is kept, operations are planned anew. Regret is cost above the least cost known in the scenario; it may be "
        f"more by what that could be lower (least less bound). {_NONE}: its investments leave no plan there."
    )
    cells = {(cell["plan"], cell["scenario"]): cell for cell in summary["cells"]}
    if any((cell["shortage_t"] or 0.0) > 0.5 for cell in cells.values()):
        yield _matrix("Short over the horizon (t)", summary, letters, lambda cell: number(cell["shortage_t"]))
    if any(cell["moved"] or cell["left_out"] for cell in cells.values()):
        title = "Builds that come on line later than planned / not at all"
        yield _matrix(title, summary, letters, lambda cell: f"{cell['moved']} / {cell['left_out']}")
    yield from _shares(summary, letters)


def letter(position: int) -> str:
    """Return by what a plan is called in the columns of a page."""
    return chr(ord("A") + position) if position < 26 else f"P{position + 1}"


def headline(summary: Mapping[str, Any]) -> str:
    """Return whose worst regret is least, how large it is, and whether that is proved."""
    title, rows = title_of(summary), {row["plan"]: row for row in summary["plans"]}
    best = summary["minimax"]
    if not best:
        return f"{title}: No plan can be judged in every scenario: {'; '.join(_why(row) for row in rows.values())}."
    row = rows[best[0]]
    band = _band(row["worst_regret_musd"], row["worst_regret_high_musd"])
    worst = f"{band}, in {row['worst_scenario']}"
    if len(rows) == 1:
        return f"{title}: {best[0]} costs at most {worst}, above the least cost of a scenario ({summary['currency']}, discounted)."
    if len(best) > 1:
        return f"{title}: {' and '.join(best)} have the same least worst regret: {worst}."
    proved = "proved against the other plans" if summary["minimax_proved"] else "not proved: the gaps of the scenarios leave it open"
    return f"{title}: Of {len(rows)} plans {best[0]} has the least worst regret: {worst} ({summary['currency']}, discounted); {proved}."


def _why(row: Mapping[str, Any]) -> str:
    if row["without_plan"]:
        return f"{row['plan']} has no plan in {_listed(row['without_plan'])}"
    return f"of {row['plan']} it is not known in {_listed(row['unproved']) or 'any scenario'}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _band(low: Any, high: Any) -> str:
    if high is None:
        return f"{musd(low)} or more"
    return musd(low) if amount(low, 4) == amount(high, 4) else f"{amount(low, 4)} to {musd(high)}"


def plans_grid(rows: Sequence[Mapping[str, Any]], letters: Mapping[str, str]) -> RenderableType:
    """Return the plans, which future each was made for, and where it is worst."""
    lines = [
        (
            letters[row["plan"]],
            row["plan"],
            row["planned_for"] or "none of these",
            amount(row["worst_regret_musd"], 4) or "",
            row["worst_scenario"] or _where(row),
            "least" if row["minimax"] else "",
        )
        for row in rows
    ]
    columns = ("", "Plan", "Planned for", "worst regret", "Where", " ")
    return grid(columns, lines, left=("", "Plan", "Planned for", "Where", " "), title="Plans (M USD, discounted)")


def _where(row: Mapping[str, Any]) -> str:
    return f"no plan in {_listed(row['without_plan'])}" if row["without_plan"] else f"not known in {_listed(row['unproved'])}"


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['scenario']} (same data as {row['same_as']})" if row["same_as"] else str(row["scenario"])


def _costs(summary: Mapping[str, Any], letters: Mapping[str, str]) -> RenderableType:
    cells = {(cell["plan"], cell["scenario"]): cell for cell in summary["cells"]}
    lines = [
        (
            _named(row),
            amount(row["bound_musd"], 4),
            amount(row["least_musd"], 4) or _stopped(row["stopped"]),
            *(_cost(cells[plan, row["scenario"]]) for plan in letters),
        )
        for row in summary["scenarios"]
    ]
    columns = ("Scenario", "bound", "least", *letters.values())
    return grid(columns, lines, left=("Scenario",), title="Cost (M USD, discounted)", rest="cells.csv")


def _cost(cell: Mapping[str, Any]) -> str:
    return _stopped(cell["stopped"]) if cell["cost_musd"] is None else amount(cell["cost_musd"], 4)


def _stopped(stopped: str) -> str:
    return _NONE if stopped == "infeasible" else stopped.replace("_", " ")


def regrets_grid(summary: Mapping[str, Any], letters: Mapping[str, str]) -> RenderableType:
    """Return the regret of each plan in each scenario, and by how much it may be more."""
    cells = {(cell["plan"], cell["scenario"]): cell for cell in summary["cells"]}
    lines = [
        (
            _named(row),
            *(_regret(cells[plan, row["scenario"]]) for plan in letters),
            "not known"
            if row["bound_musd"] is None or row["least_musd"] is None
            else amount(max(row["least_musd"] - row["bound_musd"], 0.0)),
        )
        for row in summary["scenarios"]
        if row["least_musd"] is not None
    ]
    columns = ("Scenario", *letters.values(), "may be more by")
    return grid(columns, lines, left=("Scenario",), title="Regret (M USD, discounted)", rest="cells.csv")


def _regret(cell: Mapping[str, Any]) -> str:
    return _stopped(cell["stopped"]) if cell["regret_musd"] is None else amount(cell["regret_musd"], 4)


def _matrix(title: str, summary: Mapping[str, Any], letters: Mapping[str, str], form: Callable[[Mapping[str, Any]], str]) -> RenderableType:
    cells = {(cell["plan"], cell["scenario"]): cell for cell in summary["cells"]}
    lines = [(_named(row), *(form(cells[plan, row["scenario"]]) or _NONE for plan in letters)) for row in summary["scenarios"]]
    return grid(("Scenario", *letters.values()), lines, left=("Scenario",), title=title, rest="cells.csv")


def _shares(summary: Mapping[str, Any], letters: Mapping[str, str]) -> Iterator[RenderableType]:
    """Yield the mean shares of the caps that differ between cells; a cap that binds everywhere tells nothing."""
    cells = {(cell["plan"], cell["scenario"]): cell for cell in summary["cells"]}
    lines = []
    for cap in sorted({cap for cell in cells.values() for cap in cell["shares"]}):
        held = [cell["shares"][cap] for cell in cells.values() if cap in cell["shares"]]
        if max(held) - min(held) >= _SHARE_MOVES:
            lines += [
                (cap, row["scenario"], *(percent(cells[plan, row["scenario"]]["shares"].get(cap)) or _NONE for plan in letters))
                for row in summary["scenarios"]
            ]
    if lines:
        title = "Capped shares (per cent, mean over the years of the cap)"
        yield grid(("Cap", "Scenario", *letters.values()), lines, left=("Cap", "Scenario"), title=title, rest="shares.csv", most=40)
