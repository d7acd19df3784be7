"""Frontiers: held to the enumeration of all that can be built in the hand-solved case, and to what a band has to be.

The hand-solved case (see :mod:`cases`) with the cap's last share at s: 2030 has no cap, 2031 one of 1 - (1 - s) / 3 and 2033 one of s.
A year with a cap k and mines of c t/yr needs (1 - k) of what arrives from Denver: all 100 t where (1 - k) 100 <= c, and then
that much from there, else c / (1 - k) t in all. What it costs follows in a line, so that all ways to build up to five units in the three
years can be tried by hand, also under a limit on what is short over the horizon (years of weight 1, 2, 2) or on what is spent.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import small_frontier
from cases import cost_musd, example, hand_solved
from click.testing import CliRunner, Result

import diversify as dv
from diversify.analyses.answer import Answer
from diversify.analyses.cap_path import moved
from diversify.analyses.executor import Executor, Step
from diversify.analyses.frontier import LAYOUT, frontier
from diversify.analyses.frontier.course import shares_between, thirds
from diversify.cli import command
from diversify.errors import UsageError
from diversify.report.frontier import frontier_page
from diversify.report.terminal import rendered

DISCOUNT = (1.0, 1.44, 0.9216)
WEIGHT = (1, 2, 2)
ANNUITY = 0.9
MOST = 5


def year_of(cap: float, mines: float) -> tuple[float, float]:
    """Return what a year costs in million USD, but for the mines, and the t/yr that are short."""
    denver = min((1.0 - cap) * 100.0, mines)
    arrived = 100.0 if cap >= 1.0 or (1.0 - cap) * 100.0 <= mines + 1e-9 else denver / (1.0 - cap)
    short = 100.0 - arrived
    return ((arrived - denver) * 130 + denver * 190 + short * 40_000) / 1e6, short


@cache
def least_by_hand(share: float, *, short_t: float = math.inf, spent_musd: float = math.inf) -> float:
    """Return the least cost over all ways to build; a unit of 2030 serves two years, the others one."""
    caps = (1.0, 1.0 - (1.0 - share) / 3.0, share)
    least = math.inf
    for units in itertools.product(range(MOST + 1), repeat=3):
        if sum(units) > MOST or sum(units) > spent_musd:
            continue
        serving = (units[0], units[0] + units[1], units[2])
        years = [year_of(cap, 30.0 * count) for cap, count in zip(caps, serving, strict=True)]
        if sum(weight * short for weight, (_, short) in zip(WEIGHT, years, strict=True)) > short_t + 1e-9:
            continue
        cost = sum(d * (year[0] + ANNUITY * count) for d, year, count in zip(DISCOUNT, years, serving, strict=True))
        least = min(least, cost)
    return least


SHARES = [1.0, 0.4, 0.2]


@cache
def exact() -> Answer:
    return frontier(hand_solved(), "china", shares=SHARES, gap=0)


@cache
def uninterrupted() -> str:
    return text(small_frontier.asked(Executor()))


@cache
def over_the_range() -> Answer:
    return frontier(hand_solved(), "china", points=3)


def page(answer: Answer) -> str:
    return rendered(frontier_page(answer.summary, answer.tables), width=140)


def text(answer: Answer) -> str:
    """Return all that an answer says."""
    return json.dumps(answer.summary) + "".join(answer.tables[name].to_csv() for name in LAYOUT)


def assert_is_band(answer: Answer) -> None:
    """A band: the bound nowhere above the cost, and neither falling from point to point, in the grid in either direction."""
    for name, keys in (("points", []), ("grid", ["limit"])):
        table = answer.tables[name].dropna(subset=["objective_musd"])
        assert (table["bound_musd"] <= table["objective_musd"]).all()
        for _, line in table.groupby(keys, dropna=False) if keys else [(0, table)]:
            assert line["objective_musd"].is_monotonic_increasing
            assert line["bound_musd"].is_monotonic_increasing
    for _, line in answer.grid.dropna(subset=["objective_musd"]).groupby("point"):
        assert line["objective_musd"].is_monotonic_increasing
        assert line["bound_musd"].is_monotonic_increasing


def test_every_point_is_what_trying_everything_says() -> None:
    answer = exact()
    assert answer.points["share"].tolist() == SHARES
    for point in answer.summary["points"]:
        assert point["stopped"] == "optimal"
        for figure in ("objective_musd", "bound_musd"):
            assert point[figure] == pytest.approx(least_by_hand(point["share"]), rel=1e-6)
        assert point["cap_cost_musd"] == pytest.approx(least_by_hand(point["share"]) - least_by_hand(1.0), abs=1e-6)
        assert point["reached"] <= point["share"] + 1e-6
    assert_is_band(answer)
    assert answer.summary["cap_cost_musd"]["low"] == pytest.approx(least_by_hand(0.2) - least_by_hand(1.0), rel=1e-6)
    assert answer.summary["least"] is None


def test_the_price_of_a_percentage_point_is_the_slope_between_neighbours() -> None:
    points = exact().summary["points"]
    assert [points[0][name] for name in ("musd_per_point", "musd_per_point_low", "musd_per_point_high", "proved")] == [None] * 4
    for loose, tight in itertools.pairwise(points):
        slope = (least_by_hand(tight["share"]) - least_by_hand(loose["share"])) / (100 * (loose["share"] - tight["share"]))
        for name in ("musd_per_point", "musd_per_point_low", "musd_per_point_high"):
            assert tight[name] == pytest.approx(slope, abs=1e-7)
        assert tight["proved"]


def test_what_is_built_stands_at_every_point() -> None:
    answer = exact()
    at_policy = next(point for point in answer.summary["points"] if point["share"] == 0.4)
    assert at_policy["projects"] == {"ridge-1": 3.0}
    built = answer.builds[answer.builds["point"] == at_policy["point"]]
    assert built[["year", "units"]].to_numpy().tolist() == [[2031, 1], [2033, 2]]
    assert answer.summary["points"][0]["projects"] == {}
    shares = answer.shares[answer.shares["point"] == at_policy["point"]].set_index("year")
    assert shares["limit"].to_dict() == pytest.approx({2030: 1.0, 2031: 0.8, 2033: 0.4})
    assert (shares["share"] <= shares["limit"] + 1e-6).all()


def test_the_range_runs_from_the_share_without_the_cap_to_the_least_that_can_be_reached() -> None:
    """Five units: three in 2033 leave a share of 10 % there, and one in 2031 the 70 % that belong to it. Less needs six."""
    summary = over_the_range().summary
    assert summary["uncapped"]["reached"] == pytest.approx(1.0)
    assert summary["uncapped"]["objective_musd"] == pytest.approx(least_by_hand(1.0), rel=1e-6)
    assert summary["least"]["share"] == pytest.approx(0.1, abs=1e-3)
    assert summary["least"]["proved_share"] <= 0.1 + 1e-9
    shares = [point["share"] for point in summary["points"]]
    assert shares == pytest.approx([1.0, 0.55, 0.1], abs=1e-3)
    assert (shares[0], shares[-1]) == (1.0, summary["least"]["share"])


def test_without_gaps_given_points_are_solved_to_what_is_small_beside_the_cap() -> None:
    answer = over_the_range()
    for point in answer.summary["points"]:
        assert point["bound_musd"] - 1e-7 <= least_by_hand(point["share"]) <= point["objective_musd"] + 1e-7
    caps = least_by_hand(0.1) - least_by_hand(1.0)
    assert 0 < answer.summary["gap_asked_musd"] <= 0.05 * caps * 1.01
    assert (answer.points["gap_musd"] <= 0.05 * caps * 1.01).all()
    assert_is_band(answer)


def test_the_share_without_a_cap_is_the_least_at_no_more_cost() -> None:
    """Denver's ore at Baotou's price and standing mines: a plan without a cap is free to call its tonnes unclean, but need not."""
    case = hand_solved().set(
        "facilities[facility=ridge].capacity_t_per_year=70",
        "facilities[facility=ridge].variable_usd_per_t=10",
        "lanes[origin=Denver].cost_usd_per_t=20",
    )
    summary = frontier(case, "china", shares=[0.9]).summary
    assert summary["uncapped"]["reached"] == pytest.approx(0.3)


@pytest.mark.slow
def test_a_point_that_its_neighbours_tell_enough_of_is_not_solved() -> None:
    """Between 60 and 40 % the cost rises by 0.002 million USD: within 0.1 the tighter plan will do, and the point says whose it is."""
    steps: list[Step] = []
    answer = frontier(hand_solved(), "china", shares=[0.6, 0.5, 0.4], gap_musd=0.1, gap=0, executor=Executor(progress=steps.append))
    middle = answer.summary["points"][1]
    assert (middle["plan_of_share"], middle["stopped"]) == (0.4, "optimal")
    assert middle["reached"] == pytest.approx(0.4)
    assert middle["bound_musd"] <= least_by_hand(0.5) <= middle["objective_musd"]
    assert middle["gap_musd"] <= 0.1
    assert middle["proved"] is False
    assert "a share of 50 %" not in [step.name for step in steps]
    assert "plan of 40" in page(answer)
    assert "not proved: the bands overlap" in page(answer)


def hard() -> dv.Instance:
    """The hand-solved case with demand that must be met."""
    return hand_solved().set("demand[].shortage_usd_per_t=default")


def test_a_share_that_no_plan_reaches_is_a_point_and_no_error() -> None:
    steps: list[Step] = []
    answer = frontier(hard(), "china", shares=[0.4, 0.05], gap=0, executor=Executor(progress=steps.append))
    first, *others = answer.summary["points"]
    assert first["objective_musd"] == pytest.approx(least_by_hand(0.4, short_t=0.0), rel=1e-6)
    for point in others:
        assert point["stopped"] == "infeasible"
        assert [point[name] for name in ("objective_musd", "bound_musd", "gap", "reached", "musd_per_point", "proved", "projects")] == [
            None
        ] * 7
    assert "no plan exists" in page(answer)
    assert "At a share of 40 %" in page(answer)


def test_where_nothing_has_a_plan_shares_are_answered_and_a_range_is_refused() -> None:
    case = hard().set("demand[].quantity_t_per_year=1000")
    answer = frontier(case, "china", shares=[0.9, 0.5])
    assert answer.points["stopped"].tolist() == ["infeasible"] * 2
    assert answer.summary["uncapped"]["stopped"] == "infeasible"
    assert "it is proved that none exists" in page(answer)
    with pytest.raises(UsageError, match="infeasible without china"):
        frontier(case, "china")


@pytest.mark.slow
def test_a_grid_against_shortage_is_what_trying_everything_says() -> None:
    shares, levels = [0.3, 0.0], [60.0, 0.0]
    answer = frontier(hand_solved(), "china", shares=shares, against="shortage", levels=levels, gap=0)
    assert answer.summary["against"] == {"name": "shortage", "unit": "t"}
    seen = 0
    for row in answer.summary["grid"]:
        limit = math.inf if row["limit"] is None else row["limit"]
        by_hand = least_by_hand(row["share"], short_t=limit)
        seen += 1
        if math.isinf(by_hand):
            assert (row["stopped"], row["objective_musd"]) == ("infeasible", None)
            continue
        assert row["objective_musd"] == pytest.approx(by_hand, rel=1e-6)
        assert row["bound_musd"] == pytest.approx(by_hand, rel=1e-6)
        assert row["used"] <= limit + 1e-6
    assert seen == len(shares) * (1 + len(levels))
    assert any(row["stopped"] == "infeasible" for row in answer.summary["grid"])
    assert_is_band(answer)
    assert "limit on shortage" in page(answer)


@pytest.mark.slow
@pytest.mark.parametrize(("shares", "levels"), [([0.4], [2.5]), pytest.param([0.7, 0.4], None, marks=pytest.mark.slow)])
def test_a_grid_against_a_budget_is_what_trying_everything_says(shares: list[float], levels: list[float] | None) -> None:
    """Units of a million each: two for 70 %, three for 40 %. The budget's own limit of one million is moved, the other budget stays."""
    case = hand_solved().set("+budgets[budget=fund,payer=USA,limit_musd=1]", "+budgets[budget=other,payer=*,limit_musd=100]")
    answer = frontier(case, "china", shares=shares, against="budget:fund", levels=levels, gap=0)
    curve = {point["share"]: point["objective_musd"] for point in answer.summary["points"]}
    assert curve == pytest.approx({share: least_by_hand(share) for share in shares}, rel=1e-6)
    used = [row["used"] for row in answer.summary["grid"] if row["limit"] is None]
    assert used == pytest.approx([{0.7: 2.0, 0.4: 3.0}[share] for share in shares])
    limits = sorted({row["limit"] for row in answer.summary["grid"] if row["limit"] is not None})
    assert limits == pytest.approx(levels or [2.0, 2.25, 2.5, 2.75])
    for row in answer.summary["grid"]:
        limit = math.inf if row["limit"] is None else row["limit"]
        assert row["objective_musd"] == pytest.approx(least_by_hand(row["share"], spent_musd=limit), rel=1e-6)
    assert_is_band(answer)


