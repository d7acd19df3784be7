"""Scenarios from families: draws that cover every range, changes that touch nothing before the reveal year, and a few for many.

The four points worked by hand
------------------------------
Points 0, 1, 2 and 10 on a line with probabilities 0.1, 0.4, 0.3 and 0.2. Kept alone they are at weighted distances of
0.4 + 0.6 + 2 = 3, of 0.1 + 0.3 + 1.8 = 2.2, of 0.2 + 0.4 + 1.6 = 2.2 and of 1 + 3.6 + 2.4 = 7: 1 and 2 tie, and the earlier, 1, is
kept. Beside it, 10 leaves 0.1 + 0.3 = 0.4, 2 leaves 0.1 + 1.6, 0 leaves 0.3 + 1.8: 10 is kept. The weights of 0 and 2 go to 1, which
gives 0.8 and 0.2.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import Row, Rows, cost_musd, hand_solved
from click.testing import CliRunner, Result

import diversify as dv
from diversify.analyses.scenarios import Sample, reduce, sample
from diversify.analyses.scenarios.draws import DRAWN
from diversify.analyses.scenarios.reduction import distances, forward_selection
from diversify.cli import command
from diversify.errors import InstanceError, UsageError
from diversify.network import Network

REVEAL = 2031

CONTROL: Row = {"family": "control", "kind": "export_control", "origin": "CHN", "destination": "*", "commodity": "ore", "chance": 0.5} | {
    "first_low": 2031,
    "first_high": 2034,
    "years_low": 1,
    "years_high": 4,
    "low": 0.2,
    "high": 1,
    "reference_t_per_year": 200,
}
GROWTH: Row = {"family": "growth", "kind": "demand", "country": "JPN", "commodity": "*", "first_low": 2031, "first_high": 2031} | {
    "years_low": 3,
    "years_high": 3,
    "low": 1,
    "high": 1.6,
}
DEARER: Row = {"family": "dearer", "kind": "capex", "country": "USA", "commodity": "ore", "low": 1, "high": 2}
LATER: Row = {"family": "later", "kind": "delay", "country": "*", "chance": 0.25, "low": 1, "high": 2}


def case(*families: Row, **changes: Any) -> dv.Instance:
    """Return the hand-solved case with families; units of the ridge can come on line from 2031 on."""
    base = hand_solved().replace(reveal_year=REVEAL, families=list(families), **changes)
    return base.set("projects[].earliest_year=2031", "projects[].latest_year=2033")


def drawn(instance: dv.Instance, **cells: Any) -> dv.Instance:
    """Return the instance under the scenario of one draw, whose cells are given with double underscores for dots."""
    row = {"scenario": "one", "probability": 1.0, **{name.replace("__", "."): value for name, value in cells.items()}}
    return sample(instance, draws=pd.DataFrame([row])).instance.scenario("one")


def test_every_part_of_every_range_is_drawn_once() -> None:
    draws = sample(case(CONTROL | {"chance": 1}, GROWTH, DEARER, LATER), 40, seed=3).draws
    for name, low, high in (("control.size", 0.2, 1.0), ("growth.size", 1.0, 1.6), ("dearer.size", 1.0, 2.0)):
        parts = np.floor((draws[name].to_numpy() - low) / (high - low) * 40 + 1e-3).clip(0, 39)
        assert sorted(parts) == list(range(40)), name
    assert draws["control.first"].value_counts().to_dict() == dict.fromkeys(range(2031, 2035), 10)
    assert draws["control.years"].value_counts().to_dict() == dict.fromkeys(range(1, 5), 10)
    assert draws["later.happens"].sum() == 10
    assert set(draws["later.size"].dropna()) == {1, 2}
    assert draws["later.size"].isna().equals(~draws["later.happens"].astype(bool))
    assert draws["growth.years"].tolist() == [3] * 40


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    families = case(CONTROL, GROWTH)
    first, second, other = (sample(families, 8, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.draws, second.draws)
    assert first.instance == second.instance
    assert not first.draws.equals(other.draws)


def test_drawn_scenarios_have_all_the_probability_and_stand_beside_the_others() -> None:
    own: Rows = [{"scenario": "as-planned", "probability": 0.7}, {"scenario": "free", "probability": 0.3}]
    instance = case(CONTROL, scenarios=own, changes=[{"scenario": "free", "change": "-caps[]"}])
    found = sample(instance, 3).instance
    table = found.table("scenarios")
    assert table["scenario"].tolist() == ["as-planned", "free", "draw-001", "draw-002", "draw-003"]
    assert table["probability"].isna().tolist() == [True, True, False, False, False]
    assert table["probability"].sum() == pytest.approx(1.0)
    assert found.scenario("free").table("caps").empty
    again = sample(found, 2).instance
    assert again.table("scenarios")["scenario"].tolist() == ["as-planned", "free", "draw-001", "draw-002"]
    assert set(again.table("changes")["scenario"]) <= {"free", "draw-001", "draw-002"}
    assert dv.check(again).errors == []


def test_a_family_that_follows_happens_with_the_one_it_follows() -> None:
    magnets: Row = {"family": "magnets", "kind": "export_control", "origin": "CHN", "destination": "*", "commodity": "magnet"}
    found = sample(case(CONTROL | {"first_high": 2033}, magnets | {"follows": "control", "low": 1, "high": 1}), 20)
    assert not {"magnets.happens", "magnets.first"} & set(found.draws.columns)
    for name, draw in found.draws.set_index("scenario").iterrows():
        rows = found.instance.scenario(str(name)).table("restrictions")
        assert len(rows) == 2 * draw["control.happens"]
        assert rows["first_year"].nunique() == rows["last_year"].nunique() == int(draw["control.happens"])


def test_a_control_limits_what_is_left_of_the_exports() -> None:
    given = drawn(case(CONTROL), control__happens=True, control__first=2032, control__years=2, control__size=0.75)
    (row,) = given.records("restrictions")
    where = {"restriction": "control", "origin": "CHN", "destination": "*", "commodity": "ore"}
    assert row == where | {"first_year": 2032, "last_year": 2033, "limit_t_per_year": 50, "by": "owned"}
    taken = case(CONTROL).replace(restrictions=[{**row, "restriction": "control"}])
    twice = drawn(taken, control__happens=True, control__first=2032, control__years=2, control__size=0.75)
    assert twice.table("restrictions")["restriction"].tolist() == ["control", "control (2)"]


def quantities(instance: dv.Instance) -> dict[int, float]:
    demand = Network.of(instance).decoded(Network.of(instance).cells.demand)
    return dict(zip(demand["year"], demand["quantity"], strict=True))


def test_demand_grows_in_a_line_from_the_year_before_and_stays() -> None:
    """One row holds for all years: from 2030, 100 t, to x1.3 in 2033, a third of the way each year; 2034 as 2033."""
    instance = case(GROWTH).replace(years=[2030, 2031, 2032, 2033, 2034])
    grown = drawn(instance, growth__happens=True, growth__first=2031, growth__years=3, growth__size=1.3)
    expected = {2030: 100, 2031: 110, 2032: 120, 2033: 130, 2034: 130}
    assert quantities(grown) == pytest.approx(expected)
    assert grown.table("demand")["shortage_usd_per_t"].tolist() == [40_000] * len(grown.table("demand"))


def test_two_families_of_demand_multiply() -> None:
    second = GROWTH | {"family": "second", "first_low": 2032, "first_high": 2032, "years_low": 1, "years_high": 1}
    cells = {"growth__happens": True, "growth__first": 2031, "growth__years": 1, "growth__size": 1.2}
    more = {"second__happens": True, "second__first": 2032, "second__years": 1, "second__size": 1.5}
    grown = drawn(case(GROWTH, second), **cells, **more)
    assert quantities(grown) == pytest.approx({2030: 100, 2031: 120, 2033: 180})


def test_without_a_length_the_size_is_reached_in_the_last_planning_year() -> None:
    price = {"family": "price", "kind": "price", "commodity": "magnet", "first_low": 2031, "first_high": 2031, "low": 2, "high": 2}
    for listed in (None, [{"commodity": "magnet", "year": year, "price_usd_per_t": 10} for year in (2029, 2032, 2040)]):
        instance = case(price, prices=listed).set("commodities[commodity=magnet].price_usd_per_t=10")
        found = drawn(instance, price__happens=True, price__first=2031, price__size=2)
        network = Network.of(found)
        prices = network.ground.price_usd_per_t[network.ground.commodities.code("magnet")]
        assert prices.tolist() == pytest.approx([10, 10 * (1 + 1 / 3), 20])


def test_capital_and_lead_time_change_where_nothing_can_be_on_line_before() -> None:
    """The ridge can come from 2031 on; where it can in 2030 it is left alone. A latest year moves with the delay."""
    cells = {"dearer__happens": True, "dearer__size": 1.5, "later__happens": True, "later__size": 2}
    (project,) = drawn(case(DEARER, LATER), **cells).records("projects")
    assert (project["capex_unit_musd"], project["lead_years"], project["latest_year"]) == (1.5, 2, 2035)
    early = case(DEARER, LATER).set("projects[].earliest_year=2030")
    assert drawn(early, **cells).table("projects").equals(early.table("projects"))
    elsewhere = case({**DEARER, "country": "JPN"}, LATER)
    assert (
        drawn(elsewhere, dearer__happens=True, dearer__size=1.5, later__happens=False).table("projects").equals(elsewhere.table("projects"))
    )


def test_a_drawn_scenario_costs_what_the_case_changed_by_hand_costs() -> None:
    cells = {"control__happens": True, "control__first": 2031, "control__years": 9, "control__size": 0.9}
    by_hand = "+restrictions[restriction=r,origin=CHN,destination=*,commodity=ore,first_year=2031,last_year=2039,limit_t_per_year=20]"
    assert cost_musd(drawn(case(CONTROL), **cells)) == pytest.approx(cost_musd(case(CONTROL).set(by_hand)))


FLAGSHIP_DRAWS: dict[str, Row] = {
    "export_control": {"heavy-oxide-control.happens": True, "heavy-oxide-control.first": 2028, "heavy-oxide-control.years": 4}
    | {f"heavy-{what}-control.size": 0.8 for what in ("oxide", "metal", "magnet")},
    "demand": {"demand-path.happens": True, "demand-path.first": 2029, "demand-path.size": 1.4}
    | {"heavy-share.happens": True, "heavy-share.first": 2028, "heavy-share.years": 3, "heavy-share.size": 0.7},
    "capex": {"capex-overrun.happens": True, "capex-overrun.size": 1.6},
    "delay": {"permitting-delay.happens": True, "permitting-delay.size": 3},
    "price": {"magnet-price.happens": True, "magnet-price.first": 2028, "magnet-price.years": 2, "magnet-price.size": 1.5},
}


@pytest.fixture(scope="module")
def flagship() -> Sample:
    """Return the flagship under one draw a kind, in which only that kind happens."""
    instance = dv.load("trilateral-magnets")
    columns = sample(instance, 1).draws.columns
    quiet = {name: False for name in columns if name.endswith(".happens")}
    rows = [{"scenario": kind, "probability": 0.2, **quiet, **cells} for kind, cells in FLAGSHIP_DRAWS.items()]
    return sample(instance, draws=pd.DataFrame(rows, columns=list(columns)))


def before(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return an index frame's rows of the years before 2028."""
    return frame.loc[frame["year"] < 2028, columns].sort_values(columns, ignore_index=True)


