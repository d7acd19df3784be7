"""The page about the least share that any plan can reach under a cap: how far down, by year, and what holds it there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.report.plan import title_of
from diversify.report.terminal import amount, grid, musd, number, percent, shown

_MOST_OF_A_YEAR = 3
"""Limits that are shown of each year; the rest is in binding.csv."""

_MOST_TOO_LATE = 12
"""Projects that come too late, which are listed."""

_ENDED = {
    "time_limit": "the time given ran out",
    "infeasible": "there is no plan",
    "unbounded": "the solver found no bound",
    "error": "the solver met numerical trouble",
    "optimal": "the search ended",
}


def least_cap_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the answer's summary and tables."""
    yield shown(headline(summary))
    yield shown(_conditions(summary, tables["allowed"]))
    if not tables["path"].empty:
        yield _path(tables["path"], summary["share"] is not None)
    holding = tables["binding"]
    of_path = holding[holding["of"] == "path"]
    if not of_path.empty:
        yield _holding(of_path, "What holds the path there")
        too_late = of_path[of_path["kind"] == "too_late"]
        if not too_late.empty:
            yield _too_late(too_late)
    if not tables["by_year"].empty:
        yield _by_year(tables["by_year"])
        of_years = holding[(holding["of"] != "path") & holding["weight"].notna()]
        if not of_years.empty:
            yield _holding_years(of_years)
    if not holding.empty:
        yield shown(
            "Points: percentage points by which the share would fall if the limit were one per cent wider (what must be met: one per cent "
            "less). They hold for small steps, where parts of units could be built (?: one of several answers that are equally right)."
        )


def headline(summary: Mapping[str, Any]) -> str:
    """Return how far the caps can be tightened along their path, what is proved of it, and what it costs."""
    names, share, proved = _joined([cap["cap"] for cap in summary["caps"]]), summary["share"], summary["proved_share"]
    title = title_of(summary)
    if summary["stopped"] == "infeasible":
        return (
            f"{title}: No plan keeps {names} on the path, whatever the last share: it starts from {_first(summary)}, which stays as it is, "
            f"and even with 100 % at the end some limit cannot be kept without more shortage. This is proved.{_parts_would_do(summary)} "
            "Larger first shares or --shortage would change it."
        )
    where = f"in {_last_years(summary)}"
    if share is None:
        below = f" That none reaches {_down(proved)} % {where} is proved." if proved else ""
        return f"{title}: No plan was found along the path of {names}: {_ENDED[summary['stopped']]}. This is not a proof.{below}"
    said = f"{title}: Along its path {names} can go down to {_up(share) if share else '0'} % {where} (now {_last_shares(summary)})"
    if share <= summary["tolerance"]:
        certain = "." if share == 0 else ", within the tolerance of nothing."
    elif summary["proved"]:
        certain = f"; it is proved that no plan reaches {_down(proved)} %."
    else:
        certain = f"; that no plan reaches {_down(proved)} % is proved, what lies between is not ({_ENDED[summary['stopped']]})."
    return f"{said}{certain} {_cost(summary)}{_whole_units(summary)}"


def _up(share: Any) -> str:
    """Return a share that is reached in per cent, upwards to a hundredth; the plan's own rounding (a millionth) does not count."""
    return "" if share is None or pd.isna(share) else f"{math.ceil(1e4 * float(share) - 0.02) / 100.0:.2f}"


def _down(share: Any) -> str:
    """Return a share that is proved out of reach in per cent, downwards to a hundredth."""
    return "" if share is None or pd.isna(share) else f"{math.floor(1e4 * float(share) + 1e-6) / 100.0:.2f}"


def _joined(names: list[str]) -> str:
    return f"cap {names[0]}" if len(names) == 1 else f"caps {', '.join(names[:-1])} and {names[-1]} together"


def _last_years(summary: Mapping[str, Any]) -> str:
    return " and ".join(str(year) for year in sorted({cap["last_year"] for cap in summary["caps"]}))


def _last_shares(summary: Mapping[str, Any]) -> str:
    return " and ".join(f"{percent(share)} %" for share in sorted({cap["last_share"] for cap in summary["caps"]}))


def _first(summary: Mapping[str, Any]) -> str:
    return ", ".join(f"{percent(cap['first_share'])} % in {cap['first_year']}" for cap in summary["caps"])


def _cost(summary: Mapping[str, Any]) -> str:
    objective, bound = summary["objective_musd"], summary["bound_musd"]
    if bound is None or objective - bound <= 1e-6 * abs(objective):
        return f"A plan for it costs {musd(objective)}{'' if bound is not None else ' (how much less it could cost is not known)'}."
    return f"The least cost of a plan for it lies between {amount(bound, 4)} and {musd(objective)}."


