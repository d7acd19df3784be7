"""Several cases as one: what they share is held once, what they disagree on is refused, and the whole costs the sum of its parts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import HAND_SOLVED_MUSD, hand_solved, solved
from click.testing import CliRunner

import diversify as dv
from diversify.cli import command
from diversify.errors import InstanceError, UsageError
from diversify.instance import to_json

NAMES = ("ore", "magnet", "mining", "making", "pit", "ridge", "works", "ridge-1", "china", "hand-solved")


def again(**changes: str) -> dv.Instance:
    """Return the hand-solved case a second time under other names of its own, places and countries being the same; and texts replaced."""
    text = to_json(hand_solved())
    for name in NAMES:
        text = text.replace(f'"{name}"', f'"second {name}"' if name != "hand-solved" else '"second"')
    for old, new in changes.items():
        text = text.replace(old, new)
    document = json.loads(text)
    return dv.Instance.from_tables(document["instance"], document["tables"])


def test_the_whole_costs_the_sum_of_parts_that_share_nothing_that_binds() -> None:
    whole = dv.join([hand_solved(), again()], "whole", "Both")
    assert (whole.name, whole.meta["title"]) == ("whole", "Both")
    assert len(whole.table("locations")) == 3
    plan = solved(whole)
    assert plan.objective_musd == pytest.approx(2 * HAND_SOLVED_MUSD)
    assert plan.shares["share"].tolist() == pytest.approx([1.0, 0.8, 0.4] * 2)


def test_a_budget_over_both_binds_them_together() -> None:
    """Six units cost 6 million; with 4 for both, two of 2033 fall away and 50 t are short in one of the cases."""
    whole = dv.join([hand_solved(), again()], "whole")
    poorer = whole.replace(budgets=[{"budget": "shared", "payer": "USA", "limit_musd": 4}])
    plan = solved(poorer)
    assert plan.builds["capex_musd"].sum() <= 4
    assert plan.objective_musd > 2 * HAND_SOLVED_MUSD


def test_words_may_differ_and_the_first_are_kept() -> None:
    second = again()
    places = second.table("locations").assign(name="elsewhere", note="other words", source="S", quality="assumed")
    whole = dv.join([hand_solved(), second.replace(locations=places)], "whole")
    assert whole.table("locations")["name"].isna().all()


def test_every_disagreement_is_told_at_once() -> None:
    second = again().replace(
        years=[2030, 2031],
        countries=[{"country": "CHN", "wacc": 0.1}, {"country": "USA", "wacc": 0.4}, {"country": "JPN"}],
        groups=[{"group": "partners", "country": "USA"}],
    )
    first = hand_solved().replace(groups=[{"group": "partners", "country": "USA"}, {"group": "partners", "country": "JPN"}])
    with pytest.raises(InstanceError) as caught:
        dv.join([first, second], "whole")
    told = [(problem.table, problem.column, problem.code) for problem in caught.value.problems]
    assert told == [
        ("instance", "years", "join_conflict"),
        ("groups", "group", "join_conflict"),
        ("countries", "wacc", "join_conflict"),
        ("countries", "wacc", "join_conflict"),
    ]
    assert "has 0.1 for 'CHN', hand-solved has a blank" in caught.value.problems[2].message


def test_a_group_may_grow_by_countries_that_a_case_does_not_know() -> None:
    first = hand_solved().replace(groups=[{"group": "partners", "country": "USA"}])
    second = again()
    second = second.replace(
        countries=[*({"country": code} for code in ("CHN", "JPN", "AUS")), {"country": "USA", "wacc": 0.5}],
        groups=[{"group": "partners", "country": "USA"}, {"group": "partners", "country": "AUS"}],
    )
    assert set(dv.join([first, second], "whole").table("groups")["country"]) == {"USA", "AUS"}


def test_scenarios_and_their_families_are_left_out() -> None:
    growth = {"family": "growth", "kind": "demand", "country": "*", "commodity": "*", "first_low": 2031, "first_high": 2031}
    one = hand_solved().replace(
        reveal_year=2031,
        scenarios=[{"scenario": "free"}],
        changes=[{"scenario": "free", "change": "-caps[]"}],
        families=[{**growth, "low": 1, "high": 2}],
    )
    whole = dv.join([one, again().replace(reveal_year=2031)], "whole")
    assert not {"scenarios", "changes", "families"} & set(whole.tables)


def test_one_case_is_not_joined() -> None:
    with pytest.raises(UsageError, match="two cases"):
        dv.join([hand_solved()], "whole")


def test_the_command_writes_the_whole_and_leaves_rows_to_a_chain(tmp_path: Path) -> None:
    first, second = dv.load("trilateral-magnets"), dv.save(again(), tmp_path / "second.json")
    years = again().replace(years=list(first.years), discount_rate=0.06, currency="USD 2024", reveal_year=2028)
    years = years.replace(countries=[{"country": code, "wacc": wacc} for code, wacc in (("CHN", 0.0664), ("USA", 0.0607), ("JPN", 0.0665))])
    second = dv.save(years, tmp_path / "matching.json")
    out = tmp_path / "both"
    result = CliRunner().invoke(
        command, ["join", "trilateral-magnets", str(second), "--out", str(out), "--chain", "rare-earth-magnets", "--json"]
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["instance"] == "both"
    whole = dv.load(out)
    assert len(whole.table("recipes")) == len(first.table("recipes")) + 3
    own = (out / "recipes.csv").read_text(encoding="utf-8").splitlines()
    assert len(own) == 1 + 2 + 3  # the flagship's own two, the other case's three
    assert "chains: [rare-earth-magnets]" in (out / "instance.yaml").read_text(encoding="utf-8")
    refused = CliRunner().invoke(command, ["join", "trilateral-magnets", str(second), "--out", str(out), "--json"])
    assert refused.exit_code == 2
