"""What the instance's tables mean, every default filled in, resolved for the audit alone.

The model resolves the same defaults elsewhere. This second reading is on purpose: a misreading of the format by one
side shows as a violation instead of passing unseen.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.instance import Instance
from diversify.schema import EVERYTHING, PROVENANCE_COLUMNS, TABLES, Column


def text(column: pd.Series) -> pd.Series:
    """Return a text column with blanks as the empty string."""
    return column.astype(object).fillna("")


def filled(instance: Instance, name: str) -> pd.DataFrame:
    """Return a table of the instance with the schema's default in every blank; else ``""`` (text) or NaN (figures).

    Columns that only say where figures come from are left out.
    """
    frame = instance.table(name)
    return pd.DataFrame(
        {column.name: _fill(frame[column.name], column) for column in TABLES[name].columns if column.name not in PROVENANCE_COLUMNS}
    )


def _fill(cells: pd.Series, column: Column) -> pd.Series:
    if column.kind in ("number", "year"):
        figures = pd.Series(cells.to_numpy(dtype=float, na_value=np.nan), index=cells.index)
        return figures if column.default is None else figures.fillna(float(column.default))
    if column.kind == "boolean":
        return cells.astype("boolean").fillna(bool(column.default)).astype(bool)
    return cells.astype(object).fillna(str(column.default or ""))


@dataclass(frozen=True, slots=True)
class Case:
    """One planning case as the audit understands it.

    ``span`` and ``discount``: w_t (calendar years) and D_t of each planning year. ``country``: of each location.
    ``groups``: the tracing groups in the order of their bits in a tag's mask. ``price``: USD per t by (commodity, year).
    ``facilities`` (by facility): location, country, owner, ``touch`` (mask of the tracing groups it belongs to), limits.
    ``modes``: facility, process, capacity_per_t, variable_usd_per_t, the own process included.
    ``standing``: facility, year, standing (t/yr before closures and outages), available (share that outages leave), every
    facility in every planning year.
    ``projects`` (by project): see ``_projects``. ``demand``: see ``_demand``. ``tables``: every table with its defaults
    filled in.
    """

    tables: dict[str, pd.DataFrame]
    years: tuple[int, ...]
    span: pd.Series
    discount: pd.Series
    names: dict[str, frozenset[str]]
    country: pd.Series
    union: pd.Series
    members: dict[str, frozenset[str]]
    groups: tuple[str, ...]
    traced: pd.Series
    price: pd.Series
    recipes: pd.DataFrame
    facilities: pd.DataFrame
    modes: pd.DataFrame
    standing: pd.DataFrame
    projects: pd.DataFrame
    demand: pd.DataFrame

    def mask(self, tag: str) -> int | None:
        """Return the bits of a tag; None where it is not the canonical name of a set of tracing groups."""
        parts = tag.split("+") if tag else []
        if parts != sorted(set(parts)) or not set(parts) <= set(self.groups):
            return None
        return sum(1 << self.groups.index(part) for part in parts)

    def tag_of(self, mask: int) -> str:
        """Return the name of a tag given by its bits."""
        return "+".join(group for bit, group in enumerate(self.groups) if mask >> bit & 1)

    def touch(self, *countries: str) -> int:
        """Return the bits of the tracing groups that hold any of ``countries``."""
        return sum(1 << bit for bit, group in enumerate(self.groups) if self.members[group] & set(countries))

    def named(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return ``rows`` with the tags' masks put into words."""
        return rows.assign(tag=rows["tag"].map({mask: self.tag_of(int(mask)) for mask in rows["tag"].unique()}))

    def in_force(self, first_year: float, last_year: float) -> list[int]:
        """Return the planning years within inclusive limits; NaN is no limit."""
        return [year for year in self.years if not (year < first_year or year > last_year)]


def resolve(instance: Instance) -> Case:
    """Return the instance as the audit understands it."""
    years = tuple(int(year) for year in instance.years)
    rate = float(instance.meta["discount_rate"])
    tables = {name: filled(instance, name) for name in TABLES if name not in UNUSED}
    countries, locations = tables["countries"].set_index("country"), tables["locations"].set_index("location")
    members = _members(tables)
    traced = tables["caps"]["basis"] == "traced"
    groups = tuple(sorted(set(tables["caps"].loc[traced, "sources"])))
    commodities = tables["commodities"].set_index("commodity")
    span = _spans(years)
    facilities = _facilities(tables, locations["country"], groups, members)
    wacc = countries["wacc"].fillna(rate)
    return Case(
        tables=tables,
        years=years,
        span=span,
        discount=_discount(span, rate),
        names={name: frozenset(tables[name][TABLES[name].key[0]]) for name in NAMED},
        country=locations["country"],
        union=countries["customs_union"],
        members=members,
        groups=groups,
        traced=commodities["traced"],
        price=_prices(tables, commodities["price_usd_per_t"], years),
        recipes=tables["recipes"][["process", "commodity", "amount_t_per_t"]],
        facilities=facilities,
        modes=_modes(tables, facilities),
        standing=_standing(tables, facilities, years),
        projects=_projects(tables, facilities["country"], wacc, years[0]),
        demand=_demand(tables, years),
    )


