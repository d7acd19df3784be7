"""Cases that tests in several places build on, and the two ways in which they solve them.

The hand-solved case
--------------------
Osaka (JPN) wants 100 t of magnets a year in 2030, 2031 and 2033, a tonne of ore each, made in Osaka at 100 USD. Ore from
Baotou (CHN) costs 10 + 20 of freight = 30 USD per t, ore from Denver (USA) 40 + 50 = 90, and Denver has no mine yet: units of
30 t/yr can be built, each 1 million USD overnight, two years of life. A traced cap on China begins at 100 % in 2030 and
falls in a line to 40 % in 2033; in 2031 it therefore stands at 80 %.

Time. 2030 stands for one year, 2031 for two, 2033 repeats that gap. At a discount rate of 25 % D is 1, 0.8 + 0.64 = 1.44
and 0.512 + 0.4096 = 0.9216. Capital. The United States' cost of capital is 50 %, not 25 %: the annuity factor over two years
is 0.5 / (1 - 1.5^-2) = 0.9, so a unit costs 0.9 million USD in each planning year that it serves.

2030. The cap allows everything: 100 t from Baotou at 30 + 100 USD, 13,000 USD.
2031. x t from Baotou need x <= 0.8 (x + y): y = 20 t from Denver, one unit. 80 x 130 + 20 x 190 = 14,200 USD, and 0.9 million.
Without the unit not even x could come (its share would be 100 %), and 100 t short cost 100 x 40,000 = 4 million.
2033. x <= 0.4 (x + y): y = 60 t, two units (a unit of 2031 has ended: 2033 is not before 2031 + 2). 40 x 130 + 60 x 190 = 16,600
USD and 1.8 million. One unit would let 30 + 20 t come, and leave 50 t short: 0.9 + 2.0 million, dearer.
A unit of 2030 would serve 2031 too, but pay for both years: 0.9 x 2.44 against 0.9 x 1.44.

Optimum: (13,000 x 1 + 14,200 x 1.44 + 16,600 x 0.9216) / 1e6 + 0.9 x (1.44 + 2 x 0.9216) million USD.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import diversify as dv
from diversify.solve import Options, compile_model, run

Row = dict[str, object]
Rows = list[Row]

EXAMPLES = Path(__file__).parent / "examples"
KNOWN_OPTIMA: dict[str, dict[str, float]] = json.loads((EXAMPLES / "expected.json").read_text(encoding="utf-8"))

HAND_SOLVED_MUSD = (13_000 * 1.0 + 14_200 * 1.44 + 16_600 * 0.9216) / 1e6 + 0.9 * (1.44 + 2 * 0.9216)


def example(name: str) -> dv.Instance:
    """Return one of the examples with known optima."""
    return dv.load(EXAMPLES / name)


def instance(tables: Mapping[str, Rows], years: Sequence[int] = (2030,), discount_rate: float = 0.0, name: str = "case") -> dv.Instance:
    """Return an instance of rows."""
    return dv.Instance.from_tables({"format": 1, "name": name, "years": list(years), "discount_rate": discount_rate}, tables)


def solved(case: dv.Instance) -> dv.Plan:
    """Return the optimal plan, which the audit must have passed."""
    plan = dv.solve(case, gap=0)
    assert (plan.stopped, plan.holds) == ("optimal", "plan")
    assert plan.summary["audit"]["ok"], plan.summary["audit"]["violations"]
    return plan


def cost_musd(case: dv.Instance) -> float:
    """Return the optimal cost alone, which is quicker than a plan."""
    model = dv.build_model(case)
    statement = model.diversify
    outcome = run(compile_model(model, statement.variables, statement.scale), Options(gap=0.0))
    assert outcome.stopped == "optimal", outcome.stopped
    return outcome.objective


def hand_solved() -> dv.Instance:
    """Return the case of the module's text."""
    return instance(
        {
            "commodities": [{"commodity": "ore"}, {"commodity": "magnet"}],
            "processes": [{"process": "mining", "reference": "ore"}, {"process": "making", "reference": "magnet"}],
            "recipes": [
                {"process": "mining", "commodity": "ore", "amount_t_per_t": 1},
                {"process": "making", "commodity": "ore", "amount_t_per_t": -1},
                {"process": "making", "commodity": "magnet", "amount_t_per_t": 1},
            ],
            "countries": [{"country": "CHN"}, {"country": "USA", "wacc": 0.5}, {"country": "JPN"}],
            "locations": [
                {"location": "Baotou", "country": "CHN"},
                {"location": "Denver", "country": "USA"},
                {"location": "Osaka", "country": "JPN"},
            ],
            "facilities": [
                {"facility": "pit", "location": "Baotou", "process": "mining", "capacity_t_per_year": 500, "variable_usd_per_t": 10},
                {"facility": "ridge", "location": "Denver", "process": "mining", "variable_usd_per_t": 40},
                {"facility": "works", "location": "Osaka", "process": "making", "capacity_t_per_year": 200, "variable_usd_per_t": 100},
            ],
            "projects": [
                {"project": "ridge-1", "facility": "ridge", "unit_t_per_year": 30, "units_max": 5, "capex_unit_musd": 1, "life_years": 2},
            ],
            "lanes": [
                {"origin": "Baotou", "destination": "Osaka", "commodity": "ore", "cost_usd_per_t": 20},
                {"origin": "Denver", "destination": "Osaka", "commodity": "ore", "cost_usd_per_t": 50},
            ],
            "demand": [{"location": "Osaka", "commodity": "magnet", "quantity_t_per_year": 100, "shortage_usd_per_t": 40_000}],
            "caps": [
                {"cap": "china", "year": year, "share": share, "commodity": "magnet", "consumers": "JPN"}
                | {"sources": "CHN", "basis": "traced"}
                for year, share in ((2030, 1.0), (2033, 0.4))
            ],
        },
        years=(2030, 2031, 2033),
        discount_rate=0.25,
        name="hand-solved",
    )
