"""What is in a case, in a few figures: the content of ``show``."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from diversify.instance.draft import Draft
from diversify.instance.record import Instance
from diversify.schema import PROVENANCE_COLUMNS, QUALITIES


def describe(instance: Instance) -> dict[str, Any]:
    """Return a case in figures, as plain values that JSON can hold.

    ``name``, ``title``, ``years``, ``discount_rate``, ``rows`` (per table); ``supply``: rows of stage, commodity,
    country and standing capacity (t of the process's reference per year) in the first and last planning year, with the
    most that projects could add; ``demand``: rows of commodity, country and quantity (t per year) in those two years;
    ``caps``: rows of cap, commodity, consumers, sources, basis, scope and share in those years (None before the first listed
    year); ``provenance``: per table the rows that are ``cited``, ``derived``, ``assumed`` or ``none``; ``scenarios``: their names.
    """
    draft = instance.draft()
    meta = instance.meta
    return {
        "name": instance.name,
        "title": meta.get("title", ""),
        "years": list(instance.years),
        "discount_rate": meta["discount_rate"],
        "currency": meta.get("currency", "USD 2024"),
        "rows": {name: len(frame) for name, frame in draft.frames.items()},
        "supply": _supply(draft),
        "demand": _demand(draft),
        "caps": _caps(draft),
        "provenance": _provenance(draft),
        "scenarios": [scenario for _, scenario in draft.rows("scenarios", "scenario")],
    }


def standing_capacity(draft: Draft, year: int) -> dict[str, float]:
    """Return the standing capacity of every facility in a year, in t of activity per year."""
    columns = ("facility", "capacity_t_per_year", "first_year", "last_year")
    standing = {
        plant: (capacity or 0.0) if (first is None or year >= first) and (last is None or year <= last) else 0.0
        for _, plant, capacity, first, last in draft.rows("facilities", *columns)
    }
    listed: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for _, plant, since, capacity in draft.rows("capacities", "facility", "year", "capacity_t_per_year"):
        listed[plant].append((since, capacity))
    for plant, steps in listed.items():
        begun = [step for step in sorted(steps) if step[0] <= year]
        standing[plant] = begun[-1][1] if begun else 0.0
    return standing


def _supply(draft: Draft) -> list[dict[str, Any]]:
    stage_of = {good: stage for _, good, stage in draft.rows("commodities", "commodity", "stage")}
    reference = {process: (good, stage) for _, process, good, stage in draft.rows("processes", "process", "reference", "stage")}
    country = {place: country for _, place, country in draft.rows("locations", "location", "country")}
    addable: dict[str, float] = defaultdict(float)
    for _, plant, unit, units, most in draft.rows("projects", "facility", "unit_t_per_year", "units_max", "max_t_per_year"):
        addable[plant] += most if most is not None else (units or 0.0) * (unit or 0.0)
    first, last = standing_capacity(draft, draft.years[0]), standing_capacity(draft, draft.years[-1])
    totals: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for _, plant, place, process in draft.rows("facilities", "facility", "location", "process"):
        good, stage = reference[process]
        total = totals[stage or stage_of.get(good) or "", good, country[place]]
        total[0] += first[plant]
        total[1] += last[plant]
        total[2] += addable[plant]
    return [
        {
            "stage": stage,
            "commodity": good,
            "country": where,
            "first_t_per_year": total[0],
            "last_t_per_year": total[1],
            "projects_t_per_year": total[2],
        }
        for (stage, good, where), total in totals.items()
    ]


def _demand(draft: Draft) -> list[dict[str, Any]]:
    country = {place: country for _, place, country in draft.rows("locations", "location", "country")}
    series: dict[tuple[str, str], list[tuple[int | None, float]]] = defaultdict(list)
    for _, place, good, year, quantity in draft.rows("demand", "location", "commodity", "year", "quantity_t_per_year"):
        series[place, good].append((year, quantity))
    totals: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for (place, good), listed in series.items():
        total = totals[good, country[place]]
        total[0] += _between(listed, draft.years[0])
        total[1] += _between(listed, draft.years[-1])
    return [
        {"commodity": good, "country": where, "first_t_per_year": total[0], "last_t_per_year": total[1]}
        for (good, where), total in totals.items()
    ]


def _between(listed: list[tuple[int | None, float]], year: int) -> float:
    """Return a figure linear between listed years and held outside them; one without a year holds for all."""
    if listed[0][0] is None:
        return listed[0][1]
    years, values = zip(*sorted((each or 0, value) for each, value in listed), strict=True)
    return float(np.interp(year, years, values))


def _caps(draft: Draft) -> list[dict[str, Any]]:
    columns = ("cap", "commodity", "consumers", "sources", "basis", "scope", "excess_usd_per_t")
    steps: dict[str, list[tuple[int | None, float]]] = defaultdict(list)
    heads: dict[str, dict[str, Any]] = {}
    for _, *cells, year, share in draft.rows("caps", *columns, "year", "share"):
        heads.setdefault(cells[0], dict(zip(columns, cells, strict=True)))
        steps[cells[0]].append((year, share))
    rows = []
    for cap, head in heads.items():
        begun = min(year or 0 for year, _ in steps[cap])
        shares = [_between(steps[cap], year) if year >= begun else None for year in (draft.years[0], draft.years[-1])]
        rows.append({**head, "scope": head["scope"] or "pooled", "first_share": shares[0], "last_share": shares[1]})
    return rows


def _provenance(draft: Draft) -> dict[str, dict[str, int]]:
    counts = {}
    for name, frame in draft.frames.items():
        if name in ("sources", "figures", "changes", "scenarios", "families") or not set(PROVENANCE_COLUMNS) <= set(frame.columns):
            continue
        quality = frame["quality"]
        counts[name] = {**{each: int((quality == each).sum()) for each in QUALITIES}, "none": int(quality.isna().sum())}
    return counts
