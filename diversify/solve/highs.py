"""Running HiGHS: options, hand-over, progress, interruption and an honest status."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import highspy
import numpy as np

from diversify.errors import SolverError
from diversify.solve.matrix import Floats, Matrix, file_names

Stopped = Literal["optimal", "time_limit", "infeasible", "unbounded", "interrupted", "error"]

_LOG = logging.getLogger("diversify.highs")
_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 5.0
"""How long HiGHS may take to heed Ctrl-C or its time limit (it looks seldom inside its heuristics) before it is left to itself."""
_FEASIBLE = 2
"""HiGHS's primal_solution_status of a feasible point."""


@dataclass(frozen=True)
class Options:
    """How to solve: relative ``gap`` to stop at, ``time_limit`` in seconds, ``threads`` (0: HiGHS decides), ``seed``.

    ``gap_musd`` is an absolute gap in million USD (of the objective) at which to stop too, whichever comes first. ``log``
    passes HiGHS's own log lines to the logger ``diversify.highs``.
    """

    gap: float = 0.01
    gap_musd: float = 0.0
    time_limit: float = 100.0
    threads: int = 0
    seed: int = 0
    log: bool = False


@dataclass(frozen=True)
class Progress:
    """Where a solve stands: seconds, dual bound and incumbent in million USD (inf: none yet), relative gap, nodes."""

    seconds: float
    bound_musd: float
    incumbent_musd: float
    gap: float
    nodes: int


@dataclass(frozen=True)
class Outcome:
    """How a solve ended: why it stopped, the point it holds (or None), objective and bound in million USD, and the work done."""

    stopped: Stopped
    x: Floats | None
    objective: float
    bound: float
    nodes: int
    lp_iterations: int
    seconds: float


def checked(status: Any, what: str) -> None:
    """Raise SolverError where HiGHS answers with an error."""
    if status == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS refused {what}")


def configured(options: Options) -> highspy.Highs:
    """Return a silent HiGHS with the options set."""
    highs: highspy.Highs = highspy.Highs()  # type: ignore[no-untyped-call]
    checked(highs.setOptionValue("output_flag", options.log), "output_flag")
    checked(highs.setOptionValue("log_to_console", False), "log_to_console")
    values = {
        "mip_rel_gap": max(options.gap, 0.0),
        "mip_abs_gap": 1e-9,
        "time_limit": float(options.time_limit),
        "threads": int(options.threads),
        "random_seed": int(options.seed),
    }
    for name, value in values.items():
        checked(highs.setOptionValue(name, value), f"{name} = {value}")
    return highs


def hand_over(highs: highspy.Highs, matrix: Matrix, *, relaxed: bool = False) -> None:
    """Pass the scaled matrix to HiGHS in one call; ``relaxed`` leaves integrality out."""
    a = matrix.scaled()
    rows, columns = a.shape
    integrality = np.zeros(columns, dtype=np.int32) if relaxed else matrix.integer.astype(np.int32)
    status = highs.passModel(
        columns,
        rows,
        a.nnz,
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize),
        matrix.offset * matrix.cost_scale,
        matrix.scaled_cost(),
        matrix.lower / matrix.column_scale,
        matrix.upper / matrix.column_scale,
        matrix.row_lower * matrix.row_scale,
        matrix.row_upper * matrix.row_scale,
        a.indptr.astype(np.int32),
        a.indices.astype(np.int32),
        a.data,
        integrality,
    )
    checked(status, "the model")


@dataclass(frozen=True)
class Known:
    """What is known of a model before it is solved.

    ``start`` (n,) is a point that may be a plan, NaN where it says nothing; it need not be one. ``bound`` is a lower bound
    on the objective (million USD) proved elsewhere: the solve ends as soon as its plan is near enough to it.
    """

    start: Floats | None = None
    bound: float = -np.inf


NOTHING_KNOWN = Known()


