"""Several periods with stocks, prices that change, and blending as joint production.

H. P. Williams, Model Building in Mathematical Programming, 5th edition, Wiley 2013, problem 12.1 "Food manufacture 1" (pages 253-254,
discussed on 296-298, solution on 349-350). Published: a profit of 107,843 pounds over six months (107,842.59).

Mapping, exact: months are planning years, without discounting; a pound is a dollar. Raw oils come from abroad, where they cost
nothing to make, under a duty of 100 % of a price that the table of prices gives by month. At the refinery they can be stored. A
refining line is a facility with a mode for each oil. A tonne refined gives a tonne of food and, as by-products, the points by which
its hardness is below the upper limit and above the lower one (or takes points where it is not): points made >= points taken says
that the food keeps to the limits; what is left over is disposed of free. Food is sold at once. An oil is never bought beyond what
fits in its store and its line in one month, which is the capacity of its source.
"""

from __future__ import annotations

import pandas as pd
import pytest

from .case import PUBLISHED, objective_musd, rows, solved
from .statement import Statement, total

OPTIMUM = 107_842.592592593
"""To the penny as published; the further digits are the second formulation's."""
MONTHS = range(2001, 2007)
OILS = ("VEG 1", "VEG 2", "OIL 1", "OIL 2", "OIL 3")
PRICES = (
    (110, 120, 130, 110, 115),
    (130, 130, 110, 90, 115),
    (110, 140, 130, 100, 95),
    (120, 110, 120, 120, 125),
    (100, 120, 150, 110, 105),
    (90, 100, 140, 80, 135),
)
HARDNESS = dict(zip(OILS, (8.8, 6.1, 2.0, 4.2, 5.0), strict=True))
SOFTEST, HARDEST = 3.0, 6.0
LINES = {"vegetable line": (200, OILS[:2]), "non-vegetable line": (250, OILS[2:])}
STORE, STORAGE_COST, STOCK = 1000, 5, 500
FOOD_PRICE = 150


def greatest_profit() -> float:
    """Return the optimum by the book's model: bought, used and stored of each oil in each month."""
    statement = Statement()
    bought = [{oil: statement.variable(price) for oil, price in zip(OILS, prices, strict=True)} for prices in PRICES]
    used = [{oil: statement.variable(-FOOD_PRICE) for oil in OILS} for _ in MONTHS]
    stored = [{oil: statement.variable(STORAGE_COST, upper=STORE) for oil in OILS} for _ in MONTHS]
    for t in range(len(MONTHS)):
        for oil in OILS:
            change = {bought[t][oil]: 1.0, used[t][oil]: -1.0, stored[t][oil]: -1.0}
            if t == 0:
                statement.equal(change, -STOCK)
            else:
                statement.equal({stored[t - 1][oil]: 1.0, **change})
        for capacity, oils in LINES.values():
            statement.row(total(used[t][oil] for oil in oils), high=capacity)
        statement.row({used[t][oil]: HARDNESS[oil] - HARDEST for oil in OILS}, high=0.0)
        statement.row({used[t][oil]: HARDNESS[oil] - SOFTEST for oil in OILS}, low=0.0)
    for oil in OILS:
        statement.equal({stored[-1][oil]: 1.0}, STOCK)
    return -statement.minimum()


def test_the_second_formulation_agrees_with_the_book() -> None:
    """Data and figure belong together."""
    assert greatest_profit() == pytest.approx(OPTIMUM, rel=PUBLISHED)


def food_tables() -> dict[str, pd.DataFrame]:
    """Return the problem in the instance format."""
    points = {oil: {"softness": HARDEST - hardness, "hardness": hardness - SOFTEST} for oil, hardness in HARDNESS.items()}
    refining = {oil: {oil: -1.0, "food": 1.0, **points[oil]} for oil in OILS}
    limit = {oil: capacity for capacity, oils in LINES.values() for oil in oils}
    return {
        "commodities": rows("commodity", [[oil] for oil in OILS] + [["food"], ["softness"], ["hardness"]]),
        "prices": rows(
            "commodity year price_usd_per_t",
            [[oil, month, PRICES[t][number]] for number, oil in enumerate(OILS) for t, month in enumerate(MONTHS)],
        ),
        "processes": rows("process reference", [[f"{verb} {oil}", oil] for oil in OILS for verb in ("press", "refine")]),
        "recipes": rows(
            "process commodity amount_t_per_t",
            [[f"press {oil}", oil, 1.0] for oil in OILS]
            + [[f"refine {oil}", name, amount] for oil, amounts in refining.items() for name, amount in amounts.items()],
        ),
        "countries": rows("country", [["GBR"], ["NLD"]]),
        "locations": rows("location country", [["refinery", "GBR"], ["abroad", "NLD"]]),
        "facilities": rows(
            "facility location process capacity_t_per_year",
            [[f"press of {oil}", "abroad", f"press {oil}", STORE + limit[oil]] for oil in OILS]
            + [[line, "refinery", f"refine {oils[0]}", capacity] for line, (capacity, oils) in LINES.items()],
        ),
        "modes": rows("facility process", [[line, f"refine {oil}"] for line, (_, oils) in LINES.items() for oil in oils[1:]]),
        "lanes": rows("origin destination commodity", [["abroad", "refinery", oil] for oil in OILS]),
        "tariffs": rows("tariff origin destination commodity rate", [["price of raw oil", "NLD", "GBR", "*", 1.0]]),
        "stockpiles": rows(
            "location commodity initial_t capacity_t holding_usd_per_t_year",
            [["refinery", oil, STOCK, STORE, STORAGE_COST] for oil in OILS],
        ),
        "markets": rows("location commodity price_usd_per_t", [["refinery", "food", FOOD_PRICE]]),
    }


def test_six_months_of_food_earn_107843_pounds() -> None:
    """The stock that must be left is the initial one by default. The book's stocks end at 500 exactly: no plan gains by leaving more."""
    plan = solved("food-manufacture", MONTHS, food_tables())

    assert -objective_musd(plan) * 1e6 == pytest.approx(OPTIMUM, rel=PUBLISHED)
