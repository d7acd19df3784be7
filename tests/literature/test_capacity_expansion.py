"""Capacity expansion: whole plants, a cost common to all that are built in one year, discounting.

S. P. Bradley, A. C. Hax, T. L. Magnanti, Applied Mathematical Programming, Addison-Wesley 1977, chapter 11, "Optimal capacity
expansion": a power company needs eight nuclear plants within six years (1, 2, 4, 6, 7 and 8 by the end of 1981 to 1986), builds at
most three a year, pays 5.4, 5.6, 5.8, 5.7, 5.5 or 5.2 million dollars for each, and another 1.5 million in every year in which it
builds at all. The data are the book's; the optima below are not copied from it but found by listing all plans.

Mapping, exact: a project for each year, of up to three units, that can come on line only then and has the common cost as its
first-unit cost. A life that ends with the horizon makes each annuity pay for the whole plant inside it. An annuity is paid at the
end of a year of service, the engine counts it at the year's own discount factor: the objective is (1 + rate) x the present value.
"""

from __future__ import annotations

from itertools import product

import pytest

from .case import PUBLISHED, objective_musd, rows, solved

YEARS = range(1981, 1987)
NEEDED = (1, 2, 4, 6, 7, 8)
COST = (5.4, 5.6, 5.8, 5.7, 5.5, 5.2)
COMMON_COST = 1.5
MOST_IN_A_YEAR = 3


def present_value(builds: tuple[int, ...], rate: float) -> float:
    """Return the cost in 1981 of building so many plants in each year, in million dollars."""
    paid = [COMMON_COST * (number > 0) + cost * number for number, cost in zip(builds, COST, strict=True)]
    return sum(amount / (1 + rate) ** t for t, amount in enumerate(paid))


def least_cost(rate: float) -> float:
    """Return the least present value over all 4096 plans."""
    plans = product(range(MOST_IN_A_YEAR + 1), repeat=len(YEARS))
    return min(present_value(plan, rate) for plan in plans if all(sum(plan[: t + 1]) >= NEEDED[t] for t in range(len(YEARS))))


@pytest.mark.parametrize(("rate", "optimum"), [(0.0, 48.5), (0.15, 37.766368)])
def test_eight_power_plants_are_built_at_least_cost(rate: float, optimum: float) -> None:
    """Without discounting it pays to build early and together; at 15 % a year it pays to wait."""
    tables = {
        "commodities": rows("commodity", [["power"]]),
        "processes": rows("process reference", [["generate", "power"]]),
        "recipes": rows("process commodity amount_t_per_t", [["generate", "power", 1.0]]),
        "countries": rows("country", [["USA"]]),
        "locations": rows("location country", [["region", "USA"]]),
        "facilities": rows("facility location process", [["nuclear", "region", "generate"]]),
        "projects": rows(
            "project facility unit_t_per_year units_max capex_unit_musd capex_first_musd earliest_year latest_year life_years",
            [
                [f"plants of {year}", "nuclear", 1.0, MOST_IN_A_YEAR, COST[t], COMMON_COST, year, year, len(YEARS) - t]
                for t, year in enumerate(YEARS)
            ],
        ),
        "demand": rows(
            "location commodity year quantity_t_per_year",
            [["region", "power", year, number] for year, number in zip(YEARS, NEEDED, strict=True)],
        ),
    }

    plan = solved("capacity-expansion", YEARS, tables, discount_rate=rate)

    assert least_cost(rate) == pytest.approx(optimum, rel=PUBLISHED)
    assert objective_musd(plan) == pytest.approx((1 + rate) * least_cost(rate), rel=PUBLISHED)
