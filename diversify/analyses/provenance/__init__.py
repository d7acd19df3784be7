"""Which figures a plan rests on, what each carries of its cost, and which of them are only assumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.executor import Executor, Task
from diversify.analyses.provenance.binding import binding
from diversify.analyses.provenance.paid import CELL, paid_for
from diversify.analyses.solving import Limits, Record, manifest, rows_of, solved
from diversify.audit.data import resolve
from diversify.errors import ASSUMED_AND_DECISIVE, Problem, UsageError
from diversify.instance import Instance
from diversify.instance.overview import describe
from diversify.instance.provenance import UNSTATED, Origins
from diversify.plan import Plan
from diversify.planning.summary import about
from diversify.result_folder import Layout
from diversify.schema import QUALITIES, TABLES

__all__ = ["LAYOUT", "assumed_and_decisive", "holds_assumptions", "provenance"]

LAYOUT: Layout = {
    "figures": ("table", "key", "column", "role", "musd", "quality", "source", "note"),
    "rows": ("table", *QUALITIES, "none"),
}
"""The tables of the answer. Money is discounted million USD over the horizon."""

_GAP = 0.01
"""Relative gap of the plan that is asked where none is given: which figures carry most does not hang on the last per cent."""

_NEGLIGIBLE = 1e-4
"""Part of the whole cost below which a figure that binds is not called decisive."""


def provenance(
    instance: Instance,
    plan: Plan | None = None,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Return the figures that decide a plan, with their sources, the heaviest first; and how many rows of each table are of which quality.

    ``plan`` is a plan of this instance; without one the case is solved to the relative ``gap`` (default 0.01), through ``executor``.
    Table ``figures``: a figure's ``role`` is ``paid`` (a price, rate or unit cost: ``musd`` is the part of the whole cost that is
    proportional to it, and all of them add up to the whole), ``binds`` (a limit that the plan stands up against: ``musd`` is the
    figure times what a little more of it costs, below zero where more of it saves) or ``built`` (a project's row: its
    overnight capital). Of paid and binding figures a hundredth of ``musd`` is what one wrong by one per cent is worth at the margin.

    A case without any plan has no such figures; ``stopped`` and ``holds`` of the summary say so. Raises UsageError where the plan
    is of another instance.
    """
    limits = Limits.of(instance, gap=_GAP if gap is None else gap, time_limit=time_limit, seed=seed)
    if plan is None:
        task = Task("the plan", _found, {"instance": instance, "limits": limits.as_dict()})
        (found,) = (executor or Executor()).run([task])
    else:
        if plan.instance.content_hash != instance.content_hash:
            raise UsageError(f"The plan is of {plan.instance.name} with other data than {instance.name} has here.")
        found = _decisive(plan)
    origins = Origins(instance)
    figures = [_with_origin(row, origins) for row in found["figures"]]
    counts = describe(instance)["provenance"]
    summary = {
        **about(instance),
        **{name: found[name] for name in ("stopped", "holds", "objective_musd", "bound_musd", "gap")},
        "rows": counts,
        "cost_by_quality_musd": _by_quality(figures),
        "assumed": _series([row for row in figures if row["quality"] not in ("cited", "derived")]),
    }
    tables = tabulated(LAYOUT, {"figures": figures, "rows": [{"table": name, **count} for name, count in counts.items()]})
    return Answer("provenance", instance, LAYOUT, summary, tables, manifest(instance, limits, verb="provenance"))


def _found(instance: Instance, limits: dict[str, Any]) -> Record:
    return _decisive(solved(instance, Limits(**limits)))


