"""A case small enough to audit by hand, and a plan for it with every figure worked out.

Ore is mined in Baotou (CHN) and, once a unit is built, in Denver (USA); Osaka (JPN) makes magnets of 2 t of ore each.
Planning years 2026 and 2028 stand for two calendar years each; at 10 % D is 1 + 1/1.1 = 1.909091 and
1/1.21 + 1/1.331 = 1.577761.

2026. Baotou mines 34 t and ships them to Osaka (1,000 km at 0.01 USD per t-km, handling 10: 20 USD per t; duty 10 % of
100 USD). Scrap of past sales of 30 t at 0.1 gives 3 t of clean ore, and the stock of Chinese ore is drawn from 8 to 2 t,
3 t a year. The 40 t make 20 t of magnets, all tagged china (the 3 t of scrap are handed over as Chinese). 5 t are short.
variable 34 x 10 + 20 x 100 = 2,340 USD, freight 680, tariff 340, fixed 100 x 5 = 500, shortage 25,000, holding 2 x 4 = 8.

2028. A unit of 30 t/yr, decided 2026.5, gives half its size in its first year: Denver mines 15 t, ships 12 (9,000 km:
100 USD per t), sells 2 at 30 USD and disposes of 1 at 6 USD. 60 of Baotou's 100 t/yr are closed; it ships 13 t. Scrap of
the 20 t sold in 2026 gives 2 t, the last 2 t of stock are drawn at 1 t a year. Clean runs make 6.5 t of magnets of 13 t of
clean ore; runs tagged china make 7.5 t of 13 + 1 + 1 (the last clean tonne is handed over). 7.5 of 14 t are 0.5 t above the
cap of half. 4 t of ferrite replace 2 t of magnets; 9 t are short.
variable 13 x 10 + 15 x 20 + 14 x 100 + 4 x 50 = 2,030 USD, freight 13 x 20 + 12 x 100 = 1,460, tariff 130,
fixed 40 x 5 + 30 x 2 = 260, capital (3 + 1) million x 0.05 / (1 - 1.05^-10) = 0.518018 million, shortage 45,000,
substitution 2 x 300 = 600, disposal 6, cap excess 500, sales -60.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from diversify.instance import Instance

D_2026 = 1.0 + 1.0 / 1.1
D_2028 = 1.1**-2 + 1.1**-3
ANNUITY_MUSD = 4.0 * 0.05 / (1.0 - 1.05**-10)

COST_MUSD = {
    "variable": (2340 * D_2026 + 2030 * D_2028) / 1e6,
    "freight": (680 * D_2026 + 1460 * D_2028) / 1e6,
    "tariff": (340 * D_2026 + 130 * D_2028) / 1e6,
    "fixed": (500 * D_2026 + 260 * D_2028) / 1e6,
    "capital": ANNUITY_MUSD * D_2028,
    "shortage": (25000 * D_2026 + 45000 * D_2028) / 1e6,
    "substitution": 600 * D_2028 / 1e6,
    "disposal": 6 * D_2028 / 1e6,
    "holding": 8 * D_2026 / 1e6,
    "cap_excess": 500 * D_2028 / 1e6,
    "sales": -60 * D_2028 / 1e6,
}


@dataclass
class ToyPlan:
    """The least that the audit needs of a plan."""

    tables: dict[str, pd.DataFrame]
    objective_musd: float | None = sum(COST_MUSD.values())
    holds: str = "plan"


def toy_instance() -> Instance:
    """The case of the module's text."""
    return Instance.from_tables({"format": 1, "name": "toy", "years": [2026, 2028], "discount_rate": 0.1}, _tables())


