"""One plan for all scenarios against other ways to find it (case: :mod:`uncertain`).

- All choices of units enumerated, the rest of each scenario by a plain solve.
- A second formulation: a Pyomo block of every scenario's model, equations between what is common, solved through Pyomo's own interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import pyomo.environ as pyo
import pytest
from uncertain import BAN, NAMES, PROBABILITY, RISKS, case_of, enumerated, optimum, ridge, staged, stock, weighed

import diversify as dv
from diversify.planning.stages import Staged


@cache
def parts(case: dv.Instance) -> list[Staged]:
    return [staged(case, name) for name in case.table("scenarios")["scenario"]]


@cache
def choices() -> list[list[float]]:
    """Return the costs of the scenarios after each choice."""
    return list(enumerated(case_of(), NAMES).values())


@pytest.mark.parametrize(("weight", "level"), RISKS)
def test_the_optimum_is_the_best_of_all_choices(weight: float, level: float) -> None:
    best = min(weighed(costs, PROBABILITY, weight, level) for costs in choices())
    assert optimum(parts(case_of()), PROBABILITY, weight, level) == pytest.approx(best, rel=1e-7)


def test_the_risk_measure_at_its_ends() -> None:
    """Weight 0 or level 0: the expectation. Weight 1 at level 1: the least that the dearest scenario can cost."""
    expectation = min(weighed(costs, PROBABILITY) for costs in choices())
    for weight, level in ((0.0, 0.0), (0.0, 1.0), (0.4, 0.0), (1.0, 0.0)):
        assert optimum(parts(case_of()), PROBABILITY, weight, level) == pytest.approx(expectation)
    assert optimum(parts(case_of()), PROBABILITY, 1.0, 1.0) == pytest.approx(min(max(costs) for costs in choices()))


def test_the_optimum_never_falls_when_the_level_or_the_weight_rises() -> None:
    """CVaR is never below the expectation and rises with its level."""
    levels, weights = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0), (0.0, 0.2, 0.5, 0.8, 1.0)
    table = [[optimum(parts(case_of()), PROBABILITY, weight, level) for level in levels] for weight in weights]
    for rows in (table, list(zip(*table, strict=True))):
        for row in rows:
            assert all(one <= other + 1e-9 for one, other in pairwise(row))


@pytest.mark.parametrize(("weight", "level"), RISKS)
def test_a_scenario_told_twice_is_one_with_both_probabilities(weight: float, level: float) -> None:
    calm, squeeze, ban = parts(case_of())
    split = optimum([calm, squeeze, squeeze, ban, ban], (0.5, 0.15, 0.15, 0.05, 0.15), weight, level)
    assert split == pytest.approx(optimum([calm, squeeze, ban], PROBABILITY, weight, level))


@pytest.mark.parametrize(("weight", "level"), RISKS)
def test_one_scenario_alone_costs_what_its_plan_costs(weight: float, level: float) -> None:
    for name, part, cost in zip(NAMES, parts(case_of()), (0.015, 0.069, 0.125), strict=True):
        assert optimum([part], (1.0,), weight, level) == pytest.approx(cost), name


@pytest.mark.parametrize(("weight", "level"), RISKS)
def test_a_dear_scenario_that_becomes_likelier_never_makes_it_cheaper(weight: float, level: float) -> None:
    """Every choice costs at least as much in the ban as in the squeeze, and there as in the calm."""
    shifts = [(0.5 - shift, 0.3, 0.2 + shift) for shift in (0.0, 0.1, 0.3, 0.5)]
    costs = [optimum(parts(case_of()), shift, weight, level) for shift in shifts]
    assert all(one <= other + 1e-9 for one, other in pairwise(costs))


def capped(share: float) -> dv.Instance:
    """Return the case with a cap on Chinese ore from 2031 on."""
    cap = {"cap": "china", "commodity": "ore", "consumers": "JPN", "sources": "CHN", "basis": "produced"}
    return case_of(caps=[cap | {"year": 2030, "share": 1.0}, cap | {"year": 2031, "share": share}])


@pytest.mark.slow
def test_a_tighter_cap_is_never_cheaper() -> None:
    costs = [optimum(parts(capped(share))) for share in (1.0, 0.6, 0.5, 0.2)]
    assert costs[0] == pytest.approx(0.1022)
    assert costs[-1] > costs[0]
    assert all(one <= other + 1e-9 for one, other in pairwise(costs))


def test_to_learn_later_is_never_cheaper_and_to_learn_at_once_is_to_know() -> None:
    """Scenarios that differ from 2032 on, revealed in 2030 (nothing is decided before), 2031 or 2032."""
    ban = BAN.replace("2031", "2032")
    costs = []
    for reveal in (2030, 2031, 2032):
        case = case_of({"calm": (0.5, ()), "ban": (0.5, (ban,))}, projects=[ridge()], reveal=reveal)
        costs.append(optimum(parts(case), (0.5, 0.5)))
    known = [dv.solve(case.scenario(name), gap=0).objective_musd for name in ("calm", "ban")]
    assert None not in known
    assert costs[0] == pytest.approx(sum(cost or 0.0 for cost in known) / 2)
    assert costs[1] == pytest.approx(costs[0])  # the ridge's lead is a year: it can still be decided in 2031
    assert costs[2] > costs[1] + 1e-3


def tied(case: dv.Instance, names: Sequence[str], probability: Sequence[float], weight: float, level: float) -> float:
    """Return the optimum of the blocks of all scenarios, tied by equations in all of 2030 and in the projects called ``now``."""
    whole = pyo.ConcreteModel()
    models = [dv.build_model(case.scenario(name)) for name in names]
    for number, model in enumerate(models):
        model.o_cost.deactivate()
        whole.add_component(f"scenario_{number}", model)
    whole.common = pyo.ConstraintList()
    for model in models[1:]:
        for variables in models[0].component_objects(pyo.Var):
            for index, variable in variables.items():
                early = str(index[0]).endswith("now") if variables.local_name in ("v_build", "v_open") else index[-1] == 2030
                if early:
                    whole.common.add(variable == model.component(variables.local_name)[index])
    costs = [model.o_cost.expr for model in models]
    whole.h = pyo.Var()
    whole.over = pyo.Var(range(len(names)), domain=pyo.NonNegativeReals)
    whole.risk = pyo.ConstraintList()
    for number, cost in enumerate(costs):
        whole.risk.add(whole.over[number] * float(level < 1.0) + whole.h >= cost)
    tail = whole.h + sum(p * whole.over[number] for number, p in enumerate(probability)) / ((1 - level) if level < 1.0 else 1.0)
    expectation = sum(p * cost for p, cost in zip(probability, costs, strict=True))
    whole.weighed = pyo.Objective(expr=(1 - weight) * expectation + weight * tail)
    solver = pyo.SolverFactory("appsi_highs")
    solver.options["mip_rel_gap"] = 0.0
    solver.solve(whole)
    return float(pyo.value(whole.weighed))


@pytest.mark.parametrize(
    ("weight", "level"), [RISKS[1], *(pytest.param(*risk, marks=pytest.mark.slow) for risk in RISKS if risk != RISKS[1])]
)
def test_the_second_formulation_agrees(weight: float, level: float) -> None:
    """With a store, what is put in it in 2030 is a common choice of degree."""
    case = case_of(stockpiles=stock())
    expected = tied(case, NAMES, PROBABILITY, weight, level)
    assert optimum(parts(case), PROBABILITY, weight, level) == pytest.approx(expected, rel=1e-6)
    assert expected < optimum(parts(case_of()), PROBABILITY, weight, level) - 1e-4