@pytest.mark.parametrize("kind", FLAGSHIP_DRAWS)
def test_on_the_flagship_nothing_differs_before_the_reveal_year(flagship: Sample, kind: str) -> None:
    plain, changed = Network.of(dv.load("trilateral-magnets")), Network.of(flagship.instance.scenario(kind))
    early = plain.ground.years.label < 2028
    for name, columns in {
        "demand": ["location", "commodity", "year", "quantity", "shortage_usd_per_t"],
        "flows": ["origin", "owner", "destination", "commodity", "tag", "year", "freight_usd_per_t", "tariff_usd_per_t"],
        "runs": ["facility", "process", "tag", "year", "capacity_per_t", "variable_usd_per_t"],
        "sold": ["location", "owner", "commodity", "tag", "year", "price_usd_per_t", "limit_t_per_year"],
    }.items():
        frames = [network.decoded(getattr(network.cells, name)) for network in (plain, changed)]
        pd.testing.assert_frame_equal(before(frames[0], columns), before(frames[1], columns), obj=name, rtol=1e-12)
    assert np.array_equal(plain.plants.standing, changed.plants.standing)
    assert np.allclose(plain.ground.price_usd_per_t[:, early], changed.ground.price_usd_per_t[:, early], rtol=1e-12)
    online = [before(network.decoded(network.plants.online), ["project", "year"]) for network in (plain, changed)]
    pd.testing.assert_frame_equal(*online)
    able = plain.plants.online["project"][early[plain.plants.online["year"]]].unique()
    pd.testing.assert_frame_equal(plain.plants.projects.loc[able], changed.plants.projects.loc[able])


