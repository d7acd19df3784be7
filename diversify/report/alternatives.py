"""The page about alternatives: plans that are almost as cheap, what they build, and what is proved of each project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.report.plan import title_of
from diversify.report.terminal import amount, grid, musd, number, percent, shown

_NOTHING_MUSD = 5e-7
"""Million USD below which a difference is the solver's own exactness."""


def alternatives_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the answer's summary and tables."""
    projects = tables["projects"]
    yield shown(headline(summary))
    yield shown(_counts(summary, projects))
    yield _plans(tables["plans"])
    yield shown(_search(summary, tables["plans"]))
    yield _built(tables["builds"], len(tables["plans"]))
    for answer, write in (("all", _in_all), ("some", _in_some), ("none", _in_none), ("unproved", _not_proved)):
        rows = projects[(projects["in"] == answer) & (projects["proof"] != "by data")]
        if len(rows):
            yield write(rows, summary["optimum_musd"])
    by_data = projects[projects["proof"] == "by data"]
    if len(by_data):
        yield shown(_by_data(by_data))
    yield shown(
        "Each project is judged on its own: two that are in some plans may not be in one together, nor be left out together. A range says "
        "between which figures the true one is proved to lie; it is as wide as the gaps of the solves (--gap)."
    )


def headline(summary: Mapping[str, Any]) -> str:
    """Return what the best plan costs, how far that is proved, and what counts as almost as cheap."""
    optimum, gap_musd = summary["optimum_musd"], summary["gap_musd"]
    if gap_musd is None:
        best = f"{title_of(summary)}: The best plan found costs {musd(optimum)}; how much cheaper a plan could be is not known."
    elif gap_musd <= _NOTHING_MUSD and summary["stopped"] == "optimal":
        best = f"{title_of(summary)}: The cheapest plan costs {musd(optimum)}."
    else:
        gap = f" ({percent(summary['gap'], 3)} %)" if summary["gap"] is not None else ""
        best = f"{title_of(summary)}: The best plan found costs {musd(optimum)}; a plan could be cheaper by at most {musd(gap_musd)}{gap}."
    return f"{best} Plans within {_share(summary['within'])} % of it cost at most {musd(summary['limit_musd'])}."


def _share(within: float) -> str:
    return f"{100.0 * within:g}"


def _counts(summary: Mapping[str, Any], projects: pd.DataFrame) -> str:
    count = projects["in"].value_counts()
    data = projects[projects["proof"] == "by data"]["in"].value_counts()
    said = [f"Of {len(projects)} projects"]
    parts = [
        (int(count.get("all", 0)), "in every such plan", int(data.get("all", 0)), "because the data demand it"),
        (int(count.get("some", 0)), "in some and not in others", 0, ""),
        (int(count.get("none", 0)), "in none", int(data.get("none", 0)), "because the data allow none"),
    ]
    words = [f"{all_of} {_are(all_of)} {where}{f' ({by_data} {why})' if by_data else ''}" for all_of, where, by_data, why in parts]
    open_ones = int(count.get("unproved", 0))
    left = f" Of {open_ones} it is not proved." if open_ones else " All of this is proved."
    return f"{said[0]} {words[0]}, {words[1]} and {words[2]}.{left}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _plans(plans: pd.DataFrame) -> RenderableType:
    rows = [
        (
            number(row["plan"]),
            amount(row["objective_musd"], 4),
            _extra_cost(row["over_optimum_musd"]),
            percent(row["over_optimum_share"], 2),
            "" if pd.isna(row["distance"]) else f"{row['distance']:.1f}",
            "" if pd.isna(row["distance_bound"]) else f"{row['distance_bound']:.1f}",
        )
        for row in plans.to_dict("records")
    ]
    return grid(("Plan", "M USD", "over the best", "%", "differs by", "at most by"), rows, title="Plans (M USD, discounted)")


_HOW = (
    "Each plan after the first is the one found that differs most from all before it. A difference of 1 is one project built to its "
    "most or not at all; 'at most by' is what no plan within the limit can exceed. Years do not count."
)


def _search(summary: Mapping[str, Any], plans: pd.DataFrame) -> str:
    several = len(plans) > 1
    ended = {
        "no_other": f"No plan within the limit builds anything else{' than one of these' if several else ''}: this is proved.",
        "unproved": "The search for another plan ended without one; it is not proved that there is none.",
        "as_many_as_asked": "" if several else "No other plan was asked for.",
    }[summary["ended"]]
    return " ".join(part for part in (ended, _HOW if several else "") if part)


