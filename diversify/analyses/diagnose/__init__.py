"""Why there is no plan, or none without shortage, and the least change of policy that gives one.

Two answers that do not rest on each other: a **conflict**, rules of the case that cannot all be kept while every one of them could
be kept without any one of the others (:mod:`.conflict`); and **repairs**, changes of the tables that give a plan (:mod:`.repairs`),
each put to the test by solving the changed case. Only policy is repaired, never physics (:mod:`.levers`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.diagnose.levers import TABLES
from diversify.analyses.diagnose.work import conflict_of, plan_of, repair_of, tested
from diversify.analyses.executor import Executor, Result, Task
from diversify.analyses.solving import Limits, manifest, table_of
from diversify.errors import UsageError
from diversify.instance import Instance, load
from diversify.planning.summary import about

LAYOUT = {
    "conflict": ("kind", "table", "key", "year", "sentence", "policy"),
    "capacities": ("process", "year", "t_per_year", "table", "key", "sentence"),
    "repairs": ("repair", "cost_musd", "bound_musd", "gap", "verified", "stopped", "points", "gives_up_demand", "set"),
    "changes": ("repair", "table", "key", "column", "from", "to", "text"),
    "alone": ("table", "answer", "repair"),
    "shortages": ("location", "commodity", "year", "quantity_t_per_year"),
}
"""Tables of the answer and their columns."""

NO_SHORTAGE = "demand[].shortage_usd_per_t="
"""The change that allows no shortage."""

_NOTHING_SHARE = 1e-6
"""Part of the demand below which shortage is the solver's noise."""


