"""Extensive forms of matrices written down by hand, the risk measure, and cuts of a later stage."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csc_array
from uncertain import RISKS, weighed

from diversify.network.ground import Floats
from diversify.solve import Matrix, Options, Part, Risk, extensive, run
from diversify.solve.extensive import cvar
from diversify.solve.recourse import Growing, Recourse


def matrix(cost: list[float], a: list[list[float]], low: list[float], upper: list[float], offset: float = 0.0) -> Matrix:
    """Return: minimise cost x + offset, A x >= low, 0 <= x <= upper."""
    count, rows = len(cost), len(low)
    return Matrix(
        columns=[None] * count,
        rows=[None] * rows,
        a=csc_array(np.array(a, dtype=np.float64).reshape(rows, count)),
        cost=np.array(cost, dtype=np.float64),
        offset=offset,
        lower=np.zeros(count),
        upper=np.array(upper, dtype=np.float64),
        row_lower=np.array(low, dtype=np.float64),
        row_upper=np.full(rows, np.inf),
        integer=np.zeros(count, dtype=bool),
        column_scale=np.ones(count),
        row_scale=np.ones(rows),
        cost_scale=1.0,
    )


def vendor(demand: float, offset: float = 0.0, buy: float = 1.0) -> Matrix:
    """Return the news vendor who buys x at 1 beforehand and y at 3 when demand is known: x + y >= demand. He pays an offset besides."""
    return matrix([buy, 3.0], [[1.0, 1.0]], [demand], [np.inf, np.inf], offset=offset)


def cost_of_vendor(x: float, demand: float, offset: float = 0.0) -> float:
    return x + 3.0 * max(0.0, demand - x) + offset


DEMAND, OFFSET, CHANCE = (2.0, 5.0, 9.0), (0.0, 1.0, -2.0), (0.3, 0.5, 0.2)


@pytest.mark.parametrize(("weight", "level"), [*RISKS, (0.3, 0.0), (0.7, 0.5)])
def test_the_news_vendor_buys_what_the_best_quantile_says(weight: float, level: float) -> None:
    """The weighed cost is convex and bends at the demands, so that one of them is best; offsets belong to the costs."""
    parts = [
        Part(vendor(demand, offset), np.array([0, -1]), np.array([0]), chance)
        for demand, offset, chance in zip(DEMAND, OFFSET, CHANCE, strict=True)
    ]
    outcome = run(extensive(parts, 1, np.array([np.inf]), Risk(weight, level)).matrix, Options(gap=0.0))
    assert outcome.x is not None
    bends: list[float] = [0.0, *DEMAND]
    # between two demands the costs of two scenarios may cross, where the dearest of them changes
    bends += [x for one, other in combinations(range(3), 2) for x in crossings(one, other)]
    best = min(
        weighed([cost_of_vendor(x, demand, offset) for demand, offset in zip(DEMAND, OFFSET, strict=True)], CHANCE, weight, level)
        for x in bends
    )
    assert outcome.objective == pytest.approx(best, abs=1e-9)
    costs = np.array([cost_of_vendor(float(outcome.x[0]), demand, offset) for demand, offset in zip(DEMAND, OFFSET, strict=True)])
    assert Risk(weight, level).of(costs, np.array(CHANCE)) == pytest.approx(best, abs=1e-9)


def crossings(one: int, other: int) -> list[float]:
    """Return where two scenarios of the vendor cost the same, on each piece of their costs."""
    found = []
    for left, right in zip([0.0, *DEMAND], [*DEMAND, 20.0], strict=True):
        first, last = (cost_of_vendor(x, DEMAND[one], OFFSET[one]) - cost_of_vendor(x, DEMAND[other], OFFSET[other]) for x in (left, right))
        if first * last < 0:
            found.append(left + (right - left) * first / (first - last))
    return found


def test_a_bound_on_shared_columns_holds_and_so_does_the_narrowest_of_the_scenarios_own() -> None:
    narrow = matrix([1.0, 3.0], [[1.0, 1.0]], [9.0], [4.0, np.inf])
    for upper, cost in ((np.inf, 4.0 + 3 * 5.0), (3.0, 3.0 + 3 * 6.0)):
        parts = [Part(vendor(9.0), np.array([0, -1]), np.array([0]), 0.5), Part(narrow, np.array([0, -1]), np.array([0]), 0.5)]
        outcome = run(extensive(parts, 1, np.array([upper]), Risk()).matrix, Options(gap=0.0))
        assert outcome.objective == pytest.approx(cost)


def test_scenarios_that_share_nothing_cost_their_mean_and_shared_columns_may_come_in_any_order() -> None:
    alone = [Part(vendor(demand), np.array([-1, -1]), np.array([0]), 0.5) for demand in (2.0, 6.0)]
    assert run(extensive(alone, 0, np.array([]), Risk()).matrix, Options(gap=0.0)).objective == pytest.approx(4.0)
    turned = matrix([3.0, 1.0], [[1.0, 1.0]], [6.0], [np.inf, np.inf])
    parts = [Part(vendor(2.0), np.array([0, -1]), np.array([0]), 0.25), Part(turned, np.array([-1, 0]), np.array([0]), 0.75)]
    form = extensive(parts, 1, np.array([np.inf]), Risk())
    outcome = run(form.matrix, Options(gap=0.0))
    assert outcome.objective == pytest.approx(6.0)
    assert outcome.x is not None
    assert [outcome.x[columns].tolist() for columns in form.columns] == [pytest.approx([6.0, 0.0]), pytest.approx([0.0, 6.0])]


def test_a_scenario_without_probability_must_have_a_plan_and_weighs_nothing() -> None:
    parts = [Part(vendor(2.0), np.array([0, -1]), np.array([0]), 1.0), Part(vendor(9.0), np.array([0, -1]), np.array([0]), 0.0)]
    for weight, level in RISKS:
        assert run(extensive(parts, 1, np.array([np.inf]), Risk(weight, level)).matrix, Options(gap=0.0)).objective == pytest.approx(2.0)
    hopeless = matrix([1.0, 3.0], [[1.0, 1.0]], [9.0], [4.0, 4.0])
    parts[1] = Part(hopeless, np.array([0, -1]), np.array([0]), 0.0)
    assert run(extensive(parts, 1, np.array([np.inf]), Risk()).matrix, Options(gap=0.0)).stopped == "infeasible"


@pytest.mark.parametrize("seed", range(20))
def test_the_conditional_value_at_risk_is_the_dearest_expectation_that_its_level_allows(seed: int) -> None:
    """Against its dual, solved as a linear program; costs of either sign, with ties and outcomes that cannot happen."""
    random = np.random.default_rng(seed)
    costs = random.integers(-5, 6, size=7).astype(float)
    probability = random.dirichlet(np.ones(7)) * (random.random(7) < 0.8)
    probability /= probability.sum()
    for level in (0.0, 0.3, 0.95, 1.0):
        happening = probability > 0
        expected = weighed(costs[happening], probability[happening], 1.0, level)
        assert cvar(costs, probability, level) == pytest.approx(expected, abs=1e-9)


def test_the_conditional_value_at_risk_at_its_ends_and_between() -> None:
    costs, probability = np.array([1.0, 2.0, 10.0, 99.0]), np.array([0.5, 0.4, 0.1, 0.0])
    assert cvar(costs, probability, 0.0) == pytest.approx(2.3)
    assert cvar(costs, probability, 0.8) == pytest.approx((0.1 * 10 + 0.1 * 2) / 0.2)
    assert cvar(costs, probability, 0.9) == pytest.approx(10.0)
    assert cvar(costs, probability, 0.9999) == pytest.approx(10.0)
    assert cvar(costs, probability, 1.0) == 10.0
    assert Risk(0.25, 0.9).of(costs, probability) == pytest.approx(0.75 * 2.3 + 0.25 * 10.0)


def random_stage(seed: int) -> tuple[Recourse, list[list[float]], list[list[float]], list[float]]:
    """Return a later stage of two linking columns and four of its own, with its rows: T x + W y >= low, 0 <= y <= 5."""
    random = np.random.default_rng(seed)
    t, w = random.integers(-2, 4, size=(3, 2)).astype(float), random.integers(0, 4, size=(3, 4)).astype(float)
    low, price = random.integers(2, 9, size=3).astype(float), random.integers(1, 9, size=4).astype(float)
    joined = matrix([2.0, -1.0, *price], np.hstack([t, w]).tolist(), low.tolist(), [3.0, 3.0, 5.0, 5.0, 5.0, 5.0])
    return Recourse(joined, np.array([0, 1])), t.tolist(), w.tolist(), low.tolist()


def value_at(stage: Recourse, x: Floats) -> float:
    """Return the cost of a later stage at a point by another solver's program; infinite where there is none."""
    dense = stage.matrix.a.toarray()
    low = stage.matrix.row_lower - dense[:, :2] @ x
    answer = linprog(stage.matrix.cost[2:], A_ub=-dense[:, 2:], b_ub=-low, bounds=[(0.0, 5.0)] * 4)
    return float(answer.fun + stage.matrix.cost[:2] @ x) if answer.status == 0 else float("inf")


