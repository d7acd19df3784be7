"""The rules of a case that can stand in each other's way, one by one and in words: what a conflict is made of.

A rule is a row of the model (a project's start: a few) that some row of a table asks for. What is not a rule is physics and always
in force: recipes, capacities, lead times, units that can be built, balances, and that nobody takes more than is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.diagnose.loosened import Loosened
from diversify.network.ground import Ints, filled

Row = Mapping[str, Any]

ORDER = ("start", "lane", "stock_capacity", "stock_final", "restriction", "contract", "budget", "floor", "units_min", "cap", "demand")
"""Kinds of rule. Those that come first are the first to be left out of a conflict that needs not all."""

NOT_POLICY = ("lane", "stock_capacity")
"""Kinds that no repair touches: what lanes carry and stores hold."""


@dataclass(frozen=True)
class Rule:
    """One rule: its ``kind``, where it stands (``table``, ``key``, calendar ``year`` or None), its ``sentence``, and the solver's ``rows``.

    The rule is the lower side of its rows where ``lower`` is true, else the upper.
    """

    kind: str
    table: str
    key: str
    year: int | None
    sentence: str
    rows: tuple[int, ...]
    lower: bool

    def as_dict(self) -> dict[str, Any]:
        """Return what an answer says of the rule."""
        policy = self.kind not in NOT_POLICY
        return {"kind": self.kind, "table": self.table, "key": self.key, "year": self.year, "sentence": self.sentence, "policy": policy}


def rules(loose: Loosened) -> list[Rule]:
    """Return the rules of a case, sorted by kind (as in ORDER), year and key. A limit whose excess has a price is none."""
    families = (_starts, _lanes, _stores, _final_stocks, _restrictions, _contracts, _budgets, _floors, _units, _caps, _demands)
    found = [rule for family in families for rule in family(loose)]
    return sorted(found, key=lambda rule: (ORDER.index(rule.kind), rule.year or 0, rule.key))


def sides(chosen: list[Rule]) -> tuple[Ints, Ints]:
    """Return the solver's rows whose lower side, and those whose upper side, the rules are."""
    lower = [row for rule in chosen if rule.lower for row in rule.rows]
    upper = [row for rule in chosen if not rule.lower for row in rule.rows]
    return np.array(lower, dtype=np.int64), np.array(upper, dtype=np.int64)


def tonnes(value: float) -> str:
    """Return a figure in a sentence, to five digits."""
    return f"{value:,.5g}" if abs(value) < 1e5 else f"{value:,.0f}"


def percent(share: float) -> str:
    """Return a share in a sentence."""
    return f"{100.0 * share:.4g} %"


def _listed(
    loose: Loosened, name: str, kind: str, table: str, key: tuple[str, ...], *, lower: bool, say: Callable[[Row], str | None]
) -> Iterator[Rule]:
    """Yield a rule for each row of a constraint of which ``say`` has something to say; ``key`` are its columns but the year."""
    for row in loose.rows(name).to_dict("records"):
        year = None if "year" not in row else int(row["year"])
        sentence = say({str(column): value for column, value in row.items()})
        if sentence is not None:
            said = "|".join(str(row[column]) for column in key)
            yield Rule(kind, table, said, year, sentence, (int(row["row"]),), lower)


def _first_rows(loose: Loosened, table: str, key: str) -> dict[str, Row]:
    """Return the first row of a table under each name."""
    frame = loose.instance.table(table)
    return {str(row[key]): row for row in frame.drop_duplicates(key).to_dict("records")}  # type: ignore[misc]


def _values(loose: Loosened, frame: pd.DataFrame, key: list[str], column: str) -> dict[tuple[Any, ...], Any]:
    """Return a column of a frame of the network by its decoded key."""
    named = loose.statement.network.decoded(frame[key])
    return dict(zip(named.itertuples(index=False, name=None), frame[column].tolist(), strict=True))


