"""A sweep on a Dask cluster. Its workers share no disk with this process, which keeps each result as soon as it arrives."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from uuid import uuid4

from diversify.analyses.executor.tasks import Sweep, engine, kept
from diversify.analyses.executor.worker import call_off, other_engine, work
from diversify.errors import SolverError, UsageError

if TYPE_CHECKING:
    from distributed import Client, Future

_PATIENCE_SECONDS = 5
"""How long a scheduler may take to answer."""

_WORKERS_SECONDS = 10
"""How long a cluster may be without a worker, before the first task and in the middle."""

_LOOK_SECONDS = 30
"""How long nothing may arrive before a look whether there is still a worker."""

_AHEAD = 2
"""Tasks handed in at once, for each thread of the cluster: none waits for work, and the scheduler need not hold the whole sweep."""

_REMEDY = {
    "tcp": "Is it running, does a firewall stand between, does it ask for tls://?",
    "tls": "Is it running, and do DASK_DISTRIBUTED__COMM__TLS__CA_FILE, __CLIENT__CERT and __CLIENT__KEY name files that it trusts?",
}


def run_on_cluster(sweep: Sweep, address: str) -> None:
    """Finish a sweep on the cluster whose scheduler listens at an address.

    Raises UsageError where the scheduler cannot be reached or a worker is missing or has another engine, and SolverError
    where a task's worker died again and again or the scheduler is gone.
    """
    with _connected(address) as client:
        _look_for_workers(client, address)
        _compare_engines(client)
        _Run(sweep, client, address).finish()


class _Run:
    """One run of a sweep: what has been handed in and has not arrived."""

    def __init__(self, sweep: Sweep, client: Client, address: str) -> None:
        self._sweep, self._client, self._address = sweep, client, address
        self._name = uuid4().hex
        self._waiting = sweep.left
        self._running: dict[str, tuple[Future, int]] = {}
        self._arrived: SimpleQueue[Future] = SimpleQueue()

    def finish(self) -> None:
        """Do what is left; at Ctrl-C or an error call off what is running."""
        try:
            while self._waiting or self._running:
                self._hand_in()
                future = self._next()
                _, position = self._running.pop(future.key)
                self._sweep.finish(position, kept(self._answer(future, position), self._sweep.file(position)))
        except BaseException:
            if self._client.status == "running":
                self._client.cancel([future for future, _ in self._running.values()])
                self._client.run(call_off, self._name, on_error="ignore")
            raise

    def _hand_in(self) -> None:
        free = max(1, _AHEAD * sum(self._client.nthreads().values())) - len(self._running)
        while self._waiting and free > 0:
            position = self._waiting.pop(0)
            task = self._sweep.tasks[position]
            # A name that no other run has: to call off this one must not call off another's.
            key = f"{task.work.__name__}-{self._name}-{position}"
            # As bytes: else the scheduler, through which all pass, would make every instance again to look into it.
            future = self._client.submit(work, pickle.dumps(task), self._name, engine(), key=key, pure=False)
            self._running[key] = future, position
            future.add_done_callback(self._arrived.put)
            free -= 1

    def _next(self) -> Future:
        while True:
            try:
                return self._arrived.get(timeout=_LOOK_SECONDS)
            except Empty:
                _look_for_workers(self._client, self._address)

    def _answer(self, future: Future, position: int) -> str:
        """Return what was found; raise what the task raised."""
        from distributed.scheduler import KilledWorker

        try:
            answer: str | BaseException = future.result()
        except KilledWorker as error:
            name, times = self._sweep.tasks[position].name, error.allowed_failures + 1
            raise SolverError(f"the process for {name} died {times} times; memory may be short: fewer workers, more for each") from error
        except CancelledError as error:
            raise SolverError(f"the scheduler at {self._address} is gone; start it again, and the same run goes on from there") from error
        except Exception:
            _compare_engines(self._client)  # one that came later may be why
            raise
        if isinstance(answer, BaseException):
            raise answer
        return answer


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError("A cluster needs Dask, which is not installed: pip install 'diversify[cluster]'.") from error
    if not address.startswith(("tcp://", "tls://")):
        raise UsageError(f"A scheduler's address begins with tcp:// or tls://, unlike {address}.")
    try:  # first by hand: a Client that cannot connect makes trouble for as long as it lives
        with ThreadPoolExecutor(1) as apart:  # from the event loop of a notebook
            apart.submit(asyncio.run, _greet(address)).result()
    except Exception as error:
        raise UsageError(
            f"No scheduler can be reached at {address}. {_REMEDY[address[:3]]} ({str(error) or 'it does not answer'})"
        ) from error
    with Client(address, timeout=_PATIENCE_SECONDS, set_as_default=False) as client:
        yield client


async def _greet(address: str) -> None:
    from distributed import Security
    from distributed.core import connect

    async with asyncio.timeout(_PATIENCE_SECONDS + 1):  # something else may listen there, and say nothing
        comm = await connect(address, timeout=_PATIENCE_SECONDS, **Security().get_connection_args("client"))
    comm.abort()


def _look_for_workers(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_WORKERS_SECONDS)
    except TimeoutError as error:
        raise UsageError(f"The scheduler at {address} has no workers. Start some: dask worker {address} --nthreads 1.") from error


def _compare_engines(client: Client) -> None:
    """Raise UsageError where scheduler or worker has not this process's engine: results would differ, or nobody could read a task."""
    try:
        at_scheduler = client.run_on_scheduler(engine)
    except ImportError as error:
        raise UsageError(other_engine("scheduler", client.scheduler.address)) from error
    if at_scheduler != engine():
        raise UsageError(other_engine("scheduler", client.scheduler.address))
    for worker, found in sorted(client.run(engine, on_error="return").items()):
        if found != engine():
            raise UsageError(other_engine("worker", worker))