@pytest.mark.parametrize("kind", FLAGSHIP_DRAWS)
def test_on_the_flagship_every_kind_changes_something(flagship: Sample, kind: str) -> None:
    assert flagship.instance.scenario(kind).content_hash != dv.load("trilateral-magnets").set("-changes[]", "-scenarios[]").content_hash
    changes = flagship.instance.table("changes")
    assert (changes["scenario"] == kind).sum() > 0
    assert set(changes.loc[changes["source"] == DRAWN, "scenario"]) == set(FLAGSHIP_DRAWS)


def test_on_the_flagship_units_that_a_delay_moves_are_decided_at_the_same_dates(flagship: Sample) -> None:
    """What is decided before the reveal year is common to all scenarios, and named by its date of decision."""

    def dates(network: Network) -> set[tuple[int, float]]:
        online, projects = network.plants.online, network.plants.projects
        decided = network.ground.years.label[online["year"]] - projects["lead_years"].to_numpy()[online["project"]]
        return {(p, round(d, 6)) for p, d in zip(online["project"], decided, strict=True) if d < 2028}

    plain, delayed = dates(Network.of(dv.load("trilateral-magnets"))), dates(Network.of(flagship.instance.scenario("delay")))
    assert delayed <= plain


BAD: dict[str, tuple[Row, str, str]] = {
    "an unknown column": ({"control.depth": 1}, "unknown_column", "control.depth"),
    "a start before the reveal year": ({"control.first": 2030}, "before_reveal", "control.first"),
    "a part of a year": ({"control.years": 1.5}, "not_whole_years", "control.years"),
    "no length": ({"control.years": None}, "missing_cell", "control.years"),
    "a share above 1": ({"control.size": 1.2}, "share_above_one", "control.size"),
    "not true or false": ({"control.happens": "perhaps"}, "wrong_type", "control.happens"),
    "a delay of half a year": ({"later.size": 0.5}, "not_whole_years", "later.size"),
    "too much probability": ({"probability": 1.5}, "share_above_one", "probability"),
    "too little probability": ({"probability": 0.9}, "probabilities", "probability"),
    "a name of the case's own": ({"scenario": "free"}, "duplicate_key", "scenario"),
    "a path": ({"scenario": "../a"}, "path_for_name", "scenario"),
}
GOOD: Row = {"scenario": "a", "probability": 1, "control.happens": True, "control.first": 2032, "control.years": 1, "control.size": 0.5} | {
    "later.happens": True,
    "later.size": 1,
}


