"""What a worker of a cluster does: one task at a time in its process, which whoever asked for it can call off."""

from __future__ import annotations

import ctypes
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from diversify.analyses.executor.tasks import Task, engine
from diversify.errors import DiversifyError, UsageError


def work(pickled: bytes, run: str, expected: str) -> str | BaseException:
    """Return what a pickled task of a run found, as text, with the engine that is expected and no other.

    Errors of ours are returned and not raised: Dask shortens long ones, and takes KeyboardInterrupt for the end of the worker.
    """
    from distributed import get_worker

    try:
        with _turns.one(run):
            if engine() != expected:
                raise UsageError(other_engine("worker", get_worker().address))
            task: Task = pickle.loads(pickled)
            return task.done()
    except (DiversifyError, KeyboardInterrupt) as error:
        return error


def call_off(run: str) -> None:
    """Stop what this process does for a run, as Ctrl-C would, and do nothing more for it."""
    _turns.call_off(run)


def other_engine(part: str, address: str) -> str:
    """Return what is said of a part of the cluster, scheduler or worker, that has not the engine of whoever asks."""
    return f"The {part} {address} has another diversify, Pyomo or HiGHS than this process, or none. Install the same versions there."


class _Turns:
    """One task at a time: HiGHS and Pyomo keep state per process, and a worker may have several threads."""

    def __init__(self) -> None:
        self._alone = threading.Lock()
        self._changing = threading.Lock()
        self._off: set[str] = set()
        self._run, self._thread = "", 0

    @contextmanager
    def one(self, run: str) -> Iterator[None]:
        """Wait for a turn and hold it. KeyboardInterrupt where the run is called off, before or in the middle."""
        with self._alone:
            with self._changing:
                if run in self._off:
                    raise KeyboardInterrupt
                self._run, self._thread = run, threading.get_ident()
            try:
                yield
            finally:
                with self._changing:
                    self._run = ""

    def call_off(self, run: str) -> None:
        """Raise KeyboardInterrupt in the thread that works for this run, once, and in those that wait with a task of it."""
        with self._changing:
            if run == self._run and run not in self._off:
                # The solver watches for KeyboardInterrupt in the thread that started it and stops HiGHS in order.
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(KeyboardInterrupt))
            self._off.add(run)


_turns = _Turns()
