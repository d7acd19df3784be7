"""The scenarios that one plan is made for: which, how likely, and how their costs are weighed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.instance.names import nearest
from diversify.network.ground import Floats
from diversify.solve import Risk
from diversify.solve.extensive import cvar

BASE = "base"
"""Name of the data without any scenario."""

_ROUNDING = 1e-6
"""How far probabilities may be from a sum of 1."""


@dataclass(frozen=True)
class Ensemble:
    """Scenarios of a case with their probabilities (S,), which sum to 1, and the risk measure."""

    case: Instance
    names: tuple[str, ...]
    probability: tuple[float, ...]
    risk: Risk
    _made: dict[str, Instance] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, case: Instance, scenarios: Sequence[str] | Mapping[str, float] | None, risk: Risk) -> Ensemble:
        """Return the scenarios that are named, with the weights given or their own, or all that have a probability.

        Weights given must sum to 1, and so must the case's own where all are taken; those of some of the scenarios are scaled to do so.
        Raises UsageError where there are none, one is unknown, or the weights make no sense.
        """
        if case.applied[0] is not None:
            raise UsageError(f"The instance has the scenario {case.applied[0]!r} in it already. Give it as it is without one.")
        own = {str(row["scenario"]): row.get("probability") for row in case.records("scenarios")}
        if scenarios is None:
            weights = {name: _number(weight) for name, weight in own.items() if weight is not None and _number(weight) > 0}
            if not weights:
                raise UsageError(
                    f"No scenario of {case.name} has a probability. Fill the column in the table scenarios, or name scenarios."
                )
        elif isinstance(scenarios, Mapping):
            weights = {name: float(weight) for name, weight in scenarios.items()}
        else:
            _check_names(scenarios, own)
            weights = _scaled({name: own.get(name) for name in scenarios})
        _check_names(list(weights), own)
        _check_weights(weights)
        return cls(case, tuple(weights), tuple(weights.values()), risk)

    @property
    def weights(self) -> Floats:
        """The probabilities as an array (S,)."""
        return np.array(self.probability)

    @property
    def likeliest(self) -> str:
        """The name of the scenario of greatest probability, the first of several."""
        return self.names[int(np.argmax(self.weights))]

    def instance(self, name: str) -> Instance:
        """Return the case under one of its scenarios, made once."""
        if name not in self._made:
            self._made[name] = instance_of(self.case, name)
        return self._made[name]

    def weighed(self, costs: Mapping[str, float]) -> float:
        """Return the risk-weighed cost of each scenario's cost."""
        return self.risk.of(np.array([costs[name] for name in self.names]), self.weights)

    def tail(self, costs: Mapping[str, float]) -> float:
        """Return the conditional value at risk of each scenario's cost at the measure's level."""
        return cvar(np.array([costs[name] for name in self.names]), self.weights, self.risk.level)


def instance_of(case: Instance, name: str) -> Instance:
    """Return a case under one of its scenarios, or as it is for ``base``."""
    return case if name == BASE and BASE not in set(case.table("scenarios")["scenario"]) else case.scenario(name)


def _number(value: Any) -> float:
    return float(value) if value is not None else 0.0


def _scaled(weights: Mapping[str, Any]) -> dict[str, float]:
    missing = [name for name, weight in weights.items() if weight is None]
    if missing:
        raise UsageError(
            f"{missing[0]!r} has no probability in the table scenarios. Give weights with the names, such as {missing[0]}=0.2."
        )
    total = sum(map(float, weights.values()))
    return {name: float(weight) / total for name, weight in weights.items()} if total > 0 else dict.fromkeys(weights, 0.0)


def _check_names(names: Sequence[str], known: Mapping[str, Any]) -> None:
    unknown = [name for name in names if name not in known and name != BASE]
    if unknown:
        hint = nearest(unknown[0], known) or (f" Known: {', '.join(known)}." if known else " The instance has none.")
        raise UsageError(f"There is no scenario {unknown[0]!r}.{hint}")
    if len(set(names)) < len(names):
        raise UsageError("Name each scenario once.")


def _check_weights(weights: Mapping[str, float]) -> None:
    if not all(0.0 <= weight < np.inf for weight in weights.values()) or abs(sum(weights.values()) - 1.0) > _ROUNDING:
        told = ", ".join(f"{name} {weight:g}" for name, weight in weights.items())
        raise UsageError(f"Probabilities lie between 0 and 1 and sum to 1; they are {told or 'none'}.")
