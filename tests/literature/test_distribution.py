"""Two stages: factories ship to depots and to customers, depots to customers.

H. P. Williams, Model Building in Mathematical Programming, 5th edition, Wiley 2013, problem 12.19 "Distribution 1" (pages 273-275,
discussed on 330-332; published optimum: 198,500 a month) and 12.20 "Depot location (Distribution 2)" (pages 275-276 and 332-333;
published optimum: 174,000 a month, building Northampton, enlarging Birmingham and giving up Newcastle).

Mapping, exact: what has arrived at a place is never shipped on, so a depot is a process that turns bulk goods into goods ready for
the customer, a tonne of one into a tonne of the other; its throughput is the capacity of that process. A customer can be served by
a factory as well. That is said in two ways, which must agree: the factory has two modes that share its capacity (it makes bulk or
ready goods), or it makes bulk goods only and the customer takes them as a substitute, tonne for tonne at no extra cost.
Costs of transport are lanes; a month is the one planning year.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest

from .case import PUBLISHED, built, objective_musd, rows, solved
from .statement import Statement, total

FACTORIES = {"Liverpool": 150_000, "Brighton": 200_000}
DEPOTS = {"Newcastle": 70_000, "Birmingham": 50_000, "London": 100_000, "Exeter": 40_000}
CUSTOMERS = {"C1": 50_000, "C2": 10_000, "C3": 40_000, "C4": 35_000, "C5": 60_000, "C6": 20_000}
COST: dict[tuple[str, str], float] = {
    **{("Liverpool", to): cost for to, cost in {"Newcastle": 0.5, "Birmingham": 0.5, "London": 1.0, "Exeter": 0.2}.items()},
    **{("Brighton", to): cost for to, cost in {"Birmingham": 0.3, "London": 0.5, "Exeter": 0.2}.items()},
    **{("Liverpool", to): cost for to, cost in {"C1": 1.0, "C3": 1.5, "C4": 2.0, "C6": 1.0}.items()},
    ("Brighton", "C1"): 2.0,
    **{("Newcastle", to): cost for to, cost in {"C2": 1.5, "C3": 0.5, "C4": 1.5, "C6": 1.0}.items()},
    **{("Birmingham", to): cost for to, cost in {"C1": 1.0, "C2": 0.5, "C3": 0.5, "C4": 1.0, "C5": 0.5}.items()},
    **{("London", to): cost for to, cost in {"C2": 1.5, "C3": 2.0, "C5": 0.5, "C6": 1.5}.items()},
    **{("Exeter", to): cost for to, cost in {"C3": 0.2, "C4": 1.5, "C5": 0.5, "C6": 1.5}.items()},
}
DISTRIBUTION_1 = 198_500

NEW_DEPOTS = {"Bristol": 30_000, "Northampton": 25_000}
NEW_COST: dict[tuple[str, str], float] = {
    ("Liverpool", "Bristol"): 0.6,
    ("Brighton", "Bristol"): 0.4,
    ("Liverpool", "Northampton"): 0.4,
    ("Brighton", "Northampton"): 0.3,
    **{("Bristol", to): cost for to, cost in {"C1": 1.2, "C2": 0.6, "C3": 0.5, "C5": 0.3, "C6": 0.8}.items()},
    **{("Northampton", to): cost for to, cost in {"C2": 0.4, "C4": 0.5, "C5": 0.6, "C6": 0.9}.items()},
}
UPKEEP = {"Newcastle": 10_000, "Exeter": 5_000, "Bristol": 12_000, "Northampton": 4_000}
ENLARGEMENT = {"Birmingham": (20_000, 3_000)}
DISTRIBUTION_2 = 174_000


def least_cost(choose_depots: bool, most_depots: int = 6) -> float:
    """Return the optimum by a flow on the network as drawn in the book, with or without the choice of depots.

    With it, a depot that is given up saves what it costs to keep.
    """
    cost = {**COST, **NEW_COST} if choose_depots else COST
    depots = {**DEPOTS, **NEW_DEPOTS} if choose_depots else DEPOTS
    statement = Statement()
    flow = {arc: statement.variable(rate) for arc, rate in cost.items()}
    for factory, capacity in FACTORIES.items():
        statement.row(total(flow[arc] for arc in flow if arc[0] == factory), high=capacity)
    for customer, quantity in CUSTOMERS.items():
        statement.equal(total(flow[arc] for arc in flow if arc[1] == customer), quantity)
    kept = {depot: statement.switch(rate) for depot, rate in UPKEEP.items()} if choose_depots else {}
    enlarged = {depot: statement.switch(rate) for depot, (_, rate) in ENLARGEMENT.items()} if choose_depots else {}
    statement.row(total(kept.values()), high=most_depots - 2)
    for depot, throughput in depots.items():
        arrivals = total(flow[arc] for arc in flow if arc[1] == depot)
        statement.equal({**arrivals, **total((flow[arc] for arc in flow if arc[0] == depot), -1.0)})
        if depot in kept:
            statement.row({**arrivals, kept[depot]: -throughput}, high=0)
        elif depot in enlarged:
            statement.row({**arrivals, enlarged[depot]: -ENLARGEMENT[depot][0]}, high=throughput)
        else:
            statement.row(arrivals, high=throughput)
    saved = UPKEEP["Newcastle"] + UPKEEP["Exeter"] if choose_depots else 0
    return statement.minimum() - saved


def test_the_second_formulation_agrees_with_the_book() -> None:
    """Data and figures belong together."""
    assert least_cost(choose_depots=False) == pytest.approx(DISTRIBUTION_1, rel=PUBLISHED)
    assert least_cost(choose_depots=True, most_depots=4) == pytest.approx(DISTRIBUTION_2, rel=PUBLISHED)


def test_the_limit_of_four_depots_may_be_left_out() -> None:
    """The book allows four depots at most, which the instance format cannot say; the optimum over any number is the same."""
    assert least_cost(choose_depots=True) == pytest.approx(DISTRIBUTION_2, rel=PUBLISHED)


def network_tables(cost: dict[tuple[str, str], float], depots: Sequence[str], direct: str) -> dict[str, pd.DataFrame]:
    """Return the tables of the network without the depots' capacity; ``direct`` goods are what factories send to customers."""
    places = [*FACTORIES, *depots, *CUSTOMERS]
    return {
        "commodities": rows("commodity", [["bulk"], ["ready"]]),
        "processes": rows("process reference", [["make bulk", "bulk"], ["make ready", "ready"], ["handle", "ready"]]),
        "recipes": rows(
            "process commodity amount_t_per_t",
            [["make bulk", "bulk", 1.0], ["make ready", "ready", 1.0], ["handle", "bulk", -1.0], ["handle", "ready", 1.0]],
        ),
        "countries": rows("country", [["GBR"]]),
        "locations": rows("location country", [[place, "GBR"] for place in places]),
        "lanes": rows(
            "origin destination commodity cost_usd_per_t",
            [
                [origin, destination, "bulk" if destination in depots else direct if origin in FACTORIES else "ready", rate]
                for (origin, destination), rate in cost.items()
            ],
        ),
        "demand": rows(
            "location commodity year quantity_t_per_year",
            [[customer, "ready", None, quantity] for customer, quantity in CUSTOMERS.items()],
        ),
    }


