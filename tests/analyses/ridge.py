"""A case worked by hand, on which plans, scenarios and ranges can be counted out.

Osaka wants 100 t of ore in 2030 and in 2031. The port sells any quantity at 3,000 USD per t. Units of 50 t/yr can be built at the
ridge, which then yields ore at 100 USD per t: 0.1 million USD a unit and 0.02 for the first one, over two years at no interest, so half
of it in each planning year of service. With k units a year in service costs

    0.05 k + 0.01 + min(d, 50 k) 100 / 1e6 + max(d - 50 k, 0) 3,000 / 1e6 million USD (the 0.01 if k > 0),

and a year before them d 3,000 / 1e6. Two units are best for d = 100, three for 150, one for 50.
"""

from __future__ import annotations

from typing import Any

from cases import Row, Rows, instance

import diversify as dv

CHANGES = {
    "high": ["demand[].quantity_t_per_year=x1.5"],
    "low": ["demand[].quantity_t_per_year=x0.5"],
    "slow": ["projects[].earliest_year=2031"],
    "never": ["projects[].latest_year=2029"],
    "overrun": ["projects[].capex_unit_musd=x1.5", "projects[].capex_first_musd=x1.5"],
    "as-planned": ["demand[].quantity_t_per_year=x1"],
}


def ridge_case(**more: Rows) -> dv.Instance:
    """Return the case of the module's text, with scenarios; ``more`` are further tables."""
    capital: Row = {"capex_unit_musd": 0.1, "capex_first_musd": 0.02, "life_years": 2}
    tables: dict[str, Rows] = {
        "commodities": [{"commodity": "ore"}],
        "processes": [{"process": "mining", "reference": "ore"}],
        "recipes": [{"process": "mining", "commodity": "ore", "amount_t_per_t": 1}],
        "countries": [{"country": "USA"}, {"country": "JPN"}],
        "locations": [{"location": "Osaka", "country": "JPN"}, *({"location": name, "country": "USA"} for name in ("port", "ridge"))],
        "facilities": [
            {"facility": "port", "location": "port", "process": "mining", "capacity_t_per_year": 1000, "variable_usd_per_t": 3000},
            {"facility": "ridge", "location": "ridge", "process": "mining", "variable_usd_per_t": 100, "quality": "cited"},
        ],
        "projects": [{"project": "ridge", "facility": "ridge", "unit_t_per_year": 50, "units_max": 3, "quality": "derived"} | capital],
        "lanes": [{"origin": name, "destination": "Osaka", "commodity": "ore", "cost_usd_per_t": 0} for name in ("port", "ridge")],
        "demand": [{"location": "Osaka", "commodity": "ore", "quantity_t_per_year": 100, "quality": "assumed", "source": "a guess"}],
        "scenarios": [{"scenario": name} for name in CHANGES],
        "changes": [{"scenario": name, "change": change} for name, changes in CHANGES.items() for change in changes],
    }
    return instance(tables | more, years=(2030, 2031), name="ridge")


def cost(units: int, *, wanted: float = 100, served: int = 2, capital: float = 1.0, port: float = 3000) -> float:
    """Return by hand what so many units cost (million USD), in service for the last ``served`` of the two years."""
    annuities = capital * (0.05 * units + (0.01 if units else 0.0))
    year = annuities + (min(wanted, 50 * units) * 100 + max(wanted - 50 * units, 0) * port) / 1e6
    return served * year + (2 - served) * wanted * port / 1e6


def least(**given: Any) -> float:
    """Return the least cost over all numbers of units."""
    return min(cost(units, **given) for units in range(4))


IN_SCENARIO: dict[str, dict[str, float]] = {
    "base": {},
    "high": {"wanted": 150},
    "low": {"wanted": 50},
    "slow": {"served": 1},
    "never": {"served": 0},
    "overrun": {"capital": 1.5},
    "as-planned": {},
}
"""What the scenarios change in ``cost``."""
