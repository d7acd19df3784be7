"""What each limit of the case costs a plan: figures that are no money, but that the plan stands up against.

A limit's row in the table ``prices`` says what one more tonne of it is worth in a year. Times the figure itself that is what the cost
would change by if the figure were double and the rate held: the same measure as what is paid for a price, so that the
two can stand in one list. One hundredth of it is what a figure wrong by one per cent is worth.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from diversify.analyses.provenance.paid import CELL, joined, spread_over_listed
from diversify.audit.data import Case, outages_in_force
from diversify.schema import EVERYTHING, TABLES


def binding(tables: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    """Return ``table``, ``key``, ``column`` and ``musd`` (discounted; below zero where more of the limit saves) of every limit that binds.

    ``tables`` are a plan's. A share or a quantity between listed years is spread over the rows on either side. Limits on units of
    projects, whose prices are local, and what has no figure of its own (a commodity's price) are left out.
    """
    prices = tables["prices"]
    of_kind = {kind: prices[prices["kind"] == kind].reset_index(drop=True) for kind in _FIGURES}
    parts = [_FIGURES[kind](rows, tables, case) for kind, rows in of_kind.items() if len(rows)]
    found = pd.concat([_none(), *parts], ignore_index=True)
    total = found.groupby(CELL, sort=False)["musd"].sum().reset_index()
    return total[total["musd"] != 0.0].reset_index(drop=True)


def _none() -> pd.DataFrame:
    return pd.DataFrame({**{name: pd.Series(dtype=object) for name in CELL}, "musd": pd.Series(dtype=float)})


def _cells(table: str, key: pd.Series, column: str, musd: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"table": table, "key": key, "column": column, "musd": musd.fillna(0.0).astype(float)})


def _worth(rows: pd.DataFrame, case: Case) -> pd.Series:
    """Return what one more t/yr of a limit is worth, discounted million USD."""
    return rows["usd_per_t"] * rows["year"].astype(float).map(case.discount) / 1e6


def _demand(rows: pd.DataFrame, tables: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    place = ["location", "commodity"]
    listed = case.tables["demand"]
    rows = rows.assign(worth=_worth(rows, case)).merge(_named(listed, place), left_on="key", right_on="named")
    rows = spread_over_listed(rows.assign(year=rows["year"].astype(float)), listed, place)
    rows = rows.merge(listed.rename(columns={"year": "listed"})[[*place, "listed", "quantity_t_per_year"]], on=[*place, "listed"])
    musd = rows["worth"] * rows["weight"] * rows["quantity_t_per_year"]
    return _cells("demand", joined(rows, [*place, "listed"]), "quantity_t_per_year", musd)


def _named(listed: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the distinct cells of some columns, and what they are called joined."""
    distinct = listed[columns].drop_duplicates()
    return distinct.assign(named=joined(distinct, columns))


def _cap(rows: pd.DataFrame, tables: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    """A cap's share: what a point of it is worth stands in the table ``shares``."""
    shares = tables["shares"]
    priced = shares[shares["musd_per_point"].fillna(0.0) != 0.0]
    return _share(priced.assign(worth=-100.0 * priced["musd_per_point"]), "cap", "caps", case)


def _floor(rows: pd.DataFrame, tables: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    """A floor's share: a unit of it is all that the consumers take in."""
    head = case.tables["floors"].drop_duplicates("floor").set_index("floor")
    flows = tables["flows"]
    enters = flows["destination"].map(case.country)
    taken = []
    for floor, year in zip(rows["key"], rows["year"].astype(int), strict=True):
        counted = enters.isin(case.members[head.loc[floor, "consumers"]]) & (flows["commodity"] == head.loc[floor, "commodity"])
        taken.append(float(flows.loc[counted & (flows["year"] == year), "quantity_t_per_year"].sum()))
    return _share(rows.assign(floor=rows["key"], worth=_worth(rows, case) * np.asarray(taken)), "floor", "floors", case)


def _share(rows: pd.DataFrame, name: str, table: str, case: Case) -> pd.DataFrame:
    listed = case.tables[table]
    spread = spread_over_listed(rows.assign(year=rows["year"].astype(float))[[name, "year", "worth"]], listed, [name])
    spread = spread.merge(listed.rename(columns={"year": "listed"})[[name, "listed", "share"]], on=[name, "listed"])
    return _cells(table, joined(spread, [name, "listed"]), "share", spread["worth"] * spread["weight"] * spread["share"])


def _capacity(rows: pd.DataFrame, tables: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    """Standing capacity of plants that run full: the steps in force of ``capacities``, else the facility's own figure.

    More of it also has its fixed cost in every year, and its part of a minimum run. In years in which a part of it is closed more
    would only be closed too. What an outage leaves is a figure of its own.
    """
    plants, grid = case.facilities, ["facility", "year"]
    prices = tables["prices"].rename(columns={"key": "facility"})
    standing = case.standing[case.standing["facility"].isin(rows["key"]) & (case.standing["standing"] > 0.0)]
    for kind in ("capacity", "minimum_run"):
        priced = prices.loc[prices["kind"] == kind, [*grid, "usd_per_t"]].astype({"year": "int64"}).rename(columns={"usd_per_t": kind})
        standing = standing.merge(priced, on=grid, how="left").fillna({kind: 0.0})
    closed = pd.MultiIndex.from_frame(tables["closures"][grid].astype({"year": "int64"}))
    standing = standing[~pd.MultiIndex.from_frame(standing[grid].astype({"year": "int64"})).isin(closed)]
    of = {name: standing["facility"].map(plants[name]) for name in ("utilisation_max", "utilisation_min", "fixed_usd_per_t_year")}
    used = standing["capacity"] * of["utilisation_max"] - standing["minimum_run"] * of["utilisation_min"]
    usd = of["fixed_usd_per_t_year"] - used * standing["available"]
    standing = standing.assign(
        musd=usd * standing["standing"] * standing["year"].map(case.discount) / 1e6, year=standing["year"].astype(float)
    )
    steps = case.tables["capacities"].sort_values("year").rename(columns={"year": "since"})
    stepped = standing["facility"].isin(steps["facility"])
    own, later = standing[~stepped], standing[stepped].sort_values("year")
    later = pd.merge_asof(later, steps[["facility", "since"]], left_on="year", right_on="since", by="facility")
    return pd.concat(
        [
            _cells("capacities", joined(later, ["facility", "since"]), "capacity_t_per_year", later["musd"]),
            _cells("facilities", own["facility"], "capacity_t_per_year", own["musd"]),
            _outages(rows, -_of_usable(rows, "utilisation_max", tables, case), case),
        ]
    )


def _minimum_run(rows: pd.DataFrame, tables: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    """A plant's minimum run: a share of what it could use in the year."""
    worth = _of_usable(rows, "utilisation_min", tables, case)
    return pd.concat([_cells("facilities", rows["key"], "utilisation_min", worth), _outages(rows, worth, case)])


def _of_usable(rows: pd.DataFrame, utilisation: str, tables: dict[str, pd.DataFrame], case: Case) -> pd.Series:
    """Return what each price of a plant's year is worth on the part of its usable capacity that may, or must, run."""
    usable = tables["capacity"].set_index(["facility", "year"])["usable_t_per_year"].to_dict()
    size = pd.Series([usable.get(each, 0.0) for each in zip(rows["key"], rows["year"], strict=True)], index=rows.index, dtype=float)
    return _worth(rows, case) * size * rows["key"].map(case.facilities[utilisation])


def _outages(rows: pd.DataFrame, musd: pd.Series, case: Case) -> pd.DataFrame:
    """What outages leave of a plant: the usable capacity of the years in which they hold is proportional to it."""
    in_force = outages_in_force(case.tables["outages"], case.years)
    of_plant = rows.assign(musd=musd).astype({"year": "int64"}).rename(columns={"key": "facility"})[["facility", "year", "musd"]]
    held = in_force.merge(of_plant, on=["facility", "year"])
    return _cells("outages", held["outage"], "available", held["musd"])


def _yearly(table: str, column: str, sign: float) -> _Read:
    """A figure that is one cell of a row and holds alike in all its years."""

    def read(rows: pd.DataFrame, tables: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
        held = _held(table, column, case)
        return _cells(table, rows["key"], column, sign * _worth(rows, case) * rows["key"].map(held))

    return read


def _once(table: str, column: str) -> _Read:
    """A figure over all years, priced in million USD per unit of it."""

    def read(rows: pd.DataFrame, tables: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
        return _cells(table, rows["key"], column, -rows["musd"] * rows["key"].map(_held(table, column, case)))

    return read


def _held(table: str, column: str, case: Case) -> dict[str, float]:
    listed = case.tables[table]
    return dict(zip(joined(listed, TABLES[table].key), listed[column], strict=True))


def _market(rows: pd.DataFrame, tables: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    """What a market takes: the place's own row, else that of every place."""
    held = _held("markets", "limit_t_per_year", case)
    general = rows["key"].map(lambda key: f"{EVERYTHING}|{key.rpartition('|')[2]}")
    key = rows["key"].where(rows["key"].isin(held), general)
    return _cells("markets", key, "limit_t_per_year", -_worth(rows, case) * key.map(held))


_Read = Callable[[pd.DataFrame, dict[str, pd.DataFrame], Case], pd.DataFrame]
_FIGURES: dict[str, _Read] = {
    "demand": _demand,
    "cap": _cap,
    "floor": _floor,
    "capacity": _capacity,
    "minimum_run": _minimum_run,
    "restriction": _yearly("restrictions", "limit_t_per_year", -1.0),
    "contract": _yearly("contracts", "minimum_t_per_year", 1.0),
    "lane": _yearly("lanes", "capacity_t_per_year", -1.0),
    "market": _market,
    "budget": _once("budgets", "limit_musd"),
    "reserve": _once("facilities", "reserve_t"),
    "stock_capacity": _once("stockpiles", "capacity_t"),
}
