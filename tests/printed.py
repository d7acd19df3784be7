"""How a row or an objective reads in a test: one term a line, then the sides."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn


def number(value: float) -> str:
    """Return ``2`` for 2.0, and at most ten digits."""
    return f"{value:.10g}"


def terms(expression: Any) -> tuple[dict[str, float], float]:
    """Return the coefficients of a linear expression by the names of its variables, and its constant."""
    body = generate_standard_repn(expression, compute_values=True)
    assert body.is_linear()
    return {variable.name: value for variable, value in zip(body.linear_vars, body.linear_coefs, strict=True)}, float(body.constant)


def printed(row: Any) -> str:
    """Return a row with one term a line in the order of names, its sides last."""
    coefficients, constant = terms(row.body)
    assert constant == 0.0
    lower, upper = (None if side is None else float(pyo.value(side)) for side in (row.lower, row.upper))
    sides = f"= {number(lower)}" if lower is not None and lower == upper else ""
    if not sides:
        assert (lower is None) != (upper is None)
        sides = f">= {number(lower)}" if lower is not None else f"<= {number(float(upper or 0.0))}"
    return "\n".join([*(f"{number(coefficients[name])} {name}" for name in sorted(coefficients)), sides])


def lines(text: str) -> str:
    """Return the lines of an indented text without their indent."""
    return "\n".join(line.strip() for line in text.strip().splitlines())
