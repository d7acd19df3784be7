"""The main job: instance -> network -> model -> solver -> plan -> audit."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyomo.core as pyo
from pyomo.common.gc_manager import PauseGC

from diversify.audit import AuditReport, audit
from diversify.errors import UsageError
from diversify.instance import Instance, load
from diversify.model import Statement, state
from diversify.network import Network
from diversify.network.ground import Bools, Floats
from diversify.plan import TABLES, Plan, empty_tables
from diversify.planning.consumers import consumer_costs
from diversify.planning.extract import Point, plan_tables
from diversify.planning.graph import Graph
from diversify.planning.prices import cap_prices, prices
from diversify.planning.shares import concentration, shares
from diversify.planning.summary import summarise
from diversify.solve import Fixed, Matrix, Options, Outcome, Progress, compile_model, export, fix_and_price, run, run_other

__all__ = ["Progress", "build_model", "export_model", "options_of", "solve"]

_LOG = logging.getLogger("diversify")
_STATEMENT = "diversify"
"""Attribute of the Pyomo model that holds the statement it came from."""


def build_model(instance: Instance | str | Path) -> pyo.ConcreteModel:
    """Return the Pyomo model of an instance, to which a caller may add constraints before ``solve(model=...)``.

    Raises InstanceError where the instance has problems.
    """
    case = instance if isinstance(instance, Instance) else load(instance)
    statement = state(Network.of(case))
    setattr(statement.model, _STATEMENT, statement)
    return statement.model


def options_of(
    instance: Instance,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
    seed: int | None = None,
    log: bool = False,
) -> Options:
    """Return solve options: what is given, else the instance's own, else the package's. UsageError where one makes no sense."""
    own = dict(instance.meta.get("solve") or {})
    standard = Options()
    chosen = Options(
        gap=float(_first(gap, own.get("gap"), standard.gap)),
        time_limit=float(_first(time_limit, own.get("time_limit_s"), standard.time_limit)),
        threads=int(_first(threads, own.get("threads"), standard.threads)),
        seed=int(_first(seed, own.get("seed"), standard.seed)),
        log=log,
    )
    if not (0.0 <= chosen.gap < np.inf and chosen.time_limit > 0 and chosen.threads >= 0 and chosen.seed >= 0):
        raise UsageError(f"gap and seed must be at least 0, time limit more than 0 and threads at least 0; got {chosen}.")
    return chosen


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def solve(
    instance: Instance | str | Path | None = None,
    *,
    model: pyo.ConcreteModel | None = None,
    solver: str = "highs",
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
    seed: int | None = None,
    log: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """Solve an instance (or a path, or a bundled name) and return the audited plan.

    ``gap`` is relative (default 0.01), ``time_limit`` in seconds (default 100), ``threads`` 0 lets HiGHS decide.
    ``model`` is a model of :func:`build_model`, possibly with constraints added; it stands in for the instance.
    ``solver`` names any other solver that Pyomo finds. ``progress`` is called with the state of the solve as it goes.

    The plan says why the solve stopped and what it holds, with bound and gap; an incumbent is never lost. Raises
    InstanceError for bad data, UsageError for bad options, SolverError where the solver refuses the model.
    """
    begun = time.monotonic()
    if model is None and instance is None:
        raise UsageError("solve needs an instance or a model.")
    with PauseGC():  # the model's many objects live to the end; to look for garbage among them only costs time
        if model is None:
            case = instance if isinstance(instance, Instance) else load(instance)  # type: ignore[arg-type]
            read = time.monotonic() - begun
            model = build_model(case)
        else:
            read = 0.0
        statement = _statement_of(model)
        options = options_of(statement.network.ground.instance, gap=gap, time_limit=time_limit, threads=threads, seed=seed, log=log)
        matrix = compile_model(model, statement.variables, statement.scale)
        built = time.monotonic() - begun - read
        _LOG.info("model: %s", ", ".join(f"{count:,} {what}" for what, count in matrix.size.items()))
        for what, (low, high) in matrix.ranges().items():
            _LOG.info("range of %s as the solver sees it: %.2g to %.2g", what, low, high)
        outcome = run(matrix, options, progress) if solver == "highs" else run_other(model, matrix, solver, options)
        try:
            plan = _plan(statement, matrix, outcome, options, solver)
        except KeyboardInterrupt:  # the plan is there; only its prices are given up
            plan = _plan(statement, matrix, replace(outcome, stopped="interrupted"), options, solver, priced=False)
        seconds = {"read": read, "build": built, "solve": outcome.seconds, "total": time.monotonic() - begun}
        for record in (plan.summary, plan.manifest):
            record["seconds"].update({name: round(value, 3) for name, value in seconds.items()})
        return plan


def export_model(instance: Instance, path: str | Path) -> dict[str, int]:
    """Write the model as ``.mps`` or ``.lp`` with readable names; return its size. UsageError for another ending."""
    target = Path(path)
    if target.suffix.lower() not in (".mps", ".lp"):
        raise UsageError(f"{target} should end in .mps or .lp.")
    model = build_model(instance)
    matrix = compile_model(model, _statement_of(model).variables)
    export(matrix, target)
    return matrix.size


def _statement_of(model: pyo.ConcreteModel) -> Statement:
    statement = getattr(model, _STATEMENT, None)
    if not isinstance(statement, Statement):
        raise UsageError("model must come from build_model(instance); other Pyomo models have no plan to read.")
    if not model.o_cost.active:
        raise UsageError("o_cost must stay the objective: the plan's cost, bound and gap speak of it. Add constraints instead.")
    return statement


def _plan(statement: Statement, matrix: Matrix, outcome: Outcome, options: Options, solver: str, *, priced: bool = True) -> Plan:
    """Return the audited plan of an outcome: integers rounded and fixed, the rest solved again, which also gives the prices."""
    instance = statement.network.ground.instance
    fixed = None
    tables = empty_tables()
    if outcome.x is not None:
        fixed = fix_and_price(matrix, outcome.x, options, _touched(statement, matrix), _implied(statement, matrix)) if priced else None
        x = fixed.x if fixed else np.where(matrix.integer, np.round(outcome.x), outcome.x)
        tables = _tables(statement, matrix, x, fixed)
    summary = summarise(instance, outcome, tables, matrix.size)
    draft = Plan(instance, summary, tables, _manifest(instance, options, solver))
    report: AuditReport = audit(instance, draft)
    summary["audit"] = {"ok": report.ok, "violations": [violation.as_dict() for violation in report.violations]}
    return draft


def _tables(statement: Statement, matrix: Matrix, x: Floats, fixed: Fixed | None) -> dict[str, pd.DataFrame]:
    network = statement.network
    point = Point(statement, _of_statement(statement, matrix, x))
    tables = plan_tables(point)
    graph = Graph(network, {name: point.of(name) for name in ("v_run", "v_flow", "v_deliver", "v_stock")})
    tables["shares"] = shares(network, graph, point.of("v_flow"), point.of("v_excess"))
    tables["concentration"] = concentration(network, tables["flows"])
    tables["consumer_costs"] = consumer_costs(graph, tables["costs"], _supply_costs(graph, point))
    _add_prices(statement, matrix, tables, point, fixed)
    return {name: tables[name][list(columns)] for name, columns in TABLES.items()}


def _of_statement(statement: Statement, matrix: Matrix, x: Floats) -> Floats:
    """Return the solver's values in the statement's order.

    The solver does not see columns that the caller fixed, nor those that no row and no cost mentions, which are zero.
    """
    position = matrix.positions()
    order = np.array([position.get(id(variable), -1) for variable in statement.variables], dtype=np.int64)
    unseen = np.array([float(variable.value) if variable.fixed else 0.0 for variable in statement.variables])
    return np.where(order >= 0, np.append(x, 0.0)[order], unseen)


def _touched(statement: Statement, matrix: Matrix) -> Floats:
    """Return, for each of the solver's columns, how many tracing groups a tonne of it has touched (0 where it is no flow).

    Among plans of equal cost the one whose shipments have touched least is taken, so that a traced share that no cap binds
    says what the plan needs, not what it may call itself.
    """
    flows = statement.network.cells.flows
    groups = np.bitwise_count(flows["tag"].to_numpy(dtype=np.uint64)).astype(np.float64)
    start = statement.blocks["v_flow"].start
    weight = {id(variable): float(count) for variable, count in zip(statement.variables[start:], groups, strict=False)}
    return np.array([weight.get(id(column), 0.0) for column in matrix.columns])


def _implied(statement: Statement, matrix: Matrix) -> Bools:
    """Return which of the solver's columns have upper bounds that repeat what rows say (n,): capacity, the most units, demand."""
    blocks = [statement.blocks[name] for name in ("v_run", "v_build", "v_short")]
    repeated = {id(variable) for block in blocks for variable in statement.variables[block.start : block.start + len(block)]}
    return np.array([id(column) in repeated for column in matrix.columns], dtype=bool)


