"""Which figures carry a plan: the parts add up, each is what the auditor or a new solve says of it, and the assumed ones are named."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from cases import example, hand_solved, solved
from click.testing import CliRunner
from model.all_features import all_features

import diversify as dv
from diversify.analyses.provenance import assumed_and_decisive, holds_assumptions, provenance
from diversify.audit.data import resolve
from diversify.audit.money import flow_costs, recomputed_costs
from diversify.cli import command
from diversify.errors import UsageError
from diversify.solve import Options, compile_model, run

CASES = {"all features": all_features, **{f"random-{number:02d}": lambda n=number: example(f"random-{n:02d}") for number in (2, 7, 11, 19)}}


@cache
def plan_of(name: str) -> dv.Plan:
    """Return the optimal plan of one of the cases."""
    return solved(CASES[name]())


def cost_of_the_same_plan(plan: dv.Plan, case: dv.Instance) -> float:
    """Return what the auditor makes of a plan's cost under other prices."""
    known = resolve(case)
    tables = {name: table.assign(tag=0) if "tag" in table else table for name, table in plan.tables.items()}
    return float(recomputed_costs(tables, flow_costs(tables["flows"], known), known)["musd"].sum())


def moved(case: dv.Instance, table: str, key: str, column: str, factor: float) -> dv.Instance:
    """Return the case with one figure times a factor; of what must be the same on all rows of a cap or a demand, all of them."""
    names = [each.name for each in dv_key(table)]
    cells = dict(zip(names, key.split("|"), strict=True))
    if table == "caps" and column == "excess_usd_per_t":
        cells.pop("year")
    chosen = ",".join(f'{name}="{cell}"' for name, cell in cells.items() if cell)
    return case.set(f"{table}[{chosen}].{column}=x{factor!r}")


def dv_key(table: str) -> list[object]:
    """Return the key columns of a table of the format."""
    from diversify.schema import TABLES

    return [column for column in TABLES[table].columns if column.key]


@pytest.mark.parametrize("name", CASES)
def test_what_is_paid_adds_up_to_the_whole_cost(name: str) -> None:
    plan = plan_of(name)
    figures = provenance(plan.instance, plan).figures
    paid = figures[figures["role"] == "paid"]
    assert paid["musd"].sum() == pytest.approx(plan.objective_musd, rel=1e-9)
    assert not paid.duplicated(["table", "key", "column"]).any()


@pytest.mark.parametrize("name", ["all features", "random-07"])
def test_a_price_one_per_cent_higher_costs_the_same_plan_a_hundredth_of_what_it_carries(name: str) -> None:
    plan = plan_of(name)
    before = cost_of_the_same_plan(plan, plan.instance)
    figures = provenance(plan.instance, plan).figures
    paid = figures[figures["role"] == "paid"]
    assert len(paid) >= 10
    for row in paid.itertuples():
        if row.column == "capex_first_musd":
            continue  # the auditor infers its purchase from the capital that the plan states
        case = moved(plan.instance, row.table, row.key, row.column, 1.01)
        builds = plan.builds.assign(capex_musd=plan.builds["capex_musd"])
        after = cost_of_the_same_plan(dv.Plan(case, plan.summary, {**plan.tables, "builds": builds}), case)
        assert after - before == pytest.approx(0.01 * row.musd, rel=1e-6, abs=1e-9), (row.table, row.key, row.column)


def held_cost(case: dv.Instance, builds: pd.DataFrame) -> float | None:
    """Return the least cost with whole units as a plan has them; None where there is no plan."""
    model = dv.build_model(case)
    units = {(row.project, row.year): row.units for row in builds.itertuples()}
    for key, variable in model.v_build.items():
        if not variable.is_continuous():
            variable.fix(units.get(key, 0.0))
    outcome = run(compile_model(model, model.diversify.variables, model.diversify.scale), Options(gap=0.0))
    return outcome.objective if outcome.stopped == "optimal" else None


