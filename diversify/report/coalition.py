"""What acting together is worth, as a planner reads it: the gain and how sure it is, a fair split, who pays and who hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.report.plan import CATEGORIES_IN_WORDS, title_of
from diversify.report.terminal import amount, grid, musd, percent, shown, stacked

_TABLES = "coalition --out"
_MOST_HOSTS = 40


def coalition_page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page about a coalition, most important first."""
    yield shown(headline(summary))
    if summary["gain_musd"] is not None:
        yield shown(_where_it_comes_from(summary, tables["shortages"]))
    yield shown(f"{core_sentence(summary)} {_shapley_sentence(summary)}")
    yield _members_table(tables["members"])
    yield _values_table(tables["values"])
    if len(tables["dearer_together"]):
        yield _dearer_table(tables["dearer_together"])
    if len(tables["gains"]):
        yield _gains_table(tables["gains"])
    if len(tables["costs"]):
        yield _costs_table(tables["costs"])
    if len(tables["hosts"]):
        yield _hosts_table(tables["hosts"])
    yield stacked([shown("What these figures assume:"), *(shown(f"- {sentence}") for sentence in summary["assumed"])])


def headline(summary: Mapping[str, Any]) -> str:
    """Return what acting together is worth and how sure that is; what is not proved is said not to be."""
    title, names = title_of(summary), list(summary["members"])
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    together = summary["values_musd"]["+".join(names)]
    if together["cost"] is None:
        return f"{title}: What acting together is worth to {listed} is not known: {_no_plan('all together', together)}."
    without = [_no_plan(f"{name} alone", value) for name in names if (value := summary["values_musd"][name])["cost"] is None]
    if without:
        served = f"Together they are served for {musd(together['cost'])} ({summary['currency']}, discounted)."
        return f"{title}: What acting together is worth to {listed} has no figure: {'; '.join(without)}. {served}"
    apart, low, high = sum(summary["values_musd"][name]["cost"] for name in names), *_ends(summary["gain_band_musd"])
    costs = (
        f"{listed} are served for {amount(together['cost'], 4)} together and for {musd(apart)} apart, each by itself "
        f"({summary['currency']}, discounted)."
    )
    if not summary["gain_proved"]:
        return f"{title}: It is not proved that acting together is worth anything: the gain lies {_between(low, high)}. {costs}"
    share = f", {percent(summary['gain_musd'] / apart)} % of what it costs apart" if apart > 0 else ""
    return f"{title}: Acting together is worth {musd(summary['gain_musd'])}{share}; proved to lie {_between(low, high)}. {costs}"


def _no_plan(who: str, value: Mapping[str, Any]) -> str:
    if value["stopped"] == "infeasible":
        return f"for {who} there is no plan"
    return f"for {who} no plan was found ({value['stopped'].replace('_', ' ')})"


def _ends(band: Mapping[str, float | None]) -> tuple[float | None, float | None]:
    return band["low"], band["high"]


