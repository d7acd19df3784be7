"""Where goods are made, where they can be used, and the lanes between: existence, cost and duty of every flow."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from diversify.audit.data import Case
from diversify.schema import EVERYTHING

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the earth, as the instance format fixes it."""

LANE = ["origin", "destination", "commodity"]


def returning_places(case: Case) -> pd.DataFrame:
    """Return the returns with ``*`` opened into every place with demand; ``owner`` and ``tag`` of the scrap beside them.

    A row for one place wins over ``*``.
    """
    rows = case.tables["returns"]
    demand = case.tables["demand"][["location", "commodity"]].drop_duplicates()
    anywhere = rows[rows["location"] == EVERYTHING].drop(columns="location").merge(demand, on="commodity")
    rows = pd.concat([rows[rows["location"] != EVERYTHING], anywhere], ignore_index=True)
    rows = rows.drop_duplicates(["commodity", "location", "scrap"])
    touch = rows["origin"].map({origin: case.touch(origin) for origin in rows["origin"].unique()})
    return rows.assign(
        owner=rows["location"].map(case.country),
        tag=np.where(rows["scrap"].map(case.traced).astype(bool), touch, 0).astype(int),
    )


def makers(case: Case) -> pd.DataFrame:
    """Return the supply sides: location, owner, commodity that a plant can make there or that returns there as scrap."""
    made = case.modes.merge(case.recipes[case.recipes["amount_t_per_t"] > 0.0], on="process")
    made = made.merge(case.facilities[["location", "owner"]].reset_index(), on="facility")
    scrap = returning_places(case).drop(columns="commodity").rename(columns={"scrap": "commodity"})
    columns = ["location", "owner", "commodity"]
    return pd.concat([made[columns], scrap[columns]], ignore_index=True).drop_duplicates()


def users(case: Case) -> pd.DataFrame:
    """Return the use sides: location, commodity that a plant takes in, demand or a substitute for it wants, or a stock holds."""
    taken = case.modes.merge(case.recipes[case.recipes["amount_t_per_t"] < 0.0], on="process")
    taken = taken.merge(case.facilities[["location"]].reset_index(), on="facility")
    demand = case.tables["demand"]
    instead = demand[["location", "commodity"]].merge(case.tables["substitutes"], on="commodity")
    instead = instead[["location", "substitute"]].rename(columns={"substitute": "commodity"})
    columns = ["location", "commodity"]
    places = [rows[columns] for rows in (taken, demand, instead, case.tables["stockpiles"])]
    return pd.concat(places, ignore_index=True).drop_duplicates()


def present(rows: pd.DataFrame, among: pd.DataFrame, **renamed: str) -> pd.Series:
    """Return whether each row's cells occur in ``among``; ``renamed`` says which column of ``rows`` stands for which there."""
    columns = [renamed.get(str(column), str(column)) for column in among.columns]
    known = pd.MultiIndex.from_frame(among) if len(among) else pd.MultiIndex.from_tuples([], names=list(among.columns))
    return pd.Series(pd.MultiIndex.from_frame(rows[columns]).isin(known), index=rows.index)


def has_lane(rows: pd.DataFrame, case: Case) -> pd.Series:
    """Return whether a lane joins each row's places: within a location, a commodity with freight, or a listed lane."""
    listed = present(rows, case.tables["lanes"][LANE])
    everywhere = rows["commodity"].isin(case.tables["freight"]["commodity"])
    within: pd.Series = rows["origin"] == rows["destination"]
    return within | everywhere | listed


def lane_costs(lanes: pd.DataFrame, case: Case) -> pd.Series:
    """Return the cost of each lane (origin, destination, commodity), USD per t: listed, else generated, else nothing.

    Generated: handling + rate x km between two places, nothing within one.
    """
    freight = case.tables["freight"].set_index("commodity")
    km = distances_km(lanes, case)
    generated = lanes["commodity"].map(freight["handling_usd_per_t"]) + lanes["commodity"].map(freight["freight_usd_per_t_km"]) * km
    generated = generated.where(lanes["origin"] != lanes["destination"], 0.0).fillna(0.0)
    listed = case.tables["lanes"].set_index(LANE)["cost_usd_per_t"]
    own = listed.reindex(pd.MultiIndex.from_frame(lanes[LANE])).to_numpy(dtype=float) if len(listed) else np.full(len(lanes), np.nan)
    return pd.Series(np.where(np.isnan(own), generated, own), index=lanes.index)