@pytest.mark.parametrize("fault", BAD)
def test_a_table_of_draws_is_checked(fault: str) -> None:
    cells, code, column = BAD[fault]
    instance = case(CONTROL, LATER, scenarios=[{"scenario": "free"}])
    assert len(sample(instance, draws=pd.DataFrame([GOOD])).draws) == 1
    with pytest.raises(InstanceError) as caught:
        sample(instance, draws=pd.DataFrame([GOOD | cells]))
    told = [(problem.code, problem.column) for problem in caught.value.problems]
    assert told == [(code, column)]
    assert caught.value.problems[0].remedy


def test_every_problem_of_a_file_of_draws_is_told_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "design.csv"
    path.write_text(
        "scenario,probability,control.happens,control.first,control.years,control.size\n"
        "a,0.5,true,2029,1,0.5\na,0.5,true,2031,,1\nb,0,false,,,\n"
    )
    with pytest.raises(InstanceError) as caught:
        sample(case(CONTROL), draws=path)
    told = {(problem.file, problem.row, problem.column) for problem in caught.value.problems}
    assert told == {("design.csv", row, column) for row, column in ((2, "control.first"), (3, "scenario"), (3, "control.years"))}


def test_a_part_of_exports_that_are_not_stated_cannot_be_cut() -> None:
    ban = {name: value for name, value in CONTROL.items() if name != "reference_t_per_year"} | {"low": 1}
    with pytest.raises(InstanceError, match="states no exports"):
        drawn(case(ban), control__happens=True, control__first=2032, control__years=1, control__size=0.5)


