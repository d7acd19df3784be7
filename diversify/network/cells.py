"""The sparse index frames of the model: runs, flows, balance cells and what touches them.

A supply cell is (location, owner, commodity, tag, year), a use cell (location, commodity, tag, year). Every frame
refers to a cell by its position, so that the balances are closed by plain integer look-ups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.network.ground import Bools, Floats, Ground, Ints, coded, filled
from diversify.network.plants import Plants
from diversify.network.tags import Tags
from diversify.network.trade import Trade, restrictions, tariff_rates

SUPPLY_KEY = ["location", "owner", "commodity", "tag", "year"]
USE_KEY = ["location", "commodity", "tag", "year"]


@dataclass(frozen=True)
class Cells:
    """Index frames; every column but the coefficients is a code.

    ``runs``: facility, process, tag, year, location, owner, capacity_per_t, variable_usd_per_t, limit (t/yr).
    ``made``: run, supply, amount. ``used``: run, use, amount (positive). ``scrap``: supply, scrap_t_per_t, and what it
    comes from: commodity, location, source_year (-1: before the horizon), past_t_per_year. ``supply`` and ``use``: the
    cells. ``flows``: origin, owner, destination, commodity, tag, year, supply, use, freight_usd_per_t, tariff_usd_per_t,
    lane, origin_country, destination_country. ``handovers``: use, as_use. ``stocks``: location, commodity, tag, year,
    use, stockpile. ``demand``: location, commodity, year, quantity, shortage_usd_per_t (NaN: must be met).
    ``deliveries``: location, commodity, supplied, tag, year, demand, use, ratio_t_per_t, extra_usd_per_t, max_share.
    ``sold``: the supply cells that have a market: supply and its key, price_usd_per_t, limit_t_per_year.
    """

    runs: pd.DataFrame
    made: pd.DataFrame
    used: pd.DataFrame
    scrap: pd.DataFrame
    supply: pd.DataFrame
    use: pd.DataFrame
    flows: pd.DataFrame
    handovers: pd.DataFrame
    stocks: pd.DataFrame
    demand: pd.DataFrame
    deliveries: pd.DataFrame
    sold: pd.DataFrame

    @classmethod
    def of(cls, ground: Ground, plants: Plants, trade: Trade, tags: Tags) -> Cells:
        """Spread what can occur over the planning years and number the balance cells."""
        runs = _runs(ground, plants, tags)
        lines = _run_lines(ground, plants, tags, runs)
        made, used = lines[lines["amount"] > 0], lines[lines["amount"] < 0]
        scrap = _scrap(ground, trade, tags)
        supply = _numbered(pd.concat([made[SUPPLY_KEY], scrap[SUPPLY_KEY]]), SUPPLY_KEY)
        flows = _flows(ground, trade, supply)
        stocks = _stocks(ground, trade, tags)
        use = _numbered(pd.concat([flows.rename(columns={"destination": "location"})[USE_KEY], stocks[USE_KEY], used[USE_KEY]]), USE_KEY)
        flows["use"] = _positions(flows.rename(columns={"destination": "location"}), use, USE_KEY)
        stocks["use"] = _positions(stocks, use, USE_KEY)
        filled_cells = np.zeros(len(use), dtype=bool)
        filled_cells[flows["use"]] = True
        filled_cells[stocks["use"]] = True
        demand = _demand(ground, trade)
        used = used.assign(use=_positions(used, use, USE_KEY), amount=-used["amount"])
        frames: dict[str, pd.DataFrame] = {
            "runs": runs,
            "made": made.assign(supply=_positions(made, supply, SUPPLY_KEY))[["run", "supply", "amount"]].reset_index(drop=True),
            "used": used[["run", "use", "amount"]].reset_index(drop=True),
            "scrap": scrap.assign(supply=_positions(scrap, supply, SUPPLY_KEY)),
            "supply": supply,
            "use": use,
            "flows": flows,
            "handovers": _handovers(ground, used, use, filled_cells),
            "stocks": stocks,
            "demand": demand,
            "deliveries": _deliveries(trade, demand, use, filled_cells),
            "sold": supply.assign(supply=np.arange(len(supply))).merge(trade.markets, on=["location", "commodity"]),
        }
        return cls(**{name: coded(frame) for name, frame in frames.items()})


def _numbered(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    return frame[key].drop_duplicates().sort_values(key, ignore_index=True)


def _positions(frame: pd.DataFrame, cells: pd.DataFrame, key: list[str]) -> Ints:
    """Return the position in ``cells`` of each row of ``frame`` by the key columns."""
    numbered = cells[key].assign(position=np.arange(len(cells)))
    return frame[key].merge(numbered, on=key, how="left")["position"].to_numpy(dtype=np.int64)


def _runs(ground: Ground, plants: Plants, tags: Tags) -> pd.DataFrame:
    """One row per mode, tag and year in which the plant can run, with the activity that capacity allows."""
    modes = plants.modes.loc[tags.runs["mode"]].assign(tag=tags.runs["tag"].to_numpy(), mode=tags.runs["mode"].to_numpy())
    facility, year = np.nonzero(plants.active)
    runs = modes.merge(pd.DataFrame({"facility": facility, "year": year}), on="facility")
    limit = largest_capacity(plants)[runs["facility"], runs["year"]] / runs["capacity_per_t"].where(runs["capacity_per_t"] > 0)
    runs = runs.assign(
        location=plants.facilities["location"].to_numpy()[runs["facility"]],
        owner=plants.facilities["owner"].to_numpy()[runs["facility"]],
        limit=limit.fillna(np.inf),
    )
    return runs.sort_values(["facility", "process", "tag", "year"], ignore_index=True)


def largest_capacity(plants: Plants) -> Floats:
    """Return the most capacity that a facility can run in a year (F, T): standing, and every project at its limit, after outages."""
    projects, service = plants.projects, plants.service
    best = service.groupby(["project", "year"])["ramp"].max().reset_index()
    largest = plants.standing.copy()
    added = (projects["units_max"] * projects["size"]).to_numpy()[best["project"]] * best["ramp"].to_numpy()
    np.add.at(largest, (projects["facility"].to_numpy()[best["project"]], best["year"].to_numpy()), added)
    return np.asarray(largest * plants.usable_share("utilisation_max"), dtype=np.float64)


def _run_lines(ground: Ground, plants: Plants, tags: Tags, runs: pd.DataFrame) -> pd.DataFrame:
    """Recipe lines of every run, with the tag that each commodity carries.

    Inputs carry the run's tag, outputs that tag and the plant's groups; untraced commodities carry the empty tag.
    """
    facilities = plants.facilities
    plant = tags.touch[facilities["country"]] | tags.touch[facilities["owner"]] if len(facilities) else np.empty(0, dtype=np.int64)
    lines = runs.assign(run=np.arange(len(runs))).merge(ground.recipes, on="process")
    carried = np.where(lines["amount"] > 0, lines["tag"].to_numpy() | plant[lines["facility"]], lines["tag"])
    return lines.assign(tag=np.where(ground.traced[lines["commodity"]], carried, 0))


def _scrap(ground: Ground, trade: Trade, tags: Tags) -> pd.DataFrame:
    """One row per return and planning year: which sales it comes from."""
    returns = trade.returns.merge(pd.DataFrame({"year": np.arange(len(ground.years))}), how="cross")
    sold = ground.years.label[returns["year"]] - returns["lag_years"].to_numpy()
    source_year = np.array([ground.years.holding(year) for year in sold], dtype=np.int64)
    touched = tags.touched_by(returns["origin"].to_numpy(dtype=np.int64))
    return returns.assign(
        owner=ground.location_country[returns["location"]],
        tag=np.where(ground.traced[returns["scrap"]], touched, 0),
        sold=returns["commodity"],
        commodity=returns["scrap"],
        source_year=source_year,
    )


def _flows(ground: Ground, trade: Trade, supply: pd.DataFrame) -> pd.DataFrame:
    lanes = trade.lanes.assign(lane=np.arange(len(trade.lanes)))
    cells = supply.assign(supply=np.arange(len(supply))).rename(columns={"location": "origin"})
    flows = cells.merge(lanes, on=["origin", "commodity"]).rename(columns={"cost_usd_per_t": "freight_usd_per_t"})
    flows["origin_country"] = ground.location_country[flows["origin"]]
    flows["destination_country"] = ground.location_country[flows["destination"]]
    flows["tariff_usd_per_t"] = _tariffs(ground, flows)
    flows = flows[~_banned(ground, trade, flows)]
    return flows.sort_values(["commodity", "origin", "owner", "destination", "tag", "year"], ignore_index=True)


def _tariffs(ground: Ground, flows: pd.DataFrame) -> Floats:
    tariff = np.zeros(len(flows))
    for commodity in np.unique(flows["commodity"]):
        rows = (flows["commodity"] == commodity).to_numpy()
        part = flows[rows]
        rate = tariff_rates(ground, int(commodity))[part["origin_country"], part["destination_country"], part["year"]]
        tariff[rows] = rate * ground.price_usd_per_t[commodity, part["year"]]
    return tariff


def _banned(ground: Ground, trade: Trade, flows: pd.DataFrame) -> Bools:
    """Flows under a ban, which need no column; those on a contract's lane stay, so that the contradiction shows."""
    banned = np.zeros(len(flows), dtype=bool)
    for restriction in restrictions(ground):
        if restriction.limit_t_per_year == 0.0:
            banned |= restriction.matches(flows)
    table = ground.instance.table("contracts")
    contracted = pd.MultiIndex.from_arrays(
        [
            ground.locations.codes(table["origin"]),
            ground.locations.codes(table["destination"]),
            ground.commodities.codes(table["commodity"]),
        ]
    )
    return banned & ~pd.MultiIndex.from_frame(flows[["origin", "destination", "commodity"]]).isin(contracted)


