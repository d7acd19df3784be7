"""Capacitated warehouse (plant, depot) location: which to open, and who is served from where.

Mapping, exact: a warehouse is a facility without capacity at a place of its own whose only process makes the goods from
nothing; opening it is a project of one unit of the warehouse's capacity, its fixed cost the unit's capital cost (one planning
year, no discounting: the annuity of a life of one year is the cost itself). Serving a customer is a lane at the cost per unit;
a pair that is impossible has no lane. Customers may be split between warehouses, as in all the problems below.

OR-Library's files cannot be carried here. Whoever has them names their folder in the environment variable DIVERSIFY_ORLIB,
and every file of it with a known optimum joins the cases; the reader itself is held by a small case in the same format.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path

import pandas as pd
import pytest

from .case import PUBLISHED, built, objective_musd, rows, solved
from .statement import Statement, total


@dataclass(frozen=True)
class WarehouseProblem:
    """Capacity and fixed cost by warehouse, demand by customer, cost[warehouse][customer] of serving all of it (inf: impossible)."""

    capacity: Sequence[float]
    fixed_cost: Sequence[float]
    demand: Sequence[float]
    cost: Sequence[Sequence[float]]

    def pairs(self) -> list[tuple[int, int]]:
        """Return the pairs of warehouse and customer that are possible."""
        return [(i, j) for i in range(len(self.capacity)) for j in range(len(self.demand)) if isfinite(self.cost[i][j])]


def least_cost(problem: WarehouseProblem) -> float:
    """Return the optimum by the textbook formulation, with the share of each customer's demand as variables."""
    statement = Statement()
    opened = [statement.switch(cost) for cost in problem.fixed_cost]
    share = {(i, j): statement.variable(problem.cost[i][j], upper=1.0) for i, j in problem.pairs()}
    for j in range(len(problem.demand)):
        statement.equal(total(share[pair] for pair in share if pair[1] == j), 1.0)
    for i, capacity in enumerate(problem.capacity):
        served = {share[pair]: problem.demand[pair[1]] for pair in share if pair[0] == i}
        statement.row({**served, opened[i]: -capacity}, high=0.0)
    return statement.minimum()


def tables_of(problem: WarehouseProblem) -> dict[str, pd.DataFrame]:
    """Return the problem in the instance format: a unit of goods is a tonne, a unit of money a dollar."""
    sites = [f"site {i + 1}" for i in range(len(problem.capacity))]
    customers = [f"customer {j + 1}" for j in range(len(problem.demand))]
    return {
        "commodities": rows("commodity", [["goods"]]),
        "processes": rows("process reference", [["supply", "goods"]]),
        "recipes": rows("process commodity amount_t_per_t", [["supply", "goods", 1.0]]),
        "countries": rows("country", [["USA"]]),
        "locations": rows("location country", [[place, "USA"] for place in sites + customers]),
        "facilities": rows("facility location process", [[f"warehouse {i + 1}", site, "supply"] for i, site in enumerate(sites)]),
        "projects": rows(
            "project facility unit_t_per_year units_max capex_unit_musd life_years",
            [
                [f"open {i + 1}", f"warehouse {i + 1}", capacity, 1, cost / 1e6, 1]
                for i, (capacity, cost) in enumerate(zip(problem.capacity, problem.fixed_cost, strict=True))
            ],
        ),
        "lanes": rows(
            "origin destination commodity cost_usd_per_t",
            [[sites[i], customers[j], "goods", problem.cost[i][j] / problem.demand[j]] for i, j in problem.pairs()],
        ),
        "demand": rows(
            "location commodity year quantity_t_per_year",
            [[customer, "goods", None, quantity] for customer, quantity in zip(customers, problem.demand, strict=True)],
        ),
    }


def test_the_depots_of_gueret_prins_and_sevaux_cost_18103_thousand() -> None:
    """C. Guéret, C. Prins, M. Sevaux, Applications of Optimization with Xpress-MP, Dash Optimization 2002, section 10.3, "Depot location".

    Twelve sites, twelve sales centres, costs in thousands. Published: 18,103, with depots 1, 5, 8, 9 and 12.
    The costs of delivery of sites 7 to 12 repeat those of 1 to 6; - is impossible.
    """
    table = """
        100  80  50  50  60 100 120  90  60  70  65 110
        120  90  60  70  65 110 140 110  80  80  75 130
        140 110  80  80  75 130 160 125 100 100  80 150
        160 125 100 100  80 150 190 150 130   -   -   -
        190 150 130   -   -   - 200 180 150   -   -   -
        200 180 150   -   -   - 100  80  50  50  60 100
    """
    cost = [[inf if word == "-" else float(word) for word in line.split()] for line in table.strip().splitlines()]
    problem = WarehouseProblem(
        capacity=[300, 250, 100, 180, 275, 300, 200, 220, 270, 250, 230, 180],
        fixed_cost=[3500, 9000, 10000, 4000, 3000, 9000, 9000, 3000, 4000, 10000, 9000, 3500],
        demand=[120, 80, 75, 100, 110, 100, 90, 60, 30, 150, 95, 120],
        cost=cost + cost,
    )

    plan = solved("depot-location", [2002], tables_of(problem))

    assert round(least_cost(problem)) == 18103
    assert objective_musd(plan) * 1e6 == pytest.approx(least_cost(problem), rel=PUBLISHED)
    assert built(plan) == {f"open {number}": 1 for number in (1, 5, 8, 9, 12)}


