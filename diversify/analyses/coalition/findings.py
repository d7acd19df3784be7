"""What the values of all subsets say: the summary and the tables of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.coalition.division import OUTSIDE, Division
from diversify.analyses.coalition.game import Band, Game, least_core, shapley_weights
from diversify.analyses.coalition.members import Members
from diversify.analyses.solving import Record, table_of
from diversify.network.ground import Floats
from diversify.planning.summary import about

Records = list[dict[str, Any]]

ASSUMED = (
    "A member's own is what stands on its soil, and its plants in third countries. A plant of one member on another's soil is the "
    "host's. Only those who act together use each other's plants, projects, stocks and scrap: apart, members do not trade.",
    "Everything else, supply and demand alike (Chinese exports too), is divided by the members' demand in tonnes over the horizon. A "
    "third country's project keeps its number of units; their size and capital cost shrink with the share. One share holds for all years: "
    "apart, a member has less than its part of a year in which it is a larger buyer than on the whole, which adds to the gain.",
    "The cost of serving third countries' demand is in every figure, at the share. Together it is there once; apart it adds up to once.",
    "Caps, floors and tariffs stay as they are: a pooled cap holds for those who act together, so that apart each member meets it by "
    "itself. A joint limit (restriction, budget) is divided by the demand of those whom it limits; a floor that only absent members could "
    "fulfil is left out.",
    "A contract holds at the share of those who act together, and not where its makers are left out. Apart, members are bound by less of "
    "it, so that the gain is, if anything, too small.",
    "A member that buys nothing has no share of the outside; what its plants must at least run, which is for buyers, holds at the share.",
    "The costs of all subsets are planned with the same data and years, each as if one planner decided for all who act together.",
)
"""What the numbers assume, in sentences to stand beside them."""


def game_of(members: Members, records: Mapping[int, Record]) -> Game:
    """Return the game whose values lie between each solve's bound and cost; what has no plan costs ``inf``."""
    low, high = np.zeros(members.all + 1), np.zeros(members.all + 1)
    for subset, record in records.items():
        cost, bound = record["objective_musd"], record["bound_musd"]
        high[subset] = np.inf if cost is None else cost
        impossible = record["stopped"] == "infeasible"
        low[subset] = np.inf if impossible else -np.inf if bound is None else min(bound, high[subset])
    return Game(low, high)


def summary_of(division: Division, records: Mapping[int, Record], game: Game) -> dict[str, Any]:
    """Return the answer's summary; what has no finite value is None."""
    members = division.members
    at_hand = Game.exact(game.high)
    names = [member.name for member in members.members]
    gain = game.gain()
    return {
        **about(division.instance),
        "members": {member.name: list(member.countries) for member in members.members},
        "values_musd": {members.name(subset): _value(record) for subset, record in records.items()},
        "gain_musd": _finite(at_hand.gain().low),
        "gain_band_musd": _ends(gain),
        "gain_proved": bool(gain.low > game.tolerance),
        "gain_by_category_musd": {row["category"]: row["gain_musd"] for row in gain_records(members, records)},
        "shapley_musd": dict(zip(names, (_finite(band.low) for band in at_hand.shapley()), strict=True)),
        "shapley_band_musd": dict(zip(names, map(_ends, game.shapley()), strict=True)),
        "shapley_in_core": game.stability(shapley_weights(len(members))) if np.isfinite(game.high).all() else None,
        "core": game.core(),
        "least_core_musd": _least(game.high),
        "least_core_band_musd": _ends(game.least_core()),
        "dearer_together": breach_records(members, game),
        "assumed": list(ASSUMED),
    }


def tables_of(division: Division, records: Mapping[int, Record], game: Game) -> dict[str, Records]:
    """Return the rows of the answer's tables; with no plan for all together those that speak of it are empty."""
    members = division.members
    return {
        "values": _value_records(division, records, game),
        "members": _member_records(division, records[members.all], game),
        "gains": gain_records(members, records),
        "costs": _cost_records(division, records[members.all]),
        "hosts": _host_records(division, records),
        "dearer_together": breach_records(members, game),
        **{name: _of_subsets(members, records, name) for name in ("shortages", "builds")},
    }


def _of_subsets(members: Members, records: Mapping[int, Record], name: str) -> Records:
    """Return the rows of one table of every subset's plan."""
    return [{"subset": members.name(subset), **row} for subset, record in records.items() for row in record["tables"][name]]


def breach_records(members: Members, game: Game) -> Records:
    """Return which subsets cost more together than apart, by how much, and whether that is proved."""
    return [
        {
            "subset": members.name(breach.left),
            "other": members.name(breach.right),
            "dearer_musd": _finite(game.high[breach.left | breach.right] - game.high[breach.left] - game.high[breach.right]),
            "low_musd": _finite(breach.dearer.low),
            "high_musd": _finite(breach.dearer.high),
            "proved": bool(breach.dearer.low > game.tolerance),
        }
        for breach in game.breaches()
    ]


def gain_records(members: Members, records: Mapping[int, Record]) -> Records:
    """Return cost by category of the plans apart (added up) and together, and the gain; nothing where one of them has no plan."""
    alone = [records[1 << position]["cost_musd"] for position in range(len(members))]
    together = records[members.all]["cost_musd"]
    if not together or not all(alone):
        return []
    rows = []
    for category in _in_order(together, *alone):
        apart, joint = sum(costs.get(category, 0.0) for costs in alone), together.get(category, 0.0)
        rows.append({"category": category, "apart_musd": apart, "together_musd": joint, "gain_musd": apart - joint})
    return rows


def _in_order(*costs: Mapping[str, float]) -> list[str]:
    """Return the categories of several cost tables in the order of the fullest."""
    longest = max(costs, key=len)
    return [*longest, *sorted({name for cost in costs for name in cost} - set(longest))]