def _decisive(plan: Plan) -> Record:
    """Return how a plan's solve ended and its decisive figures, the heaviest first."""
    ended = {name: plan.summary[name] for name in ("stopped", "holds", "objective_musd", "bound_musd", "gap")}
    if plan.holds != "plan":
        return {**ended, "figures": []}
    tables, case = dict(plan.tables), resolve(plan.instance)
    built = plan.builds.groupby("project", sort=False)["capex_musd"].sum()
    parts = [
        paid_for(tables, case).assign(role="paid"),
        binding(tables, case).assign(role="binds"),
        pd.DataFrame({"table": "projects", "key": built.index, "column": "", "musd": built.to_numpy(), "role": "built"}),
    ]
    listed = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    order = listed.assign(size=listed["musd"].abs()).sort_values(["size", *CELL], ascending=[False, True, True, True], kind="stable")
    return {**ended, "figures": rows_of(order[[*CELL, "role", "musd"]])}


def _with_origin(row: Mapping[str, Any], origins: Origins) -> dict[str, Any]:
    origin = origins.of((row["table"], row["key"], row["column"]))
    return {**row, "quality": origin.quality, "source": origin.source, "note": origin.note}


def _by_quality(figures: list[dict[str, Any]]) -> dict[str, float]:
    """Return the parts of the whole cost whose price, rate or unit cost is cited, derived, assumed or of no stated kind."""
    total = dict.fromkeys((*QUALITIES, UNSTATED), 0.0)
    for row in figures:
        if row["role"] == "paid":
            total[row["quality"]] += row["musd"]
    return total


def _series(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return figures with the years of one series (a demand, a cap) as one row with ``years``, the heaviest series first.

    ``key`` is then without the year, ``musd`` the sum; ``rows`` are the keys of its rows as the tables have them, the heaviest first.
    """
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in figures:
        yearly = TABLES[row["table"]].key[-1] == "year"
        name, _, year = row["key"].rpartition("|") if yearly else (row["key"], "", "")
        series = found.setdefault(
            (row["table"], name, row["column"], row["role"], row["quality"]), {**row, "key": name, "musd": 0.0, "years": [], "rows": []}
        )
        series["musd"] += row["musd"]
        series["years"] += [int(year)] if year else []
        series["rows"].append(row["key"])
        if row["source"] not in series["source"].split("; "):
            series["source"] += f"; {row['source']}"
    ranked = sorted(found.values(), key=lambda row: -abs(row["musd"]))
    return [{**row, "years": sorted(row["years"])} for row in ranked]


def holds_assumptions(instance: Instance) -> bool:
    """Return whether any row or figure of the case says that it is assumed."""
    return any((instance.table(name)["quality"] == "assumed").any() for name, table in TABLES.items() if "quality" in table.column_names)


def assumed_and_decisive(answer: Answer) -> list[Problem]:
    """Return a warning for everything assumed that decides the plan: a built project, or a limit that binds and is not negligible.

    The heaviest come first. A series of years is named once, at the place of its heaviest row in the files.
    """
    draft, origins = answer.instance.draft(), Origins(answer.instance)
    warnings: list[Problem] = []
    objective = abs(answer.summary["objective_musd"] or 0.0)
    for row in answer.summary["assumed"]:
        decides = row["role"] == "built" or (row["role"] == "binds" and abs(row["musd"]) > _NEGLIGIBLE * objective)
        if row["quality"] != "assumed" or not decides:
            continue
        position = list(origins.rows(row["table"])).index(row["rows"][0])
        years = f" ({row['years'][0]} to {row['years'][-1]})" if row["years"] else ""
        message = f"{row['key']!r}{years} {_why(row)}, and {row['column'] or 'its row'} is assumed."
        remedy = "Find a source for it, or see with diversify sensitivity what it changes."
        warnings.append(draft.problem(ASSUMED_AND_DECISIVE, row["table"], position, row["column"] or "quality", message, remedy))
    return warnings


def _why(row: Mapping[str, Any]) -> str:
    if row["role"] == "built":
        return f"is built for {row['musd']:,.4g} million USD"
    return f"binds: one per cent of it is worth {abs(row['musd']) / 100:,.3g} million USD while what is built stays"
