"""A small case that uses every constraint, with figures that are easy to check by eye.

Years 2026, 2027 and 2029 stand for 1, 2 and 2 years. At 25 % D is 1, 0.8 + 0.64 = 1.44 and 0.512 + 0.4096 = 0.9216. The annuity
factor of the United States (50 %, four years) is 0.5 / (1 - 1.5^-4) = 81/130.
"""

from __future__ import annotations

from cases import Rows, instance

import diversify as dv

YEARS = (2026, 2027, 2029)


def all_features() -> dv.Instance:
    """Return the case."""
    return instance({**_chain(), **_places(), **_plants(), **_trade(), **_demand(), **_policy()}, YEARS, 0.25, "all-features")


def _chain() -> dict[str, Rows]:
    recipes: dict[str, dict[str, float]] = {
        "mining": {"ore": 1},
        "making": {"ore": -2, "magnet": 1, "swarf": 0.1},
        "recasting": {"ore": -0.5, "swarf": -1, "magnet": 1},
        "pressing": {"ferrite": 1},
    }
    reference = {"mining": "ore", "making": "magnet", "recasting": "magnet", "pressing": "ferrite"}
    return {
        "commodities": [
            {"commodity": "ore", "price_usd_per_t": 100, "disposal_usd_per_t": 6},
            {"commodity": "magnet", "price_usd_per_t": 1000},
            {"commodity": "swarf"},
            {"commodity": "ferrite", "traced": False},
        ],
        "processes": [{"process": name, "reference": reference[name]} for name in recipes],
        "recipes": [
            {"process": process, "commodity": commodity, "amount_t_per_t": amount}
            for process, recipe in recipes.items()
            for commodity, amount in recipe.items()
        ],
    }


def _places() -> dict[str, Rows]:
    return {
        "countries": [{"country": "CHN"}, {"country": "USA", "wacc": 0.5}, {"country": "JPN"}],
        "groups": [{"group": "china", "country": "CHN"}],
        "locations": [
            {"location": "Baotou", "country": "CHN"},
            {"location": "Denver", "country": "USA"},
            {"location": "Osaka", "country": "JPN"},
        ],
        "distances": [
            {"origin": "Baotou", "destination": "Osaka", "km": 1000},
            {"origin": "Osaka", "destination": "Denver", "km": 9000},
            {"origin": "Baotou", "destination": "Denver", "km": 9500},
        ],
    }


def _plants() -> dict[str, Rows]:
    return {
        "facilities": [
            {"facility": "pit", "location": "Baotou", "process": "mining", "closable": True}
            | {"variable_usd_per_t": 10, "fixed_usd_per_t_year": 5, "reserve_t": 300},
            {"facility": "ridge", "location": "Denver", "process": "mining", "variable_usd_per_t": 20},
            {"facility": "works", "location": "Osaka", "process": "making", "capacity_t_per_year": 40, "utilisation_max": 0.75}
            | {"utilisation_min": 0.1, "variable_usd_per_t": 100},
            {"facility": "press", "location": "Osaka", "process": "pressing", "capacity_t_per_year": 10, "variable_usd_per_t": 50},
        ],
        "capacities": [
            {"facility": "pit", "year": 2020, "capacity_t_per_year": 100},
            {"facility": "pit", "year": 2028, "capacity_t_per_year": 80},
        ],
        "outages": [
            {"outage": "strike", "facility": "pit", "first_year": 2028, "available": 0.8},
            {"outage": "flood", "facility": "pit", "first_year": 2029, "last_year": 2029, "available": 0.75},
            {"outage": "repair", "facility": "works", "first_year": 2029, "last_year": 2029, "available": 0.5},
            {"outage": "fire", "facility": "press", "first_year": 2027, "last_year": 2027},
        ],
        "modes": [{"facility": "works", "process": "recasting", "capacity_per_t": 0.5, "variable_usd_per_t": 60}],
        "projects": [
            {"project": "ridge-1", "facility": "ridge", "unit_t_per_year": 30, "units_max": 2, "units_min": 1, "capex_unit_musd": 3}
            | {"capex_first_musd": 1, "lead_years": 0.5, "life_years": 4, "ramp": "0.5;1", "fixed_usd_per_t_year": 2},
            {"project": "works-1", "facility": "works", "max_t_per_year": 20, "capex_usd_per_t_year": 100_000, "life_years": 10}
            | {"earliest_year": 2029, "ramp": "0.5;1"},
        ],
    }


def _trade() -> dict[str, Rows]:
    return {
        "freight": [
            {"commodity": "ore", "handling_usd_per_t": 10, "freight_usd_per_t_km": 0.01},
            {"commodity": "magnet", "handling_usd_per_t": 5},
        ],
        "lanes": [{"origin": "Denver", "destination": "Osaka", "commodity": "ore", "capacity_t_per_year": 12}],
        "contracts": [
            {"contract": "offtake", "origin": "Baotou", "destination": "Osaka", "commodity": "ore"}
            | {"first_year": 2027, "minimum_t_per_year": 13},
        ],
        "tariffs": [
            {"tariff": "duty", "origin": "china", "destination": "JPN", "commodity": "*", "rate": 0.1},
            {"tariff": "surtax", "origin": "*", "destination": "JPN", "commodity": "ore", "first_year": 2027, "rate": 0.05},
        ],
        "restrictions": [
            {"restriction": "quota", "origin": "china", "destination": "*", "commodity": "ore", "limit_t_per_year": 34},
        ],
        "markets": [{"location": "*", "commodity": "ore", "price_usd_per_t": 30, "limit_t_per_year": 2}],
    }


def _demand() -> dict[str, Rows]:
    return {
        "demand": [
            {"location": "Osaka", "commodity": "magnet", "quantity_t_per_year": 25, "shortage_usd_per_t": 5000},
            {"location": "Denver", "commodity": "magnet", "year": 2026, "quantity_t_per_year": 4, "shortage_usd_per_t": 8000},
            {"location": "Denver", "commodity": "magnet", "year": 2029, "quantity_t_per_year": 7, "shortage_usd_per_t": 8000},
        ],
        "substitutes": [
            {"commodity": "magnet", "substitute": "ferrite", "ratio_t_per_t": 2, "extra_usd_per_t": 300, "max_share": 0.08},
        ],
        "stockpiles": [
            {"location": "Osaka", "commodity": "ore", "initial_t": 8, "origin": "CHN", "capacity_t": 9, "holding_usd_per_t_year": 4}
            | {"final_min_t": 3},
        ],
        "returns": [
            {"commodity": "magnet", "location": "*", "scrap": "swarf", "lag_years": 2, "scrap_t_per_t": 0.2, "past_t_per_year": 30},
        ],
    }


def _policy() -> dict[str, Rows]:
    magnets = {"commodity": "magnet", "consumers": "JPN", "sources": "china", "basis": "traced", "excess_usd_per_t": 1000}
    return {
        "caps": [
            {"cap": "half", "year": 2027, "share": 0.8, **magnets},
            {"cap": "half", "year": 2031, "share": 0.4, **magnets},
            {"cap": "mined", "year": 2026, "share": 0.9, "commodity": "ore", "consumers": "*", "sources": "CHN"}
            | {"basis": "produced", "scope": "each"},
        ],
        "floors": [{"floor": "home", "year": 2027, "share": 0.4, "commodity": "magnet", "consumers": "USA", "makers": "JPN"}],
        "budgets": [{"budget": "grants", "payer": "USA", "last_year": 2027, "limit_musd": 4}],
    }