def diagnose(
    instance: Instance | str | Path,
    *,
    repairs: int = 5,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Say why a case has no plan (or none without shortage), and find up to ``repairs`` changes of policy that give one.

    ``kind`` is ``no plan``, ``shortage``, ``fine`` or ``unproved`` (no plan was found, and that there is none is not proved);
    ``feasible`` is whether there is a plan. ``conflict`` lists rules that cannot all be kept (``irreducible``: without any one of them the
    others could), ``capacities`` what stands behind them. ``physics`` is true where it is proved that no change of policy helps.
    Every repair stands alone: ``set`` are its ``--set`` texts, ``cost_musd``, ``bound_musd`` and ``gap`` are of the repaired case's plan,
    ``verified`` says that this plan was found and audited, ``points`` how much is changed (see :mod:`.levers`).
    ``without_shortage`` (where there is shortage) is ``impossible``, ``dearer``, ``no_dearer`` (the shortage is only what the gap of the
    solve left) or ``unproved``. ``alone`` says for each table whether changes of it alone are enough.

    Limits hold for each solve. Raises UsageError for bad options, InstanceError for bad data.
    """
    if repairs < 1:
        raise UsageError(f"repairs must be at least 1; got {repairs}.")
    case = instance if isinstance(instance, Instance) else load(instance)
    limits = Limits.of(case, gap=gap, time_limit=time_limit, seed=seed)
    ask = _Asking(case, limits, executor or Executor(), repairs)
    summary = ask.answer()
    records = {name: summary[name] for name in ("conflict", "capacities", "alone")}
    records["repairs"] = [{**each, "repair": number + 1, "set": _typed(each["set"])} for number, each in enumerate(summary["repairs"])]
    records["changes"] = [{"repair": number + 1, **change} for number, each in enumerate(summary["repairs"]) for change in each["changes"]]
    records["shortages"] = summary["shortages"]
    return Answer("diagnose", case, LAYOUT, summary, tabulated(LAYOUT, records), manifest(case, limits, verb="diagnose", repairs=repairs))


@dataclass(frozen=True)
class _Asking:
    """One question: the case, the limits of each solve, who solves, and how many repairs are wanted at most."""

    case: Instance
    limits: Limits
    executor: Executor
    most: int

    def answer(self) -> dict[str, Any]:
        """Return the summary."""
        (plan,) = self._run([self._plan("the case as it is", self.case)])
        said = {
            **about(self.case),
            "stopped": plan["stopped"],
            "objective_musd": plan["objective_musd"],
            "bound_musd": plan["bound_musd"],
            "gap": plan["gap"],
            "shortages": _shortages(self.case, plan),
        }
        if plan["holds"] == "plan" and not said["shortages"]:
            return {"kind": "fine", "feasible": True, **said, **_nothing()}
        if plan["holds"] == "plan":
            return {"kind": "shortage", "feasible": True, **said, **self._of_shortage(plan["objective_musd"])}
        if plan["stopped"] == "infeasible":
            return {"kind": "no plan", "feasible": False, **said, **self._of_none(self.case, TABLES, ())}
        return {"kind": "unproved", "feasible": None, **said, **_nothing()}

    def _of_shortage(self, cost_musd: float) -> dict[str, Any]:
        """Return what stands between the case and a plan without shortage: nothing, its cost alone, or rules and physics.

        ``cost_musd`` is what the plan with shortage costs. It leaves a gap, so a plan without shortage may turn out to be cheaper.
        """
        hard = self.case.set(NO_SHORTAGE)
        (plan,) = self._run([self._plan("the case without shortage", hard)])
        if plan["holds"] == "plan":
            change = {"table": "demand", "key": "", "column": "shortage_usd_per_t", "from": None, "to": None, "text": NO_SHORTAGE}
            repair = {"stopped": "optimal", "points": 0.0, "groups": [], "tries": [[change]]}
            without = "dearer" if plan["objective_musd"] > cost_musd else "no_dearer"
            return {**_nothing(), "without_shortage": without, "repairs": [_repair(repair, {"try": 0, **plan}, ())]}
        if plan["stopped"] != "infeasible":
            return {**_nothing(), "without_shortage": "unproved"}
        tables = tuple(name for name in TABLES if name != "demand")
        return {**self._of_none(hard, tables, (NO_SHORTAGE,)), "without_shortage": "impossible"}

    def _of_none(self, case: Instance, tables: tuple[str, ...], first: tuple[str, ...]) -> dict[str, Any]:
        """Return conflict and repairs of a case without a plan; ``first`` are the texts that made it of the case asked about."""
        held = [name for name in tables if len(case.table(name))]
        searches = [self._search(case, held), *(self._search(case, [name]) for name in held)]
        conflict, best, *alone = self._run([Task("conflict", conflict_of, {"instance": case, "limits": self._limits()}), *searches])
        physics = best["stopped"] == "infeasible"
        found = [best, *sorted(alone, key=lambda each: each["points"] or 0.0)]
        if physics and "demand" not in tables:  # what policy can do at best, with as little demand given up as physics leaves
            held = [*held, "demand"]
            (best,) = self._run([self._search(case, held, last="demand")])
            found = [best]
        elif best["points"] is not None:
            found += self._others(case, held, best)
        tried = self._tested(_distinct(found)[: self.most], first)
        return {
            "conflict": conflict["rules"],
            "irreducible": conflict["irreducible"] if conflict["rules"] else None,
            "conflict_proved": conflict["proved"],
            "whole_units": bool(conflict["rules"]) and not conflict["linear"],
            "capacities": conflict["capacities"],
            "physics": physics,
            "searched": best["stopped"],
            "repairs": tried,
            "alone": [_alone(name, each, tried) for name, each in zip(held, alone, strict=False)],
        }

    def _others(self, case: Instance, tables: list[str], best: Result) -> list[Result]:
        """Return further repairs, each with nothing that the best and those before it change."""
        found: list[Result] = []
        used = set(best["groups"])
        while len(found) < self.most - 1:
            (other,) = self._run([self._search(case, tables, without=sorted(used))])
            if other["points"] is None:
                break
            found.append(other)
            used |= set(other["groups"])
        return found

    def _tested(self, found: list[Result], first: tuple[str, ...]) -> list[dict[str, Any]]:
        """Return the repairs with the plans that they give, ranked: verified ones first, those that give up demand last, then by cost."""
        tries = [[[*first, *(change["text"] for change in changes)] for changes in each["tries"]] for each in found]
        tasks = [
            Task(f"repair {number + 1}", tested, {"instance": self.case, "limits": self._limits(), "tries": texts})
            for number, texts in enumerate(tries)
        ]
        made = [_repair(each, plan, first) for each, plan in zip(found, self._run(tasks), strict=True)]
        return sorted(made, key=lambda each: (not each["verified"], each["gives_up_demand"], each["cost_musd"] or 0.0, each["points"]))

    def _plan(self, name: str, case: Instance) -> Task:
        return Task(name, plan_of, {"instance": case, "limits": self._limits()})

    def _search(self, case: Instance, tables: list[str], *, without: list[str] | None = None, last: str = "") -> Task:
        name = f"repair by {tables[0]}" if len(tables) == 1 else "least repair"
        asked = {"tables": tables, "without": without or [], "last": last}
        return Task(name, repair_of, {"instance": case, "limits": self._limits(), **asked})

    def _limits(self) -> dict[str, Any]:
        return self.limits.as_dict()

    def _run(self, tasks: list[Task]) -> list[Result]:
        return self.executor.run(tasks)


def _typed(texts: list[str]) -> str:
    """Return changes as options of the command, to be pasted into a shell."""
    return " ".join(f"--set {shlex.quote(text)}" for text in texts)


def _nothing() -> dict[str, Any]:
    return {
        "conflict": [],
        "irreducible": None,
        "conflict_proved": False,
        "whole_units": False,
        "capacities": [],
        "physics": False,
        "searched": None,
        "repairs": [],
        "alone": [],
    }


def _shortages(case: Instance, plan: Result) -> list[dict[str, Any]]:
    """Return the shortages of a plan that are more than noise: location, commodity, year, quantity_t_per_year."""
    short = table_of(plan, "shortages")[["location", "commodity", "year", "quantity_t_per_year"]]
    wanted = float(pd.to_numeric(case.table("demand")["quantity_t_per_year"]).max()) if len(case.table("demand")) else 0.0
    found: list[dict[str, Any]] = short[short["quantity_t_per_year"] > _NOTHING_SHARE * wanted].to_dict("records")  # type: ignore[assignment]
    return found


def _distinct(found: list[Result]) -> list[Result]:
    """Return the repairs that there are, the first of those that change the same."""
    seen: dict[tuple[str, ...], Result] = {}
    for each in found:
        if each["points"] is not None:
            seen.setdefault(tuple(sorted(change["text"] for change in each["tries"][0])), each)
    return list(seen.values())


def _repair(found: Result, plan: Mapping[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    changes = found["tries"][plan["try"]]
    return {
        "set": [*first, *(change["text"] for change in changes)],
        "cost_musd": plan["objective_musd"],
        "bound_musd": plan["bound_musd"],
        "gap": plan["gap"],
        "verified": plan["holds"] == "plan",
        "stopped": plan["stopped"],
        "points": found["points"],
        "gives_up_demand": any(change["column"] == "quantity_t_per_year" for change in changes),
        "changes": changes,
    }


def _alone(table: str, found: Result, repairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return whether changes of one table are enough: ``yes`` (with the repair's number), ``no`` (proved) or ``unproved``."""
    texts = None if found["points"] is None else [change["text"] for change in found["tries"][0]]
    number = None
    for position, each in enumerate(repairs):
        tables = {change["table"] for change in each["changes"]}
        if texts is not None and tables == {table} and each["verified"]:
            number = number or position + 1
    answer = "yes" if number else "no" if texts is None and found["stopped"] == "infeasible" else "unproved"
    return {"table": table, "answer": answer, "repair": number}
