"""A conflict: rules that cannot all be kept, of which none can be left out. Found by an elastic filter, then by leaving out one by one.

The elastic filter (J. W. Chinneck, Feasibility and Infeasibility in Optimization, 2008) lets every rule be missed at a price and enforces
those that are missed, until what is enforced cannot be kept: that holds a conflict. Then every rule is left out in turn, and
stays out where the others cannot be kept without it either. All is done first with parts of units allowed, which is quick, and
decided with whole units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diversify.analyses.diagnose.rules import Rule, sides
from diversify.analyses.solving import Limits
from diversify.solve import Matrix, Outcome, Stretch, indifferent, left_out, parts_allowed, run, stretched

_MISSED = 1e-6
"""By how much (in the solver's units) a rule must be missed to count as missed."""


@dataclass(frozen=True)
class Conflict:
    """Rules that cannot all be kept. ``proved`` says that they cannot, ``irreducible`` that every one of them is needed for that.

    With no ``rules`` and ``proved``, physics alone allows no plan. ``linear``: parts of units would not help.
    """

    rules: tuple[Rule, ...]
    proved: bool
    irreducible: bool
    linear: bool


@dataclass(frozen=True)
class Filter:
    """The matrix of a case, its rules, and how long each solve may take."""

    matrix: Matrix
    rules: tuple[Rule, ...]
    limits: Limits

    def conflict(self) -> Conflict:
        """Return a conflict; ``proved`` is false where a limit of time, or the exactness of the solver, left none to be had."""
        held, proved = self._enforced()
        if not proved:
            return Conflict((), False, False, False)
        held = self._without_years(held)
        held, irreducible = self._one_by_one(held)
        return Conflict(tuple(held), True, irreducible, self._impossible(held, parts=True) is True)

    def _enforced(self) -> tuple[list[Rule], bool]:
        """Return rules that cannot all be kept, and whether that is proved."""
        enforced: list[Rule] = []
        parts = True
        while True:
            outcome = self._stretched(enforced, parts=parts)
            if outcome.stopped == "infeasible":
                return enforced, True
            missed = self._missed(outcome, enforced)
            enforced = sorted([*enforced, *missed], key=self.rules.index)
            if not missed and not parts:
                return enforced, False
            parts = parts and bool(missed)

    def missable(self, enforced: Sequence[Rule]) -> Matrix:
        """Return the matrix in which all rules but the enforced may be missed; the cost is how far, as the solver sees it."""
        rows = [(row, position, 1.0 if rule.lower else -1.0) for position, rule in enumerate(self.rules) for row in rule.rows]
        row = np.array([each[0] for each in rows], dtype=np.int64)
        fixed = np.array([rule in enforced for rule in self.rules], dtype=bool)
        stretch = Stretch(
            row=row,
            column=np.array([each[1] for each in rows], dtype=np.int64),
            coefficient=np.array([each[2] for each in rows]) / self.matrix.row_scale[row],
            most=np.where(fixed, 0.0, np.inf),
            price=np.ones(len(self.rules)),
            integer=np.zeros(len(self.rules), dtype=bool),
        )
        return stretched(self.matrix, stretch)

    def _stretched(self, enforced: Sequence[Rule], *, parts: bool) -> Outcome:
        whole = self.missable(enforced)
        return _ended(run(parts_allowed(whole) if parts else whole, self.limits.options))

    def _missed(self, outcome: Outcome, enforced: Sequence[Rule]) -> list[Rule]:
        if outcome.x is None:
            return []
        by_how_much = outcome.x[len(self.matrix.cost) :]
        return [rule for rule, missed in zip(self.rules, by_how_much, strict=True) if missed > _MISSED and rule not in enforced]

    def _without_years(self, held: list[Rule]) -> list[Rule]:
        """Leave out the rules of whole years where the others cannot be kept without them: conflicts are mostly of one year."""
        for year in sorted({rule.year for rule in held if rule.year is not None}):
            rest = [rule for rule in held if rule.year != year]
            if self._impossible(rest) is True:
                held = rest
        return held

    def _one_by_one(self, held: list[Rule]) -> tuple[list[Rule], bool]:
        """Leave out what is not needed; whether it is decided of every rule that is left that it is needed."""
        decided = True
        for rule in list(held):
            rest = [each for each in held if each is not rule]
            impossible = self._impossible(rest)
            if impossible is True:
                held = rest
            decided = decided and impossible is not None
        return held, decided

    def _impossible(self, kept: Sequence[Rule], *, parts: bool = False) -> bool | None:
        """Return whether no plan keeps these rules alone; None where that stays open. ``parts`` allows parts of units."""
        matrix = indifferent(left_out(self.matrix, *sides([rule for rule in self.rules if rule not in kept])))
        if _ended(run(parts_allowed(matrix), self.limits.options)).stopped == "infeasible":
            return True
        if parts:
            return False
        outcome = _ended(run(matrix, self.limits.options))
        return True if outcome.stopped == "infeasible" else False if outcome.x is not None else None


def _ended(outcome: Outcome) -> Outcome:
    if outcome.stopped == "interrupted":
        raise KeyboardInterrupt
    return outcome
