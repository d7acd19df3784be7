"""Capacity: what stands, what is closed, what is built, and what runs within it.

v_build[p,t] units of project p coming on line in t (integer where units have a size, else t/yr); v_open[p,t] whether
the first-unit cost is paid in t; v_close[f,t] t/yr of standing capacity of facility f given up by t.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.model.statement import Statement, Terms
from diversify.network.ground import Floats


def add(s: Statement) -> None:
    """Declare builds, openings and closures with their rows and costs."""
    _builds(s)
    _openings(s)
    _closures(s)
    c_capacity(s)
    c_minimum_run(s)
    c_reserve(s)
    c_units_max(s)
    c_units_min(s)
    c_open_once(s)
    c_open_first(s)
    c_closed_stays(s)


def _builds(s: Statement) -> None:
    """v_build with its annuities and fixed costs: in every planning year of service within the horizon, on the whole size."""
    ground, plants = s.network.ground, s.network.plants
    projects, online, service = plants.projects, plants.online, plants.service
    project = online["project"].to_numpy()
    lumpy = projects["lumpy"].to_numpy(dtype=bool)[project]
    most = projects["units_max"].to_numpy(dtype=np.float64)[project]
    scale = np.where(lumpy, 1.0, 2.0 ** np.round(np.log2(np.maximum(most, 1e-6))))
    s.columns("v_build", online[["project", "year"]], upper=most, integer=lumpy, scale=scale)
    built = service["project"].to_numpy()
    discount = ground.years.discount[service["year"]]
    where = _where(s, built) | {"year": ground.years.label[service["year"]]}
    capital = (projects["capex_musd"] * projects["annuity"]).to_numpy(dtype=np.float64)[built] * discount
    fixed = (projects["fixed_usd_per_t_year"] * projects["size"]).to_numpy(dtype=np.float64)[built] * discount / 1e6
    s.cost("capital", "v_build", service["position"], capital, **where)
    s.cost("fixed", "v_build", service["position"], fixed, **where)


def _where(s: Statement, project: np.ndarray) -> dict[str, np.ndarray]:
    ground, plants = s.network.ground, s.network.plants
    facility = plants.projects["facility"].to_numpy(dtype=np.int64)[project]
    country = plants.facilities["country"].to_numpy(dtype=np.int64)[facility]
    return {"country": ground.countries.decode(country), "place": plants.labels.decode(facility)}


def _openings(s: Statement) -> None:
    """v_open with its annuity, which runs life_years from the purchase."""
    ground, plants = s.network.ground, s.network.plants
    opening = s.network.plants.openings
    s.columns("v_open", opening[["project", "year"]], upper=np.ones(len(opening)), integer=np.ones(len(opening), dtype=bool))
    position = np.full(len(plants.online), -1)
    position[opening["online"]] = np.arange(len(opening))
    service = plants.service[position[plants.service["position"]] >= 0]
    project = service["project"].to_numpy()
    annuity = (plants.projects["capex_first_musd"] * plants.projects["annuity"]).to_numpy(dtype=np.float64)[project]
    where = _where(s, project) | {"year": ground.years.label[service["year"]]}
    s.cost("capital", "v_open", position[service["position"]], annuity * ground.years.discount[service["year"]], **where)


def _closures(s: Statement) -> None:
    """v_close saves fixed cost; the fixed cost of what stands is a constant of the objective."""
    ground, plants = s.network.ground, s.network.plants
    standing, facilities = plants.standing, plants.facilities
    discount, label = ground.years.discount, ground.years.label
    fixed = facilities["fixed_usd_per_t_year"].to_numpy(dtype=np.float64)
    facility, year = np.nonzero(standing > 0)
    country = ground.countries.decode(facilities["country"].to_numpy()[facility])
    where = {"country": country, "place": plants.labels.decode(facility), "year": label[year]}
    s.cost("fixed", "", [], fixed[facility] * standing[facility, year] * discount[year] / 1e6, **where)
    closing = facilities["closable"].to_numpy(dtype=bool)[facility]
    facility, year = facility[closing], year[closing]
    most = standing[facility, year]
    s.columns("v_close", plants.closings, upper=most, scale=2.0 ** np.round(np.log2(most)))
    where = {name: values[closing] for name, values in where.items()}
    s.cost("fixed", "v_close", np.arange(len(facility)), -fixed[facility] * discount[year] / 1e6, **where)


def _capacity_terms(s: Statement, row_of: np.ndarray, share: Floats) -> list[Terms]:
    """Return activity less ``share`` (F, T) x (ramped units - closed) for the facility-years numbered by ``row_of`` (F, T; -1: none)."""
    plants, runs = s.network.plants, s.network.cells.runs
    service, closing = plants.service, s.network.plants.closings
    built = plants.projects["facility"].to_numpy(dtype=np.int64)[service["project"]]
    units = service["ramp"].to_numpy() * plants.projects["size"].to_numpy(dtype=np.float64)[service["project"]]
    parts = [
        ("v_run", row_of[runs["facility"], runs["year"]], np.arange(len(runs)), runs["capacity_per_t"].to_numpy()),
        ("v_build", row_of[built, service["year"]], service["position"].to_numpy(), -share[built, service["year"]] * units),
        ("v_close", row_of[closing["facility"], closing["year"]], np.arange(len(closing)), share[closing["facility"], closing["year"]]),
    ]
    return [Terms.of(name, row[row >= 0], column[row >= 0], value[row >= 0]) for name, row, column, value in parts]


def _numbered(mask: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    facility, year = np.nonzero(mask)
    row_of = np.full(mask.shape, -1)
    row_of[facility, year] = np.arange(len(facility))
    return pd.DataFrame({"facility": facility, "year": year}), row_of


def c_capacity(s: Statement) -> None:
    """sum over p,g of capacity_per_t v_run[f,p,g,t] <= utilisation_max available (standing - v_close[f,t] + ramped units) (t/yr)."""
    plants = s.network.plants
    index, row_of = _numbered(plants.active)
    share = plants.usable_share("utilisation_max")
    upper = (share * plants.standing)[index["facility"], index["year"]]
    s.rows("c_capacity", index, _capacity_terms(s, row_of, share), upper=upper)


def c_minimum_run(s: Statement) -> None:
    """sum over p,g of capacity_per_t v_run[f,p,g,t] >= utilisation_min available (standing - v_close[f,t] + ramped units) (t/yr)."""
    plants = s.network.plants
    share = plants.usable_share("utilisation_min")
    index, row_of = _numbered(plants.active & (share > 0))
    lower = (share * plants.standing)[index["facility"], index["year"]]
    s.rows("c_minimum_run", index, _capacity_terms(s, row_of, share), lower=lower)


def c_reserve(s: Statement) -> None:
    """sum over t,p,g of w_t v_run[f,p,g,t] <= reserve_t of facility f (t)."""
    runs, plants = s.network.cells.runs, s.network.plants
    reserve = plants.facilities["reserve_t"].to_numpy(dtype=np.float64)
    limited = np.flatnonzero(np.isfinite(reserve))
    row_of = np.full(len(reserve), -1)
    row_of[limited] = np.arange(len(limited))
    row = row_of[runs["facility"]]
    weight = s.network.ground.years.weight[runs["year"]]
    terms = Terms.of("v_run", row[row >= 0], np.flatnonzero(row >= 0), weight[row >= 0])
    s.rows("c_reserve", pd.DataFrame({"facility": limited}), [terms], upper=reserve[limited])


def _built(s: Statement) -> Terms:
    online = s.network.plants.online
    return Terms.of("v_build", online["project"], np.arange(len(online)), 1.0)


def c_units_max(s: Statement) -> None:
    """sum over t of v_build[p,t] <= units_max of project p (units)."""
    most = s.network.plants.projects["units_max"].to_numpy(dtype=np.float64)
    s.rows("c_units_max", pd.DataFrame({"project": np.arange(len(most))}), [_built(s)], upper=most)


def c_units_min(s: Statement) -> None:
    """sum over t of v_build[p,t] >= units_min of project p (units)."""
    least = s.network.plants.projects["units_min"].to_numpy(dtype=np.float64)
    wanted = np.flatnonzero(least > 0)
    row_of = np.full(len(least), -1)
    row_of[wanted] = np.arange(len(wanted))
    built = _built(s)
    row = row_of[built.row]
    terms = Terms.of("v_build", row[row >= 0], built.column[row >= 0], 1.0)
    s.rows("c_units_min", pd.DataFrame({"project": wanted}), [terms], lower=least[wanted])


def c_open_once(s: Statement) -> None:
    """sum over t of v_open[p,t] <= 1 (purchases)."""
    opening = s.network.plants.openings
    projects, row = np.unique(opening["project"], return_inverse=True)
    terms = Terms.of("v_open", row, np.arange(len(opening)), 1.0)
    s.rows("c_open_once", pd.DataFrame({"project": projects}), [terms], upper=1.0)


def c_open_first(s: Statement) -> None:
    """sum over s<=t of v_build[p,s] <= units_max sum over s<=t of v_open[p,s] (units).

    Cumulative on both sides, which is tighter than year by year: the units built so far already count the opening.
    """
    opening = s.network.plants.openings
    rows = opening.assign(row=np.arange(len(opening)))
    earlier = rows.merge(rows, on="project", suffixes=("", "_before"))
    earlier = earlier[earlier["year_before"] <= earlier["year"]]
    most = s.network.plants.projects["units_max"].to_numpy(dtype=np.float64)[earlier["project"]]
    terms = [
        Terms.of("v_build", earlier["row"], earlier["online_before"], 1.0),
        Terms.of("v_open", earlier["row"], earlier["row_before"], -most),
    ]
    s.rows("c_open_first", opening[["project", "year"]], terms, upper=0.0)


def c_closed_stays(s: Statement) -> None:
    """v_close[f,t] >= v_close[f,t-1] - max(0, standing[f,t-1] - standing[f,t]) (t/yr): closed capacity never comes back."""
    plants, closing = s.network.plants, s.network.plants.closings
    rows = closing.assign(column=np.arange(len(closing)))
    following = rows.assign(year=rows["year"] + 1).merge(rows, on=["facility", "year"], how="inner", suffixes=("_before", ""))
    before = plants.standing[following["facility"], following["year"] - 1]
    fall = np.maximum(0.0, before - plants.standing[following["facility"], following["year"]])
    row = np.arange(len(following))
    terms = [Terms.of("v_close", row, following["column"], 1.0), Terms.of("v_close", row, following["column_before"], -1.0)]
    s.rows("c_closed_stays", following[["facility", "year"]], terms, lower=-fall)
