"""What the caps cost: a band that holds the true difference, worked out by hand for the hand-solved case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cases import EXAMPLES, HAND_SOLVED_MUSD, cost_musd, example

import diversify as dv
from diversify.planning.cap_cost import cap_cost, without_caps

FREE_MUSD = 13_000 * (1 + 1.44 + 0.9216) / 1e6


def test_the_band_closes_on_the_true_cost_at_gap_0(hand_solved_plan: dv.Plan) -> None:
    found = cap_cost(hand_solved_plan)
    assert found is not None
    assert found["low"] == pytest.approx(HAND_SOLVED_MUSD - FREE_MUSD, rel=1e-6)
    assert found["high"] == pytest.approx(HAND_SOLVED_MUSD - FREE_MUSD, rel=1e-6)
    assert found["low_share"] == pytest.approx((HAND_SOLVED_MUSD - FREE_MUSD) / FREE_MUSD, rel=1e-6)
    assert [(row["year"], row["pro_rata_share"]) for row in found["shares"]] == [(year, pytest.approx(1.0)) for year in (2030, 2031, 2033)]


def test_gaps_widen_the_band_around_the_truth(hand_solved_plan: dv.Plan) -> None:
    loose = replace(hand_solved_plan, summary={**hand_solved_plan.summary, "bound_musd": HAND_SOLVED_MUSD - 0.5})
    found = cap_cost(loose)
    assert found is not None
    assert found["low"] == pytest.approx(HAND_SOLVED_MUSD - 0.5 - FREE_MUSD, rel=1e-6)
    assert found["high"] == pytest.approx(HAND_SOLVED_MUSD - FREE_MUSD, rel=1e-6)


def test_the_lower_end_is_never_below_zero(hand_solved_plan: dv.Plan) -> None:
    found = cap_cost(replace(hand_solved_plan, summary={**hand_solved_plan.summary, "bound_musd": 0.0}))
    assert found is not None
    assert found["low"] == 0.0


def test_without_caps_or_without_a_plan_there_is_nothing_to_tell(hand_solved_plan: dv.Plan) -> None:
    none = replace(hand_solved_plan, summary={**hand_solved_plan.summary, "holds": "none"})
    free = replace(hand_solved_plan, instance=hand_solved_plan.instance.replace(caps=None))
    assert cap_cost(none) is None
    assert cap_cost(free) is None


CAPPED = [name for name in sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()) if len(example(name).table("caps"))]


@pytest.mark.parametrize("name", CAPPED[:4])
def test_dropping_the_limits_costs_the_same_as_dropping_the_table(name: str) -> None:
    case = example(name)
    bare = case.replace(caps=None, figures=None)
    assert cost_musd(without_caps(case)) == pytest.approx(cost_musd(bare), rel=1e-6)
