"""What is decided before the reveal year, told apart from what is not, and fixed in each scenario's plan (case: :mod:`uncertain`)."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest
from uncertain import BAN, NAMES, PROBABILITY, Scenarios, case_of, ridge, staged, stock

import diversify as dv
from diversify.errors import UsageError
from diversify.planning.extensive_form import ExtensiveForm
from diversify.planning.stages import Staged, as_table, from_table
from diversify.solve import Options, Risk, run


def late(change: str) -> Scenarios:
    """Return two scenarios under a ban, one of which changes the project ``ridge``."""
    return {"in-time": (0.5, (BAN,)), "late": (0.5, (BAN, f"projects[project=ridge].{change}"))}


@cache
def stocked() -> dv.Instance:
    """Return the case with a store: what is put in it in 2030 serves whatever comes."""
    return case_of(stockpiles=stock())


@cache
def parts(case: dv.Instance = stocked()) -> list[Staged]:  # noqa: B008
    """Return a case's scenarios, stated."""
    return [staged(case, name) for name in case.table("scenarios")["scenario"]]


@cache
def found(case: dv.Instance) -> pd.DataFrame:
    """Return what the best plan for all scenarios of a case, equally likely but for the case of the module, decides beforehand."""
    stated = parts(case)
    form = ExtensiveForm.of(stated, PROBABILITY if len(stated) == 3 else [1 / len(stated)] * len(stated), Risk())
    outcome = run(form.form.matrix, Options(gap=0.0))
    assert outcome.x is not None
    return as_table(form.decisions(outcome.x))


@cache
def plans(case: dv.Instance) -> dict[str, dv.Plan]:
    """Return the plan of each scenario after what was decided."""
    return {name: dv.solve(case.scenario(name), gap=0, decided=found(case)) for name in case.table("scenarios")["scenario"]}


def test_operations_of_earlier_years_and_units_of_earlier_decision_are_common_and_nothing_else() -> None:
    keys = parts()[0].keys
    operations = {key for key in keys if key[0] != "v_build"}
    assert {key[-1] for key in operations} == {2030}
    assert {str(key[0]) for key in operations} >= {"v_run", "v_flow", "v_deliver", "v_short", "v_store", "v_stock"}
    assert {key for key in keys if key[0] == "v_build"} == {("v_build", "ridge now", 2030.0), ("v_build", "vale now", 2030.0)}


@pytest.mark.parametrize(("lead", "common"), [(0.0, []), (0.5, [2030.5]), (1.0, [2030.0]), (1.25, [2030.75]), (2.0, [2030.0])])
def test_a_unit_is_named_by_the_date_of_its_decision_and_common_where_that_lies_before_the_reveal(lead: float, common: list[float]) -> None:
    """The reveal year itself is too late; a unit may come on line long after it."""
    case = case_of(projects=[ridge(lead_years=lead, earliest_year=2031)])
    assert [key[2] for key in staged(case).keys if key[0] == "v_build"] == common


def test_first_unit_purchases_are_decided_as_units_are() -> None:
    case = case_of(projects=[ridge(capex_first_musd=0.01)])
    assert {key for key in staged(case).keys if key[0] in ("v_open", "v_build")} == {
        ("v_build", "ridge", 2030.0),
        ("v_open", "ridge", 2030.0),
    }


def test_plans_of_all_scenarios_agree_in_every_table_of_the_years_before_the_reveal() -> None:
    """All tables of what is done; the balance of 2030 holds the stock that is common, and later years differ."""
    first, *others = plans(stocked()).values()
    assert first.stocks["stock_t"].max() > 0
    for table in ("flows", "activity", "deliveries", "stocks", "shortages"):
        ours = first.tables[table]
        early = ours[ours["year"] < 2031].reset_index(drop=True)
        assert len(early) or table == "shortages"
        for plan in others:
            theirs = plan.tables[table]
            told = theirs[theirs["year"] < 2031].reset_index(drop=True)
            pd.testing.assert_frame_equal(early, told, rtol=1e-7, atol=1e-7)
    assert any(not first.flows.equals(plan.flows) for plan in others)


