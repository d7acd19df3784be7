"""Sweeps: the same answer whatever the number of workers, and nothing finished is ever lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import chores
import pandas as pd
import pytest
from cases import hand_solved

from diversify.analyses.executor import Executor, Step, Task
from diversify.errors import SolverError

WORKERS = pytest.mark.parametrize("workers", [1, 2])


def doubles(count: int) -> list[Task]:
    return [Task(f"double {number}", chores.double, {"number": number}) for number in range(count)]


def kept(store: Path) -> list[Path]:
    return sorted(store.rglob("*.json"))


def as_program(store: Path, notes: Path, *, count: int, seconds: float, workers: int) -> subprocess.Popen[bytes]:
    """Start the chores as a program in a process group of its own, in which Ctrl-C counts even where these tests run in the background."""
    arguments = [store, notes, count, seconds, workers]
    with (notes.parent / "stderr").open("wb") as stderr:
        return subprocess.Popen(
            [sys.executable, chores.__file__, *map(str, arguments)],
            start_new_session=True,
            stderr=stderr,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )


def wait_until(what: Any, seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.05)


@WORKERS
def test_results_come_in_the_order_of_the_tasks(workers: int) -> None:
    assert Executor(workers).run(doubles(5)) == [{"twice": 2 * number} for number in range(5)]


@WORKERS
def test_a_finished_task_is_not_done_again(workers: int, tmp_path: Path) -> None:
    notes, store = tmp_path / "notes", tmp_path / "store"
    notes.mkdir()
    heard: list[Step] = []
    first = Executor(workers, store).run(chores.chores(str(notes), 2, 0.0))
    again = Executor(workers, store, heard.append).run(chores.chores(str(notes), 4, 0.0))
    assert again[:2] == first
    assert [(notes / str(number)).read_text() for number in range(4)] == ["x"] * 4
    assert [(step.done, step.total, step.reused) for step in heard] == [(2, 4, 2), (3, 4, 2), (4, 4, 2)]


def test_without_a_store_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Executor().run(doubles(2))
    assert list(tmp_path.iterdir()) == []


def test_a_broken_file_only_means_that_the_task_is_done_again(tmp_path: Path) -> None:
    Executor(store=tmp_path).run(doubles(1))
    (file,) = kept(tmp_path)
    file.write_text('{"twice": ')
    assert Executor(store=tmp_path).run(doubles(1)) == [{"twice": 0}]
    assert file.read_text() == '{"twice": 0}'


def test_what_is_asked_is_known_by_its_content() -> None:
    case = hand_solved()
    table = pd.DataFrame({"a": [1]})
    task = Task("one", chores.double, {"number": 1, "case": case, "table": table})
    same = Task("another name", chores.double, {"number": 1, "case": hand_solved(), "table": table.copy()})
    assert task.key == same.key
    others: list[dict[str, Any]] = [
        {"number": 2},
        {"case": case.set("caps[cap=china].share=x0.9")},
        {"table": table.assign(a=2)},
    ]
    for other in others:
        assert Task("one", chores.double, {**task.arguments, **other}).key != task.key
    assert Task("one", chores.die, task.arguments).key != task.key
    with pytest.raises(TypeError, match="object"):
        Task("one", chores.double, {"number": object()}).key  # noqa: B018


def test_a_task_whose_process_dies_is_tried_again(tmp_path: Path) -> None:
    tasks = [*doubles(2), Task("weak", chores.die_at_first, {"number": 7, "notes": str(tmp_path)})]
    assert Executor(2).run(tasks)[2] == {"twice": 14}


def test_a_task_whose_process_always_dies_ends_the_sweep_with_a_reason(tmp_path: Path) -> None:
    tasks = [*doubles(2), Task("hopeless", chores.die, {"number": 7})]
    with pytest.raises(SolverError, match="hopeless died 3 times"):
        Executor(2, tmp_path).run(tasks)
    assert len(kept(tmp_path)) == 2


@WORKERS
def test_what_a_task_raises_is_raised_and_what_is_finished_stays(workers: int, tmp_path: Path) -> None:
    tasks = [*doubles(1), Task("unwanted", chores.refuse, {"number": 7})]
    Executor(workers, tmp_path).run(doubles(1))
    with pytest.raises(ValueError, match="7 is not wanted"):
        Executor(workers, tmp_path).run(tasks)
    assert len(kept(tmp_path)) == 1


@WORKERS
@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT], ids=["killed", "ctrl-c"])
def test_a_sweep_that_is_ended_midway_loses_nothing_and_goes_on(ended_by: signal.Signals, workers: int, tmp_path: Path) -> None:
    notes, store = tmp_path / "notes", tmp_path / "store"
    notes.mkdir()
    sweep = as_program(store, notes, count=6, seconds=0.4, workers=workers)
    wait_until(lambda: kept(store))
    os.kill(sweep.pid, ended_by)
    assert sweep.wait(30) != 0
    group = sweep.pid
    wait_until(lambda: not _alive(group))  # its workers too
    assert ended_by == signal.SIGKILL or "leaked" not in (tmp_path / "stderr").read_text()
    before = {file: file.read_text() for file in kept(store)}
    assert 1 <= len(before) < 6
    found = Executor(store=store).run(chores.chores(str(notes), 6, 0.4))
    assert found == [{"twice": 2 * number} for number in range(6)]
    assert {file: file.read_text() for file in before} == before


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def at_work(executor: Executor, notes: Path) -> set[str]:
    """Return the processes that two tasks ran in."""
    tasks = [Task(f"at {number}", chores.say_and_wait, {"number": number, "notes": str(notes), "seconds": 0.5}) for number in range(2)]
    executor.run(tasks)
    return {(notes / f"at-{number}").read_text(encoding="utf-8") for number in range(2)}


def test_processes_that_are_held_outlive_a_run_and_end_with_the_block(tmp_path: Path) -> None:
    with Executor(workers=2).held() as held:
        first = at_work(held, tmp_path)
        assert at_work(held, tmp_path) == first
        with pytest.raises(ValueError, match="not wanted"):
            held.run([Task("refused", chores.refuse, {"number": number}) for number in range(2)])
        again = at_work(held, tmp_path)
        assert not again & first
    for process in map(int, first | again):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
