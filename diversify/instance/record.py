"""The Instance: one planning case, checked and frozen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from diversify.errors import InstanceError, UsageError
from diversify.instance.draft import Draft
from diversify.instance.names import nearest
from diversify.schema import META_KEYS, TABLES

Applied = tuple[str | None, tuple[str, ...]]


class Instance:
    """One planning case: keys (``meta``) and typed tables, without an error in them.

    Made by :func:`diversify.load` or :meth:`from_tables`; never changed in place: ``replace``, ``scenario`` and
    ``set`` return new ones. Frames that are handed out are copies. Two instances are equal when their keys and
    the rows of their tables are.
    """

    def __init__(self, draft: Draft, applied: Applied = (None, ())) -> None:
        """Freeze a checked draft; use :func:`diversify.load` or :meth:`from_tables`."""
        self._meta = dict(draft.meta)
        self._years = draft.years
        self._frames = {name: draft.frames[name] for name in TABLES if name in draft.frames}
        self._places = dict(draft.places)
        self._empty = Draft()
        self._applied = applied

    @property
    def meta(self) -> dict[str, Any]:
        """The keys of ``instance.yaml``, in a copy; ``chains`` is empty, since chains are joined in."""
        copied: dict[str, Any] = json.loads(json.dumps(self._meta))
        return copied

    @property
    def name(self) -> str:
        """Name of the case."""
        return str(self._meta["name"])

    @property
    def years(self) -> tuple[int, ...]:
        """The planning years, increasing."""
        return self._years

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that are present, by name, each with all columns of the format; blanks are left blank."""
        return {name: frame.copy(deep=False) for name, frame in self._frames.items()}

    @property
    def applied(self) -> Applied:
        """The scenario that made this instance (or None) and the texts given to ``set`` since it was loaded."""
        return self._applied

    def table(self, name: str) -> pd.DataFrame:
        """Return a table with all columns of the format in its order, empty where the instance has none; UsageError for an unknown name."""
        if name not in TABLES:
            raise UsageError(f"There is no table {name!r}.{nearest(name, TABLES)}")
        return (self._frames[name] if name in self._frames else self._empty.frame(name)).copy(deep=False)

    @classmethod
    def from_tables(cls, meta: Mapping[str, object], tables: Mapping[str, pd.DataFrame | Sequence[Mapping[str, object]]]) -> Instance:
        """Return an instance made of keys and tables (frames, or lists of records).

        Chains that ``meta`` names are joined in if they are bundled. Raises InstanceError with every problem found;
        rows count from 1.
        """
        from diversify.instance.checks import checked
        from diversify.instance.frames import raw_from_tables

        return checked(raw_from_tables(meta, tables))

    def replace(self, **changes: Any) -> Instance:
        """Return the instance with other tables (a frame or records; None removes one) or other keys, checked again.

        Raises UsageError for an unknown name and InstanceError with every problem of the result.
        """
        meta, tables = self.meta, dict(self._frames)
        for name, value in changes.items():
            if name in TABLES:
                tables.pop(name, None)
                if value is not None:
                    tables[name] = value
            elif name in META_KEYS:
                meta[name] = value
            else:
                raise UsageError(f"There is no table or key {name!r}.{nearest(name, [*TABLES, *META_KEYS])}")
        replaced = Instance.from_tables(meta, tables)
        replaced._places |= {name: self._places[name] for name in tables if name not in changes and name in self._places}
        replaced._applied = self._applied
        return replaced

    def scenario(self, name: str) -> Instance:
        """Return the instance with a scenario's changes made, in order, and the result checked.

        Raises UsageError for an unknown scenario and InstanceError where a change does not apply or leads to
        data that cannot be planned with.
        """
        known = [str(each) for each in self.table("scenarios")["scenario"]]
        if name not in known:
            hint = nearest(name, known) or (f" Known: {', '.join(known)}." if known else " The instance has none.")
            raise UsageError(f"There is no scenario {name!r}.{hint}")
        changes = self.table("changes")
        texts = [str(text) for text in changes.loc[changes["scenario"] == name, "change"]]
        return self._changed(texts, (name, self._applied[1]))

    def set(self, *texts: str) -> Instance:
        """Return the instance with changes made, in order, in the grammar of the table ``changes``.

        Raises InstanceError where a change cannot be read, does not apply, or leads to data that cannot be planned with.
        """
        return self._changed(texts, (self._applied[0], self._applied[1] + texts))

    def _changed(self, texts: Sequence[str], applied: Applied) -> Instance:
        from diversify.instance.apply import changed_draft

        draft, problems = changed_draft(self.draft(), texts)
        if problems:
            raise InstanceError(problems)
        return Instance(draft, applied)

    def draft(self) -> Draft:
        """Return the instance as a draft that can be changed and checked."""
        return Draft(self.meta, self._years, dict(self._frames), dict(self._places))

    def records(self, name: str) -> list[dict[str, object]]:
        """Return the rows of a table as plain values (str, int, float, bool), blanks left out."""
        frame = self.table(name)
        columns = {column: plain_values(frame[column]) for column in frame.columns}
        return [{column: values[index] for column, values in columns.items() if values[index] is not None} for index in range(len(frame))]

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the keys and tables in one canonical JSON text, as 64 hexadecimal digits."""
        tables = {name: self.records(name) for name in self._frames if len(self._frames[name])}
        text = json.dumps(
            {"instance": self._meta, "tables": tables}, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False
        )
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def equals(self, other: Instance) -> bool:
        """Return whether keys and rows are the same; a table without rows counts as absent."""
        return self._meta == other._meta and self.content_hash == other.content_hash

    def __eq__(self, other: object) -> bool:
        """Return whether the other is an instance of the same content."""
        return self.equals(other) if isinstance(other, Instance) else NotImplemented

    def __hash__(self) -> int:
        """Return a hash of the content."""
        return hash(self.content_hash)

    def __repr__(self) -> str:
        """Return name, years and size in one line."""
        years = f"{self._years[0]}-{self._years[-1]}" if self._years else "no years"
        rows = sum(map(len, self._frames.values()))
        return f"Instance({self.name!r}, {years}, {len(self._frames)} tables, {rows} rows)"


def plain_values(series: pd.Series) -> list[Any]:
    """Return a typed column as plain Python values, None for a blank, whole numbers as int."""
    values = series.tolist()
    if str(series.dtype) == "float64":
        return [None if value != value else int(value) if value.is_integer() and abs(value) < 1e15 else value for value in values]
    return [None if value is pd.NA else value for value in values]