def _stocks(ground: Ground, trade: Trade, tags: Tags) -> pd.DataFrame:
    """One row per stockpile, tag that can lie in it and year."""
    table = ground.instance.table("stockpiles")
    piles = pd.DataFrame(
        {
            "stockpile": np.arange(len(table)),
            "location": ground.locations.codes(table["location"]),
            "commodity": ground.commodities.codes(table["commodity"]),
        }
    )
    stocks = piles.merge(tags.arrivals, on=["location", "commodity"]).merge(
        pd.DataFrame({"year": np.arange(len(ground.years))}), how="cross"
    )
    return stocks.sort_values(USE_KEY, ignore_index=True)


def _handovers(ground: Ground, used: pd.DataFrame, use: pd.DataFrame, filled_cells: Bools) -> pd.DataFrame:
    """Pairs of use cells: a cleaner tonne handed over as a less clean one, to a run that joins two traced inputs or more.

    With a single traced input a run takes every tonne at its own tag, and a less clean name gains nothing.
    """
    traced = used[ground.traced[used["commodity"]]]
    joining = traced[traced.groupby("run")["use"].transform("size") > 1]
    targets = joining[[*USE_KEY, "use"]].drop_duplicates().rename(columns={"tag": "as_tag", "use": "as_use"})
    sources = use.assign(use=np.arange(len(use)))[filled_cells]
    pairs = targets.merge(sources, on=["location", "commodity", "year"])
    cleaner = (pairs["tag"] != pairs["as_tag"]) & ((pairs["tag"] & pairs["as_tag"]) == pairs["tag"])
    return pairs[cleaner].sort_values(["location", "commodity", "tag", "as_tag", "year"], ignore_index=True)