NAMED = ("projects", "facilities", "processes", "commodities", "locations", "countries", "caps")
"""Tables whose key names things that a plan may speak of."""

UNUSED = ("scenarios", "changes", "families", "figures", "sources")
"""Tables that say nothing of the case itself."""


def _spans(years: tuple[int, ...]) -> pd.Series:
    """w_t: calendar years up to the next planning year; the last repeats the gap before it; a single year is itself."""
    gaps = [later - earlier for earlier, later in itertools.pairwise(years)]
    return pd.Series([*gaps, gaps[-1] if gaps else 1], index=list(years))


def _discount(span: pd.Series, rate: float) -> pd.Series:
    """D_t: present value, in the first planning year, of one a year in each calendar year that t stands for."""
    years, widths = [int(year) for year in span.index], [int(width) for width in span]
    first = years[0]
    return pd.Series(
        [sum((1.0 + rate) ** -(year + later - first) for later in range(width)) for year, width in zip(years, widths, strict=True)],
        index=years,
    )


def _members(tables: dict[str, pd.DataFrame]) -> dict[str, frozenset[str]]:
    """Countries of every selector: each country, each group and ``*``."""
    everywhere = frozenset(tables["countries"]["country"])
    groups = tables["groups"]
    members = {str(group): frozenset(rows["country"]) for group, rows in groups.groupby("group")}
    return {EVERYTHING: everywhere} | {country: frozenset([country]) for country in everywhere} | members


def held_between(listed: np.ndarray, figures: np.ndarray, at: tuple[int, ...]) -> np.ndarray:
    """Return figures linear between increasing listed years and held outside them; one row without a year holds for all."""
    if np.isnan(listed).all():
        return np.full(len(at), figures[0])
    held: np.ndarray = np.interp(at, listed, figures)
    return held


def _prices(tables: dict[str, pd.DataFrame], constant: pd.Series, years: tuple[int, ...]) -> pd.Series:
    by_commodity = {str(commodity): np.full(len(years), price) for commodity, price in constant.items()}
    for commodity, rows in tables["prices"].sort_values("year").groupby("commodity"):
        listed = rows[["year", "price_usd_per_t"]].to_numpy(dtype=float)
        by_commodity[str(commodity)] = held_between(listed[:, 0], listed[:, 1], years)
    index = pd.MultiIndex.from_product([list(by_commodity), years], names=["commodity", "year"])
    return pd.Series(np.concatenate(list(by_commodity.values())) if by_commodity else [], index=index, dtype=float)


def _facilities(
    tables: dict[str, pd.DataFrame], country: pd.Series, groups: tuple[str, ...], members: dict[str, frozenset[str]]
) -> pd.DataFrame:
    frame = tables["facilities"].set_index("facility")
    frame["country"] = frame["location"].map(country)
    frame["owner"] = frame["owner"].where(frame["owner"] != "", frame["country"])
    frame["touch"] = [
        sum(1 << bit for bit, group in enumerate(groups) if members[group] & {place, owner})
        for place, owner in zip(frame["country"], frame["owner"], strict=True)
    ]
    return frame


def _modes(tables: dict[str, pd.DataFrame], facilities: pd.DataFrame) -> pd.DataFrame:
    own = facilities.reset_index()[["facility", "process", "variable_usd_per_t"]].assign(capacity_per_t=1.0)
    columns = ["facility", "process", "capacity_per_t", "variable_usd_per_t"]
    return pd.concat([own[columns], tables["modes"][columns]], ignore_index=True).drop_duplicates(["facility", "process"])


