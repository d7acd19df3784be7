"""The page about security: what it costs to survive every single loss, which losses bind, and how the least-cost plan would fare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.report.plan import title_of
from diversify.report.terminal import amount, grid, musd, number, percent, shown

_NONE = "-"


def secure_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page, from the answer's summary and tables."""
    yield shown(headline(summary))
    if not summary["points"]:
        return
    yield shown(_fares(summary))
    yield _curve(summary["points"])
    if summary["contingencies"]:
        yield _losses(summary["contingencies"])
    planned = [point["within"] for point in summary["points"] if point["cost_musd"] is not None]
    if planned:
        yield from _spent(tables["costs"], planned[-1])
        yield from _built(tables["builds"], planned[-1], summary["reveal_year"])


def headline(summary: Mapping[str, Any]) -> str:
    """Return what the tightest level that has a plan costs."""
    title = title_of(summary)
    if not summary["points"]:
        return f"{title}: The case has no plan even without a loss ({summary['stopped'].replace('_', ' ')})."
    planned = [point for point in summary["points"] if point["cost_musd"] is not None]
    tightest = summary["points"][-1]
    if not planned:
        return f"{title}: No plan keeps shortage within {_share(tightest)} of demand under each loss: {_why(tightest)}."
    point = planned[-1]
    said = f"{title}: {_costs(summary, point)}"
    return said if point is tightest else f"{said} Within {_share(tightest)}: {_why(tightest)}."


def _costs(summary: Mapping[str, Any], point: Mapping[str, Any]) -> str:
    if not summary["contingencies"]:
        return "No loss is as large as asked for: there is nothing that the least-cost plan could not survive."
    under = f"under {summary['contingencies'][0]['contingency']}" if point["losses"] == 1 else f"under each of {point['losses']} losses"
    if not point["joined"]:
        return f"The least-cost plan keeps shortage within {_share(point)} of demand {under}: security costs nothing."
    return (
        f"To keep shortage within {_share(point)} of demand {under} costs {musd(point['security_musd'])} more "
        f"({summary['currency']}, discounted){_proved(point)}."
    )


def _share(point: Mapping[str, Any]) -> str:
    return f"{100.0 * point['within']:.4g} %"


def _proved(point: Mapping[str, Any]) -> str:
    low, high = point["security_low_musd"], point["security_high_musd"]
    if low is None or high is None:
        return ""
    return f", proved to lie between {amount(low, 4)} and {amount(high, 4)}"


def _why(point: Mapping[str, Any]) -> str:
    if point["stopped"] == "infeasible":
        blamed = point["without_plan"] or point["joined"]
        if len(blamed) == 1:
            return f"no plan survives {blamed[0]}"
        return f"no plan survives {'any' if point['without_plan'] else 'each'} of {', '.join(blamed)}"
    return f"no plan was found ({point['stopped'].replace('_', ' ')})"


def _fares(summary: Mapping[str, Any]) -> str:
    """Return how many losses the least-cost plan does not survive, and what is counted."""
    losses = summary["contingencies"]
    failed = [row for row in losses if row["missed"] != 0.0]
    survived = f"does not survive {len(failed)} of {len(losses)} losses" if failed else "survives them all"
    if len(losses) < 2:
        survived = "does not survive it" if failed else "survives it"
    tightest = _share(summary["points"][-1])
    said = f"The least-cost plan ({musd(summary['least_musd'])}) {survived} within {tightest}. " if losses else ""
    where = "" if summary["consumers"] == ["*"] else f" at {' and '.join(summary['consumers'])}"
    spell = f", but for {summary['years']:g} calendar year{'' if summary['years'] == 1 else 's'}" if summary["years"] else ""
    return f"{said}Counted is shortage of {', '.join(summary['commodities'])}{where}, year by year from {summary['reveal_year']} on{spell}."


