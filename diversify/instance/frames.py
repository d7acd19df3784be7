"""Tables given in Python (frames or lists of records) as a raw source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from diversify.errors import Problem
from diversify.instance.names import nearest
from diversify.instance.raw import Cells, RawInstance, RawTable
from diversify.schema import TABLES


def raw_from_tables(meta: Mapping[str, object], tables: Mapping[str, pd.DataFrame | Sequence[Mapping[str, object]]]) -> RawInstance:
    """Return keys and tables as a raw source; problems name the table, rows count from 1."""
    raw = RawInstance(name="instance", meta=dict(meta))
    for name, given in tables.items():
        if name not in TABLES:
            raw.problems.append(
                Problem("unknown_table", f"There is no table {name!r}.{nearest(name, TABLES)}", "Rename or remove it.", name, value=name)
            )
            continue
        raw.tables[name] = from_frame(name, given) if isinstance(given, pd.DataFrame) else _from_records(name, given)
    return raw


def from_frame(name: str, frame: pd.DataFrame) -> RawTable:
    """Return a frame as a raw table; rows count from 1."""
    columns = tuple(str(column) for column in frame.columns)
    cells = tuple(_plain_cells(frame.iloc[:, index]) for index in range(len(columns)))
    return RawTable(name, "", columns, cells, range(1, len(frame) + 1))


def _plain_cells(series: pd.Series[Any]) -> Cells:
    missing = series.isna().to_numpy()
    values = series.tolist()
    return [None if blank else value for value, blank in zip(values, missing, strict=True)] if missing.any() else values


def _from_records(name: str, records: Sequence[Mapping[str, object]]) -> RawTable:
    columns = tuple(dict.fromkeys(str(column) for record in records for column in record))
    cells = tuple([record.get(column) for record in records] for column in columns)
    return RawTable(name, "", columns, cells, range(1, len(records) + 1))