def test_misuse_is_refused() -> None:
    for call in (
        lambda: sample(hand_solved(), 3),
        lambda: sample(case(CONTROL)),
        lambda: sample(case(CONTROL), 3, draws=pd.DataFrame([GOOD])),
        lambda: sample(case(CONTROL), 0),
        lambda: sample(case(CONTROL), draws="no-such-file.csv"),
        lambda: reduce(sample(case(CONTROL), 3), to=4),
        lambda: reduce(sample(case(CONTROL), 3), to=0),
    ):
        with pytest.raises(UsageError):
            call()


def least(points: np.ndarray[Any, Any], weights: np.ndarray[Any, Any], kept: tuple[int, ...]) -> float:
    """Return the Kantorovich distance to kept points, straight from its definition for redistribution to the nearest."""
    return float(sum(weight * min(np.linalg.norm(point - points[k]) for k in kept) for point, weight in zip(points, weights, strict=True)))


def test_four_points_come_out_as_worked_by_hand() -> None:
    points, weights = np.array([[0.0], [1.0], [2.0], [10.0]]), np.array([0.1, 0.4, 0.3, 0.2])
    one, two = forward_selection(points, weights, 1), forward_selection(points, weights, 2)
    assert (one.kept, one.distance) == ([1], pytest.approx(2.2))
    assert (two.kept, two.distance, two.distance_of_one) == ([1, 3], pytest.approx(0.4), pytest.approx(2.2))
    assert two.probability.tolist() == pytest.approx([0.8, 0.2])


@pytest.mark.parametrize("seed", range(12))
def test_no_choice_is_better_than_the_best_of_all_choices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, weights = rng.random((7, 3)), rng.dirichlet(np.ones(7))
    for to in range(1, 8):
        found = forward_selection(points, weights, to)
        best = min(least(points, weights, kept) for kept in itertools.combinations(range(7), to))
        assert found.distance == pytest.approx(least(points, weights, tuple(found.kept)), abs=1e-12)
        assert found.distance >= best - 1e-12
        assert found.probability.sum() == pytest.approx(1.0)
        if to in (1, 7):
            assert found.distance == pytest.approx(best, abs=1e-12)


