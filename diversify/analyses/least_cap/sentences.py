"""What holds the least share, in the planner's words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from diversify.network import Network
from diversify.network.ground import records as rows_of

Records = list[dict[str, Any]]

_SENTENCES = {
    "capacity": "{0} can do no more than {size} t/yr in {year}",
    "project": "no more than {size} of {0} can be built",
    "reserve": "{0} holds no more than {size} t",
    "demand": "{0} must have its {size} t/yr of {1} in {year}",
    "substitute": "{2} may stand in for no more than {size} t/yr of {1} at {0} in {year}",
    "lane": "no more than {size} t/yr of {2} can go from {0} to {1} in {year}",
    "restriction": "restriction {0} lets no more than {size} t/yr through in {year}",
    "contract": "contract {0} brings in {size} t/yr in {year}",
    "market": "the market at {0} takes no more than {size} t/yr of {1} in {year}",
    "minimum_run": "{0} has to run at {size} t/yr in {year}",
    "stock_capacity": "no more than {size} t of {1} can lie in stock at {0} in {year}",
    "stock_final": "{size} t of {1} have to lie in stock at {0} in the end",
    "budget": "budget {0} pays for no more than {size} million USD",
    "cap": "cap {0} lets no more than {size} t/yr through for {1} in {year}",
    "floor": "floor {0} asks for {size} t/yr in {year}",
    "path": "the path keeps {0} for {1} in {year} where it is, {size} t/yr",
}
"""Sentence of each kind of limit; the parts of its key are numbered."""


def records(network: Network, weighed: pd.DataFrame) -> Records:
    """Return the limits with their sentences (kind, table, key, year, sentence, weight, unique), then projects that come too late to help.

    Those have no weight: a project counts as too late where it adds to what a limiting plant does, in a later year only.
    """
    found = [
        {
            "kind": str(row["kind"]),
            "table": str(row["table"]),
            "key": str(row["key"]),
            "year": None if pd.isna(row["year"]) else int(row["year"]),
            "sentence": _sentence(row),
            "weight": float(row["weight"]),
            "unique": bool(row["unique"]),
        }
        for row in rows_of(weighed)
    ]
    return found + _too_late(network, [row for row in found if row["kind"] == "capacity"])


def _sentence(row: dict[str, Any]) -> str:
    parts = str(row["key"]).split("|")
    try:
        return _SENTENCES[str(row["kind"])].format(*parts, size=_figure(float(row["size"])), year=row["year"])
    except (IndexError, KeyError):  # a kind or a key that the words do not fit
        return f"{row['kind']} {row['key']}" + ("" if pd.isna(row["year"]) else f" in {row['year']}")


def _figure(size: float) -> str:
    """Return a quantity to four figures, without an exponent."""
    return f"{float(f'{size:.4g}'):,.10g}"


def _too_late(network: Network, full: Records) -> Records:
    """Return the projects of plants that run what a full plant runs and cannot be on line in any year in which it is full."""
    plants = network.plants
    processes = plants.modes.groupby("facility")["process"].agg(set).to_dict()
    first = plants.online.groupby("project")["year"].min().to_dict()
    found: Records = []
    for project, facility in enumerate(plants.projects["facility"].to_numpy(dtype=np.int64)):
        if project not in first:
            continue
        year = int(network.ground.years.label[first[project]])
        alike = [row for row in full if processes[facility] & processes[plants.labels.code(row["key"])]]
        if not alike or any(row["year"] >= year for row in alike):
            continue
        name = plants.project_labels.names[project]
        where = sorted({row["key"] for row in alike})
        sentence = f"{name} could add to {', '.join(where[:2])}{' and others' if len(where) > 2 else ''}, but not before {year}"
        said = {"kind": "too_late", "table": "projects", "key": name, "year": year, "sentence": sentence}
        found.append({**said, "weight": None, "unique": None})
    return sorted(found, key=lambda row: (row["year"], row["key"]))
