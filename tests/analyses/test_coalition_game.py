"""Cost games in numbers, against games whose solutions are known, orders of arrival counted out, and every corner of a band."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from numpy.typing import NDArray

from diversify.analyses.coalition.game import Band, Game, least_core, shapley_weights

Values = NDArray[np.float64]


def value_table(players: int, cost: object) -> Values:
    """Return the value of every subset from a function of the list of its players."""
    assert callable(cost)
    return np.array([cost([i for i in range(players) if subset >> i & 1]) for subset in range(2**players)], dtype=float)


def random_game(seed: int, players: int) -> Values:
    values = np.random.default_rng(seed).uniform(0, 100, 2**players)
    values[0] = 0.0
    return values


def shapley(values: Values) -> list[float]:
    return [band.low for band in Game.exact(values).shapley()]


def shapley_by_orders(values: Values) -> list[float]:
    """Return what each player adds on arrival, on average over all orders in which players can arrive."""
    players = len(values).bit_length() - 1
    added = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        present = 0
        for player in order:
            added[player] += values[present | 1 << player] - values[present]
            present |= 1 << player
    return (added / len(orders)).tolist()


MAJORITY = value_table(3, lambda s: len(s) - (len(s) >= 2))
"""Any two of three save 1 of the 1 that each costs alone: x + y <= 1 for each two, so 3 could pay 1.5 at most, and cost 2."""


@pytest.mark.parametrize("players", [2, 3, 4, 5])
def test_the_shapley_value_is_the_average_over_all_orders_of_arrival(players: int) -> None:
    values = random_game(players, players)
    assert shapley(values) == pytest.approx(shapley_by_orders(values))


def test_the_airport_game_has_the_known_shapley_value() -> None:
    """A runway as long as the longest plane needs: each pays, for every stretch that it uses, an equal part (Littlechild and Owen 1973)."""
    needs = [4.0, 10.0, 10.0, 19.0, 30.0]
    values = value_table(5, lambda s: max((needs[i] for i in s), default=0.0))
    known, paid, before = [], 0.0, 0.0
    for position, need in enumerate(needs):
        paid += (need - before) / (5 - position)
        before = need
        known.append(paid)
    assert shapley(values) == pytest.approx(known)
    assert Game.exact(values).core() == "not_empty"
    assert Game.exact(values).stability(shapley_weights(5)) == "yes"


@pytest.mark.parametrize("seed", range(5))
def test_the_shapley_values_sum_to_the_cost_of_all(seed: int) -> None:
    values = random_game(seed, 4)
    assert sum(shapley(values)) == pytest.approx(values[-1])


def test_players_who_add_the_same_pay_the_same() -> None:
    values = random_game(3, 3)
    values[0b010], values[0b110] = values[0b001], values[0b101]
    first, second, third = shapley(values)
    assert first == pytest.approx(second)
    assert first != pytest.approx(third)


def test_a_dummy_pays_what_it_costs_alone() -> None:
    others = random_game(4, 2)
    values = np.concatenate([others, others + 7.0])
    assert shapley(values)[2] == pytest.approx(7.0)
    assert shapley(values)[:2] == pytest.approx(shapley(others))


def test_the_shapley_value_of_two_games_added_is_the_sum_of_theirs() -> None:
    left, right = random_game(1, 4), random_game(2, 4)
    assert shapley(left + right) == pytest.approx(np.add(shapley(left), shapley(right)))


def test_the_core_of_the_majority_game_is_empty() -> None:
    """2 (x + y + z) = 4 <= 3 (1 + epsilon): epsilon is a third."""
    epsilon, allocation = least_core(MAJORITY)
    assert epsilon == pytest.approx(1 / 3)
    assert allocation == pytest.approx([2 / 3, 2 / 3, 2 / 3])
    assert Game.exact(MAJORITY).core() == "empty"
    assert Game.exact(MAJORITY).stability(shapley_weights(3)) == "no"


def test_a_game_without_anything_to_gain_has_one_point_in_its_core() -> None:
    values = value_table(3, lambda s: sum([3.0, 5.0, 7.0][i] for i in s))
    epsilon, allocation = least_core(values)
    assert epsilon == pytest.approx(0.0, abs=1e-9)
    assert allocation == pytest.approx([3.0, 5.0, 7.0])
    game = Game.exact(values)
    assert (game.core(), game.gain(), game.breaches()) == ("not_empty", Band(0.0, 0.0), [])


@pytest.mark.parametrize("seed", range(20))
def test_the_core_of_three_is_empty_exactly_where_a_balanced_collection_is_cheaper(seed: int) -> None:
    v = random_game(seed, 3)
    balanced = [
        v[1] + v[2] + v[4],
        *(v[pair] + v[single] for pair, single in ((0b011, 0b100), (0b101, 0b010), (0b110, 0b001))),
        (v[0b011] + v[0b101] + v[0b110]) / 2,
    ]
    assert Game.exact(v).core() == ("not_empty" if v[-1] <= min(balanced) else "empty")


@pytest.mark.parametrize("seed", range(3))
def test_what_is_said_of_bands_holds_at_every_corner_and_no_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = MAJORITY * 10 + rng.uniform(-2.0, 2.0, 8) * (np.arange(8) > 0)
    high = low + rng.uniform(0.0, 3.0, 8) * (np.arange(8) > 0)
    game = Game(low, high)
    corners = [np.where([False, *choice], high, low) for choice in product([False, True], repeat=7)]
    single = [Game.exact(corner) for corner in corners]
    gains = [each.gain().low for each in single]
    assert game.gain() == Band(pytest.approx(min(gains)), pytest.approx(max(gains)))
    for player, band in enumerate(game.shapley()):
        values = [shapley(corner)[player] for corner in corners]
        assert band == Band(pytest.approx(min(values)), pytest.approx(max(values)))
    epsilons = [least_core(corner)[0] for corner in corners]
    assert game.least_core() == Band(pytest.approx(min(epsilons)), pytest.approx(max(epsilons)))
    cores = {"not_empty" if epsilon <= 1e-5 else "empty" for epsilon in epsilons}
    assert game.core() == (cores.pop() if len(cores) == 1 else "unproved")
    stable = {each.stability(shapley_weights(3)) for each in single}
    assert game.stability(shapley_weights(3)) in {"unproved", *(stable if len(stable) == 1 else ())}


def test_a_wide_band_leaves_the_core_unproved() -> None:
    """At 2 all together cost too much for the three pairs, at 1.5 just enough; the Shapley value, half each, is then in the core."""
    low = MAJORITY.copy()
    low[-1] = 1.4
    game = Game(low, MAJORITY)
    assert game.core() == "unproved"
    assert game.least_core() == Band(pytest.approx(2.8 / 3 - 1), pytest.approx(1 / 3))
    assert game.gain() == Band(1.0, pytest.approx(1.6))


def test_together_dearer_than_apart_is_told_with_its_band() -> None:
    """{1} and {2} cost 4 each alone and 9 to 10 together, proved; {1} and {3} 8 apart and 7 to 8.5 together, not proved."""
    high = np.array([0, 4, 4, 10, 4, 8.5, 8, 12.0])
    low = high.copy()
    low[0b011], low[0b101] = 9.0, 7.0
    told = {(each.left, each.right): each.dearer for each in Game(low, high).breaches()}
    assert told == {(1, 2): Band(1.0, 2.0), (1, 4): Band(-1.0, 0.5)}


def test_a_subset_that_cannot_be_served_alone_never_leaves() -> None:
    values = np.array([0.0, 6.0, np.inf, 8.0])
    game = Game.exact(values)
    assert game.gain() == Band(np.inf, np.inf)
    assert game.core() == "not_empty"
    assert least_core(values)[0] == -np.inf
    assert game.breaches() == []


def test_a_bound_that_is_not_known_proves_nothing() -> None:
    game = Game(np.array([0.0, -np.inf, 4.0, 7.0]), np.array([0.0, 5.0, 4.0, 7.0]))
    assert game.gain() == Band(-np.inf, 2.0)
    assert game.core() == "unproved"
    assert game.shapley()[0] == Band(-np.inf, 4.0)


def test_without_a_plan_for_all_nothing_is_said() -> None:
    game = Game.exact(np.array([0.0, 5.0, 4.0, np.inf]))
    assert game.core() == "unproved"
    assert game.least_core() == Band(-np.inf, np.inf)
