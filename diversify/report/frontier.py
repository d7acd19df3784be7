"""The page about a frontier: what tightening a cap costs, as a band, point by point, and what is built at each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.report.plan import title_of
from diversify.report.terminal import amount, grid, musd, number, percent, shown, stacked

_BAR = 36
"""Width of the chart's bars."""

_OPEN, _PROVED = "░", "█"

_NO_PLAN = {"infeasible": "no plan exists", "time_limit": "none in the time", "unbounded": "unbounded", "error": "solver error"}


def frontier_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the answer's summary and tables."""
    points = list(summary["points"])
    yield shown(headline(summary))
    yield shown(_range(summary))
    yield stacked([_points(points), shown(_how(summary, points))])
    if any(point["cap_cost_high_musd"] for point in points):
        yield _chart(points)
    yield _built(points)
    if summary["against"] is not None:
        yield _grid(summary, tables["grid"])


def headline(summary: Mapping[str, Any]) -> str:
    """Return what the caps cost at the tightest point that has a plan, and how far that is proved."""
    caps, free = _caps(summary), summary["uncapped"]
    planned = [point for point in summary["points"] if point["objective_musd"] is not None]
    if not planned:
        return f"{title_of(summary)}: none of the points has a plan{_none(summary['points'])}."
    tight = planned[-1]
    where = f"{title_of(summary)}: At a share of {_percent(tight['share'])} % {caps} {'cost' if len(summary['caps']) > 1 else 'costs'}"
    if free["objective_musd"] is None:
        return f"{where} an amount that is not known, for no plan without was found ({free['stopped'].replace('_', ' ')})."
    said = f"{where} {musd(tight['cap_cost_musd'])} ({summary['currency']}, discounted)"
    without = f"Without, the best plan found costs {musd(free['objective_musd'])}."
    low, high = tight["cap_cost_low_musd"], tight["cap_cost_high_musd"]
    if low is None or high is None:
        return f"{said}; between what figures the true cost lies is not known. {without}"
    sure = (
        f"proved to lie between {amount(low, 4)} and {musd(high)}" if low > 0 else f"at most {musd(high)}, and not proved to cost anything"
    )
    return f"{said}; {sure}. {without}"


def _caps(summary: Mapping[str, Any]) -> str:
    names = list(summary["caps"])
    return f"the cap {names[0]}" if len(names) == 1 else f"the caps {', '.join(names[:-1])} and {names[-1]} together"


def _none(points: Sequence[Mapping[str, Any]]) -> str:
    return ": it is proved that none exists" if points and all(point["stopped"] == "infeasible" for point in points) else " that was found"


def _range(summary: Mapping[str, Any]) -> str:
    """Return where the range comes from, and where the case's own shares stand in it."""
    least, reached = summary["least"], summary["uncapped"]["reached"]
    parts = []
    if reached is not None:
        parts.append(f"Without the {_word(summary)} the best plan found reaches a share of {_percent(reached)} % at no more cost.")
    if least is not None and least["share"] is not None:
        proof = "proved" if least["proved"] else f"that none reaches {_percent(least['proved_share'])} % is proved"
        parts.append(f"The least that a plan reaches with no more shortage than that is {_percent(least['share'])} % ({proof}).")
    elif least is not None:
        parts.append("No share was found that a plan reaches with no more shortage than that; the range goes down to 0 %.")
    own = sorted({f"{_percent(share)} % in {summary['last_year'][cap]}" for cap, share in summary["own_share"].items()})
    parts.append(
        f"The case itself asks for {' and '.join(own)}. Shares are those of the last listed year; earlier years keep their proportion."
    )
    return " ".join(parts)


def _word(summary: Mapping[str, Any]) -> str:
    return "caps" if len(summary["caps"]) > 1 else "cap"


def _points(points: Sequence[Mapping[str, Any]]) -> RenderableType:
    rows = [
        (
            _percent(point["share"]),
            _percent(point["reached"]),
            _cost(point["objective_musd"]),
            _cost(point["bound_musd"]),
            amount(point["cap_cost_musd"]),
            _band(point["cap_cost_low_musd"], point["cap_cost_high_musd"]),
            amount(point["musd_per_point"]),
            _band(point["musd_per_point_low"], point["musd_per_point_high"]),
            "" if point["proved"] is None else "yes" if point["proved"] else "no",
            _note(point),
        )
        for point in points
    ]
    columns = ("share %", "reached", "cost", "at least", "cap costs", "between", "a point", "between ", "proved", "note")
    return grid(columns, rows, left=("note",), title="Least cost against the share (M USD, discounted)", most=len(rows))


def _note(point: Mapping[str, Any]) -> str:
    if point["objective_musd"] is None:
        return _NO_PLAN.get(point["stopped"], str(point["stopped"]))
    notes = [] if point["stopped"] == "optimal" else [point["stopped"].replace("_", " ")]
    if point["plan_of_share"] != point["share"] and point["plan_of_share"] is not None:
        notes.append(f"plan of {_percent(point['plan_of_share'])}")
    if point["excess_t"] and point["excess_t"] > 0:
        notes.append(f"{amount(point['excess_t'])} t/yr over, paid for")
    if point["shortage_t"] and point["shortage_t"] > 0:
        notes.append(f"{amount(point['shortage_t'])} t short")
    return ", ".join(notes)


