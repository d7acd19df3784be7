"""Prices of one plan: all that were asked for, and for the largest of each kind what they are from either side."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.prices.figures import movable
from diversify.analyses.solving import Limits, rows_of
from diversify.instance import Instance
from diversify.network.ground import Bools, Floats
from diversify.planning import build_model
from diversify.planning.prices import (
    KINDS,
    Sides,
    best_years,
    fixed_program,
    moving_program,
    row_sides,
    tariff_sides,
    unit_sides,
)
from diversify.planning.program import Program
from diversify.solve import Fixed, Moving

POLICY = ("cap", "floor", "budget", "restriction", "contract", "tariff", "project", "unit")
"""Kinds that say what a policy costs; they are listed first."""

ORDER = (*POLICY, *(kind for kind in KINDS if kind not in POLICY))


def local_prices(
    instance: Instance, limits: dict[str, Any], builds: pd.DataFrame, kind: list[str], key: str | None, year: int | None, most: int
) -> dict[str, Any]:
    """Price a plan with its integers fixed. Work of a task.

    Returns ``prices``, a list of rows, the largest of each kind first, and ``held_musd``, the cost with the integers fixed.

    ``kind`` (empty: all), ``key`` (part of the text, capitals or not) and ``year`` select. The first ``most`` of each kind are
    ``shown`` and tell their range. Prices of zero are listed where kind or key is given. ``musd_per_figure`` is the change of the whole
    cost per unit of the figure behind the price, as the price has it; empty where no plan has these builds.
    """
    program = Program.of(build_model(instance))
    options = Limits(**limits).options
    x = np.nan_to_num(program.start(builds))
    fixed = fixed_program(program, x, options)
    if fixed is None:
        return {"prices": [], "held_musd": None}
    chosen = _Chosen(kind, key, year)
    parts = [
        _listed(row_sides(program), fixed.dual, fixed.unique, chosen, _whole(program)),
        _listed(tariff_sides(program), fixed.x, fixed.certain, chosen),
        best_years(_listed(unit_sides(program, fixed.x), fixed.dual, fixed.unique, chosen)),
        _bans(program, chosen),
    ]
    table = _sorted(pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True), most)
    table["musd_per_figure"] = _per_figure(program, fixed, table)
    ranges = _ranges(program, fixed, x, table[table["shown"]], options)
    table = table.join(ranges)
    columns = [*_COLUMNS, "usd_per_t_low", "usd_per_t_high", "musd_low", "musd_high", "unlimited", "shown", "musd_per_figure"]
    return {"prices": rows_of(table[columns]), "held_musd": fixed.objective}


_COLUMNS = ("kind", "table", "key", "year", "usd_per_t", "musd", "unique")


class _Chosen:
    """Which prices were asked for."""

    def __init__(self, kind: list[str], key: str | None, year: int | None) -> None:
        self.kind, self.key, self.year = kind, key, year
        self.zeros = bool(kind) or key is not None

    def of(self, listed: pd.DataFrame) -> Bools:
        """Return which rows are meant (n,)."""
        chosen = np.ones(len(listed), dtype=bool)
        if self.kind:
            chosen &= listed["kind"].isin(self.kind).to_numpy(dtype=bool)
        if self.key is not None:
            folded = self.key.casefold()
            chosen &= np.array([folded in str(text).casefold() for text in listed["key"]], dtype=bool)
        if self.year is not None:
            chosen &= (listed["year"] == self.year).fillna(False).to_numpy(dtype=bool)
        return chosen


def _listed(sides: Sides, worth: Floats, proved: Bools, chosen: _Chosen, whole: Collection[str] = ()) -> pd.DataFrame:
    """Return the prices asked for, with the position ``side`` of each among its sides.

    What limits a project of ``whole`` units has no price while units are fixed; ``unit`` says what one more is worth.
    """
    table = sides.table(worth, proved).assign(side=np.arange(len(sides.listed)), row=sides.listed["name"])
    worth_something = (table["usd_per_t"].fillna(0.0).abs() > 1e-9) | (table["musd"].fillna(0.0).abs() > 1e-12)
    of_whole = (table["kind"] == "project") & table["key"].isin(list(whole))
    kept = chosen.of(table) & (worth_something.to_numpy(dtype=bool) | chosen.zeros) & ~of_whole.to_numpy(dtype=bool)
    return pd.DataFrame(table[kept])


def _whole(program: Program) -> set[str]:
    plants = program.statement.network.plants
    return {name for name, lumpy in zip(plants.project_labels.names, plants.projects["lumpy"], strict=True) if lumpy}


def _bans(program: Program, chosen: _Chosen) -> pd.DataFrame:
    """Return restrictions to nothing, which have no row and so no price; listed so that they can be moved."""
    network = program.statement.network
    limits = network.policy.limits
    banned = network.decoded(limits.loc[limits["limit_t_per_year"] == 0.0, ["restriction", "year"]])
    priced = set(program.statement.row_index["c_restriction"].itertuples(index=False, name=None))
    left = np.array([pair not in priced for pair in banned.itertuples(index=False, name=None)], dtype=bool)
    named = banned[left].reset_index(drop=True)
    table = pd.DataFrame({"key": named["restriction"], "year": named["year"].astype("Int64")}).assign(
        kind="restriction", table="restrictions", usd_per_t=np.nan, musd=np.nan, unique=False, side=-1, row=""
    )
    return table[chosen.of(table) & chosen.zeros]


def _sorted(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the rows by kind, the largest first, and which of them are ``shown``.

    Units come by what they are worth; of commodities those with one right price come first, since what a place pays that takes
    nothing can be any of many.
    """
    size = table["usd_per_t"].abs().fillna(table["musd"].where(table["kind"] == "unit", table["musd"].abs())).fillna(-np.inf)
    rank = table["kind"].map({kind: position for position, kind in enumerate(ORDER)})
    doubtful = table["kind"].isin(["commodity", "supply"]) & ~table["unique"].astype(bool)
    order = pd.DataFrame({"rank": rank, "doubtful": doubtful, "size": -size, "key": table["key"], "year": table["year"].fillna(0)})
    ordered = table.loc[order.sort_values(list(order.columns), kind="stable").index].reset_index(drop=True)
    return ordered.assign(shown=ordered.groupby("kind").cumcount() < most)


