"""A case in which every kind of conflict can be worked out by hand.

Osaka (JPN) must get 100 t of ore in 2030. Denver (USA) has a mine of 60 t/yr at 30 USD per t, Baotou (CHN) one of 500 t/yr at 10; lanes are
free. Whatever a test adds or changes, all figures stay small enough to be seen through.
"""

from __future__ import annotations

from cases import Row, Rows, instance

import diversify as dv

DEMAND: Row = {"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100}


def ore_case(*, years: tuple[int, ...] = (2030,), denver_t: float = 60, baotou_t: float = 500, **tables: Rows) -> dv.Instance:
    """Return the case with more tables, or with others in the place of its own."""
    mines = [("Denver", denver_t, 30), ("Baotou", baotou_t, 10)]
    own: dict[str, Rows] = {
        "commodities": [{"commodity": "ore"}],
        "processes": [{"process": "mining", "reference": "ore"}],
        "recipes": [{"process": "mining", "commodity": "ore", "amount_t_per_t": 1}],
        "countries": [{"country": name} for name in ("CHN", "JPN", "USA")],
        "locations": [{"location": place, "country": of} for place, of in (("Baotou", "CHN"), ("Denver", "USA"), ("Osaka", "JPN"))],
        "facilities": [
            {"facility": f"{place} mine", "location": place, "process": "mining", "capacity_t_per_year": size, "variable_usd_per_t": cost}
            for place, size, cost in mines
        ],
        "lanes": [{"origin": place, "destination": "Osaka", "commodity": "ore"} for place, _, _ in mines],
        "demand": [DEMAND],
    }
    return instance(own | tables, years=years, name="ore")


def cap(share: float, **more: object) -> Row:
    """Return a cap on what Osaka takes in from China."""
    return {
        "cap": "china",
        "year": 2030,
        "share": share,
        "commodity": "ore",
        "consumers": "JPN",
        "sources": "CHN",
        "basis": "produced",
        **more,
    }


def floor(share: float) -> Row:
    """Return a floor on what the United States sends out."""
    return {"floor": "home", "year": 2030, "share": share, "commodity": "ore", "consumers": "JPN", "makers": "USA"}


def ban(limit_t: float = 0.0) -> Row:
    """Return a restriction on what may go from China to Japan."""
    return {"restriction": "stop", "origin": "CHN", "destination": "JPN", "commodity": "ore", "limit_t_per_year": limit_t}


def contract(minimum_t: float, origin: str = "Denver") -> Row:
    """Return a contract to Osaka."""
    return {"contract": "k", "origin": origin, "destination": "Osaka", "commodity": "ore", "minimum_t_per_year": minimum_t}


def ridge(**more: object) -> Row:
    """Return a project of units of 30 t/yr at Denver, a million USD each, that serve for ten years."""
    own = {"project": "ridge", "facility": "Denver mine", "unit_t_per_year": 30, "units_max": 5, "capex_unit_musd": 1, "life_years": 10}
    return {**own, **more}


def budget(limit_musd: float) -> Row:
    """Return a budget of the United States."""
    return {"budget": "b", "payer": "USA", "limit_musd": limit_musd}


def pile(final_t: float, **more: object) -> Row:
    """Return a stockpile at Osaka, empty at first."""
    return {"location": "Osaka", "commodity": "ore", "final_min_t": final_t, **more}