def _how(summary: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> str:
    """Return how the table reads, and what it does not prove."""
    parts = [
        "'cost' is the best plan found and 'at least' what is proved: the true curve lies between them. 'a point' is the slope from the "
        "line above, in million USD per percentage point."
    ]
    unproved = sum(point["proved"] is False for point in points)
    if unproved:
        asked = summary["gap_asked_musd"]
        gap = f"; {musd(asked)} or finer was asked of each point (--gap-musd)" if asked else ""
        differences = "1 difference from the line above is" if unproved == 1 else f"{unproved} differences from the line above are"
        parts.append(f"{differences} not proved: the bands overlap{gap}.")
    if any(point["plan_of_share"] not in (None, point["share"]) for point in points):
        parts.append("'plan of' names the point whose plan is the cheapest found here too: what it reaches and builds is that plan's.")
    return " ".join(parts)


def _chart(points: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return a bar a point: what the caps are proved to cost, and up to what they may."""
    most = max(point["cap_cost_high_musd"] or 0.0 for point in points)
    rows = [
        (
            _percent(point["share"]),
            _bar(point["cap_cost_low_musd"] or 0.0, point["cap_cost_high_musd"], most),
            amount(point["cap_cost_musd"]),
        )
        for point in points
        if point["cap_cost_high_musd"] is not None
    ]
    title = f"What the cap costs ({_PROVED} proved, {_OPEN} not)"
    return grid(("share %", "", "M USD"), rows, left=("",), title=title, most=len(rows))


def _bar(low: float, high: float, most: float) -> str:
    proved, whole = round(_BAR * low / most), round(_BAR * high / most)
    return _PROVED * proved + _OPEN * (whole - proved)


def _built(points: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return units over the horizon, points as columns; projects that all plans build alike are left out and counted."""
    planned = [point for point in points if point["projects"] is not None]
    names = sorted({name for point in planned for name in point["projects"]})
    table = {name: [float(point["projects"].get(name, 0.0)) for point in planned] for name in names}
    differ = {name: units for name, units in table.items() if max(units) - min(units) > 1e-6 * max(units)}
    alike = len(table) - len(differ)
    if not differ:
        return shown(f"What is built: {alike} project{'' if alike == 1 else 's'}, the same at every point.")
    rows = [(name, *(number(count) if count else "-" for count in units)) for name, units in differ.items()]
    title = f"Units built over the horizon by share in % (t/yr of continuous projects); {alike} that all build alike left out"
    columns = ("Project", *_headings(planned))
    return grid(columns, rows, left=("Project",), title=title, rest="frontier --out, builds.csv")


def _headings(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the shares in per cent, with as many decimals as tell them apart."""
    for decimals in range(7):
        names = [percent(point["share"], decimals) for point in points]
        if len(set(names)) == len(names):
            return names
    return [str(point["point"]) for point in points]


def _grid(summary: Mapping[str, Any], table: pd.DataFrame) -> RenderableType:
    """Return cost and bound with shares down and limits across; a range where they differ."""
    name, unit = summary["against"]["name"], {"t": "t", "musd": "M USD"}[summary["against"]["unit"]]
    rows = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
    limits = list(dict.fromkeys(None if pd.isna(row["limit"]) else float(row["limit"]) for row in rows))
    lines = []
    for point in dict.fromkeys(row["point"] for row in rows):
        mine = [row for row in rows if row["point"] == point]
        lines.append((_percent(mine[0]["share"]), *(_cell(row) for row in mine)))
    columns = ("share %", *("no limit" if limit is None else f"{amount(limit)} {unit}" for limit in limits))
    note = "A cell is the best plan found, and in brackets what is proved where that is less. Limits hold for all years together."
    if len(limits) == 1:
        note = "All plans of the curve use the same of it: no limits to try were found. Give them with --levels."
    title = f"Least cost against the share and the limit on {name.replace(':', ' ')} (M USD, discounted)"
    return stacked([grid(columns, lines, title=title, most=len(lines)), shown(note)])


def _cell(row: Mapping[str, Any]) -> str:
    if pd.isna(row["objective_musd"]):
        return _NO_PLAN.get(row["stopped"], str(row["stopped"]))
    cost, bound = _cost(row["objective_musd"]), _cost(row["bound_musd"])
    return cost if cost == bound else f"{cost} ({bound or 'not known'})"


def _cost(value: Any) -> str:
    return amount(value, 6)


def _band(low: Any, high: Any) -> str:
    return "" if low is None or high is None or pd.isna(low) or pd.isna(high) else f"{amount(low)} - {amount(high)}"


def _percent(share: Any) -> str:
    """Return a share in per cent with up to two decimals."""
    return "" if share is None or pd.isna(share) else f"{100.0 * float(share):.2f}".rstrip("0").rstrip(".")
