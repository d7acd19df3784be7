"""Clusters for tests: a scheduler and workers as processes of their own, on the loopback interface alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import diversify

HERE = Path(__file__).parent
IMPORTABLE = [str(HERE), str(HERE.parent), str(Path(diversify.__file__).parents[1])]
"""Where the processes find these tests' functions, and the very package that is under test."""

QUIET = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2", "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "10s"}


class Cluster:
    """A scheduler at ``address`` and its ``workers``, which are started and ended one by one."""

    def __init__(self, folder: Path, settings: Mapping[str, str], protocol: str) -> None:
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self._protocol = protocol
        self._settings = {**os.environ, **QUIET, **settings}
        said = folder / "scheduler.json"
        self._scheduler = self._started("dask_scheduler", "--port", "0", "--scheduler-file", said)
        wait_until(lambda: said.exists() and said.read_text().endswith("}"))
        self.address: str = json.loads(said.read_text())["address"]

    def add(self, *options: str, threads: int = 1, first_on_path: str = "") -> subprocess.Popen[bytes]:
        """Start a worker; it has joined the cluster some time later."""
        place = self.folder / f"worker-{len(self.workers)}"
        arguments = ("--nthreads", threads, "--local-directory", place, *(options or ("--no-nanny",)))
        self.workers.append(self._started("dask_worker", self.address, *arguments, first_on_path=first_on_path))
        return self.workers[-1]

    def end_scheduler(self) -> None:
        """Kill the scheduler."""
        self._scheduler.kill()
        self._scheduler.wait()

    def end(self) -> None:
        """End what is still there: workers in order, since a nanny ends its own."""
        for process in self.workers:
            process.terminate()
        for process in self.workers:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.end_scheduler()

    def _started(self, program: str, *arguments: object, first_on_path: str = "") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *map(str, arguments)]
        loopback = ["--host", f"{self._protocol}://127.0.0.1", "--dashboard-address", "127.0.0.1:0"]
        path = os.pathsep.join([*filter(None, [first_on_path]), *IMPORTABLE])
        with (self.folder / f"{program}-{len(self.workers)}.log").open("wb") as log:
            return subprocess.Popen(
                [*command, *loopback], stderr=log, stdout=log, env={**self._settings, "PYTHONPATH": path}, cwd=self.folder
            )


@contextmanager
def cluster(folder: Path, workers: int = 0, settings: Mapping[str, str] | None = None, protocol: str = "tcp") -> Iterator[Cluster]:
    """Yield a cluster with some workers, and end it."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Cluster(folder, settings or {}, protocol)
    try:
        for _ in range(workers):
            made.add()
        yield made
    finally:
        made.end()


def wait_until(what: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something is so, and fail where it does not become so."""
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.05)
