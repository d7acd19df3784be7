"""Synthetic planning cases of any size, the same for the same seed.

Usage: ``python benchmarks/generate.py --columns 100000 OUT_DIR``

A chain of ``stages`` processes leads from mines to a final product; every stage has ``sites`` places in twelve countries,
each with a plant that stands or may be built, and every place of a stage may ship to every place of the next. Three
countries demand the final product under falling caps on what China makes and on what it has touched. The figures mean
nothing; shapes (lanes by commodity, several years, lumpy units with a first-unit cost, two tags) are those of real cases.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

import diversify as dv

COUNTRIES = ("CHN", "AUS", "USA", "JPN", "KOR", "VNM", "CAN", "DEU", "IND", "BRA", "MYS", "ZAF")
CONSUMERS = ("USA", "JPN", "KOR")
FIRST_YEAR = 2026
DEMAND_T = 30_000.0
"""Demand of the final product over all consumers in the first year, t/yr."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Shape:
    """What a case looks like: ``sites`` per stage, ``stages``, planning ``years``, the share ``lumpy`` of projects that
    come in whole units, whether a cap is ``traced`` to the mine, and the ``seed`` of the figures."""

    sites: int = 12
    stages: int = 5
    years: int = 15
    lumpy: float = 0.8
    traced: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.sites < len(CONSUMERS) or self.stages < 2 or self.years < 1 or not 0.0 <= self.lumpy <= 1.0:
            raise ValueError(f"a case needs {len(CONSUMERS)} sites, 2 stages, a year and a share of lumpy projects within 0 and 1: {self}")

    @property
    def columns(self) -> int:
        """Roughly the columns of the model: flows between consecutive stages, by tag and year, and what belongs to places."""
        tags = 1.9 if self.traced else 1.0
        lanes = self.sites**2 * (1 + (self.stages - 2) * tags) + self.sites * len(CONSUMERS) * tags
        yet_to_come = 0.88  # a plant that does not stand cannot ship before its lead time is over
        return round(self.years * yet_to_come * (lanes + self.sites * self.stages * (2 * tags + 2)))

    def of_size(self, columns: int) -> Shape:
        """Return the smallest shape, more sites apart alike, whose model has about ``columns`` columns."""
        sites = len(CONSUMERS)
        while replace(self, sites=sites).columns < columns:
            sites += 1
        return replace(self, sites=sites)


def generate(shape: Shape) -> dv.Instance:
    """Return the case of a shape."""
    draw = np.random.default_rng(shape.seed)
    places = _places(shape, draw)
    facilities, projects = _plants(shape, places, draw)
    years = {"first": FIRST_YEAR, "last": FIRST_YEAR + shape.years - 1, "step": 1} if shape.years > 1 else [FIRST_YEAR]
    tables: dict[str, Rows] = {
        "countries": [{"country": country, "wacc": 0.05 + 0.005 * (rank % 7)} for rank, country in enumerate(COUNTRIES)],
        "groups": [{"group": "consumers", "country": country} for country in CONSUMERS] + [{"group": "china", "country": "CHN"}],
        "commodities": _commodities(shape),
        "processes": [{"process": f"make-{stage}", "reference": f"good-{stage}"} for stage in range(shape.stages)],
        "recipes": list(_recipes(shape, draw)),
        "locations": places,
        "facilities": facilities,
        "projects": projects,
        "freight": [
            {"commodity": f"good-{stage}", "handling_usd_per_t": 80.0, "freight_usd_per_t_km": 0.04} for stage in range(shape.stages)
        ],
        "tariffs": [{"tariff": "final", "origin": "china", "destination": "USA", "commodity": f"good-{shape.stages - 1}", "rate": 0.25}],
        "demand": list(_demand(shape)),
        "caps": list(_caps(shape)),
    }
    meta = {"format": 1, "name": f"generated-{shape.columns}", "years": years, "discount_rate": 0.05}
    return dv.Instance.from_tables(meta, {name: pd.DataFrame(rows) for name, rows in tables.items()})


def _commodities(shape: Shape) -> Rows:
    price = {f"good-{stage}": 4_000.0 * 2.0**stage for stage in range(shape.stages)} | {"tailings": 0.0}
    return [{"commodity": good, "price_usd_per_t": usd, "disposal_usd_per_t": 20.0} for good, usd in price.items()]