def _tables() -> dict[str, list[dict[str, object]]]:
    return {
        "commodities": [
            {"commodity": "ore", "price_usd_per_t": 100, "disposal_usd_per_t": 6},
            {"commodity": "magnet", "price_usd_per_t": 1000},
            {"commodity": "ferrite", "traced": False},
        ],
        "processes": [
            {"process": "mining", "reference": "ore"},
            {"process": "making", "reference": "magnet"},
            {"process": "pressing", "reference": "ferrite"},
        ],
        "recipes": [
            {"process": "mining", "commodity": "ore", "amount_t_per_t": 1},
            {"process": "making", "commodity": "ore", "amount_t_per_t": -2},
            {"process": "making", "commodity": "magnet", "amount_t_per_t": 1},
            {"process": "pressing", "commodity": "ferrite", "amount_t_per_t": 1},
        ],
        "countries": [{"country": "CHN"}, {"country": "USA", "wacc": 0.05}, {"country": "JPN"}],
        "groups": [{"group": "china", "country": "CHN"}],
        "locations": [
            {"location": "Baotou", "country": "CHN"},
            {"location": "Denver", "country": "USA"},
            {"location": "Osaka", "country": "JPN"},
        ],
        "facilities": [
            {"facility": "pit", "location": "Baotou", "process": "mining", "capacity_t_per_year": 100, "closable": True}
            | {"variable_usd_per_t": 10, "fixed_usd_per_t_year": 5},
            {"facility": "ridge", "location": "Denver", "process": "mining", "variable_usd_per_t": 20, "reserve_t": 40},
            {"facility": "works", "location": "Osaka", "process": "making", "capacity_t_per_year": 40, "utilisation_max": 0.75}
            | {"utilisation_min": 0.1, "variable_usd_per_t": 100},
            {"facility": "press", "location": "Osaka", "process": "pressing", "capacity_t_per_year": 10, "variable_usd_per_t": 50},
        ],
        "projects": [
            {"project": "ridge-1", "facility": "ridge", "unit_t_per_year": 30, "units_max": 2, "units_min": 1, "capex_unit_musd": 3}
            | {"capex_first_musd": 1, "lead_years": 1.5, "life_years": 10, "ramp": "0.5;1", "fixed_usd_per_t_year": 2},
        ],
        "freight": [{"commodity": "ore", "handling_usd_per_t": 10, "freight_usd_per_t_km": 0.01}],
        "distances": [
            {"origin": "Baotou", "destination": "Osaka", "km": 1000},
            {"origin": "Osaka", "destination": "Denver", "km": 9000},
            {"origin": "Baotou", "destination": "Denver", "km": 9000},
        ],
        "lanes": [{"origin": "Denver", "destination": "Osaka", "commodity": "ore", "capacity_t_per_year": 12}],
        "contracts": [{"contract": "offtake", "origin": "Baotou", "destination": "Osaka", "commodity": "ore", "minimum_t_per_year": 13}],
        "tariffs": [{"tariff": "duty", "origin": "china", "destination": "JPN", "commodity": "*", "rate": 0.1}],
        "restrictions": [
            {"restriction": "quota", "origin": "china", "destination": "*", "commodity": "ore", "limit_t_per_year": 34},
            {"restriction": "ban", "origin": "CHN", "destination": "*", "commodity": "magnet", "limit_t_per_year": 0, "by": "owned"},
        ],
        "demand": [{"location": "Osaka", "commodity": "magnet", "quantity_t_per_year": 25, "shortage_usd_per_t": 5000}],
        "substitutes": [
            {"commodity": "magnet", "substitute": "ferrite", "ratio_t_per_t": 2, "extra_usd_per_t": 300, "max_share": 0.08},
        ],
        "markets": [{"location": "*", "commodity": "ore", "price_usd_per_t": 30, "limit_t_per_year": 2}],
        "stockpiles": [
            {"location": "Osaka", "commodity": "ore", "initial_t": 8, "origin": "CHN", "capacity_t": 9, "holding_usd_per_t_year": 4}
            | {"final_min_t": 0},
        ],
        "returns": [
            {"commodity": "magnet", "location": "*", "scrap": "ore", "lag_years": 2, "scrap_t_per_t": 0.1, "past_t_per_year": 30},
        ],
        "caps": [
            {"cap": "half", "year": 2027, "share": 0.5, "commodity": "magnet", "consumers": "JPN", "sources": "china"}
            | {"basis": "traced", "excess_usd_per_t": 1000},
        ],
        "floors": [{"floor": "home", "year": 2026, "share": 1, "commodity": "magnet", "consumers": "JPN", "makers": "JPN"}],
        "budgets": [{"budget": "grants", "payer": "USA", "last_year": 2027, "limit_musd": 4}],
    }