def _whole_units(summary: Mapping[str, Any]) -> str:
    relaxed = summary["relaxed_share"]
    if relaxed is None or summary["share"] - relaxed <= summary["tolerance"]:
        return ""
    return f" If parts of units could be built, it could be {_up(relaxed) if relaxed else '0'} %: the difference is that units are whole."


def _parts_would_do(summary: Mapping[str, Any]) -> str:
    relaxed = summary["relaxed_share"]
    return "" if relaxed is None else f" If parts of units could be built, {_up(relaxed)} % could be reached at the end."


def _conditions(summary: Mapping[str, Any], allowed: pd.DataFrame) -> str:
    extra = f", plus {number(summary['shortage_t'])} t/yr each" if summary["shortage_t"] else ""
    if allowed.empty:
        short = "no shortage at all, since the plan without the cap has none"
    elif summary["shortage_t"] and (allowed["quantity_t_per_year"] <= summary["shortage_t"]).all():
        short = (
            f"at most {number(summary['shortage_t'])} t/yr of shortage of each commodity in each year; the plan without the cap has none"
        )
    else:
        short = f"no more shortage of each commodity in each year than the plan found without the cap has{extra} (allowed.csv)"
    tolerance = f"Shares are found to {percent(summary['tolerance'], 2)} points."
    return f"Asked with {short}; no excess; other caps as they are; whatever it costs. {tolerance}"


def _path(path: pd.DataFrame, reached: bool) -> RenderableType:
    several = path["cap"].nunique() > 1
    each = path["consumers"].nunique() > 1
    rows = [
        (
            *((str(row["cap"]),) if several else ()),
            *((str(row["consumers"]),) if each else ()),
            str(int(row["year"])),
            percent(row["limit_now"]),
            *((_up(row["limit"]), _up(row["share"])) if reached else ()),
            percent(row["weight"], 0) if row["weight"] > 5e-3 else "",
        )
        for row in path.to_dict("records")
    ]
    names = (*(("Cap",) if several else ()), *(("Consumers",) if each else ()))
    title = "Along the path: limit now, at the least share, share of the plan (per cent); part of each in holding it"
    if not reached:
        title = "What is in the way on the path: limit now, and the part of each"
    columns = (*names, "Year", "limit now", *(("least", "reached") if reached else ()), "holds, %")
    return grid(columns, rows, left=names, title=title, rest="path.csv")


def _by_year(by_year: pd.DataFrame) -> RenderableType:
    rows = [
        (
            str(int(row["year"])),
            percent(row["limit"]),
            percent(row["share_without_cap"]),
            _up(row["share"]) or "none found",
            _down(row["proved_share"]),
            _up(row["relaxed_share"]),
            "" if row["proved"] else "not proved",
        )
        for row in by_year.to_dict("records")
    ]
    title = "Each year alone, the cap lifted in all others (per cent)"
    return grid(("Year", "limit now", "without cap", "least", "none reaches", "parts of units", ""), rows, left=("",), title=title)


def _holding(binding: pd.DataFrame, title: str) -> RenderableType:
    weighed = binding[binding["weight"].notna()]
    rows = [(_points(row["weight"], row["unique"]), str(row["sentence"])) for row in weighed.to_dict("records")]
    return grid(("points", "limit"), rows, left=("limit",), title=title, rest="binding.csv", most=25)


def _holding_years(binding: pd.DataFrame) -> RenderableType:
    top = binding.groupby("of", sort=False).head(_MOST_OF_A_YEAR)
    rows = [(str(row["of"]), _points(row["weight"], row["unique"]), str(row["sentence"])) for row in top.to_dict("records")]
    title = f"What holds the years: the {_MOST_OF_A_YEAR} heaviest limits of each (all in binding.csv)"
    return grid(("Year", "points", "limit"), rows, left=("limit",), title=title)


def _points(weight: Any, unique: Any) -> str:
    return f"{number(weight, 2)}{'' if unique else '?'}"


def _too_late(binding: pd.DataFrame) -> RenderableType:
    names = [f"{row['key']} ({int(row['year'])})" for row in binding.head(_MOST_TOO_LATE).to_dict("records")]
    more = f" and {len(binding) - _MOST_TOO_LATE} more (binding.csv)" if len(binding) > _MOST_TOO_LATE else ""
    return shown(f"Projects that could add to plants above which are full, but come too late for that: {', '.join(names)}{more}.")
