"""What a sweep is made of: tasks, known by what they ask and of which engine, and how far it has come."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from diversify.instance import Instance
from diversify.result_folder import write_file

Result = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One piece of a sweep: ``work(**arguments)`` returns a JSON object. ``name`` is for people.

    ``work`` is a module-level function; ``arguments`` are instances, DataFrames and JSON values, on which alone the result depends.
    """

    name: str
    work: Callable[..., Result]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """SHA-256 over function, arguments and engine, as 64 hexadecimal digits."""
        said = [f"{self.work.__module__}.{self.work.__qualname__}", _canonical(self.arguments), engine()]
        return hashlib.sha256(json.dumps(said, sort_keys=True, allow_nan=True).encode("utf-8")).hexdigest()

    def done(self) -> str:
        """Do the work and return its result as the text that is kept."""
        return json.dumps(self.work(**self.arguments), ensure_ascii=False)


@dataclass(frozen=True)
class Step:
    """How far a sweep is: tasks done (of which ``reused`` were found on disk), all of them, and the last one's name."""

    done: int
    total: int
    reused: int
    name: str


class Sweep:
    """The tasks of one run, with what has been found so far and the folder (None: nowhere) in which it is kept."""

    def __init__(self, tasks: Sequence[Task], store: Path | None, progress: Callable[[Step], None] | None) -> None:
        """Begin with what was found before."""
        self.tasks = tasks
        self._store = store
        self._progress = progress
        kept = ((position, _read(self.file(position))) for position in range(len(tasks)))
        self.found: dict[int, Result] = {position: result for position, result in kept if result is not None}
        self._reused = len(self.found)
        if self.found:
            self._tell("what was found before")

    @property
    def left(self) -> list[int]:
        """The positions of the tasks that are still to be done, in their order."""
        return [position for position in range(len(self.tasks)) if position not in self.found]

    def file(self, position: int) -> Path | None:
        """Return the file in which a task's result is kept."""
        if self._store is None:
            return None
        key = self.tasks[position].key
        return self._store / key[:2] / f"{key}.json"

    def finish(self, position: int, result: Result) -> None:
        """Take in a result that is kept already, and let it be known."""
        self.found[position] = result
        self._tell(self.tasks[position].name)

    def _tell(self, name: str) -> None:
        if self._progress:
            self._progress(Step(len(self.found), len(self.tasks), self._reused, name))


def kept(text: str, file: Path | None) -> Result:
    """Keep a result, and return it as it would be read back, so that a resumed sweep goes on alike."""
    if file is not None:
        write_file(file, text)
    result: Result = json.loads(text)
    return result


def _read(file: Path | None) -> Result | None:
    """Return a kept result; None where there is none or it cannot be read, which only means that the task is done again."""
    try:
        result: Result | None = None if file is None else json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return result


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
def engine() -> str:
    """Return what stands for the engine in a key: versions of the solver and its statement, and the package's own code."""
    digest = hashlib.sha256("|".join(version(name) for name in ("diversify", "highspy", "pyomo")).encode("ascii"))
    package = Path(__file__).resolve().parents[2]
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode("utf-8"))
        digest.update(file.read_bytes())
    return digest.hexdigest()
