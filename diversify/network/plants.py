"""Plants, what they can run, and the capacity that stands or may be built."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from diversify import schema
from diversify.network.ground import NOBODY, Bools, Floats, Ground, Ints, Labels, annuity_factor, filled, flags, number

_ROUNDING = 1e-9
"""Slack when a quantity in t/yr is counted in whole units, so that 0.3 / 0.1 is three units."""


@dataclass(frozen=True)
class Plants:
    """Facilities, their modes, and projects; codes are positions in ``labels`` and ``project_labels``.

    ``facilities`` has one row per facility: location, owner, country (codes), utilisation_max, utilisation_min,
    reserve_t, fixed_usd_per_t_year, closable. ``standing`` (F, T) is standing capacity in t/yr, ``available`` (F, T)
    the share of all capacity that outages leave. ``modes`` lists facility, process, capacity_per_t,
    variable_usd_per_t. ``projects`` has one row per project, ``online`` the years in which a unit could come on
    line and ``service`` the years that such a unit serves: project, start and year (positions), ramp share.
    ``capable`` (F, T) says where capacity can be positive, outages apart.
    """

    labels: Labels
    project_labels: Labels
    facilities: pd.DataFrame
    standing: Floats
    available: Floats
    modes: pd.DataFrame
    projects: pd.DataFrame
    online: pd.DataFrame
    service: pd.DataFrame
    capable: Bools

    @classmethod
    def of(cls, ground: Ground) -> Plants:
        """Resolve facilities, capacities, modes and projects of the ground's instance."""
        labels = Labels(ground.instance.table("facilities")["facility"])
        project_labels = Labels(ground.instance.table("projects")["project"])
        facilities = _facilities(ground, labels)
        standing, available = _standing(ground, labels), _available(ground, labels)
        projects = _projects(ground, labels, project_labels, facilities)
        online = _online(ground, projects)
        service = _service(ground, projects, online)
        capable = standing > 0
        serving = service[service["ramp"] > 0]
        capable[projects["facility"].to_numpy()[serving["project"]], serving["year"]] = True
        return cls(labels, project_labels, facilities, standing, available, _modes(ground, labels), projects, online, service, capable)

    @cached_property
    def active(self) -> Bools:
        """Where each facility can run (F, T): it can have capacity, and outages leave a part of it."""
        return np.asarray(self.capable & (self.available > 0), dtype=bool)

    @cached_property
    def ever_active(self) -> Bools:
        """Whether each facility can have capacity in any year (F,); a plant that is out throughout keeps its lanes and contracts."""
        return np.asarray(self.capable.any(axis=1), dtype=bool)

    def usable_share(self, utilisation: str) -> Floats:
        """Return ``utilisation_max`` or ``utilisation_min`` x what outages leave, the share of capacity that may or must run (F, T)."""
        return self.facilities[utilisation].to_numpy(dtype=np.float64)[:, None] * self.available

    @cached_property
    def openings(self) -> pd.DataFrame:
        """Project, year and position in ``online`` of every year in which a first-unit cost can be paid."""
        first = self.projects["capex_first_musd"].to_numpy(dtype=np.float64)
        numbered = self.online.assign(online=np.arange(len(self.online)))
        return numbered[first[self.online["project"]] > 0].reset_index(drop=True)

    @cached_property
    def closings(self) -> pd.DataFrame:
        """Facility and year in which standing capacity can be closed."""
        facility, year = np.nonzero((self.standing > 0) & self.facilities["closable"].to_numpy(dtype=bool)[:, None])
        return pd.DataFrame({"facility": facility, "year": year})


def _facilities(ground: Ground, labels: Labels) -> pd.DataFrame:
    table = ground.instance.table("facilities").sort_values("facility", ignore_index=True)
    location = ground.locations.codes(table["location"])
    country = ground.location_country[location] if len(location) else location
    owner = ground.countries.codes(table["owner"])
    reserve = filled(table, "facilities", "reserve_t")
    return pd.DataFrame(
        {
            "location": location,
            "country": country,
            "owner": np.where(owner == NOBODY, country, owner),
            "utilisation_max": filled(table, "facilities", "utilisation_max"),
            "utilisation_min": filled(table, "facilities", "utilisation_min"),
            "reserve_t": np.where(np.isnan(reserve), np.inf, reserve),
            "fixed_usd_per_t_year": filled(table, "facilities", "fixed_usd_per_t_year"),
            "closable": flags(table, "facilities", "closable"),
        }
    )


def _standing(ground: Ground, labels: Labels) -> Floats:
    table = ground.instance.table("facilities")
    standing = np.zeros((len(labels), len(ground.years)))
    capacity = filled(table, "facilities", "capacity_t_per_year")
    for code, size, first, last in zip(labels.codes(table["facility"]), capacity, table["first_year"], table["last_year"], strict=True):
        standing[code] = size * ground.years.within(first, last)
    for facility, rows in ground.instance.table("capacities").groupby("facility"):
        years = rows["year"].to_numpy(dtype=np.int64)
        order = np.argsort(years)
        sizes = np.concatenate([[0.0], filled(rows, "capacities", "capacity_t_per_year")[order]])
        standing[labels.code(str(facility))] = sizes[np.searchsorted(years[order], ground.years.label, side="right")]
    return standing