def _frame(columns: str, *rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


def toy_plan() -> ToyPlan:
    """The plan of the module's text, as the tables of a result folder."""
    return ToyPlan(
        {
            "builds": _frame(
                "project facility year decided_year units capacity_t_per_year capex_musd",
                ("ridge-1", "ridge", 2028, 2026.5, 1.0, 30.0, 4.0),
            ),
            "closures": _frame("facility year closed_t_per_year", ("pit", 2028, 60.0)),
            "capacity": _frame(
                "facility year standing_t_per_year new_t_per_year usable_t_per_year",
                ("pit", 2026, 100.0, 0.0, 100.0),
                ("pit", 2028, 40.0, 0.0, 40.0),
                ("ridge", 2028, 0.0, 30.0, 15.0),
                ("works", 2026, 40.0, 0.0, 40.0),
                ("works", 2028, 40.0, 0.0, 40.0),
                ("press", 2026, 10.0, 0.0, 10.0),
                ("press", 2028, 10.0, 0.0, 10.0),
            ),
            "activity": _frame(
                "facility process tag year activity_t_per_year",
                ("pit", "mining", "", 2026, 34.0),
                ("works", "making", "china", 2026, 20.0),
                ("pit", "mining", "", 2028, 13.0),
                ("ridge", "mining", "", 2028, 15.0),
                ("works", "making", "", 2028, 6.5),
                ("works", "making", "china", 2028, 7.5),
                ("press", "pressing", "", 2028, 4.0),
            ),
            "flows": _frame(
                "origin owner destination commodity tag year quantity_t_per_year freight_musd tariff_musd",
                ("Baotou", "CHN", "Osaka", "ore", "china", 2026, 34.0, 680e-6, 340e-6),
                ("Osaka", "JPN", "Osaka", "ore", "", 2026, 3.0, 0.0, 0.0),
                ("Osaka", "JPN", "Osaka", "magnet", "china", 2026, 20.0, 0.0, 0.0),
                ("Baotou", "CHN", "Osaka", "ore", "china", 2028, 13.0, 260e-6, 130e-6),
                ("Denver", "USA", "Osaka", "ore", "", 2028, 12.0, 1200e-6, 0.0),
                ("Osaka", "JPN", "Osaka", "ore", "", 2028, 2.0, 0.0, 0.0),
                ("Osaka", "JPN", "Osaka", "magnet", "", 2028, 6.5, 0.0, 0.0),
                ("Osaka", "JPN", "Osaka", "magnet", "china", 2028, 7.5, 0.0, 0.0),
                ("Osaka", "JPN", "Osaka", "ferrite", "", 2028, 4.0, 0.0, 0.0),
            ),
            "deliveries": _frame(
                "location commodity supplied_by tag year quantity_t_per_year",
                ("Osaka", "magnet", "magnet", "china", 2026, 20.0),
                ("Osaka", "magnet", "magnet", "", 2028, 6.5),
                ("Osaka", "magnet", "magnet", "china", 2028, 7.5),
                ("Osaka", "magnet", "ferrite", "", 2028, 4.0),
            ),
            "shortages": _frame(
                "location commodity year quantity_t_per_year cost_musd",
                ("Osaka", "magnet", 2026, 5.0, 0.025),
                ("Osaka", "magnet", 2028, 9.0, 0.045),
            ),
            "disposal": _frame("location owner commodity tag year quantity_t_per_year", ("Denver", "USA", "ore", "", 2028, 1.0)),
            "sales": _frame("location owner commodity tag year quantity_t_per_year", ("Denver", "USA", "ore", "", 2028, 2.0)),
            "stocks": _frame("location commodity tag year stock_t", ("Osaka", "ore", "china", 2026, 2.0)),
            "shares": _frame(
                "cap consumers year share limit excess_t pro_rata_share unknown_t usd_per_t musd_per_point",
                ("half", "JPN", 2028, 7.5 / 14.0, 0.5, 0.5, 0.5, 2.0, 1000.0, None),
            ),
            "costs": _frame("category country facility year musd", *_cost_rows()),
        }
    )


def _cost_rows() -> list[tuple[object, ...]]:
    annual_usd = [
        ("variable", "CHN", "pit", 340, 130),
        ("variable", "USA", "ridge", 0, 300),
        ("variable", "JPN", "works", 2000, 1400),
        ("variable", "JPN", "press", 0, 200),
        ("freight", "JPN", "Baotou>Osaka", 680, 260),
        ("freight", "JPN", "Denver>Osaka", 0, 1200),
        ("tariff", "JPN", "Baotou>Osaka", 340, 130),
        ("fixed", "CHN", "pit", 500, 200),
        ("fixed", "USA", "ridge", 0, 60),
        ("capital", "USA", "ridge", 0, ANNUITY_MUSD * 1e6),
        ("shortage", "JPN", "Osaka", 25000, 45000),
        ("substitution", "JPN", "Osaka", 0, 600),
        ("disposal", "USA", "Denver", 0, 6),
        ("holding", "JPN", "Osaka", 8, 0),
        ("cap_excess", "JPN", "half", 0, 500),
        ("sales", "USA", "Denver", 0, -60),
    ]
    early = [(category, country, place, 2026, usd * D_2026 / 1e6) for category, country, place, usd, _ in annual_usd if usd]
    late = [(category, country, place, 2028, usd * D_2028 / 1e6) for category, country, place, _, usd in annual_usd if usd]
    return [*early, *late]
