"""Joint production over several stages: distilling, reforming, cracking, blending.

H. P. Williams, Model Building in Mathematical Programming, 5th edition, Wiley 2013, problem 12.6 "Refinery optimisation".
Published: a profit of 211,365 pounds a day (211,365.13), from 15,000 barrels of crude 1 and all 30,000 of crude 2.

Mapping, exact: a barrel is a tonne, a pound a dollar, the day the one planning year, and all stands at one place. Distilling,
reforming and cracking are facilities whose capacity is what they take in; each feed is a mode. A blend is a process for each
component. Limits on the blend are by-products: a barrel of a component gives the points by which it is better than the limit, or
takes the points by which it is worse, so that points made >= points taken says that the blend keeps to it. In the same way each
barrel of premium petrol allows 1/0.4 of a barrel of regular. What is left over is disposed of free, where the book has equations;
the second formulation shows that this changes nothing. The blender's capacity is that of distilling, which gives less than it takes.
"""

from __future__ import annotations

from math import inf

import pandas as pd
import pytest

from .case import PUBLISHED, objective_musd, rows, solved
from .statement import Statement

OPTIMUM = 211_365.134768933
"""To the penny as published; the further digits are the second formulation's."""
CRUDE = {"crude 1": 20_000, "crude 2": 30_000}
DISTILLING = 45_000
CUTS = ("light naphtha", "medium naphtha", "heavy naphtha", "light oil", "heavy oil", "residuum")
DISTILLED = {
    "crude 1": dict(zip(CUTS, (0.10, 0.20, 0.20, 0.12, 0.20, 0.13), strict=True)),
    "crude 2": dict(zip(CUTS, (0.15, 0.25, 0.18, 0.08, 0.19, 0.12), strict=True)),
}
REFORMING = 10_000
REFORMED = {"light naphtha": 0.60, "medium naphtha": 0.52, "heavy naphtha": 0.45}
CRACKING = 8_000
CRACKED = {"light oil": {"cracked oil": 0.68, "cracked gasoline": 0.28}, "heavy oil": {"cracked oil": 0.75, "cracked gasoline": 0.20}}
RESIDUUM_PER_LUBE_OIL = 2.0
LUBE_OIL = (500, 1_000)
OCTANE = {"light naphtha": 90, "medium naphtha": 80, "heavy naphtha": 70, "reformed gasoline": 115, "cracked gasoline": 105}
OCTANE_AT_LEAST = {"premium": 94, "regular": 84}
PREMIUM_PER_REGULAR = 0.4
VAPOUR_PRESSURE = {"light oil": 1.0, "heavy oil": 0.6, "cracked oil": 1.5, "residuum": 0.05}
VAPOUR_PRESSURE_AT_MOST = 1.0
FUEL_OIL = {"light oil": 10 / 18, "cracked oil": 4 / 18, "heavy oil": 3 / 18, "residuum": 1 / 18}
PROFIT = {"premium": 7.0, "regular": 6.0, "jet fuel": 4.0, "fuel oil": 3.5, "lube oil": 1.5}
INTERMEDIATES = (*CUTS, "reformed gasoline", "cracked oil", "cracked gasoline")


def greatest_profit(free_disposal: bool) -> float:
    """Return the optimum by the book's model: one balance for each intermediate, one row for each limit."""
    statement = Statement()
    balance: dict[str, dict[int, float]] = {name: {} for name in INTERMEDIATES}
    crude = {name: statement.variable(upper=most) for name, most in CRUDE.items()}
    for name, yields in DISTILLED.items():
        for product, amount in yields.items():
            balance[product][crude[name]] = amount
    reformed = {feed: statement.variable() for feed in REFORMED}
    for feed, amount in REFORMED.items():
        balance[feed][reformed[feed]] = -1.0
        balance["reformed gasoline"][reformed[feed]] = amount
    cracked = {feed: statement.variable() for feed in CRACKED}
    for feed, yields in CRACKED.items():
        balance[feed][cracked[feed]] = -1.0
        for product, amount in yields.items():
            balance[product][cracked[feed]] = amount
    petrol = {(grade, component): statement.variable(-PROFIT[grade]) for grade in OCTANE_AT_LEAST for component in OCTANE}
    for (_, component), variable in petrol.items():
        balance[component][variable] = -1.0
    jet = {component: statement.variable(-PROFIT["jet fuel"]) for component in VAPOUR_PRESSURE}
    for component, variable in jet.items():
        balance[component][variable] = -1.0
    fuel_oil = statement.variable(-PROFIT["fuel oil"])
    for component, amount in FUEL_OIL.items():
        balance[component][fuel_oil] = -amount
    lube_oil = statement.variable(-PROFIT["lube oil"])
    balance["residuum"][lube_oil] = -RESIDUUM_PER_LUBE_OIL

    for terms in balance.values():
        statement.row(terms, low=0.0, high=inf if free_disposal else 0.0)
    statement.row(dict.fromkeys(crude.values(), 1.0), high=DISTILLING)
    statement.row(dict.fromkeys(reformed.values(), 1.0), high=REFORMING)
    statement.row(dict.fromkeys(cracked.values(), 1.0), high=CRACKING)
    statement.row({lube_oil: 1.0}, *LUBE_OIL)
    for grade, least in OCTANE_AT_LEAST.items():
        statement.row({petrol[grade, component]: octane - least for component, octane in OCTANE.items()}, low=0.0)
    ratio = {"premium": 1.0, "regular": -PREMIUM_PER_REGULAR}
    statement.row({variable: ratio[grade] for (grade, _), variable in petrol.items()}, low=0.0)
    statement.row({jet[component]: VAPOUR_PRESSURE_AT_MOST - pressure for component, pressure in VAPOUR_PRESSURE.items()}, low=0.0)
    return -statement.minimum()


