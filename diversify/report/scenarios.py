"""The page about drawn scenarios: how many, what was drawn of every parameter, and how far a few stand for many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType

from diversify.instance.cells import number_text
from diversify.report.terminal import grid, percent, shown

_FIGURES = 4
_IN_WORDS = {
    ("export_control", "size"): "share cut",
    ("delay", "size"): "years later",
    ("demand", "years"): "years until reached",
    ("price", "years"): "years until reached",
}


def scenarios_page(summary: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the summary of a sample."""
    yield shown(_headline(summary))
    yield _parameters(summary)
    if summary["lost"]:
        lost = ", ".join(f"{name} ({percent(share)} %)" for name, share in summary["lost"].items())
        yield shown(f"No scenario that is kept has {lost}, though some of those left out do: keep more (--reduce), or weigh your own.")
    if summary["reduced_from"] is not None:
        yield _kept(summary)


def _headline(summary: Mapping[str, Any]) -> str:
    count, before = summary["scenarios"], summary["reduced_from"]
    how = "from a table of draws" if summary["seed"] is None else f"drawn by Latin hypercube (seed {summary['seed']})"
    said = f"{summary['instance']}: {_counted(before or count)} {how}"
    if before is None:
        return f"{said}."
    rest, of_one = summary["distance"], summary["distance_of_one"]
    share = f", {percent(rest / of_one)} % of that of the best single scenario" if of_one else ""
    return f"{said}, reduced to {count}. The Kantorovich distance that remains is {rest:.{_FIGURES}g} (ranges of a parameter){share}."


def _counted(count: int) -> str:
    return f"{count} scenario{'s' if count != 1 else ''}"


def _parameters(summary: Mapping[str, Any]) -> RenderableType:
    rows = summary["parameters"]
    news = [row["family"] not in (before["family"] for before in rows[:position]) for position, row in enumerate(rows)]
    lines = [
        (
            _name(row) if new else "",
            percent(row["chance"]) if new else "",
            percent(row["happens"]) if new else "",
            _word(row["kind"], row["parameter"]),
            _span(row["low"], row["high"]),
            _span(row["drawn_low"], row["drawn_high"]),
            "" if row["drawn_mean"] is None else _figure(row["drawn_mean"]),
        )
        for row, new in zip(rows, news, strict=True)
    ]
    columns = ("Family", "chance %", "happens %", "Parameter", "Range", "Drawn", "mean")
    title = "What is uncertain (where a family happens; mean by probability)"
    return grid(columns, lines, left=("Family", "Parameter", "Range", "Drawn"), title=title, rest="--json")


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['family']}, with {row['follows']}" if row["follows"] else str(row["family"])


def _word(kind: str, parameter: str) -> str:
    words = {"first": "first year", "years": "years", "size": "factor"}
    return _IN_WORDS.get((kind, parameter), words[parameter])


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return _figure(low) if low == high else f"{_figure(low)} to {_figure(high)}"


def _figure(value: float) -> str:
    return number_text(float(f"{value:.{_FIGURES if value < 1000 else 6}g}"))


def _kept(summary: Mapping[str, Any]) -> RenderableType:
    lines = [(row["scenario"], f"{row['probability']:.{_FIGURES}f}", row["title"]) for row in summary["drawn"]]
    columns = ("Scenario", "probability", "What happens")
    return grid(columns, lines, left=("Scenario", "What happens"), title="Scenarios that are kept", rest="--json")
