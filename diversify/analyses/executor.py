"""The one executor that every sweep runs through: in this process or in several, resumable, the same answer either way.

A task is a module-level function with arguments that say everything; its result is a JSON object. What a task found is kept
under a hash of function, arguments and engine, written by whoever ran it before anybody hears of it, so that a
process killed at any moment loses no finished task and leaves no half-written file.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

import pandas as pd

from diversify.errors import SolverError
from diversify.instance import Instance
from diversify.result_folder import write_file

Result = dict[str, Any]

_ASSUMED_BYTES = 500 * 2**20
"""Memory that a worker is taken to need until one has told."""

_ATTEMPTS = 3
"""How often a task is tried whose process dies (out of memory, killed) before the sweep gives up."""


@dataclass(frozen=True)
class Task:
    """One piece of a sweep: ``work(**arguments)`` returns a JSON object. ``name`` is for people.

    ``work`` is a module-level function; ``arguments`` are instances, DataFrames and JSON values, on which alone the result depends.
    """

    name: str
    work: Callable[..., Result]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """SHA-256 over function, arguments and engine, as 64 hexadecimal digits."""
        said = [f"{self.work.__module__}.{self.work.__qualname__}", _canonical(self.arguments), _engine()]
        return hashlib.sha256(json.dumps(said, sort_keys=True, allow_nan=True).encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class Step:
    """How far a sweep is: tasks done (of which ``reused`` were found on disk), all of them, and the last one's name."""

    done: int
    total: int
    reused: int
    name: str


@dataclass(frozen=True)
class Executor:
    """Runs tasks. ``workers`` processes (1: this one), results kept under ``store`` (None: nowhere).

    ``progress`` hears of every finished task. Tasks must ask for one solver thread each; then results do not depend on
    ``workers``. With more than one worker a script needs the usual ``if __name__ == "__main__":`` of multiprocessing.
    """

    workers: int = 1
    store: Path | None = None
    progress: Callable[[Step], None] | None = None

    def run(self, tasks: Sequence[Task]) -> list[Result]:
        """Return the results in the order of the tasks.

        Raises what a task raises, KeyboardInterrupt after Ctrl-C (finished tasks stay kept), and SolverError where a task's
        process died again and again.
        """
        found: dict[int, Result] = {}
        for position, task in enumerate(tasks):
            kept = _read(self._file(task))
            if kept is not None:
                found[position] = kept
        sweep = _Sweep(tasks, found, len(found), self.progress)
        if found:
            sweep.tell("what was found before")
        left = [position for position in range(len(tasks)) if position not in found]
        if self.workers > 1 and len(left) > 1:
            self._run_in_processes(sweep, left)
        else:
            for position in left:
                sweep.finish(position, _worked(tasks[position], self._file(tasks[position])))
        return [found[position] for position in range(len(tasks))]

    def _file(self, task: Task) -> Path | None:
        return None if self.store is None else self.store / task.key[:2] / f"{task.key}.json"

    def _run_in_processes(self, sweep: _Sweep, left: list[int]) -> None:
        died: dict[int, int] = {}
        while left:
            try:
                self._run_pool(sweep, left)
            except BrokenProcessPool:
                for position in left:
                    died[position] = died.get(position, 0) + (position not in sweep.found)
            left = [position for position in left if position not in sweep.found]
            hopeless = [position for position in left if died.get(position, 0) >= _ATTEMPTS]
            if hopeless:
                raise SolverError(
                    f"the process for {sweep.tasks[hopeless[0]].name} died {_ATTEMPTS} times; memory may be short: fewer workers"
                )

    def _run_pool(self, sweep: _Sweep, left: list[int]) -> None:
        """Run what is left in a fresh pool, no more at once than memory allows."""
        waiting, most = list(left), _ASSUMED_BYTES
        running: dict[Future[tuple[Result, int]], int] = {}
        pool = ProcessPoolExecutor(min(self.workers, len(left)), multiprocessing.get_context("spawn"), _begin_worker)
        try:
            while waiting or running:
                while waiting and len(running) < max(1, min(self.workers, _room(most, len(running)))):
                    position = waiting.pop(0)
                    task = sweep.tasks[position]
                    running[pool.submit(_work_and_measure, task, self._file(task))] = position
                done, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
                for future in done:
                    position = running.pop(future)
                    result, used = future.result()
                    most = max(most, used)
                    sweep.finish(position, result)
        except BaseException:
            _end(pool)
            raise
        pool.shutdown()


@dataclass
class _Sweep:
    tasks: Sequence[Task]
    found: dict[int, Result]
    reused: int
    progress: Callable[[Step], None] | None

    def finish(self, position: int, result: Result) -> None:
        self.found[position] = result
        self.tell(self.tasks[position].name)

    def tell(self, name: str) -> None:
        if self.progress:
            self.progress(Step(len(self.found), len(self.tasks), self.reused, name))


def _worked(task: Task, file: Path | None) -> Result:
    """Do a task, keep its result, and return it as it would be read back, so that a resumed sweep goes on alike."""
    text = json.dumps(task.work(**task.arguments), ensure_ascii=False)
    if file is not None:
        write_file(file, text)
    result: Result = json.loads(text)
    return result


def _work_and_measure(task: Task, file: Path | None) -> tuple[Result, int]:
    return _worked(task, file), _peak_bytes()


def _read(file: Path | None) -> Result | None:
    """Return a kept result; None where there is none or it cannot be read, which only means that the task is done again."""
    try:
        result: Result | None = None if file is None else json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return result


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and end when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if "fork" in multiprocessing.get_all_start_methods():
        # The lock that Pyomo makes when it is imported is then nameless: one with a name would outlive a process that is killed.
        multiprocessing.set_start_method("fork", force=True)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)


def _end(pool: ProcessPoolExecutor) -> None:
    """End a pool at once: what is running is given up, what is finished is kept already."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def _room(bytes_each: int, running: int) -> int:
    """Return how many tasks fit into memory at once, those that run already among them."""
    free = _available_bytes()
    return sys.maxsize if free is None else running + int(free // bytes_each)


def _available_bytes() -> int | None:
    """Return the memory that is free to use, None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _peak_bytes() -> int:
    """Return the most memory that this process has held; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _canonical(value: Any) -> Any:
    """Return a value as JSON that is the same for the same content."""
    if isinstance(value, Instance):
        return {"instance": value.content_hash}
    if isinstance(value, pd.DataFrame):
        return {"table": value.to_csv(index=False)}
    if isinstance(value, Mapping):
        return {str(key): _canonical(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(each) for each in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"a task cannot be told by a {type(value).__name__}")


@cache
def _engine() -> str:
    """Return what stands for the engine in a key: versions of the solver and its statement, and the package's own code."""
    digest = hashlib.sha256("|".join(version(name) for name in ("diversify", "highspy", "pyomo")).encode("ascii"))
    package = Path(__file__).resolve().parent.parent
    for file in sorted(package.rglob("*.py")):
        digest.update(str(file.relative_to(package)).encode("utf-8"))
        digest.update(file.read_bytes())
    return digest.hexdigest()
