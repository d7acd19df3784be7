"""Alternatives: held to the enumeration of everything that can be built on a small case, and to what the gaps leave open.

The small case
--------------
Osaka wants 100 t of ore in 2030 and in 2031, at 20,000 USD per t short. Four mines can be built for it: ``ridge`` (30 t/yr, up to two
units), ``vale`` and ``dome`` (50 t/yr, one each; the dome has a cost of its own for the first unit), and ``brook`` (20 t/yr,
up to three). There are few enough ways to build them that all can be tried, each a small linear program.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cases import HAND_SOLVED_MUSD, Row, example, hand_solved, instance
from click.testing import CliRunner, Result

import diversify as dv
from diversify.analyses.alternatives import LAYOUT, alternatives
from diversify.analyses.alternatives.cases import Found
from diversify.analyses.alternatives.projects import Choice
from diversify.analyses.alternatives.verdicts import Knowledge, verdict
from diversify.analyses.answer import Answer
from diversify.analyses.executor import Executor, Step
from diversify.cli import command
from diversify.errors import SolverError, UsageError
from diversify.report.alternatives import alternatives_page
from diversify.report.terminal import rendered
from diversify.solve import Options, compile_model, run

MOST = {"brook": 3, "dome": 1, "ridge": 2, "vale": 1}
SIZE = {"brook": 20, "dome": 50, "ridge": 30, "vale": 50}
YEARS = (2030, 2031)

CAPEX = {
    "even": {"brook": 0.30, "dome": 0.45, "ridge": 0.30, "vale": 0.50},
    "one dear": {"brook": 1.90, "dome": 0.20, "ridge": 0.31, "vale": 0.35},
    "one cheap": {"brook": 0.11, "dome": 0.60, "ridge": 0.50, "vale": 0.80},
}


def small_case(capex: str = "even", **more: Row) -> dv.Instance:
    """Return the case of the module's text; ``more`` are further cells of a project's row."""
    mines = sorted(MOST)
    projects: list[Row] = [
        {"project": name, "facility": name, "unit_t_per_year": SIZE[name], "units_max": MOST[name], "life_years": 2}
        | {"capex_unit_musd": CAPEX[capex][name], "capex_first_musd": 0.1 if name == "dome" else 0.0}
        | more.get(name, {})
        for name in mines
    ]
    return instance(
        {
            "commodities": [{"commodity": "ore"}],
            "processes": [{"process": "mining", "reference": "ore"}],
            "recipes": [{"process": "mining", "commodity": "ore", "amount_t_per_t": 1}],
            "countries": [{"country": "USA"}, {"country": "JPN"}],
            "locations": [{"location": "Osaka", "country": "JPN"}, *({"location": name, "country": "USA"} for name in mines)],
            "facilities": [{"facility": name, "location": name, "process": "mining"} for name in mines],
            "projects": projects,
            "lanes": [
                {"origin": name, "destination": "Osaka", "commodity": "ore", "cost_usd_per_t": 100 * number}
                for number, name in enumerate(mines)
            ],
            "demand": [{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100, "shortage_usd_per_t": 20_000}],
        },
        years=YEARS,
        discount_rate=0.05,
        name="four-mines",
    )


OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in CAPEX if name != "even"]
"""The same for other costs, which takes longer and is left to the slow group."""


Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the module's solves are kept, so that no test solves again what another has solved."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def ask(store: Path) -> Ask:
    """Return a function that asks about a small case, solving only what is not in the module's store."""

    def ask_it(capex: str = "even", **options: Any) -> Answer:
        return alternatives(small_case(capex), **{"gap": 0, **options}, executor=Executor(store=store))

    return ask_it


@cache
def everything(capex: str) -> dict[tuple[int, ...], float]:
    """Return the least cost of building exactly so many units of each mine, for every way to do so, each year tried."""
    model = dv.build_model(small_case(capex))
    least: dict[tuple[int, ...], float] = {}
    for builds in itertools.product(*(list(ways(MOST[name])) for name in sorted(MOST))):
        units = {
            (name, year): count
            for name, counts in zip(sorted(MOST), builds, strict=True)
            for year, count in zip(YEARS, counts, strict=True)
        }
        for key, variable in model.v_build.items():
            variable.fix(units[key])
        opened = [year for year in YEARS if units["dome", year]]
        for (_, year), variable in model.v_open.items():
            variable.fix(1.0 if year in opened[:1] else 0.0)
        outcome = run(compile_model(model, model.diversify.variables, model.diversify.scale), Options(gap=0.0))
        assert outcome.stopped == "optimal"
        total = tuple(sum(counts) for counts in builds)
        least[total] = min(outcome.objective, least.get(total, float("inf")))
    return least


