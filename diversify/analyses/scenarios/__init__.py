"""Scenarios for stochastic work: drawn from the table families, or from a planner's own table of draws, and reduced to few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.scenarios.changes import Base, Draw
from diversify.analyses.scenarios.draws import DRAWN, drawn, given
from diversify.analyses.scenarios.families import Family, events, families_of, happens
from diversify.analyses.scenarios.reduction import forward_selection, scaled
from diversify.errors import UsageError
from diversify.instance import Instance, load
from diversify.network.ground import records

__all__ = ["Sample", "reduce", "sample"]


@dataclass(frozen=True)
class Sample:
    """Scenarios that were drawn.

    ``instance`` holds them in its tables ``scenarios`` and ``changes``. ``draws`` says what happens in each: ``scenario``,
    ``probability``, then by family ``<family>.happens``, ``.first`` (year), ``.years`` (length) and ``.size`` (in the unit of its
    kind), as far as it has them; blank where it does not happen. ``seed`` is None where the draws were given. After a reduction
    ``reduced_from`` is the number of scenarios before it, ``distance`` the Kantorovich distance that remains and
    ``distance_of_one`` that of the best single scenario, both in ranges of a parameter (see :func:`reduce`), and ``lost`` names
    families that happen in some of the scenarios before it and in none that is kept, with the probability that they had.
    """

    instance: Instance
    draws: pd.DataFrame
    seed: int | None = None
    reduced_from: int | None = None
    distance: float = 0.0
    distance_of_one: float | None = None
    lost: Mapping[str, float] = field(default_factory=dict)

    @property
    def summary(self) -> dict[str, Any]:
        """What was drawn, as the JSON object that the command prints."""
        return {
            "verb": "scenarios",
            "instance": self.instance.name,
            "scenarios": len(self.draws),
            "seed": self.seed,
            "reduced_from": self.reduced_from,
            "distance": self.distance,
            "distance_of_one": self.distance_of_one,
            "lost": dict(self.lost),
            "parameters": [row for family in families_of(self.instance) for row in _described(family, self.draws)],
            "drawn": [
                {"scenario": row["scenario"], "probability": row["probability"], "title": row["title"]}
                for row in self.instance.records("scenarios")
                if row.get("source") == DRAWN
            ],
        }


def sample(
    instance: Instance | str | Path,
    count: int | None = None,
    *,
    seed: int = 0,
    draws: pd.DataFrame | str | Path | None = None,
) -> Sample:
    """Return scenarios for the families of an instance: ``count`` drawn by Latin hypercube, or those of a table of draws.

    ``instance`` is an Instance or anything that ``load`` takes. Drawn ones are equally likely; ``draws``, a frame or the path of a
    CSV file with the columns of :attr:`Sample.draws`, carries its own probabilities. The families' parameters are independent and
    uniform within their ranges, but for families that follow another. Scenarios of the instance stay, without a probability, so
    that those drawn sum to 1; scenarios drawn before are replaced. Every change is of data from the reveal year on.

    Raises UsageError where there are no families, or not exactly one of ``count`` and ``draws``; InstanceError with every problem of a
    table of draws.
    """
    case = instance if isinstance(instance, Instance) else load(instance)
    if (count is None) == (draws is None):
        raise UsageError("Give either a number of draws or a table of draws.")
    families = families_of(case)
    table = given(draws, case, families) if draws is not None else drawn(families, count or 0, seed)
    return Sample(_with_scenarios(case, families, table), table, seed if draws is None else None)


def reduce(
    scenarios: Sample | Instance | str | Path,
    *,
    to: int,
    draws: pd.DataFrame | str | Path | None = None,
) -> Sample:
    """Return ``to`` of the scenarios with the probabilities of the others added to the nearest kept, by fast forward selection.

    ``scenarios`` is what :func:`sample` returned, or an instance with ``draws`` as that function takes them. The distance of two
    scenarios is Euclidean between their draws, each parameter scaled to 0 for its least and 1 for its largest value; a family that
    does not happen counts at the size that changes nothing. ``distance`` of the result is the Kantorovich distance that remains. Of
    equals the earlier is kept. See Heitsch and Roemisch (2003), Computational Optimization and Applications 24(2-3), 187-206.

    Raises UsageError where ``to`` is not from 1 to the number of scenarios, and what :func:`sample` raises.
    """
    if isinstance(scenarios, Sample):
        whole = scenarios
        if draws is not None:
            raise UsageError("The scenarios have their draws already. Give an instance with a table of draws, or scenarios alone.")
    else:
        whole = sample(scenarios, draws=draws)
    families = families_of(whole.instance)
    weights = whole.draws["probability"].to_numpy(dtype=np.float64)
    chosen = forward_selection(scaled(families, whole.draws), weights, to)
    kept = whole.draws.iloc[chosen.kept].reset_index(drop=True).assign(probability=chosen.probability)
    return replace(
        whole,
        instance=_with_scenarios(whole.instance, families, kept),
        draws=kept,
        reduced_from=len(whole.draws),
        distance=chosen.distance,
        distance_of_one=chosen.distance_of_one,
        lost=_lost(families, whole.draws, kept),
    )


def _lost(families: list[Family], before: pd.DataFrame, kept: pd.DataFrame) -> dict[str, float]:
    """Return the families that no kept draw has, with the probability that they had."""
    weights = before["probability"].to_numpy(dtype=np.float64)
    there, left = happens(families, before), happens(families, kept)
    return {name: float(weights @ part) for name, part in there.items() if part.any() and not left[name].any()}


def _with_scenarios(case: Instance, families: list[Family], draws: pd.DataFrame) -> Instance:
    """Return the case with the draws as scenarios beside its own, which lose their probabilities; those drawn before go."""
    own = [row for row in case.records("scenarios") if row.get("source") != DRAWN]
    names = {row["scenario"] for row in own}
    scenarios = [{name: value for name, value in row.items() if name != "probability"} for row in own]
    changes = [row for row in case.records("changes") if row["scenario"] in names]
    base = Base(case)
    of_draw = {"source": DRAWN, "quality": "derived"}
    for row in records(draws):
        state, happening = Draw.of(base), events(families, row)
        title = "; ".join(event.said for event in happening) or "nothing of the families happens"
        scenarios.append({"scenario": row["scenario"], "probability": row["probability"], "title": title, **of_draw})
        for event in happening:
            for change in state.changes(event):
                changes.append({"scenario": row["scenario"], "change": change, "note": event.said, **of_draw})
    return case.replace(scenarios=scenarios, changes=changes or None)


def _described(family: Family, draws: pd.DataFrame) -> list[dict[str, Any]]:
    """Return for each parameter of a family its range and what was drawn: least, largest and mean value by probability."""
    weights = draws["probability"].to_numpy(dtype=np.float64)
    there = happens([family], draws)[family.name] > 0.0
    weight = float(weights[there].sum())
    rows = []
    for name, span in family.ranges.items():
        values = draws[f"{family.name}.{name}"].to_numpy(dtype=np.float64, na_value=np.nan)[there]
        rows.append(
            {
                "family": family.name,
                "kind": family.kind,
                "follows": None if family.leads else family.leader,
                "chance": family.chance if family.leads else None,
                "happens": weight,
                "parameter": name,
                "low": span.low,
                "high": span.high,
                "drawn_low": float(values.min()) if len(values) else None,
                "drawn_high": float(values.max()) if len(values) else None,
                "drawn_mean": float(values @ weights[there] / weight) if weight > 0.0 else None,
            }
        )
    return rows