@pytest.mark.parametrize(
    ("name", "caps", "shares"),
    [
        pytest.param("random-07", ["k0"], [0.9, 0.6, 0.3], marks=pytest.mark.slow),
        pytest.param("random-02", ["k0", "k1"], [0.9, 0.7, 0.5, 0.3, 0.1], marks=pytest.mark.slow),
        pytest.param("random-08", ["k1", "k2"], [0.9, 0.6, 0.4, 0.25], marks=pytest.mark.slow),
        pytest.param("random-12", ["k0"], [0.8, 0.6, 0.4, 0.2], marks=pytest.mark.slow),
    ],
)
def test_however_wide_its_gaps_the_band_holds_the_least_cost_and_never_falls(name: str, caps: list[str], shares: list[float]) -> None:
    case = example(name)
    answer = frontier(case, caps, shares=shares, gap=0.2)
    assert_is_band(answer)
    for point in answer.summary["points"]:
        assert point["stopped"] == "optimal"
        least = cost_musd(moved(case, caps, point["share"]))
        assert point["bound_musd"] * (1 - 1e-6) <= least <= point["objective_musd"] * (1 + 1e-6)


@pytest.mark.slow
def test_points_do_not_share_where_a_path_goes_up_and_down() -> None:
    """90 %, 100 %, 80 %: with less in 2033 the path is steeper, and 2031 has more. The plan of one point is none of the other's."""
    row = "+caps[cap=china,year=2031,share=1,commodity=magnet,consumers=JPN,sources=CHN,basis=traced]"
    case = hand_solved().set("caps[year=2030].share=0.9", "caps[year=2033].share=0.8", row)
    answer = frontier(case, "china", shares=[0.8, 0.5], gap=0)
    for point in answer.summary["points"]:
        assert point["objective_musd"] == pytest.approx(cost_musd(moved(case, ["china"], point["share"])), rel=1e-6)


