"""Sensitivity: one at a time against a case worked by hand, all at once against a case whose variance is known.

The case whose variance is known
--------------------------------
Osaka and Nagoya want 100 t of ore each, each from one mine, at a and b USD per t. The cost is 1e-4 (a + b) million USD. With a uniform
over 1,000 to 3,000 and b over 1,000 to 2,000 the variances are as 2^2 to 1^2: a makes up 0.8 of it, b 0.2, by themselves and in all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import Rows, example, instance
from click.testing import CliRunner, Result
from ridge import cost, least, ridge_case

import diversify as dv
from diversify.analyses.answer import Answer
from diversify.analyses.executor import Executor, Step
from diversify.analyses.sensitivity import LAYOUT, Input, data_inputs, read_input, sensitivity, standard_inputs
from diversify.analyses.sensitivity.between import Between
from diversify.analyses.sensitivity.indices import _places, index_rows, sampled
from diversify.analyses.sensitivity.inputs import Provenance
from diversify.analyses.solving import Limits
from diversify.cli import command
from diversify.errors import InstanceError, UsageError
from diversify.report.sensitivity import sensitivity_page
from diversify.report.terminal import rendered

DEMAND = Input("demand", ("demand[].quantity_t_per_year=x0.5",), ("demand[].quantity_t_per_year=x1.5",))
PORT = "port=facilities[facility=port].variable_usd_per_t=x0.1|x1.2"
_CAPITAL = "projects[].capex_unit_musd=x{0};projects[].capex_first_musd=x{0}"
CAPITAL = f"capital={_CAPITAL.format(0.5)} | {_CAPITAL.format(1.4)}"
UNUSED = "unused=facilities[facility=port].capacity_t_per_year=x0.9|x1.1"

FIGURES: Rows = [
    {
        "table": "demand",
        "key": "Osaka|ore|",
        "column": "quantity_t_per_year",
        "low": 60,
        "high": 140,
        "quality": "cited",
        "source": "a book",
    },
    {"table": "facilities", "key": "port", "column": "variable_usd_per_t", "high": 5000},
    {"table": "facilities", "key": "ridge", "column": "variable_usd_per_t", "low": 50, "high": 200},
    {"table": "projects", "key": "ridge", "column": "life_years", "quality": "assumed"},
]


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-6, abs=1e-7)


def by_input(answer: Answer) -> dict[str, dict[str, Any]]:
    return {row["input"]: row for row in answer.summary["inputs"]}


@cache
def ridge_answer() -> Answer:
    return sensitivity(ridge_case(), inputs=[UNUSED, PORT, CAPITAL, DEMAND], gap=0)


def two_mines() -> dv.Instance:
    """Return the case of the module's text, at a = 2,000 and b = 1,500."""
    pairs = [("Osaka", "a", 2000), ("Nagoya", "b", 1500)]
    return instance(
        {
            "commodities": [{"commodity": "ore"}],
            "processes": [{"process": "mining", "reference": "ore"}],
            "recipes": [{"process": "mining", "commodity": "ore", "amount_t_per_t": 1}],
            "countries": [{"country": "USA"}, {"country": "JPN"}],
            "locations": [{"location": to, "country": "JPN"} for to, _, _ in pairs]
            + [{"location": at, "country": "USA"} for _, at, _ in pairs],
            "facilities": [
                {"facility": at, "location": at, "process": "mining", "capacity_t_per_year": 100, "variable_usd_per_t": usd}
                for _, at, usd in pairs
            ],
            "lanes": [{"origin": at, "destination": to, "commodity": "ore", "cost_usd_per_t": 0} for to, at, _ in pairs],
            "demand": [{"location": to, "commodity": "ore", "quantity_t_per_year": 100} for to, _, _ in pairs],
        },
        name="two-mines",
    )


MINES = ["a=facilities[facility=a].variable_usd_per_t=1000|3000", "b=facilities[facility=b].variable_usd_per_t=1000|2000"]


@pytest.mark.slow
def test_every_end_costs_what_trying_all_numbers_of_units_says() -> None:
    ends = {
        "demand": ({"wanted": 50}, {"wanted": 150}),
        "port": ({"port": 300}, {"port": 3600}),
        "capital": ({"capital": 0.5}, {"capital": 1.4}),
        "unused": ({}, {}),
    }
    base = least()
    assert ridge_answer().summary["objective_musd"] == near(base)
    for name, (low, high) in ends.items():
        row, costs = by_input(ridge_answer())[name], (least(**low), least(**high))
        assert (row["low"]["cost_musd"], row["high"]["cost_musd"]) == (near(costs[0]), near(costs[1]))
        assert (row["low"]["change_musd"], row["high"]["change_musd"]) == (near(costs[0] - base), near(costs[1] - base))
        swing = max(base, *costs) - min(base, *costs)
        assert (row["swing_musd"], row["swing_low_musd"], row["swing_high_musd"]) == (near(swing),) * 3
        assert row["proved"] == (swing > 0)
    swings = [row["swing_musd"] for row in ridge_answer().summary["inputs"]]
    assert swings == sorted(swings, reverse=True)
    assert [(row["rank_best"], row["rank_worst"]) for row in ridge_answer().summary["inputs"]] == [(n, n) for n in (1, 2, 3, 4)]


