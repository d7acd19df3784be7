"""Prices from either side, and what moving a figure costs, against hand calculations, re-solved cases and enumeration."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import Rows, example, hand_solved, instance
from click.testing import CliRunner
from pyomo.repn import generate_standard_repn

import diversify as dv
from diversify.analyses.executor import Executor
from diversify.cli import command
from diversify.errors import UsageError
from diversify.solve import Options, compile_model, run

D = {2030: 1.0, 2031: 1.44, 2033: 0.9216}


def held_cost(case: dv.Instance, builds: pd.DataFrame, more: dict[tuple[str, int], float] | None = None) -> float | None:
    """Return the cost of a case whose whole units are those of a plan (and ``more``); None where that has no plan."""
    model = dv.build_model(case)
    for key, units_more in (more or {}).items():
        for row in [*model.c_units_max.values(), *model.c_budget.values()]:  # granted: the limits make room for it
            repn = generate_standard_repn(row.body)
            room = sum(c * units_more for c, v in zip(repn.linear_coefs, repn.linear_vars, strict=True) if v is model.v_build[key])
            row.set_value((None, row.body, row.upper + room))
        for variable in model.v_run.values():
            variable.setub(None)
    units = {(row.project, row.year): row.units for row in builds.itertuples()}
    table = case.table("projects").set_index("project")
    first = {
        (row.project, row.year)
        for row in builds.itertuples()
        if row.capex_musd > row.units * (table["capex_unit_musd"].fillna(0.0)[row.project]) + 1e-9
        and table["capex_first_musd"][row.project] > 0
    }
    for key, variable in model.v_build.items():
        if not variable.is_continuous():
            variable.fix(units.get(key, 0.0) + (more or {}).get(key, 0.0))
    for key, variable in model.v_open.items():
        variable.fix(1.0 if key in first else 0.0)
    outcome = run(compile_model(model, model.diversify.variables, model.diversify.scale), Options(gap=0.0))
    return outcome.objective if outcome.stopped == "optimal" else None


def best_cost(case: dv.Instance) -> float | None:
    """Return the least cost over every combination of whole units, each solved as a linear program: enumeration."""
    model = dv.build_model(case)
    whole = [variable for variable in [*model.v_build.values(), *model.v_open.values()] if not variable.is_continuous()]
    found = []
    for values in itertools.product(*(range(int(variable.ub) + 1) for variable in whole)):
        for variable, value in zip(whole, values, strict=True):
            variable.fix(value)
        outcome = run(compile_model(model, model.diversify.variables, model.diversify.scale), Options(gap=0.0))
        if outcome.stopped == "optimal":
            found.append(outcome.objective)
    return min(found, default=None)


def row_of(answer: Any, kind: str, key: str, year: int | None = None) -> dict[str, Any]:
    table = answer.prices
    rows = table[(table["kind"] == kind) & (table["key"] == key) & (True if year is None else table["year"] == year)]
    assert len(rows) == 1, table
    return dict(rows.iloc[0])


@pytest.fixture(scope="module")
def hand_solved_prices() -> Any:
    return dv.prices(hand_solved(), gap=0, most=50)


def test_a_price_that_differs_from_the_two_sides_has_both(hand_solved_prices: Any) -> None:
    """In 2033 a tonne more from China saves 60 USD. A tonne less cannot come from Denver, whose units run full: a t of magnets is
    lost for each 0.6 t of China's share, x falls by 1/0.6 for a tonne less, at 40,000 USD less the 130 that it costs.
    """
    unique = row_of(hand_solved_prices, "cap", "china|JPN", 2031)
    assert (unique["usd_per_t_low"], unique["usd_per_t_high"]) == (pytest.approx(60.0), pytest.approx(60.0))
    both = row_of(hand_solved_prices, "cap", "china|JPN", 2033)
    assert not both["unique"]
    assert both["usd_per_t_low"] == pytest.approx(60.0)
    assert both["usd_per_t_high"] == pytest.approx((40_000 - 130) / 0.6)


def test_one_more_unit_by_hand(hand_solved_prices: Any) -> None:
    """No tonne of a further unit is wanted in any year, so it is worth its annuity with the sign turned: least in 2033."""
    unit = row_of(hand_solved_prices, "unit", "ridge-1")
    assert unit["year"] == 2033
    assert unit["musd"] == pytest.approx(-0.9 * D[2033])
    assert unit["musd_low"] == pytest.approx(-0.9 * D[2033])


def tariffed() -> dv.Instance:
    """Osaka takes 100 t: 60 from Baotou's full mine at 10 USD and a duty of 10 % of 200 USD, 40 from Perth at 50 USD.

    A point of duty costs 60 t x 2 USD in each of two years, until at 10 + 40 = 50 USD, 20 %, Perth does as well.
    """
    tables: dict[str, Rows] = {
        "commodities": [{"commodity": "ore", "price_usd_per_t": 200}],
        "processes": [{"process": "mining", "reference": "ore"}],
        "recipes": [{"process": "mining", "commodity": "ore", "amount_t_per_t": 1}],
        "countries": [{"country": name} for name in ("AUS", "CHN", "JPN")],
        "locations": [
            {"location": "Perth", "country": "AUS"},
            {"location": "Baotou", "country": "CHN"},
            {"location": "Osaka", "country": "JPN"},
        ],
        "facilities": [
            {"facility": "Baotou", "location": "Baotou", "process": "mining", "capacity_t_per_year": 60, "variable_usd_per_t": 10},
            {"facility": "Perth", "location": "Perth", "process": "mining", "capacity_t_per_year": 500, "variable_usd_per_t": 50},
        ],
        "freight": [{"commodity": "ore"}],
        "distances": [{"origin": place, "destination": "Osaka", "km": 0} for place in ("Baotou", "Perth")],
        "lanes": [{"origin": place, "destination": "Osaka", "commodity": "ore"} for place in ("Baotou", "Perth")],
        "tariffs": [{"tariff": "duty", "origin": "CHN", "destination": "JPN", "commodity": "ore", "rate": 0.1}],
        "demand": [{"location": "Osaka", "commodity": "ore", "year": year, "quantity_t_per_year": 100} for year in (2030, 2031)],
    }
    return instance(tables, years=(2030, 2031))


def test_a_tariff_costs_price_times_quantity_for_a_point_of_rate() -> None:
    duty = row_of(dv.prices(tariffed(), kind="tariff", gap=0), "tariff", "duty")
    assert duty["musd"] == pytest.approx(2 * 60 * 2 / 1e6)
    assert duty["unique"]


def test_a_unit_that_would_be_the_first_pays_for_opening_too() -> None:
    """10 t/yr more at Baotou save 10 x 20 USD in each of two years, for 100 USD and 50 of opening; from 2031 on half of it."""
    project = {"project": "more", "facility": "Baotou", "unit_t_per_year": 10, "units_max": 0, "life_years": 2}
    case = tariffed().replace(projects=[{**project, "capex_unit_musd": 1e-4, "capex_first_musd": 0.5e-4}])
    unit = row_of(dv.prices(case, kind="unit", gap=0), "unit", "more")
    assert unit["year"] == 2030
    assert unit["musd"] == pytest.approx(2.5e-4)
    assert (unit["musd_low"], unit["musd_high"]) == (pytest.approx(2.5e-4), pytest.approx(2.5e-4))
    later = row_of(dv.prices(case, kind="unit", year=2031, gap=0), "unit", "more")
    assert later["musd_low"] == pytest.approx(1.25e-4)


def test_at_the_rate_where_sources_tie_a_tariff_has_a_price_on_either_side() -> None:
    """At 20 % both sources cost 50 USD: less duty keeps the 60 t, more drives them all away."""
    duty = row_of(dv.prices(tariffed().set("tariffs[].rate=0.2"), kind="tariff", gap=0), "tariff", "duty")
    assert not duty["unique"]
    assert (duty["musd_low"], duty["musd_high"]) == (pytest.approx(0.0, abs=1e-9), pytest.approx(2 * 60 * 2 / 1e6))


@pytest.mark.slow
def test_moving_a_tariff_by_hand() -> None:
    """From 10 % to 30 % the duty would cost 60 USD a t; Perth takes over at a further 20 USD over what Baotou costs now."""
    answer = dv.prices(tariffed(), kind="tariff", move=0.2, gap=0)
    assert answer.moves["moved_to"].tolist() == pytest.approx([-0.1, 0.3])
    up = answer.moves.iloc[1]
    assert up["price_musd"] == pytest.approx(2 * 60 * 40 / 1e6)
    assert up["held_musd"] == pytest.approx(2 * 60 * 20 / 1e6)
    assert (up["low_musd"], up["high_musd"]) == (pytest.approx(2 * 60 * 20 / 1e6), pytest.approx(2 * 60 * 20 / 1e6))


def test_capacity_in_a_year_of_outage_saves_only_what_the_outage_leaves_of_it() -> None:
    """Half of Baotou's 60 t is left in 2030. A tonne that can run saves the 20 USD that Perth is dearer by, one that stands half of it."""
    case = tariffed().set("+outages[outage=strike,facility=Baotou,last_year=2030,available=0.5]")
    answer = dv.prices(case, kind="capacity", move=10, gap=0)
    assert [row_of(answer, "capacity", "Baotou", year)["usd_per_t"] for year in (2030, 2031)] == pytest.approx([20.0, 20.0])
    moves = answer.moves[answer.moves["moved_to"] == 70].set_index("year")
    for column in ("price_musd", "held_musd", "low_musd", "high_musd"):
        assert moves[column].to_dict() == pytest.approx({2030: -10 * 0.5 * 20 / 1e6, 2031: -10 * 20 / 1e6}), column


