"""What is each figure of the case worth at the margin, and what does it cost to move it by a step?

Prices are local: the plan's integers stay. Beside a price stands, on request, the discrete answer: the case solved again with the
figure moved, everything adapting, as a band of what is proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.executor import Executor, Task
from diversify.analyses.prices.local import ORDER, local_prices
from diversify.analyses.prices.moves import finer, moves_of, row_of, task_of
from diversify.analyses.solving import Limits, Record, manifest, record_of, solved, table_of
from diversify.errors import UsageError
from diversify.instance import Instance, load
from diversify.planning.summary import about
from diversify.result_folder import Layout

LAYOUT: Layout = {
    "prices": (
        *("kind", "table", "key", "year", "usd_per_t", "musd", "unique", "usd_per_t_low", "usd_per_t_high", "musd_low", "musd_high"),
        *("unlimited", "musd_per_figure", "shown"),
    ),
    "moves": (
        *("kind", "table", "key", "year", "column", "value", "moved_to", "step", "price_musd", "held_musd", "low_musd", "high_musd"),
        *("stopped", "holds", "objective_musd", "bound_musd", "gap", "builds_changed"),
    ),
}
"""Tables of an answer. ``prices`` as in a plan, with the prices from either side where these were sought (``shown``); ``unlimited``
says which way (``more``, ``less``, ``both``) the price has no limit, since what is built cannot follow even a tiny move; the low or the
high is then blank; ``musd_per_figure`` what the whole discounted cost changes by per unit of the figure in the data (a share of 1, a t/yr
in its year, a million USD). ``moves``: changes of the discounted cost."""


def prices(
    instance: Instance | str | Path,
    *,
    kind: str | Sequence[str] | None = None,
    key: str | None = None,
    year: int | None = None,
    move: float | None = None,
    most: int = 10,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Price the figures of an instance at its plan: of a ``kind`` (or several), whose ``key`` contains a text, in a ``year``.

    The ``most`` largest of each kind are ``shown``: their prices are sought from either side, and with ``move`` (a step above zero in
    the figure's own unit: 0.01 of a share or rate, t, million USD, units) the case is solved again with each figure moved up
    and down. For that the plan itself is solved to a gap that is small beside the changes which its prices promise.

    Raises UsageError where a kind is unknown, nothing matches or the step makes no sense.
    """
    case = instance if isinstance(instance, Instance) else load(instance)
    kinds = [kind] if isinstance(kind, str) else list(kind or ())
    _refuse_unknown(case, kinds, year, most, move)
    limits = Limits.of(case, gap=gap, time_limit=time_limit, seed=seed)
    asked = {"kind": kinds, "key": key, "year": year, "most": most}
    runner = executor or Executor()
    (plan,) = runner.run([Task("the plan", solve_plan, {"instance": case, "limits": limits.as_dict()})])
    listed: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    if plan["holds"] == "plan":
        local = _local(runner, case, limits, plan, asked)
        if move is not None:
            plan, local, moved = _moved(runner, case, limits, plan, local, asked, move, gap)
        listed = local["prices"]
    return _answer(case, limits, plan, listed, moved, {**asked, "move": move})


def solve_plan(instance: Instance, limits: dict[str, Any], start: Any = None, bound_musd: float | None = None) -> dict[str, Any]:
    """Solve an instance and return the plan's record. Work of a task."""
    return record_of(solved(instance, Limits(**limits), start=start, bound_musd=bound_musd))


def _refuse_unknown(case: Instance, kinds: Sequence[str], year: int | None, most: int, move: float | None) -> None:
    unknown = [each for each in kinds if each not in ORDER]
    if unknown:
        raise UsageError(f"There is no kind of price {unknown[0]!r}. Kinds: {', '.join(ORDER)}.")
    if year is not None and year not in case.years:
        raise UsageError(f"{year} is not a planning year of {case.name}: {case.years[0]} to {case.years[-1]}.")
    if most < 1:
        raise UsageError(f"At least one price of each kind must be shown; got {most}.")
    if move is not None and not (np.isfinite(move) and move > 0.0):
        raise UsageError(f"--move needs a step above zero; got {move:g}.")


def _local(runner: Executor, case: Instance, limits: Limits, plan: Record, asked: dict[str, Any]) -> Record:
    arguments = {"instance": case, "limits": limits.as_dict(), "builds": table_of(plan, "builds"), **asked}
    (found,) = runner.run([Task("prices from either side", local_prices, arguments)])
    if not found["prices"]:
        raise UsageError("No price matches. Ask without --kind, --key or --year to see which there are.")
    return found


def _moved(
    runner: Executor, case: Instance, limits: Limits, plan: Record, local: Record, asked: dict[str, Any], step: float, gap: float | None
) -> tuple[Record, Record, list[dict[str, Any]]]:
    """Return the plan to a gap small enough for the moves, its prices, and what the moves change."""
    within = finer(limits, moves_of(case, local["prices"], step), plan["objective_musd"], gap)
    arguments = {"instance": case, "limits": within.as_dict(), "start": table_of(plan, "builds"), "bound_musd": plan["bound_musd"]}
    (base,) = runner.run([Task("the plan, to a smaller gap", solve_plan, arguments)])
    if base["tables"]["builds"] != plan["tables"]["builds"]:
        local = _local(runner, case, limits, base, asked)
    moves = moves_of(case, local["prices"], step)
    found = runner.run([task_of(case, move, within, base) for move in moves])
    return base, local, [row_of(move, base, local["held_musd"], record) for move, record in zip(moves, found, strict=True)]


def _answer(
    case: Instance,
    limits: Limits,
    plan: Record,
    listed: list[dict[str, Any]],
    moved: list[dict[str, Any]],
    asked: dict[str, Any],
) -> Answer:
    tables = {name: _typed(table) for name, table in tabulated(LAYOUT, {"prices": listed, "moves": moved}).items()}
    shown = [{name: price[name] for name in LAYOUT["prices"] if name != "shown"} for price in listed if price["shown"]]
    count = {kind: sum(price["kind"] == kind for price in listed) for kind in ORDER}
    summary = {
        **about(case),
        **{name: plan[name] for name in ("stopped", "holds", "objective_musd", "bound_musd", "gap", "gap_musd")},
        "found": {kind: number for kind, number in count.items() if number},
        "move": asked["move"],
        "prices": shown,
        "moves": moved,
    }
    return Answer("prices", case, LAYOUT, summary, tables, manifest(case, limits, **asked))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose blanks are blanks of numbers, also in columns that hold nothing else."""
    words = {"kind", "table", "key", "column", "unlimited", "stopped", "holds", "unique", "shown"}
    kinds = {name: "float64" for name in table.columns if name not in words} | {"year": "Int64"}
    return table.astype(kinds | ({"builds_changed": "Int64"} if "builds_changed" in table else {}))
