"""A plain statement of a linear or integer problem, for formulations that share nothing with the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp


class Statement:
    """Minimise cost x subject to low <= A x <= high, 0 <= x <= upper, some x whole numbers.

    Variables are known by the number that :meth:`variable` returns.
    """

    def __init__(self) -> None:
        """Start without variables and rows."""
        self._costs: list[float] = []
        self._uppers: list[float] = []
        self._whole: list[int] = []
        self._rows: list[tuple[dict[int, float], float, float]] = []

    def variable(self, cost: float = 0.0, upper: float = inf, whole: bool = False) -> int:
        """Add a variable between 0 and ``upper`` and return its number."""
        self._costs.append(cost)
        self._uppers.append(upper)
        self._whole.append(int(whole))
        return len(self._costs) - 1

    def switch(self, cost: float = 0.0) -> int:
        """Add a variable that is 0 or 1."""
        return self.variable(cost, upper=1.0, whole=True)

    def row(self, terms: Mapping[int, float], low: float = -inf, high: float = inf) -> None:
        """Add low <= sum of coefficient x variable <= high."""
        self._rows.append((dict(terms), low, high))

    def equal(self, terms: Mapping[int, float], value: float = 0.0) -> None:
        """Add sum of coefficient x variable = value."""
        self.row(terms, value, value)

    def minimum(self) -> float:
        """Return the least cost, to a gap of zero."""
        matrix = np.zeros((len(self._rows), len(self._costs)))
        for number, (terms, _, _) in enumerate(self._rows):
            for variable, coefficient in terms.items():
                matrix[number, variable] = coefficient
        lows = np.array([low for _, low, _ in self._rows])
        highs = np.array([high for _, _, high in self._rows])
        answer = milp(
            np.array(self._costs),
            integrality=np.array(self._whole),
            bounds=Bounds(np.zeros(len(self._costs)), np.array(self._uppers)),
            constraints=LinearConstraint(matrix, lows, highs),
            options={"mip_rel_gap": 0.0},
        )
        assert answer.success, answer.message
        return float(answer.fun)


def total(variables: Iterable[int], coefficient: float = 1.0) -> dict[int, float]:
    """Return the terms of coefficient x (sum of the variables)."""
    return dict.fromkeys(variables, coefficient)
