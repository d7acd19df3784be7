"""Where commodities are made and used, and the lanes between: distance, cost, tariffs, restrictions.

A lane leads from the supply side of a place to the use side of a place; within a location it is free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.network.ground import NOBODY, Bools, Floats, Ground, coded, filled, records
from diversify.network.plants import Plants

EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True)
class Trade:
    """Makers, users and lanes; all columns are codes.

    ``makers``: location, owner, commodity that some plant (or returned scrap) can supply. ``users``: location,
    commodity that some plant, demand, substitute or stockpile can take in. ``returns``: commodity, location, scrap,
    lag_years, scrap_t_per_t, past_t_per_year, origin. ``demands``: location, commodity. ``deliverable``: location,
    commodity, supplied (the commodity or a substitute), ratio_t_per_t, extra_usd_per_t, max_share. ``lanes``: origin,
    destination, commodity, cost_usd_per_t, capacity_t_per_year (inf where unlimited), limited. ``markets``: location,
    commodity, price_usd_per_t, limit_t_per_year (inf where unlimited).
    """

    makers: pd.DataFrame
    users: pd.DataFrame
    returns: pd.DataFrame
    demands: pd.DataFrame
    deliverable: pd.DataFrame
    lanes: pd.DataFrame
    markets: pd.DataFrame

    @classmethod
    def of(cls, ground: Ground, plants: Plants) -> Trade:
        """Derive makers, users and lanes from plants, demand, stockpiles, returns, freight and lanes."""
        demands = _demands(ground)
        deliverable = _deliverable(ground, demands)
        returns = _returns(ground, demands)
        lines = _recipe_lines(ground, plants)
        makers = _makers(ground, lines, returns)
        users = _users(ground, lines, deliverable)
        return cls(makers, users, returns, demands, deliverable, _lanes(ground, makers, users), _markets(ground))


def _recipe_lines(ground: Ground, plants: Plants) -> pd.DataFrame:
    """Every recipe line of every mode of every plant that can ever run, with the plant's place and owner."""
    modes = plants.modes[plants.ever_active[plants.modes["facility"]]]
    lines = modes.merge(ground.recipes, on="process")
    return lines.assign(
        location=plants.facilities["location"].to_numpy()[lines["facility"]],
        owner=plants.facilities["owner"].to_numpy()[lines["facility"]],
    )


