"""A frontier of the hand-solved case as a program of its own, for tests that end it midway."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cases import hand_solved

from diversify.analyses.answer import Answer
from diversify.analyses.executor import Executor
from diversify.analyses.frontier import frontier

SHARES = (0.7, 0.4)


def asked(executor: Executor) -> Answer:
    """Return the frontier of the hand-solved case at some shares, exactly."""
    return frontier(hand_solved(), "china", shares=SHARES, gap=0, executor=executor)


if __name__ == "__main__":
    store, workers = sys.argv[1:]
    asked(Executor(int(workers), Path(store)))
