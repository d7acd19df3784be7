"""Shares are neither diluted by a circle of re-exports nor dodged through a third country; a real process there is another matter."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from cases import Row, Rows, cost_musd, instance, solved

import diversify as dv

SHORTAGE = 1000
"""USD per t not delivered; far above any cost of supply."""


def _lane(origin: str, destination: str, commodity: str, cost: float = 0.0) -> dict[str, object]:
    return {"origin": origin, "destination": destination, "commodity": commodity, "cost_usd_per_t": cost}


def _case(
    basis: str,
    *,
    lanes: Sequence[Row] = (),
    plants: Sequence[Row] = (),
    demand: Sequence[Row] = (),
    more: dict[str, Rows] | None = None,
) -> dv.Instance:
    """Osaka wants 100 t of magnets: cheap ones from Baotou (China), 40 t at most from home, and at most 30 % may hit China."""
    cap = {"cap": "china", "year": 2030, "share": 0.3, "commodity": "magnet", "consumers": "JPN", "sources": "CHN", "basis": basis}
    tables: dict[str, Rows] = {
        "commodities": [{"commodity": "magnet"}, {"commodity": "loose"}],
        "processes": [
            {"process": "making", "reference": "magnet"},
            {"process": "baking", "reference": "loose"},
            {"process": "packing", "reference": "magnet"},
        ],
        "recipes": [
            {"process": "making", "commodity": "magnet", "amount_t_per_t": 1},
            {"process": "baking", "commodity": "loose", "amount_t_per_t": 1},
            {"process": "packing", "commodity": "loose", "amount_t_per_t": -1},
            {"process": "packing", "commodity": "magnet", "amount_t_per_t": 1},
        ],
        "countries": [{"country": "CHN"}, {"country": "JPN"}, {"country": "VNM"}],
        "locations": [
            {"location": "Baotou", "country": "CHN"},
            {"location": "Osaka", "country": "JPN"},
            {"location": "Hanoi", "country": "VNM"},
        ],
        "facilities": [
            {"facility": "cheap", "location": "Baotou", "process": "making", "capacity_t_per_year": 1000, "variable_usd_per_t": 10},
            {"facility": "home", "location": "Osaka", "process": "making", "capacity_t_per_year": 40, "variable_usd_per_t": 90},
            *plants,
        ],
        "demand": [
            {"location": "Osaka", "commodity": "magnet", "quantity_t_per_year": 100, "shortage_usd_per_t": SHORTAGE},
            *demand,
        ],
        "lanes": [_lane("Baotou", "Osaka", "magnet", 5), *lanes],
        "caps": [cap],
        **(more or {}),
    }
    return instance(tables)


# x <= 0.3 (x + 40): 120/7 t from China beside the 40 t of home, the rest short.
CHINA_T = 120.0 / 7.0
HONEST_MUSD = (40 * 90 + CHINA_T * 15 + (60 - CHINA_T) * SHORTAGE) / 1e6

RING = [_lane(a, b, "magnet") for a in ("Baotou", "Hanoi", "Osaka") for b in ("Baotou", "Hanoi", "Osaka") if (a, b) != ("Baotou", "Osaka")]


@pytest.mark.parametrize("basis", ["produced", "owned", "traced"])
def test_the_cap_holds_back_the_cheap_source(basis: str) -> None:
    assert cost_musd(_case(basis)) == pytest.approx(HONEST_MUSD, rel=1e-9)


@pytest.mark.parametrize("basis", ["produced", "owned", "traced"])
def test_a_circle_of_reexports_gains_nothing(basis: str) -> None:
    assert cost_musd(_case(basis, lanes=RING)) == pytest.approx(HONEST_MUSD, rel=1e-9)


@pytest.mark.parametrize("basis", ["produced", "owned", "traced"])
def test_transit_through_a_third_country_that_takes_in_the_same_goods_gains_nothing(basis: str) -> None:
    """Hanoi has a demand and a stock of its own, so that goods do arrive there; they cannot leave again."""
    demand: Rows = [{"location": "Hanoi", "commodity": "magnet", "quantity_t_per_year": 7, "shortage_usd_per_t": SHORTAGE}]
    stock: Rows = [{"location": place, "commodity": "magnet"} for place in ("Hanoi", "Osaka")]
    case = _case(basis, lanes=RING, demand=demand, more={"stockpiles": stock})
    assert cost_musd(case) == pytest.approx(HONEST_MUSD + 7 * 10 / 1e6, rel=1e-9)


def _packed_in_hanoi(basis: str, owner: str = "VNM") -> dv.Instance:
    """China bakes loose magnets, Hanoi only packs them, at 1 USD per t."""
    plants: Rows = [
        {"facility": "oven", "location": "Baotou", "process": "baking", "capacity_t_per_year": 1000, "variable_usd_per_t": 10},
        {"facility": "packer", "location": "Hanoi", "process": "packing", "owner": owner, "capacity_t_per_year": 1000}
        | {"variable_usd_per_t": 1},
    ]
    return _case(basis, lanes=[_lane("Baotou", "Hanoi", "loose"), _lane("Hanoi", "Osaka", "magnet", 5)], plants=plants)


def test_packing_in_a_third_country_moves_the_last_step_there_but_not_the_pro_rata_origin() -> None:
    """30 t come straight from China at 15 USD, all else over Hanoi at 16: nothing is short, and all of it is Chinese pro rata."""
    plan = solved(_packed_in_hanoi("produced"))
    assert plan.shortages.empty
    assert plan.objective_musd == pytest.approx((30 * 15 + 70 * 16) / 1e6, rel=1e-9)
    assert plan.shares["share"].tolist() == pytest.approx([0.3])
    assert plan.shares["pro_rata_share"].tolist() == pytest.approx([1.0])


@pytest.mark.parametrize(("basis", "owner"), [("traced", "VNM"), ("traced", "CHN"), ("owned", "CHN")])
def test_packing_changes_neither_traced_origin_nor_ownership(basis: str, owner: str) -> None:
    assert cost_musd(_packed_in_hanoi(basis, owner)) == pytest.approx(HONEST_MUSD, rel=1e-9)


def test_packing_by_an_independent_owner_escapes_the_owned_basis() -> None:
    assert cost_musd(_packed_in_hanoi("owned", "VNM")) == pytest.approx((30 * 15 + 70 * 16) / 1e6, rel=1e-9)


def test_what_home_makes_is_an_arrival_of_home() -> None:
    """The 40 t that Osaka makes for itself are in the measure of the cap, though they travel nowhere."""
    arrivals = solved(_case("traced")).flows.groupby("origin")["quantity_t_per_year"].sum()
    assert arrivals.to_dict() == pytest.approx({"Baotou": CHINA_T, "Osaka": 40.0})