def _recipes(shape: Shape, draw: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Each stage takes what the one before makes; the second leaves a by-product that nobody wants."""
    for stage in range(shape.stages):
        yield {"process": f"make-{stage}", "commodity": f"good-{stage}", "amount_t_per_t": 1.0}
        if stage:
            taken = round(float(draw.uniform(1.05, 1.4)), 3)
            yield {"process": f"make-{stage}", "commodity": f"good-{stage - 1}", "amount_t_per_t": -taken}
    yield {"process": "make-1", "commodity": "tailings", "amount_t_per_t": 0.3}


def _places(shape: Shape, draw: np.random.Generator) -> Rows:
    """A place for every site of every stage, and one of demand in each consumer country."""
    grid = [(stage, site) for stage in range(shape.stages) for site in range(shape.sites)]
    sites = [(f"site-{stage}-{site:03d}", COUNTRIES[(site + stage) % len(COUNTRIES)]) for stage, site in grid]
    markets = [(f"market-{country}", country) for country in CONSUMERS]
    return [
        {
            "location": name,
            "country": country,
            "latitude": round(float(draw.uniform(-40, 60)), 2),
            "longitude": round(float(draw.uniform(-170, 170)), 2),
        }
        for name, country in [*sites, *markets]
    ]


def _plants(shape: Shape, places: Rows, draw: np.random.Generator) -> tuple[Rows, Rows]:
    """A plant at every site, with a project; those in China stand, and of the rest a third. Steps grow cheaper downstream."""
    facilities, projects = [], []
    for place in places[: shape.sites * shape.stages]:
        stage = int(place["location"].split("-")[1])
        typical = round(2.5 * DEMAND_T * 1.3 ** (shape.stages - 1 - stage) / shape.sites, 1)
        chinese = place["country"] == "CHN"
        stands = chinese or draw.random() < 0.33
        cost = float(draw.uniform(0.8, 1.6)) * (0.7 if chinese else 1.0) * 1_000.0 * 1.5**stage
        facilities.append(
            {
                "facility": f"plant-{place['location']}",
                "location": place["location"],
                "process": f"make-{stage}",
                "capacity_t_per_year": typical * (4.0 if chinese else 0.4) if stands else 0.0,
                "utilisation_max": 0.95,
                "variable_usd_per_t": round(cost, 2),
                "fixed_usd_per_t_year": round(0.05 * cost, 2),
            }
        )
        projects.append(_project(place["location"], typical, cost, bool(draw.random() < shape.lumpy), int(draw.integers(1, 5))))
    return facilities, projects


def _project(location: str, size: float, cost: float, lumpy: bool, lead_years: int) -> dict[str, Any]:
    project = {"project": f"build-{location}", "facility": f"plant-{location}", "lead_years": lead_years}
    project |= {"life_years": 20, "ramp": "0.5;0.8;1"}
    if lumpy:
        money = {"capex_unit_musd": round(6.0 * cost * size / 1e6, 3), "capex_first_musd": round(1.5 * cost * size / 1e6, 3)}
        return project | money | {"unit_t_per_year": size, "units_max": 3}
    return project | {"max_t_per_year": 3 * size, "capex_usd_per_t_year": round(7.0 * cost, 2)}


def _demand(shape: Shape) -> Iterator[dict[str, Any]]:
    for rank, country in enumerate(CONSUMERS):
        for year in range(shape.years):
            quantity = DEMAND_T * (0.5, 0.3, 0.2)[rank] * 1.05**year
            row = {"location": f"market-{country}", "commodity": f"good-{shape.stages - 1}", "year": FIRST_YEAR + year}
            yield row | {"quantity_t_per_year": round(quantity, 1), "shortage_usd_per_t": 40_000.0 * 2.0**shape.stages}


def _caps(shape: Shape) -> Iterator[dict[str, Any]]:
    last = FIRST_YEAR + shape.years - 1
    bases = ("produced", "traced") if shape.traced else ("produced",)
    for basis in bases:
        for year, share in {FIRST_YEAR: 0.9, last: 0.4}.items():
            yield {
                "cap": basis,
                "year": year,
                "share": share,
                "commodity": f"good-{shape.stages - 1}",
                "consumers": "consumers",
                "sources": "china",
                "basis": basis,
            }


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a synthetic planning case of about the given number of columns.")
    parser.add_argument("out", help="a new folder, .xlsx or .json")
    parser.add_argument("--columns", type=int, default=20_000)
    for name in ("stages", "years", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Shape, name))
    parser.add_argument("--lumpy", type=float, default=Shape.lumpy, help="share of projects in whole units")
    parser.add_argument("--untraced", action="store_true", help="no cap traced to the mine, hence a single tag")
    given = parser.parse_args()
    shape = Shape(stages=given.stages, years=given.years, lumpy=given.lumpy, traced=not given.untraced, seed=given.seed)
    instance = generate(shape.of_size(given.columns))
    print(dv.save(instance, given.out))


if __name__ == "__main__":
    main()
