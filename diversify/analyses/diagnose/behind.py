"""What stands behind a conflict: the plants whose capacity the proof rests on.

The rules of the conflict are missed as little as can be, with parts of units allowed; the capacities that have a price in that
linear program are those that, if larger, would lessen what is missed. Where only whole units conflict there is no such proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.diagnose.conflict import Filter
from diversify.analyses.diagnose.loosened import Loosened
from diversify.analyses.diagnose.rules import Rule, percent, sides, tonnes
from diversify.network.cells import largest_capacity
from diversify.network.ground import Floats, Ground, filled, records
from diversify.network.plants import Plants
from diversify.solve import Matrix, fix_and_price, left_out, parts_allowed, run

_PRICED = 1e-7
"""Price (in the solver's units) from which a capacity counts."""

_MOST_NAMES = 12
"""Plants that a sentence names."""


def capacities_behind(loose: Loosened, filter_: Filter, conflict: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return the capacities that a conflict rests on, by process and year: table, key, year, sentence, t_per_year, facilities."""
    program = loose.program
    others = [rule for rule in filter_.rules if rule not in conflict]
    own = Filter(_unbounded(loose, left_out(program.matrix, *sides(others))), tuple(conflict), filter_.limits)
    matrix = parts_allowed(own.missable([]))
    outcome = run(matrix, filter_.limits.options)
    priced = None if outcome.x is None or outcome.stopped != "optimal" else fix_and_price(matrix, outcome.x, filter_.limits.options)
    if priced is None:
        return []
    worth = np.abs(priced.dual) * matrix.cost_scale / matrix.row_scale
    rows = loose.rows("c_capacity")
    return _sentences(loose, conflict, rows[worth[rows["row"].to_numpy()] > _PRICED])


def _unbounded(loose: Loosened, matrix: Matrix) -> Matrix:
    """Return the matrix without the bounds of runs, which repeat what capacity says and would take its price."""
    columns = loose.program.columns("v_run")
    upper = matrix.upper.copy()
    upper[columns[columns >= 0]] = np.inf
    return replace(matrix, upper=upper)


def _sentences(loose: Loosened, conflict: Sequence[Rule], rows: pd.DataFrame) -> list[dict[str, Any]]:
    most = _largest(loose, conflict)
    labels = loose.statement.network.plants.labels
    size = most[labels.codes(rows["facility"]), loose.codes(rows["year"])]
    of = loose.instance.table("facilities").set_index("facility")["process"]
    frame = rows.assign(size=size, process=rows["facility"].map(of).to_numpy())
    found = []
    for (year, process), group in frame.sort_values("facility").groupby(["year", "process"]):
        names = group["facility"].tolist()
        total = float(group["size"].sum())
        listed = ", ".join(names[:_MOST_NAMES]) + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")
        who = f"The plant {listed} of the process {process}" if len(names) == 1 else f"The plants of the process {process} that matter"
        can = f"can run at most {tonnes(total)} t in {year}, with every project that can serve by then"
        sentence = (f"{who} {can}." if len(names) == 1 else f"{who} {can}: {listed}.") + _outages(loose, of, str(process), int(str(year)))
        found.append(
            {
                "table": "facilities",
                "key": "|".join(names),
                "year": int(str(year)),
                "process": str(process),
                "t_per_year": total,
                "sentence": sentence,
            }
        )
    return found


def _outages(loose: Loosened, process_of: pd.Series, process: str, year: int) -> str:
    """Return what outages leave in a year of the plants of a process, those that are out wholly too; nothing where none holds."""
    table, years = loose.instance.table("outages").sort_values("outage"), loose.statement.network.ground.years
    said = [
        f"{row['outage']} leaves {percent(left)} of {row['facility']}"
        for row, left in zip(records(table), filled(table, "outages", "available"), strict=True)
        if process_of[row["facility"]] == process and left < 1.0 and years.within(row["first_year"], row["last_year"])[years.holding(year)]
    ]
    more = f" and {len(said) - _MOST_NAMES} more" if len(said) > _MOST_NAMES else ""
    return f" Outages: {', '.join(said[:_MOST_NAMES])}{more}." if said else ""


def _largest(loose: Loosened, conflict: Sequence[Rule]) -> Floats:
    """Return the most that each plant can run in each year (F, T); projects start as early as the rules of the conflict leave them."""
    plants = loose.statement.network.plants
    held = {rule.key for rule in conflict if rule.kind == "start"}
    free = largest_capacity(plants)
    as_is = largest_capacity(Plants.of(Ground(loose.instance)))
    bound = plants.projects["facility"].to_numpy(dtype=np.int64)[[name in held for name in plants.project_labels.names]]
    return np.where(np.isin(np.arange(len(free)), bound)[:, None], as_is, free)
