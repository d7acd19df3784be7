"""When to trade in: a sequence of units of different lives that covers the horizon.

W. L. Winston, Operations Research: Applications and Algorithms, 4th edition, 2004, section on shortest-path problems, the example
"Equipment replacement": a car costs 12,000 whenever it is bought; keeping it costs 2,000, 4,000, 5,000, 9,000 and 12,000 in its
first to fifth year; it is traded in for 7,000, 6,000, 2,000, 1,000 or nothing after one to five years. Published: least net cost
over five years 31,000.

Mapping, exact: driving is a demand of one unit a year. For each number of years that a car can be kept there is a project of one
unit of that life, whose capital cost is price + upkeep - trade-in. It may come on line no later than so that it ends with the
horizon, because a car still owned then would be charged only its years inside. Without discounting its annuities add up to its cost.
"""

from __future__ import annotations

import pytest

from .case import PUBLISHED, objective_musd, rows, solved

PRICE = 12_000
UPKEEP = (2_000, 4_000, 5_000, 9_000, 12_000)
TRADE_IN = (7_000, 6_000, 2_000, 1_000, 0)
OPTIMUM = 31_000
YEARS = range(2001, 2006)


def net_cost(kept: int) -> int:
    """Return the cost of a car that is kept so many years."""
    return PRICE + sum(UPKEEP[:kept]) - TRADE_IN[kept - 1]


def least_cost() -> int:
    """Return the optimum by the shortest path from the first year to the end."""
    least = [0]
    for end in range(1, len(YEARS) + 1):
        least.append(min(least[start] + net_cost(end - start) for start in range(end)))
    return least[-1]


def test_the_shortest_path_agrees_with_the_book() -> None:
    """Data and figure belong together."""
    assert least_cost() == OPTIMUM


def test_winstons_car_costs_31000_over_five_years() -> None:
    """Several sequences cost the least, so only the cost is compared."""
    tables = {
        "commodities": rows("commodity", [["driving"]]),
        "processes": rows("process reference", [["drive", "driving"]]),
        "recipes": rows("process commodity amount_t_per_t", [["drive", "driving", 1.0]]),
        "countries": rows("country", [["USA"]]),
        "locations": rows("location country", [["home", "USA"]]),
        "facilities": rows("facility location process", [["garage", "home", "drive"]]),
        "projects": rows(
            "project facility unit_t_per_year units_max capex_unit_musd latest_year life_years",
            [[f"keep {kept}", "garage", 1.0, len(YEARS), net_cost(kept) / 1e6, YEARS[-1] + 1 - kept, kept] for kept in range(1, 6)],
        ),
        "demand": rows("location commodity year quantity_t_per_year", [["home", "driving", None, 1.0]]),
    }

    plan = solved("equipment-replacement", YEARS, tables)

    assert objective_musd(plan) * 1e6 == pytest.approx(OPTIMUM, rel=PUBLISHED)
