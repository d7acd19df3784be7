"""What a plan pays because of each figure of the case that is money: the whole cost, taken apart cell by cell.

Every term of the objective is a quantity of the plan times a few figures of the case. Each is written here to the one cell that is its
price, rate or unit cost, so that the parts add up to the whole cost (a test holds them to it). Read from the plan's tables by
the auditor's understanding of the case, not by the model's.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from diversify.audit.builds import in_service, priced_builds
from diversify.audit.capacity import standing_grid
from diversify.audit.data import Case
from diversify.audit.demand import replaced
from diversify.audit.policy import market_of
from diversify.audit.shares import excess_costs
from diversify.audit.trade import LANE, distances_km, present, tariff_duties
from diversify.instance.draft import shown_value
from diversify.schema import EVERYTHING, TABLES

CELL = ["table", "key", "column"]


def paid_for(tables: dict[str, pd.DataFrame], case: Case) -> pd.DataFrame:
    """Return ``table``, ``key`` (cells joined by ``|``), ``column`` and ``musd`` (discounted, over the horizon) of every figure paid for.

    ``tables`` are a plan's. Sales count below zero. A price between listed years is shared between the rows on either side.
    """
    parts = [
        _running(tables["activity"], case),
        *_standing(tables, case),
        *_units(tables["builds"], case),
        *_carriage(tables["flows"], case),
        _duties(tables["flows"], case),
        _shortage(tables["shortages"], case),
        *_at_places(tables, case),
    ]
    cells = pd.concat(parts, ignore_index=True)
    cells["musd"] = cells["musd"] * cells["year"].map(case.discount).astype(float)
    total = cells.groupby(CELL, sort=False)["musd"].sum().reset_index()
    return total[total["musd"] != 0.0].reset_index(drop=True)


def joined(rows: pd.DataFrame, columns: list[str] | tuple[str, ...]) -> pd.Series:
    """Return the cells of some columns joined by ``|``, as the table ``figures`` names a row; a year without decimals."""
    parts = [rows[column].map(shown_value) for column in columns]
    return pd.Series(["|".join(cells) for cells in zip(*parts, strict=True)], index=rows.index, dtype=object)


def spread_over_listed(rows: pd.DataFrame, listed: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return each row once for either listed year around its ``year``, with the listed ``year`` as ``listed`` and ``weight``.

    ``listed`` has the columns ``by`` and ``year`` (NaN: one row for all years). The weights of a row add up to 1: between two
    listed years they are those of a straight line, outside them the nearest has all.
    """
    nearest = {key: np.sort(group["year"].to_numpy(dtype=float)) for key, group in listed.groupby(by, sort=False)}
    keys = list(rows[by].itertuples(index=False, name=None))
    position, year, weight = [], [], []
    for place, (key, at) in enumerate(zip(keys, rows["year"].to_numpy(dtype=float), strict=True)):
        steps = nearest[key]
        after = int(np.searchsorted(steps, at)) if not np.isnan(steps).any() else len(steps)
        if np.isnan(steps).any() or after == 0 or after == len(steps) or steps[after] == at:
            ends = [(steps[min(after, len(steps) - 1)], 1.0)]
        else:
            share = (at - steps[after - 1]) / (steps[after] - steps[after - 1])
            ends = [(steps[after - 1], 1.0 - share), (steps[after], share)]
        for step, part in ends:
            position.append(place)
            year.append(step)
            weight.append(part)
    return rows.iloc[position].reset_index(drop=True).assign(listed=year, weight=np.asarray(weight, dtype=float))


def _cells(table: str, key: pd.Series, column: str, year: pd.Series, musd: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"table": table, "key": key, "column": column, "year": year, "musd": musd.astype(float)})