def test_limits_and_their_ranges_where_a_lane_is_shared() -> None:
    """The mine's 60 t are all used: a t more of capacity, or of what may leave, saves 50 - 10 - 20 USD."""
    answer = dv.prices(tariffed(), kind=["capacity", "demand", "supply"], gap=0)
    assert row_of(answer, "capacity", "Baotou", 2030)["usd_per_t"] == pytest.approx(20.0)
    assert row_of(answer, "demand", "Osaka|ore", 2030)["usd_per_t"] == pytest.approx(50.0)
    assert row_of(answer, "supply", "Baotou|CHN|ore|", 2030)["usd_per_t"] == pytest.approx(30.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random-02", "random-04"])
def test_tariff_prices_are_the_slopes_of_the_whole_case(name: str) -> None:
    case = example(name)
    answer = dv.prices(case, kind="tariff", gap=0, most=3)
    plan = dv.solve(case, gap=0)
    assert len(answer.prices)
    step = 1e-4
    for row in answer.prices[answer.prices["shown"]].itertuples():
        rates = case.table("tariffs")
        costs = []
        for sign in (-1, 0, 1):
            moved = case.replace(tariffs=rates.assign(rate=rates["rate"] + sign * step * (rates["tariff"] == row.key)))
            costs.append(held_cost(moved, plan.builds))
        below, above = (costs[1] - costs[0]) / (100 * step), (costs[2] - costs[1]) / (100 * step)
        assert row.musd_high == pytest.approx(below, rel=1e-4, abs=1e-8)
        assert row.musd_low == pytest.approx(above, rel=1e-4, abs=1e-8)
        if row.unique:
            assert row.musd == pytest.approx(below, rel=1e-4, abs=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random-02", "random-05"])
def test_one_more_unit_is_worth_what_the_case_saves_with_it_built(name: str) -> None:
    case = example(name)
    plan = dv.solve(case, gap=0)
    answer = dv.prices(case, kind="unit", gap=0, most=4)
    base = held_cost(case, plan.builds)
    assert base == pytest.approx(plan.objective_musd, rel=1e-7)
    first = set(case.table("projects").loc[case.table("projects")["capex_first_musd"].fillna(0) > 0, "project"])
    tried = [row for row in answer.prices[answer.prices["shown"]].itertuples() if row.key not in first]
    assert tried
    for row in tried:
        saved = base - held_cost(case, plan.builds, {(row.key, row.year): 1.0})
        assert row.musd_low == pytest.approx(saved, rel=1e-5, abs=1e-6)
        assert row.musd_high >= saved - 1e-6  # saving falls with size
        assert row.musd >= row.musd_low - 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random-07", "random-16"])
def test_demand_and_restrictions_cost_what_the_case_says_with_the_figure_moved(name: str) -> None:
    """The price is the slope of the whole case in the figure; the limits of substitutes move along with demand."""
    from diversify.analyses.prices.figures import figure_of, with_value

    case = example(name)
    plan = dv.solve(case, gap=0)
    answer = dv.prices(case, kind=["demand", "restriction", "contract"], gap=0, most=3)
    discount, base, checked = _discounts(case), held_cost(case, plan.builds), 0
    for row in answer.prices[answer.prices["shown"] & (answer.prices["usd_per_t"].fillna(0) != 0)].itertuples():
        figure = figure_of(case, row.kind, row.key, row.year)
        to_be_met = row.kind in ("demand", "contract")
        for side in (-1, 1):
            step = side * 1e-4 * figure.value
            cost = held_cost(with_value(case, figure, figure.value + step), plan.builds)
            slope = np.nan if cost is None else (cost - base) / step * 1e6 / discount[row.year]
            price = (slope if to_be_met else -slope) or 0.0
            expected = row.usd_per_t_high if (side > 0) == to_be_met else row.usd_per_t_low
            assert price == pytest.approx(expected, rel=1e-3, abs=1e-2, nan_ok=True), (row, side)
            checked += 1
    assert checked >= 4


def _discounts(case: dv.Instance) -> dict[int, float]:
    rate, years = case.meta["discount_rate"], case.years
    gaps = [*np.diff(years), *(np.diff(years)[-1:] if len(years) > 1 else [1])]
    return {year: sum((1 + rate) ** -(year + k - years[0]) for k in range(gap)) for year, gap in zip(years, gaps, strict=True)}


def with_path(shares: dict[int, float]) -> dv.Instance:
    caps = hand_solved().table("caps")
    return hand_solved().replace(caps=pd.concat([caps.iloc[[0]].assign(year=year, share=share) for year, share in shares.items()]))


@pytest.mark.slow
def test_moving_a_cap_in_one_year_is_what_enumeration_says() -> None:
    small = "projects[project=ridge-1].units_max=2"
    case = hand_solved().set(small)
    answer = dv.prices(case, kind="cap", move=0.1, gap=0)
    base = best_cost(case)
    assert answer.summary["objective_musd"] == pytest.approx(base)
    assert len(answer.moves) == 5  # in 2030 the cap stands at 100 % and can only fall
    for move in answer.moves.itertuples():
        moved = best_cost(with_path({2030: 1.0, 2031: 0.8, 2033: 0.4} | {int(move.year): move.moved_to}).set(small))
        assert move.low_musd == pytest.approx(moved - base, abs=1e-9)
        assert move.high_musd == pytest.approx(moved - base, abs=1e-9)
        assert move.held_musd >= move.high_musd - 1e-9


@pytest.mark.slow
def test_moving_the_most_units_is_what_enumeration_says() -> None:
    case = hand_solved().set("projects[project=ridge-1].units_max=2")
    answer = dv.prices(case, kind="unit", move=1, gap=0)
    base = best_cost(case)
    for move in answer.moves.itertuples():
        moved = best_cost(hand_solved().set(f"projects[project=ridge-1].units_max={int(move.moved_to)}"))
        assert (move.low_musd, move.high_musd) == (pytest.approx(moved - base, abs=1e-9), pytest.approx(moved - base, abs=1e-9))
    with pytest.raises(UsageError, match="whole units"):
        dv.prices(case, kind="unit", move=0.5, gap=0)


@pytest.mark.slow
def test_a_move_that_leaves_no_plan_says_so() -> None:
    """Without a shortage cost a demand beyond what the mines can make has no plan."""
    case = tariffed().set("facilities[facility=Perth].capacity_t_per_year=40")
    answer = dv.prices(case, kind="demand", year=2030, move=5, gap=0)
    row = row_of(answer, "demand", "Osaka|ore", 2030)
    assert row["unlimited"] == "more"
    assert np.isnan(row["usd_per_t_high"])
    up = answer.moves[answer.moves["step"] > 0].iloc[0]
    assert (up["stopped"], up["holds"]) == ("infeasible", "none")
    assert up[["low_musd", "high_musd", "held_musd"]].isna().all()


@pytest.mark.slow
def test_lifting_a_ban_is_told_by_a_move_though_it_has_no_price() -> None:
    """Baotou's ore may not leave in 2031. 60 t that might would save 50 - 30 USD each; 25 t save 500."""
    ban = [{"restriction": "ban", "origin": "CHN", "destination": "*", "commodity": "ore", "first_year": 2031, "limit_t_per_year": 0}]
    answer = dv.prices(tariffed().replace(restrictions=ban), kind="restriction", move=25, gap=0)
    assert answer.prices[["key", "year"]].to_numpy().tolist() == [["ban", 2031]]
    assert answer.prices["usd_per_t"].isna().all()
    (move,) = answer.moves.to_dict("records")
    assert (move["value"], move["moved_to"]) == (0.0, 25.0)
    assert (move["low_musd"], move["held_musd"]) == (pytest.approx(-25 * 20 / 1e6), pytest.approx(-25 * 20 / 1e6))


@pytest.mark.slow
def test_a_cap_for_each_country_moves_for_one_alone() -> None:
    """Of a cap of 50 % for each of two countries, with dear ore from Perth for the rest, only Japan's is loosened."""
    tables: dict[str, Rows] = {name: list(frame.dropna(axis=1, how="all").to_dict("records")) for name, frame in tariffed().tables.items()}
    tables["countries"].append({"country": "KOR"})
    tables["locations"].append({"location": "Pohang", "country": "KOR"})
    tables["lanes"] += [{"origin": place, "destination": "Pohang", "commodity": "ore"} for place in ("Baotou", "Perth")]
    tables["distances"] += [{"origin": place, "destination": "Pohang", "km": 0} for place in ("Baotou", "Perth")]
    tables["demand"] += [{"location": "Pohang", "commodity": "ore", "year": year, "quantity_t_per_year": 20} for year in (2030, 2031)]
    tables["groups"] = [{"group": "both", "country": name} for name in ("JPN", "KOR")]
    cap = {"cap": "half", "commodity": "ore", "consumers": "both", "sources": "CHN", "basis": "produced", "scope": "each"}
    tables["caps"] = [{**cap, "year": 2030, "share": 0.2}]
    case = instance(tables, years=(2030, 2031))
    answer = dv.prices(case, kind="cap", key="JPN", year=2031, move=0.1, gap=0)
    assert answer.prices["usd_per_t"].tolist() == pytest.approx([20.0])
    assert answer.moves["high_musd"].tolist() == pytest.approx([10 * 20 / 1e6, -10 * 20 / 1e6])


@pytest.mark.slow
def test_results_do_not_depend_on_workers_and_are_taken_from_disk(tmp_path: Path) -> None:
    ask: dict[str, Any] = {"kind": "cap", "year": 2031, "move": 0.1, "gap": 0}
    alone = dv.prices(hand_solved(), **ask)
    steps: list[Any] = []
    dv.prices(hand_solved(), **ask, executor=Executor(2, tmp_path))
    again = dv.prices(hand_solved(), **ask, executor=Executor(1, tmp_path, steps.append))
    assert steps and all(step.reused for step in steps)
    pd.testing.assert_frame_equal(alone.moves, again.moves)
    pd.testing.assert_frame_equal(alone.prices, again.prices)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "caps"}, "no kind of price 'caps'"),
        ({"year": 2032}, "not a planning year"),
        ({"key": "nowhere"}, "No price matches"),
        ({"move": -1.0}, "step above zero"),
        ({"kind": "commodity", "move": 1.0}, "None of these prices"),
        ({"kind": ["cap", "demand"], "move": 1.0}, "several kinds"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        dv.prices(hand_solved(), **asked)


def test_a_case_without_a_plan_has_no_prices() -> None:
    case = tariffed().set("facilities[].capacity_t_per_year=1")
    answer = dv.prices(case, move=1.0, kind="demand")
    assert answer.summary["stopped"] == "infeasible"
    assert answer.prices.empty and answer.moves.empty


def test_the_verb_prints_its_json_and_its_page(tmp_path: Path) -> None:
    case = dv.save(hand_solved(), tmp_path / "case.json")
    runner = CliRunner(env={"DIVERSIFY_CACHE": str(tmp_path / "cache"), "COLUMNS": "120"})
    asked = ["prices", str(case), "--kind", "cap", "--move", "0.1", "--gap", "0", "--workers", "1"]
    found = json.loads(runner.invoke(command, [*asked, "--json", "--out", str(tmp_path / "answer")]).stdout)
    assert {"instance", "objective_musd", "bound_musd", "gap", "prices", "moves"} <= set(found)
    assert {"kind", "key", "year", "usd_per_t", "unique", "usd_per_t_low", "usd_per_t_high"} <= set(found["prices"][0])
    assert (tmp_path / "answer" / "moves.csv").is_file()
    page = runner.invoke(command, asked).stdout
    assert "prices at the cheapest plan" in page
    assert "60 to 66,450" in page
    assert "What moving by 0.1 (share) changes" in page
