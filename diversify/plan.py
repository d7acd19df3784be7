"""The Plan: a result as tidy tables with units in the names, its summary and its manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from diversify.errors import ResultFolderError
from diversify.instance import Instance, load
from diversify.result_folder import INSTANCE, MANIFEST, SUMMARY, files_of, write_result

TABLES: dict[str, tuple[str, ...]] = {
    "builds": ("project", "facility", "year", "decided_year", "units", "capacity_t_per_year", "capex_musd", "source", "quality"),
    "closures": ("facility", "year", "closed_t_per_year"),
    "capacity": ("facility", "year", "standing_t_per_year", "new_t_per_year", "usable_t_per_year"),
    "activity": ("facility", "process", "tag", "year", "activity_t_per_year"),
    "flows": ("origin", "owner", "destination", "commodity", "tag", "year", "quantity_t_per_year", "freight_musd", "tariff_musd"),
    "deliveries": ("location", "commodity", "supplied_by", "tag", "year", "quantity_t_per_year"),
    "shortages": ("location", "commodity", "year", "quantity_t_per_year", "cost_musd"),
    "disposal": ("location", "owner", "commodity", "tag", "year", "quantity_t_per_year"),
    "sales": ("location", "owner", "commodity", "tag", "year", "quantity_t_per_year"),
    "stocks": ("location", "commodity", "tag", "year", "stock_t"),
    "shares": ("cap", "consumers", "year", "share", "limit", "excess_t", "pro_rata_share", "unknown_t", "usd_per_t", "musd_per_point"),
    "concentration": ("commodity", "stage", "consumers", "year", "country", "share", "hhi"),
    "costs": ("category", "country", "facility", "year", "musd"),
    "consumer_costs": ("country", "year", "musd"),
    "prices": ("kind", "table", "key", "year", "usd_per_t", "musd", "unique"),
}
"""Columns of every table of a result, in the order of the files. Quantities are t or t/yr, money is million USD:
annual and undiscounted in ``flows`` and ``shortages``, overnight in ``builds``, discounted in the cost tables. ``source`` and
``quality`` of ``builds`` are those of the project's row in the instance."""

_ADDED = {"source", "quality"}
"""Columns that results of earlier versions lack; blank when such a result is read."""

_TEXT = {
    *("project", "facility", "process", "tag", "origin", "owner", "destination", "commodity", "location", "supplied_by"),
    *("cap", "consumers", "stage", "country", "category", "kind", "table", "key", "source", "quality"),
}
FILES = files_of(TABLES)
"""Names of the files of a result folder."""


@dataclass(frozen=True)
class Plan:
    """A result: what was solved, how it ended, and the plan's tables (empty where it holds none).

    ``plan.builds``, ``plan.flows`` and the other names of :data:`TABLES` are DataFrames. ``summary`` is the JSON object
    of ``solve --json``; ``manifest`` says what made it.
    """

    instance: Instance
    summary: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Return a table by its name."""
        if name in TABLES:
            return self.tables[name]
        raise AttributeError(f"a Plan has no {name!r}; its tables are {', '.join(TABLES)}")

    @property
    def stopped(self) -> str:
        """Why the solve stopped: optimal, time_limit, infeasible, unbounded, interrupted or error."""
        return str(self.summary["stopped"])

    @property
    def holds(self) -> str:
        """What it holds: ``plan`` or ``none``."""
        return str(self.summary["holds"])

    @property
    def objective_musd(self) -> float | None:
        """Total discounted cost in million USD; None where there is no plan."""
        return _number(self.summary["objective_musd"])

    @property
    def bound_musd(self) -> float | None:
        """Proved lower bound on the cost of any plan in million USD; None where nothing was proved."""
        return _number(self.summary["bound_musd"])

    @property
    def gap(self) -> float | None:
        """Objective less bound, relative to the objective; None where either is missing."""
        return _number(self.summary["gap"])

    def save(self, folder: str | Path) -> Path:
        """Write tables, summary, manifest and instance to a folder that is absent, empty or an earlier result.

        The old result is moved aside and removed only when the new one is whole. Raises ResultFolderError where the
        folder holds anything else.
        """
        return write_result(folder, TABLES, self.tables, self.summary, self.manifest, self.instance)

    @classmethod
    def load(cls, folder: str | Path) -> Plan:
        """Read a result folder back; ResultFolderError where it is not a whole one."""
        source = Path(folder)
        missing = sorted(name for name in FILES if not (source / name).is_file())
        if missing:
            aside = sorted(source.parent.glob(f".{source.name}.old-*")) if not source.exists() else []
            hint = (
                f"An earlier result lies in {aside[-1]}; rename it to have it back." if aside else "Give a folder written by solve --out."
            )
            raise ResultFolderError(f"{source} is not a result folder: it lacks {', '.join(missing[:3])}. {hint}")
        try:
            tables = {name: _read(source / f"{name}.csv", columns) for name, columns in TABLES.items()}
            summary = json.loads((source / SUMMARY).read_text(encoding="utf-8"))
            manifest = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        except (ValueError, KeyError) as error:
            raise ResultFolderError(f"{source} cannot be read: {error}") from error
        return cls(load(source / INSTANCE), summary, tables, manifest)


def empty_tables() -> dict[str, pd.DataFrame]:
    """Return every table of a result without rows."""
    return {name: pd.DataFrame(columns=list(columns)) for name, columns in TABLES.items()}


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.read_csv(
        path,
        dtype={name: object for name in columns if name in _TEXT},
        keep_default_na=False,
        na_values={name: [""] for name in columns if name not in _TEXT},
        encoding="utf-8",
    )
    there = set(frame.columns)
    if list(frame.columns) != [name for name in columns if name in there or name not in _ADDED]:
        raise ValueError(f"{path.name} should have the columns {', '.join(columns)}")
    return frame.assign(**{name: "" for name in columns if name not in there})