def read_or_library(text: str) -> WarehouseProblem:
    """Read a file of OR-Library's capacitated warehouse location problems.

    Its numbers are: how many warehouses and customers; capacity and fixed cost of each warehouse; then for each customer its
    demand and the cost of serving the whole of it from each warehouse.
    """
    numbers = iter([float(word) for word in text.split()])
    warehouses, customers = int(next(numbers)), int(next(numbers))
    sites = [(next(numbers), next(numbers)) for _ in range(warehouses)]
    served = [(next(numbers), [next(numbers) for _ in range(warehouses)]) for _ in range(customers)]
    return WarehouseProblem(
        capacity=[capacity for capacity, _ in sites],
        fixed_cost=[cost for _, cost in sites],
        demand=[demand for demand, _ in served],
        cost=[[costs[i] for _, costs in served] for i in range(warehouses)],
    )


FRONTLINE = """
 5 4
 20 12000.
 22 15000.
 17 17000.
 19 13000.
 18 16000.
 15
 60000. 30000. 45000. 37500. 67500.
 18
 45000. 46800. 61200. 54000. 72000.
 14
 16800. 25200. 36400. 57400. 42000.
 20
 44000. 52000. 62000. 74000. 64000.
"""
"""The facility location example of Frontline Systems' Solver, which the manual of the Gurobi Optimizer takes over (facility.py) and
solves at 210,500: five plants, four warehouses. Here in OR-Library's format, so that costs are those of the whole demand."""

CAPOPT = """
    cap41 1040444.375  cap42 1098000.450  cap43 1153000.450  cap44 1235500.450  cap51 1025208.225
    cap61 932615.750  cap62 977799.400  cap63 1014062.050  cap64 1045650.250  cap71 932615.750
    cap72 977799.400  cap73 1010641.450  cap74 1034976.975  cap81 838499.288  cap82 910889.563
    cap83 975889.563  cap84 1069369.525  cap91 796648.438  cap92 855733.500  cap93 896617.538
    cap94 946051.325  cap101 796648.437  cap102 854704.200  cap103 893782.112  cap104 928941.750
"""
OR_LIBRARY_OPTIMA = {name: float(cost) for name, cost in zip(CAPOPT.split()[::2], CAPOPT.split()[1::2], strict=True)}
"""J. E. Beasley, OR-Library: distributing test problems by electronic mail, Journal of the Operational Research Society 41 (1990)
1069-1072; file capopt. The problems are those of J. E. Beasley, An algorithm for solving large capacitated warehouse location
problems, European Journal of Operational Research 33 (1988) 314-325."""


def or_library_files() -> list[Path]:
    """Return the files of OR-Library with a known optimum that the user has put at our disposal; none by default."""
    folder = os.environ.get("DIVERSIFY_ORLIB")
    return sorted(file for file in Path(folder).iterdir() if file.stem in OR_LIBRARY_OPTIMA) if folder else []


@pytest.mark.parametrize(
    ("text", "published"),
    [
        pytest.param(FRONTLINE, 210500.0, id="frontline"),
        *(pytest.param(file.read_text(), OR_LIBRARY_OPTIMA[file.stem], id=file.stem) for file in or_library_files()),
    ],
)
def test_a_case_in_or_librarys_format_costs_what_is_published(text: str, published: float) -> None:
    """The engine and the textbook formulation both find the published figure."""
    problem = read_or_library(text)

    plan = solved("or-library", [1988], tables_of(problem))

    assert least_cost(problem) == pytest.approx(published, rel=PUBLISHED)
    assert objective_musd(plan) * 1e6 == pytest.approx(published, rel=PUBLISHED)


