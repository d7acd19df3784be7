"""Two-stage problems: what is decided before yields or demands are known is common to all scenarios.

The farmer: J. R. Birge, F. Louveaux, Introduction to Stochastic Programming, 2nd edition, Springer 2011, section 1.1. Published: a profit
of 108,390 dollars on average, with 170, 80 and 250 acres of wheat, corn and beets; knowing the yields is worth 7,016, and to plan for all
of them rather than for their mean 1,150.

Mapping, exact: the field of a crop is a facility without capacity whose process takes land and gives the crop; to plant is a continuous
project of an acre each that is decided in the first year and grows in the second, when yields are known; all that is planted is grown.
Corn and wheat are fed as demand and bought from sources. Beets beyond the quota become a commodity of its own.

SIZES3: S. Jorjani, C. H. Scott, D. L. Woodruff, Optimal selection of subsets of sizes for production, International Journal of
Production Research 37 (1999) 3697-3710, made a problem of two stages (A. Løkketangen, D. L. Woodruff, Journal of Heuristics 2 (1996)
111-128). The data are those of the problem's files for three scenarios; the optimum is that of the second formulation.

Mapping, exact: a size is a commodity; that it is made at all in a period is a project of one unit that lives this period and costs the
set-up. Every piece takes a unit of machine time, of which there is only so much. To cut a size down is to deliver it as a substitute at
extra cost, what is left of the first period a stock without holding cost.

Other problems of the library of stochastic integer programs are out of the format's reach: assigning whole clients to servers
(server location) or tasks to resources (dynamic capacity acquisition and assignment) asks for 0-1 decisions after the reveal that are
no units of capacity, and network design for flows of several hops.
"""

from __future__ import annotations

from functools import cache

import pytest

import diversify as dv
from diversify.analyses.stochastic import stochastic

from .case import PUBLISHED, rows
from .statement import Statement, total

YEARS = (2001, 2002)
YIELDS = {"wheat": 2.5, "corn": 3.0, "beets": 20.0}
PLANTING = {"wheat": 150.0, "corn": 230.0, "beets": 260.0}
PRICE = {"wheat": 170.0, "corn": 150.0, "beets": 36.0, "surplus beets": 10.0}
BOUGHT_AT = {"wheat": 238.0, "corn": 210.0}
FED = {"wheat": 200.0, "corn": 240.0}
ACRES, QUOTA = 500.0, 6000.0
WEATHER = {"bad": 0.8, "average": 1.0, "good": 1.2}
PROFIT, WORTH_OF_KNOWING, WORTH_OF_PLANNING = 108_390.0, 7_016.0, 1_150.0


@cache
def farmer() -> dv.Instance:
    """Return the farmer's problem in the instance format: a tonne is a tonne or an acre, a dollar a dollar."""
    processes = {"let": {"land": 1.0}} | {f"grow {crop}": {"land": -1.0, crop: amount} for crop, amount in YIELDS.items()}
    processes |= {f"buy {crop}": {crop: 1.0} for crop in FED} | {"go beyond the quota": {"beets": -1.0, "surplus beets": 1.0}}
    facilities: list[list[object]] = [["fields", "farm", "let", ACRES, 0.0, 0.0]]
    facilities += [["surplus", "farm", "go beyond the quota", 1e5, 0.0, 0.0]]
    facilities += [[f"trade in {crop}", "farm", f"buy {crop}", 1e4, 0.0, price] for crop, price in BOUGHT_AT.items()]
    facilities += [[f"{crop} field", "farm", f"grow {crop}", 0.0, 1.0, 0.0] for crop in YIELDS]
    tables = {
        "commodities": rows("commodity", [["land"], *([name] for name in PRICE)]),
        "processes": rows("process reference", [[name, next(iter(amounts))] for name, amounts in processes.items()]),
        "recipes": rows(
            "process commodity amount_t_per_t",
            [[name, commodity, amount] for name, amounts in processes.items() for commodity, amount in amounts.items()],
        ),
        "countries": rows("country", [["USA"]]),
        "locations": rows("location country", [["farm", "USA"]]),
        "facilities": rows("facility location process capacity_t_per_year utilisation_min variable_usd_per_t", facilities),
        "projects": rows(
            "project facility max_t_per_year capex_usd_per_t_year lead_years life_years",
            [[f"plant {crop}", f"{crop} field", ACRES, cost, 1.0, 1] for crop, cost in PLANTING.items()],
        ),
        "demand": rows(
            "location commodity year quantity_t_per_year",
            [["farm", crop, year, amount * (year == YEARS[1])] for crop, amount in FED.items() for year in YEARS],
        ),
        "markets": rows(
            "location commodity price_usd_per_t limit_t_per_year",
            [["farm", name, price, QUOTA if name == "beets" else None] for name, price in PRICE.items()],
        ),
        "scenarios": rows("scenario probability", [[name, 1 / 3] for name in WEATHER]),
        "changes": rows(
            "scenario change",
            [
                [name, f"recipes[process=grow {crop},commodity={crop}].amount_t_per_t=x{factor}"]
                for name, factor in WEATHER.items()
                if factor != 1.0
                for crop in YIELDS
            ],
        ),
    }
    meta = {"format": 1, "name": "farmer", "years": list(YEARS), "discount_rate": 0.0, "reveal_year": YEARS[1]}
    return dv.Instance.from_tables(meta, tables)