def _per_figure(program: Program, fixed: Fixed, table: pd.DataFrame) -> Floats:
    """Return the discounted million USD per unit of the figure (share, t/yr, rate, unit, million USD) that each price says."""
    network = program.statement.network
    discount = dict(zip(network.ground.years.label.tolist(), network.ground.years.discount.tolist(), strict=True))
    flow = np.append(fixed.x, 0.0)[program.columns("v_flow")]
    sign = np.where(table["kind"].isin(["demand", "floor", "contract", "tariff"]), 1.0, -1.0)
    worth = (table["usd_per_t"] * table["year"].map(discount).astype(float) / 1e6).fillna(table["musd"])
    per = np.ones(len(table))
    arrived = _quantities(program, "cap_flows", "c_cap", flow)
    taken = _quantities(program, "floor_flows", "c_floor", flow, "taken")
    plants, used = network.plants, network.plants.usable_share("utilisation_max")
    for position, (kind, key, year) in enumerate(zip(table["kind"], table["key"], table["year"], strict=True)):
        if kind in ("cap", "floor"):
            per[position] = (arrived if kind == "cap" else taken).get((key, year), 0.0)
        elif kind == "capacity":
            per[position] = used[plants.labels.code(key), network.ground.years.holding(year)]
        elif kind == "tariff":
            per[position] = 100.0
        elif kind not in movable() or kind == "unit":
            per[position] = np.nan
    return np.asarray(sign * worth * per, dtype=np.float64)


def _quantities(program: Program, members: str, row: str, flow: Floats, counted: str = "") -> dict[tuple[str, int], float]:
    """Return the t/yr that a share of a cap or floor is taken of, by key and year."""
    network = program.statement.network
    part: pd.DataFrame = getattr(network.policy, members)
    frame: pd.DataFrame = network.policy.caps if row == "c_cap" else network.policy.floors
    weight = flow[part["flow"].to_numpy(dtype=np.int64)] * (part[counted].to_numpy(dtype=np.float64) if counted else 1.0)
    total = np.bincount(part["row"].to_numpy(dtype=np.int64), weights=weight, minlength=len(frame))
    index = network.decoded(frame[["cap", "consumers", "year"] if row == "c_cap" else ["floor", "year"]])
    key = index["cap"] + "|" + index["consumers"] if row == "c_cap" else index["floor"]
    return dict(zip(zip(key, index["year"].tolist(), strict=True), total.tolist(), strict=True))


def _ranges(program: Program, fixed: Fixed, x: Floats, shown: pd.DataFrame, options: Any) -> pd.DataFrame:
    """Return the prices just below and just above what stands, of units that of the whole and of the first tonnes."""
    names = ("usd_per_t_low", "usd_per_t_high", "musd_low", "musd_high", "unlimited")
    found: dict[str, list[Any]] = {name: [] for name in names}
    asked = shown[shown["side"] >= 0]
    moving = moving_program(program, x, options) if (~asked["unique"] | (asked["kind"] == "unit")).any() else None
    sides = {"v_flow": tariff_sides(program), "v_build": unit_sides(program, fixed.x)}
    rows = row_sides(program)
    for each in asked.to_dict("records"):
        low, high, unlimited = _range(moving, sides.get(str(each["row"]), rows), each)
        annual = not pd.isna(each["usd_per_t"])
        for name, value in zip(names, (low, high, np.nan, np.nan) if annual else (np.nan, np.nan, low, high), strict=False):
            found[name].append(value if np.isfinite(value) else np.nan)
        found["unlimited"].append(unlimited)
    return pd.DataFrame(found, index=asked.index, columns=list(names))


def _range(moving: Moving | None, sides: Sides, price: dict[Any, Any]) -> tuple[float, float, str]:
    """Return the least and the greatest of the prices that are equally right, and which way they have no limit."""
    value = price["usd_per_t"] if not pd.isna(price["usd_per_t"]) else price["musd"]
    if moving is None or (price["unique"] and price["kind"] != "unit"):
        return value, value, ""
    member, amount = sides.of(int(price["side"]))
    if not len(member):
        return value, value, ""
    own, factor = float(sides.listed["own"].iloc[price["side"]]), float(sides.listed["factor"].iloc[price["side"]])
    if price["kind"] == "tariff":
        slopes = [moving.quantity(member, amount, sign) for sign in (-1.0, 1.0)]
    elif price["kind"] == "unit":
        slopes = [-moving.change(member, -amount), -moving.slope(member, -amount, 1.0)]
    else:
        slopes = [moving.slope(member, amount, sign) for sign in (-1.0, 1.0)]
    ends = sorted(own + factor * slope for slope in slopes)
    blocked = [word for word, slope in zip(("less", "more"), slopes, strict=True) if np.isinf(slope)]
    if price["kind"] == "unit":
        return ends[0], ends[1], "more" if blocked else ""
    return ends[0], ends[1], "both" if len(blocked) == 2 else "".join(blocked)
