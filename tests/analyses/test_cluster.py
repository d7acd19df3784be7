"""Sweeps on a Dask cluster: the answer of a serial run, nothing finished lost, and no worker with another engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chores
import pytest
from cases import hand_solved
from click.testing import CliRunner
from clusters import Cluster, cluster, wait_until
from small_frontier import asked

import diversify as dv
from diversify.analyses.executor import Executor, Step, Task
from diversify.analyses.executor import cluster as under_test
from diversify.cli import command
from diversify.errors import InstanceError, SolverError, UsageError

DOC = Path(__file__).parents[2] / "docs" / "cluster.md"
OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates with openssl")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two workers that no test harms."""
    with cluster(tmp_path_factory.mktemp("cluster"), workers=2) as made:
        yield made


def doubles(count: int) -> list[Task]:
    return [Task(f"double {number}", chores.double, {"number": number}) for number in range(count)]


def waiting(notes: Path, count: int, seconds: float) -> list[Task]:
    return [Task(f"wait {n}", chores.say_and_wait, {"number": n, "notes": str(notes), "seconds": seconds}) for n in range(count)]


def kept(store: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in store.rglob("*.json")}


def test_results_are_those_of_a_serial_run_and_are_kept_here(shared: Cluster, tmp_path: Path) -> None:
    heard: list[Step] = []

    def told(step: Step) -> None:
        assert len(kept(tmp_path / "cluster")) == step.done  # kept before anybody hears of it
        heard.append(step)

    tasks = doubles(12)
    assert Executor(1, tmp_path / "cluster", told, shared.address).run(tasks) == Executor(1, tmp_path / "here").run(tasks)
    assert kept(tmp_path / "cluster") == kept(tmp_path / "here")
    assert [(step.done, step.total, step.reused) for step in heard] == [(done, 12, 0) for done in range(1, 13)]


def test_a_question_has_the_same_answer_and_what_a_cluster_found_is_found_again_without_one(shared: Cluster, tmp_path: Path) -> None:
    there = asked(Executor(1, tmp_path, None, shared.address))
    steps: list[Step] = []
    here, again = asked(Executor()), asked(Executor(1, tmp_path, steps.append))
    assert _timeless(there.summary) == _timeless(here.summary)
    assert all(there.tables[name].equals(here.tables[name]) for name in here.tables)
    assert again.summary == there.summary
    assert all(step.reused == step.total for step in steps)


def test_the_command_asks_a_cluster_and_says_the_same(shared: Cluster, tmp_path: Path) -> None:
    case = dv.save(hand_solved(), tmp_path / "case.json")
    ask = ["frontier", str(case), "--cap", "china", "--shares", "0.7,0.4", "--gap", "0", "--json", "--no-cache"]
    there, here = (CliRunner().invoke(command, [*ask, *more]) for more in (["--scheduler", shared.address], ["--workers", "1"]))
    assert there.exit_code == here.exit_code == 0, there.output
    assert _timeless(json.loads(there.stdout)) == _timeless(json.loads(here.stdout))