def _built(builds: pd.DataFrame, count: int) -> RenderableType:
    """Return units over the horizon, plans as columns; projects that all plans build alike are left out and counted."""
    units = builds.groupby(["project", "plan"])["units"].sum().unstack("plan").reindex(columns=range(1, count + 1)).fillna(0.0)
    differs = (units.max(axis=1) - units.min(axis=1)) > 1e-6 * units.max(axis=1)
    alike = int((~differs).sum())
    rows = [(project, *(number(cell) if cell else "-" for cell in cells)) for project, cells in units[differs].iterrows()]
    if not rows:
        return shown(f"What is built: {alike} projects, the same in every plan shown.")
    title = f"Units built over the horizon (t/yr of continuous projects); {alike} projects that all build alike left out"
    return grid(("Project", *(f"plan {plan}" for plan in range(1, count + 1))), rows, left=("Project",), title=title, rest="builds.csv")


def _in_all(rows: pd.DataFrame, optimum_musd: float) -> RenderableType:
    title = "In every plan: what leaving it out costs (M USD, and % of the best plan's cost)"
    return _one_way(rows, "regret", title, optimum_musd, dearest_first=True)


def _in_none(rows: pd.DataFrame, optimum_musd: float) -> RenderableType:
    title = "In no plan: what building it anyway costs (M USD, and % of the best plan's cost)"
    return _one_way(rows, "cost_of_forcing", title, optimum_musd, dearest_first=False)


def _one_way(rows: pd.DataFrame, name: str, title: str, optimum_musd: float, *, dearest_first: bool) -> RenderableType:
    rank = rows[f"{name}_musd"].astype(float).fillna(float("inf"))
    ordered = _records(rows.assign(rank=rank).sort_values("rank", ascending=not dearest_first, kind="stable"))
    lines = [(str(row["project"]), *_figures(row, name, optimum_musd)) for row in ordered]
    return grid(("Project", "costs", "%", "proved"), lines, left=("Project",), title=title, rest="projects.csv")


def _in_some(rows: pd.DataFrame, optimum_musd: float) -> RenderableType:
    return _both(rows, "In some plans: what deciding otherwise than the best plan costs (M USD, and % of its cost)", optimum_musd)


def _not_proved(rows: pd.DataFrame, optimum_musd: float) -> RenderableType:
    return _both(rows, "Not proved: what deciding otherwise than the best plan costs (M USD, and % of its cost)", optimum_musd)


def _both(rows: pd.DataFrame, title: str, optimum_musd: float) -> RenderableType:
    """Return what leaving out costs where the best plan builds, and what building costs where it does not, dearest choices first."""
    records = [{**row, "name": "regret" if _is_built(row) else "cost_of_forcing"} for row in _records(rows)]
    records.sort(key=lambda row: (row["name"] != "regret", -float(_or_zero(row[f"{row['name']}_musd"]))))
    said = {"regret": "leave out", "cost_of_forcing": "build"}
    lines = [(str(row["project"]), said[row["name"]], *_figures(row, row["name"], optimum_musd)) for row in records]
    return grid(
        ("Project", "choice", "costs", "%", "proved"), lines, left=("Project", "choice"), title=title, rest="projects.csv", most=100
    )


def _is_built(row: Mapping[str, Any]) -> bool:
    """Whether the best plan builds it: then building it costs nothing more."""
    forcing = row["cost_of_forcing_musd"]
    return not pd.isna(forcing) and float(forcing) <= 0.0


def _figures(row: Mapping[str, Any], name: str, optimum_musd: float) -> tuple[str, str, str]:
    """Return what a choice costs, the same in per cent of the best plan's cost, and the range in which it is proved to lie."""
    value, low, high = (row[f"{name}{part}_musd"] for part in ("", "_low", "_high"))
    if pd.isna(value):
        none = row["proof"] == "no plan"
        return "no plan" if none else "", "", f"at least {_extra_cost(low)}" if not (none or pd.isna(low)) else ""
    share = percent(float(value) / abs(optimum_musd), 2) if optimum_musd else ""
    proved = "" if pd.isna(low) or pd.isna(high) else f"{_extra_cost(low)} to {_extra_cost(high)}"
    return _extra_cost(value), share, proved


def _extra_cost(value: Any) -> str:
    return "0" if not pd.isna(value) and abs(float(value)) <= _NOTHING_MUSD else amount(value)


def _by_data(rows: pd.DataFrame) -> str:
    said = []
    for answer, words in (("all", "demand"), ("none", "do not allow")):
        names: Sequence[str] = [str(name) for name in rows.loc[rows["in"] == answer, "project"]]
        if names:
            said.append(f"The data {words} {', '.join(names)}.")
    return " ".join(said)


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _or_zero(value: Any) -> float:
    return 0.0 if pd.isna(value) else float(value)
