"""Why a solve stopped and what it holds are told apart, and both are true."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyomo.environ as pyo
import pytest
from cases import HAND_SOLVED_MUSD, KNOWN_OPTIMA, Rows, example, hand_solved, instance

import diversify as dv
from diversify.plan import TABLES
from diversify.solve import Options, compile_model, run


def _tables(**more: Rows) -> dict[str, Rows]:
    """One mine of 10 t/yr in Denver and 5 t of demand there that must be met."""
    return {
        "commodities": [{"commodity": "ore"}],
        "processes": [{"process": "mining", "reference": "ore"}, {"process": "dreaming", "reference": "ore"}],
        "recipes": [{"process": name, "commodity": "ore", "amount_t_per_t": 1} for name in ("mining", "dreaming")],
        "countries": [{"country": "USA"}, {"country": "JPN"}],
        "locations": [{"location": "Denver", "country": "USA"}, {"location": "Osaka", "country": "JPN"}],
        "facilities": [
            {"facility": "ridge", "location": "Denver", "process": "mining", "capacity_t_per_year": 10, "variable_usd_per_t": 1},
        ],
        "demand": [{"location": "Denver", "commodity": "ore", "quantity_t_per_year": 5}],
        **more,
    }


LANE: Rows = [{"origin": "Denver", "destination": "Osaka", "commodity": "ore"}]
BAN: Rows = [{"restriction": "ban", "origin": "USA", "destination": "JPN", "commodity": "ore", "limit_t_per_year": 0}]
CONTRACT: Rows = [{"contract": "k", "origin": "Denver", "destination": "Osaka", "commodity": "ore", "minimum_t_per_year": 2}]
STOCK: Rows = [{"location": "Osaka", "commodity": "ore", "final_min_t": 0}]
LATE: Rows = [
    {"project": "late", "facility": "ridge", "unit_t_per_year": 5, "units_max": 2, "units_min": 1, "capex_unit_musd": 1}
    | {"lead_years": 20, "life_years": 10}
]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"demand": [{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 5}]}, id="nobody can supply"),
        pytest.param({"demand": [{"location": "Denver", "commodity": "ore", "quantity_t_per_year": 11}]}, id="more than there is"),
        pytest.param({"lanes": LANE, "stockpiles": STOCK, "restrictions": BAN, "contracts": CONTRACT}, id="a contract under a ban"),
        pytest.param({"projects": LATE}, id="a project that must be built and cannot"),
        pytest.param({"stockpiles": [{"location": "Osaka", "commodity": "ore", "final_min_t": 1}]}, id="a stock that cannot be filled"),
    ],
)
def test_an_infeasible_case_says_so_and_holds_nothing(more: dict[str, Rows]) -> None:
    plan = dv.solve(instance(_tables(**more)))
    assert (plan.stopped, plan.holds) == ("infeasible", "none")
    assert (plan.objective_musd, plan.bound_musd, plan.gap) == (None, None, None)
    assert {name: list(frame.columns) for name, frame in plan.tables.items()} == {name: list(columns) for name, columns in TABLES.items()}
    assert all(frame.empty for frame in plan.tables.values())


def test_the_same_case_without_the_contradiction_has_a_plan() -> None:
    plan = dv.solve(instance(_tables(lanes=LANE, stockpiles=STOCK, restrictions=BAN)), gap=0)
    assert (plan.stopped, plan.holds, plan.objective_musd) == ("optimal", "plan", pytest.approx(5e-6))


@pytest.mark.parametrize("projects", [[], [LATE[0] | {"units_min": 0, "lead_years": 0}]], ids=["linear", "with integers"])
def test_an_unbounded_case_says_so(projects: Rows) -> None:
    """A process that takes no capacity and a market without a limit earn without end."""
    modes: Rows = [{"facility": "ridge", "process": "dreaming", "capacity_per_t": 0}]
    markets: Rows = [{"location": "*", "commodity": "ore", "price_usd_per_t": 3}]
    plan = dv.solve(instance(_tables(modes=modes, markets=markets, projects=projects)))
    assert plan.stopped == "unbounded"
    assert plan.bound_musd is None
    assert plan.gap is None


def _market_split() -> dv.Instance:
    """A market split problem (Cornuejols and Dawande 1999): easy to state, easy to have a plan for, hopeless to prove.

    Forty plants run full or not at all, each making six goods in odd amounts; half of all is wanted of each good, and every
    tonne too little or too much is dear.
    """
    draw = random.Random(4)
    goods = [f"good {number}" for number in range(6)]
    plants = [f"plant {number}" for number in range(40)]
    amounts: dict[str, dict[str, int]] = {plant: {good: draw.randint(1, 99) for good in goods} for plant in plants}
    return instance(
        {
            "commodities": [{"commodity": "token"}, *({"commodity": name, "disposal_usd_per_t": 1e6} for name in goods)],
            "processes": [{"process": name, "reference": "token"} for name in plants],
            "recipes": [
                {"process": plant, "commodity": name, "amount_t_per_t": amount}
                for plant in plants
                for name, amount in {"token": 1, **amounts[plant]}.items()
            ],
            "countries": [{"country": "USA"}],
            "locations": [{"location": "Denver", "country": "USA"}],
            "facilities": [{"facility": name, "location": "Denver", "process": name, "utilisation_min": 1} for name in plants],
            "projects": [
                {"project": name, "facility": name, "unit_t_per_year": 1, "units_max": 1, "life_years": 10, "capex_unit_musd": 1}
                for name in plants
            ],
            "demand": [
                {"location": "Denver", "commodity": good, "shortage_usd_per_t": 1e6}
                | {"quantity_t_per_year": sum(amounts[plant][good] for plant in plants) // 2}
                for good in goods
            ],
        }
    )


def test_a_time_limit_keeps_the_incumbent_and_never_calls_it_optimal() -> None:
    plan = dv.solve(_market_split(), gap=0, time_limit=1.0)
    assert (plan.stopped, plan.holds) == ("time_limit", "plan")
    assert plan.objective_musd is not None and plan.bound_musd is not None and plan.gap is not None
    assert plan.bound_musd < plan.objective_musd
    assert plan.gap == pytest.approx((plan.objective_musd - plan.bound_musd) / plan.objective_musd)
    assert plan.summary["audit"]["ok"], plan.summary["audit"]["violations"]


def test_an_interruption_keeps_the_incumbent() -> None:
    pressed: list[dv.Progress] = []

    def stop_at_the_first_plan(state: dv.Progress) -> None:
        if state.incumbent_musd < float("inf") and not pressed:
            pressed.append(state)
            raise KeyboardInterrupt

    plan = dv.solve(_market_split(), gap=0, time_limit=60, progress=stop_at_the_first_plan)
    assert (plan.stopped, plan.holds) == ("interrupted", "plan")
    assert plan.gap is not None and plan.gap > 0
    assert plan.summary["seconds"]["solve"] < 55


def test_a_gap_is_kept_and_told() -> None:
    plan = dv.solve(hand_solved(), gap=0.2)
    assert plan.stopped == "optimal"
    assert plan.gap is not None and plan.objective_musd is not None and plan.bound_musd is not None
    assert 0 <= plan.gap <= 0.2
    assert plan.summary["gap_musd"] == pytest.approx(plan.objective_musd - plan.bound_musd)


def test_threads_may_change_from_solve_to_solve() -> None:
    model = dv.build_model(hand_solved())
    matrix = compile_model(model, model.diversify.variables, model.diversify.scale)
    outcomes = [run(matrix, Options(gap=0.0, threads=threads)) for threads in (1, 2, 1)]
    assert [outcome.stopped for outcome in outcomes] == ["optimal"] * 3
    assert [outcome.objective for outcome in outcomes] == pytest.approx([HAND_SOLVED_MUSD] * 3)


def test_two_solves_give_the_same_plan_bit_by_bit(hand_solved_plan: dv.Plan) -> None:
    again = dv.solve(hand_solved(), gap=0)
    for name in TABLES:
        pd.testing.assert_frame_equal(again.tables[name], hand_solved_plan.tables[name], check_exact=True, obj=name)


@pytest.mark.slow
def test_two_solves_of_a_dense_case_give_the_same_plan_bit_by_bit() -> None:
    first, second = (dv.solve(example("random-18"), gap=0) for _ in range(2))
    for name in TABLES:
        pd.testing.assert_frame_equal(first.tables[name], second.tables[name], check_exact=True, obj=name)


def test_another_seed_costs_the_same() -> None:
    model = dv.build_model(example("random-02"))
    matrix = compile_model(model, model.diversify.variables, model.diversify.scale)
    costs = [run(matrix, Options(gap=0.0, seed=seed)).objective for seed in (0, 17)]
    assert costs == pytest.approx([KNOWN_OPTIMA["random-02"]["objective_musd"]] * 2)


@pytest.mark.parametrize("options", [{"gap": -0.1}, {"gap": float("nan")}, {"time_limit": 0}, {"threads": -1}, {"seed": -1}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(dv.UsageError):
        dv.solve(hand_solved(), **options)


def test_the_instances_own_options_hold_unless_others_are_given() -> None:
    case = dv.Instance.from_tables(hand_solved().meta | {"solve": {"gap": 0.03, "time_limit_s": 7, "threads": 1}}, hand_solved().tables)
    options = dv.solve(case, threads=2).manifest["options"]
    assert (options["gap"], options["time_limit_s"], options["threads"]) == (0.03, 7.0, 2)


def test_an_added_constraint_takes_effect() -> None:
    model = dv.build_model(hand_solved())
    model.one_unit_at_most = pyo.Constraint(expr=sum(model.v_build[key] for key in model.v_build) <= 2)
    plan = dv.solve(model=model, gap=0)
    assert (plan.stopped, plan.holds) == ("optimal", "plan")
    assert plan.builds["units"].sum() <= 2
    assert plan.objective_musd is not None and plan.objective_musd > HAND_SOLVED_MUSD
    assert plan.summary["audit"]["ok"]


def test_an_added_variable_and_a_constraint_with_two_sides_take_effect() -> None:
    """Units come in pairs, and there are three to five of them: four."""
    model = dv.build_model(hand_solved())
    units = sum(model.v_build[key] for key in model.v_build)
    model.pairs = pyo.Var(domain=pyo.NonNegativeIntegers)
    model.in_pairs = pyo.Constraint(expr=units == 2 * model.pairs)
    model.between = pyo.Constraint(expr=(3, units, 5))
    assert dv.solve(model=model, gap=0).builds["units"].sum() == 4


def test_fixed_builds_stay_in_the_plan() -> None:
    model = dv.build_model(hand_solved())
    for key in model.v_build:
        model.v_build[key].fix({("ridge-1", 2031): 1, ("ridge-1", 2033): 2}.get(key, 0))
    plan = dv.solve(model=model, gap=0)
    assert plan.objective_musd == pytest.approx(HAND_SOLVED_MUSD)
    assert plan.builds["units"].tolist() == [1.0, 2.0]
    assert plan.summary["audit"]["ok"], plan.summary["audit"]["violations"]


def test_a_cap_that_the_caller_lifts_is_reported_by_the_audit() -> None:
    model = dv.build_model(hand_solved())
    model.c_cap.deactivate()
    plan = dv.solve(model=model, gap=0)
    assert plan.objective_musd == pytest.approx(13_000 * (1 + 1.44 + 0.9216) / 1e6)
    assert not plan.summary["audit"]["ok"]
    assert {violation["rule"] for violation in plan.summary["audit"]["violations"]} == {"cap"}


def test_another_objective_is_refused_because_bound_and_gap_would_not_be_those_of_the_cost() -> None:
    model = dv.build_model(hand_solved())
    model.o_cost.deactivate()
    model.most = pyo.Objective(expr=sum(model.v_run[key] for key in model.v_run), sense=pyo.maximize)
    with pytest.raises(dv.UsageError):
        dv.solve(model=model)


def test_a_model_from_elsewhere_is_refused() -> None:
    with pytest.raises(dv.UsageError):
        dv.solve(model=pyo.ConcreteModel())


def test_a_solver_that_there_is_not_is_refused() -> None:
    with pytest.raises(dv.UsageError, match="no solver"):
        dv.solve(hand_solved(), solver="abacus")


def test_a_solver_reached_through_pyomo_gives_the_same_plan() -> None:
    plan = dv.solve(hand_solved(), gap=0, solver="appsi_highs")
    assert (plan.stopped, plan.holds) == ("optimal", "plan")
    assert plan.objective_musd == pytest.approx(HAND_SOLVED_MUSD)
    assert plan.summary["audit"]["ok"]


@pytest.mark.slow
def test_a_solver_that_does_not_stop_in_time_is_left_behind_and_its_best_plan_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver is given up long before its own time limit, as if it had overrun it: what it told of by then is a whole plan."""
    monkeypatch.setattr(sys.modules["diversify.solve.highs"], "_PATIENCE_SECONDS", -80.0)
    plan = dv.solve(Path(__file__).parents[2] / "benchmarks" / "instances" / "synthetic-trilateral", gap=0, time_limit=100)
    assert (plan.stopped, plan.holds) == ("time_limit", "plan")
    assert plan.summary["seconds"]["solve"] < 60
    assert plan.summary["audit"]["ok"]
    assert 27_635 <= plan.bound_musd <= 27_895 <= plan.objective_musd