def _standing(tables: dict[str, pd.DataFrame], facilities: pd.DataFrame, years: tuple[int, ...]) -> pd.DataFrame:
    """Standing capacity: the facility's own three columns, or steps from each listed year on; and what outages leave of all capacity."""
    label = np.asarray(years, dtype=float)
    place = {str(facility): row for row, facility in enumerate(facilities.index)}
    first, last, size = (facilities[name].to_numpy(dtype=float)[:, None] for name in ("first_year", "last_year", "capacity_t_per_year"))
    standing = np.where((label < first) | (label > last), 0.0, size)
    for facility, listed in tables["capacities"].sort_values("year").groupby("facility"):
        steps = np.concatenate([[0.0], listed["capacity_t_per_year"].to_numpy(dtype=float)])
        standing[place[str(facility)]] = steps[np.searchsorted(listed["year"].to_numpy(dtype=float), label, side="right")]
    grid = pd.MultiIndex.from_product([list(place), years], names=["facility", "year"])
    left = outages_in_force(tables["outages"], years).groupby(["facility", "year"])["available"].prod()
    return pd.DataFrame(
        {"standing": standing.ravel(), "available": left.reindex(grid, fill_value=1.0).to_numpy()}, index=grid
    ).reset_index()


def outages_in_force(outages: pd.DataFrame, years: tuple[int, ...]) -> pd.DataFrame:
    """Return outage, facility, year and available (share left) of every outage in every planning year that it holds in."""
    rows = outages.merge(pd.DataFrame({"year": list(years)}), how="cross")
    held = ~(rows["year"] < rows["first_year"]) & ~(rows["year"] > rows["last_year"])
    return rows.loc[held, ["outage", "facility", "year", "available"]]


def _projects(tables: dict[str, pd.DataFrame], country: pd.Series, wacc: pd.Series, first_year: int) -> pd.DataFrame:
    """Projects by name with: size (t/yr of a unit; 1 where any size goes), whole, least and most (units), capex_unit and
    capex_first (musd), opens and closes (first and last year of coming on line), annuity (CRF), ramp (tuple of shares)."""
    frame = tables["projects"].set_index("project")
    size = frame["unit_t_per_year"].fillna(1.0)
    by_size = frame["capex_usd_per_t_year"] * size / 1e6
    decided = frame["decided_year"].fillna(float(first_year)) + frame["lead_years"]
    rate = frame["facility"].map(country).map(wacc).to_numpy(dtype=float)
    return frame[["facility", "lead_years", "life_years", "fixed_usd_per_t_year"]].assign(
        country=frame["facility"].map(country),
        size=size,
        whole=frame["unit_t_per_year"].notna(),
        most=np.fmin(frame["units_max"].fillna(np.inf), (frame["max_t_per_year"] / size).fillna(np.inf)),
        least=np.fmax(frame["units_min"], frame["min_t_per_year"] / size),
        capex_unit=frame["capex_unit_musd"].fillna(by_size).fillna(0.0),
        capex_first=frame["capex_first_musd"],
        opens=np.fmax(decided, frame["earliest_year"]),
        closes=frame["latest_year"].fillna(np.inf),
        annuity=_capital_recovery(rate, frame["life_years"].to_numpy(dtype=float)),
        ramp=frame["ramp"].map(lambda shares: tuple(float(share) for share in str(shares).split(";"))),
    )


def _capital_recovery(rate: np.ndarray, life: np.ndarray) -> np.ndarray:
    """Yearly payment, per unit of capital, that repays it with interest over its life; 1 / life at no interest."""
    interest = rate != 0.0
    safe = np.where(interest, rate, 1.0)
    return np.asarray(np.where(interest, safe / (1.0 - (1.0 + safe) ** -life), 1.0 / life), dtype=float)


def _demand(tables: dict[str, pd.DataFrame], years: tuple[int, ...]) -> pd.DataFrame:
    """Location, commodity, year, wanted (t/yr), shortage_usd_per_t (NaN: must be met), for every planning year."""
    key = ["location", "commodity"]
    rows = tables["demand"].sort_values([*key, "year"]).reset_index(drop=True)
    starts = np.flatnonzero(~rows.duplicated(key))
    ends = [*starts[1:], len(rows)]
    listed, figures = rows["year"].to_numpy(dtype=float), rows[["quantity_t_per_year", "shortage_usd_per_t"]].to_numpy(dtype=float)
    grid = rows.loc[starts, key].merge(pd.DataFrame({"year": list(years)}), how="cross")
    columns = {
        name: [held_between(listed[start:end], figures[start:end, place], years) for start, end in zip(starts, ends, strict=False)]
        for place, name in enumerate(["wanted", "shortage_usd_per_t"])
    }
    return grid.assign(**{name: np.concatenate(parts) if parts else np.empty(0) for name, parts in columns.items()})
