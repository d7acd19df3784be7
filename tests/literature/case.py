"""How the published problems reach the engine: through the public instance format and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import pytest

import diversify as dv

PUBLISHED = 1e-6
"""Relative tolerance of a comparison with an optimum that is known exactly."""


def rows(columns: str, records: Iterable[Sequence[object]]) -> pd.DataFrame:
    """Return a table whose column names stand in ``columns``, separated by blanks."""
    return pd.DataFrame([list(record) for record in records], columns=columns.split())


def solved(name: str, years: Sequence[int], tables: Mapping[str, pd.DataFrame], discount_rate: float = 0.0) -> dv.Plan:
    """Solve the case with a gap of zero and return the plan, which must be proved optimal and pass the audit.

    Without discounting an annuity is capex / life, so that a unit whose life ends within the horizon costs its capex.
    """
    meta = {"format": 1, "name": name, "years": list(years), "discount_rate": discount_rate}
    plan = dv.solve(dv.Instance.from_tables(meta, dict(tables)), gap=0)
    assert (plan.stopped, plan.holds) == ("optimal", "plan")
    assert plan.summary["audit"]["ok"], plan.summary["audit"]["violations"]
    assert plan.bound_musd == pytest.approx(objective_musd(plan), rel=PUBLISHED)
    return plan


def objective_musd(plan: dv.Plan) -> float:
    """Return the plan's cost in million USD (a profit is negative)."""
    assert plan.objective_musd is not None
    return plan.objective_musd


def built(plan: dv.Plan) -> dict[str, int]:
    """Return the number of units built of each project, projects without units left out."""
    units = plan.tables["builds"].groupby("project")["units"].sum().round().astype(int)
    return {str(project): int(number) for project, number in units.items() if number}