def _demand(ground: Ground, trade: Trade) -> pd.DataFrame:
    """Quantity and shortage price of every demand in every planning year; rows of zero are left out."""
    table = ground.instance.table("demand")
    table = table.assign(
        location=ground.locations.codes(table["location"]),
        commodity=ground.commodities.codes(table["commodity"]),
        quantity=filled(table, "demand", "quantity_t_per_year"),
        shortage=filled(table, "demand", "shortage_usd_per_t"),
        label=pd.to_numeric(table["year"]).to_numpy(dtype=np.float64, na_value=np.nan),
    )
    parts = [_one_demand(ground, rows) for _, rows in table.groupby(["location", "commodity"])]
    columns = ["location", "commodity", "year", "quantity", "shortage_usd_per_t"]
    demand = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return demand[demand["quantity"] > 0].reset_index(drop=True)


def _one_demand(ground: Ground, rows: pd.DataFrame) -> pd.DataFrame:
    always = rows["label"].isna().to_numpy()
    years = np.where(always, float(ground.years.label[0]), rows["label"])
    priced = rows["shortage"].notna().to_numpy()
    shortage = np.full(len(ground.years), np.nan)
    if priced.any():
        shortage = ground.years.interpolate(years[priced], rows["shortage"].to_numpy()[priced])
    return pd.DataFrame(
        {
            "location": rows["location"].iloc[0],
            "commodity": rows["commodity"].iloc[0],
            "year": np.arange(len(ground.years)),
            "quantity": ground.years.interpolate(years, rows["quantity"].to_numpy()),
            "shortage_usd_per_t": shortage,
        }
    )


def _deliveries(trade: Trade, demand: pd.DataFrame, use: pd.DataFrame, filled_cells: Bools) -> pd.DataFrame:
    wanted = demand[["location", "commodity", "year"]].assign(demand=np.arange(len(demand)))
    offers = wanted.merge(trade.deliverable, on=["location", "commodity"])
    cells = use.assign(use=np.arange(len(use)))[filled_cells].rename(columns={"commodity": "supplied"})
    return offers.merge(cells, on=["location", "supplied", "year"]).sort_values(
        ["location", "commodity", "supplied", "tag", "year"], ignore_index=True
    )