def _caps(loose: Loosened) -> Iterator[Rule]:
    caps, of = loose.statement.network.policy.caps, _first_rows(loose, "caps", "cap")
    key = ["cap", "consumers", "year"]
    share, excess = _values(loose, caps, key, "share"), _values(loose, caps, key, "excess_usd_per_t")
    how = {
        "produced": "come from {} in the last step",
        "owned": "come from {} or its plants in the last step",
        "traced": "have touched {} in any step",
    }

    def say(row: Row) -> str | None:
        at = (row["cap"], row["consumers"], row["year"])
        if share[at] >= 1.0 or not pd.isna(excess[at]):
            return None
        cap = of[row["cap"]]
        touch = how[cap["basis"]].format(cap["sources"])
        return (
            f"The cap {row['cap']} lets at most {percent(share[at])} of the {cap['commodity']} "
            f"taken in by {row['consumers']} in {row['year']} {touch}."
        )

    yield from _listed(loose, "c_cap", "cap", "caps", ("cap", "consumers"), lower=False, say=say)


def _floors(loose: Loosened) -> Iterator[Rule]:
    share, of = _values(loose, loose.statement.network.policy.floors, ["floor", "year"], "share"), _first_rows(loose, "floors", "floor")

    def say(row: Row) -> str | None:
        asked, floor = share[row["floor"], row["year"]], of[row["floor"]]
        if asked <= 0.0:
            return None
        return (
            f"The floor {row['floor']} asks {floor['makers']} to send out at least {percent(asked)} of the {floor['commodity']} "
            f"taken in by {floor['consumers']} in {row['year']}."
        )

    yield from _listed(loose, "c_floor", "floor", "floors", ("floor",), lower=True, say=say)


def _span(row: Row) -> str:
    first, last = row["first_year"], row["last_year"]
    if pd.isna(first):
        return "" if pd.isna(last) else f" until {last}"
    return f" from {first}" if pd.isna(last) else f" in {first}" if first == last else f" from {first} to {last}"


def _budgets(loose: Loosened) -> Iterator[Rule]:
    of = _first_rows(loose, "budgets", "budget")

    def say(row: Row) -> str:
        budget = of[row["budget"]]
        return (
            f"The budget {row['budget']} lets at most {tonnes(budget['limit_musd'])} million USD be committed"
            f"{_span(budget)} to plants in {budget['payer']}."
        )

    yield from _listed(loose, "c_budget", "budget", "budgets", ("budget",), lower=False, say=say)


def _restrictions(loose: Loosened) -> Iterator[Rule]:
    of = _first_rows(loose, "restrictions", "restriction")

    def say(row: Row) -> str:
        one = of[row["restriction"]]
        limit = float(one["limit_t_per_year"])
        what = "any commodity" if one["commodity"] == "*" else one["commodity"]
        how_much = "No" if limit == 0.0 else f"At most {tonnes(limit)} t of"
        source = f"plants in or owned from {one['origin']}" if one["by"] == "owned" else one["origin"]
        return f"{how_much} {what} may go from {source} to {one['destination']} in {row['year']} (restriction {row['restriction']})."

    yield from _listed(loose, "c_restriction", "restriction", "restrictions", ("restriction",), lower=False, say=say)


def _contracts(loose: Loosened) -> Iterator[Rule]:
    of = _first_rows(loose, "contracts", "contract")

    def say(row: Row) -> str | None:
        one = of[row["contract"]]
        least = float(one["minimum_t_per_year"])
        if least <= 0.0:
            return None
        return (
            f"The contract {row['contract']} asks for at least {tonnes(least)} t of {one['commodity']} "
            f"from {one['origin']} to {one['destination']} in {row['year']}."
        )

    yield from _listed(loose, "c_contract", "contract", "contracts", ("contract",), lower=True, say=say)


