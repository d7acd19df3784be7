"""The page about sensitivity: which inputs move cost and shares, what is proved of it, and how well the figures behind are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.report.plan import title_of
from diversify.report.terminal import amount, grid, musd, percent, shown, stacked

_A_TENTH_OF_A_POINT = 1e-3
_MOST_BUILT = 12
_STANDARD = "The ranges of standard inputs are a convention of this question, not findings: a wider range moves more."
_DISCOUNT = "discount rate"
_RATE = "The discount rate moves the sum that costs are added up to, whatever is done: compare what is built, not the cost."


def sensitivity_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the answer's summary and tables."""
    rows = summary["inputs"]
    yield shown(headline(summary))
    yield shown(_proof(summary))
    yield _tornado(rows)
    yield stacked([shown(f"- {sentence}") for sentence in _notes(summary)])
    if summary["shares"]:
        yield _shares(tables["shares"], rows)
    yield _built(rows)
    if summary["sample"]:
        yield from _sample(summary["sample"])


def headline(summary: Mapping[str, Any]) -> str:
    """Return which input moves the least cost most, by how much, and how well its figures are known."""
    first, *others = summary["inputs"]
    cost = f"{title_of(summary)}: The case as it is costs {musd(summary['objective_musd'])} ({summary['currency']}, discounted)"
    behind = f"Behind it: {_kinds(first)}."
    if first["no_plan"]:
        ends = " and ".join(end for end in ("low", "high") if first[end]["stopped"] == "infeasible")
        return f"{cost}. At the {ends} end of {first['input']!r} there is no plan at all. {behind}"
    if not first["swing_musd"]:
        return f"{cost}. No input moves it."
    moved = f"{first['input']!r} moves it most, by {musd(first['swing_musd'])} over its range ({first['range']})"
    share = f", {percent(first['swing_musd'] / abs(summary['objective_musd']))} % of it" if summary["objective_musd"] else ""
    after = ""
    if first["input"] == _DISCOUNT and others and others[0]["swing_musd"]:
        after = (
            f" That is mostly a matter of adding up; next comes {others[0]['input']!r}, by {musd(others[0]['swing_musd'])}, "
            f"behind it {_kinds(others[0])}."
        )
    return f"{cost}. {moved}{share}. {behind}{after}"


def _proof(summary: Mapping[str, Any]) -> str:
    """Return of how many inputs it is proved that they move cost, and what the solves leave open."""
    rows = summary["inputs"]
    proved = sum(row["proved"] for row in rows)
    still = sum(row["swing_musd"] == 0.0 and row["swing_high_musd"] == 0.0 for row in rows)
    open_ones = len(rows) - proved - still
    gap = f"The plan of the case as it is may be dearer than the cheapest by up to {musd(summary['gap_musd'])}"
    left = f"{gap}; the ends leave gaps alike (--gap)." if summary["gap_musd"] else "The case as it is is solved to the end."
    said = f"Of {len(rows)} inputs {proved} {'is' if proved == 1 else 'are'} proved to move the least cost"
    unproved = f"; of {open_ones} it is not proved, since what they move is within the gaps" if open_ones else ""
    nothing = f"; {still} {'moves' if still == 1 else 'move'} nothing" if still else ""
    return f"{said}{unproved}{nothing}. {left}"


