"""The later stage of one scenario, as the L-shaped method needs it: a linear program of what links it to the first."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from diversify.planning.stages import UNITS, Key, Staged
from diversify.solve.recourse import Recourse


@dataclass(frozen=True)
class LaterStage:
    """What a scenario costs but for the operations before the reveal year, as a function of what links both stages.

    ``keys`` (k,) names the linking columns: units and purchases, and those operations that later rows speak of.
    """

    recourse: Recourse
    keys: list[Key]

    @classmethod
    def of(cls, staged: Staged) -> LaterStage:
        """Take settled columns, and the rows that all agree on, out of a scenario's program; no Pyomo object is kept."""
        matrix = staged.program.matrix
        agreed = np.zeros(len(staged.settled_rows), dtype=bool)
        agreed[list(staged.early_rows)] = True
        rows = np.flatnonzero(~(staged.settled_rows & agreed))
        spoken_of = np.zeros(len(matrix.cost), dtype=bool)
        a = matrix.a.tocsr()[rows]
        spoken_of[a.indices] = True
        names = dict(zip(staged.common.tolist(), staged.keys, strict=True))
        units = np.zeros(len(matrix.cost), dtype=bool)
        units[[place for place, key in names.items() if key[0] in UNITS]] = True
        operations = staged.is_common & ~units
        kept = np.flatnonzero(~staged.is_common | units | spoken_of)
        part = replace(
            matrix,
            columns=[],
            rows=[],
            a=a[:, kept].tocsc(),
            cost=np.where(operations, 0.0, matrix.cost)[kept],
            lower=matrix.lower[kept],
            upper=matrix.upper[kept],
            row_lower=matrix.row_lower[rows],
            row_upper=matrix.row_upper[rows],
            integer=np.zeros(len(kept), dtype=bool),
            column_scale=matrix.column_scale[kept],
            row_scale=matrix.row_scale[rows],
        )
        link = np.flatnonzero(staged.is_common[kept])
        return cls(Recourse(part, link), [names[place] for place in kept[link].tolist()])