def _value(record: Record) -> dict[str, Any]:
    kept = {"cost": record["objective_musd"], "bound": record["bound_musd"], "gap_musd": record["gap_musd"], "stopped": record["stopped"]}
    return {**kept, "shortage": record["cost_musd"].get("shortage", 0.0) if record["cost_musd"] else None}


def _value_records(division: Division, records: Mapping[int, Record], game: Game) -> Records:
    members, rows = division.members, []
    for subset, record in records.items():
        weights = np.zeros(members.all + 1)
        weights[[1 << position for position in members.positions(subset)]] += 1.0
        weights[subset] -= 1.0
        gain = game.band_of(weights)
        rows.append(
            {
                "subset": members.name(subset),
                "members": len(members.positions(subset)),
                "share": division.share(subset),
                "cost_musd": record["objective_musd"],
                "bound_musd": record["bound_musd"],
                "stopped": record["stopped"],
                "shortage_musd": _value(record)["shortage"],
                "gain_musd": _finite(Game.exact(game.high).band_of(weights).low),
                "gain_low_musd": _finite(gain.low),
                "gain_high_musd": _finite(gain.high),
            }
        )
    return rows


def _member_records(division: Division, grand: Record, game: Game) -> Records:
    """Return each member's costs alone, fairly shared, and in the plan of all, with what it would pay the others.

    ``served_musd`` is what its own deliveries cost in the plan of all, ``others_musd`` its share of what third countries'
    cost there; a transfer is what its Shapley value asks beyond both, so that transfers sum to 0.
    """
    members = division.members
    fair, bands = shapley_weights(len(members)), game.shapley()
    served, arises = _by_member(division, grand["cost_by_consumer_musd"]), _by_member(division, grand["cost_by_country_musd"])
    rows = []
    for position, member in enumerate(members.members):
        share = division.share(1 << position)
        shapley = _finite(Game.exact(game.high).band_of(fair[position]).low)
        alone = _finite(game.high[1 << position])
        planned = bool(grand["cost_musd"])
        own = served.get(position, 0.0) if planned else None
        others = share * served.get(OUTSIDE, 0.0) if planned else None
        rows.append(
            {
                "member": member.name,
                "share": share,
                "alone_musd": alone,
                "alone_low_musd": _finite(game.low[1 << position]),
                "shapley_musd": shapley,
                "shapley_low_musd": _finite(bands[position].low),
                "shapley_high_musd": _finite(bands[position].high),
                "gain_musd": None if shapley is None or alone is None else alone - shapley,
                "served_musd": own,
                "others_musd": others,
                "transfer_musd": None if shapley is None or own is None or others is None else shapley - own - others,
                "arises_musd": arises.get(position, 0.0) if planned else None,
            }
        )
    return rows


def _by_member(division: Division, costs: Mapping[str, float]) -> dict[int, float]:
    """Return costs by the member whose country they are of; what is of no member's country is of ``OUTSIDE``."""
    whose = division.members.of_country
    total: dict[int, float] = {}
    for country, cost in costs.items():
        position = whose.get(country, OUTSIDE)
        total[position] = total.get(position, 0.0) + cost
    return total


def _cost_records(division: Division, grand: Record) -> Records:
    """Return where the cost of the plan of all arises and whose deliveries it serves, by country."""
    arises, served = grand["cost_by_country_musd"], grand["cost_by_consumer_musd"]
    return [
        {
            "country": country,
            "member": _member_name(division, country),
            "arises_musd": arises.get(country, 0.0),
            "served_musd": served.get(country, 0.0),
        }
        for country in sorted({*arises, *served})
    ]


def _host_records(division: Division, records: Mapping[int, Record]) -> Records:
    """Return what is built where, by country and process: in the plans of the members alone, added up, and in the plan of all."""
    members = division.members
    key = ["country", "process"]
    apart = pd.concat([_built(division, records[1 << position]) for position in range(len(members))])
    plans = {"apart": apart, "together": _built(division, records[members.all])}
    sums = [frame.groupby(key)[["capacity", "capex"]].sum().add_suffix(f"_{name}") for name, frame in plans.items()]
    joined = pd.concat(sums, axis=1).fillna(0.0).reset_index().sort_values(key)
    return [
        {
            "country": row["country"],
            "member": _member_name(division, row["country"]),
            "process": row["process"],
            "apart_t_per_year": row["capacity_apart"],
            "together_t_per_year": row["capacity_together"],
            "apart_capex_musd": row["capex_apart"],
            "together_capex_musd": row["capex_together"],
        }
        for row in joined.to_dict("records")
    ]


def _built(division: Division, record: Record) -> pd.DataFrame:
    """Return country, the plant's first process, capacity and overnight capex of what a plan builds."""
    builds, ground = table_of(record, "builds"), division.ground
    plant = division.instance.table("facilities").set_index("facility").loc[builds["facility"]]
    country = ground.countries.decode(ground.location_country[ground.locations.codes(plant["location"])])
    return pd.DataFrame({"country": country, "process": plant["process"].to_numpy(dtype=object)}).assign(
        capacity=builds["capacity_t_per_year"].to_numpy(dtype=np.float64), capex=builds["capex_musd"].to_numpy(dtype=np.float64)
    )


def _member_name(division: Division, country: str) -> str | None:
    position = division.members.of_country.get(country)
    return None if position is None else division.members.members[position].name


def _least(values: Floats) -> float | None:
    return _finite(least_core(values)[0]) if np.isfinite(values[-1]) else None


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _ends(band: Band) -> dict[str, float | None]:
    return {"low": _finite(band.low), "high": _finite(band.high)}
