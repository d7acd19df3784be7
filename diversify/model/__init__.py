"""The mixed-integer model: one module per family of constraints, stated in Pyomo."""

from __future__ import annotations

from pyomo.common.gc_manager import PauseGC

from diversify.model import balance, budgets, capacity, demand, production, shares, shipping, stocks
from diversify.model.statement import Statement
from diversify.network import Network

__all__ = ["FAMILIES", "Statement", "state"]

FAMILIES = (production, capacity, shipping, demand, stocks, shares, budgets, balance)
"""The families in order; the balance comes last because it closes what the others registered."""


def state(network: Network) -> Statement:
    """State the whole model of a network: every family, then the objective."""
    with PauseGC():
        statement = Statement(network)
        for family in FAMILIES:
            family.add(statement)
        statement.close_objective()
    return statement
