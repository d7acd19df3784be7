"""The rows of security as they read, and what they mean for v_missed and v_spell."""

from __future__ import annotations

from typing import Any

import pytest
from cases import Rows, instance
from printed import lines, printed, terms

import diversify as dv
from diversify.errors import UsageError
from diversify.planning.security import Security, add_security


def case(reveal: int | None = 2031) -> dv.Instance:
    """Osaka and Kobe (JPN) and Busan (KOR) want magnets: 100, 60 and 40 t a year, each with a price of shortage; Busan's ore has none."""
    wanted = (("Osaka", "magnet", 100), ("Kobe", "magnet", 60), ("Busan", "magnet", 40), ("Busan", "ore", 10))
    places = {"Osaka": "JPN", "Kobe": "JPN", "Busan": "KOR"}
    tables: dict[str, Rows] = {
        "commodities": [{"commodity": "magnet"}, {"commodity": "ore"}],
        "processes": [{"process": "making", "reference": "magnet"}, {"process": "mining", "reference": "ore"}],
        "recipes": [
            {"process": "making", "commodity": "magnet", "amount_t_per_t": 1},
            {"process": "mining", "commodity": "ore", "amount_t_per_t": 1},
        ],
        "countries": [{"country": "JPN"}, {"country": "KOR"}],
        "groups": [{"group": "both", "country": "JPN"}, {"group": "both", "country": "KOR"}],
        "locations": [{"location": name, "country": country} for name, country in places.items()],
        "facilities": [
            {"facility": "works", "location": "Osaka", "process": "making", "capacity_t_per_year": 500},
            {"facility": "pit", "location": "Busan", "process": "mining", "capacity_t_per_year": 500},
        ],
        "lanes": [{"origin": "Osaka", "destination": name, "commodity": "magnet"} for name in ("Kobe", "Busan")],
        "demand": [
            {"location": place, "commodity": name, "quantity_t_per_year": size} | ({"shortage_usd_per_t": 9} if name == "magnet" else {})
            for place, name, size in wanted
        ],
    }
    made = instance(tables, years=(2030, 2031, 2033))
    return made if reveal is None else made.replace(reveal_year=reveal)


def secured(share: float, years: float = 0.0, consumers: tuple[str, ...] = ("JPN", "both"), **more: Any) -> Any:
    """Return the case's model with the rows of security."""
    model = dv.build_model(case(more.pop("reveal", 2031)))
    add_security(model, Security.of(case(), None, consumers, share, years), **more)
    return model


def test_shortage_is_pooled_and_stays_within_a_share_of_demand_but_in_a_spell() -> None:
    """160 t in Japan, a quarter: 40 t; the other three quarters, 120 t, are let go in a year of the spell."""
    model = secured(0.25, years=2.0)
    assert printed(model.c_security["JPN", "magnet", 2031]) == lines(
        """
        -1 v_missed[JPN,magnet,2031]
        1 v_short[Kobe,magnet,2031]
        1 v_short[Osaka,magnet,2031]
        -120 v_spell[JPN,magnet,2031]
        <= 40
        """
    )
    assert printed(model.c_security["both", "magnet", 2033]) == lines(
        """
        -1 v_missed[both,magnet,2033]
        1 v_short[Busan,magnet,2033]
        1 v_short[Kobe,magnet,2033]
        1 v_short[Osaka,magnet,2033]
        -150 v_spell[both,magnet,2033]
        <= 50
        """
    )


def test_a_spell_lasts_for_calendar_years() -> None:
    """2031 stands for two years, and so does 2033, which repeats that gap."""
    model = secured(0.25, years=3.0)
    assert printed(model.c_spell["JPN", "magnet"]) == lines(
        """
        2 v_spell[JPN,magnet,2031]
        2 v_spell[JPN,magnet,2033]
        <= 3
        """
    )
    assert all(model.v_spell[key].is_binary() for key in model.v_spell)


def test_rows_begin_with_the_reveal_year_and_leave_out_what_must_be_met_anyway() -> None:
    assert set(secured(0.0).c_security) == {(who, "magnet", year) for who in ("JPN", "both") for year in (2031, 2033)}
    assert {key[2] for key in secured(0.0, reveal=None).c_security} == {2030, 2031, 2033}
    assert set(secured(0.0, consumers=("KOR",)).c_security) == {("KOR", "magnet", 2031), ("KOR", "magnet", 2033)}


def test_nothing_is_missed_and_there_is_no_spell_unless_it_is_let() -> None:
    model = secured(0.25)
    assert model.component("c_spell") is None
    assert {model.v_spell[key].ub for key in model.v_spell} == {0.0}
    assert {model.v_missed[key].ub for key in model.v_missed} == {0.0}
    assert model.o_cost.active


def test_a_search_for_what_is_missed_minimises_parts_of_demand() -> None:
    model = secured(0.25, missed=True, consumers=("JPN",))
    assert not model.o_cost.active
    coefficients, _ = terms(model.o_missed.expr)
    assert coefficients == {f"v_missed[JPN,magnet,{year}]": pytest.approx(1 / 160) for year in (2031, 2033)}
    assert {model.v_missed[key].ub for key in model.v_missed} == {None}


def test_security_as_arguments_of_a_task_and_back() -> None:
    security = Security.of(case(), ["magnet"], ["JPN", "*"], 0.1, 1.5)
    assert Security.from_dict(security.as_dict()) == security


@pytest.mark.parametrize(("commodities", "consumers"), [(["iron"], ["*"]), (["magnet"], ["CHN"]), ([], ["*"]), (["magnet"], [])])
def test_unknown_names_are_refused(commodities: list[str], consumers: list[str]) -> None:
    with pytest.raises(UsageError):
        Security.of(case(), commodities, consumers, 0.0, 0.0)
