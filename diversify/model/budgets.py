"""Budgets: overnight capital committed in a span of years, first-unit costs included."""

from __future__ import annotations

import numpy as np

from diversify.model.statement import Statement, Terms


def add(s: Statement) -> None:
    """State the budgets."""
    c_budget(s)


def c_budget(s: Statement) -> None:
    """sum of capex_musd v_build + capex_first_musd v_open over what is decided within the budget's years <= limit_musd (million USD)."""
    plants, policy = s.network.plants, s.network.policy
    paid = policy.budget_units
    project = plants.online["project"].to_numpy()[paid["online"]]
    capex = plants.projects["capex_musd"].to_numpy(dtype=np.float64)[project]
    opening = plants.openings
    column = np.full(len(plants.online), -1)
    column[opening["online"]] = np.arange(len(opening))
    first = column[paid["online"]] >= 0
    capex_first = plants.projects["capex_first_musd"].to_numpy(dtype=np.float64)[project]
    terms = [
        Terms.of("v_build", paid["row"], paid["online"], capex),
        Terms.of("v_open", paid["row"][first], column[paid["online"][first]], capex_first[first]),
    ]
    s.rows("c_budget", policy.budgets[["budget"]], terms, upper=policy.budgets["limit_musd"])
