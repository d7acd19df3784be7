"""The one executor that every sweep runs through: in this process, in several or on a cluster, resumable, the same answer either way.

A task is a module-level function with arguments that say everything; its result is a JSON object. What a task found is kept
under a hash of function, arguments and engine, written before anybody hears of it (by whoever ran it, or by whoever asked
where that was a worker of a cluster), so that a process killed at any moment loses no finished task and leaves no
half-written file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from diversify.analyses.executor.cluster import run_on_cluster
from diversify.analyses.executor.processes import Processes
from diversify.analyses.executor.tasks import Result, Step, Sweep, Task, kept

__all__ = ["Executor", "Result", "Step", "Task"]


@dataclass(frozen=True)
class Executor:
    """Runs tasks in ``workers`` processes (1: this one), or, with the address of a ``scheduler``, on that Dask cluster.

    Results are kept under ``store`` (None: nowhere). ``progress`` hears of every finished task. Tasks must ask for one solver
    thread each; then results do not depend on where they run. With more than one worker a script needs the usual
    ``if __name__ == "__main__":`` of multiprocessing.
    """

    workers: int = 1
    store: Path | None = None
    progress: Callable[[Step], None] | None = None
    scheduler: str | None = None
    processes: Processes | None = None

    @contextmanager
    def held(self) -> Iterator[Executor]:
        """Yield this executor with processes that outlive a run: for work that runs again and again, and remembers between runs."""
        processes = Processes(self.workers)
        try:
            yield replace(self, processes=processes)
        finally:
            processes.end()

    def run(self, tasks: Sequence[Task]) -> list[Result]:
        """Return the results in the order of the tasks.

        Raises what a task raises, KeyboardInterrupt after Ctrl-C (finished tasks stay kept), SolverError where a task's
        process died again and again, and UsageError where a cluster cannot be used as it is.
        """
        sweep = Sweep(tasks, self.store, self.progress)
        if self.scheduler is not None and sweep.left:
            run_on_cluster(sweep, self.scheduler)
        elif self.workers > 1 and len(sweep.left) > 1:
            self._in_processes(sweep)
        else:
            for position in sweep.left:
                sweep.finish(position, kept(tasks[position].done(), sweep.file(position)))
        return [sweep.found[position] for position in range(len(tasks))]

    def _in_processes(self, sweep: Sweep) -> None:
        if self.processes is not None:
            self.processes.finish(sweep)
            return
        with self.held() as held:
            held._in_processes(sweep)