def least_cost(weight: float = 0.0, level: float = 0.95) -> float:
    """Return the optimum by the book's model, or with the conditional value at risk of Rockafellar and Uryasev."""
    statement = Statement()
    planted = {crop: statement.variable((1 - weight) * cost) for crop, cost in PLANTING.items()}
    statement.row(total(planted.values()), high=ACRES)
    at_risk = {statement.variable(weight): 1.0, statement.variable(-weight): -1.0}
    for factor in WEATHER.values():
        share = (1 - weight) / len(WEATHER)
        bought = {crop: statement.variable(share * price) for crop, price in BOUGHT_AT.items()}
        sold = {name: statement.variable(-share * price, upper=QUOTA if name == "beets" else float("inf")) for name, price in PRICE.items()}
        for crop, amount in YIELDS.items():
            balance = {planted[crop]: factor * amount, sold[crop]: -1.0}
            balance |= {bought[crop]: 1.0} if crop in bought else {sold["surplus beets"]: -1.0}
            statement.row(balance, low=FED.get(crop, 0.0))
        cost = {planted[crop]: price for crop, price in PLANTING.items()} | {bought[crop]: price for crop, price in BOUGHT_AT.items()}
        cost |= {sold[name]: -price for name, price in PRICE.items()}
        over = {statement.variable(weight / len(WEATHER) / (1 - level)): -1.0} if level < 1.0 else {}
        statement.row({**cost, **{variable: -sign for variable, sign in at_risk.items()}, **over}, high=0.0)
    return statement.minimum()


def test_the_second_formulation_agrees_with_the_book() -> None:
    """Data and figure belong together."""
    assert -least_cost() == pytest.approx(PROFIT, rel=PUBLISHED)


def test_the_farmer_earns_108390_and_would_pay_7016_to_know() -> None:
    """The acres and the worths are the book's as well."""
    answer = stochastic(farmer(), method="extensive", gap=0)

    assert answer.summary["stopped"] == "optimal"
    assert -answer.summary["objective_musd"] * 1e6 == pytest.approx(PROFIT, rel=PUBLISHED)
    assert answer.summary["evpi_musd"] * 1e6 == pytest.approx(WORTH_OF_KNOWING, abs=0.5)
    assert answer.summary["vss_musd"] * 1e6 == pytest.approx(WORTH_OF_PLANNING, abs=0.5)
    acres = answer.decisions[answer.decisions["plan"] == "all scenarios"].set_index("project")["units"]
    assert acres.to_dict() == pytest.approx({"plant wheat": 170.0, "plant corn": 80.0, "plant beets": 250.0})


@pytest.mark.parametrize(
    ("method", "weight", "level"),
    [
        pytest.param("decomposed", 0.0, 0.95, marks=pytest.mark.slow),
        ("decomposed", 0.5, 0.5),
        pytest.param("extensive", 1.0, 0.6, marks=pytest.mark.slow),
        pytest.param("decomposed", 1.0, 1.0, marks=pytest.mark.slow),
    ],
)
def test_a_careful_farmer_plants_as_the_second_formulation_says(method: str, weight: float, level: float) -> None:
    """Nothing is lost to units here, so that the decomposition closes its gap."""
    answer = stochastic(farmer(), method=method, gap=1e-7, cvar_weight=weight, cvar_level=level, value=False)

    assert answer.summary["stopped"] == "optimal"
    assert answer.summary["objective_musd"] * 1e6 == pytest.approx(least_cost(weight, level), rel=PUBLISHED)
    assert answer.summary["bound_musd"] * 1e6 == pytest.approx(least_cost(weight, level), rel=PUBLISHED)


SIZES = range(1, 11)
DEMAND = dict(zip(SIZES, (2500, 7500, 12500, 10000, 35000, 25000, 15000, 12500, 12500, 5000), strict=True))
MAKING = {size: round(0.748 + 0.0104 * (size - 1), 4) for size in SIZES}
SET_UP, CUTTING, MACHINE = 453.0, 0.008, 200_000.0
DEMAND_LATER = {"low": 0.7, "same": 1.0, "high": 1.3}
SIZES3 = 224_275.333333