REGIONS = ("North America", "South America", "Europe", "Asia", "Africa")
SUNOIL_DEMAND = (12, 8, 14, 16, 7)
SUNOIL_COST = (
    (81, 92, 101, 130, 115),
    (117, 77, 108, 98, 100),
    (102, 105, 95, 119, 111),
    (115, 125, 90, 59, 74),
    (142, 100, 103, 105, 71),
)
SUNOIL_SMALL = (6000, 4500, 6500, 4100, 4000)
SUNOIL_LARGE = (9000, 6750, 9750, 6150, 6000)
SUNOIL_OPTIMUM = 23751
"""S. Chopra, P. Meindl, Supply Chain Management, 3rd edition, Pearson 2007, chapter 5, the case of SunOil: five regions, each with
room for a small plant (10 million units a year) or a large one (20). Demand in million units, costs in thousand dollars, those of
production and transport per million units. Published: 23,751, with large plants in South America, Asia and Africa."""


def sunoil_least_cost(both_at_one_place: bool) -> float:
    """Return the optimum by the book's model; in it a region may even have both plants, which changes nothing here."""
    statement = Statement()
    small = [statement.switch(cost) for cost in SUNOIL_SMALL]
    large = [statement.switch(cost) for cost in SUNOIL_LARGE]
    flow = [[statement.variable(cost) for cost in costs] for costs in SUNOIL_COST]
    for j, quantity in enumerate(SUNOIL_DEMAND):
        statement.equal(total(flow[i][j] for i in range(5)), quantity)
    for i in range(5):
        statement.row({**total(flow[i]), small[i]: -10, large[i]: -20}, high=0)
        statement.row({small[i]: 1, large[i]: 1}, high=2 if both_at_one_place else 1)
    return statement.minimum()


def sunoil_tables(projects: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return SunOil in the instance format: a unit is a tonne, so that a thousand dollars per million units are 0.001 dollars per tonne."""
    return {
        "commodities": rows("commodity", [["oil"]]),
        "processes": rows("process reference", [["make", "oil"]]),
        "recipes": rows("process commodity amount_t_per_t", [["make", "oil", 1.0]]),
        "countries": rows("country", [["USA"]]),
        "locations": rows("location country", [[region, "USA"] for region in REGIONS]),
        "facilities": rows("facility location process", [[f"plant {region}", region, "make"] for region in REGIONS]),
        "projects": projects,
        "lanes": rows(
            "origin destination commodity cost_usd_per_t",
            [
                [origin, destination, "oil", cost / 1000]
                for origin, costs in zip(REGIONS, SUNOIL_COST, strict=True)
                for destination, cost in zip(REGIONS, costs, strict=True)
            ],
        ),
        "demand": rows(
            "location commodity year quantity_t_per_year",
            [[region, "oil", None, quantity * 1e6] for region, quantity in zip(REGIONS, SUNOIL_DEMAND, strict=True)],
        ),
    }


@pytest.mark.parametrize("both_at_one_place", [False, True])
def test_the_second_formulation_of_sunoil_agrees_with_the_book(both_at_one_place: bool) -> None:
    """Data and figure belong together, whether a region may have both plants or one."""
    assert sunoil_least_cost(both_at_one_place) == pytest.approx(SUNOIL_OPTIMUM, rel=PUBLISHED)


def test_sunoil_with_a_project_for_each_size_costs_what_is_published() -> None:
    """Two projects of one unit at each plant: the book's model as it stands. A lane within a place carries its cost like any other."""
    projects = rows(
        "project facility unit_t_per_year units_max capex_unit_musd life_years",
        [
            [f"{size} {region}", f"plant {region}", capacity, 1, cost / 1000, 1]
            for size, capacity, costs in (("small", 10e6, SUNOIL_SMALL), ("large", 20e6, SUNOIL_LARGE))
            for region, cost in zip(REGIONS, costs, strict=True)
        ],
    )

    plan = solved("sunoil", [2007], sunoil_tables(projects))

    assert objective_musd(plan) * 1000 == pytest.approx(SUNOIL_OPTIMUM, rel=PUBLISHED)
    assert built(plan) == {"large South America": 1, "large Asia": 1, "large Africa": 1}


def test_sunoil_with_a_fixed_first_unit_cost_costs_what_is_published() -> None:
    """One project of up to two units of 10 million at each plant.

    A large plant costs less than two small ones: the unit's cost is large - small, the first-unit cost 2 small - large, so that one
    unit costs small and two cost large. Both plants in one region cannot be had in this mapping, which the optimum does not want.
    """
    projects = rows(
        "project facility unit_t_per_year units_max capex_unit_musd capex_first_musd life_years",
        [
            [region, f"plant {region}", 10e6, 2, (large - small) / 1000, (2 * small - large) / 1000, 1]
            for region, small, large in zip(REGIONS, SUNOIL_SMALL, SUNOIL_LARGE, strict=True)
        ],
    )

    plan = solved("sunoil-units", [2007], sunoil_tables(projects))

    assert objective_musd(plan) * 1000 == pytest.approx(SUNOIL_OPTIMUM, rel=PUBLISHED)
    assert built(plan) == {"South America": 2, "Asia": 2, "Africa": 2}
