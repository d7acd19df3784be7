"""The company's case of ``instances/one-company.md``: the page runs as written, and a second formulation finds the same optimum."""

from __future__ import annotations

import contextlib
import io
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

import diversify as dv

PAGE = (Path(__file__).parents[2] / "instances" / "one-company.md").read_text(encoding="utf-8")
CODE, PRINTED = (re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL).group(1) for language in ("python", "text"))  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """Return what the page's code leaves behind, and what it printed."""
    said, names = io.StringIO(), {}
    with contextlib.redirect_stdout(said):
        exec(compile(CODE, "one-company.md", "exec"), names)
    return {**names, "printed": said.getvalue()}


def test_the_page_prints_what_it_shows(page: dict[str, Any]) -> None:
    assert page["printed"].split() == PRINTED.split()


def test_the_sentences_about_it_hold(page: dict[str, Any]) -> None:
    stopped, plan = page["stopped"], page["plan"]
    assert stopped.shortages["quantity_t_per_year"].sum() == pytest.approx(230)
    assert "qualify Fort Worth K" in set(stopped.builds["project"])
    assert "qualify Fort Worth K" not in set(plan.builds["project"])
    hanau = plan.flows[plan.flows["origin"] == "Hanau"].groupby("year")["quantity_t_per_year"].sum()
    assert hanau.to_dict() == {2026: 60, 2027: 60, 2028: 60}


def test_it_goes_to_the_purchasing_department_and_back(page: dict[str, Any], tmp_path: Path) -> None:
    assert dv.load(dv.save(page["case"], tmp_path / "one-company.xlsx")) == page["case"]


def test_every_row_says_that_it_is_assumed(page: dict[str, Any]) -> None:
    for name, table in page["case"].tables.items():
        assert (table["quality"] == "assumed").all(), name


def test_a_second_formulation_finds_the_same_optimum(page: dict[str, Any]) -> None:
    assert second_formulation(page, capped=True) == pytest.approx(page["plan"].objective_musd, rel=1e-7)
    assert second_formulation(page, capped=False) == pytest.approx(page["free"].objective_musd, rel=1e-7)


def km(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Return the great circle by the spherical law of cosines."""
    (a, b), (c, d) = ([math.radians(each) for each in place] for place in (here, there))
    return 6371.0088 * math.acos(math.sin(a) * math.sin(c) + math.cos(a) * math.cos(c) * math.cos(b - d))


def second_formulation(page: dict[str, Any], *, capped: bool) -> float:
    """Return the least cost in million USD by a program of purchases, lines and shortage that is written down for this case.

    Nothing of the engine is used: ramps, leads, annuities, duties and freight are spelt out here.
    """
    years, works = list(range(2026, 2032)), ["Nagoya", "Atlanta"]
    sellers = page["suppliers"]().to_dict("records")
    lines = page["qualifications"]().to_dict("records")
    spots = {row["location"]: row for row in page["places"]().to_dict("records")}
    at = {name: (row["latitude"], row["longitude"]) for name, row in spots.items()}
    country = {name: row["country"] for name, row in spots.items()}
    duty = dict.fromkeys(("CHN", "JPN", "VNM", "THA", "DEU", "IND"), 0.021)
    duty["CHN"] += 0.25
    index: dict[tuple[object, ...], int] = {}
    for year in years:
        for place in works:
            index["short", place, year] = len(index)
            for seller in sellers:
                index["buy", seller["facility"], place, year] = len(index)
        for line in lines:
            index["line", line["project"], year] = len(index)
    n, cost, upper, whole = len(index), np.zeros(len(index)), np.full(len(index), np.inf), np.zeros(len(index))
    worth = {year: 1.08 ** (2026 - year) for year in years}
    rows: list[tuple[np.ndarray, float, float]] = []

    def row(terms: list[tuple[int, float]], low: float, high: float) -> None:
        coefficients = np.zeros(n)
        for position, value in terms:
            coefficients[position] += value
        rows.append((coefficients, low, high))

    annuity = 0.08 / (1 - 1.08**-8)
    for line in lines:
        for year in years:
            here = index["line", line["project"], year]
            whole[here], upper[here] = 1, line["units_max"]
            if year < 2026 + line["lead_years"]:
                upper[here] = 0
            cost[here] = sum(worth[later] for later in years if later >= year) * annuity * line["capex_unit_musd"]
        row([(index["line", line["project"], year], 1.0) for year in years], 0, line["units_max"])
    needed = {"Nagoya": (600, 750), "Atlanta": (400, 850)}
    for year in years:
        for place in works:
            first, last = needed[place]
            wanted = first + (last - first) * (year - 2026) / 5
            cost[index["short", place, year]] = worth[year] * 0.4
            row([(index["buy", s["facility"], place, year], 1.0) for s in sellers] + [(index["short", place, year], 1.0)], wanted, wanted)
        for seller in sellers:
            ramped = []
            for line in (each for each in lines if each["facility"] == seller["facility"]):
                shares = [float(share) for share in line["ramp"].split(";")]
                for since in (each for each in years if each <= year):
                    share = shares[min(year - since, len(shares) - 1)]
                    ramped.append((index["line", line["project"], since], -share * line["unit_t_per_year"]))
            bought = [(index["buy", seller["facility"], place, year], 1.0) for place in works]
            row(bought + ramped, -np.inf, seller["capacity_t_per_year"])
            for place in works:
                origin = seller["location"]
                usd = seller["variable_usd_per_t"] + 560 + 0.0095 * km(at[origin], at[place])
                usd += 50_000 * duty.get(country[origin], 0.0) if place == "Atlanta" and country[origin] != "USA" else 0.0
                cost[index["buy", seller["facility"], place, year]] = worth[year] * usd / 1e6
        for contract in page["contracts"]().to_dict("records"):
            if year <= contract["last_year"]:
                given = [s["facility"] for s in sellers if s["location"] == contract["origin"]]
                row([(index["buy", name, contract["destination"], year], 1.0) for name in given], contract["minimum_t_per_year"], np.inf)
        if capped:
            limit = float(np.interp(year, [2026, 2028, 2031], [0.70, 0.55, 0.30]))
            chinese = {s["facility"]: s["owner"] == "CHN" or country[s["location"]] == "CHN" for s in sellers}
            row([(index["buy", name, place, year], chinese[name] - limit) for name in chinese for place in works], -np.inf, 0)
    matrix, low, high = (np.array(part) for part in zip(*rows, strict=True))
    solved = milp(
        cost, constraints=LinearConstraint(matrix, low, high), bounds=Bounds(0, upper), integrality=whole, options={"mip_rel_gap": 0}
    )
    assert solved.success, solved.message
    return float(solved.fun)
