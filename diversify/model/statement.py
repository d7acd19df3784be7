"""How a family states itself: columns and rows as tables of terms, from which the Pyomo model is built.

A family declares its columns (variables) with :meth:`Statement.columns` and its rows (constraints) with
:meth:`Statement.rows`: a row is a list of :class:`Terms`, arrays of row, column and coefficient. Terms of supply, use
and cost are registered rather than added to a row, so that the balances, the objective, the cost table and the report
iterate one registry and cannot disagree. The Pyomo model is the one statement of the mathematics: users may add to it,
and the solver's matrix is compiled from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyomo.core as pyo
from numpy.typing import ArrayLike, NDArray
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression

from diversify.network import Network
from diversify.network.ground import Floats, Ints

NEVER = "v_never"
"""A column that is always zero: it keeps a row that nothing can satisfy in the model, which then is infeasible."""


@dataclass(frozen=True)
class Columns:
    """One indexed variable: its index (decoded names, one column a dimension), its Pyomo variables and its scale.

    ``scale`` (n,) is a typical magnitude of each column, a power of two; ``start`` is the position of its first
    column among all columns of the statement.
    """

    name: str
    index: pd.DataFrame
    start: int
    scale: Floats

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class Terms:
    """Terms ``coefficient x columns[column]`` of rows ``row``; arrays of one length (scalars are spread)."""

    columns: str
    row: Ints
    column: Ints
    coefficient: Floats

    @classmethod
    def of(cls, columns: str, row: ArrayLike, column: ArrayLike, coefficient: ArrayLike) -> Terms:
        """Make arrays of whatever is given."""
        rows = np.asarray(row, dtype=np.int64)
        spread = np.broadcast_to(np.asarray(coefficient, dtype=np.float64), rows.shape)
        return cls(columns, rows, np.asarray(column, dtype=np.int64), spread)


@dataclass(frozen=True)
class Cost:
    """Terms of the objective of one category: million USD (discounted) per unit of a column, and where they fall.

    ``country`` is who pays, ``place`` the facility or lane, ``year`` the calendar year of each term. With ``columns``
    empty the terms are constants.
    """

    category: str
    columns: str
    column: Ints
    musd: Floats
    country: NDArray[np.object_]
    place: NDArray[np.object_]
    year: Ints


def _objects(values: ArrayLike, length: int) -> NDArray[np.object_]:
    return np.broadcast_to(np.asarray(values, dtype=object), (length,))


@dataclass
class Statement:
    """The model under construction: a Pyomo model beside the registries of columns, balance terms and costs."""

    network: Network
    model: Any = field(default_factory=lambda: pyo.ConcreteModel(name="diversify"))
    blocks: dict[str, Columns] = field(default_factory=dict)
    row_index: dict[str, pd.DataFrame] = field(default_factory=dict)
    supply_terms: list[Terms] = field(default_factory=list)
    use_terms: list[Terms] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    _variables: list[Any] = field(default_factory=list)

    @property
    def variables(self) -> list[Any]:
        """All Pyomo variables, block by block in the order of their columns."""
        return self._variables

    @property
    def scale(self) -> Floats:
        """A typical magnitude of every column (n,), a power of two, in the order of ``variables``."""
        return np.concatenate([block.scale for block in self.blocks.values()])

    def columns(
        self,
        name: str,
        index: pd.DataFrame,
        *,
        upper: Floats | None = None,
        integer: NDArray[np.bool_] | None = None,
        scale: ArrayLike = 1.0,
    ) -> Columns:
        """Declare non-negative variables ``name[index]``; ``upper`` bounds (inf: none), ``integer`` marks integers.

        ``index`` holds codes, one column a dimension; the variable's keys are the decoded names.
        """
        keys = self.network.decoded(index)
        block = Columns(name, keys, len(self._variables), np.broadcast_to(np.asarray(scale, dtype=np.float64), (len(keys),)))
        variable = pyo.Var(_index_set(keys), domain=pyo.NonNegativeReals)
        self.model.add_component(name, variable)
        data = list(variable.values())
        if upper is not None:
            for position in np.flatnonzero(np.isfinite(upper)).tolist():
                data[position].setub(float(upper[position]))
        if integer is not None:
            for position in np.flatnonzero(integer).tolist():
                data[position].domain = pyo.NonNegativeIntegers
        self._variables.extend(data)
        self.blocks[name] = block
        return block

    def rows(
        self, name: str, index: pd.DataFrame, terms: list[Terms], *, lower: ArrayLike | None = None, upper: ArrayLike | None = None
    ) -> None:
        """Declare constraints ``lower <= sum of terms <= upper`` for each row of ``index``; equal bounds make an equation.

        A row without terms that holds anyway is left out; one that cannot hold keeps the column ``v_never``.
        """
        low = _spread(lower, len(index), -np.inf)
        high = _spread(upper, len(index), np.inf)
        row, column, coefficient = self._stacked(terms)
        used = np.zeros(len(index), dtype=bool)
        used[row] = True
        hopeless = np.flatnonzero(~used & ((low > 0) | (high < 0)))
        kept = np.flatnonzero(used | (~used & ((low > 0) | (high < 0))))
        if len(hopeless):
            row = np.concatenate([row, hopeless])
            column = np.concatenate([column, np.full(len(hopeless), self._never())])
            coefficient = np.concatenate([coefficient, np.ones(len(hopeless))])
        keys = self.network.decoded(index).iloc[kept]
        self.row_index[name] = keys.reset_index(drop=True)
        bodies = self._bodies(row, column, coefficient)
        self.model.add_component(name, _constraint(_index_set(keys), bodies, low[kept].tolist(), high[kept].tolist()))

    def supply(self, columns: str, cell: ArrayLike, column: ArrayLike, coefficient: ArrayLike) -> None:
        """Register terms of the supply balance: positive what comes onto a supply side, negative what leaves it."""
        self.supply_terms.append(Terms.of(columns, cell, column, coefficient))

    def use(self, columns: str, cell: ArrayLike, column: ArrayLike, coefficient: ArrayLike) -> None:
        """Register terms of the use balance: positive what comes onto a use side, negative what leaves it."""
        self.use_terms.append(Terms.of(columns, cell, column, coefficient))

    def cost(
        self, category: str, columns: str, column: ArrayLike, musd: ArrayLike, *, country: ArrayLike, place: ArrayLike, year: ArrayLike
    ) -> None:
        """Register a cost in discounted million USD per unit of each column (or, with no columns, outright)."""
        amounts = np.asarray(musd, dtype=np.float64)
        charged = np.flatnonzero(amounts != 0.0)
        positions = np.asarray(column, dtype=np.int64)
        size = len(amounts)
        self.costs.append(
            Cost(
                category,
                columns,
                positions[charged] if columns else positions,
                amounts[charged],
                _objects(country, size)[charged],
                _objects(place, size)[charged],
                np.broadcast_to(np.asarray(year, dtype=np.int64), (size,))[charged],
            )
        )

    def close_objective(self) -> None:
        """Add ``e_cost[category]`` for every category and minimise their sum."""
        categories = list(dict.fromkeys(cost.category for cost in self.costs))
        expressions = {category: self._category(category) for category in categories}
        self.model.e_cost = pyo.Expression(categories, initialize=expressions)
        self.model.o_cost = pyo.Objective(expr=sum(self.model.e_cost[category] for category in categories), sense=pyo.minimize)

    def _category(self, category: str) -> LinearExpression:
        constant, columns, amounts = 0.0, [], []
        for cost in self.costs:
            if cost.category != category:
                continue
            if cost.columns:
                columns.append(cost.column + self.blocks[cost.columns].start)
                amounts.append(cost.musd)
            else:
                constant += float(cost.musd.sum())
        if not columns:
            return LinearExpression([constant])
        return _linear(self._variables, np.concatenate(columns), np.concatenate(amounts), constant)

    def _never(self) -> int:
        if NEVER not in self.blocks:
            self.columns(NEVER, pd.DataFrame({"why": ["nothing can satisfy this"]}), upper=np.zeros(1))
        return self.blocks[NEVER].start

    def _stacked(self, terms: list[Terms]) -> tuple[Ints, Ints, Floats]:
        """Return row, column (position among all) and coefficient of all terms, zero coefficients left out."""
        if not terms:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
        row = np.concatenate([part.row for part in terms])
        column = np.concatenate([part.column + self.blocks[part.columns].start for part in terms])
        coefficient = np.concatenate([part.coefficient for part in terms])
        kept = coefficient != 0.0
        return row[kept], column[kept], coefficient[kept]

    def _bodies(self, row: Ints, column: Ints, coefficient: Floats) -> Iterator[LinearExpression]:
        """Yield the linear body of each row that has terms, in order of the rows."""
        order = np.argsort(row, kind="stable")
        ends = (np.flatnonzero(np.diff(row[order])) + 1).tolist()
        terms = _terms(self._variables, column[order], coefficient[order])
        for begin, end in zip([0, *ends], [*ends, len(terms)], strict=True):
            if begin < end:
                yield LinearExpression(terms[begin:end])


def _terms(variables: list[Any], column: Ints, coefficient: Floats) -> list[Any]:
    """Return coefficient x variable for each column; a plain variable where the coefficient is one, which is lighter."""
    pairs = zip(coefficient.tolist(), column.tolist(), strict=True)
    return [variables[c] if factor == 1.0 else MonomialTermExpression((factor, variables[c])) for factor, c in pairs]


def _linear(variables: list[Any], column: Ints, coefficient: Floats, constant: float) -> LinearExpression:
    unique, position = np.unique(column, return_inverse=True)
    terms = _terms(variables, unique, np.asarray(np.bincount(position, weights=coefficient), dtype=np.float64))
    return LinearExpression([constant, *terms] if constant else terms)


def _index_set(index: pd.DataFrame) -> pyo.SetOf:
    """Return the keys of an index (distinct by construction) as a set that Pyomo takes over as it is, without checking every key."""
    columns = [index[name].tolist() for name in index.columns]
    return pyo.SetOf(columns[0] if len(columns) == 1 else list(zip(*columns, strict=True)))


def _spread(bound: ArrayLike | None, length: int, default: float) -> Floats:
    return np.broadcast_to(np.asarray(default if bound is None else bound, dtype=np.float64), (length,))


def _constraint(keys: pyo.SetOf, bodies: Iterator[LinearExpression], low: list[float], high: list[float]) -> pyo.Constraint:
    """Return an indexed constraint whose rows are taken from ``bodies`` in the order of the keys."""
    bounds = zip(low, high, strict=True)

    def rule(_model: Any, *_key: Any) -> Any:
        lower, upper = next(bounds)
        body = next(bodies)
        if lower == upper:
            return (body, upper)
        return (None if lower == -np.inf else lower, body, None if upper == np.inf else upper)

    return pyo.Constraint(keys, rule=rule)