def run(matrix: Matrix, options: Options, progress: Callable[[Progress], None] | None = None, known: Known = NOTHING_KNOWN) -> Outcome:
    """Solve with HiGHS and say why it stopped and what it holds.

    HiGHS runs in a thread of its own, so that Ctrl-C reaches the caller at once: it stops HiGHS, which then hands
    back its incumbent, and the outcome says ``interrupted``. A HiGHS that does not stop soon, then or at its time limit, is
    left to end in the background, and the best plan that it told of is taken. Raises SolverError where HiGHS refuses the model.
    """
    highs = configured(options)
    checked(highs.setOptionValue("mip_abs_gap", max(options.gap_musd * matrix.cost_scale, 1e-9)), "mip_abs_gap")
    if np.isfinite(known.bound):
        checked(highs.setOptionValue("objective_target", _near_enough(known.bound, options) * matrix.cost_scale), "objective_target")
    hand_over(highs, matrix)
    if known.start is not None:
        _set_start(highs, matrix, known.start)
    session = _Session(highs, matrix.cost_scale, options.time_limit, progress)
    status = session.solve()
    return session.left_behind(matrix, known.bound) if status is None else _outcome(highs, matrix, session, status, known.bound)


def _near_enough(bound: float, options: Options) -> float:
    """Return the objective at which the gap to a known bound is within what was asked for."""
    relative = bound / (1.0 - options.gap) if bound > 0 and options.gap < 1 else bound / (1.0 + options.gap)
    return float(max(relative, bound + options.gap_musd))


def _set_start(highs: highspy.Highs, matrix: Matrix, start: Floats) -> None:
    """Give HiGHS the integers of a point; it finds the rest by a linear program, and drops a start that is no plan.

    What lies outside a column's bounds is left out, since HiGHS would refuse the whole.
    """
    possible = (start >= matrix.lower) & (start <= matrix.upper)
    given = np.flatnonzero(matrix.integer & possible).astype(np.int32)
    whole = np.round(start[given])
    within = bool(np.all((whole >= matrix.lower[given]) & (whole <= matrix.upper[given])))  # HiGHS takes anything else for an error
    if len(given) and within:
        value = np.round(start[given]) / matrix.column_scale[given]
        checked(highs.setSolution(len(given), given, value), "the start")


class _Run(threading.Thread):
    """``highs.run()`` in a thread of its own; ``status`` holds HiGHS's answer once it has ended.

    HiGHS ties its number of threads to the calling thread; a thread a run lets runs with other numbers follow each other.
    """

    def __init__(self, highs: highspy.Highs) -> None:
        super().__init__(name="highs", daemon=True)
        self._highs = highs
        self.status: Any = None
        self.ended = threading.Event()
        self.start()

    def run(self) -> None:
        try:
            self.status = self._highs.run()
        finally:
            self.ended.set()


def run_to_end(highs: highspy.Highs) -> Any:
    """Run HiGHS without progress or interruption and return its status."""
    worker = _Run(highs)
    worker.join()
    return worker.status


class _Session:
    """One run of HiGHS in its own thread, with progress and a stop flag that callbacks watch."""

    def __init__(self, highs: highspy.Highs, cost_scale: float, time_limit: float, progress: Callable[[Progress], None] | None) -> None:
        self.highs = highs
        self._cost_scale = cost_scale
        self._ends = time_limit + _PATIENCE_SECONDS
        self.stop = threading.Event()
        self.interrupted = False
        self.latest: Progress | None = None
        self._incumbent: tuple[Floats, float] | None = None
        self._progress = progress
        self._begun = time.monotonic()
        highs.cbMipInterrupt.subscribe(self._mip)
        highs.cbMipImprovingSolution.subscribe(self._improved)
        highs.cbSimplexInterrupt.subscribe(self._interrupt)
        highs.cbIpmInterrupt.subscribe(self._interrupt)
        highs.cbLogging.subscribe(self._log)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def solve(self) -> Any:
        """Return HiGHS's status; None where it does not stop."""
        worker = _Run(self.highs)
        shown, ended = None, False
        while not ended:
            if self.seconds > self._ends:
                self.stop.set()
                return None
            try:  # not join: Ctrl-C inside it makes Python 3.11 take a running thread for an ended one
                ended = worker.ended.wait(_POLL_SECONDS)
                if self._progress and self.latest is not shown and self.latest is not None:
                    shown = self.latest
                    self._progress(shown)
            except KeyboardInterrupt:
                if self.stop.is_set():
                    raise
                self.stop.set()
                self.interrupted = True
                self._ends = min(self._ends, self.seconds + _PATIENCE_SECONDS)
        return worker.status

    def left_behind(self, matrix: Matrix, known_bound: float) -> Outcome:
        """Return the outcome of a HiGHS that did not stop: the last that it told of incumbent, bound and nodes."""
        x, objective = (None, float("nan")) if self._incumbent is None else self._incumbent
        bound, nodes = (-np.inf, 0) if self.latest is None else (self.latest.bound_musd, self.latest.nodes)
        point = None if x is None else x * matrix.column_scale
        stopped: Stopped = "interrupted" if self.interrupted else "time_limit"
        return Outcome(stopped, point, objective / matrix.cost_scale, max(bound, known_bound), nodes, 0, self.seconds)

    def _improved(self, event: Any) -> None:
        self._incumbent = np.array(event.data_out.mip_solution, dtype=np.float64), float(event.data_out.objective_function_value)

    def _interrupt(self, event: Any) -> None:
        if self.stop.is_set():
            event.interrupt()

    def _mip(self, event: Any) -> None:
        data = event.data_out
        bound, incumbent = float(data.mip_dual_bound) / self._cost_scale, float(data.mip_primal_bound) / self._cost_scale
        self.latest = Progress(self.seconds, bound, incumbent, float(data.mip_gap), int(data.mip_node_count))
        self._interrupt(event)

    def _log(self, event: Any) -> None:
        for line in event.message.rstrip().splitlines():
            _LOG.info("%s", line)