@pytest.mark.parametrize("name", CASES)
def test_a_limit_that_binds_is_worth_what_moving_it_a_little_changes(name: str) -> None:
    """The rate lies between those of a little less and a little more, builds held (one of them may have no plan)."""
    plan = plan_of(name)
    figures = provenance(plan.instance, plan).figures
    limits = figures[figures["role"] == "binds"]
    assert len(limits) >= 2
    here = held_cost(plan.instance, plan.builds)
    assert here is not None
    step = 1e-4
    for row in limits.head(12).itertuples():
        sides = [held_cost(moved(plan.instance, row.table, row.key, row.column, 1.0 + sign * step), plan.builds) for sign in (-1, 1)]
        less = -float("inf") if sides[0] is None else (here - sides[0]) / step
        more = float("inf") if sides[1] is None else (sides[1] - here) / step
        slack = 2e-3 * abs(row.musd) + 1e-3 * here * step + 1e-4
        assert min(less, more) - slack <= row.musd <= max(less, more) + slack, (row.table, row.key, row.column, less, row.musd, more)


def test_what_an_outage_leaves_is_a_figure_that_binds() -> None:
    """The works run full in 2029: a part more of what the repair leaves is that part of three quarters of all that is usable."""
    plan = plan_of("all features")
    figures = provenance(plan.instance, plan).figures.set_index(["table", "key", "column"])["musd"]
    price = plan.prices.query("kind == 'capacity' and key == 'works' and year == 2029")["usd_per_t"].item()
    discount = resolve(plan.instance).discount[2029]
    usable = plan.capacity.query("facility == 'works' and year == 2029")["usable_t_per_year"].item()
    assert figures["outages", "repair", "available"] == pytest.approx(-price * 0.75 * usable * discount / 1e6)


def stated(case: dv.Instance) -> dv.Instance:
    """Return the hand-solved case with qualities: the works cited, the ridge's capital assumed, demand and one share assumed."""
    works = case.table("facilities").assign(quality=["cited", "derived", "cited"], source=["S1", "S2", "S1"])
    return case.replace(
        facilities=works,
        projects=case.table("projects").assign(quality="derived", source="S2"),
        demand=case.table("demand").assign(quality="assumed", source="guess", note="no series"),
        lanes=case.table("lanes").assign(quality="cited", source="S1"),
        caps=case.table("caps").assign(quality=["cited", "assumed"], source=["law", "guess"]),
        figures=pd.DataFrame(
            {"table": ["projects"], "key": ["ridge-1"], "column": ["capex_unit_musd"], "quality": ["assumed"], "source": ["a talk"]}
        ),
    )


@pytest.fixture(scope="module")
def told() -> dv.Plan:
    """Return the plan of the hand-solved case with qualities."""
    return solved(stated(hand_solved()))


def test_a_figure_has_the_quality_of_its_own_before_that_of_its_row(told: dv.Plan) -> None:
    figures = provenance(told.instance, told).figures.set_index(["table", "key", "column"])
    assert figures.loc[("projects", "ridge-1", "capex_unit_musd"), "quality"] == "assumed"
    assert figures.loc[("projects", "ridge-1", "capex_unit_musd"), "source"] == "a talk"
    assert figures.loc[("facilities", "pit", "variable_usd_per_t"), "quality"] == "cited"
    assert tuple(figures.loc[("projects", "ridge-1", ""), ["role", "quality", "musd"]]) == ("built", "derived", 3.0)


def test_the_cost_by_quality_is_that_of_the_hand_calculation(told: dv.Plan) -> None:
    """Ore and making at cited cost, the ridge's running cost derived, its annuities assumed."""
    d = {2030: 1.0, 2031: 1.44, 2033: 0.9216}
    china = {2030: 100, 2031: 80, 2033: 40}
    cited = sum(d[year] * (china[year] * 30 + (100 - china[year]) * 50 + 100 * 100) for year in d) / 1e6
    derived = sum(d[year] * (100 - china[year]) * 40 for year in d) / 1e6
    assumed = 0.9 * (1.44 + 2 * 0.9216)
    found = provenance(told.instance, told).summary["cost_by_quality_musd"]
    assert found == pytest.approx({"cited": cited, "derived": derived, "assumed": assumed, "not stated": 0.0})