def test_equal_points_are_kept_from_the_first_on() -> None:
    found = forward_selection(np.zeros((5, 2)), np.full(5, 0.2), 2)
    assert (found.kept, found.distance) == ([0, 1], 0.0)
    assert found.probability.sum() == pytest.approx(1.0)
    assert distances(np.array([[0.0, 0.0], [3.0, 4.0]]))[0, 1] == pytest.approx(5.0)


def test_a_reduction_keeps_scenarios_as_they_are_and_all_the_probability() -> None:
    whole = sample(case(CONTROL, GROWTH, LATER), 30, seed=5)
    few = reduce(whole, to=4)
    assert (few.reduced_from, len(few.draws)) == (30, 4)
    assert few.draws["probability"].sum() == pytest.approx(1.0)
    assert few.instance.table("scenarios")["probability"].sum() == pytest.approx(1.0)
    for name in few.draws["scenario"]:
        assert few.instance.scenario(name).table("demand").equals(whole.instance.scenario(name).table("demand"))
    all_of_them = reduce(whole, to=30)
    assert all_of_them.distance == 0.0
    assert all_of_them.instance == whole.instance
    pd.testing.assert_frame_equal(reduce(case(CONTROL, GROWTH, LATER), to=4, draws=whole.draws).draws, few.draws)


def test_a_family_that_does_not_happen_is_as_far_as_its_size_says() -> None:
    """Two draws without a control are the same; one with a control of no size differs from them by nothing that is known."""
    rows = [
        {"scenario": name, "probability": 0.25, "control.happens": there, "control.first": 2032, "control.years": 2, "control.size": size}
        for name, there, size in (("a", False, None), ("b", False, None), ("c", True, 0), ("d", True, 1))
    ]
    few = reduce(case(CONTROL), to=2, draws=pd.DataFrame(rows))
    assert few.draws["scenario"].tolist() == ["a", "d"]
    assert few.draws["probability"].tolist() == [0.75, 0.25]
    assert (few.distance, few.lost) == (0.0, {})
    assert reduce(case(CONTROL), to=1, draws=pd.DataFrame(rows)).lost == {"control": 0.5}


def run(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "100"}).invoke(command, [str(word) for word in words])


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return dv.save(case(CONTROL, GROWTH), tmp_path / "case.json")


@pytest.mark.parametrize("target", ["out", "out.json", "out.xlsx"])
def test_the_command_writes_the_instance_and_its_draws(saved: Path, tmp_path: Path, target: str) -> None:
    draws = tmp_path / "draws.csv"
    asked = ("scenarios", saved, "--sample", 20, "--seed", 7, "--reduce", 3, "--out", tmp_path / target, "--draws", draws)
    result = run(*asked, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    few = reduce(sample(case(CONTROL, GROWTH), 20, seed=7), to=3)
    assert dv.load(tmp_path / target) == few.instance
    assert (told["scenarios"], told["reduced_from"], told["seed"]) == (3, 20, 7)
    assert told["distance"] == pytest.approx(few.distance)
    assert [row["scenario"] for row in told["drawn"]] == few.draws["scenario"].tolist()
    pd.testing.assert_frame_equal(sample(case(CONTROL, GROWTH), draws=draws).draws, few.draws)


def test_the_command_says_what_was_drawn(saved: Path, tmp_path: Path) -> None:
    result = run("scenarios", saved, "--sample", 20, "--reduce", 3, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    assert "20 scenarios drawn by Latin hypercube (seed 0), reduced to 3" in words
    assert "control 50.0" in words
    assert "0.2 to 1" in words


def test_the_command_overwrites_nothing(saved: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("mine")
    for asked in (("--out", tmp_path / "out", "--draws", mine), ("--out", saved), ("--out", tmp_path / "out", "--table", mine)):
        assert run("scenarios", saved, "--sample", 2, *asked).exit_code == 2
    assert run("scenarios", saved, "--out", tmp_path / "out").exit_code == 2
    assert mine.read_text() == "mine"
    assert not (tmp_path / "out").exists()