def _outcome(highs: highspy.Highs, matrix: Matrix, session: _Session, status: Any, known_bound: float) -> Outcome:
    info = highs.getInfo()
    holds = info.primal_solution_status == _FEASIBLE or highs.getModelStatus() == highspy.HighsModelStatus.kModelEmpty
    x = np.asarray(highs.getSolution().col_value, dtype=np.float64) * matrix.column_scale if holds else None
    stopped = _stopped(highs, matrix, status, session.interrupted)
    is_mip = bool(matrix.integer.any())
    objective = float(info.objective_function_value) / matrix.cost_scale if holds else float("nan")
    bound = float(info.mip_dual_bound) / matrix.cost_scale if is_mip else (objective if stopped == "optimal" else -np.inf)
    bound = max(bound, known_bound)
    iterations = max(int(info.simplex_iteration_count), 0) + max(int(info.ipm_iteration_count), 0)
    return Outcome(stopped, x, objective, bound, max(int(info.mip_node_count), 0), iterations, session.seconds)


def _stopped(highs: highspy.Highs, matrix: Matrix, status: Any, interrupted: bool) -> Stopped:
    if interrupted:
        return "interrupted"
    if status == highspy.HighsStatus.kError:
        return "error"
    state = highs.getModelStatus()
    kinds: dict[Any, Stopped] = {
        highspy.HighsModelStatus.kOptimal: "optimal",
        highspy.HighsModelStatus.kModelEmpty: "optimal",
        highspy.HighsModelStatus.kObjectiveTarget: "optimal",
        highspy.HighsModelStatus.kTimeLimit: "time_limit",
        highspy.HighsModelStatus.kInfeasible: "infeasible",
        highspy.HighsModelStatus.kUnbounded: "unbounded",
        highspy.HighsModelStatus.kInterrupt: "interrupted",
    }
    if state == highspy.HighsModelStatus.kUnboundedOrInfeasible:
        return "unbounded" if _feasible(matrix) else "infeasible"
    return kinds.get(state, "error")


def _feasible(matrix: Matrix) -> bool:
    """Return whether any point satisfies the rows: solves without the objective, which tells unbounded from infeasible."""
    highs = configured(Options(gap=1.0))
    hand_over(highs, matrix)
    count = matrix.a.shape[1]
    checked(highs.changeColsCost(count, np.arange(count, dtype=np.int32), np.zeros(count)), "a zero objective")
    checked(run_to_end(highs), "the feasibility problem")
    return bool(highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)


def export(matrix: Matrix, path: Path) -> None:
    """Write the model, unscaled and with readable names, as ``.mps`` or ``.lp``; SolverError where HiGHS cannot."""
    plain = replace(matrix, column_scale=np.ones(len(matrix.cost)), row_scale=np.ones(len(matrix.rows)), cost_scale=1.0)
    highs = configured(Options())
    hand_over(highs, plain)
    for position, name in enumerate(file_names(matrix.columns)):
        checked(highs.passColName(position, name), f"the column name {name}")
    for position, name in enumerate(file_names(matrix.rows)):
        checked(highs.passRowName(position, name), f"the row name {name}")
    checked(highs.writeModel(str(path)), f"to write {path}")
