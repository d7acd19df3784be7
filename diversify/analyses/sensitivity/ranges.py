"""Which inputs are asked about: ranges that the data carry, and standard ones for what no range is stated of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from diversify.analyses.sensitivity.inputs import Input, key_cells, read_input, setting
from diversify.errors import InstanceError, UsageError
from diversify.instance import Instance
from diversify.instance.cells import number_text
from diversify.instance.changes import Change, Value, written
from diversify.instance.draft import row_keys, shown_value
from diversify.instance.names import nearest
from diversify.network.ground import Bools, records
from diversify.schema import EVERYTHING, TABLES

_IN_WORDS = {
    "capex_unit_musd": "capital cost",
    "capex_usd_per_t_year": "capital cost",
    "variable_usd_per_t": "variable cost",
    "utilisation_min": "minimum run",
    "capacity_t_per_year": "standing capacity",
    "quantity_t_per_year": "demand",
    "amount_t_per_t": "recipe",
    "lead_years": "lead time",
    "rate": "tariff",
}
_POINTS = 0.02
"""Standard range of rates of interest, either way."""


def asked_inputs(instance: Instance, inputs: Sequence[Input | str] | None) -> tuple[list[Input], list[dict[str, str]]]:
    """Return the inputs asked about, and those of the default ones that cannot be moved, with why.

    ``inputs`` holds inputs, texts ``NAME=LOW|HIGH``, the words ``data``, ``standard`` and ``each`` (every figure with a range by
    itself), or names of those inputs; None stands for ``data`` and ``standard``. Raises UsageError for an unknown name or a
    name twice, InstanceError where a change of a given input cannot be made.
    """
    chosen: list[Input] = []
    for asked in ("data", "standard") if inputs is None else inputs:
        chosen += [asked] if isinstance(asked, Input) else _read(instance, asked.strip())
    names = [each.name for each in chosen]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"Two inputs are called {twice[0]!r}. Give each a name of its own.")
    movable, left_out = [], []
    for each in chosen:
        why = _fault(instance, each)
        if why:
            left_out.append({"input": each.name, "why": why})
        else:
            movable.append(each)
    if not movable:
        raise UsageError(f"{instance.name} has no input to ask about: {left_out[0]['why'] if left_out else 'none is given'}")
    return movable, left_out


def _read(instance: Instance, asked: str) -> list[Input]:
    known: dict[str, Callable[[Instance], list[Input]]] = {
        "data": data_inputs,
        "standard": standard_inputs,
        "each": partial(data_inputs, each=True),
    }
    if asked in known:
        return known[asked](instance)
    named = {each.name: each for kind in known.values() for each in kind(instance)}
    if asked in named:
        return [named[asked]]
    if "=" in asked:
        return [read_input(asked)]
    hint = nearest(asked, list(named)) or f" Known: {'; '.join(named) or 'none'}."
    raise UsageError(f"There is no input {asked!r}.{hint} Give one as NAME=LOW|HIGH, or the words data, standard or each.")


def _fault(instance: Instance, asked: Input) -> str:
    """Return why an input of our own making cannot be moved in this case; raise what is wrong with a given one."""
    for changes in filter(None, asked.ends.values()):
        try:
            instance.set(*changes)
        except InstanceError as error:
            if asked.kind == "given":
                raise
            return error.problems[0].message
    return ""


def data_inputs(instance: Instance, *, each: bool = False) -> list[Input]:
    """Return the inputs whose ranges the table figures states, figures of one kind together (``each``: only years of one series).

    Figures of one column move together for one stage of the chain (in the countries that caps look at, apart from the others)
    or one place of demand; all go to their low ends or all to their high ends. A blank end is the figure as it is.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    group_of = _series if each else _Grouping(instance)
    rows = {name: _by_key(instance, name) for name in sorted(set(instance.table("figures")["table"].dropna()))}
    for figure in records(instance.table("figures")):
        low, high = shown_value(figure["low"]), shown_value(figure["high"])
        table, key, column = figure["table"], figure["key"], figure["column"]
        if (low or high) and TABLES[table].column(column).kind == "number":
            row = rows[table][key]
            cells = key_cells({name: row[name] for name in TABLES[table].key})
            ends = [written(Change("set", table, cells, column, Value(number_text(float(end))))) if end else "" for end in (low, high)]
            groups.setdefault(group_of(table, row, column), []).append((ends[0], ends[1]))
    return [
        Input(name, _present(low for low, _ in pairs), _present(high for _, high in pairs), "data", _said(len(pairs)))
        for name, pairs in sorted(groups.items())
    ]


