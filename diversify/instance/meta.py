"""The keys of ``instance.yaml``: reading them, and the planning years that they stand for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from diversify.errors import Problem
from diversify.instance.cells import UnfitCell, parse_number, parse_year, shown, unsafe_name
from diversify.instance.names import nearest
from diversify.schema import FORMAT_VERSION, META_KEYS, SAFE_NAME

_YEARS_REMEDY = "Write a list of increasing years such as [2026, 2028, 2030], or first, last and step."
Faults = list[tuple[str, str, str, str]]
"""Each: key, code, message, remedy."""


def read_meta(
    given: Mapping[str, object], name: str, file: str, rows: Mapping[str, int]
) -> tuple[dict[str, Any], tuple[int, ...], list[Problem]]:
    """Return the keys in their types, the planning years, and every problem found.

    ``name`` serves where none is given. The result always has ``chains``, in which paths are not resolved.
    """
    meta: dict[str, Any] = {}
    faults: Faults = []
    for key, value in given.items():
        if key not in META_KEYS:
            faults.append((key, "unknown_key", f"There is no key {key!r}.{nearest(key, META_KEYS)}", f"Known: {', '.join(META_KEYS)}."))
        elif value is not None and value != "":
            meta[key] = value
    for known in META_KEYS.values():
        if known.required and known.name not in meta:
            faults.append((known.name, "missing_key", f"The key {known.name!r} is missing.", f"Add it: {known.meaning}."))
    meta.setdefault("name", name)
    years = _read_years(meta, faults)
    _read_format(meta, faults)
    _read_numbers(meta, faults)
    _read_texts(meta, faults)
    _read_chains(meta, faults)
    _read_solve(meta, faults)
    ordered = {key: meta[key] for key in META_KEYS if key in meta}
    problems = [
        Problem(code, message, remedy, "instance", rows.get(key), key, shown(given.get(key)), file) for key, code, message, remedy in faults
    ]
    return ordered, years, problems


def resolve_years(years: object) -> tuple[int, ...]:
    """Return planning years given as a list or as first, last and step; raises UnfitCell."""
    if isinstance(years, Mapping):
        return _stepped_years(years)
    if not isinstance(years, (list, tuple)):
        raise UnfitCell("bad_years", f"The years {shown(years)} are neither a list nor first, last and step.", _YEARS_REMEDY)
    if not years:
        raise UnfitCell("bad_years", "There is no planning year.", _YEARS_REMEDY)
    resolved = tuple(_whole_year(year) for year in years)
    if any(later <= earlier for earlier, later in pairwise(resolved)):
        raise UnfitCell("years_not_increasing", f"The years {', '.join(map(str, resolved))} do not increase.", _YEARS_REMEDY)
    return resolved


def _whole_year(year: object) -> int:
    resolved = parse_year(year)
    if resolved is None:
        raise UnfitCell("bad_years", "One of the years is blank.", _YEARS_REMEDY)
    return resolved


def _stepped_years(years: Mapping[Any, object]) -> tuple[int, ...]:
    odd = [str(key) for key in years if key not in ("first", "last", "step")]
    if odd or not {"first", "last", "step"} <= set(years):
        raise UnfitCell("bad_years", f"The years have the keys {', '.join(map(str, years))}.", _YEARS_REMEDY)
    first, last = _whole_year(years["first"]), _whole_year(years["last"])
    step = parse_number(years["step"])
    if math.isnan(step) or not step.is_integer() or step < 1:
        raise UnfitCell("bad_years", f"The step {shown(years['step'])} is not a whole number of years.", "Write a step of 1 or more.")
    if last < first:
        raise UnfitCell("years_not_increasing", f"The last year {last} comes before the first, {first}.", _YEARS_REMEDY)
    if (last - first) % int(step):
        nearest_last = first + (last - first) // int(step) * int(step)
        raise UnfitCell(
            "last_off_step",
            f"The last year {last} is not on the step of {int(step)} from {first}.",
            f"Write last: {nearest_last}, or another step.",
        )
    return tuple(range(first, last + 1, int(step)))


def _read_years(meta: dict[str, Any], faults: Faults) -> tuple[int, ...]:
    if "years" not in meta:
        return ()
    try:
        resolved = resolve_years(meta["years"])
    except UnfitCell as fault:
        faults.append(("years", fault.code, fault.message, fault.remedy))
        return ()
    years = meta["years"]
    step = {key: int(parse_number(years[key])) for key in ("first", "last", "step")} if isinstance(years, Mapping) else None
    meta["years"] = step if step is not None else list(resolved)
    return resolved


def _read_format(meta: dict[str, Any], faults: Faults) -> None:
    if "format" not in meta:
        return
    version = meta["format"]
    if isinstance(version, bool) or version not in (FORMAT_VERSION, str(FORMAT_VERSION)):
        message = f"The format {shown(version)} is not known."
        faults.append(("format", "unknown_format", message, f"Write format: {FORMAT_VERSION}; a higher one needs a newer diversify."))
    else:
        meta["format"] = FORMAT_VERSION


def _read_numbers(meta: dict[str, Any], faults: Faults) -> None:
    for key, parse in (("discount_rate", parse_number), ("reveal_year", parse_year)):
        if key not in meta:
            continue
        try:
            meta[key] = parse(meta[key])
        except UnfitCell as fault:
            faults.append((key, fault.code, fault.message, fault.remedy))
            del meta[key]
    rate = meta.get("discount_rate")
    if rate is not None and rate <= -1.0:
        faults.append(
            ("discount_rate", "out_of_range", f"A discount rate of {rate} is not above -1.", "Write the rate as a fraction: 5 % is 0.05.")
        )


def _read_texts(meta: dict[str, Any], faults: Faults) -> None:
    for key in ("name", "title", "currency"):
        if key in meta and not isinstance(meta[key], str):
            faults.append((key, "wrong_type", f"{shown(meta[key])} is not text.", "Put it in quotes."))
            meta[key] = shown(meta[key])
    if not SAFE_NAME.match(meta["name"]):
        fault = unsafe_name(meta["name"])
        faults.append(("name", fault.code, fault.message, fault.remedy))


def _read_chains(meta: dict[str, Any], faults: Faults) -> None:
    chains = meta.get("chains", [])
    if isinstance(chains, str):
        chains = [chains]
    if not isinstance(chains, (list, tuple)) or not all(isinstance(chain, str) for chain in chains):
        faults.append(
            ("chains", "wrong_type", f"The chains {shown(chains)} are not a list of names.", "Write a list such as [rare-earth-magnets].")
        )
        chains = []
    meta["chains"] = list(chains)


def _read_solve(meta: dict[str, Any], faults: Faults) -> None:
    if "solve" not in meta:
        return
    if not isinstance(meta["solve"], Mapping):
        faults.append(
            (
                "solve",
                "wrong_type",
                f"The options {shown(meta['solve'])} are not keys and values.",
                "Write keys and values such as {gap: 0.01}.",
            )
        )
        del meta["solve"]
        return
    meta["solve"] = {str(key): _plain_option(value) for key, value in meta["solve"].items()}


def _plain_option(value: object) -> object:
    """Return an option as JSON can hold it; YAML reads 1e-3 as text, which is meant as a number."""
    if isinstance(value, str):
        try:
            number = parse_number(value)
        except UnfitCell:
            return value
        return value if math.isnan(number) else number
    return value if value is None or isinstance(value, (bool, int, float)) else shown(value)
