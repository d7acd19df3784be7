"""Which inputs move cost and shares most, so that a planner knows which assumption to firm up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.executor import Executor, Task
from diversify.analyses.sensitivity.indices import chosen, index_rows, sampled, solve_parts
from diversify.analyses.sensitivity.inputs import Input, read_input
from diversify.analyses.sensitivity.ranges import asked_inputs, data_inputs, standard_inputs
from diversify.analyses.sensitivity.swings import base_and_ends, built_rows, cap_rows, swing_rows
from diversify.analyses.solving import Limits, Record, manifest
from diversify.errors import UsageError
from diversify.instance import Instance, load
from diversify.planning.summary import about
from diversify.result_folder import Layout

__all__ = ["LAYOUT", "Input", "data_inputs", "read_input", "sensitivity", "standard_inputs"]

_END = ("cost_musd", "bound_musd", "stopped", "change_musd", "change_low_musd", "change_high_musd", "shortage_t", "projects")

LAYOUT: Layout = {
    "inputs": (
        *("rank", "rank_best", "rank_worst", "input", "kind", "range", "no_plan"),
        *("swing_musd", "swing_low_musd", "swing_high_musd", "proved", "share_swing", "share_swing_cap"),
        *(f"{end}_{name}" for end in ("low", "high") for name in _END),
        *("figures", "cited", "derived", "assumed", "not_stated", "sources"),
    ),
    "changes": ("input", "end", "change"),
    "shares": ("input", "cap", "base_share", "low_share", "high_share"),
    "built": ("input", "end", "project", "change"),
    "indices": (
        *("output", "input", "first_order", "first_order_low", "first_order_high"),
        *("total", "total_low", "total_high"),
    ),
    "spread": ("output", "unit", "mean", "deviation", "low", "high", "varies"),
}
"""The tables of the answer. Money is discounted million USD; shares are fractions, means over the years of a cap."""


_GAP = 0.002
"""Relative gap where none is given: ends start from one plan, and a wide gap would let them keep what it builds."""


def sensitivity(
    instance: Instance | str | Path,
    *,
    inputs: Sequence[Input | str] | None = None,
    sample: int = 0,
    sample_inputs: int = 6,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Return how far cost and shares move when each input goes to the ends of its range, and the inputs ranked by it.

    ``inputs`` holds :class:`Input` objects, texts ``NAME=LOW|HIGH`` (changes as ``set`` takes them), names of inputs that the case
    offers, or the words ``data`` (ranges that its table figures states), ``standard`` (ranges that are a convention of
    this question) and ``each`` (every figure with a range by itself); default ``data`` and ``standard``. Two solves an input.

    Each solve stops at the relative ``gap``, by default 0.002.

    ``sample`` n (a power of two; 0: none) adds Sobol' indices from n (d + 2) linear programs over the ``sample_inputs`` d
    inputs that move cost most, drawn uniformly and independently; parts of units may be built in them.

    Tables: those of ``LAYOUT``. A swing is the largest difference of cost among low end, case as it is and high end, with the
    band that the solves' gaps leave. Raises UsageError for inputs or options that make no sense and where the case has no plan,
    InstanceError where a given change cannot be made, SolverError where no plan of the case as it is was found in time.
    """
    if sample < 0 or sample & (sample - 1) or sample == 1:
        raise UsageError(f"The sample must be a power of two from 2 on, or 0 for none; got {sample}.")
    if sample_inputs < 2:
        raise UsageError(f"At least two inputs must be sampled; got {sample_inputs}.")
    case = instance if isinstance(instance, Instance) else load(instance)
    limits = Limits.of(case, gap=_GAP if gap is None else gap, time_limit=time_limit, seed=seed)
    runner = executor or Executor()
    asked, left_out = asked_inputs(case, inputs)
    base, ends = base_and_ends(case, asked, limits, runner)
    rows = swing_rows(case, asked, base, ends)
    records = _records(rows, base)
    summary = {**_summary(case, base, rows), "left_out": left_out, "sample": None}
    if sample:
        summary["sample"] = found = _sampled(case, asked, rows, base, sample, sample_inputs, limits, runner)
        records |= {"indices": found["indices"], "spread": found["spread"]}
    said = {"verb": "sensitivity", "inputs": [each.name for each in asked], "sample": sample, "sample_inputs": sample_inputs}
    return Answer("sensitivity", case, LAYOUT, summary, tabulated(LAYOUT, records), manifest(case, limits, **said))


def _sampled(
    case: Instance,
    asked: Sequence[Input],
    rows: Sequence[dict[str, Any]],
    base: Record,
    count: int,
    most: int,
    limits: Limits,
    executor: Executor,
) -> dict[str, Any]:
    """Return the indices and what they speak of."""
    between, not_sampled = chosen(case, asked, rows, most)
    plain = Task("parts of units, the case as it is", solve_parts, {"instance": case, "changes": [], "limits": limits.as_dict()})
    (parts,) = executor.run([plain])
    found = sampled(case, between, count, limits, executor)
    ended = [record["stopped"] for record in found if record["stopped"] != "optimal"]
    unsolved = {why: ended.count(why) for why in sorted(set(ended))}
    indices, spread = ([], []) if unsolved else index_rows(between, found, count, limits.seed)
    return {
        "places": count,
        "evaluations": len(found),
        "unsolved": unsolved,
        "inputs": [each.name for each in between],
        "parts_of_units_musd": parts["objective_musd"],
        "plan_musd": base["objective_musd"],
        "indices": indices,
        "spread": spread,
        "not_sampled": not_sampled,
    }


def _summary(case: Instance, base: Record, rows: list[dict[str, Any]]) -> dict[str, Any]:
    told = ("stopped", "objective_musd", "bound_musd", "gap", "gap_musd", "shortage_t", "shares")
    return {
        **about(case),
        **{name: base[name] for name in told},
        "inputs": rows,
    }


def _records(rows: Sequence[dict[str, Any]], base: Record) -> dict[str, list[dict[str, Any]]]:
    return {
        "inputs": [_flat(row) for row in rows],
        "changes": [
            {"input": row["input"], "end": end, "change": text} for row in rows for end in ("low", "high") for text in row[end]["set"]
        ],
        "shares": cap_rows(rows, base),
        "built": built_rows(rows),
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    ends = {f"{end}_{name}": row[end][name] for end in ("low", "high") for name in _END}
    kinds = {kind.replace(" ", "_"): row["quality"].get(kind, 0) for kind in ("cited", "derived", "assumed", "not stated")}
    return {**row, **ends, **kinds, "sources": "; ".join(row["sources"])}