def _tornado(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    lines = [
        (
            str(row["rank"]) if row["rank_best"] == row["rank_worst"] else f"{row['rank']} ({row['rank_best']}-{row['rank_worst']})",
            row["input"],
            row["range"] if row["kind"] == "standard" else "in the data" if row["kind"] == "data" else "given",
            _change(row["low"]),
            _change(row["high"]),
            "no plan" if row["no_plan"] else amount(row["swing_musd"]),
            _band(row),
            _kinds(row),
        )
        for row in rows
    ]
    columns = ("Rank", "Input", "Range", "at low", "at high", "swing", "proved", "Figures behind")
    title = "What moves the least cost (M USD, discounted; ends as changes from the case as it is; the rank that is proved in brackets)"
    return grid(columns, lines, left=("Input", "Range", "Figures behind"), title=title, rest="inputs.csv")


def _change(end: Mapping[str, Any]) -> str:
    if not end["set"]:
        return "as it is"
    if end["change_musd"] is None:
        return "no plan" if end["stopped"] == "infeasible" else end["stopped"].replace("_", " ")
    return ("+" if end["change_musd"] > 0 else "") + amount(end["change_musd"]) + ("" if end["stopped"] == "optimal" else "*")


def _band(row: Mapping[str, Any]) -> str:
    if row["no_plan"]:
        return "yes"
    low, high = row["swing_low_musd"], row["swing_high_musd"]
    if high is None:
        return f"{amount(low)} or more"
    return amount(low) if amount(low) == amount(high) else f"{amount(low)} to {amount(high)}"


def _kinds(row: Mapping[str, Any]) -> str:
    if not row["quality"]:
        return "no figures"
    return ", ".join(f"{count} {kind}" for kind, count in row["quality"].items())


def _notes(summary: Mapping[str, Any]) -> Iterator[str]:
    rows = summary["inputs"]
    if any(row["kind"] == "data" for row in rows):
        yield (
            "Ranges in the data: all figures of an input go to their low ends, or to their high ends, together. "
            "'low' is the low number: of an input to a recipe, which counts negative, it is the larger use."
        )
    if any(row["kind"] == "standard" for row in rows):
        yield _STANDARD
    if any(row["input"] == _DISCOUNT for row in rows):
        yield _RATE
    if any(row[end]["stopped"] not in ("optimal", "infeasible") for row in rows for end in ("low", "high")):
        yield "* This solve ended before it came within the gap; what it leaves open is in the column proved."
    for left in summary["left_out"]:
        yield f"Left out: {left['input']}: {left['why']}"


def _shares(shares: pd.DataFrame, rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return the mean shares that an input moves by a tenth of a point or more."""
    order = {row["input"]: row["rank"] for row in rows}
    ends = shares[["base_share", "low_share", "high_share"]].astype(float)
    moved = shares.assign(move=ends.max(axis=1) - ends.min(axis=1), rank=shares["input"].map(order))
    moved = moved[moved["move"] >= _A_TENTH_OF_A_POINT].sort_values(["move", "rank"], ascending=[False, True], kind="stable")
    if moved.empty:
        return shown("Shares: no input moves the mean of a capped share by a tenth of a point; caps that bind hold them where they are.")
    lines = [
        (row["input"], row["cap"], percent(row["low_share"]), percent(row["base_share"]), percent(row["high_share"]))
        for row in moved.to_dict("records")
    ]
    title = "Capped shares that move (per cent, mean over the years of the cap; of plans of least cost, which may differ in shares)"
    return grid(("Input", "Cap", "at low", "as it is", "at high"), lines, left=("Input", "Cap"), title=title, rest="shares.csv", most=20)


def _built(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    lines = [
        (
            row["input"],
            end,
            str(row[end]["projects"]),
            _named(row[end]["more"]),
            _named(row[end]["less"]),
            len(row[end]["later_or_earlier"]),
        )
        for row in rows
        for end in ("low", "high")
        if row[end]["set"] and row[end]["projects"] is not None and (row[end]["more"] or row[end]["less"] or row[end]["later_or_earlier"])
    ]
    moved = sum(bool(row[end]["set"]) for row in rows for end in ("low", "high"))
    if not lines:
        return shown("What is built: the same at every end, within the gaps.")
    title = f"What is built instead: at {len(lines)} of {moved} ends (within the gaps a difference, or none, may be chance)"
    columns = ("Input", "End", "projects", "More of", "Less of", "moved in time")
    return grid(columns, lines, left=("Input", "End", "More of", "Less of"), title=title, rest="built.csv", most=_MOST_BUILT)


def _named(names: Sequence[str]) -> str:
    return f"{', '.join(names[:3])} and {len(names) - 3} more" if len(names) > 4 else ", ".join(names)


def _sample(sample: Mapping[str, Any]) -> Iterator[RenderableType]:
    count = f"{sample['evaluations']} linear programs, {sample['places']} x ({len(sample['inputs'])} inputs + 2)"
    if sample["unsolved"]:
        yield shown(f"All at once: no indices. {_unsolved(sample['unsolved'])} (of {count}).")
        return
    yield shown(
        f"All at once ({count}): inputs uniform within their ranges and independent; parts of units may be built, so that investments "
        f"adapt, and the cost is a lower bound ({amount(sample['parts_of_units_musd'], 4)} beside {musd(sample['plan_musd'])} of the plan "
        "of the case as it is). Intervals of 95 % by bootstrap: what a larger sample (--global) would narrow."
    )
    for spread in sample["spread"]:
        rows = [row for row in sample["indices"] if row["output"] == spread["output"]]
        if rows:
            yield _indices(spread, rows)
    constant = [spread["output"] for spread in sample["spread"] if not spread["varies"]]
    if constant:
        yield shown(f"The same at every place of the sample: {', '.join(constant)}.")


def _unsolved(ended: Mapping[str, int]) -> str:
    """Return how many places of a sample have no solution, and which were not solved to the end in time."""
    none = ended.get("infeasible", 0)
    late = sum(ended.values()) - none
    parts = [
        f"At {none} of the places drawn there is no plan" if none else "",
        f"{late} ended without a solution (--time-limit)" if late else "",
    ]
    return "; ".join(part for part in parts if part)


def _indices(spread: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    lines = [
        (row["input"], *(part for name in ("first_order", "total") for part in (_index(row[name]), _interval(row, name)))) for row in rows
    ]
    if spread["unit"] == "musd":
        what = f"cost (mean {amount(spread['mean'], 4)}, standard deviation {amount(spread['deviation'])} M USD)"
    else:
        what = f"share of {spread['output']} (mean {percent(spread['mean'])}, standard deviation {percent(spread['deviation'])} per cent)"
    columns = ("Input", "by itself", "95 %", "in all", "95 % ")
    return grid(columns, lines, left=("Input",), title=f"Part of the variance of {what}")


def _index(value: float) -> str:
    return f"{value:.2f}"


def _interval(row: Mapping[str, Any], name: str) -> str:
    return f"{_index(row[f'{name}_low'])} to {_index(row[f'{name}_high'])}"
