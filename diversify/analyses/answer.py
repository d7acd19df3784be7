"""What a question is answered with: tidy tables, a summary and a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from diversify.instance import Instance
from diversify.result_folder import Layout, write_result


@dataclass(frozen=True)
class Answer:
    """The answer to one question about an instance.

    ``verb`` names the question, ``summary`` is the JSON object that the command prints, ``tables`` the tidy DataFrames,
    each also an attribute (``answer.points``), ``layout`` their columns, ``manifest`` what made them.
    """

    verb: str
    instance: Instance
    layout: Layout
    summary: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    manifest: Mapping[str, Any]

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Return a table by its name."""
        if not name.startswith("_") and name in self.tables:
            return self.tables[name]
        raise AttributeError(f"the answer to {self.__dict__.get('verb', '?')} has no {name!r}")

    def save(self, folder: str | Path) -> Path:
        """Write tables, summary, manifest and instance to a folder that is absent, empty or an earlier answer to the same question.

        Raises ResultFolderError where the folder holds anything else.
        """
        return write_result(folder, self.layout, self.tables, self.summary, self.manifest, self.instance)


def tabulated(layout: Layout, records: Mapping[str, list[dict[str, Any]]]) -> dict[str, pd.DataFrame]:
    """Return the tables of a layout from lists of records, empty where there are none."""
    return {name: pd.DataFrame(records.get(name, []), columns=list(columns)) for name, columns in layout.items()}