def test_what_is_built_instead_is_told() -> None:
    """A port at 300 USD per t makes no unit worth its money; of 50 t one unit is enough."""
    assert cost(0, port=300) == near(least(port=300))
    row = by_input(ridge_answer())
    assert (row["port"]["low"]["projects"], row["port"]["low"]["less"]) == (0, ["ridge"])
    assert row["demand"]["low"]["less"] == row["demand"]["high"]["more"] == ["ridge"]
    assert set(ridge_answer().built.itertuples(index=False, name=None)) == {
        ("port", "low", "ridge", "less"),
        ("demand", "low", "ridge", "less"),
        ("demand", "high", "ridge", "more"),
    }


def test_beside_each_swing_stands_how_well_its_figures_are_known() -> None:
    row = by_input(ridge_answer())
    assert (row["demand"]["quality"], row["demand"]["sources"]) == ({"assumed": 1}, ["a guess"])
    assert (row["capital"]["quality"], row["capital"]["figures"]) == ({"derived": 2}, 2)
    assert row["port"]["quality"] == {"not stated": 1}
    with_figures = Provenance(ridge_case(figures=FIGURES))
    assert with_figures.kinds(with_figures.touched(DEMAND.low)) == ({"cited": 1}, ["a book"])


@pytest.mark.slow
def test_a_swing_within_the_gaps_is_not_called_proved_and_its_band_holds_the_true_one() -> None:
    answer = sensitivity(ridge_case(), inputs=[CAPITAL, "port=facilities[facility=port].variable_usd_per_t=x0.99|x1.01"], gap=0.4)
    assert answer.summary["gap_musd"] is not None
    for name, ends in {"capital": ({"capital": 0.5}, {"capital": 1.4}), "port": ({"port": 2970}, {"port": 3030})}.items():
        costs = [least(), *(least(**end) for end in ends)]
        row = by_input(answer)[name]
        assert row["swing_low_musd"] - 1e-7 <= max(costs) - min(costs) <= row["swing_high_musd"] + 1e-7
    assert not by_input(answer)["port"]["proved"]


def test_an_input_that_can_leave_no_plan_comes_first() -> None:
    closed = "closed=facilities[facility=port].capacity_t_per_year=0;projects[].units_max=1 | "
    answer = sensitivity(ridge_case(), inputs=[DEMAND, closed], gap=0)
    first = answer.summary["inputs"][0]
    assert (first["input"], first["no_plan"], first["swing_musd"], first["low"]["stopped"]) == ("closed", True, None, "infeasible")
    assert first["high"]["set"] == [] and first["high"]["change_musd"] == 0.0
    page = " ".join(rendered(sensitivity_page(answer.summary, answer.tables), width=120).split())
    assert "At the low end of 'closed' there is no plan at all" in page


def test_ranges_in_the_data_become_inputs() -> None:
    case = ridge_case(figures=FIGURES)
    assert data_inputs(case) == [
        Input(
            "demand, Osaka",
            ("demand[location=Osaka,commodity=ore,year=].quantity_t_per_year=60",),
            ("demand[location=Osaka,commodity=ore,year=].quantity_t_per_year=140",),
            "data",
            "low to high of 1 figure",
        ),
        Input(
            "variable cost, mining",
            ("facilities[facility=ridge].variable_usd_per_t=50",),
            ("facilities[facility=port].variable_usd_per_t=5000", "facilities[facility=ridge].variable_usd_per_t=200"),
            "data",
            "low to high of 2 figures together",
        ),
    ]
    assert [each.name for each in data_inputs(case, each=True)] == ["demand: Osaka, ore", "variable cost: port", "variable cost: ridge"]


@pytest.mark.parametrize("name", [f"random-{number:02}" for number in range(1, 21, 3)])
def test_standard_inputs_can_be_made_in_every_case(name: str) -> None:
    case = example(name)
    names = [each.name for each in standard_inputs(case)]
    assert {"all demand", "discount rate"} <= set(names)
    assert len(set(names)) == len(names)
    for each in standard_inputs(case):
        for changes in each.ends.values():
            assert not changes or case.set(*changes) != case


