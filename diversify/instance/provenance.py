"""Where a figure comes from: what the table ``figures`` says of it, else its row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from diversify.instance.draft import row_keys, shown_value
from diversify.instance.record import Instance
from diversify.schema import PROVENANCE_COLUMNS, TABLES

UNSTATED = "not stated"
"""The quality of a figure of which the case says nothing."""

Cell = tuple[str, str, str]
"""Table, key cells joined by ``|``, column."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a figure comes from: ``quality`` (or :data:`UNSTATED`), ``source`` (an id or free text) and ``note``, both may be empty."""

    quality: str
    source: str
    note: str


class Origins:
    """The origins of all figures of one instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._tables: dict[str, dict[str, Origin]] = {}

    def rows(self, table: str) -> dict[str, Origin]:
        """Return the origin of every row of a table by its joined key (its number where the table has none), in order."""
        if table not in self._tables:
            frame = self.instance.table(table)
            keys = row_keys(frame, TABLES[table]) if TABLES[table].key else [str(number) for number in range(len(frame))]
            self._tables[table] = dict(zip(keys, _origins(frame), strict=True))
        return self._tables[table]

    def of(self, cell: Cell) -> Origin:
        """Return the origin of one figure."""
        table, key, _ = cell
        row = self.rows(table).get(key, _NOTHING) if table in TABLES else _NOTHING
        own = self._figures.get(cell, _NOTHING)
        quality = own.quality if own.quality != UNSTATED else row.quality
        return Origin(quality, own.source or row.source, own.note or row.note)

    @cached_property
    def _figures(self) -> dict[Cell, Origin]:
        frame = self.instance.table("figures")
        cells = zip(*(frame[column].tolist() for column in ("table", "key", "column")), strict=True)
        return dict(zip(cells, _origins(frame), strict=True))


def _origins(frame: pd.DataFrame) -> list[Origin]:
    """Return the origin that each row of a table states."""
    stated = zip(*([shown_value(cell) for cell in frame[column].tolist()] for column in PROVENANCE_COLUMNS), strict=True)
    return [Origin(quality or UNSTATED, source, note) for source, quality, note in stated]


_NOTHING = Origin(UNSTATED, "", "")
