"""A sweep in several processes of this machine, no more at once than its memory allows."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from pathlib import Path

from diversify.analyses.executor.tasks import Result, Sweep, Task, kept
from diversify.errors import SolverError

_ASSUMED_BYTES = 500 * 2**20
"""Memory that a worker is taken to need until one has told."""

_ATTEMPTS = 3
"""How often a task is tried whose process dies (out of memory, killed) before the sweep gives up."""


class Processes:
    """Processes that run tasks: made when first needed, and kept until they are ended or one dies."""

    def __init__(self, workers: int) -> None:
        """Have ``workers`` processes at most."""
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def finish(self, sweep: Sweep) -> None:
        """Finish a sweep. SolverError where a task's process died again and again."""
        died: dict[int, int] = {}
        while left := sweep.left:
            try:
                self._run(sweep, left)
            except BrokenProcessPool:
                for position in left:
                    died[position] = died.get(position, 0) + (position not in sweep.found)
            hopeless = [position for position in sweep.left if died.get(position, 0) >= _ATTEMPTS]
            if hopeless:
                name = sweep.tasks[hopeless[0]].name
                raise SolverError(f"the process for {name} died {_ATTEMPTS} times; memory may be short: fewer workers")

    def end(self) -> None:
        """End the processes at once: what is running is given up, what is finished is kept already."""
        if self._pool is None:
            return
        processes = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        for process in processes:
            process.join()
        self._pool = None

    def _run(self, sweep: Sweep, left: list[int]) -> None:
        """Run what is left, no more at once than memory allows."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers, multiprocessing.get_context("spawn"), _begin_worker)
        waiting, most = list(left), _ASSUMED_BYTES
        running: dict[Future[tuple[Result, int]], int] = {}
        try:
            while waiting or running:
                while waiting and len(running) < max(1, min(self.workers, _room(most, len(running)))):
                    position = waiting.pop(0)
                    running[self._pool.submit(_work_and_measure, sweep.tasks[position], sweep.file(position))] = position
                done, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
                for future in done:
                    position = running.pop(future)
                    result, used = future.result()
                    most = max(most, used)
                    sweep.finish(position, result)
        except BaseException:
            self.end()
            raise


def _work_and_measure(task: Task, file: Path | None) -> tuple[Result, int]:
    return kept(task.done(), file), _peak_bytes()


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