def _unique(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return frame[columns].drop_duplicates().sort_values(columns, ignore_index=True)


def _makers(ground: Ground, lines: pd.DataFrame, returns: pd.DataFrame) -> pd.DataFrame:
    scrap = pd.DataFrame(
        {
            "location": returns["location"],
            "owner": ground.location_country[returns["location"]],
            "commodity": returns["scrap"],
        }
    )
    return _unique(pd.concat([lines[lines["amount"] > 0], scrap]), ["location", "owner", "commodity"])


def _users(ground: Ground, lines: pd.DataFrame, deliverable: pd.DataFrame) -> pd.DataFrame:
    stock = ground.instance.table("stockpiles")
    parts = [
        lines[lines["amount"] < 0][["location", "commodity"]],
        pd.DataFrame({"location": deliverable["location"], "commodity": deliverable["supplied"]}),
        pd.DataFrame({"location": ground.locations.codes(stock["location"]), "commodity": ground.commodities.codes(stock["commodity"])}),
    ]
    return _unique(pd.concat(parts), ["location", "commodity"])


def _demands(ground: Ground) -> pd.DataFrame:
    table = ground.instance.table("demand")
    frame = pd.DataFrame({"location": ground.locations.codes(table["location"]), "commodity": ground.commodities.codes(table["commodity"])})
    return _unique(frame, ["location", "commodity"])


def _deliverable(ground: Ground, demands: pd.DataFrame) -> pd.DataFrame:
    """What can serve each demand: the commodity itself, then its substitutes."""
    table = ground.instance.table("substitutes")
    substitutes = pd.DataFrame(
        {
            "commodity": ground.commodities.codes(table["commodity"]),
            "supplied": ground.commodities.codes(table["substitute"]),
            "ratio_t_per_t": filled(table, "substitutes", "ratio_t_per_t"),
            "extra_usd_per_t": filled(table, "substitutes", "extra_usd_per_t"),
            "max_share": filled(table, "substitutes", "max_share"),
        }
    )
    itself = demands.assign(supplied=demands["commodity"], ratio_t_per_t=1.0, extra_usd_per_t=0.0, max_share=np.inf)
    both = coded(pd.concat([itself, demands.merge(substitutes, on="commodity")]))
    return both.sort_values(["location", "commodity", "supplied"], ignore_index=True)


def _returns(ground: Ground, demands: pd.DataFrame) -> pd.DataFrame:
    """Rows of the returns table, ``*`` spread over the places with demand; a row for one place wins."""
    table = ground.instance.table("returns")
    frame = pd.DataFrame(
        {
            "commodity": ground.commodities.codes(table["commodity"]),
            "location": ground.locations.codes(table["location"]),
            "scrap": ground.commodities.codes(table["scrap"]),
            "lag_years": filled(table, "returns", "lag_years"),
            "scrap_t_per_t": filled(table, "returns", "scrap_t_per_t"),
            "past_t_per_year": filled(table, "returns", "past_t_per_year"),
            "origin": ground.countries.codes(table["origin"]),
        }
    )
    return _spread(frame, demands, ["commodity", "location", "scrap"])


def _markets(ground: Ground) -> pd.DataFrame:
    table = ground.instance.table("markets")
    frame = pd.DataFrame(
        {
            "location": ground.locations.codes(table["location"]),
            "commodity": ground.commodities.codes(table["commodity"]),
            "price_usd_per_t": filled(table, "markets", "price_usd_per_t"),
            "limit_t_per_year": np.nan_to_num(filled(table, "markets", "limit_t_per_year"), nan=np.inf),
        }
    )
    return _spread(frame, pd.DataFrame({"location": np.arange(len(ground.locations))}), ["location", "commodity"])


def _spread(frame: pd.DataFrame, places: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Replace rows for every place (location ``NOBODY``) by one row a place; a row that names its place wins.

    ``places`` has a column location and, where not every place qualifies, columns of ``frame`` that must match.
    """
    everywhere = frame["location"] == NOBODY
    shared = [column for column in places.columns if column != "location"]
    general = frame[everywhere].drop(columns="location")
    general = general.merge(places, on=shared) if shared else general.merge(places, how="cross")
    both = coded(pd.concat([frame[~everywhere], general[frame.columns]]))
    return both.drop_duplicates(key, keep="first").sort_values(key, ignore_index=True)


def great_circle_km(ground: Ground) -> Floats:
    """Return distances between all locations (L, L) by the haversine formula; NaN where coordinates are missing."""
    table = ground.instance.table("locations").sort_values("location", ignore_index=True)
    latitude = np.radians(filled(table, "locations", "latitude"))
    longitude = np.radians(filled(table, "locations", "longitude"))
    half_lat = np.sin((latitude[:, None] - latitude[None, :]) / 2.0) ** 2
    half_lon = np.sin((longitude[:, None] - longitude[None, :]) / 2.0) ** 2
    chord = half_lat + np.cos(latitude)[:, None] * np.cos(latitude)[None, :] * half_lon
    return np.asarray(2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0))), dtype=np.float64)


def distances_km(ground: Ground) -> Floats:
    """Return the distance of every lane (L, L): the table's, both ways unless the other way is listed, else great circle."""
    km = great_circle_km(ground)
    table = ground.instance.table("distances")
    origin, destination = ground.locations.codes(table["origin"]), ground.locations.codes(table["destination"])
    listed = filled(table, "distances", "km")
    km[destination, origin] = listed
    km[origin, destination] = listed
    return km


def _lanes(ground: Ground, makers: pd.DataFrame, users: pd.DataFrame) -> pd.DataFrame:
    sources = _unique(makers, ["location", "commodity"]).rename(columns={"location": "origin"})
    sinks = users.rename(columns={"location": "destination"})
    pairs = sources.merge(sinks, on="commodity")
    freight = ground.instance.table("freight")
    shipped = np.full(len(ground.commodities), np.nan)
    handling = np.zeros(len(ground.commodities))
    codes = ground.commodities.codes(freight["commodity"])
    shipped[codes] = filled(freight, "freight", "freight_usd_per_t_km")
    handling[codes] = filled(freight, "freight", "handling_usd_per_t")
    inside = (pairs["origin"] == pairs["destination"]).to_numpy()
    commodity = pairs["commodity"].to_numpy()
    km = distances_km(ground)[pairs["origin"], pairs["destination"]]
    generated = np.where(inside, 0.0, handling[commodity] + np.where(shipped[commodity] > 0, shipped[commodity] * km, shipped[commodity]))
    pairs["generated"] = generated
    listed = _listed_lanes(ground)
    lanes = pairs.merge(listed, on=["origin", "destination", "commodity"], how="left")
    lanes["limited"] = np.isfinite(lanes["capacity_t_per_year"])
    lanes["capacity_t_per_year"] = lanes["capacity_t_per_year"].fillna(np.inf)
    exists = lanes["generated"].notna() | lanes["listed"].notna()
    lanes["cost_usd_per_t"] = lanes["cost_usd_per_t"].fillna(lanes["generated"]).fillna(0.0)
    columns = ["origin", "destination", "commodity", "cost_usd_per_t", "capacity_t_per_year", "limited"]
    return lanes.loc[exists, columns].sort_values(["commodity", "origin", "destination"], ignore_index=True)


def _listed_lanes(ground: Ground) -> pd.DataFrame:
    table = ground.instance.table("lanes")
    return pd.DataFrame(
        {
            "origin": ground.locations.codes(table["origin"]),
            "destination": ground.locations.codes(table["destination"]),
            "commodity": ground.commodities.codes(table["commodity"]),
            "cost_usd_per_t": filled(table, "lanes", "cost_usd_per_t"),
            "capacity_t_per_year": filled(table, "lanes", "capacity_t_per_year"),
            "listed": np.ones(len(table)),
        }
    )


@dataclass(frozen=True)
class Tariff:
    """One row of the tariffs with its selectors resolved to masks: lanes (N, N; duty-free ones left out), commodities, planning years."""

    name: str
    lanes: Bools
    commodity: Bools
    years: Bools
    rate: float


def tariffs(ground: Ground) -> list[Tariff]:
    """Return the instance's tariffs in the order of their table."""
    return [
        Tariff(
            name=row["tariff"],
            lanes=ground.select(row["origin"])[:, None] & ground.select(row["destination"])[None, :] & ~ground.duty_free,
            commodity=ground.select_commodity(row["commodity"]),
            years=ground.years.within(row["first_year"], row["last_year"]),
            rate=row["rate"],
        )
        for row in records(ground.instance.table("tariffs"))
    ]


def tariff_rates(ground: Ground, commodity: int) -> Floats:
    """Return the tariff rate of one commodity from country to country by planning year (N, N, T), as a share of price."""
    count = len(ground.countries)
    rates = np.zeros((count, count, len(ground.years)))
    for tariff in tariffs(ground):
        if tariff.commodity[commodity]:
            rates += tariff.rate * (tariff.lanes[:, :, None] & tariff.years[None, None, :])
    return rates


def tariff_flows(ground: Ground, flows: pd.DataFrame) -> pd.DataFrame:
    """Return which flows each tariff bears on: tariff (its name), flow (position), usd_per_t (what a rate of 1 would cost)."""
    origin, destination, commodity, year = (
        flows[name].to_numpy() for name in ("origin_country", "destination_country", "commodity", "year")
    )
    parts = [pd.DataFrame({"tariff": pd.Series(dtype=object), "flow": pd.Series(dtype=np.int64)})]
    for tariff in tariffs(ground):
        on_them = tariff.lanes[origin, destination] & tariff.commodity[commodity] & tariff.years[year]
        parts.append(pd.DataFrame({"tariff": tariff.name, "flow": np.flatnonzero(on_them)}))
    borne = pd.concat(parts[len(parts) > 1 :], ignore_index=True)
    flow = borne["flow"].to_numpy(dtype=np.int64)
    return borne.assign(usd_per_t=ground.price_usd_per_t[commodity[flow], year[flow]])


@dataclass(frozen=True)
class Restriction:
    """One restriction with its selectors resolved to masks over countries, commodities and planning years."""

    name: str
    origin: Bools
    destination: Bools
    commodity: Bools
    years: Bools
    limit_t_per_year: float
    by_owner: bool

    def matches(self, flows: pd.DataFrame) -> Bools:
        """Return which flows count: leaving a country of origin for another, or (by owner) made in a plant owned from origin."""
        leaves = self.origin[flows["origin_country"]] & (flows["origin_country"] != flows["destination_country"]).to_numpy()
        hit = leaves | self.origin[flows["owner"]] if self.by_owner else leaves
        return np.asarray(
            hit & self.destination[flows["destination_country"]] & self.commodity[flows["commodity"]] & self.years[flows["year"]],
            dtype=bool,
        )


def restrictions(ground: Ground) -> list[Restriction]:
    """Return the instance's restrictions in the order of their names."""
    table = ground.instance.table("restrictions").sort_values("restriction", kind="stable")
    return [
        Restriction(
            name=row["restriction"],
            origin=ground.select(row["origin"]),
            destination=ground.select(row["destination"]),
            commodity=ground.select_commodity(row["commodity"]),
            years=ground.years.within(row["first_year"], row["last_year"]),
            limit_t_per_year=row["limit_t_per_year"],
            by_owner=row["by"] == "owned",
        )
        for row in records(table)
    ]
