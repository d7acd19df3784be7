"""Where a frontier runs: its loose end, found from the case; the shares between its ends, and the order in which they are solved."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyomo.core as pyo

from diversify.analyses.frontier.spots import Question
from diversify.analyses.solving import Limits, Record, minimised
from diversify.instance import Instance
from diversify.model import Statement
from diversify.planning import build_model
from diversify.planning.program import STATEMENT, fix_builds

_SLACK = 1e-7
"""Part of the cost by which a cost may lie above a plan's and still count as no more: the exactness to which it is known."""

_DIGITS = 4
"""Decimals of the shares between the ends."""


def shares_between(top: float, bottom: float, points: int) -> list[float]:
    """Return up to ``points`` shares from the loose end to the tight one, evenly spread; one where the ends are the same.

    The loose end is rounded upwards to a hundredth of a per cent, those between to the nearest.
    """
    loose = min(math.ceil(round(top * 10**_DIGITS, 3)) / 10**_DIGITS, 1.0)
    if points == 1 or loose <= bottom:
        return [bottom]
    inner = [round(float(share), _DIGITS) for share in np.linspace(loose, bottom, points)[1:-1]]
    return [loose, *sorted({share for share in inner if bottom < share < loose}, reverse=True), bottom]


def thirds(count: int) -> list[list[int]]:
    """Return the positions 0 to ``count`` - 1 in waves: both ends, then what cuts every gap that is left in three, until none is.

    The points of a wave do not wait for each other; every later one lies between two that are solved.
    """
    gaps, waves = [(0, count - 1)], [sorted({0, count - 1})]
    while gaps := [(low, high) for low, high in gaps if high - low > 1]:
        cuts = [(low, *sorted({low + -(-(high - low) // 3), high - -(-(high - low) // 3)} - {low, high}), high) for low, high in gaps]
        waves.append([cut for each in cuts for cut in each[1:-1]])
        gaps = [gap for each in cuts for gap in itertools.pairwise(each)]
    return waves


def least_at_no_more_cost(
    instance: Instance, caps: Sequence[str], builds: pd.DataFrame, cost_musd: float, limits: Mapping[str, Any]
) -> Record:
    """Find the least share under caps that have no limit, with these builds and at no more than this cost; a task's work.

    Without a limit nothing keeps a plan from calling a clean tonne unclean, or from buying in the capped source what costs the
    same elsewhere: its own share says little. ``share`` is None where the search failed.
    """
    model = build_model(instance)
    statement: Statement = getattr(model, STATEMENT)
    fix_builds(statement, builds)
    model.c_no_more_cost = pyo.Constraint(expr=sum(model.e_cost.values()) <= cost_musd + _SLACK * max(abs(cost_musd), 1.0))
    policy, network = statement.network.policy, statement.network
    counted = Question.of(instance, caps).last_rows(network.decoded(policy.caps[["cap", "year"]])).to_numpy()
    row, flow = (policy.cap_flows[name].to_numpy(dtype=np.int64) for name in ("row", "flow"))
    hit = policy.cap_flows["hit"].to_numpy(dtype=np.float64)
    usual = network.scale[policy.caps["commodity"].to_numpy(dtype=np.int64)]
    variables = list(model.v_flow.values())
    chosen = np.flatnonzero(counted[row] & (hit > 0))
    hits = sum(variables[flow[position]] / float(usual[row[position]]) for position in chosen.tolist())
    if not len(chosen):
        return {"share": 0.0}
    answer = minimised(model, hits, Limits(**limits))
    if answer.outcome.x is None:
        return {"share": None}
    tonnes = answer.point.of("v_flow")[flow]
    arrived, unclean = (np.bincount(row, weights=weights, minlength=len(counted)) for weights in (tonnes, tonnes * hit))
    return {"share": float((unclean / np.where(arrived > 0, arrived, 1.0))[counted].max(initial=0.0))}
