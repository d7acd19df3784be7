"""Changes to a case that must not change its cost, or only in one direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

import diversify as dv
from diversify.schema import EVERYTHING, TABLES

Frames = dict[str, pd.DataFrame]


def rebuilt(case: dv.Instance, change: Callable[[Frames], Frames]) -> dv.Instance:
    """Return the instance with changed tables."""
    return dv.Instance.from_tables(case.meta, change({name: frame.copy() for name, frame in case.tables.items()}))


def renamed(case: dv.Instance, table: str, rename: Callable[[str], str]) -> dv.Instance:
    """Return the instance with every name that is a key of ``table`` changed, wherever the schema refers to it."""

    def change(frames: Frames) -> Frames:
        for name, frame in frames.items():
            for column in TABLES[name].columns:
                if column.refers_to == table or (name == table and column.key):
                    cells = frame[column.name]
                    frame[column.name] = [rename(cell) if isinstance(cell, str) and cell != EVERYTHING else cell for cell in cells]
        return frames

    return rebuilt(case, change)


def shuffled(case: dv.Instance, seed: int) -> dv.Instance:
    """Return the instance with the rows of every table in another order; changes keep theirs, because they have one."""
    draw = np.random.default_rng(seed)

    def change(frames: Frames) -> Frames:
        return {
            name: frame if name == "changes" else frame.iloc[draw.permutation(len(frame))].reset_index(drop=True)
            for name, frame in frames.items()
        }

    return rebuilt(case, change)


def _scaled(frame: pd.DataFrame, factor: pd.Series, times: str = "", by: str = "") -> pd.DataFrame:
    """Return the frame with columns ``times`` multiplied and columns ``by`` divided by a factor per row."""
    return frame.assign(
        **{name: frame[name] * factor for name in times.split()},
        **{name: frame[name] / factor for name in by.split()},
    )


def in_other_units(case: dv.Instance, factor: Mapping[str, float]) -> dv.Instance:
    """Return the instance with commodities measured in other units: ``factor`` units for a tonne.

    Activity and capacity follow the reference commodity of the process. Restrictions over all commodities must be bans.
    """

    def change(frames: Frames) -> Frames:
        def unit(names: pd.Series) -> pd.Series:
            return names.map(lambda name: factor.get(name, 1.0)).astype(float)

        reference = dict(frames["processes"][["process", "reference"]].itertuples(index=False, name=None))
        process = dict(frames["facilities"][["facility", "process"]].itertuples(index=False, name=None))

        def activity(names: pd.Series) -> pd.Series:
            return unit(names.map(reference))

        changed = dict(frames)
        recipes = frames["recipes"]
        changed["recipes"] = recipes.assign(
            amount_t_per_t=recipes["amount_t_per_t"] * unit(recipes["commodity"]) / activity(recipes["process"])
        )
        for name, times, by in (
            ("commodities", "", "price_usd_per_t disposal_usd_per_t"),
            ("prices", "", "price_usd_per_t"),
            ("freight", "", "handling_usd_per_t freight_usd_per_t_km"),
            ("lanes", "capacity_t_per_year", "cost_usd_per_t"),
            ("contracts", "minimum_t_per_year", ""),
            ("restrictions", "limit_t_per_year", ""),
            ("demand", "quantity_t_per_year", "shortage_usd_per_t"),
            ("substitutes", "", "ratio_t_per_t extra_usd_per_t"),
            ("markets", "limit_t_per_year", "price_usd_per_t"),
            ("stockpiles", "initial_t capacity_t final_min_t", "holding_usd_per_t_year"),
            ("returns", "past_t_per_year", "scrap_t_per_t"),
            ("caps", "", "excess_usd_per_t"),
        ):
            if name in frames:
                changed[name] = _scaled(frames[name], unit(frames[name]["commodity"]), times, by)
        if "substitutes" in frames:
            changed["substitutes"] = _scaled(changed["substitutes"], unit(frames["substitutes"]["substitute"]), "ratio_t_per_t")
        if "returns" in frames:
            changed["returns"] = _scaled(changed["returns"], unit(frames["returns"]["scrap"]), "scrap_t_per_t")
        own = activity(frames["facilities"]["process"])
        changed["facilities"] = _scaled(
            frames["facilities"], own, "capacity_t_per_year reserve_t", "variable_usd_per_t fixed_usd_per_t_year"
        )
        if "capacities" in frames:
            of_plant = activity(frames["capacities"]["facility"].map(process))
            changed["capacities"] = _scaled(frames["capacities"], of_plant, "capacity_t_per_year")
        if "projects" in frames:
            of_plant = activity(frames["projects"]["facility"].map(process))
            times, by = "unit_t_per_year max_t_per_year min_t_per_year", "capex_usd_per_t_year fixed_usd_per_t_year"
            changed["projects"] = _scaled(frames["projects"], of_plant, times, by)
        if "modes" in frames:
            of_mode = activity(frames["modes"]["process"])
            filled = frames["modes"].assign(capacity_per_t=frames["modes"]["capacity_per_t"].fillna(1.0))
            changed["modes"] = _scaled(filled, of_mode, "", "capacity_per_t variable_usd_per_t")
            changed["modes"] = _scaled(changed["modes"], activity(frames["modes"]["facility"].map(process)), "capacity_per_t")
        return changed

    return rebuilt(case, change)


def split_in_two(case: dv.Instance, facility: str) -> dv.Instance:
    """Return the instance with a plant that has no project split into two of half the capacity."""

    def change(frames: Frames) -> Frames:
        assert "projects" not in frames or facility not in set(frames["projects"]["facility"])
        for name, halved in (("facilities", ["capacity_t_per_year", "reserve_t"]), ("capacities", ["capacity_t_per_year"]), ("modes", [])):
            if name in frames:
                frame = frames[name]
                own = frame[frame["facility"] == facility]
                half = own.assign(**{column: own[column] / 2 for column in halved})
                others = frame[frame["facility"] != facility]
                frames[name] = pd.concat([others, half, half.assign(facility=facility + " II")], ignore_index=True)
        return frames

    return rebuilt(case, change)


def with_useless_plant(case: dv.Instance) -> dv.Instance:
    """Return the instance with a twin of its first plant that costs far too much to run."""

    def change(frames: Frames) -> Frames:
        twin = (
            frames["facilities"]
            .iloc[[0]]
            .assign(facility="too dear", capacity_t_per_year=100.0, variable_usd_per_t=1e7, fixed_usd_per_t_year=0.0, utilisation_min=0.0)
        )
        return frames | {"facilities": pd.concat([frames["facilities"], twin], ignore_index=True)}

    return rebuilt(case, change)