def test_inputs_are_read_as_they_are_written() -> None:
    assert read_input(PORT).ends == {
        "low": ("facilities[facility=port].variable_usd_per_t=x0.1",),
        "high": ("facilities[facility=port].variable_usd_per_t=x1.2",),
    }
    assert read_input('n= |instance.name="a|b;c" ').ends == {"low": (), "high": ('instance.name="a|b;c"',)}
    assert len(read_input(CAPITAL).high) == 2
    for text in ("", "name", "=a|b", "n=a", "n=a|b|c", "n=caps[]|caps[]", "n=|"):
        with pytest.raises(UsageError):
            read_input(text)


def test_what_does_not_make_sense_is_refused() -> None:
    case = ridge_case()
    for arguments in (
        {"inputs": ["nonesuch"]},
        {"inputs": [DEMAND, DEMAND]},
        {"inputs": []},
        {"inputs": ["data"]},
        {"sample": 3},
        {"sample": -1},
        {"sample_inputs": 1},
    ):
        with pytest.raises(UsageError):
            sensitivity(case, **arguments)  # type: ignore[arg-type]
    with pytest.raises(InstanceError):
        sensitivity(case, inputs=["n=demand[].quantity=x0.9|x1.1"])
    with pytest.raises(UsageError, match="no least-cost plan"):
        sensitivity(case.set("facilities[].capacity_t_per_year=0", "projects[].units_max=1"), inputs=[DEMAND])


def test_between_its_ends_an_input_goes_in_a_straight_line() -> None:
    case = ridge_case()

    def way(text: str, part: float) -> list[str]:
        between = Between.of(case, read_input(text))
        assert between is not None
        return between.at(part)

    assert way(PORT, 0.5) == ["facilities[facility=port].variable_usd_per_t=x0.65"]
    assert way("n=|demand[].quantity_t_per_year=300", 0.25) == ["demand[].quantity_t_per_year=150"]
    assert way("n=projects[].lead_years=minus 1|plus 3", 0.0) == ["projects[].lead_years=minus 1"]
    assert way("n=projects[].lead_years=minus 1|plus 3", 1.0) == ["projects[].lead_years=plus 3"]
    assert way("n=instance.discount_rate=0.02|0.06", 0.5) == ["instance.discount_rate=0.04"]
    for text in (
        "n=-projects[]|",
        "n=facilities[].variable_usd_per_t=50|",
        "n=demand[].quantity_t_per_year=50|x2",
        'n=instance.years="[2030]"|',
    ):
        assert Between.of(case, read_input(text)) is None


def test_indices_of_a_sum_are_its_shares_of_the_variance() -> None:
    """By formula, at many places: what the estimators make of exact outputs."""
    inputs = [Between("a", ()), Between("b", ())]
    draws = np.random.default_rng(1).uniform(size=(2, 4096, 2))
    mixed = [np.where(np.arange(2) == k, draws[1], draws[0]) for k in range(2)]
    places = np.concatenate([*draws, *mixed])
    found = [{"objective_musd": 2.0 * a + b, "shares": {"held": 0.3}} for a, b in places.tolist()]
    rows, spreads = index_rows(inputs, found, 4096, 0)
    for row, known in zip(rows, (0.8, 0.2), strict=True):
        assert (row["first_order"], row["total"]) == (pytest.approx(known, abs=0.03), pytest.approx(known, abs=0.03))
        for name in ("first_order", "total"):
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
    assert [(spread["output"], spread["varies"]) for spread in spreads] == [("cost", True), ("held", False)]
    assert spreads[0]["deviation"] == pytest.approx(math.sqrt(5 / 12), rel=0.02)


def test_all_at_once_solves_the_case_at_the_places_that_it_draws() -> None:
    case = two_mines()
    between = [Between.of(case, read_input(text)) for text in MINES]
    steps: list[Step] = []
    found = sampled(case, [each for each in between if each], 2, Limits(), Executor(progress=steps.append))
    assert steps[-1].total == len(found) == 2 * (2 + 2)
    places = _places(2, 2, 0)
    assert np.all((places >= 0) & (places <= 1))
    for (a, b), record in zip(places.tolist(), found, strict=True):
        assert record["objective_musd"] == near(1e-4 * (1000 + 2000 * a + 1000 + 1000 * b))


