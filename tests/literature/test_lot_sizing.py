"""The dynamic lot size problem: when to run, and how much to make ahead.

H. M. Wagner, T. M. Whitin, Dynamic version of the economic lot size model, Management Science 5 (1958) 89-96: their example of
twelve months with set-up costs that change from month to month and a holding cost of 1 per unit and month. Published: 864.

Mapping, exact: months are planning years, without discounting. The works make the good from nothing and hold no capacity of their
own; a run in a month is a project of one unit that can come on line only then, lives one period and costs the set-up. Its size is
the demand from that month to the last, more than which no plan that is worth its cost makes. The stock is a stockpile at the
works, empty before the first month and free to be empty after the last.
"""

from __future__ import annotations

import pytest

from .case import PUBLISHED, objective_musd, rows, solved

SET_UP = (85, 102, 102, 101, 98, 114, 105, 86, 119, 110, 98, 114)
DEMAND = (69, 29, 36, 61, 61, 26, 34, 67, 45, 67, 79, 56)
HOLDING = 1.0
OPTIMUM = 864
MONTHS = range(2001, 2013)


def least_cost() -> float:
    """Return the optimum by Wagner and Whitin's recursion: the last run before month t starts in the best month k."""
    least = [0.0]
    for t in range(len(DEMAND)):
        least.append(min(least[k] + SET_UP[k] + sum(HOLDING * (m - k) * DEMAND[m] for m in range(k, t + 1)) for k in range(t + 1)))
    return least[-1]


def test_the_recursion_agrees_with_the_paper() -> None:
    """Data and figure belong together."""
    assert least_cost() == OPTIMUM


@pytest.mark.parametrize("tonnes_per_unit", [1.0, 1e6])
def test_wagner_and_whitins_twelve_months_cost_864(tonnes_per_unit: float) -> None:
    """The same problem in units and dollars and in millions of both: neither small nor large figures may change the answer."""
    musd_per_money = tonnes_per_unit * 1e-6
    tables = {
        "commodities": rows("commodity", [["good"]]),
        "processes": rows("process reference", [["make", "good"]]),
        "recipes": rows("process commodity amount_t_per_t", [["make", "good", 1.0]]),
        "countries": rows("country", [["USA"]]),
        "locations": rows("location country", [["works", "USA"]]),
        "facilities": rows("facility location process", [["line", "works", "make"]]),
        "projects": rows(
            "project facility unit_t_per_year units_max capex_unit_musd earliest_year latest_year life_years",
            [
                [f"run {month}", "line", sum(DEMAND[t:]) * tonnes_per_unit, 1, SET_UP[t] * musd_per_money, month, month, 1]
                for t, month in enumerate(MONTHS)
            ],
        ),
        "demand": rows(
            "location commodity year quantity_t_per_year",
            [["works", "good", month, DEMAND[t] * tonnes_per_unit] for t, month in enumerate(MONTHS)],
        ),
        "stockpiles": rows("location commodity initial_t holding_usd_per_t_year final_min_t", [["works", "good", 0.0, HOLDING, 0.0]]),
    }

    plan = solved("lot-sizing", MONTHS, tables)

    assert objective_musd(plan) / musd_per_money == pytest.approx(OPTIMUM, rel=PUBLISHED)