def _supply_costs(graph: Graph, point: Point) -> Floats:
    """Return disposal cost less sales revenue of each supply side and year, discounted million USD (supply nodes, T)."""
    cells = graph.network.cells
    cost = np.zeros((len(graph.supply), graph.years))
    for term in point.statement.costs:
        if term.category in ("disposal", "sales"):
            amount = term.musd * point.of(term.columns)[term.column]
            cell = term.column if term.category == "disposal" else cells.sold["supply"].to_numpy()[term.column]
            np.add.at(cost, (graph.supply_node(cell), cells.supply["year"].to_numpy()[cell]), amount)
    return cost


def _add_prices(statement: Statement, matrix: Matrix, tables: dict[str, pd.DataFrame], point: Point, fixed: Fixed | None) -> None:
    """Add the table ``prices`` and the prices of the caps; blank where the re-solve failed."""
    if fixed is None:
        tables["prices"] = pd.DataFrame(columns=list(TABLES["prices"]))
        tables["shares"] = tables["shares"].assign(usd_per_t=np.nan, musd_per_point=np.nan)
        return
    position = matrix.row_positions()
    # Rows that the caller deactivated, or whose columns are all fixed, are not among the solver's: the last entry, price zero.
    rows = {
        name: np.array([position.get(id(row), -1) for row in statement.model.component(name).values()], dtype=np.int64)
        for name in statement.row_index
    }
    duals, unique = np.append(fixed.dual, 0.0), np.append(fixed.unique, False)
    dual = {name: duals[row] for name, row in rows.items()}
    tables["prices"] = prices(statement, dual, {name: unique[row] for name, row in rows.items()})
    members = statement.network.policy.cap_flows
    caps = statement.network.policy.caps
    arrived = np.bincount(
        members["row"].to_numpy(dtype=np.int64), weights=point.of("v_flow")[members["flow"].to_numpy(dtype=np.int64)], minlength=len(caps)
    )
    key = ["cap", "consumers", "year"]
    kept = statement.network.decoded(caps[key]).assign(arrived=arrived)
    index = statement.row_index["c_cap"].merge(kept, on=key, how="left")
    priced = cap_prices(statement, dual["c_cap"], index["arrived"].to_numpy())
    tables["shares"] = tables["shares"].merge(priced, on=key, how="left").fillna({"usd_per_t": 0.0, "musd_per_point": 0.0})


def _manifest(instance: Instance, options: Options, solver: str) -> dict[str, Any]:
    scenario, changes = instance.applied
    return {
        "instance": instance.name,
        "instance_sha256": instance.content_hash,
        "scenario": scenario,
        "changes": list(changes),
        "options": {
            "solver": solver,
            "gap": options.gap,
            "time_limit_s": options.time_limit,
            "threads": options.threads,
            "seed": options.seed,
        },
        "versions": {
            "diversify": version("diversify"),
            "pyomo": version("pyomo"),
            "highspy": version("highspy"),
            "python": platform.python_version(),
        },
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": {},
    }