@pytest.mark.slow
def test_workers_change_nothing(tmp_path: Path) -> None:
    assert text(small_frontier.asked(Executor(2, tmp_path))) == uninterrupted()


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_was_and_answers_as_one_process_does_uninterrupted(tmp_path: Path) -> None:
    def kept() -> dict[Path, int]:
        return {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.json")}

    begun = subprocess.Popen(
        [sys.executable, small_frontier.__file__, str(tmp_path), "2"], start_new_session=True, stderr=subprocess.DEVNULL
    )
    ends = time.monotonic() + 120
    while len(kept()) < 2:
        assert time.monotonic() < ends
        assert begun.poll() is None
        time.sleep(0.02)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait(30)
    before = kept()
    steps: list[Step] = []
    again = small_frontier.asked(Executor(2, tmp_path, steps.append))
    assert text(again) == uninterrupted()
    after = kept()
    assert before.items() <= after.items()
    assert len(after) > len(before)
    assert sum(step.name == "what was found before" for step in steps) >= 2


def test_waves_hold_every_point_once_and_put_each_between_two_that_are_solved() -> None:
    assert thirds(1) == [[0]]
    assert thirds(10) == [[0, 9], [3, 6], [1, 2, 4, 5, 7, 8]]
    for count in range(1, 40):
        waves = thirds(count)
        assert sorted(position for wave in waves for position in wave) == list(range(count))


def test_shares_are_spread_evenly_and_readable() -> None:
    assert shares_between(0.93214, 0.100009, 4) == [0.9322, 0.6548, 0.3774, 0.100009]
    assert shares_between(0.3, 0.4, 10) == [0.4]
    assert shares_between(1.0, 0.0, 2) == [1.0, 0.0]
    assert shares_between(0.3, 0.2999, 10) == [0.3, 0.2999]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"cap": "nothing"}, "no cap 'nothing'"),
        ({"cap": []}, "name of a cap"),
        ({"shares": [1.2]}, "between 0 and 1"),
        ({"shares": []}, "none"),
        ({"points": 0}, "one point"),
        ({"against": "money"}, "'shortage'"),
        ({"against": "budget:fund"}, "no budget 'fund'"),
        ({"levels": [1.0]}, "against what"),
        ({"against": "shortage", "levels": [-1.0]}, "at least 0"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        frontier(hand_solved(), **{"cap": "china", **asked})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("DIVERSIFY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "140")
    return lambda *args: CliRunner().invoke(command, [str(each) for each in args])


def test_the_command_answers_in_json_and_on_a_page_from_what_it_kept(run: Callable[..., Result], tmp_path: Path) -> None:
    case = dv.save(hand_solved(), tmp_path / "case.json")
    asked = ("frontier", case, "--cap", "china", "--shares", "0.7,0.4", "--gap", 0, "--workers", 1)
    answer = json.loads(run(*asked, "--json").output)
    assert {"cap", "points", "uncapped", "least", "cap_cost_musd", "against", "grid"} <= set(answer)
    assert (answer["cap"], answer["caps"]) == ("china", ["china"])
    named = {"share", "reached", "objective_musd", "bound_musd", "gap", "stopped", "musd_per_point", "projects"}
    assert all(named <= set(point) for point in answer["points"])
    assert answer["points"][1]["objective_musd"] == pytest.approx(least_by_hand(0.4), rel=1e-6)
    result = run(*asked, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "At a share of 40 % the cap china costs 2.96 million USD" in result.output
    assert sorted(file.stem for file in (tmp_path / "out").glob("*.csv")) == sorted(LAYOUT)


def test_the_command_refuses_what_is_no_list_of_numbers(run: Callable[..., Result]) -> None:
    result = run("frontier", "any", "--cap", "china", "--shares", "a lot")
    assert result.exit_code == 2