def _timeless(value: Any) -> Any:
    """Return what was found without how long it took."""
    if isinstance(value, dict):
        return {name: _timeless(each) for name, each in value.items() if "seconds" not in name}
    return [_timeless(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("kind", "error"), [("usage", UsageError), ("solver", SolverError), ("ctrl-c", KeyboardInterrupt)])
def test_what_a_task_raises_is_raised_as_what_it_was(shared: Cluster, kind: str, error: type[BaseException]) -> None:
    with pytest.raises(error, match="7 is not wanted"):
        Executor(scheduler=shared.address).run([Task("unwanted", chores.refuse_with, {"number": 7, "kind": kind})])


@pytest.mark.parametrize("on_cluster", [True, False])
def test_an_error_in_the_data_keeps_its_problems(shared: Cluster, on_cluster: bool) -> None:
    tasks = [Task("unwanted", chores.refuse_data, {"number": number}) for number in (7, 7)]
    with pytest.raises(InstanceError) as raised:
        Executor(2, scheduler=shared.address if on_cluster else None).run(tasks)
    assert [problem.row for problem in raised.value.problems] == list(range(100))


def test_a_foreign_error_is_raised_and_what_is_finished_stays(shared: Cluster, tmp_path: Path) -> None:
    Executor(1, tmp_path, None, shared.address).run(doubles(1))
    with pytest.raises(ValueError, match="7 is not wanted"):
        Executor(1, tmp_path, None, shared.address).run([*doubles(1), Task("unwanted", chores.refuse, {"number": 7})])
    assert len(kept(tmp_path)) == 1


def test_ctrl_c_stops_what_runs_on_the_cluster_and_leaves_what_is_finished(shared: Cluster, tmp_path: Path) -> None:
    notes, store = tmp_path / "notes", tmp_path / "store"
    notes.mkdir()

    def stop(step: Step) -> None:
        wait_until(lambda: list(notes.glob("at-*")))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Executor(1, store, stop, shared.address).run([*doubles(1), *waiting(notes, 2, 60)])
    assert len(kept(store)) == 1
    wait_until(lambda: len(list(notes.glob("stopped-*"))) == len(list(notes.glob("at-*"))), 10)
    assert Executor(1, store, None, shared.address).run(doubles(3))[0] == {"twice": 0}  # at once: the workers are free


def test_a_worker_with_threads_does_one_task_at_a_time(tmp_path: Path) -> None:
    with cluster(tmp_path / "cluster") as own:
        own.add("--no-nanny", threads=4)
        tasks = [Task(f"task {number}", chores.alone, {"number": number, "notes": str(tmp_path)}) for number in range(8)]
        assert len({result["process"] for result in Executor(scheduler=own.address).run(tasks)}) == 1


def test_a_killed_worker_loses_nothing_and_a_worker_may_join_in_the_middle(tmp_path: Path) -> None:
    notes, store, heard = tmp_path / "notes", tmp_path / "store", []
    notes.mkdir()

    def told(step: Step) -> None:
        heard.append(step)
        if step.done == 3:
            own.add()
            wait_until(lambda: any(_at_work(notes, own.workers[0].pid)))
            own.workers[0].kill()

    with cluster(tmp_path / "cluster", workers=2) as own:
        tasks = waiting(notes, 10, 0.3)
        found = Executor(1, store, told, own.address).run(tasks)
        assert found == [{"twice": 2 * number} for number in range(10)]
        assert [step.done for step in heard] == list(range(1, 11))
        notes.joinpath("at-0").unlink()
        assert Executor(1, store, None, own.address).run(tasks) == found
        assert not notes.joinpath("at-0").exists()  # none was done again


def _at_work(notes: Path, worker: int) -> Iterator[bool]:
    return (file.read_text() == str(worker) for file in notes.glob("at-*"))


@pytest.mark.slow
def test_a_task_whose_worker_always_dies_ends_the_sweep_with_a_reason(tmp_path: Path) -> None:
    with cluster(tmp_path / "cluster") as own:
        own.add("--nanny", "--nworkers", "2")
        weak = Task("weak", chores.die_at_first, {"number": 7, "notes": str(tmp_path)})
        assert Executor(scheduler=own.address).run([weak]) == [{"twice": 14}]
        with pytest.raises(SolverError, match="hopeless died 3 times; memory may be short"):
            Executor(scheduler=own.address).run([Task("hopeless", chores.die, {"number": 7})])


@pytest.mark.parametrize("joins", ["before", "in the middle"])
def test_a_worker_with_another_engine_is_refused_by_name(joins: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(Path(dv.__file__).parent, other / "diversify", ignore=shutil.ignore_patterns("__pycache__"))
    (other / "diversify" / "more.py").write_text('"""Another version."""\n')
    with cluster(tmp_path / "cluster", workers=int(joins != "before")) as own:
        if joins == "before":
            own.add("--no-nanny", first_on_path=str(other))
        started: list[bool] = []

        def told(step: Step) -> None:
            if not started:
                started.append(True)
                own.add("--no-nanny", first_on_path=str(other))

        notes = tmp_path / "notes"
        notes.mkdir()
        with pytest.raises(UsageError, match=r"The worker tcp://127\.0\.0\.1:\d+ has another diversify"):
            Executor(1, None, told, own.address).run(waiting(notes, 200, 0.1))
        assert (joins == "before") == (not started)


def test_a_worker_without_the_package_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty" / "diversify").mkdir(parents=True)
    (tmp_path / "empty" / "diversify" / "__init__.py").touch()
    with cluster(tmp_path / "cluster") as own:
        own.add("--no-nanny", first_on_path=str(tmp_path / "empty"))
        with pytest.raises(UsageError, match=r"The worker tcp://127\.0\.0\.1:\d+ has another diversify"):
            Executor(scheduler=own.address).run(doubles(1))


def test_a_cluster_without_workers_or_that_is_gone_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "_WORKERS_SECONDS", 1)
    monkeypatch.setattr(under_test, "_PATIENCE_SECONDS", 2)
    monkeypatch.setattr(under_test, "_LOOK_SECONDS", 1)
    notes = tmp_path / "notes"
    notes.mkdir()
    with cluster(tmp_path / "cluster") as own:
        with pytest.raises(UsageError, match=r"The scheduler at tcp://127\.0\.0\.1:\d+ has no workers"):
            Executor(scheduler=own.address).run(doubles(1))
        own.add()
        monkeypatch.setattr(under_test, "_WORKERS_SECONDS", 10)
        timer = threading.Thread(target=lambda: (wait_until(lambda: list(notes.glob("at-*"))), own.end_scheduler()))
        timer.start()
        with pytest.raises(SolverError, match="is gone"):
            Executor(scheduler=own.address).run(waiting(notes, 1, 30))
        timer.join()
        with pytest.raises(UsageError, match=f"No scheduler can be reached at {own.address}"):
            Executor(scheduler=own.address).run(doubles(1))


def test_what_is_no_scheduler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "_PATIENCE_SECONDS", 1)
    with pytest.raises(UsageError, match="begins with tcp:// or tls://, unlike here:8786"):
        Executor(scheduler="here:8786").run(doubles(1))
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(UsageError, match=r"No scheduler can be reached .*does not answer"):
        Executor(scheduler=f"tcp://127.0.0.1:{mute.getsockname()[1]}").run(doubles(1))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'diversify\[cluster\]'"):
        Executor(scheduler="tcp://127.0.0.1:8786").run(doubles(1))


