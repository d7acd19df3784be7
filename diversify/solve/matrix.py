"""From a Pyomo model to the solver's matrix: compiled at once, scaled once, names kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.core as pyo
from numpy.typing import NDArray
from pyomo.common import dependencies
from pyomo.common.enums import ObjectiveSense
from pyomo.common.errors import InfeasibleConstraintException, InvalidConstraintError
from pyomo.common.gc_manager import PauseGC
from pyomo.core.expr.numeric_expr import MonomialTermExpression
from pyomo.repn.linear import ExprType, LinearBeforeChildDispatcher, LinearRepnVisitor
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler, _LinearStandardFormCompiler_impl

from diversify.errors import SolverError

if TYPE_CHECKING:
    from scipy.sparse import csc_array

if isinstance(dependencies.scipy_available, dependencies.DeferredImportIndicator):
    # SciPy loads its parts itself when they are first used; Pyomo's hook would load them all with the first, for a second.
    dependencies.scipy_available._callback = None

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Matrix:
    """min cost'x + offset, row_lower <= A x <= row_upper, lower <= x <= upper, some x integer.

    Everything is in the units of the model (tonnes, units, million USD). ``columns`` are the Pyomo variables and ``rows``
    the Pyomo constraints in order; ``column_scale``, ``row_scale`` and ``cost_scale`` are powers of two: the solver sees
    x / column_scale, rows multiplied by row_scale and the objective multiplied by cost_scale.
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
    cost_scale: float

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

    def scaled_cost(self) -> Floats:
        """Return the cost that the solver sees (n,)."""
        return self.cost * self.column_scale * self.cost_scale

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return smallest and largest magnitude of what the solver sees: coefficients, costs, bounds and sides."""
        sides = np.concatenate([self.row_lower * self.row_scale, self.row_upper * self.row_scale])
        return {
            "matrix": _range(self.scaled().data),
            "cost": _range(self.scaled_cost()),
            "bound": _range(np.concatenate([self.lower, self.upper]) / np.tile(self.column_scale, 2)),
            "side": _range(sides),
        }


def _range(values: Floats) -> tuple[float, float]:
    sizes = np.abs(values[np.isfinite(values) & (values != 0.0)])
    return (float(sizes.min()), float(sizes.max())) if len(sizes) else (0.0, 0.0)


def compile_model(model: pyo.ConcreteModel, variables: Sequence[Any] = (), scale: Floats | None = None) -> Matrix:
    """Compile a linear Pyomo model with one objective to a matrix.

    ``scale`` (n,) gives a typical magnitude (power of two) of each of ``variables``; other columns, and integers, stay as
    they are. Raises SolverError where the model is not linear or holds no objective.
    """
    with PauseGC():
        try:
            info = _Compiler(variables).write(model)
        except InfeasibleConstraintException as error:
            raise SolverError(f"a constraint without variables cannot hold: {error}") from error
        except InvalidConstraintError as error:
            raise SolverError(f"the model is not linear: {error}") from error
        if len(info.objectives) != 1:
            raise SolverError(f"the model must have one active objective, it has {len(info.objectives)}")
        if info.objectives[0].sense != ObjectiveSense.minimize:
            raise SolverError("the objective is maximised; state it as something to minimise")
        known = {} if scale is None else dict(zip(map(id, variables), scale.tolist(), strict=True))
        return _matrix(info, np.array([known.get(each, 1.0) for each in map(id, info.columns)], dtype=np.float64))


class _Dispatcher(LinearBeforeChildDispatcher):  # type: ignore[misc]  # Pyomo has no types
    """How Pyomo reads expressions, with a short way for the rows that a statement makes: numbers times variables, each once."""

    @staticmethod
    def _before_linear(visitor: Any, child: Any) -> Any:
        terms = child.args  # not _args_: sums that were made of each other share that list, each up to a length of its own
        linear: dict[int, float] = {}
        for term in terms:
            if term.__class__ is MonomialTermExpression:
                coefficient, variable = term._args_
                linear[id(variable)] = coefficient
            else:
                linear[id(term)] = 1.0
        each_once = len(linear) == len(terms) and linear.keys() <= visitor.var_map.keys()
        if not each_once or set(map(type, linear.values())) != {float}:
            return LinearBeforeChildDispatcher._before_linear(visitor, child)
        result = visitor.Result()
        result.linear = linear
        return False, (ExprType.LINEAR, result)


class _Visitor(LinearRepnVisitor):  # type: ignore[misc]
    before_child_dispatcher = _Dispatcher()


class _Compiler(_LinearStandardFormCompiler_impl):  # type: ignore[misc]
    """Pyomo's compiler to standard form, with columns in the order of ``variables`` without the cost of ``column_order``.

    Variables beyond these follow in the order in which Pyomo meets them.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        super().__init__(LinearStandardFormCompiler.CONFIG({"mixed_form": True, "set_sense": None}))
        self._variables = variables

    def _get_visitor(self, cache: dict[int, Any], var_recorder: Any) -> _Visitor:
        var_recorder.var_map.update(zip(map(id, self._variables), self._variables, strict=True))
        return _Visitor(cache, var_recorder=var_recorder)


def _matrix(info: Any, column_scale: Floats) -> Matrix:
    """Return Pyomo's standard form as a matrix with sides, bounds and scales."""
    sides = np.asarray(info.rhs, dtype=np.float64)
    sense = np.array([row.bound_type for row in info.rows], dtype=np.int64)
    lower, upper, integer = _bounds(info.columns)
    a = info.A
    scale = np.where(integer, 1.0, column_scale)
    cost = np.asarray(info.c.todense(), dtype=np.float64).ravel()
    return Matrix(
        columns=list(info.columns),
        rows=[row.constraint for row in info.rows],
        a=a,
        cost=cost,
        offset=float(info.c_offset[0]),
        lower=lower,
        upper=upper,
        row_lower=np.where(sense <= 0, sides, -np.inf),
        row_upper=np.where(sense >= 0, sides, np.inf),
        integer=integer,
        column_scale=scale,
        row_scale=row_scale_of(a, scale),
        cost_scale=cost_scale_of(cost * scale),
    )


def _bounds(columns: list[Any]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    bounds = [column.bounds for column in columns]
    lower = np.array([-np.inf if low is None else low for low, _ in bounds], dtype=np.float64)
    upper = np.array([np.inf if high is None else high for _, high in bounds], dtype=np.float64)
    return lower, upper, np.array([not column.is_continuous() for column in columns], dtype=bool)


def row_scale_of(a: csc_array, column_scale: Floats) -> Floats:
    """Return a power of two per row that brings the middle of its coefficients' magnitudes near one."""
    logs = np.log2(np.abs(a.data) * np.repeat(column_scale, np.diff(a.indptr)))
    low, high = np.full(a.shape[0], np.inf), np.full(a.shape[0], -np.inf)
    np.minimum.at(low, a.indices, logs)
    np.maximum.at(high, a.indices, logs)
    empty = ~np.isfinite(low)
    low[empty] = high[empty] = 0.0
    middle = (low + high) / 2.0
    return np.asarray(2.0 ** -np.round(middle), dtype=np.float64)


def cost_scale_of(cost: Floats) -> float:
    """Return a power of two that brings the geometric mean of the costs near one, since HiGHS's tolerances are absolute."""
    sizes = np.abs(cost[cost != 0.0])
    return float(2.0 ** -np.round(np.mean(np.log2(sizes)))) if len(sizes) else 1.0


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