def _curve(points: Sequence[Mapping[str, Any]]) -> RenderableType:
    lines = [
        (
            _share(point),
            amount(point["cost_musd"], 5) or ("no plan" if point["stopped"] == "infeasible" else "none found"),
            amount(point["security_musd"], 4),
            amount(point["security_low_musd"], 4),
            amount(point["security_high_musd"], 4),
            number(len(point["joined"])),
        )
        for point in points
    ]
    columns = ("Shortage within", "cost without a loss", "security", "at least", "at most", "losses that bind")
    return grid(columns, lines, left=("Shortage within",), title="What security costs (M USD, discounted)", rest="points.csv")


def _losses(losses: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return each loss: its size, how the least-cost plan fares, and what the secure plan costs under it."""
    ordered = sorted(losses, key=lambda row: (not row["binds"], -(row["missed"] or 0.0), -(row["size"] or 0.0)))
    lines = [
        (
            row["contingency"],
            "" if row["size"] is None else f"{percent(row['size'])} %",
            "yes" if row["binds"] else "",
            _missing(row),
            amount(row["cost_musd"], 5) or _NONE,
            number(row["shortage_t"]),
        )
        for row in ordered
    ]
    columns = ("Loss", "size", "binds", "the least-cost plan misses", "secure plan costs", "short (t)")
    left = ("Loss", "binds", "the least-cost plan misses")
    return grid(columns, lines, left=left, title="Losses (cost in M USD, discounted)", rest="contingencies.csv")


def _missing(row: Mapping[str, Any]) -> str:
    if row["missed"] == 0.0:
        return "nothing"
    if row["first_year"] is None:
        return "all: no plan is left" if row["missed"] is None else "little"
    return f"{number(row['missed_t_per_year'])} t/yr ({percent(row['missed_share'])} %) of {row['commodity']} in {row['first_year']}"


def _spent(costs: pd.DataFrame, level: float) -> Iterator[RenderableType]:
    """Yield the cost by category where the tightest secure plan spends otherwise than the least-cost plan."""
    least, ours = (rows.groupby("category", sort=False)["musd"].sum() for rows in (costs[costs["within"].isna()], _at(costs, level)))
    both = pd.DataFrame({"least": least, "secure": ours}).astype(float).fillna(0.0)
    more = both["secure"] - both["least"]
    differ = both[more.abs() > 1e-3 * max(more.abs().max(), 1e-6)]
    lines = [(str(name), amount(row["least"], 5), amount(row["secure"], 5), amount(more[name], 4)) for name, row in differ.iterrows()]
    if lines:
        columns = ("Cost", "least cost", "secure", "more")
        yield grid(columns, lines, left=("Cost",), title="What security is spent on (M USD, discounted, without a loss)", rest="costs.csv")


def _built(builds: pd.DataFrame, level: float, reveal: int) -> Iterator[RenderableType]:
    """Yield the units that the tightest secure plan decides otherwise than the least-cost plan before anything is lost."""
    early = builds[builds["decided_year"].astype(float) < reveal - 1e-6]
    least, ours = _on_line(early[early["within"].isna()]), _on_line(_at(early, level))
    names = sorted({*least, *ours})
    lines = [(name, least.get(name, _NONE), ours.get(name, _NONE)) for name in names if least.get(name) != ours.get(name)]
    title = f"Units decided before {reveal} that security changes: how many, and when on line"
    if lines:
        yield grid(("Project", "least cost", "secure"), lines, left=("Project",), title=title, rest="builds.csv")


def _on_line(builds: pd.DataFrame) -> dict[str, str]:
    """Return for each project how many units come on line in which year."""
    units = builds.groupby(["project", "year"])["units"].sum().round(3)
    rows = units[units > 0].reset_index().to_dict("records")
    told: dict[str, list[str]] = {}
    for row in rows:
        told.setdefault(str(row["project"]), []).append(
            f"{number(row['units'], 0 if float(row['units']).is_integer() else 1)} in {row['year']}"
        )
    return {name: ", ".join(each) for name, each in told.items()}


def _at(table: pd.DataFrame, level: float) -> pd.DataFrame:
    return table[table["within"].notna() & (table["within"] == level)]
