"""The hand-over of cleaner tonnes as less clean ones, against the cut condition written out."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from diversify.audit.relabelling import unmet_tags


def unmet_by_cuts(net: dict[int, float]) -> float:
    """Hall's condition: for every set of short tags, their want less the surplus of all tags within any of them."""
    short = [tag for tag, size in net.items() if size < 0.0]
    chosen = (part for count in range(len(short) + 1) for part in combinations(short, count))
    return max(
        -sum(net[tag] for tag in part) - sum(size for tag, size in net.items() if size > 0.0 and any(not tag & ~want for want in part))
        for part in chosen
    )


@pytest.mark.parametrize("seed", range(200))
def test_the_unmet_want_is_the_worst_cut_for_tags_of_any_shape(seed: int) -> None:
    draw = random.Random(seed)
    groups = draw.choice([1, 2, 3, 4])
    tags = draw.sample(range(2**groups), k=draw.randint(1, 2**groups))
    net = {tag: float(draw.randint(-6, 6)) for tag in tags}
    assert unmet_tags(net) == pytest.approx(unmet_by_cuts(net), abs=1e-9)


def test_a_clean_tonne_serves_a_less_clean_want_but_never_the_reverse() -> None:
    assert unmet_tags({0b00: 5.0, 0b01: -5.0}) == 0.0
    assert unmet_tags({0b00: -5.0, 0b01: 5.0}) == 5.0
    assert unmet_tags({0b01: 5.0, 0b10: -5.0}) == 5.0


def test_an_early_hand_over_is_taken_back_where_another_tag_needs_it_more() -> None:
    """The clean tonnes go to the want of both groups first; the tonnes of group 1 must replace them for group 2's sake."""
    assert unmet_tags({0b00: 5.0, 0b01: 5.0, 0b11: -5.0, 0b10: -5.0}) == 0.0
