"""A small case under uncertainty that tests in several places build on, and ways of solving it that share nothing with stochastic work.

The case
--------
Osaka wants 100 t of ore in 2030, 2031 and 2032; a tonne short costs 3,000 USD. The port (CHN) sells at 50 USD per t. Ridge (USA) and vale
(AUS) have no mine yet. Units of 50 t/yr: at the ridge 0.05 million USD, a year of lead time, 100 USD per t; at the vale 0.2 million,
at once, 120 USD per t; all with two years of life, so that half of it falls into each year of service. No interest, freight is free.

What is known from 2031 on: ``calm`` (one half), ``squeeze`` of Chinese exports to 60 t a year (0.3), or a ``ban`` of them (0.2).

Common is what is decided in 2030: the ridge's units of 2031 and the vale's of 2030. So that these can be told from later ones by data
alone, each is a project of its own (``... now`` and ``... later``).

A year costs 0.005 million USD from the port; each unit of the ridge now adds 0.05 in all to what calm costs, 0.015. In the squeeze 40 t are
wanting: from a unit of the ridge at 50 USD per t more than from the port in both years (0.004); without one, 2031 is 0.003 + 0.12 short and
2032 takes a unit later, 0.003 + 0.004 + 0.025. In the ban each 50 t that no unit gives are 0.15 short in 2031, and 0.025 + 0.005 in 2032.

=================  =========  =========  =========  ===========
ridge now          calm       squeeze    ban        expectation
=================  =========  =========  =========  ===========
no unit            0.015      0.160      0.365      0.1285
one                0.065      0.069      0.245      0.1022
two                0.115      0.119      0.125      0.1182
=================  =========  =========  =========  ===========

Who knew the scenario would pay 0.015, 0.069 and 0.125, so 0.0532 on average. On average exports have no limit, as the calm has none, so
that who decides for the mean builds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import numpy as np
from cases import Row, Rows, cost_musd, instance

import diversify as dv
from diversify.planning.extensive_form import ExtensiveForm
from diversify.planning.program import Program
from diversify.planning.stages import Staged
from diversify.solve import Options, Risk, run

BAN = "+restrictions[restriction=ban,origin=CHN,destination=*,commodity=ore,first_year=2031,limit_t_per_year=0]"
SQUEEZE = BAN.replace("limit_t_per_year=0", "limit_t_per_year=60")
Scenarios = Mapping[str, tuple[float | None, Iterable[str]]]
SCENARIOS: Scenarios = {"calm": (0.5, ()), "squeeze": (0.3, (SQUEEZE,)), "ban": (0.2, (BAN,))}
PROBABILITY = (0.5, 0.3, 0.2)
NAMES = tuple(SCENARIOS)
HAND_SOLVED = {"optimum": 0.1022, "evpi": 0.1022 - 0.0532, "vss": 0.1285 - 0.1022}
RISKS = [(0.0, 0.95), (0.5, 0.6), (1.0, 0.75), (1.0, 1.0)]
"""Weights and levels of CVaR."""


def ridge(project: str = "ridge", **more: object) -> Row:
    """Return a project at the ridge, by default one that may come on line in any year."""
    own: Row = {"project": project, "facility": "ridge", "unit_t_per_year": 50, "units_max": 2, "capex_unit_musd": 0.05}
    return own | {"lead_years": 1, "life_years": 2} | more


def projects() -> Rows:
    """Return the projects of the case."""
    vale = {"facility": "vale", "capex_unit_musd": 0.2, "lead_years": 0}
    return [
        ridge("ridge now", latest_year=2031),
        ridge("ridge later", earliest_year=2032),
        ridge("vale now", latest_year=2030, **vale),
        ridge("vale later", earliest_year=2031, **vale),
    ]


def case_of(scenarios: Scenarios = SCENARIOS, *, reveal: int | None = 2031, **more: Rows) -> dv.Instance:
    """Return the case of the module's text under scenarios of a probability and changes; ``more`` are tables in place of its own."""
    places = {"Osaka": "JPN", "port": "CHN", "ridge": "USA", "vale": "AUS"}
    tables: dict[str, Rows] = {
        "commodities": [{"commodity": "ore"}],
        "processes": [{"process": "mining", "reference": "ore"}],
        "recipes": [{"process": "mining", "commodity": "ore", "amount_t_per_t": 1}],
        "countries": [{"country": name} for name in places.values()],
        "locations": [{"location": name, "country": country} for name, country in places.items()],
        "facilities": [
            {"facility": "port", "location": "port", "process": "mining", "capacity_t_per_year": 1000, "variable_usd_per_t": 50},
            {"facility": "ridge", "location": "ridge", "process": "mining", "variable_usd_per_t": 100},
            {"facility": "vale", "location": "vale", "process": "mining", "variable_usd_per_t": 120},
        ],
        "projects": projects(),
        "lanes": [{"origin": name, "destination": "Osaka", "commodity": "ore"} for name in ("port", "ridge", "vale")],
        "demand": demand(),
        "scenarios": [{"scenario": name, "probability": weight} for name, (weight, _) in scenarios.items()],
        "changes": [{"scenario": name, "change": change} for name, (_, changes) in scenarios.items() for change in changes],
    }
    case = instance(tables | more, years=(2030, 2031, 2032), name="uncertain")
    return case if reveal is None else case.replace(reveal_year=reveal)