def _present(changes: Any) -> tuple[str, ...]:
    return tuple(change for change in changes if change)


def _said(count: int) -> str:
    return "low to high of 1 figure" if count == 1 else f"low to high of {count} figures together"


def _by_key(instance: Instance, table: str) -> dict[str, dict[str, Any]]:
    frame = instance.table(table)
    return dict(zip(row_keys(frame, TABLES[table]), records(frame), strict=True))


def _series(table: str, row: dict[str, Any], column: str) -> str:
    """Return the name of a figure by itself; the years of one series bear one name."""
    key = ", ".join(shown_value(row[name]) for name in TABLES[table].key if name != "year" and shown_value(row[name]))
    return f"{_IN_WORDS.get(column, column)}: {key}"


class _Grouping:
    """Names the group that a figure moves with."""

    def __init__(self, instance: Instance) -> None:
        plants, stages = instance.table("facilities"), instance.table("processes").set_index("process")["stage"]
        self._process = dict(zip(plants["facility"], plants["process"], strict=True))
        self._stage = {process: stage if isinstance(stage, str) else process for process, stage in stages.items()}
        self._capped = {name: group for group, names in capped_plants(instance).items() for name in names}

    def __call__(self, table: str, row: dict[str, Any], column: str) -> str:
        words = _IN_WORDS.get(column, column)
        if table == "demand":
            return f"{words}, {row['location']}"
        if "facility" in row:
            place = self._capped.get(row["facility"])
            return f"{words}, {self._stage[self._process[row['facility']]]}{f', {place}' if place else ''}"
        return _series(table, row, column)


def capped_plants(instance: Instance) -> dict[str, list[str]]:
    """Return the plants that stand in the countries whose share a cap limits, by the caps' selector; a plant counts once."""
    countries = dict(zip(instance.table("locations")["location"], instance.table("locations")["country"], strict=True))
    groups, plants = instance.table("groups"), instance.table("facilities")
    found: dict[str, list[str]] = {}
    taken: set[str] = set()
    for selector in sorted(set(instance.table("caps")["sources"]) - {EVERYTHING}):
        members = set(groups.loc[groups["group"] == selector, "country"]) or {selector}
        names = [name for name, at in zip(plants["facility"], plants["location"], strict=True) if countries[at] in members]
        found[selector] = sorted(set(names) - taken)
        taken |= set(names)
    return {selector: names for selector, names in found.items() if names}


