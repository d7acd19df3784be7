"""Any other solver that Pyomo can reach, through Pyomo itself."""

from __future__ import annotations

import shutil
import time
from typing import Any

import numpy as np
import pyomo.core as pyo
from pyomo.opt import SolverFactory, SolverStatus, TerminationCondition

from diversify.errors import UsageError
from diversify.solve.highs import Options, Outcome, Stopped
from diversify.solve.matrix import Matrix

_STOPPED: dict[Any, Stopped] = {
    TerminationCondition.optimal: "optimal",
    TerminationCondition.globallyOptimal: "optimal",
    TerminationCondition.feasible: "time_limit",
    TerminationCondition.maxTimeLimit: "time_limit",
    TerminationCondition.infeasible: "infeasible",
    TerminationCondition.unbounded: "unbounded",
    TerminationCondition.userInterrupt: "interrupted",
}

_OPTION_NAMES: dict[str, tuple[str, str]] = {
    "appsi_highs": ("mip_rel_gap", "time_limit"),
    "gurobi": ("MIPGap", "TimeLimit"),
    "gurobi_direct": ("MIPGap", "TimeLimit"),
    "gurobi_persistent": ("MIPGap", "TimeLimit"),
    "cplex": ("mip_tolerances_mipgap", "timelimit"),
    "cbc": ("ratioGap", "sec"),
    "glpk": ("mipgap", "tmlim"),
    "scip": ("limits/gap", "limits/time"),
    "xpress": ("miprelstop", "maxtime"),
}
"""What the solvers call the relative gap and the time limit."""


def run_other(model: pyo.ConcreteModel, matrix: Matrix, solver: str, options: Options) -> Outcome:
    """Solve the Pyomo model with another solver; UsageError where Pyomo does not find it.

    The bound is what the solver reports; where it reports none, it is -inf and the gap is unknown.
    """
    import pyomo.environ  # noqa: F401  # registers Pyomo's solvers; not at the top, since it doubles the time to import Pyomo

    known = solver in SolverFactory or shutil.which(solver) is not None
    engine = SolverFactory(solver) if known else None
    if engine is None or not engine.available(exception_flag=False):
        raise UsageError(f"Pyomo finds no solver called {solver!r} on this machine; the built-in one is highs.")
    begun = time.monotonic()
    names = _OPTION_NAMES.get(solver)
    if names:
        engine.options.update({names[0]: options.gap, names[1]: max(int(options.time_limit), 1)})
    results = engine.solve(model, load_solutions=False)
    stopped = _STOPPED.get(results.solver.termination_condition, "error")
    if results.solver.status == SolverStatus.error:
        stopped = "error"
    holds = len(results.solution) > 0 or getattr(results, "solution_loader", None) is not None
    x = None
    if holds and stopped in ("optimal", "time_limit", "interrupted"):
        model.solutions.load_from(results)
        x = np.array([pyo.value(column, exception=False) or 0.0 for column in matrix.columns], dtype=np.float64)
    objective = float(matrix.cost @ x + matrix.offset) if x is not None else float("nan")
    bound = results.problem.lower_bound
    proved = float(bound) if bound is not None and np.isfinite(float(bound)) else -np.inf
    return Outcome(stopped, x, objective, proved, 0, 0, time.monotonic() - begun)
