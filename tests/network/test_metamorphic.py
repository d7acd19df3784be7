"""What may not change the answer, and what may change it one way only, on cases drawn at random."""

from __future__ import annotations

import pandas as pd
import pytest
from cases import KNOWN_OPTIMA, cost_musd, example
from transformations import in_other_units, rebuilt, renamed, shuffled, split_in_two, with_useless_plant

import diversify as dv

SLOW = pytest.mark.slow
SAME = 1e-7
SLACK = 1e-7


def optimum(name: str) -> float:
    return KNOWN_OPTIMA[name]["objective_musd"]


def backwards(name: str) -> str:
    """A name that sorts elsewhere, with characters that names may hold."""
    return f"z, {name[::-1]} [x]"


@pytest.mark.parametrize(
    ("name", "table"),
    [("random-01", "locations"), ("random-16", "commodities"), pytest.param("random-18", "commodities", marks=SLOW)],
)
def test_names_do_not_matter(name: str, table: str) -> None:
    assert cost_musd(renamed(example(name), table, backwards)) == pytest.approx(optimum(name), rel=SAME)


@pytest.mark.parametrize("table", ["facilities", "processes", "projects"])
def test_names_of_plants_do_not_matter(table: str) -> None:
    assert cost_musd(renamed(example("random-12"), table, backwards)) == pytest.approx(optimum("random-12"), rel=SAME)


@pytest.mark.parametrize("name", ["random-16", pytest.param("random-15", marks=SLOW)])
def test_the_order_of_rows_does_not_change_one_bit_of_the_plan(name: str) -> None:
    plain, other = (dv.solve(case, gap=0) for case in (example(name), shuffled(example(name), 1)))
    for name in plain.tables:
        pd.testing.assert_frame_equal(plain.tables[name], other.tables[name], check_exact=True, obj=name)


@pytest.mark.parametrize("name", ["random-08", "random-20"])
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    assert cost_musd(shuffled(example(name), 7)) == pytest.approx(optimum(name), rel=SAME)


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("random-12", {"oxide": 1000.0}),
        ("random-16", {"magnet": 1000.0, "ore": 1e-3}),
        ("random-05", {"magnet": 1e-3, "oxide": 1000.0, "scrap": 100.0}),
    ],
)
def test_measuring_a_commodity_in_other_units_does_not_matter(name: str, factor: dict[str, float]) -> None:
    assert cost_musd(in_other_units(example(name), factor)) == pytest.approx(optimum(name), rel=SAME)


def _plants_without_projects(case: dv.Instance) -> list[str]:
    return sorted(set(case.table("facilities")["facility"]) - set(case.table("projects")["facility"]))


@pytest.mark.parametrize("name", ["random-03", pytest.param("random-15", marks=SLOW), pytest.param("random-17", marks=SLOW)])
def test_two_halves_of_a_plant_are_the_plant(name: str) -> None:
    case = example(name)
    assert cost_musd(split_in_two(case, _plants_without_projects(case)[0])) == pytest.approx(optimum(name), rel=SAME)


@pytest.mark.parametrize("name", ["random-04", pytest.param("random-18", marks=SLOW)])
def test_a_plant_that_is_too_dear_changes_nothing(name: str) -> None:
    assert cost_musd(with_useless_plant(example(name))) == pytest.approx(optimum(name), rel=SAME)


@pytest.mark.parametrize("name", ["random-02", "random-16", pytest.param("random-17", marks=SLOW)])
def test_a_tighter_cap_is_never_cheaper_and_a_looser_one_never_dearer(name: str) -> None:
    case = example(name)
    caps = case.table("caps")
    tighter = cost_musd(case.replace(caps=caps.assign(share=caps["share"] * 0.97)))
    looser = cost_musd(case.replace(caps=caps.assign(share=(caps["share"] * 1.1).clip(upper=1.0))))
    assert looser <= optimum(name) * (1 + SLACK)
    assert tighter >= optimum(name) * (1 - SLACK)
    assert tighter > looser, "the caps of this case should bind, or the test says nothing"


@pytest.mark.parametrize("name", ["random-14"])
def test_the_freedom_to_close_never_costs(name: str) -> None:
    case = example(name)
    plants = case.table("facilities")
    bound = cost_musd(case.replace(facilities=plants.assign(closable=False)))
    free = cost_musd(case.replace(facilities=plants.assign(closable=True)))
    assert free <= optimum(name) * (1 + SLACK) <= bound * (1 + 2 * SLACK)


def test_a_scenario_given_twice_is_the_same_case_twice() -> None:
    case = example("random-09")
    changes = case.table("changes")
    twin = changes[changes["scenario"] == "shock"].assign(scenario="again")
    scenarios = pd.concat([case.table("scenarios"), pd.DataFrame({"scenario": ["again"]})], ignore_index=True)
    doubled = case.replace(scenarios=scenarios, changes=pd.concat([changes, twin], ignore_index=True))
    assert cost_musd(doubled.scenario("again")) == pytest.approx(KNOWN_OPTIMA["random-09"]["scenario shock"], rel=SAME)


def test_a_demand_for_all_years_is_that_demand_in_every_year() -> None:
    case = example("random-15")
    demand = case.table("demand")
    always = demand[demand["year"].isna()]
    assert len(always) and len(case.years) > 2
    spread = pd.concat([demand[demand["year"].notna()], *(always.assign(year=year) for year in case.years)], ignore_index=True)
    assert cost_musd(case.replace(demand=spread.astype({"year": "Int64"}))) == pytest.approx(optimum("random-15"), rel=SAME)


def test_a_list_of_years_is_the_span_that_it_spells_out() -> None:
    case = example("random-15")
    assert isinstance(case.meta["years"], dict)
    listed = dv.Instance.from_tables(case.meta | {"years": list(case.years)}, case.tables)
    assert cost_musd(listed) == pytest.approx(optimum("random-15"), rel=SAME)


def test_defaults_written_out_are_the_defaults() -> None:
    case = example("random-17")

    def change(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        location = dict(frames["locations"][["location", "country"]].itertuples(index=False, name=None))
        plants = frames["facilities"]
        frames["facilities"] = plants.assign(
            owner=plants["owner"].where(plants["owner"].notna(), plants["location"].map(location)),
            utilisation_max=plants["utilisation_max"].fillna(1.0),
            closable=plants["closable"].fillna(False),
        )
        rate = case.meta["discount_rate"]
        return frames | {"countries": frames["countries"].assign(wacc=frames["countries"]["wacc"].fillna(rate))}

    assert cost_musd(rebuilt(case, change)) == pytest.approx(optimum("random-17"), rel=SAME)