def _demands(loose: Loosened) -> Iterator[Rule]:
    """Yield the demands that must be met: of a demand with a price of shortage nothing is asked."""
    demand, key = loose.statement.network.cells.demand, ["location", "commodity", "year"]
    quantity, price = _values(loose, demand, key, "quantity"), _values(loose, demand, key, "shortage_usd_per_t")

    def say(row: Row) -> str | None:
        at = (row["location"], row["commodity"], row["year"])
        if not pd.isna(price[at]):
            return None
        return f"{row['location']} must get all {tonnes(quantity[at])} t of {row['commodity']} that it wants in {row['year']}."

    yield from _listed(loose, "c_demand", "demand", "demand", ("location", "commodity"), lower=True, say=say)


def _units(loose: Loosened) -> Iterator[Rule]:
    plants = loose.statement.network.plants
    projects = plants.projects.assign(project=plants.project_labels.names).set_index("project")

    def say(row: Row) -> str:
        one = projects.loc[row["project"]].to_dict()
        least = f"{tonnes(one['units_min'])} {'units' if one['lumpy'] else 't/yr'}"
        return f"At least {'1 unit' if one['lumpy'] and one['units_min'] == 1 else least} of the project {row['project']} must be built."

    yield from _listed(loose, "c_units_min", "units_min", "projects", ("project",), lower=True, say=say)


def _starts(loose: Loosened) -> Iterator[Rule]:
    """Yield, for each project that lead times alone would let come on line earlier, that it may not."""
    names, years = loose.statement.network.plants.project_labels.names, loose.statement.network.ground.years.label
    seen = loose.early[loose.early["row"] >= 0]
    for project, rows in seen.groupby("project"):
        later = years[years >= loose.start[int(str(project))]]
        when = f"before {later[0]}" if len(later) else "within the horizon"
        name = names[int(str(project))]
        yield Rule(
            "start",
            "projects",
            name,
            None,
            f"No unit of the project {name} can come on line {when}: it may not be decided or started earlier.",
            tuple(int(row) for row in rows["row"]),
            False,
        )


def _lanes(loose: Loosened) -> Iterator[Rule]:
    lanes = loose.statement.network.trade.lanes
    capacity = _values(loose, lanes, ["origin", "destination", "commodity"], "capacity_t_per_year")

    def say(row: Row) -> str:
        most = tonnes(capacity[row["origin"], row["destination"], row["commodity"]])
        return f"The lane from {row['origin']} to {row['destination']} carries at most {most} t of {row['commodity']} in {row['year']}."

    yield from _listed(loose, "c_lane_capacity", "lane", "lanes", ("origin", "destination", "commodity"), lower=False, say=say)


def _stores(loose: Loosened) -> Iterator[Rule]:
    most = _piles(loose, "capacity_t")

    def say(row: Row) -> str:
        limit = tonnes(most[row["location"], row["commodity"]])
        return f"The stockpile of {row['commodity']} at {row['location']} holds at most {limit} t at the end of {row['year']}."

    yield from _listed(loose, "c_stock_capacity", "stock_capacity", "stockpiles", ("location", "commodity"), lower=False, say=say)


def _final_stocks(loose: Loosened) -> Iterator[Rule]:
    least, initial = _piles(loose, "final_min_t"), _piles(loose, "initial_t")

    def say(row: Row) -> str | None:
        at = (row["location"], row["commodity"])
        asked = initial[at] if np.isnan(least[at]) else least[at]
        if asked <= 0.0:
            return None
        return f"The stockpile of {at[1]} at {at[0]} must hold at least {tonnes(asked)} t at the end of the horizon."

    yield from _listed(loose, "c_stock_final", "stock_final", "stockpiles", ("location", "commodity"), lower=True, say=say)


def _piles(loose: Loosened, column: str) -> dict[tuple[str, str], float]:
    table = loose.instance.table("stockpiles")
    return dict(zip(zip(table["location"], table["commodity"], strict=True), filled(table, "stockpiles", column).tolist(), strict=True))