def _between(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "in a range that is not known" if low is None and high is None else f"at {_open(low, high)}"
    return f"between {amount(low, 4)} and {musd(high)}"


def _open(low: float | None, high: float | None) -> str:
    return f"most {musd(high)}" if low is None else f"{musd(low)} or more"


def _where_it_comes_from(summary: Mapping[str, Any], shortages: pd.DataFrame) -> str:
    """Return the part of the gain that is shortage avoided, which rests on what a missing tonne is said to cost."""
    short = summary["gain_by_category_musd"].get("shortage", 0.0)
    apart = sum(summary["values_musd"][name]["shortage"] or 0.0 for name in summary["members"])
    if not apart:
        return "Nobody is short apart, so none of the gain is shortage avoided."
    return (
        f"{musd(short)} of the gain is shortage avoided, at the cost that the data give a missing tonne: that part stands and "
        f"falls with it. Apart, shortage costs {musd(apart)}: {'; '.join(_short(shortages, summary['members']))}."
    )


def _short(shortages: pd.DataFrame, members: Iterable[str]) -> Iterator[str]:
    """Yield of what each member alone is short, when, and how many tonnes a year at the most."""
    for member in members:
        for commodity, rows in shortages[shortages["subset"] == member].groupby("commodity"):
            by_year = rows.groupby("year")["quantity_t_per_year"].sum()
            first, last = int(by_year.index.min()), int(by_year.index.max())
            years = f"in {first}" if first == last else f"between {first} and {last}"
            yield f"{member} alone is short of {commodity} {years}, by up to {amount(by_year.max())} t a year"


def core_sentence(summary: Mapping[str, Any]) -> str:
    """Return whether all can be held together, and what that is proved for."""
    epsilon, (low, high) = summary["least_core_musd"], _ends(summary["least_core_band_musd"])
    if summary["core"] == "unproved":
        at_hand = "" if epsilon is None else f" (for the plans at hand epsilon is {musd(epsilon)}; it lies {_between(low, high)})"
        return f"Whether the core is empty is not proved{at_hand}."
    if summary["core"] == "empty":
        return (
            "The core is empty (proved): however the cost is shared, some are cheaper off without the others. Leaving would have to cost "
            f"each group {musd(epsilon)} (least core, {_between(low, high)}) for all to stay."
        )
    if epsilon is None or epsilon > 0:
        return "The core is not empty (proved): the cost can be shared so that nobody is cheaper off without the others."
    return (
        "The core is not empty (proved): the cost can be shared so that nobody is cheaper off without the others; at best every group "
        f"of fewer than all saves {musd(-epsilon)} or more (least core, {_between(*_negated(low, high))})."
    )


def _negated(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    return (None if high is None else -high), (None if low is None else -low)


def _shapley_sentence(summary: Mapping[str, Any]) -> str:
    if any(value is None for value in summary["shapley_musd"].values()):
        return "The Shapley value has no figure where a subset has none."
    return {
        "yes": "The fair split below (Shapley value) is in the core.",
        "no": "The fair split below (Shapley value) is not in the core: some group would be cheaper off by itself.",
        "unproved": "Whether the fair split below (Shapley value) is in the core is not proved.",
    }[summary["shapley_in_core"]]


def _members_table(members: pd.DataFrame) -> RenderableType:
    rows = [
        (
            row["member"],
            percent(row["share"]),
            _figure(row["alone_musd"]),
            _figure(row["shapley_musd"]),
            _range(row["shapley_low_musd"], row["shapley_high_musd"]),
            _figure(row["gain_musd"]),
            _figure(row["served_musd"]),
            _figure(row["others_musd"]),
            _figure(row["transfer_musd"]),
            _figure(row["arises_musd"]),
        )
        for row in members.to_dict("records")
    ]
    columns = ("Member", "demand %", "alone", "fair share", "between", "saves", "served", "others", "pays in", "arises")
    note = shown(
        "alone: its cost by itself. fair share: its Shapley value, and the band that the solves leave. served: what its own deliveries "
        "cost in the plan of all; others: its share of what third countries' deliveries cost there. pays in: fair share less both, "
        "less than nothing where it is paid. arises: the cost that arises on its soil."
    )
    return stacked([grid(columns, rows, left=("Member",), title="A fair split (M USD, discounted)"), note])


def _values_table(values: pd.DataFrame) -> RenderableType:
    rows = [
        (
            row["subset"],
            percent(row["share"]),
            _figure(row["cost_musd"]),
            _figure(row["bound_musd"]),
            row["stopped"].replace("_", " "),
            _figure(row["shortage_musd"]),
            _figure(row["gain_musd"]) if row["members"] > 1 else "",
            _range(row["gain_low_musd"], row["gain_high_musd"]) if row["members"] > 1 else "",
        )
        for row in values.to_dict("records")
    ]
    columns = ("Who", "demand %", "cost", "at least", "stopped", "shortage", "gain", "between")
    return grid(columns, rows, left=("Who", "stopped"), title="Every subset by itself (M USD, discounted)", most=len(rows))


def _dearer_table(dearer: pd.DataFrame) -> RenderableType:
    rows = [
        (
            f"{row['subset']} with {row['other']}",
            _figure(row["dearer_musd"]),
            _range(row["low_musd"], row["high_musd"]),
            "yes" if row["proved"] else "no",
        )
        for row in dearer.to_dict("records")
    ]
    note = shown(
        "Two plans added up are a plan for both, but where a third country's project must be built as one for both (apart, each decides "
        "on units of its share), and where a contract with a third country or a floor binds less apart. What is not proved may come "
        "from plans that are dearer than need be."
    )
    columns = ("Who", "dearer by", "between", "proved")
    return stacked([grid(columns, rows, left=("Who",), title="Dearer together than apart (M USD, discounted)", rest=_TABLES), note])


def _gains_table(gains: pd.DataFrame) -> RenderableType:
    rows = [
        (
            CATEGORIES_IN_WORDS.get(row["category"], row["category"]),
            *map(_figure, (row["apart_musd"], row["together_musd"], row["gain_musd"])),
        )
        for row in gains.to_dict("records")
    ]
    total = ("Total", *(_figure(gains[column].sum()) for column in ("apart_musd", "together_musd", "gain_musd")))
    return grid(("Cost", "apart", "together", "gain"), rows, left=("Cost",), title="Where the gain arises (M USD, discounted)", total=total)


def _costs_table(costs: pd.DataFrame) -> RenderableType:
    rows = [
        (row["country"], row["member"] or "", _figure(row["arises_musd"]), _figure(row["served_musd"]))
        for row in costs.assign(member=costs["member"].fillna(""))
        .sort_values("arises_musd", ascending=False, kind="stable")
        .to_dict("records")
    ]
    total = ("Total", "", _figure(costs["arises_musd"].sum()), _figure(costs["served_musd"].sum()))
    title = "Who pays in the plan of all (M USD, discounted): where cost arises, and whose deliveries it serves"
    return grid(("Country", "Member", "arises", "serves"), rows, left=("Country", "Member"), title=title, total=total)


def _hosts_table(hosts: pd.DataFrame) -> RenderableType:
    ordered = hosts.assign(member=hosts["member"].fillna(""), third=hosts["member"].isna())
    ordered = ordered.sort_values(["third", "country", "process"], kind="stable")
    rows = [
        (
            row["country"],
            row["process"],
            _figure(row["apart_t_per_year"]),
            _figure(row["together_t_per_year"]),
            _figure(row["apart_capex_musd"]),
            _figure(row["together_capex_musd"]),
        )
        for row in ordered.to_dict("records")
    ]
    total = ("Total", "", "", "", _figure(hosts["apart_capex_musd"].sum()), _figure(hosts["together_capex_musd"].sum()))
    columns = ("Country", "Process", "t/yr apart", "together", "capex apart", "together ")
    title = "Who hosts what is built: members first (capex overnight, M USD, not discounted)"
    return grid(columns, rows, left=("Country", "Process"), title=title, total=total, rest=_TABLES, most=_MOST_HOSTS)


def _figure(value: Any) -> str:
    return amount(value, 4)


def _range(low: Any, high: Any) -> str:
    """Return a band; nothing where one of its ends is not known."""
    return f"{_figure(low)} to {_figure(high)}" if not pd.isna(low) and not pd.isna(high) else ""
