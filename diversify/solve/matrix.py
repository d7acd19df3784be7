"""From a Pyomo model to the solver's matrix: compiled at once, scaled once, names kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.common.collections import ComponentMap
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.common.gc_manager import PauseGC
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy.sparse import csc_array

from diversify.errors import SolverError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Matrix:
    """min cost'x + offset, row_lower <= A x <= row_upper, lower <= x <= upper, some x integer.

    Everything is in the units of the model (tonnes, units, million USD). ``columns`` are the Pyomo variables and ``rows``
    the Pyomo constraints in order; ``column_scale`` and ``row_scale`` are powers of two: the solver sees
    x / column_scale and rows multiplied by row_scale.
    """

    columns: list[Any]
    rows: list[Any]
    a: csc_array
    cost: Floats
    offset: float
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    integer: NDArray[np.bool_]
    column_scale: Floats
    row_scale: Floats

    @property
    def size(self) -> dict[str, int]:
        """Columns, rows, nonzeros and integers."""
        return {"columns": self.a.shape[1], "rows": self.a.shape[0], "nonzeros": int(self.a.nnz), "integers": int(self.integer.sum())}

    def positions(self) -> dict[int, int]:
        """Return the position of each Pyomo variable by its ``id``."""
        return {id(column): position for position, column in enumerate(self.columns)}

    def row_positions(self) -> dict[int, int]:
        """Return the position of each Pyomo constraint by its ``id``."""
        return {id(row): position for position, row in enumerate(self.rows)}

    def scaled(self) -> csc_array:
        """Return the coefficients that the solver sees."""
        scaled = self.a.copy()
        scaled.data = scaled.data * np.repeat(self.column_scale, np.diff(scaled.indptr)) * self.row_scale[scaled.indices]
        return scaled

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return smallest and largest magnitude of what the solver sees: coefficients, costs, bounds and sides."""
        sides = np.concatenate([self.row_lower * self.row_scale, self.row_upper * self.row_scale])
        return {
            "matrix": _range(self.scaled().data),
            "cost": _range(self.cost * self.column_scale),
            "bound": _range(np.concatenate([self.lower, self.upper]) / np.tile(self.column_scale, 2)),
            "side": _range(sides),
        }


def _range(values: Floats) -> tuple[float, float]:
    sizes = np.abs(values[np.isfinite(values) & (values != 0.0)])
    return (float(sizes.min()), float(sizes.max())) if len(sizes) else (0.0, 0.0)


def compile_model(model: pyo.ConcreteModel, scales: Mapping[str, Floats] | None = None) -> Matrix:
    """Compile a linear Pyomo model with one objective to a matrix.

    ``scales`` gives a typical magnitude (power of two) for each element of a variable, by the variable's name; other
    columns, and integers, stay as they are. Raises SolverError where the model is not linear or holds no objective.
    """
    scales = scales or {}
    with PauseGC():
        order = [model.component(name) for name in scales if model.component(name) is not None]
        try:
            info = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None, column_order=order)
        except InfeasibleConstraintException as error:
            raise SolverError(f"a constraint without variables cannot hold: {error}") from error
    if len(info.objectives) != 1:
        raise SolverError(f"the model must have one active objective, it has {len(info.objectives)}")
    sides = np.asarray(info.rhs, dtype=np.float64)
    sense = np.array([row.bound_type for row in info.rows], dtype=np.int64)
    lower, upper, integer = _bounds(info.columns)
    a = csc_array(info.A)
    column_scale = np.where(integer, 1.0, _column_scale(model, scales, info.columns))
    return Matrix(
        columns=list(info.columns),
        rows=[row.constraint for row in info.rows],
        a=a,
        cost=np.asarray(info.c.todense(), dtype=np.float64).ravel(),
        offset=float(info.c_offset[0]),
        lower=lower,
        upper=upper,
        row_lower=np.where(sense <= 0, sides, -np.inf),
        row_upper=np.where(sense >= 0, sides, np.inf),
        integer=integer,
        column_scale=column_scale,
        row_scale=_row_scale(a, column_scale),
    )


def _bounds(columns: list[Any]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    bounds = [column.bounds for column in columns]
    lower = np.array([-np.inf if low is None else low for low, _ in bounds], dtype=np.float64)
    upper = np.array([np.inf if high is None else high for _, high in bounds], dtype=np.float64)
    return lower, upper, np.array([not column.is_continuous() for column in columns], dtype=bool)


def _column_scale(model: pyo.ConcreteModel, scales: Mapping[str, Floats], columns: list[Any]) -> Floats:
    known = ComponentMap()
    for name, values in scales.items():
        for variable, value in zip(model.component(name).values(), values.tolist(), strict=True):
            known[variable] = value
    return np.array([known.get(column, 1.0) for column in columns], dtype=np.float64)


def _row_scale(a: csc_array, column_scale: Floats) -> Floats:
    """Return a power of two per row that brings the middle of its coefficients' magnitudes near one."""
    logs = np.log2(np.abs(a.data) * np.repeat(column_scale, np.diff(a.indptr)))
    low, high = np.full(a.shape[0], np.inf), np.full(a.shape[0], -np.inf)
    np.minimum.at(low, a.indices, logs)
    np.maximum.at(high, a.indices, logs)
    middle = np.where(np.isfinite(low), (low + high) / 2.0, 0.0)
    return np.asarray(2.0 ** -np.round(middle), dtype=np.float64)


def file_names(components: list[Any]) -> list[str]:
    """Return names that LP and MPS files accept, unique, as close to the components' own names as can be."""
    names, used = [], set()
    for component in components:
        name = re.sub(r"[^A-Za-z0-9_.,()\[\]]+", "_", component.name).replace("[", "(").replace("]", ")")[:200]
        unique, count = name, 2
        while unique in used:
            unique, count = f"{name}~{count}", count + 1
        used.add(unique)
        names.append(unique)
    return names