@pytest.mark.slow
def test_all_at_once_ranks_inputs_by_their_part_of_the_variance() -> None:
    answer = sensitivity(two_mines(), inputs=[*reversed(MINES), "c=-lanes[]|"], sample=4)
    sample = answer.summary["sample"]
    assert sample["evaluations"] == 4 * (2 + 2)
    assert sample["inputs"] == ["a", "b"]
    assert sample["not_sampled"] == [{"input": "c", "why": "at one end there is no plan"}]
    indices = answer.indices.set_index("input")
    assert list(indices.index) == ["a", "b"]
    for name, estimated in by_formula(4).items():
        assert (indices.loc[name, "first_order"], indices.loc[name, "total"]) == (near(estimated[0]), near(estimated[1]))
    page = " ".join(rendered(sensitivity_page(answer.summary, answer.tables), width=120).split())
    assert "16 linear programs, 4 x (2 inputs + 2)" in page


def by_formula(count: int) -> dict[str, tuple[float, float]]:
    """Return the estimates of Saltelli et al. (2010), table 2 (b) and (f), from the cost as a formula at the places drawn."""
    a, b, *mixed = (2.0 * places[:, 0] + places[:, 1] for places in np.split(_places(2, count, 0), 4))
    both = np.concatenate([a, b])
    centred_b = b - both.mean()
    estimates = [(np.mean(centred_b * (m - a)) / both.var(), np.mean((a - m) ** 2) / 2 / both.var()) for m in mixed]
    return dict(zip("ab", estimates, strict=True))


@pytest.mark.slow
def test_parts_of_units_bound_the_plan_from_below_and_overlapping_inputs_are_sampled_once() -> None:
    again = "again=facilities[facility=port].variable_usd_per_t=x0.2|x1.1"
    answer = sensitivity(ridge_case(), inputs=[DEMAND, PORT, again], sample=2, gap=0)
    sample = answer.summary["sample"]
    assert sample["parts_of_units_musd"] <= sample["plan_musd"] + 1e-9
    assert sample["inputs"] == ["demand", "port"]
    assert sample["not_sampled"] == [{"input": "again", "why": "it moves figures that port moves"}]
    with pytest.raises(UsageError, match="fewer than two inputs"):
        sampled(ridge_case(), [Between("port", ())], 2, Limits(), Executor())


@pytest.mark.slow
def test_the_answer_does_not_depend_on_workers_and_goes_on_from_what_is_kept(tmp_path: Path) -> None:
    steps: list[Step] = []
    asked: dict[str, Any] = {"inputs": MINES, "sample": 2}
    alone = sensitivity(two_mines(), **asked)
    together = sensitivity(two_mines(), **asked, executor=Executor(2, tmp_path))
    again = sensitivity(two_mines(), **asked, executor=Executor(1, tmp_path, steps.append))
    assert json.dumps(alone.summary) == json.dumps(together.summary) == json.dumps(again.summary)
    for name in LAYOUT:
        pd.testing.assert_frame_equal(alone.tables[name], together.tables[name])
    assert all(step.reused == step.total for step in steps)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random-02", "random-07"])
def test_ends_cost_what_solving_the_changed_case_says(name: str) -> None:
    case = example(name)
    answer = sensitivity(case, gap=0)
    for row in answer.summary["inputs"]:
        for end in ("low", "high"):
            plan = dv.solve(case.set(*row[end]["set"]) if row[end]["set"] else case, gap=0)
            assert row[end]["stopped"] == plan.stopped
            assert row[end]["cost_musd"] == (None if plan.objective_musd is None else near(plan.objective_musd))
            if plan.holds == "plan" and len(plan.shares):
                shares = plan.shares.groupby("cap")["share"]
                assert all(shares.min()[cap] - 1e-9 <= share <= shares.max()[cap] + 1e-9 for cap, share in row[end]["shares"].items())


@pytest.fixture
def run_command(tmp_path: Path) -> Callable[..., Result]:
    env = {"COLUMNS": "120", "DIVERSIFY_CACHE": str(tmp_path / "cache")}
    return lambda *words: CliRunner(env=env).invoke(command, [str(word) for word in words])


def test_the_command_answers_as_the_function_does(run_command: Callable[..., Result], tmp_path: Path) -> None:
    case = dv.save(ridge_case(), tmp_path / "ridge.json")
    words = ["sensitivity", case, "--input", PORT, "--gap", 0, "--workers", 1]
    result = run_command(*words, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {"instance", "objective_musd", "bound_musd", "gap", "inputs", "left_out", "sample"} <= set(found)
    (row,) = found["inputs"]
    assert row["swing_musd"] == near(max(least(port=3600), least()) - least(port=300))
    page = run_command(*words, "--out", tmp_path / "answer")
    assert page.exit_code == 0, page.output
    assert "What moves the least cost" in page.stdout
    assert {f"{name}.csv" for name in LAYOUT} <= {file.name for file in (tmp_path / "answer").iterdir()}
    refused = run_command("sensitivity", case, "--input", "nonesuch")
    assert refused.exit_code == 2