def distances_km(lanes: pd.DataFrame, case: Case) -> pd.Series:
    """Return the length of each lane: listed, listed the other way, else the great circle."""
    places = case.tables["locations"].set_index("location")
    latitude, longitude = np.radians(places["latitude"]), np.radians(places["longitude"])
    north, south = lanes["origin"].map(latitude), lanes["destination"].map(latitude)
    turn = lanes["destination"].map(longitude) - lanes["origin"].map(longitude)
    # haversine: stable for near places, where the arc cosine loses its digits
    chord = np.sin((south - north) / 2) ** 2 + np.cos(north) * np.cos(south) * np.sin(turn / 2) ** 2
    circle = pd.Series(2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord.to_numpy(dtype=float), 0.0, 1.0))), index=lanes.index)
    table = case.tables["distances"]
    if table.empty:
        return circle
    listed = table.set_index(["origin", "destination"])["km"]
    there = listed.reindex(pd.MultiIndex.from_frame(lanes[["origin", "destination"]])).to_numpy(dtype=float)
    back = listed.reindex(pd.MultiIndex.from_frame(lanes[["destination", "origin"]])).to_numpy(dtype=float)
    return pd.Series(np.where(np.isnan(there), np.where(np.isnan(back), circle, back), there), index=lanes.index)


def duties(flows: pd.DataFrame, case: Case) -> pd.Series:
    """Return the duty on each flow, USD per t: rates that match add up; none within a country or a customs union."""
    rows = tariff_duties(flows, case)
    total: pd.Series = rows["duty_usd_per_t"].groupby(level=0).sum()
    return total.reindex(flows.index, fill_value=0.0).astype(float)


def tariff_duties(flows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return the flows once for every tariff that they pay, under their own index, with ``tariff`` and ``duty_usd_per_t``."""
    leaves, enters = flows["origin"].map(case.country), flows["destination"].map(case.country)
    union_left, union_entered = leaves.map(case.union), enters.map(case.union)
    pays = (leaves != enters) & ((union_left != union_entered) | (union_left == ""))
    price = case.price.reindex(pd.MultiIndex.from_frame(flows[["commodity", "year"]])).to_numpy(dtype=float)
    paid = [flows.iloc[:0].assign(tariff="", duty_usd_per_t=0.0)]
    for row in case.tables["tariffs"].to_dict("records"):
        hit = pays & leaves.isin(case.members[row["origin"]]) & enters.isin(case.members[row["destination"]])
        hit &= flows["year"].isin(case.in_force(row["first_year"], row["last_year"])) & _is_commodity(flows, row["commodity"])
        if hit.any():
            paid.append(flows[hit].assign(tariff=row["tariff"], duty_usd_per_t=float(row["rate"]) * price[hit.to_numpy()]))
    return pd.concat(paid)


def _is_commodity(flows: pd.DataFrame, commodity: str) -> pd.Series:
    return flows["commodity"].isin([commodity]) | (commodity == EVERYTHING)


def restricted(flows: pd.DataFrame, restriction: Mapping[Hashable, Any], case: Case) -> pd.Series:
    """Return which flows a row of ``restrictions`` counts.

    ``located``: those that leave a country of ``origin`` for another country. ``owned``: those, and all from supply
    sides owned from ``origin``, also inside a country or a location.
    """
    leaves, enters = flows["origin"].map(case.country), flows["destination"].map(case.country)
    sources = case.members[restriction["origin"]]
    hit = leaves.isin(sources) & (leaves != enters)
    if restriction["by"] == "owned":
        hit |= flows["owner"].isin(sources)
    return hit & enters.isin(case.members[restriction["destination"]]) & _is_commodity(flows, restriction["commodity"])