def plants(capacity_of_depots: dict[str, int]) -> pd.DataFrame:
    """Return the table of facilities: the factories at their capacity, the depots at the one given."""
    return rows(
        "facility location process capacity_t_per_year",
        [[f"factory {place}", place, "make bulk", capacity] for place, capacity in FACTORIES.items()]
        + [[f"depot {place}", place, "handle", capacity] for place, capacity in capacity_of_depots.items()],
    )


def two_modes() -> dict[str, pd.DataFrame]:
    """Return the tables that let a factory's capacity make ready goods as well."""
    return {"modes": rows("facility process", [[f"factory {place}", "make ready"] for place in FACTORIES])}


def as_substitute() -> dict[str, pd.DataFrame]:
    """Return the tables that let a customer take bulk goods instead."""
    return {"substitutes": rows("commodity substitute", [["ready", "bulk"]])}


WAYS = pytest.mark.parametrize(
    ("direct", "way"),
    [pytest.param("ready", two_modes(), id="two modes"), pytest.param("bulk", as_substitute(), id="substitute")],
)


@WAYS
def test_distribution_1_costs_198500_a_month(direct: str, way: dict[str, pd.DataFrame]) -> None:
    """The four depots stand; only the flows are to be found."""
    tables = {**network_tables(COST, list(DEPOTS), direct), **way, "facilities": plants(DEPOTS)}

    plan = solved("distribution-1", [2013], tables)

    assert objective_musd(plan) * 1e6 == pytest.approx(DISTRIBUTION_1, rel=PUBLISHED)


@WAYS
def test_distribution_2_costs_174000_a_month(direct: str, way: dict[str, pd.DataFrame]) -> None:
    """Depots that may be had or not are projects of one unit of their throughput at what they cost a month.

    The book counts the savings of Newcastle and Exeter where they are given up; here they cost where they are kept, so that the
    objective is larger by both.
    """
    all_depots = {**DEPOTS, **NEW_DEPOTS}
    standing = {depot: throughput if depot not in UPKEEP else 0 for depot, throughput in all_depots.items()}
    projects = [[f"have {depot}", f"depot {depot}", all_depots[depot], 1, rate / 1e6, 1] for depot, rate in UPKEEP.items()]
    projects += [[f"enlarge {depot}", f"depot {depot}", size, 1, rate / 1e6, 1] for depot, (size, rate) in ENLARGEMENT.items()]
    tables = {
        **network_tables({**COST, **NEW_COST}, list(all_depots), direct),
        **way,
        "facilities": plants(standing),
        "projects": rows("project facility unit_t_per_year units_max capex_unit_musd life_years", projects),
    }

    plan = solved("distribution-2", [2013], tables)

    saved_if_given_up = UPKEEP["Newcastle"] + UPKEEP["Exeter"]
    assert objective_musd(plan) * 1e6 == pytest.approx(DISTRIBUTION_2 + saved_if_given_up, rel=PUBLISHED)
    assert built(plan) == {"have Exeter": 1, "have Northampton": 1, "enlarge Birmingham": 1}