def standard_inputs(instance: Instance) -> list[Input]:
    """Return the standard inputs for which the case has figures. Their ranges are a convention, not a finding."""
    capped = capped_plants(instance)
    inside = {name for names in capped.values() for name in names}
    plants = set(instance.table("facilities")["facility"])
    outside = plants - inside
    found = [
        _standard("all demand", "-10 % | +10 %", lambda side: setting(instance, "demand", "quantity_t_per_year", _times(side, 0.1))),
        _standard("cost of shortage", "-50 % | +50 %", lambda side: setting(instance, "demand", "shortage_usd_per_t", _times(side, 0.5))),
        _discount_rate(instance),
        _standard(
            "cost of capital", "-2 points | +2 points", lambda side: setting(instance, "countries", "wacc", f"{_sign(side)} {_POINTS:g}")
        ),
        _standard("all capital cost", "-20 % | +20 %", lambda side: _capital(instance, side)),
        _standard("all lead times", "-1 year | +1 year", lambda side: _lead(instance, side)),
        _standard(
            "all variable cost" + (", elsewhere" if inside else ""), "-20 % | +20 %", lambda side: _variable(instance, outside, side, 0.2)
        ),
        _standard(
            "all freight",
            "-50 % | +50 %",
            lambda side: (
                setting(instance, "freight", "freight_usd_per_t_km", _times(side, 0.5))
                + setting(instance, "freight", "handling_usd_per_t", _times(side, 0.5))
            ),
        ),
        _standard("all tariffs", "-50 % | +50 %", lambda side: setting(instance, "tariffs", "rate", _times(side, 0.5))),
        _standard("all scrap returned", "-50 % | +50 %", lambda side: setting(instance, "returns", "scrap_t_per_t", _times(side, 0.5))),
    ]
    for selector, names in capped.items():
        found.append(_capped_cost(instance, selector, set(names)))
        found.append(_capped_capacity(instance, selector, set(names)))
    return [each for each in found if each.low or each.high]


def _standard(name: str, said: str, changes: Callable[[int], tuple[str, ...]]) -> Input:
    return Input(name, changes(-1), changes(1), "standard", said)


def _times(side: int, part: float) -> str:
    return f"x{1.0 + side * part:g}"


def _sign(side: int) -> str:
    return "plus" if side > 0 else "minus"


def _discount_rate(instance: Instance) -> Input:
    rate = float(instance.meta["discount_rate"])
    ends = (max(rate - _POINTS, 0.0), rate + _POINTS)
    low, high = (() if end == rate else (f"instance.discount_rate={end:.6g}",) for end in ends)
    return Input("discount rate", low, high, "standard", f"{100 * ends[0]:.4g} % | {100 * ends[1]:.4g} %")


def _capital(instance: Instance, side: int) -> tuple[str, ...]:
    columns = ("capex_unit_musd", "capex_usd_per_t_year", "capex_first_musd")
    table = instance.table("projects")
    stated = [column for column in columns if (table[column].fillna(0.0) > 0).any()]
    return tuple(text for column in stated for text in setting(instance, "projects", column, _times(side, 0.2)))


def _lead(instance: Instance, side: int) -> tuple[str, ...]:
    """A year more or less for every project that takes time; one that takes less than a year stays as it is on the way down."""
    lead = instance.table("projects")["lead_years"].fillna(0.0).to_numpy(dtype=np.float64)
    return setting(instance, "projects", "lead_years", f"{_sign(side)} 1", lead > 0.0 if side > 0 else lead >= 1.0)


def _at(instance: Instance, table: str, plants: set[str]) -> Bools:
    return instance.table(table)["facility"].isin(plants).to_numpy(dtype=bool)


def _variable(instance: Instance, plants: set[str], side: int, part: float) -> tuple[str, ...]:
    changes: tuple[str, ...] = ()
    for table in ("facilities", "modes"):
        charged = instance.table(table)["variable_usd_per_t"].fillna(0.0).to_numpy(dtype=np.float64) != 0.0
        changes += setting(instance, table, "variable_usd_per_t", _times(side, part), _at(instance, table, plants) & charged)
    return changes


def _capped_cost(instance: Instance, selector: str, plants: set[str]) -> Input:
    return _standard(f"all variable cost, {selector}", "-20 % | +20 %", lambda side: _variable(instance, plants, side, 0.2))


def _capped_capacity(instance: Instance, selector: str, plants: set[str]) -> Input:
    def changes(side: int) -> tuple[str, ...]:
        found: tuple[str, ...] = ()
        for table in ("facilities", "capacities"):
            standing = instance.table(table)["capacity_t_per_year"].fillna(0.0).to_numpy(dtype=np.float64) > 0.0
            found += setting(instance, table, "capacity_t_per_year", _times(side, 0.2), _at(instance, table, plants) & standing)
        return found

    return _standard(f"all standing capacity, {selector}", "-20 % | +20 %", changes)
