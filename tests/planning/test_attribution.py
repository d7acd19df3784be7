"""What is reported beside the model, on cases worked out by hand."""

from __future__ import annotations

import pytest
from cases import Rows, instance, solved

import diversify as dv

OSAKA_AND_MINES: dict[str, Rows] = {
    "countries": [{"country": "CHN"}, {"country": "USA"}, {"country": "JPN"}],
    "locations": [
        {"location": "Baotou", "country": "CHN"},
        {"location": "Denver", "country": "USA"},
        {"location": "Osaka", "country": "JPN"},
    ],
}


def _plant(name: str, place: str, process: str, capacity: float) -> dict[str, object]:
    return {"facility": name, "location": place, "process": process, "capacity_t_per_year": capacity}


def _cap() -> Rows:
    """A cap that never binds: it only asks for the shares."""
    return [{"cap": "china", "year": 2030, "share": 1, "commodity": "magnet", "consumers": "JPN", "sources": "CHN", "basis": "traced"}]


def _stock_case(origin: str | None) -> dv.Instance:
    """Osaka makes a magnet of a tonne of ore; Denver mines 25 t/yr, all of them needed over two years beside 15 t of the first stock.

    2030: 10 t are used; 15 of Denver's 25 t go into stock, where 15 t lay before: half of the 30 t is of each kind.
    2031: 40 t are used, Denver's 25 and 15 of the 30 t: 7.5 t of the first stock's kind, 7.5 / 40 = 18.75 %. 15 t must remain.
    """
    return instance(
        OSAKA_AND_MINES
        | {
            "commodities": [{"commodity": "ore"}, {"commodity": "magnet"}],
            "processes": [{"process": "mining", "reference": "ore"}, {"process": "making", "reference": "magnet"}],
            "recipes": [
                {"process": "mining", "commodity": "ore", "amount_t_per_t": 1},
                {"process": "making", "commodity": "ore", "amount_t_per_t": -1},
                {"process": "making", "commodity": "magnet", "amount_t_per_t": 1},
            ],
            "facilities": [_plant("ridge", "Denver", "mining", 25), _plant("works", "Osaka", "making", 100)],
            "lanes": [{"origin": "Denver", "destination": "Osaka", "commodity": "ore"}],
            "stockpiles": [{"location": "Osaka", "commodity": "ore", "initial_t": 15, "origin": origin}],
            "demand": [
                {"location": "Osaka", "commodity": "magnet", "year": year, "quantity_t_per_year": quantity}
                for year, quantity in ((2030, 10), (2031, 40))
            ],
            "caps": _cap(),
        },
        years=(2030, 2031),
    )


def test_a_stock_gives_the_average_of_what_lies_in_it() -> None:
    shares = solved(_stock_case("CHN")).shares.set_index("year")
    assert shares["pro_rata_share"].to_dict() == pytest.approx({2030: 0.0, 2031: 0.1875})
    assert shares["unknown_t"].to_dict() == pytest.approx({2030: 0.0, 2031: 0.0})


def test_tonnes_of_a_stock_without_origin_are_counted_as_unknown() -> None:
    shares = solved(_stock_case(None)).shares.set_index("year")
    assert shares["unknown_t"].to_dict() == pytest.approx({2030: 0.0, 2031: 7.5})
    assert shares["pro_rata_share"].to_dict() == pytest.approx({2030: 0.0, 2031: 0.0})


def test_a_recycling_loop_settles_at_its_fixed_point() -> None:
    """100 t of magnets of 0.7 t of ore and 0.3 t of scrap each leave 0.2 t of scrap; 10 t of old scrap of unknown origin come back.

    Half of the 70 t of ore is Chinese. With r the Chinese share of a magnet and s that of the 30 t of scrap,
    r = 0.7 x 0.5 + 0.3 s and s = 20 r / 30, so r = 0.35 / 0.8 = 0.4375; the unknown u = 0.3 (20 u + 10) / 30 gives u = 0.125.
    Batches kept apart, the 35 t of clean ore make 50 t of clean magnets (with 15 of the 20 t of clean scrap): the traced share is
    a half, and not more, though calling clean tonnes Chinese would cost nothing.
    """
    recipes: dict[str, dict[str, float]] = {"mining": {"ore": 1}, "making": {"ore": -0.7, "scrap": -0.3, "magnet": 1, "scrap out": 0.2}}
    case = instance(
        OSAKA_AND_MINES
        | {
            "commodities": [{"commodity": name} for name in ("ore", "magnet", "scrap", "scrap out")],
            "processes": [
                {"process": "mining", "reference": "ore"},
                {"process": "making", "reference": "magnet"},
                {"process": "sorting", "reference": "scrap"},
            ],
            "recipes": [
                {"process": process, "commodity": commodity, "amount_t_per_t": amount}
                for process, recipe in (recipes | {"sorting": {"scrap out": -1, "scrap": 1}}).items()
                for commodity, amount in recipe.items()
            ],
            "facilities": [
                _plant("pit", "Baotou", "mining", 35),
                _plant("ridge", "Denver", "mining", 35),
                _plant("works", "Osaka", "making", 100),
                _plant("sorter", "Osaka", "sorting", 20),
            ],
            "lanes": [{"origin": origin, "destination": "Osaka", "commodity": "ore"} for origin in ("Baotou", "Denver")],
            "returns": [
                {"commodity": "magnet", "location": "*", "scrap": "scrap", "lag_years": 5, "scrap_t_per_t": 0.1, "past_t_per_year": 100},
            ],
            "demand": [{"location": "Osaka", "commodity": "magnet", "quantity_t_per_year": 100}],
            "caps": _cap(),
        }
    )
    shares = solved(case).shares
    assert shares["pro_rata_share"].tolist() == pytest.approx([0.4375])
    assert shares["unknown_t"].tolist() == pytest.approx([12.5])
    assert shares["share"].tolist() == pytest.approx([0.5])


