"""Plans of the engine: what it solves audits clean, and whatever is changed in any row of any table is noticed."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

import pandas as pd
import pytest
from cases import example, solved
from toy import ToyPlan

import diversify as dv
from diversify.audit import audit

SOLVED = ("random-01", "random-05", "random-09", "random-13", "random-17", "random-18")
"""Between them: stocks, returns with origin, floors, budgets, modes, closures, each basis, two tracing groups, hard demand."""

MUTATED = ("random-09", "random-13", pytest.param("random-18", marks=pytest.mark.slow))
"""Those whose rows are changed one by one."""

FIGURES = {
    "builds": ("units", "capacity_t_per_year", "capex_musd"),
    "closures": ("closed_t_per_year",),
    "capacity": ("standing_t_per_year", "new_t_per_year", "usable_t_per_year"),
    "activity": ("activity_t_per_year",),
    "flows": ("quantity_t_per_year", "freight_musd", "tariff_musd"),
    "deliveries": ("quantity_t_per_year",),
    "shortages": ("quantity_t_per_year", "cost_musd"),
    "disposal": ("quantity_t_per_year",),
    "sales": ("quantity_t_per_year",),
    "stocks": ("stock_t",),
    "shares": ("share", "limit"),
    "costs": ("musd",),
}
PLACES = {
    "activity": ("facility",),
    "flows": ("origin", "destination", "owner"),
    "deliveries": ("location",),
    "shortages": ("location",),
    "stocks": ("location",),
    "builds": ("project",),
}
MIXED = ("activity", "flows", "deliveries", "stocks", "disposal", "sales", "shortages", "builds", "closures", "capacity", "costs")


@cache
def plan_of(name: str) -> dv.Plan:
    return solved(example(name))


def copy_of(plan: dv.Plan) -> ToyPlan:
    return ToyPlan({table: frame.copy() for table, frame in plan.tables.items()}, plan.objective_musd)


def noticeable(plan: dv.Plan, table: str, column: str) -> pd.Series:
    """Rows whose figure is large enough for a tenth of it to be more than rounding."""
    sizes = plan.tables[table][column].abs()
    large: pd.Series = sizes > 1e-3 * sizes.max()
    return large


@pytest.mark.parametrize("name", SOLVED)
def test_a_solved_plan_audits_clean_and_costs_what_the_engine_says(name: str) -> None:
    plan = plan_of(name)
    report = audit(plan.instance, plan)
    assert report.ok, "\n".join(map(str, report.violations))
    assert report.objective_musd == pytest.approx(plan.objective_musd, rel=1e-9)
    stated = plan.summary["cost_musd"]
    assert {category: musd for category, musd in report.cost_musd.items() if musd} == pytest.approx(
        {category: musd for category, musd in stated.items() if musd}, rel=1e-7
    )


@pytest.mark.parametrize("name", MUTATED)
@pytest.mark.parametrize("table", FIGURES)
def test_a_tenth_more_of_any_figure_is_noticed(name: str, table: str) -> None:
    plan, draw = plan_of(name), random.Random(f"{name} {table}")
    for column in FIGURES[table]:
        rows = list(plan.tables[table].index[noticeable(plan, table, column)])
        for row in draw.sample(rows, k=min(1, len(rows))):
            changed = copy_of(plan)
            changed.tables[table][column] = changed.tables[table][column].astype(float)
            changed.tables[table].loc[row, column] *= 1.1
            assert not audit(plan.instance, changed).ok, (table, column, plan.tables[table].loc[row].to_dict())


@pytest.mark.parametrize("name", MUTATED)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda frame, row: frame.drop(index=row), id="a row is dropped"),
        pytest.param(lambda frame, row: pd.concat([frame, frame.loc[[row]]], ignore_index=True), id="a row is doubled"),
        pytest.param(lambda frame, row: frame.assign(year=frame["year"].where(frame.index != row, 1999)), id="a row in no year"),
    ],
)
def test_a_row_too_few_too_many_or_in_no_year_is_noticed(name: str, change: Callable[[pd.DataFrame, int], pd.DataFrame]) -> None:
    plan, draw = plan_of(name), random.Random(name)
    for table in MIXED:
        rows = list(plan.tables[table].index[noticeable(plan, table, FIGURES[table][-1 if table == "builds" else 0])])
        for row in draw.sample(rows, k=min(1, len(rows))):
            changed = copy_of(plan)
            changed.tables[table] = change(changed.tables[table], row)
            assert not audit(plan.instance, changed).ok, (table, plan.tables[table].loc[row].to_dict())


@pytest.mark.parametrize("name", MUTATED)
def test_a_row_at_another_place_or_in_another_planning_year_is_noticed(name: str) -> None:
    plan, draw = plan_of(name), random.Random(name)
    names = {
        "location": plan.instance.table("locations")["location"],
        "owner": plan.instance.table("countries")["country"],
        "facility": plan.instance.table("facilities")["facility"],
        "project": plan.instance.table("projects")["project"],
    }
    for table, columns in PLACES.items():
        frame = plan.tables[table]
        rows = list(frame.index[noticeable(plan, table, FIGURES[table][-1 if table == "builds" else 0])])
        for row in draw.sample(rows, k=min(1, len(rows))):
            for column in (*columns, "year"):
                others = pd.Series(plan.instance.years) if column == "year" else names.get(column, names["location"])
                others = others[others != frame.loc[row, column]]
                changed = copy_of(plan)
                changed.tables[table].loc[row, column] = draw.choice(list(others))
                assert not audit(plan.instance, changed).ok, (table, column, frame.loc[row].to_dict())


@pytest.mark.parametrize("name", MUTATED)
def test_half_a_unit_is_noticed_as_half_a_unit(name: str) -> None:
    plan = plan_of(name)
    projects = plan.instance.table("projects").set_index("project")
    whole = plan.tables["builds"]["project"].map(projects["unit_t_per_year"]).notna()
    changed = copy_of(plan)
    changed.tables["builds"]["units"] += 0.5 * whole
    assert whole.any()
    assert sum(violation.rule == "whole_units" for violation in audit(plan.instance, changed).violations) == whole.sum()


@pytest.mark.parametrize("name", SOLVED)
def test_a_saved_plan_read_back_audits_clean(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    plan = plan_of(name)
    read = dv.Plan.load(plan.save(tmp_path_factory.mktemp("plan") / name))
    assert audit(read.instance, read).ok
