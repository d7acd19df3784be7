"""All inputs at once: how much of the variance of cost, and of shares, each input brings about (Sobol' indices).

The indices speak of the case with all inputs uniform within their ranges and independent, and of the model in which parts of
units may be built: a linear program, whose investments adapt to what is drawn, and whose cost is a lower bound on that of the
least-cost plan. Samples and estimators are those of SciPy (``scipy.stats.qmc.Sobol``, ``scipy.stats.sobol_indices``): Saltelli,
A., et al. (2010), Variance based sensitivity analysis of model output, Computer Physics Communications 181(2), 259-270.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyomo.common.gc_manager import PauseGC
from scipy.stats import qmc, sobol_indices

from diversify.analyses.executor import Executor, Task
from diversify.analyses.mean_shares import mean_shares
from diversify.analyses.sensitivity.between import Between
from diversify.analyses.sensitivity.inputs import Input, Provenance
from diversify.analyses.solving import Limits, Record, minimised
from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.network.ground import Floats
from diversify.planning import build_model
from diversify.planning.extract import Point

_RESAMPLES = 999
_NO_VARIANCE = 1e-9
"""Standard deviation, relative to the mean, below which an output does not vary."""


def solve_parts(instance: Instance, changes: Sequence[str], limits: Mapping[str, Any]) -> Record:
    """Return cost and mean shares of the case with changes when parts of units may be built. Work of a task."""
    case = instance.set(*changes) if changes else instance
    with PauseGC():
        model = build_model(case)
        answer = minimised(model, model.o_cost.expr, Limits(**limits), relaxed=True)
    stopped = answer.outcome.stopped
    if stopped != "optimal":
        return {"stopped": stopped, "objective_musd": None, "shares": {}}
    return {"stopped": stopped, "objective_musd": answer.outcome.objective, "shares": mean_shares(case, _shares(answer.point))}


def _shares(point: Point) -> pd.DataFrame:
    """Return the share of the capped sources in what arrives, by cap, consumers and year."""
    network = point.statement.network
    caps, members = network.policy.caps, network.policy.cap_flows
    row, flow = members["row"].to_numpy(dtype=np.int64), point.of("v_flow")[members["flow"].to_numpy(dtype=np.int64)]
    arrived = np.bincount(row, weights=flow, minlength=len(caps))
    hit = np.bincount(row, weights=flow * members["hit"].to_numpy(dtype=np.float64), minlength=len(caps))
    return network.decoded(caps[["cap", "consumers", "year"]]).assign(share=hit / np.where(arrived > 0, arrived, 1.0))


def chosen(
    instance: Instance, inputs: Sequence[Input], rows: Sequence[Mapping[str, Any]], most: int
) -> tuple[list[Between], list[dict[str, str]]]:
    """Return the inputs that are sampled, those that move cost most first, and why others are not.

    An input is left out that has no numbers between its ends, that moves nothing, that can leave no plan, or that moves a figure
    which an input before it moves already.
    """
    by_name, provenance = {each.name: each for each in inputs}, Provenance(instance)
    kept: list[Between] = []
    taken: dict[tuple[str, str, str], str] = {}
    left_out = []
    for row in rows:
        asked = by_name[row["input"]]
        cells = {cell for changes in asked.ends.values() for cell in provenance.touched(changes)}
        shared = sorted({taken[cell] for cell in cells if cell in taken})
        between = Between.of(instance, asked)
        why = (
            "at one end there is no plan"
            if row["no_plan"]
            else "it moves nothing"
            if not row["swing_musd"]
            else "there is nothing between its ends"
            if between is None
            else f"it moves figures that {shared[0]} moves"
            if shared
            else f"only the first {most} are sampled"
            if len(kept) == most
            else ""
        )
        if why or between is None:
            left_out.append({"input": asked.name, "why": why})
        else:
            kept.append(between)
            taken.update(dict.fromkeys(cells, asked.name))
    return kept, left_out


def sampled(instance: Instance, inputs: Sequence[Between], count: int, limits: Limits, executor: Executor) -> list[Record]:
    """Return what was found at count (inputs + 2) places: count of A, count of B, and count of A with each input from B.

    The places follow a scrambled Sobol' sequence of twice as many dimensions as inputs. UsageError for fewer than two inputs.
    """
    if len(inputs) < 2:
        raise UsageError("There are fewer than two inputs to sample: the indices share the variance out among several.")
    places = _places(len(inputs), count, limits.seed)
    tasks = [
        Task(
            f"sample {number + 1}",
            solve_parts,
            {
                "instance": instance,
                "changes": [text for each, part in zip(inputs, place, strict=True) for text in each.at(part)],
                "limits": limits.as_dict(),
            },
        )
        for number, place in enumerate(places.tolist())
    ]
    return executor.run(tasks)


def _places(inputs: int, count: int, seed: int) -> Floats:
    """Return the places (count (inputs + 2), inputs) within the ranges, 0 the low end and 1 the high end."""
    draws = qmc.Sobol(2 * inputs, scramble=True, seed=seed).random(count)
    a, b = draws[:, :inputs], draws[:, inputs:]
    mixed = [np.where(np.arange(inputs) == position, b, a) for position in range(inputs)]
    return np.concatenate([a, b, *mixed])


def index_rows(
    inputs: Sequence[Between], found: Sequence[Record], count: int, seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the indices by output (cost, and each cap's mean share) and input, and how each output is spread.

    A first-order index is the part of the variance that goes away on average once the input is known; a total index the part that
    stays when all but the input are known. Intervals of 95 % by the percentile bootstrap over the base places. An output that
    does not vary has no indices.
    """
    outputs = {"cost": [record["objective_musd"] for record in found]}
    for cap in sorted(set.intersection(*(set(record["shares"]) for record in found))):
        outputs[cap] = [record["shares"][cap] for record in found]
    rows, spreads = [], []
    for name, values in outputs.items():
        table = np.array(values, dtype=np.float64).reshape(len(inputs) + 2, count)
        independent = table[:2].ravel()  # A and B; the mixed places lean on both
        spread = {"mean": independent.mean(), "deviation": independent.std(), "low": independent.min(), "high": independent.max()}
        varies = bool(spread["deviation"] > _NO_VARIANCE * max(abs(spread["mean"]), _NO_VARIANCE))
        spreads.append(
            {"output": name, "unit": "musd" if name == "cost" else "share", **{k: float(v) for k, v in spread.items()}, "varies": varies}
        )
        if varies:
            rows += _indices(name, [each.name for each in inputs], table, seed)
    return rows, spreads