def ways(most: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to build up to ``most`` units in the years."""
    return (counts for counts in itertools.product(range(most + 1), repeat=len(YEARS)) if sum(counts) <= most)


def apart(some: tuple[int, ...], others: tuple[int, ...]) -> float:
    return sum(abs(a - b) / MOST[name] for name, a, b in zip(sorted(MOST), some, others, strict=True))


def total(plan: dict[str, Any]) -> tuple[int, ...]:
    return tuple(round(plan["projects"].get(name, 0.0)) for name in sorted(MOST))


def by_project(answer: Answer) -> dict[str, dict[str, Any]]:
    return {row["project"]: row for row in answer.summary["projects"]}


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("capex", ["even", *OTHERS])
@pytest.mark.parametrize("within", [0.0, 0.1, 0.4])
def test_what_is_in_all_plans_or_some_or_none_is_what_trying_everything_says(capex: str, within: float, ask: Ask) -> None:
    every = everything(capex)
    optimum = min(every.values())
    answer = ask(capex, within=within, plans=1)
    assert answer.summary["optimum_musd"] == near(optimum)
    limit = answer.summary["limit_musd"]
    assert limit == near((1 + within) * optimum)
    for position, name in enumerate(sorted(MOST)):
        inside = min(cost for units, cost in every.items() if units[position])
        outside = min(cost for units, cost in every.items() if not units[position])
        row = by_project(answer)[name]
        within_limit = (inside <= limit + 1e-6, outside <= limit + 1e-6)
        assert row["in"] == {(True, False): "all", (True, True): "some", (False, True): "none"}[within_limit]
        assert row["proof"] == ("plans" if all(within_limit) else "bound")
        for figure, cost in (("regret", outside), ("cost_of_forcing", inside)):
            for part in ("", "_low", "_high"):
                assert row[f"{figure}{part}_musd"] == near(cost - optimum)


@pytest.mark.parametrize("capex", ["even", *OTHERS])
def test_every_plan_is_the_one_that_differs_most_from_those_before_it(capex: str, ask: Ask) -> None:
    every = everything(capex)
    answer = ask(capex, within=0.4, plans=3)
    plans = answer.summary["plans"]
    allowed = [units for units, cost in every.items() if cost <= answer.summary["limit_musd"] + 1e-6]
    assert every[total(plans[0])] == near(min(every.values()))
    for number, plan in enumerate(plans[1:], start=1):
        earlier = [total(each) for each in plans[:number]]
        farthest = max(min(apart(units, other) for other in earlier) for units in allowed)
        assert (plan["distance"], plan["distance_bound"]) == (near(farthest), near(farthest))
        assert min(apart(total(plan), other) for other in earlier) == near(farthest)
        assert plan["objective_musd"] == near(every[total(plan)])  # the cheapest that builds just this
        assert plan["bound_musd"] == near(every[total(plan)])
    assert answer.summary["ended"] == "as_many_as_asked"


@pytest.mark.parametrize("capex", ["even", *OTHERS])
@pytest.mark.parametrize("distance_gap", [0.3, pytest.param(0.05, marks=pytest.mark.slow)])
def test_a_distance_that_is_not_proved_to_be_the_largest_says_how_much_larger_one_could_be(
    distance_gap: float, capex: str, ask: Ask
) -> None:
    answer = ask(capex, within=0.4, plans=2, distance_gap=distance_gap)
    best, plan = answer.summary["plans"]
    limit = answer.summary["limit_musd"]
    farthest = max(apart(units, total(best)) for units, cost in everything(capex).items() if cost <= limit + 1e-6)
    assert plan["distance"] <= farthest + 1e-6
    assert plan["distance_bound"] >= farthest - 1e-6
    assert plan["distance"] >= plan["distance_bound"] - max(distance_gap * plan["distance_bound"], 0.5 / 3) - 1e-6
    assert plan["objective_musd"] <= limit


@pytest.mark.parametrize("capex", ["even", *OTHERS])
def test_the_search_ends_when_it_is_proved_that_nothing_else_is_within(capex: str, ask: Ask) -> None:
    within = 0.05
    allowed = {units for units, cost in everything(capex).items() if cost <= (1 + within) * min(everything(capex).values())}
    answer = ask(capex, within=within, plans=100)
    assert answer.summary["ended"] == "no_other"
    assert {total(plan) for plan in answer.summary["plans"]} == allowed
    assert len(answer.plans) == len(allowed)


@pytest.mark.parametrize("capex", ["even", *OTHERS])
@pytest.mark.slow
@pytest.mark.parametrize("gap", [0.02, 0.3])
def test_a_wide_gap_leaves_open_what_is_not_proved_and_says_nothing_wrong(capex: str, gap: float, ask: Ask) -> None:
    every = everything(capex)
    optimum = min(every.values())
    answer = ask(capex, within=0.1, plans=1, gap=gap)
    assert answer.summary["bound_musd"] <= optimum + 1e-7 <= answer.summary["optimum_musd"] + 2e-7
    limit = answer.summary["limit_musd"]
    for position, name in enumerate(sorted(MOST)):
        row = by_project(answer)[name]
        inside = min(cost for units, cost in every.items() if units[position])
        outside = min(cost for units, cost in every.items() if not units[position])
        true = {(True, False): "all", (True, True): "some", (False, True): "none"}[inside <= limit, outside <= limit]
        assert row["in"] in (true, "unproved")
        for figure, cost in (("regret", outside), ("cost_of_forcing", inside)):
            assert row[f"{figure}_low_musd"] - 1e-6 <= cost - optimum <= row[f"{figure}_high_musd"] + 1e-6
            assert row[f"{figure}_low_musd"] <= row[f"{figure}_musd"] <= row[f"{figure}_high_musd"]
    assert all(plan["objective_musd"] <= limit * (1 + 1e-6) for plan in answer.summary["plans"])


def test_the_hand_solved_case_cannot_do_without_its_only_mine() -> None:
    """Without it 2031 and 2033 are 100 t short; a unit in the year of the last cap is cheaper than none (see cases)."""
    answer = alternatives(hand_solved(), within=0.02, gap=0)
    (row,) = answer.summary["projects"]
    nothing = (13_000 + 4e6 * (1.44 + 0.9216)) / 1e6
    assert (row["in"], row["proof"], row["units"]) == ("all", "bound", 3.0)
    assert row["regret_musd"] == near(nothing - HAND_SOLVED_MUSD)
    assert row["cost_of_forcing_musd"] == 0.0
    assert answer.summary["ended"] == "no_other"
    assert "No plan within the limit builds anything else: this is proved." in page(answer)
    assert answer.builds[["plan", "project", "year", "units"]].to_numpy().tolist() == [[1, "ridge-1", 2031, 1.0], [1, "ridge-1", 2033, 2.0]]


def test_what_the_data_decide_needs_no_solve() -> None:
    heard: list[Step] = []
    case = small_case(vale={"units_min": 1}, dome={"latest_year": 2029}, brook={"units_max": 0})
    rows = by_project(alternatives(case, plans=1, gap=0, executor=Executor(progress=heard.append)))
    assert {name: (row["in"], row["proof"]) for name, row in rows.items() if name != "ridge"} == {
        "vale": ("all", "by data"),
        "dome": ("none", "by data"),
        "brook": ("none", "by data"),
    }
    assert (rows["vale"]["regret_musd"], rows["vale"]["cost_of_forcing_musd"]) == (None, 0.0)
    assert (rows["dome"]["regret_musd"], rows["dome"]["cost_of_forcing_musd"]) == (0.0, None)
    assert len(heard) == 2  # the best plan, and the ridge


@pytest.mark.slow
def test_without_a_project_there_may_be_no_plan_at_all() -> None:
    """With demand that must be met, and mines of 60 + 50 t/yr beside it, 50 t/yr of vale cannot be missed, nor can the ridge."""
    strict = small_case(dome={"units_max": 0}, brook={"units_max": 0}).replace(
        demand=[{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100}]
    )
    for row in (by_project(alternatives(strict, plans=1, gap=0))[name] for name in ("vale", "ridge")):
        assert (row["in"], row["proof"], row["regret_musd"], row["regret_low_musd"]) == ("all", "no plan", None, None)


def found(objective: float | None, bound: float | None, stopped: str = "optimal", **units: float) -> Found:
    """Return the end of a solve as it is kept."""
    builds = [{"project": name, "units": count} for name, count in units.items()]
    held = {"holds": "none" if objective is None else "plan", "objective_musd": objective, "bound_musd": bound, "gap": None}
    return Found({"stopped": stopped, **held, "tables": {"builds": builds}})


@pytest.mark.parametrize(
    ("without", "answer", "proof", "regret"),
    [
        (found(130, 120), "all", "bound", (30, 20, 32)),
        (found(130, 110), "unproved", "", (30, 10, 32)),  # a plan without it may cost 110, the limit, or 130
        (found(109, 105), "some", "plans", (9, 5, 11)),
        (found(None, 112, "time_limit"), "all", "bound", (None, 12, None)),
        (found(None, 104, "time_limit"), "unproved", "", (None, 4, None)),
        (found(None, None, "time_limit"), "unproved", "", (None, 0, None)),
        (found(None, None, "infeasible"), "all", "no plan", (None, None, None)),
    ],
)
def test_what_two_bounds_and_two_plans_prove(without: Found, answer: str, proof: str, regret: tuple[float | None, ...]) -> None:
    """The best plan costs 100 and none less than 98; the limit is 110. What is left out costs as much more than 100 or 98 as shown."""
    mine = Choice("mine", "mine", True, 2.0, 0.0, (2030,))
    best = found(100, 98, mine=1)
    known = Knowledge(110.0, 98.0, [best, *([without] if without.holds else [])], {"mine": without}, {})
    row = verdict(mine, known)
    assert (row["in"], row["proof"]) == (answer, proof)
    assert tuple(row[f"regret{part}_musd"] for part in ("", "_low", "_high")) == regret
    assert (row["cost_of_forcing_musd"], row["cost_of_forcing_low_musd"], row["cost_of_forcing_high_musd"]) == (0, 0, 2)


def test_the_best_plan_is_the_best_of_all_that_were_found() -> None:
    """Stopped at a gap, the case without a project may hold a cheaper plan than the first; nothing is then gained by the project."""
    mine = Choice("mine", "mine", True, 2.0, 0.0, (2030,))
    first, better = found(100, 98, mine=1), found(99, 98)
    row = verdict(mine, Knowledge(110.0, 98.0, [first, better], {"mine": better}, {}))
    assert (row["in"], row["units"], row["regret_musd"], row["cost_of_forcing_musd"]) == ("some", 0.0, 0.0, 1.0)


def with_continuous_brook(usd_per_t_year: float, **more: float) -> dv.Instance:
    """Return the case with a brook of any size up to 60 t/yr, which costs so much per t/yr, and the ridge alone beside it."""
    blank = {"unit_t_per_year": None, "units_max": None, "capex_unit_musd": None}
    return small_case(
        brook={**blank, "max_t_per_year": 60, "capex_usd_per_t_year": usd_per_t_year, **more}, dome={"units_max": 0}, vale={"units_max": 0}
    )


@pytest.mark.slow
def test_a_continuous_project_counts_from_a_hundredth_of_its_most() -> None:
    """At 5,000 USD per t/yr the brook is the cheapest there is, and what is wanted of it is built; left out, 0.6 t/yr still may be."""
    answer = alternatives(with_continuous_brook(5_000), within=0.05, plans=1, gap=0)
    row = by_project(answer)["brook"]
    least = dv.solve(with_continuous_brook(5_000, max_t_per_year=0.6), gap=0).objective_musd
    assert least is not None
    assert row["units"] > 30.0
    assert row["regret_musd"] == near(least - answer.summary["optimum_musd"])


@pytest.mark.slow
def test_to_force_a_continuous_project_is_to_build_a_hundredth_of_its_most() -> None:
    answer = alternatives(with_continuous_brook(90_000), within=0.05, plans=1, gap=0)
    forced = dv.solve(with_continuous_brook(90_000, min_t_per_year=0.6), gap=0).objective_musd
    assert forced is not None
    assert by_project(answer)["brook"]["cost_of_forcing_musd"] == near(forced - answer.summary["optimum_musd"])


@pytest.mark.slow
def test_every_plan_of_a_case_with_continuous_projects_is_within_and_apart() -> None:
    answer = alternatives(example("random-02"), within=0.1, plans=4)
    plans = answer.plans
    assert (plans["objective_musd"] <= answer.summary["limit_musd"] * (1 + 1e-6)).all()
    assert (plans["distance"].iloc[1:] > 0).all()
    assert (plans["distance"].iloc[1:] <= plans["distance_bound"].iloc[1:] + 1e-9).all()
    assert plans["distance_bound"].iloc[1:].is_monotonic_decreasing
    for number in plans["plan"]:  # each stands by itself: with what it builds, the case costs what it says
        builds = answer.builds[answer.builds["plan"] == number].drop(columns="plan")
        cost = dv.solve(example("random-02"), builds=builds).objective_musd
        assert cost == near(plans.set_index("plan")["objective_musd"][number])


def same(some: Answer, other: Answer) -> bool:
    return bool(some.summary == other.summary and all(some.tables[name].equals(other.tables[name]) for name in LAYOUT))


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 3, 6])
def test_a_run_that_is_stopped_goes_on_where_it_was_with_any_number_of_workers(after: int, tmp_path: Path, ask: Ask) -> None:
    """Five solves and a search: stopped by Ctrl-C after the best plan, among the projects, or after all; the third run solves nothing."""
    steps: list[Step] = []

    def stop(step: Step) -> None:
        steps.append(step)
        if len(steps) == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        alternatives(small_case(), within=0.4, plans=2, gap=0, executor=Executor(1, tmp_path, stop))
    kept = {file: file.read_text() for file in tmp_path.rglob("*.json")}
    assert len(kept) == after
    shared = alternatives(small_case(), within=0.4, plans=2, gap=0, executor=Executor(2, tmp_path))
    assert {file: file.read_text() for file in kept} == kept
    assert len(set(tmp_path.rglob("*.json"))) == 6
    assert same(shared, ask(within=0.4, plans=2))
    heard: list[Step] = []
    again = alternatives(small_case(), within=0.4, plans=2, gap=0, executor=Executor(2, tmp_path, heard.append))
    assert same(shared, again)
    assert heard
    assert all(step.reused == step.done == step.total for step in heard)


def test_errors_are_said_before_or_as_soon_as_they_are_known() -> None:
    for wrong in ({"within": -0.1}, {"within": float("nan")}, {"plans": 0}, {"distance_gap": 1.0}, {"gap": -1.0}):
        with pytest.raises(UsageError):
            alternatives(small_case(), **wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="infeasible"):
        alternatives(small_case().replace(demand=[{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 1000}]))
    with pytest.raises(SolverError, match="more time"):
        alternatives(example("random-05"), time_limit=1e-6)


def test_an_answer_is_written_and_read_as_tables(tmp_path: Path, ask: Ask) -> None:
    answer = ask(within=0.4, plans=3)
    folder = answer.save(tmp_path / "answer")
    assert {file.stem for file in folder.glob("*.csv")} == set(LAYOUT)
    assert list(answer.projects["project"]) == sorted(MOST)
    assert answer.manifest["asked"] == {"verb": "alternatives", "within": 0.4, "plans": 3, "distance_gap": 0.0}


def page(answer: Answer) -> str:
    return " ".join(rendered(alternatives_page(answer.summary, answer.tables), width=100).split())


def test_the_page_says_what_is_proved_and_only_that(ask: Ask) -> None:
    exact = page(ask(within=0.4, plans=3))
    assert "The cheapest plan costs" in exact
    assert "All of this is proved." in exact
    answer = ask(within=0.4, plans=1)
    projects = answer.projects.assign(**{"in": "unproved", "proof": ""})
    gap = {"bound_musd": 1.0, "gap_musd": 0.14, "gap": 0.12}
    wide = page(replace(answer, summary={**answer.summary, **gap, "ended": "unproved"}, tables={**answer.tables, "projects": projects}))
    assert "a plan could be cheaper by at most 0.14 million USD (12.000 %)" in wide
    assert "cheapest plan costs" not in wide
    assert "Of 4 it is not proved." in wide
    assert "it is not proved that there is none" in wide


@pytest.fixture
def call(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs the verb in this process on the small case, with what the module's store keeps."""
    monkeypatch.setenv("DIVERSIFY_CACHE", str(store))
    case = dv.save(small_case(), tmp_path / "four-mines.json")

    def call_it(*args: object) -> Result:
        given = ["alternatives", str(case), "--workers", "1", "--gap", "0", *map(str, args)]
        return CliRunner(env={"COLUMNS": "100"}).invoke(command, given)

    return call_it


def test_the_verb_prints_one_json_object_with_the_keys_of_the_interface(call: Callable[..., Result], tmp_path: Path, ask: Ask) -> None:
    result = call("--within", 0.4, "--plans", 3, "--json", "--quiet", "--out", tmp_path / "answer")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert {"optimum_musd", "bound_musd", "limit_musd", "plans", "projects"} <= set(said)
    assert {row["in"] for row in said["projects"]} <= {"all", "some", "none", "unproved"}
    assert {"project", "in", "regret_musd", "cost_of_forcing_musd"} <= set(said["projects"][0])
    assert said == ask(within=0.4, plans=3).summary
    assert (tmp_path / "answer" / "projects.csv").is_file()


def test_the_verb_shows_a_page_and_refuses_what_makes_no_sense(call: Callable[..., Result]) -> None:
    shown = call("--plans", 1)
    assert shown.exit_code == 0, shown.output
    assert "Plans within 2 % of it cost at most" in shown.stdout
    assert call("--within", -1).exit_code == 2
    assert call("--plans", 0).exit_code == 2
