"""Work for the executor's tests: module-level functions that a worker process can import, and a sweep as a program of its own."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

from diversify.analyses.executor import Executor, Task
from diversify.errors import InstanceError, Problem, SolverError, UsageError


def double(number: int) -> dict[str, Any]:
    """Return twice the number."""
    return {"twice": 2 * number}


def double_and_say(number: int, notes: str, seconds: float = 0.0) -> dict[str, Any]:
    """Return twice the number, leaving a note of every time that it was asked; hold a lock on the way, as Pyomo does for good."""
    lock = multiprocessing.Lock()
    time.sleep(seconds)
    with (Path(notes) / f"{number}").open("a", encoding="utf-8") as file:
        file.write("x")
    del lock
    return {"twice": 2 * number}


def die_at_first(number: int, notes: str) -> dict[str, Any]:
    """End the process without a word the first time, return twice the number after that."""
    mark = Path(notes) / f"died-{number}"
    if not mark.exists():
        mark.touch()
        os._exit(9)
    return {"twice": 2 * number}


def die(number: int) -> dict[str, Any]:
    """End the process without a word."""
    os._exit(9)


def refuse(number: int) -> dict[str, Any]:
    """Raise."""
    raise ValueError(f"{number} is not wanted")


def refuse_data(number: int) -> dict[str, Any]:
    """Raise an error with more problems than fit into a short message."""
    raise InstanceError([Problem("odd", f"{number} is odd, and {'long ' * 50}", row=row) for row in range(100)])


def refuse_with(number: int, kind: str) -> dict[str, Any]:
    """Raise an error of the package, or what Ctrl-C raises."""
    raise {"usage": UsageError, "solver": SolverError, "ctrl-c": KeyboardInterrupt}[kind](f"{number} is not wanted")


def alone(number: int, notes: str) -> dict[str, Any]:
    """Return whether nobody else was at it in this process meanwhile."""
    mark = Path(notes) / f"busy-{os.getpid()}"
    mark.touch(exist_ok=False)
    time.sleep(0.05)
    mark.unlink()
    return {"process": os.getpid()}


def say_and_wait(number: int, notes: str, seconds: float) -> dict[str, Any]:
    """Leave a note of the process, and wait as the solver does: in short stretches, in each of which Ctrl-C counts."""
    mark = Path(notes) / f"at-{number}"
    mark.write_text(str(os.getpid()), encoding="utf-8")
    ends = time.monotonic() + seconds
    try:
        while time.monotonic() < ends:
            time.sleep(0.05)
    except KeyboardInterrupt:
        mark.with_name(f"stopped-{number}").touch()
        raise
    return {"twice": 2 * number}


def chores(notes: str, count: int, seconds: float) -> list[Task]:
    """Return tasks that take their time and leave a note."""
    return [Task(f"chore {number}", double_and_say, {"number": number, "notes": notes, "seconds": seconds}) for number in range(count)]


if __name__ == "__main__":
    store, notes, count, seconds, workers = sys.argv[1:]
    Executor(int(workers), Path(store)).run(chores(notes, int(count), float(seconds)))