def test_concentration_is_the_sum_of_squared_shares(hand_solved_plan: dv.Plan) -> None:
    """Ore comes to Japan from China alone, then 80 to 20, then 40 to 60."""
    ore = hand_solved_plan.concentration.query("commodity == 'ore' and consumers == 'JPN'")
    assert ore.set_index(["year", "country"])["share"].to_dict() == pytest.approx(
        {(2030, "CHN"): 1.0, (2031, "CHN"): 0.8, (2031, "USA"): 0.2, (2033, "CHN"): 0.4, (2033, "USA"): 0.6}
    )
    assert ore.groupby("year")["hhi"].first().to_dict() == pytest.approx({2030: 1.0, 2031: 0.68, 2033: 0.52})


def test_a_plants_cost_follows_its_products_by_value_and_freight_falls_where_it_leads() -> None:
    """A mine in Denver makes a tonne of each of two metals at 40 USD together; one is worth 300 USD and goes to Japan, the other 100.

    100 t: 4,000 USD, three quarters of them Japan's; Japan's freight of 5 USD per t is its own. China's idle plant stays in China.
    """
    case = instance(
        OSAKA_AND_MINES
        | {
            "commodities": [{"commodity": "dear", "price_usd_per_t": 300}, {"commodity": "cheap", "price_usd_per_t": 100}],
            "processes": [{"process": "mining", "reference": "dear"}],
            "recipes": [{"process": "mining", "commodity": name, "amount_t_per_t": 1} for name in ("dear", "cheap")],
            "facilities": [
                _plant("ridge", "Denver", "mining", 100) | {"variable_usd_per_t": 40},
                _plant("pit", "Baotou", "mining", 10) | {"fixed_usd_per_t_year": 7, "variable_usd_per_t": 1000},
            ],
            "lanes": [
                {"origin": "Denver", "destination": "Osaka", "commodity": "dear", "cost_usd_per_t": 5},
                {"origin": "Denver", "destination": "Baotou", "commodity": "cheap"},
            ],
            "demand": [
                {"location": "Osaka", "commodity": "dear", "quantity_t_per_year": 100},
                {"location": "Baotou", "commodity": "cheap", "quantity_t_per_year": 100},
            ],
        }
    )
    plan = solved(case)
    usd = plan.consumer_costs.set_index("country")["musd"] * 1e6
    assert usd.to_dict() == pytest.approx({"JPN": 3000 + 500, "CHN": 1000 + 70})
    paid = plan.costs.groupby("country")["musd"].sum() * 1e6
    assert paid.to_dict() == pytest.approx({"USA": 4000, "JPN": 500, "CHN": 70})


def test_the_cost_of_a_stock_is_borne_when_it_is_drawn() -> None:
    """60 t are mined at 10 USD in 2030, 30 of them stored at 2 USD; in 2031, when the mine is shut, the 30 t are drawn.

    2030: 300 USD move into the stock with 60 of holding, 300 stay with what was delivered; 2031 bears 360.
    """
    case = instance(
        OSAKA_AND_MINES
        | {
            "commodities": [{"commodity": "ore"}],
            "processes": [{"process": "mining", "reference": "ore"}],
            "recipes": [{"process": "mining", "commodity": "ore", "amount_t_per_t": 1}],
            "facilities": [_plant("mine", "Osaka", "mining", 60) | {"variable_usd_per_t": 10, "last_year": 2030}],
            "stockpiles": [{"location": "Osaka", "commodity": "ore", "holding_usd_per_t_year": 2}],
            "demand": [{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 30}],
        },
        years=(2030, 2031),
    )
    plan = solved(case)
    assert plan.objective_musd == pytest.approx(660e-6)
    assert (plan.consumer_costs.set_index("year")["musd"] * 1e6).to_dict() == pytest.approx({2030: 300.0, 2031: 360.0})