@OPENSSL
def test_with_tls_only_a_certificate_of_the_cluster_opens_it(tmp_path: Path) -> None:
    own, foreign = _certificates(tmp_path / "own"), _certificates(tmp_path / "foreign")
    with cluster(tmp_path / "cluster", 1, own, "tls") as made:
        assert made.address.startswith("tls://127.0.0.1:")
        for settings, found in ((own, "[{'twice': 0}]"), (foreign, "No scheduler can be reached"), ({}, "No scheduler can be reached")):
            program = f"""
import chores
from diversify.analyses.executor import Executor, Task
from diversify.errors import UsageError
try:
    print(Executor(scheduler={made.address!r}).run([Task("double", chores.double, {{"number": 0}})]))
except UsageError as error:
    print(error)
"""
            environment = {**os.environ, **settings, "PYTHONPATH": str(Path(chores.__file__).parent)}
            said = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False)
            assert found in said.stdout, said.stdout + said.stderr


def _certificates(folder: Path) -> dict[str, str]:
    """Make certificates as docs/cluster.md says, and return the settings that it names."""
    folder.mkdir()
    makes, sets = (
        text for text in re.findall(r"```bash\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL) if text[:5] in ("umask", "expor")
    )
    subprocess.run(["bash", "-euc", makes], cwd=folder, check=True, capture_output=True)
    found = dict(re.findall(r"export (\w+)=(\S+)", sets))
    return {name: value if value == "true" else str(folder / value) for name, value in found.items()}


@pytest.mark.slow
def test_ctrl_c_ends_the_command_that_asks_a_cluster(shared: Cluster, tmp_path: Path) -> None:
    """The solver is stopped on the worker, within moments and not at its time limit."""
    asked_for = ["coalition", "trilateral-magnets", "--members", "USA,JPN", "--gap", "0", "--time-limit", "300", "--no-cache"]
    command_line = [sys.executable, "-c", "from diversify.cli import main; main()", *asked_for, "--scheduler", shared.address]
    started = subprocess.Popen(
        command_line, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
    )
    with pytest.raises(subprocess.TimeoutExpired):
        started.wait(15)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=30)
    assert started.returncode == 5, said
    assert b"Stopped by Ctrl-C" in said and b"Traceback" not in said
    begun = time.monotonic()
    assert Executor(scheduler=shared.address).run(doubles(2)) == [{"twice": 0}, {"twice": 2}]
    assert time.monotonic() - begun < 100  # the workers are free long before the time limit