@pytest.mark.parametrize("seed", range(12))
def test_a_cut_touches_the_cost_where_it_was_made_and_is_nowhere_above_it(seed: int) -> None:
    """Where there is no plan the cut says so, and of no point that has one."""
    stage, *_ = random_stage(seed)
    grid = [np.array(point) for point in product((0.0, 0.7, 1.5, 3.0), repeat=2)]
    values = [value_at(stage, x) for x in grid]
    basis = ""
    for at, value in zip(grid, values, strict=True):
        cut = stage.cut(at, basis)
        basis = cut.basis
        assert cut.of_cost == np.isfinite(value)
        if cut.of_cost:
            assert cut.value == pytest.approx(value, abs=1e-7)
            assert cut.constant + cut.slope @ at == pytest.approx(value, abs=1e-7)
            assert all(cut.constant + cut.slope @ x <= other + 1e-7 for x, other in zip(grid, values, strict=True))
        else:
            assert cut.value == np.inf
            assert cut.constant + cut.slope @ at > 1e-7
            assert all(cut.constant + cut.slope @ x <= 1e-7 for x, other in zip(grid, values, strict=True) if np.isfinite(other))


def test_rows_that_are_added_to_a_program_in_the_solver_count_as_if_they_had_been_there() -> None:
    growing = Growing(vendor(5.0))
    first = growing.solve()
    assert first is not None
    assert first[1] == pytest.approx(5.0)
    growing.add(np.array([2.0e-6, -4.0]), [np.array([1]), np.array([0])], [np.array([1.0e-6]), np.array([-1.0])])  # y >= 2, x <= 4
    second = growing.solve()
    assert second is not None
    assert second[0].tolist() == pytest.approx([3.0, 2.0])
    assert second[1] == pytest.approx(9.0)
    growing.add(np.array([-1.0]), [np.array([0, 1])], [np.array([-1.0, -1.0])])  # x + y <= 1
    assert growing.solve() is None
