"""What the audit says: violations in domain words, and how close every rule came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

TINY = 1e-9
"""Floor of a residual's scale (t, musd, units): keeps a comparison of nothing with nothing from dividing by zero."""

SMALLEST_SHARE = 0.01
"""A balance is compared with its own terms, but with no less than this share of the commodity's largest one: the
solver's tolerance follows the commodity's magnitude, not each small place's."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that the plan breaks in one place.

    ``rule`` is a stable code, ``table`` the plan's table that shows it, ``key`` the place in it (cells joined by
    ``|``), ``year`` the planning year (None: over the whole horizon), ``amount`` by how much, in ``unit``.
    """

    rule: str
    table: str
    key: str
    year: int | None
    amount: float
    unit: str
    sentence: str

    def as_dict(self) -> dict[str, object]:
        """Return the violation as the JSON object of ``summary.json``."""
        return asdict(self)

    def __str__(self) -> str:
        """Return rule and sentence on one line."""
        return f"{self.rule}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Outcome of an audit.

    ``cost_musd`` is the cost recomputed from the tables by category (discounted million USD), ``objective_musd`` its
    sum. ``residuals`` gives, for every rule that was tested, the largest deviation as a share of its scale: what is
    above the tolerance is a violation, what is below says how close it came.
    """

    violations: tuple[Violation, ...]
    cost_musd: dict[str, float]
    residuals: dict[str, float]

    @property
    def ok(self) -> bool:
        """Whether the plan keeps every rule."""
        return not self.violations

    @property
    def objective_musd(self) -> float:
        """Whole cost recomputed, discounted million USD."""
        return float(sum(self.cost_musd.values()))

    def as_dict(self) -> dict[str, object]:
        """Return the JSON object ``audit`` of ``summary.json``."""
        return {
            "ok": self.ok,
            "violations": [violation.as_dict() for violation in self.violations],
            "cost_musd": dict(self.cost_musd),
            "residuals": dict(self.residuals),
        }


@dataclass(slots=True)
class Ledger:
    """Collects what the rules find. A deviation counts when it is more than ``tolerance`` times its scale."""

    tolerance: float
    violations: list[Violation] = field(default_factory=list)
    residuals: dict[str, float] = field(default_factory=dict)

    def check(
        self,
        rule: str,
        table: str,
        rows: pd.DataFrame,
        key: Sequence[str],
        amount: pd.Series | np.ndarray,
        scale: pd.Series | np.ndarray | float,
        unit: str,
        sentence: str,
    ) -> None:
        """Record by how much each of ``rows`` breaks ``rule`` (``amount`` <= 0: not at all).

        ``scale`` is what the tolerance is relative to; ``sentence`` is filled with the row's cells and ``amount``.
        An amount that is not a number is a violation: nothing passes for want of being comparable.
        """
        if rows.empty:
            return
        amounts = np.asarray(amount, dtype=float)
        scales = np.maximum(np.broadcast_to(np.asarray(scale, dtype=float), amounts.shape), TINY)
        shares = np.where(np.isnan(amounts), np.inf, amounts / scales)
        self.residuals[rule] = max(self.residuals.get(rule, 0.0), float(shares.max()))
        broken = np.flatnonzero(~(shares <= self.tolerance))
        if not len(broken):
            return
        for row, size in zip(rows.iloc[broken].to_dict("records"), amounts[broken], strict=True):
            year = row.get("year")
            self.violations.append(
                Violation(
                    rule=rule,
                    table=table,
                    key="|".join(str(row[column]) for column in key),
                    year=None if year is None or pd.isna(year) else int(year),
                    amount=float(size),
                    unit=unit,
                    sentence=sentence.format(**{str(name): cell for name, cell in row.items()}, amount=float(size)),
                )
            )

    def forbid(self, rule: str, table: str, rows: pd.DataFrame, key: Sequence[str], sentence: str) -> None:
        """Record each of ``rows`` as a violation of ``rule``: they should not be there at all. The amount counts rows."""
        self.residuals.setdefault(rule, 0.0)
        self.check(rule, table, rows, key, np.ones(len(rows)), 1.0, "rows", sentence)
