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
from diversify.network.ground import Floats
from diversify.plan import TABLES, Plan, empty_tables
from diversify.planning.consumers import consumer_costs
from diversify.planning.extract import Point, plan_tables
from diversify.planning.graph import Graph
from diversify.planning.prices import cap_prices, fixed_program, prices
from diversify.planning.program import STATEMENT, Program, fix_builds
from diversify.planning.shares import concentration, shares
from diversify.planning.stages import Staged, from_table
from diversify.planning.summary import summarise
from diversify.solve import Fixed, Known, Options, Outcome, Progress, export, run, run_other

__all__ = ["Progress", "build_model", "export_model", "manifest_of", "options_of", "solve"]

_LOG = logging.getLogger("diversify")


def build_model(instance: Instance | str | Path) -> pyo.ConcreteModel:
    """Return the Pyomo model of an instance, to which a caller may add constraints before ``solve(model=...)``.

    Raises InstanceError where the instance has problems.
    """
    case = instance if isinstance(instance, Instance) else load(instance)
    statement = state(Network.of(case))
    setattr(statement.model, STATEMENT, statement)
    return statement.model


def options_of(
    instance: Instance,
    *,
    gap: float | None = None,
    gap_musd: float | None = None,
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
        gap_musd=float(_first(gap_musd, standard.gap_musd)),
        time_limit=float(_first(time_limit, own.get("time_limit_s"), standard.time_limit)),
        threads=int(_first(threads, own.get("threads"), standard.threads)),
        seed=int(_first(seed, own.get("seed"), standard.seed)),
        log=log,
    )
    gaps = 0.0 <= chosen.gap < np.inf and 0.0 <= chosen.gap_musd < np.inf
    if not (gaps and chosen.time_limit > 0 and chosen.threads >= 0 and chosen.seed >= 0):
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
    gap_musd: float | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
    seed: int | None = None,
    log: bool = False,
    progress: Callable[[Progress], None] | None = None,
    builds: pd.DataFrame | None = None,
    start: pd.DataFrame | None = None,
    bound_musd: float | None = None,
    decided: pd.DataFrame | None = None,
) -> Plan:
    """Solve an instance (or a path, or a bundled name) and return the audited plan.

    ``gap`` is relative (default 0.01), ``gap_musd`` absolute (million USD, default 0: whichever is reached first),
    ``time_limit`` in seconds (default 100), ``threads`` 0 lets HiGHS decide.
    ``model`` is a model of :func:`build_model`, possibly with constraints added; it stands in for the instance.
    ``solver`` names any other solver that Pyomo finds. ``progress`` is called with the state of the solve as it goes.

    ``builds`` is another plan's table of that name: what is built is then fixed as it says, and only the rest is planned
    (a unit that cannot come on line in its year comes in the next that is possible, one that never can is left out);
    a ``model`` that was given stays fixed so.
    ``decided`` is what was decided before the instance's reveal year (:func:`diversify.planning.stages.as_table`): it stays, and what
    comes after is planned; the built-in solver alone does so.
    ``start`` is such a table to start from; ``bound_musd`` is a lower bound on the cost that is proved already. Both help
    the built-in solver alone.

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
        program = _program_of(model, builds)
        if decided is not None:
            program = Staged.of(program).pinned(from_table(decided))
        case = program.statement.network.ground.instance
        options = options_of(case, gap=gap, gap_musd=gap_musd, time_limit=time_limit, threads=threads, seed=seed, log=log)
        built = time.monotonic() - begun - read
        known = Known(None if start is None else program.start(start), -np.inf if bound_musd is None else bound_musd)
        outcome = _outcome(program, solver, options, progress, known)
        try:
            plan = _plan(program, outcome, options, solver)
        except KeyboardInterrupt:  # the plan is there; only its prices are given up
            plan = _plan(program, replace(outcome, stopped="interrupted"), options, solver, priced=False)
        seconds = {"read": read, "build": built, "solve": outcome.seconds, "total": time.monotonic() - begun}
        for record in (plan.summary, plan.manifest):
            record["seconds"].update({name: round(value, 3) for name, value in seconds.items()})
        return plan


def _outcome(program: Program, solver: str, options: Options, progress: Callable[[Progress], None] | None, known: Known) -> Outcome:
    """Return what the solver made of a program, whose size and ranges are logged before."""
    _LOG.info("model: %s", ", ".join(f"{count:,} {what}" for what, count in program.matrix.size.items()))
    for what, (low, high) in program.matrix.ranges().items():
        _LOG.info("range of %s as the solver sees it: %.2g to %.2g", what, low, high)
    if solver == "highs":
        return run(program.matrix, options, progress, known)
    return run_other(program.model, program.matrix, solver, options)


def export_model(instance: Instance, path: str | Path) -> dict[str, int]:
    """Write the model as ``.mps`` or ``.lp`` with readable names; return its size. UsageError for another ending."""
    target = Path(path)
    if target.suffix.lower() not in (".mps", ".lp"):
        raise UsageError(f"{target} should end in .mps or .lp.")
    matrix = Program.of(build_model(instance)).matrix
    export(matrix, target)
    return matrix.size


def _program_of(model: pyo.ConcreteModel, builds: pd.DataFrame | None) -> Program:
    statement = getattr(model, STATEMENT, None)
    if builds is not None and isinstance(statement, Statement):
        fix_builds(statement, builds)
    if isinstance(statement, Statement) and not model.o_cost.active:
        raise UsageError("o_cost must stay the objective: the plan's cost, bound and gap speak of it. Add constraints instead.")
    return Program.of(model)


def _plan(program: Program, outcome: Outcome, options: Options, solver: str, *, priced: bool = True) -> Plan:
    """Return the audited plan of an outcome: integers rounded and fixed, the rest solved again, which also gives the prices."""
    instance, matrix = program.statement.network.ground.instance, program.matrix
    fixed = None
    tables = empty_tables()
    if outcome.x is not None:
        fixed = fixed_program(program, outcome.x, options) if priced else None
        x = fixed.x if fixed else np.where(matrix.integer, np.round(outcome.x), outcome.x)
        tables = _tables(program, x, fixed)
    summary = summarise(instance, outcome, tables, matrix.size)
    draft = Plan(instance, summary, tables, manifest_of(instance, options, solver))
    report: AuditReport = audit(instance, draft)
    summary["audit"] = {"ok": report.ok, "violations": [violation.as_dict() for violation in report.violations]}
    return draft


def _tables(program: Program, x: Floats, fixed: Fixed | None) -> dict[str, pd.DataFrame]:
    network = program.statement.network
    point = program.point(x)
    tables = plan_tables(point)
    graph = Graph(network, {name: point.of(name) for name in ("v_run", "v_flow", "v_deliver", "v_stock")})
    tables["shares"] = shares(network, graph, point.of("v_flow"), point.of("v_excess"))
    tables["concentration"] = concentration(network, tables["flows"])
    tables["consumer_costs"] = consumer_costs(graph, tables["costs"], _supply_costs(graph, point))
    _add_prices(program, tables, point, fixed)
    return {name: tables[name][list(columns)] for name, columns in TABLES.items()}


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


def _add_prices(program: Program, tables: dict[str, pd.DataFrame], point: Point, fixed: Fixed | None) -> None:
    """Add the table ``prices`` and the prices of the caps; blank where the re-solve failed."""
    if fixed is None:
        tables["prices"] = pd.DataFrame(columns=list(TABLES["prices"]))
        tables["shares"] = tables["shares"].assign(usd_per_t=np.nan, musd_per_point=np.nan)
        return
    statement = program.statement
    tables["prices"] = prices(program, fixed)
    dual = np.append(fixed.dual, 0.0)[program.rows("c_cap")]  # rows that the solver does not see have a price of zero
    members = statement.network.policy.cap_flows
    caps = statement.network.policy.caps
    arrived = np.bincount(
        members["row"].to_numpy(dtype=np.int64), weights=point.of("v_flow")[members["flow"].to_numpy(dtype=np.int64)], minlength=len(caps)
    )
    key = ["cap", "consumers", "year"]
    kept = statement.network.decoded(caps[key]).assign(arrived=arrived)
    index = statement.row_index["c_cap"].merge(kept, on=key, how="left")
    priced = cap_prices(statement, dual, index["arrived"].to_numpy())
    tables["shares"] = tables["shares"].merge(priced, on=key, how="left").fillna({"usd_per_t": 0.0, "musd_per_point": 0.0})


def manifest_of(instance: Instance, options: Options, solver: str) -> dict[str, Any]:
    """Return what makes a result: the instance's hash, scenario and changes, the options, and the versions of what solved it."""
    scenario, changes = instance.applied
    return {
        "instance": instance.name,
        "instance_sha256": instance.content_hash,
        "scenario": scenario,
        "changes": list(changes),
        "options": {
            "solver": solver,
            "gap": options.gap,
            "gap_musd": options.gap_musd,
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