def _available(ground: Ground, labels: Labels) -> Floats:
    table = ground.instance.table("outages").sort_values("outage", kind="stable")
    available = np.ones((len(labels), len(ground.years)))
    left = filled(table, "outages", "available")
    for code, share, first, last in zip(labels.codes(table["facility"]), left, table["first_year"], table["last_year"], strict=True):
        available[code] *= np.where(ground.years.within(first, last), share, 1.0)
    return available


def _modes(ground: Ground, labels: Labels) -> pd.DataFrame:
    own, further = ground.instance.table("facilities"), ground.instance.table("modes")
    return pd.DataFrame(
        {
            "facility": np.concatenate([labels.codes(own["facility"]), labels.codes(further["facility"])]),
            "process": np.concatenate([ground.processes.codes(own["process"]), ground.processes.codes(further["process"])]),
            "capacity_per_t": np.concatenate([np.ones(len(own)), filled(further, "modes", "capacity_per_t")]),
            "variable_usd_per_t": np.concatenate(
                [filled(own, "facilities", "variable_usd_per_t"), filled(further, "modes", "variable_usd_per_t")]
            ),
        }
    ).sort_values(["facility", "process"], ignore_index=True)


def _projects(ground: Ground, labels: Labels, project_labels: Labels, facilities: pd.DataFrame) -> pd.DataFrame:
    """One row per project: size of a unit, limits and costs per unit (a continuous project counts t/yr as units)."""
    table = ground.instance.table("projects").sort_values("project", ignore_index=True)
    facility = labels.codes(table["facility"])
    unit = filled(table, "projects", "unit_t_per_year")
    lumpy = ~np.isnan(unit)
    size = np.where(lumpy, unit, 1.0)
    most = _units(filled(table, "projects", "units_max"), filled(table, "projects", "max_t_per_year") / size)
    least = np.fmax(filled(table, "projects", "units_min"), filled(table, "projects", "min_t_per_year") / size)
    life = filled(table, "projects", "life_years")
    country = facilities["country"].to_numpy()[facility] if len(table) else facility
    capex = _units(filled(table, "projects", "capex_unit_musd"), filled(table, "projects", "capex_usd_per_t_year") * size / 1e6)
    decided = filled(table, "projects", "decided_year")
    return pd.DataFrame(
        {
            "facility": facility,
            "country": country,
            "lumpy": lumpy,
            "size": size,
            "units_max": np.where(lumpy, np.floor(most + _ROUNDING), most),
            "units_min": np.where(lumpy, np.ceil(least - _ROUNDING), least),
            "capex_musd": np.nan_to_num(capex),
            "capex_first_musd": filled(table, "projects", "capex_first_musd"),
            "decided_year": np.where(np.isnan(decided), ground.years.label[0], decided),
            "lead_years": filled(table, "projects", "lead_years"),
            "earliest_year": [number(year, -np.inf) for year in table["earliest_year"]],
            "latest_year": [number(year, np.inf) for year in table["latest_year"]],
            "life_years": life,
            "annuity": [annuity_factor(rate, years) for rate, years in zip(ground.wacc[country], life, strict=True)],
            "ramp": [_ramp(cell) for cell in table["ramp"]],
            "fixed_usd_per_t_year": filled(table, "projects", "fixed_usd_per_t_year"),
        }
    )


def _units(first: Floats, second: Floats) -> Floats:
    return np.where(np.isnan(first), second, first)


def _ramp(cell: object) -> tuple[float, ...]:
    text = cell if isinstance(cell, str) and cell.strip() else str(schema.TABLES["projects"].column("ramp").default)
    return tuple(float(share) for share in text.split(";"))


def _online(ground: Ground, projects: pd.DataFrame) -> pd.DataFrame:
    """Project and planning year (positions) where t >= earliest, t >= decided + lead and t <= latest."""
    years = ground.years.label[None, :]
    decidable = (projects["decided_year"] + projects["lead_years"]).to_numpy(dtype=np.float64)
    earliest = np.maximum(projects["earliest_year"].to_numpy(dtype=np.float64), decidable)
    latest = projects["latest_year"].to_numpy(dtype=np.float64)
    project, year = np.nonzero((years >= earliest[:, None]) & (years <= latest[:, None]))
    return pd.DataFrame({"project": project, "year": year})


def _service(ground: Ground, projects: pd.DataFrame, online: pd.DataFrame) -> pd.DataFrame:
    """For each unit that could come on line, the years it serves and the usable share of its size."""
    labels = ground.years.label
    start = online["year"].to_numpy()
    life = projects["life_years"].to_numpy()[online["project"]]
    age = labels[None, :] - labels[start][:, None] if len(online) else np.empty((0, len(labels)), dtype=np.int64)
    position, year = np.nonzero((age >= 0) & (age < life[:, None]))
    ramps = projects["ramp"].tolist()
    project: Ints = online["project"].to_numpy()[position]
    share = [ramps[p][min(a, len(ramps[p]) - 1)] for p, a in zip(project, age[position, year], strict=True)]
    return pd.DataFrame(
        {"position": position, "project": project, "start": start[position], "year": year, "ramp": np.array(share, dtype=np.float64)}
    )