def test_only_assumed_rows_that_decide_are_warned_of_each_once(told: dv.Plan) -> None:
    warnings = assumed_and_decisive(provenance(told.instance, told))
    assert [(problem.table, problem.column) for problem in warnings] == [("demand", "quantity_t_per_year"), ("caps", "share")]
    assert "'china' (2033 to 2033) binds" in warnings[1].message or "'china' (2033) binds" in warnings[1].message
    assert warnings[1].row == 2


def test_a_built_project_whose_row_is_assumed_is_warned_of() -> None:
    case = hand_solved().replace(projects=hand_solved().table("projects").assign(quality="assumed"))
    (warning,) = assumed_and_decisive(provenance(case, solved(case)))
    assert (warning.table, warning.row, warning.value) == ("projects", 1, "assumed")
    assert "is built for 3 million USD" in warning.message


def test_without_a_plan_one_is_solved_and_says_the_same(told: dv.Plan) -> None:
    mine, its = provenance(told.instance, gap=0), provenance(told.instance, told)
    pd.testing.assert_frame_equal(mine.figures, its.figures)
    assert mine.summary["holds"] == "plan"


def test_a_case_without_a_plan_has_no_figures_that_decide() -> None:
    case = hand_solved().set("demand[].shortage_usd_per_t=default").set("facilities[facility=works].capacity_t_per_year=1")
    answer = provenance(case)
    assert (answer.summary["holds"], len(answer.figures), assumed_and_decisive(answer)) == ("none", 0, [])


def test_a_plan_that_costs_nothing_rests_on_nothing_that_is_paid() -> None:
    case = hand_solved().set("demand[].quantity_t_per_year=0")
    figures = provenance(case, solved(case)).figures
    assert figures[figures["role"] != "binds"].empty


def test_a_plan_of_other_data_is_refused(told: dv.Plan) -> None:
    with pytest.raises(UsageError, match="with other data"):
        provenance(hand_solved(), told)


def test_a_result_keeps_the_source_of_what_it_built(told: dv.Plan, tmp_path: Path) -> None:
    assert set(told.builds["source"]) == {"S2"}
    told.save(tmp_path / "plan")
    again = dv.Plan.load(tmp_path / "plan")
    pd.testing.assert_frame_equal(again.builds, told.builds, check_dtype=False)
    old = tmp_path / "plan" / "builds.csv"  # a result written before the columns existed
    pd.read_csv(old).drop(columns=["source", "quality"]).to_csv(old, index=False)
    assert (dv.Plan.load(tmp_path / "plan").builds[["source", "quality"]] == "").all(axis=None)


def test_show_and_check_weigh_a_case_that_assumes(told: dv.Plan, tmp_path: Path) -> None:
    told.save(tmp_path / "plan")
    source = str(dv.save(told.instance, tmp_path / "case"))
    assert holds_assumptions(told.instance)

    def run_it(*args: str) -> tuple[int, str]:
        result = CliRunner(env={"COLUMNS": "120"}).invoke(command, list(args))
        return result.exit_code, result.stdout

    weighed = json.loads(run_it("show", source, "--plan", str(tmp_path / "plan"), "--json")[1])["weighed"]
    assert {row["key"] for row in weighed["assumed"]} == {"ridge-1", "Osaka|magnet", "china"}
    assert "weighed" not in json.loads(run_it("show", source, "--quick", "--json")[1])
    code, page = run_it("show", source, "--plan", str(tmp_path / "plan"))
    assert code == 0
    assert "Assumptions that carry most" in page
    assert "by figures that are assumed" in page
    code, page = run_it("check", source, "--plan", str(tmp_path / "plan"))
    assert code == 0
    assert "Assumed rows that decide the plan (the heaviest first)" in page
    assert [each["code"] for each in json.loads(run_it("check", source, "--quick", "--json")[1])["warnings"]] == ["relabelling"]
    codes = [each["code"] for each in json.loads(run_it("check", source, "--no-cache", "--json")[1])["warnings"]]
    assert codes == ["relabelling", *["assumed_and_decisive"] * 2]