def demand(shortage_usd_per_t: float | None = 3000) -> Rows:
    """Return the demand of the case; None: it must be met."""
    return [
        {"location": "Osaka", "commodity": "ore", "year": year, "quantity_t_per_year": 100, "shortage_usd_per_t": shortage_usd_per_t}
        for year in (2030, 2031, 2032)
    ]


def stock() -> Rows:
    """Return a store of ore at Osaka, empty at first: what is put into it in 2030 is decided before anything is known."""
    return [{"location": "Osaka", "commodity": "ore", "holding_usd_per_t_year": 5, "capacity_t": 60}]


def costs_after(case: dv.Instance, names: Iterable[str], units: Mapping[str, int]) -> list[float]:
    """Return the cost of each scenario where so many units of some projects must be built, as plain solves."""
    fixed = [f'projects[project="{project}"].{column}={count}' for project, count in units.items() for column in ("units_max", "units_min")]
    return [cost_musd(case.scenario(name).set(*fixed)) for name in names]


def enumerated(case: dv.Instance, names: Iterable[str]) -> dict[tuple[int, int], list[float]]:
    """Return the cost of each scenario after each choice of units of ``ridge now`` and ``vale now``."""
    return {(ridge, vale): costs_after(case, names, {"ridge now": ridge, "vale now": vale}) for ridge, vale in product(range(3), repeat=2)}


def weighed(costs: Iterable[float], probability: Iterable[float], weight: float = 0.0, level: float = 0.95) -> float:
    """Return (1 - weight) x expectation + weight x CVaR of outcomes.

    CVaR as the greatest expectation over all weights of outcomes up to 1 / (1 - level) times their probability, by a linear program.
    """
    from scipy.optimize import linprog

    outcomes, chance = np.array(list(costs)), np.array(list(probability))
    most = chance / (1.0 - level) if level < 1.0 else np.ones(len(chance))
    tail = linprog(-outcomes, A_eq=np.ones((1, len(chance))), b_eq=[1.0], bounds=[(0.0, min(float(each), 1.0)) for each in most])
    return float((1.0 - weight) * (chance @ outcomes) - weight * tail.fun)


def staged(case: dv.Instance, name: str | None = None) -> Staged:
    """Return the program of a case, under a scenario if one is named, with what is decided before its reveal year told apart."""
    return Staged.of(Program.of(dv.build_model(case if name is None else case.scenario(name))))


def optimum(parts: Sequence[Staged], probability: Sequence[float] = PROBABILITY, weight: float = 0.0, level: float = 0.95) -> float:
    """Return the least weighed cost of one plan for scenarios that are stated already, which is quicker than the whole question."""
    form = ExtensiveForm.of(parts, probability, Risk(weight, level))
    outcome = run(form.form.matrix, Options(gap=0.0))
    assert outcome.stopped == "optimal", outcome.stopped
    return outcome.objective