@pytest.mark.parametrize("free_disposal", [False, True])
def test_the_second_formulation_agrees_with_the_book(free_disposal: bool) -> None:
    """Data and figure belong together, whether intermediates must be used up or not."""
    assert greatest_profit(free_disposal) == pytest.approx(OPTIMUM, rel=PUBLISHED)


def recipes() -> dict[str, tuple[str, dict[str, float]]]:
    """Return reference and amounts of every process, by name."""
    processes: dict[str, tuple[str, dict[str, float]]] = {f"buy {name}": (name, {name: 1.0}) for name in CRUDE}
    for name, yields in DISTILLED.items():
        processes[f"distil {name}"] = (name, {name: -1.0, **yields})
    for feed, amount in REFORMED.items():
        processes[f"reform {feed}"] = (feed, {feed: -1.0, "reformed gasoline": amount})
    for feed, yields in CRACKED.items():
        processes[f"crack {feed}"] = (feed, {feed: -1.0, **yields})
    allowance = {"premium": 1.0, "regular": -PREMIUM_PER_REGULAR}
    for grade, least in OCTANE_AT_LEAST.items():
        for component, octane in OCTANE.items():
            amounts = {component: -1.0, grade: 1.0, f"octane of {grade}": octane - least, "allowance of regular": allowance[grade]}
            processes[f"blend {component} into {grade}"] = (grade, amounts)
    for component, pressure in VAPOUR_PRESSURE.items():
        amounts = {component: -1.0, "jet fuel": 1.0, "pressure below the limit": VAPOUR_PRESSURE_AT_MOST - pressure}
        processes[f"blend {component} into jet fuel"] = ("jet fuel", {name: amount for name, amount in amounts.items() if amount})
    processes["blend fuel oil"] = ("fuel oil", {"fuel oil": 1.0, **{name: -amount for name, amount in FUEL_OIL.items()}})
    processes["make lube oil"] = ("lube oil", {"lube oil": 1.0, "residuum": -RESIDUUM_PER_LUBE_OIL})
    return processes


def refinery_tables() -> dict[str, pd.DataFrame]:
    """Return the refinery in the instance format."""
    processes = recipes()
    commodities = dict.fromkeys(name for _, amounts in processes.values() for name in amounts)
    units = {
        "distilling": (DISTILLING, [f"distil {name}" for name in CRUDE]),
        "reforming": (REFORMING, [f"reform {feed}" for feed in REFORMED]),
        "cracking": (CRACKING, [f"crack {feed}" for feed in CRACKED]),
        "blending": (DISTILLING, [name for name in processes if name.startswith("blend ")]),
    }
    facilities = [[f"supply of {name}", "refinery", f"buy {name}", most, 0.0] for name, most in CRUDE.items()]
    facilities += [[unit, "refinery", names[0], capacity, 0.0] for unit, (capacity, names) in units.items()]
    facilities += [["lube oil plant", "refinery", "make lube oil", LUBE_OIL[1], LUBE_OIL[0] / LUBE_OIL[1]]]
    return {
        "commodities": rows("commodity", [[name] for name in commodities]),
        "processes": rows("process reference", [[name, reference] for name, (reference, _) in processes.items()]),
        "recipes": rows(
            "process commodity amount_t_per_t",
            [[name, commodity, amount] for name, (_, amounts) in processes.items() for commodity, amount in amounts.items()],
        ),
        "countries": rows("country", [["GBR"]]),
        "locations": rows("location country", [["refinery", "GBR"]]),
        "facilities": rows("facility location process capacity_t_per_year utilisation_min", facilities),
        "modes": rows("facility process", [[unit, name] for unit, (_, names) in units.items() for name in names[1:]]),
        "markets": rows("location commodity price_usd_per_t", [["refinery", name, profit] for name, profit in PROFIT.items()]),
    }


def test_the_refinery_earns_211365_pounds_a_day() -> None:
    """The intake of crude is the book's as well."""
    plan = solved("refinery", [2013], refinery_tables())

    assert -objective_musd(plan) * 1e6 == pytest.approx(OPTIMUM, rel=PUBLISHED)
    activity = plan.tables["activity"].set_index("process")["activity_t_per_year"]
    assert activity["distil crude 1"] == pytest.approx(15_000)
    assert activity["distil crude 2"] == pytest.approx(30_000)
