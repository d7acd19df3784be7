"""One plan for all scenarios: the case of :mod:`uncertain`, worked by hand there; both methods against each other; errors."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest
from cases import Rows
from uncertain import BAN, HAND_SOLVED, NAMES, PROBABILITY, SQUEEZE, Scenarios, case_of, demand, optimum, ridge, staged, stock, weighed

import diversify as dv
from diversify.analyses.answer import Answer
from diversify.analyses.executor import Executor
from diversify.analyses.stochastic import stochastic
from diversify.errors import UsageError

METHODS = ("extensive", "decomposed")


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-6, abs=1e-9)


@cache
def worked() -> Answer:
    """Return the answer on the case worked by hand."""
    return stochastic(case_of(), gap=0)


def found(case: dv.Instance, method: str, **options: object) -> Answer:
    """Return the answer to a gap of zero, without what knowing would be worth."""
    return stochastic(case, method=method, gap=0, value=False, **options)  # type: ignore[arg-type]


def early_units(answer: Answer) -> dict[str, dict[str, float]]:
    """Return the units decided before the reveal, by plan and project."""
    return {str(plan): dict(zip(rows["project"], rows["units"], strict=True)) for plan, rows in answer.decisions.groupby("plan")}


def test_the_case_worked_by_hand() -> None:
    summary = worked().summary
    assert (summary["stopped"], summary["holds"], summary["method"]) == ("optimal", "plan", "extensive")
    assert summary["objective_musd"] == near(HAND_SOLVED["optimum"])
    assert summary["expected_musd"] == near(HAND_SOLVED["optimum"])
    assert summary["cvar_musd"] == near(0.245)
    assert summary["bound_musd"] == near(HAND_SOLVED["optimum"])
    assert worked().scenarios["cost_musd"].tolist() == pytest.approx([0.065, 0.069, 0.245])
    assert worked().scenarios["alone_musd"].tolist() == pytest.approx([0.015, 0.069, 0.125])
    assert worked().scenarios["after_mean_musd"].tolist() == pytest.approx([0.015, 0.160, 0.365])
    assert worked().scenarios["shortage_t"].tolist() == pytest.approx([0, 0, 50])
    assert early_units(worked()) == {"all scenarios": {"ridge now": 1.0}, "squeeze": {"ridge now": 1.0}, "ban": {"ridge now": 2.0}}


def test_what_knowing_and_planning_are_worth_lies_within_the_bands() -> None:
    """WS <= RP <= EEV, and each worth is the difference of two of them."""
    summary = worked().summary
    know, mean = (worked().scenarios[name].to_numpy() @ np.array(PROBABILITY) for name in ("alone_musd", "after_mean_musd"))
    assert know <= summary["objective_musd"] <= mean
    for name, worth in (("evpi", HAND_SOLVED["evpi"]), ("vss", HAND_SOLVED["vss"])):
        assert summary[f"{name}_musd"] == near(worth)
        assert 0 <= summary[f"{name}_low_musd"] <= summary[f"{name}_musd"] + 1e-12
        assert summary[f"{name}_musd"] <= summary[f"{name}_high_musd"] + 1e-12
    assert summary["evpi_musd"] == near(summary["objective_musd"] - know)
    assert summary["vss_musd"] == near(mean - summary["objective_musd"])


def test_units_say_whether_they_are_common_and_costs_add_up() -> None:
    rows = worked().builds[["scenario", "common", "project", "units"]].to_numpy().tolist()
    assert sorted(rows) == sorted([[name, True, "ridge now", 1.0] for name in NAMES] + [["ban", False, "ridge later", 1.0]])
    costs = worked().costs.groupby("scenario")["musd"].sum()
    assert costs.to_dict() == pytest.approx(dict(zip(NAMES, (0.065, 0.069, 0.245), strict=True)))


@pytest.mark.parametrize("method", [pytest.param("extensive", marks=pytest.mark.slow), "decomposed"])
def test_who_fears_the_worst_builds_for_the_ban(method: str) -> None:
    """Weight 1 at level 1: the dearest scenario costs at least 0.125, whoever plans."""
    answer = stochastic(case_of(), method=method, gap=1e-7, cvar_weight=1.0, cvar_level=1.0, value=False)
    assert answer.summary["stopped"] == "optimal"
    assert answer.summary["objective_musd"] == near(0.125)
    assert answer.summary["cvar_musd"] == near(0.125)
    assert answer.summary["expected_musd"] == near(0.1182)
    assert early_units(answer)["all scenarios"] == {"ridge now": 2.0}


@pytest.mark.slow
def test_worths_are_never_negative_with_a_risk_measure_either() -> None:
    summary = stochastic(case_of(), method="extensive", gap=0, cvar_weight=0.5, cvar_level=0.6).summary
    assert summary["objective_musd"] == near(0.5 * 0.1182 + 0.5 * weighed([0.115, 0.119, 0.125], PROBABILITY, 1.0, 0.6))
    assert summary["evpi_musd"] == near(summary["objective_musd"] - weighed([0.015, 0.069, 0.125], PROBABILITY, 0.5, 0.6))
    assert summary["vss_musd"] == near(weighed([0.015, 0.160, 0.365], PROBABILITY, 0.5, 0.6) - summary["objective_musd"])


@pytest.mark.parametrize("method", METHODS)
def test_one_scenario_that_is_sure_costs_what_its_plan_costs(method: str) -> None:
    answer = stochastic(case_of(), scenarios={"squeeze": 1.0}, method=method, gap=1e-7, value=False)
    assert answer.summary["stopped"] == "optimal"
    assert answer.summary["objective_musd"] == near(dv.solve(case_of().scenario("squeeze"), gap=0).objective_musd or 0.0)


@pytest.mark.slow
def test_scenarios_that_are_named_share_what_probability_they_have_and_the_data_alone_are_one() -> None:
    """Calm and ban at 5 to 2; base stands for the data as they are, which are the calm."""
    answer = found(case_of(), "extensive", scenarios=["calm", "ban"])
    assert answer.scenarios["probability"].tolist() == pytest.approx([5 / 7, 2 / 7])
    assert answer.summary["objective_musd"] == near(
        min(5 * calm + 2 * ban for calm, ban in ((0.015, 0.365), (0.065, 0.245), (0.115, 0.125))) / 7
    )
    base = found(case_of(), "extensive", scenarios={"base": 5 / 7, "ban": 2 / 7})
    assert base.summary["objective_musd"] == near(answer.summary["objective_musd"])


@pytest.mark.slow
def test_the_number_of_workers_does_not_matter() -> None:
    answer = found(case_of(), "decomposed")
    again = stochastic(case_of(), method="decomposed", gap=0, value=False, executor=Executor(2))
    assert again.summary["objective_musd"] == answer.summary["objective_musd"]
    assert again.rounds.equals(answer.rounds)


HARD: Rows = demand(None)
ONLY_RIDGE: Rows = [ridge("ridge now", latest_year=2031), ridge("ridge later", earliest_year=2032)]


@pytest.mark.parametrize(("weight", "level", "cost"), [(0.0, 0.95, 0.1182), pytest.param(1.0, 1.0, 0.125, marks=pytest.mark.slow)])
def test_choices_after_which_a_scenario_has_no_plan_are_cut_off(weight: float, level: float, cost: float) -> None:
    """Demand must be met and nothing else comes in time: the ban takes two units, though calm, which is stated in full, wants none."""
    case = case_of(projects=ONLY_RIDGE, demand=HARD)
    answer = stochastic(case, method="decomposed", gap=0.01, cvar_weight=weight, cvar_level=level, value=False)
    assert answer.summary["stopped"] == "optimal"
    assert answer.summary["objective_musd"] == near(cost)
    assert cost * 0.99 <= answer.summary["bound_musd"] <= cost * (1 + 1e-9)


def test_a_plan_that_needs_parts_of_units_is_never_passed_off_as_one() -> None:
    """From 2032 on a ban; the budget allows nine tenths of a later unit of 60 t: after one unit beforehand 54 t would do."""
    late_ban = BAN.replace("2031", "2032")
    budget = {"budget": "later", "payer": "*", "first_year": 2031, "last_year": 2032, "limit_musd": 0.045}
    units = [ridge("ridge now", latest_year=2031), ridge("ridge later", earliest_year=2032, unit_t_per_year=60)]
    case = case_of({"calm": (0.5, ()), "ban": (0.5, (late_ban,))}, projects=units, demand=HARD, budgets=[budget])
    together = found(case, "extensive")
    assert (together.summary["stopped"], together.summary["objective_musd"]) == ("optimal", near(0.1175))
    summary = stochastic(case, method="decomposed", gap=0.01, value=False).summary
    assert summary["bound_musd"] <= 0.1175 + 1e-9
    if summary["holds"] == "none":
        assert summary["stopped"] not in ("optimal", "infeasible")
    else:
        assert summary["objective_musd"] >= 0.1175 - 1e-9


@pytest.mark.parametrize(
    ("one", "other", "cost"),
    [
        ((BAN,), ("budgets[].limit_musd=0.05",), 0.5 * 0.245 + 0.5 * 0.065),
        ((), ('projects[project="ridge now"].units_min=1',), 0.065),
    ],
)
def test_what_only_one_scenario_demands_of_common_decisions_holds_for_all(
    one: tuple[str, ...], other: tuple[str, ...], cost: float
) -> None:
    """The first would have two units, or none, were it not for the other, which allows one or must have one."""
    budget = {"budget": "now", "payer": "*", "first_year": 2030, "last_year": 2030, "limit_musd": 0.1}
    case = case_of({"one": (0.5, one), "other": (0.5, other)}, budgets=[budget])
    answer = stochastic(case, method="decomposed", gap=1e-7, value=False)
    assert answer.summary["objective_musd"] == near(cost)
    assert answer.summary["bound_musd"] <= cost * (1 + 1e-6)
    assert early_units(answer)["all scenarios"] == {"ridge now": 1.0}


def test_units_that_the_likeliest_scenario_delays_for_good_are_decided_for_the_others_and_by_no_cuts() -> None:
    """Late by a year the unit misses its last year: it is of use in the other scenario alone."""
    late = 'projects[project="ridge now"].lead_years=plus 1'
    case = case_of({"late": (0.6, (BAN, late)), "in-time": (0.4, (BAN,))})
    assert found(case, "extensive").summary["objective_musd"] == near(0.6 * 0.365 + 0.4 * 0.125)
    assert stochastic(case, method="auto", value=False).summary["method"] == "extensive"
    with pytest.raises(UsageError, match="in-time"):
        found(case, "decomposed")


@pytest.mark.parametrize("method", METHODS)
def test_where_a_scenario_has_no_plan_at_all_there_is_none(method: str) -> None:
    summary = stochastic(case_of(projects=[], demand=HARD), method=method, gap=0).summary
    assert (summary["stopped"], summary["holds"]) == ("infeasible", "none")
    assert [summary[name] for name in ("objective_musd", "gap", "evpi_musd", "vss_musd", "expected_musd", "cvar_musd")] == [None] * 6


def random_case(seed: int) -> dv.Instance:
    """Return a case like that of the module with random projects under four scenarios of bans, squeezes, demands and delays."""
    random = np.random.default_rng(seed)

    def pick(options: Iterable[object]) -> object:
        return list(options)[int(random.integers(len(list(options))))]

    projects: Rows = []
    for place in ("ridge", "vale"):
        for number in range(2):
            size = None if random.random() < 0.3 else int(random.integers(20, 70))
            own: dict[str, object] = {
                "project": f"{place} {number}",
                "facility": place,
                "lead_years": number,
                "life_years": int(random.integers(1, 4)),
            }
            cost = float(random.integers(400, 2000))
            own |= {"max_t_per_year": 120, "capex_usd_per_t_year": cost} if size is None else {}
            own |= {} if size is None else {"unit_t_per_year": size, "units_max": 2, "capex_unit_musd": size * cost / 1e6}
            own |= {"capex_first_musd": 0.01} if size is not None and random.random() < 0.4 else {}
            projects.append(own)
    changes = [BAN, SQUEEZE, "demand[year=2031].quantity_t_per_year=x1.4", "demand[year=2032].quantity_t_per_year=x0.6"]
    changes += [
        "demand[year=2032].quantity_t_per_year=170",
        "projects[project=ridge 1].lead_years=plus 1",
        "projects[facility=vale].capex_first_musd=default",
    ]
    scenarios: dict[str, tuple[float, list[str]]] = {"calm": (0.0, [])}
    for name in ("one", "two", "three"):
        drawn = [str(pick(changes[:2])), str(pick(changes[2:6]))]
        scenarios[name] = (float(random.integers(1, 10)), drawn[: int(random.integers(1, 3))])
    scenarios["calm"] = (10.0, [])
    total = sum(weight for weight, _ in scenarios.values())
    told: Scenarios = {name: (weight / total, drawn) for name, (weight, drawn) in scenarios.items()}
    hard = random.random() < 0.5
    more: dict[str, Rows] = {"projects": projects, "demand": demand(None if hard else float(random.integers(1000, 4000)))}
    more |= {"stockpiles": stock()} if random.random() < 0.5 else {}
    return case_of(told, **more)


SEEDS = [pytest.param(seed, marks=[] if seed == 1 else pytest.mark.slow) for seed in range(20)]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_decomposition_agrees_with_all_scenarios_in_one_problem(seed: int) -> None:
    """Its bound is one, and its plan is one; where it says optimal both lie within the gap of the optimum."""
    case = random_case(seed)
    rows = case.records("scenarios")
    weight, level = ((0.0, 0.95), (0.6, 0.7), (1.0, 1.0))[seed % 3]
    parts = [staged(case, str(row["scenario"])) for row in rows]
    try:
        best = optimum(parts, [float(str(row["probability"])) for row in rows], weight, level)
    except AssertionError as told:
        assert str(told).startswith("infeasible")
        assert stochastic(case, method="decomposed", value=False).summary["stopped"] == "infeasible"
        return
    summary = stochastic(case, method="decomposed", gap=1e-3, cvar_weight=weight, cvar_level=level, value=False).summary
    assert summary["bound_musd"] <= best * (1 + 1e-6)
    if summary["holds"] == "plan":
        assert summary["objective_musd"] >= best * (1 - 1e-6)
    if summary["stopped"] == "optimal":
        assert summary["objective_musd"] == pytest.approx(best, rel=1.1e-3)
        assert summary["bound_musd"] == pytest.approx(best, rel=1.1e-3)
    else:
        assert summary["stopped"] == "round_limit"


def test_options_that_make_no_sense_are_errors() -> None:
    for options, match in (
        ({"scenarios": ["calm", "nobody"]}, "nobody"),
        ({"scenarios": {"calm": 0.5, "bam": 0.5}}, "ban"),
        ({"scenarios": {"calm": 0.5, "ban": 0.4}}, r"sum to 1; they are calm 0.5, ban 0.4"),
        ({"scenarios": {"calm": 1.5, "ban": -0.5}}, "between 0 and 1"),
        ({"scenarios": ["ban", "ban"]}, "once"),
        ({"scenarios": []}, "none"),
        ({"cvar_weight": 2.0}, "CVaR"),
        ({"cvar_level": -0.1}, "CVaR"),
        ({"method": "guess"}, "extensive"),
    ):
        with pytest.raises(UsageError, match=match):
            stochastic(case_of(), **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="has the scenario 'ban' in it already"):
        stochastic(case_of().scenario("ban"))


def test_cases_that_cannot_be_planned_for_are_errors() -> None:
    for case, match in (
        (case_of(reveal=None), "no reveal_year"),
        (case_of(reveal=2033), "2033 lies after the last planning year 2032"),
        (case_of({"calm": (None, ()), "ban": (None, (BAN,))}), "has a probability"),
        (case_of({"calm": (0.5, ()), "ban": (0.4, (BAN,))}), "sum to 1"),
        (
            case_of({"calm": (0.5, ()), "ban": (0.5, (BAN.replace("2031", "2030"),))}),
            r"(?s)ban: the upper bound of shipments of port, CHN, Osaka, ore, 2030 is unlimited in calm and absent in ban",
        ),
        (
            case_of({"calm": (0.5, ()), "more": (0.5, ("demand[year=2030].quantity_t_per_year=120",))}),
            r"(?s)more: .*the demand at Osaka, ore, 2030 is 100 in calm and 120 in more",
        ),
        (case_of({"calm": (0.5, ()), "gone": (0.5, ("-projects[project=ridge now]",))}), "'ridge now' away"),
    ):
        with pytest.raises(UsageError, match=match):
            stochastic(case, method="extensive")
