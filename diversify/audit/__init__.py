"""The audit: a plan re-checked from the instance's tables and its own, sharing no code with the model.

Tolerances. A solver keeps each row of the model to about 1e-6 of the scale on which it sees it, and a plan leaves out
quantities of about 1e-9 of the largest. So a deviation counts when it is more than ``tolerance`` (1e-6) times its scale:
the size of the quantities that the rule compares, but no less than a hundredth of the largest quantity of that
commodity, process or cost category. Ten tonnes of germanium are thus held to grams and a million tonnes of lithium to
a kilogram or so. Units are compared as numbers of units, shares as shares, the whole cost with the sum of its parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pandas as pd

from diversify.audit.balances import check_material
from diversify.audit.builds import check_builds
from diversify.audit.capacity import check_capacity
from diversify.audit.data import resolve
from diversify.audit.money import check_money
from diversify.audit.policy import check_policy
from diversify.audit.report import AuditReport, Ledger, Violation
from diversify.audit.shares import check_shares
from diversify.audit.tables import read_tables
from diversify.instance import Instance

__all__ = ["AuditReport", "Audited", "Violation", "audit"]


class Audited(Protocol):
    """What the audit needs of a plan: the tables of a result folder, the stated objective, and whether it holds a plan."""

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Tables by name, columns as in a result folder."""

    @property
    def objective_musd(self) -> float | None:
        """Stated cost, discounted million USD."""

    @property
    def holds(self) -> str:
        """``plan`` or ``none``."""


def audit(instance: Instance, plan: Audited, tolerance: float = 1e-6) -> AuditReport:
    """Re-check ``plan`` against the tables of ``instance`` and recompute its cost.

    ``tolerance`` is relative to each rule's own scale (see the module). A plan that holds none has nothing to check.
    """
    if plan.holds != "plan":
        return AuditReport((), {}, {})
    case, ledger = resolve(instance), Ledger(tolerance)
    tables = read_tables(plan.tables, case, ledger)
    scale = check_material(tables, case, ledger)
    check_capacity(tables, case, ledger)
    check_builds(tables["builds"], case, ledger)
    check_policy(tables, scale, case, ledger)
    check_shares(tables, scale, case, ledger)
    cost = check_money(tables, plan.objective_musd, case, ledger)
    return AuditReport(tuple(ledger.violations), cost, dict(ledger.residuals))