def test_units_decided_before_the_reveal_are_the_same_and_later_ones_adapt() -> None:
    case = case_of()
    early = [plan.builds[plan.builds["decided_year"] < 2031] for plan in plans(case).values()]
    assert [[(row["project"], row["year"], row["units"]) for row in table.to_dict("records")] for table in early] == [
        [("ridge now", 2031, 1)]
    ] * 3
    later = {name: plan.builds.loc[plan.builds["decided_year"] >= 2031, "project"].tolist() for name, plan in plans(case).items()}
    assert later == {"calm": [], "squeeze": [], "ban": ["ridge later"]}


def test_the_plans_cost_what_the_extensive_form_says() -> None:
    for case, cost in ((case_of(), 0.1022), (stocked(), None)):
        stated = parts(case)
        form = ExtensiveForm.of(stated, PROBABILITY, Risk())
        outcome = run(form.form.matrix, Options(gap=0.0))
        reached = sum(weight * (plans(case)[name].objective_musd or 0.0) for name, weight in zip(NAMES, PROBABILITY, strict=True))
        assert reached == pytest.approx(outcome.objective, rel=1e-7)
        assert cost is None or reached == pytest.approx(cost)


def test_a_unit_that_a_scenario_delays_is_the_same_decision_on_line_later() -> None:
    """Decided in 2030 either way: on line in 2031, or with another year of lead in 2032."""
    case = case_of(late("lead_years=plus 1"), projects=[ridge()])
    rows = {name: plan.builds[["decided_year", "year", "units"]].to_numpy().tolist() for name, plan in plans(case).items()}
    assert rows == {"in-time": [[2030, 2031, 2]], "late": [[2030, 2032, 2]]}


def test_a_unit_that_a_scenario_delays_beyond_the_horizon_is_allowed_and_of_no_use_there() -> None:
    case = case_of(late("lead_years=plus 5"), projects=[ridge()])
    assert {name: len(plan.builds) for name, plan in plans(case).items()} == {"in-time": 1, "late": 0}


def test_a_decision_that_a_scenario_does_not_allow_yet_is_not_made() -> None:
    """Whether the permit comes in 2031 only is not known in 2030: nothing can be decided then."""
    case = case_of(late("decided_year=2031"), projects=[ridge()])
    rows = {name: plan.builds[["decided_year", "year", "units"]].to_numpy().tolist() for name, plan in plans(case).items()}
    assert rows == {"in-time": [[2031, 2032, 2]], "late": [[2031, 2032, 2]]}


def test_projects_that_a_scenario_takes_away_or_dates_that_do_not_match_are_errors() -> None:
    with pytest.raises(UsageError, match="takes the project 'ridge' away"):
        found(case_of({"in-time": (0.5, (BAN,)), "gone": (0.5, (BAN, "-projects[project=ridge]"))}, projects=[ridge()]))
    case = case_of(late("lead_years=plus 0.5"), projects=[ridge(lead_years=0.5, earliest_year=2031)], reveal=2032)
    with pytest.raises(UsageError, match="between planning years"):
        found(case)


def test_what_was_decided_survives_as_a_table() -> None:
    values = {("v_flow", "a|b", 'quoted "ä"', "", 2030): 0.1, ("v_build", "ridge", 2030.5): 2.0}
    assert from_table(as_table(values)) == values


def test_another_decision_than_the_best_costs_more_and_one_that_no_row_allows_is_infeasible() -> None:
    case = case_of().scenario("ban")
    for units, cost in ((0.0, 0.365), (1.0, 0.245), (2.0, 0.125)):
        kept = {key: value for key, value in from_table(found(case_of())).items() if key[0] != "v_build"}
        plan = dv.solve(case, gap=0, decided=as_table(kept | {("v_build", "ridge now", 2030.0): units}))
        assert plan.objective_musd == pytest.approx(cost)
        assert plan.summary["audit"]["ok"]