def _indices(output: str, names: Sequence[str], table: Floats, seed: int) -> list[dict[str, Any]]:
    count = table.shape[1]
    first, total = _estimated(table)
    resampled = np.random.default_rng(seed).integers(0, count, (_RESAMPLES, count))
    spread = np.array([_estimated(table[:, chosen]) for chosen in resampled])
    low, high = np.percentile(spread, [2.5, 97.5], axis=0)
    rows = [
        {
            "output": output,
            "input": name,
            "first_order": first[k],
            "first_order_low": low[0, k],
            "first_order_high": high[0, k],
            "total": total[k],
            "total_low": low[1, k],
            "total_high": high[1, k],
        }
        for k, name in enumerate(names)
    ]
    rows.sort(key=lambda row: (-row["total"], row["input"]))
    return [{key: float(value) if isinstance(value, np.floating) else value for key, value in row.items()} for row in rows]


def _estimated(table: Floats) -> NDArray[np.float64]:
    """Return first-order and total indices (2, d) from the outputs at A, B and A with each input from B (d + 2, n)."""
    found = sobol_indices(func={"f_A": table[:1], "f_B": table[1:2], "f_AB": table[2:, None, :]}, n=table.shape[1])
    return np.array([found.first_order, found.total_order]).reshape(2, -1)