def _running(activity: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Variable cost: of a plant's own process in ``facilities``, of further ones in ``modes``."""
    rows = activity.merge(case.modes, on=["facility", "process"])
    own = rows["process"] == rows["facility"].map(case.facilities["process"])
    key = rows["facility"].where(own, joined(rows, ["facility", "process"]))
    cells = _cells("facilities", key, "variable_usd_per_t", rows["year"], rows["activity_t_per_year"] * rows["variable_usd_per_t"] / 1e6)
    return cells.assign(table=np.where(own, "facilities", "modes"))


def _standing(tables: dict[str, pd.DataFrame], case: Case) -> list[pd.DataFrame]:
    rows = standing_grid(tables, case)
    rate = rows["facility"].map(case.facilities["fixed_usd_per_t_year"])
    kept = (rows["standing"] - rows["closed"]) * rate / 1e6
    return [_cells("facilities", rows["facility"], "fixed_usd_per_t_year", rows["year"], kept)]


def _units(builds: pd.DataFrame, case: Case) -> list[pd.DataFrame]:
    """Fixed cost and annuities of the units in service, by project."""
    rows = in_service(priced_builds(builds, case), case)
    by_size = rows["project"].isin(case.tables["projects"].loc[case.tables["projects"]["capex_unit_musd"].isna(), "project"])
    units = _cells("projects", rows["project"], "capex_unit_musd", rows["year"], rows["units"] * rows["capex_unit"] * rows["annuity"])
    first = rows["bought"] * rows["capex_first"] * rows["annuity"]
    return [
        units.assign(column=np.where(by_size, "capex_usd_per_t_year", "capex_unit_musd")),
        _cells("projects", rows["project"], "capex_first_musd", rows["year"], first),
        _cells("projects", rows["project"], "fixed_usd_per_t_year", rows["year"], rows["whole_size"] * rows["fixed_usd_per_t_year"] / 1e6),
    ]


def _carriage(flows: pd.DataFrame, case: Case) -> list[pd.DataFrame]:
    """Freight: a lane's own cost where it has one, else handling and rate x km of the commodity; nothing within a place."""
    lanes = case.tables["lanes"]
    priced = lanes[lanes["cost_usd_per_t"].notna()]
    own = present(flows, priced[LANE])
    rows = flows[own].merge(priced[[*LANE, "cost_usd_per_t"]], on=LANE)
    listed = _cells("lanes", joined(rows, LANE), "cost_usd_per_t", rows["year"], rows["quantity_t_per_year"] * rows["cost_usd_per_t"] / 1e6)
    moved = flows[~own & (flows["origin"] != flows["destination"])]
    rows = moved.assign(km=distances_km(moved, case)).merge(case.tables["freight"], on="commodity")
    tonnes = rows["quantity_t_per_year"] / 1e6
    handling = _cells("freight", rows["commodity"], "handling_usd_per_t", rows["year"], tonnes * rows["handling_usd_per_t"])
    carried = tonnes * rows["freight_usd_per_t_km"] * rows["km"]
    return [listed, handling, _cells("freight", rows["commodity"], "freight_usd_per_t_km", rows["year"], carried)]


def _duties(flows: pd.DataFrame, case: Case) -> pd.DataFrame:
    rows = tariff_duties(flows, case)
    duty = rows["quantity_t_per_year"] * rows["duty_usd_per_t"] / 1e6
    return _cells("tariffs", rows["tariff"], "rate", rows["year"], duty)


def _shortage(shortages: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Shortage at the listed prices on either side of its year, each by its part."""
    place, demand = ["location", "commodity"], case.tables["demand"]
    priced = demand[demand["shortage_usd_per_t"].notna()]
    rows = shortages[present(shortages, priced[place].drop_duplicates())]
    rows = spread_over_listed(rows, demand, place)
    rows = rows.merge(demand.rename(columns={"year": "listed"})[[*place, "listed", "shortage_usd_per_t"]], on=[*place, "listed"])
    musd = rows["quantity_t_per_year"] * rows["weight"] * rows["shortage_usd_per_t"] / 1e6
    return _cells("demand", joined(rows, [*place, "listed"]), "shortage_usd_per_t", rows["year"], musd)


def _at_places(tables: dict[str, pd.DataFrame], case: Case) -> list[pd.DataFrame]:
    """What substitutes, disposal, stocks and excess over caps cost, less what sales bring."""
    met, sales = replaced(tables["deliveries"], case), market_of(tables["sales"], case)
    met = met[met["supplied_by"] != met["commodity"]]
    stocks = tables["stocks"].merge(case.tables["stockpiles"], on=["location", "commodity"])
    disposal, shares = tables["disposal"], tables["shares"]
    price = disposal["commodity"].map(case.tables["commodities"].set_index("commodity")["disposal_usd_per_t"])
    held = joined(stocks, ["location", "commodity"])
    replacing = met.rename(columns={"supplied_by": "substitute"})
    here = present(sales, case.tables["markets"][["location", "commodity"]])
    sold = sales.assign(location=sales["location"].where(here, EVERYTHING))
    first = case.tables["caps"].sort_values("year").drop_duplicates("cap")
    capped = shares["cap"].map(dict(zip(first["cap"], joined(first, TABLES["caps"].key), strict=True)))
    replaced_musd = met["met"] * met["extra_usd_per_t"] / 1e6
    held_musd = stocks["stock_t"] * stocks["holding_usd_per_t_year"] / 1e6
    sold_musd = -sales["quantity_t_per_year"] * sales["price_usd_per_t"].fillna(0.0) / 1e6
    return [
        _cells("substitutes", joined(replacing, TABLES["substitutes"].key), "extra_usd_per_t", met["year"], replaced_musd),
        _cells("commodities", disposal["commodity"], "disposal_usd_per_t", disposal["year"], disposal["quantity_t_per_year"] * price / 1e6),
        _cells("stockpiles", held, "holding_usd_per_t_year", stocks["year"], held_musd),
        _cells("caps", capped, "excess_usd_per_t", shares["year"], excess_costs(shares, case)),
        _cells("markets", joined(sold, ["location", "commodity"]), "price_usd_per_t", sales["year"], sold_musd),
    ]
