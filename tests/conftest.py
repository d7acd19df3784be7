"""What all tests share: where the cases with known optima lie, and the instances that are solved once for many tests."""

from __future__ import annotations

import pytest
from cases import hand_solved, solved

import diversify as dv


@pytest.fixture(scope="session")
def hand_solved_plan() -> dv.Plan:
    """The plan of the hand-solved case (see :mod:`cases`)."""
    return solved(hand_solved())