def sizes() -> dv.Instance:
    """Return SIZES3 in the instance format."""
    names = {size: f"size {size}" for size in SIZES}
    tables = {
        "commodities": rows("commodity", [["machine time"], *([name] for name in names.values())]),
        "processes": rows("process reference", [["run", "machine time"], *([f"make {name}", name] for name in names.values())]),
        "recipes": rows(
            "process commodity amount_t_per_t",
            [["run", "machine time", 1.0]]
            + [row for name in names.values() for row in ([f"make {name}", name, 1.0], [f"make {name}", "machine time", -1.0])],
        ),
        "countries": rows("country", [["USA"]]),
        "locations": rows("location country", [["works", "USA"]]),
        "facilities": rows(
            "facility location process capacity_t_per_year variable_usd_per_t",
            [["machine", "works", "run", MACHINE, 0.0], *([name, "works", f"make {name}", 0.0, MAKING[s]] for s, name in names.items())],
        ),
        "projects": rows(
            "project facility unit_t_per_year units_max capex_unit_musd earliest_year latest_year life_years",
            [[f"{name} in {year}", name, MACHINE, 1, SET_UP / 1e6, year, year, 1] for name in names.values() for year in YEARS],
        ),
        "demand": rows(
            "location commodity year quantity_t_per_year",
            [["works", names[size], year, amount] for size, amount in DEMAND.items() for year in YEARS],
        ),
        "substitutes": rows(
            "commodity substitute extra_usd_per_t",
            [[names[size], names[longer], CUTTING] for size in SIZES for longer in SIZES if longer > size],
        ),
        "stockpiles": rows("location commodity", [["works", name] for name in names.values()]),
        "scenarios": rows("scenario probability", [[name, 1 / 3] for name in DEMAND_LATER]),
        "changes": rows(
            "scenario change",
            [[name, f"demand[year={YEARS[1]}].quantity_t_per_year=x{factor}"] for name, factor in DEMAND_LATER.items() if factor != 1.0],
        ),
    }
    meta = {"format": 1, "name": "sizes", "years": list(YEARS), "discount_rate": 0.0, "reveal_year": YEARS[1]}
    return dv.Instance.from_tables(meta, tables)


def least_cost_of_sizes() -> float:
    """Return the optimum by the usual model; no set-up makes more than all that its size can serve."""
    statement = Statement()
    first = _period(statement, 1.0, 1.0, 1.0 + max(DEMAND_LATER.values()))
    for size in SIZES:
        statement.row(_left(*first, size), low=0.0)
    for factor in DEMAND_LATER.values():
        later = _period(statement, factor, 1 / len(DEMAND_LATER), factor)
        for size in SIZES:
            statement.row({**_left(*first, size), **_left(*later, size)}, low=0.0)
    return statement.minimum()


def _period(statement: Statement, factor: float, weight: float, most: float) -> tuple[dict[int, int], dict[tuple[int, int], int]]:
    """State a period, its cost at a weight; return what is made by size, and what of a size is cut to another."""
    made = {size: statement.variable(weight * cost) for size, cost in MAKING.items()}
    statement.row(total(made.values()), high=MACHINE)
    cut = {(size, to): statement.variable(weight * CUTTING * (size != to)) for size in SIZES for to in SIZES if to <= size}
    for size in SIZES:
        served = sum(DEMAND[to] for to in SIZES if to <= size)
        statement.row({made[size]: 1.0, statement.switch(weight * SET_UP): -min(MACHINE, most * served)}, high=0.0)
        statement.equal(total(variable for (_, to), variable in cut.items() if to == size), factor * DEMAND[size])
    return made, cut


def _left(made: dict[int, int], cut: dict[tuple[int, int], int], size: int) -> dict[int, float]:
    return {made[size]: 1.0, **total((variable for (of, _), variable in cut.items() if of == size), -1.0)}


@pytest.mark.slow
def test_sizes_to_make_before_demand_is_known() -> None:
    """Set-ups of both periods are whole units: those of the second are decided by scenario."""
    answer = stochastic(sizes(), method="extensive", gap=1e-6, time_limit=600, value=False)

    assert least_cost_of_sizes() == pytest.approx(SIZES3, rel=PUBLISHED)
    assert answer.summary["stopped"] == "optimal"
    assert answer.summary["objective_musd"] * 1e6 == pytest.approx(SIZES3, rel=2e-6)
    assert answer.summary["bound_musd"] * 1e6 <= SIZES3 * (1 + PUBLISHED)
