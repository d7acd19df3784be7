"""Tables of draws: drawn by Latin hypercube, or a planner's own, checked.

A Latin hypercube takes one value from each of n equally likely parts of every parameter's range and pairs them at random, so
that few draws cover every range evenly. McKay, M. D., Beckman, R. J., Conover, W. J. (1979), A comparison of three methods for
selecting values of input variables in the analysis of output from a computer code, Technometrics 21(2), 239-245.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import qmc

from diversify.analyses.scenarios.families import Family, draws_table
from diversify.errors import InstanceError, Problem, UsageError
from diversify.instance import Instance
from diversify.instance.cells import as_values, frame_of, number_text
from diversify.instance.draft import Draft, typed_table
from diversify.instance.frames import from_frame
from diversify.instance.raw import RawTable
from diversify.instance.read import read_csv_bytes
from diversify.network.ground import Floats

DRAWN = "drawn from families"
"""The ``source`` of scenarios and changes that were drawn, by which a later draw knows and replaces them."""

_SUM_TO_ONE = 1e-6


def drawn(families: Sequence[Family], count: int, seed: int) -> pd.DataFrame:
    """Return ``count`` draws of equal probability by Latin hypercube, one dimension for every chance and range that leaves a choice.

    What a family would be in a draw in which it does not happen is left blank. Raises UsageError for a count below 1.
    """
    if count < 1:
        raise UsageError(f"{count} draws are none. Give 1 or more.")
    parts = _parts(families, count, seed)
    table = draws_table(families)
    width = max(3, len(str(count)))
    cells: dict[str, list[Any]] = {
        "scenario": [f"draw-{number:0{width}}" for number in range(1, count + 1)],
        "probability": [1.0 / count] * count,
    }
    happening: dict[str, Any] = {}
    for family in families:
        if family.leads:
            happening[family.name] = parts[family.name, "happens"] < family.chance
            cells[f"{family.name}.happens"] = happening[family.name].tolist()
    for family in families:
        for name, span in family.ranges.items():
            values = np.where(happening[family.leader], span.at(parts[family.name, name]), np.nan)
            blank = math.nan if name != "first" else None
            cells[f"{family.name}.{name}"] = [blank if math.isnan(value) else value for value in values.tolist()]
    return frame_of({column.name: as_values(column, cells[column.name]) for column in table.columns})


def _parts(families: Sequence[Family], count: int, seed: int) -> Mapping[tuple[str, str], Floats]:
    """Return the place of every draw in every range, from 0 up to 1 (count,); where there is no choice 0.

    A family that follows another is at the same place of its range of sizes.
    """
    open_ones = [
        (family.leader, name)
        for family in families
        for name in ("happens", *family.ranges)
        if (family.leads and 0.0 < family.chance < 1.0 if name == "happens" else family.ranges[name].low < family.ranges[name].high)
    ]
    chosen = list(dict.fromkeys(open_ones))
    places = qmc.LatinHypercube(len(chosen), seed=seed).random(count).T if chosen else np.empty((0, count))
    known = dict(zip(chosen, places, strict=True))
    nowhere = np.zeros(count)
    return {(each.name, name): known.get((each.leader, name), nowhere) for each in families for name in ("happens", *each.ranges)}


def given(source: pd.DataFrame | str | Path, instance: Instance, families: Sequence[Family]) -> pd.DataFrame:
    """Return a planner's own table of draws (a frame, or the path of a CSV file), checked against the families.

    Raises UsageError where the file cannot be read, and InstanceError with every problem of the table: columns, cells, a scenario
    twice or with the name of one of the instance's own, what a family needs where it happens, a start before the reveal year,
    lengths and delays that are no whole years, shares of exports that the family states no exports for, probabilities that do not sum to 1.
    """
    table = draws_table(families)
    raw, problems = _raw(source)
    if raw is None:
        raise InstanceError(problems)
    frame, places, unfit, of_cells = typed_table(raw, table)
    draft = Draft(frames={"draws": frame}, places={"draws": places}, unfit={("draws", name): rows for name, rows in unfit.items()})
    problems += [*of_cells, *_of_names(draft, instance), *_of_probabilities(draft)]
    if set(table.column_names) <= set(raw.columns):
        problems += [problem for family in families for problem in _of_family(draft, instance, family)]
    if problems:
        raise InstanceError(problems)
    return frame


def _raw(source: pd.DataFrame | str | Path) -> tuple[RawTable | None, list[Problem]]:
    if isinstance(source, pd.DataFrame):
        return from_frame("draws", source), []
    try:
        data = Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}.") from error
    return read_csv_bytes(data, "draws", Path(source).name)


def _of_names(draft: Draft, instance: Instance) -> Iterator[Problem]:
    own = instance.table("scenarios")
    taken = set(own.loc[own["source"] != DRAWN, "scenario"])
    seen: set[str] = set()
    for index, name in draft.rows("draws", "scenario"):
        if name in taken:
            message = f"{instance.name} has a scenario {name!r} already."
            yield draft.problem("duplicate_key", "draws", index, "scenario", message, "Give the draw another name.")
        elif name in seen:
            message = f"The scenario {name!r} stands in a row before."
            yield draft.problem("duplicate_key", "draws", index, "scenario", message, "Give every draw a name of its own.")
        if name is not None:
            seen.add(name)


def _of_probabilities(draft: Draft) -> Iterator[Problem]:
    total = math.fsum(value for _, value in draft.rows("draws", "probability") if value is not None)
    if abs(total - 1.0) > _SUM_TO_ONE and not draft.unfit.get(("draws", "probability")):
        message = f"The probabilities sum to {number_text(round(total, 9))}, not to 1."
        yield draft.of_table("probabilities", "draws", message, "Correct them, or divide each by their sum.", "probability")


def _of_family(draft: Draft, instance: Instance, family: Family) -> Iterator[Problem]:
    """Yield what is wrong with the cells of one family in the draws in which it happens."""
    reveal = int(instance.meta["reveal_year"])
    names = [f"{family.name}.{name}" for name in family.ranges]
    for index, happens, *cells in draft.rows("draws", f"{family.leader}.happens", *names):
        if not happens:
            continue
        for column, name, value in zip(names, family.ranges, cells, strict=True):
            if draft.is_unfit("draws", column, index):
                continue
            fault = _fault(family, name, value, reveal)
            if fault is not None:
                yield draft.problem(fault[0], "draws", index, column, fault[1], fault[2])


def _fault(family: Family, name: str, value: Any, reveal: int) -> tuple[str, str, str] | None:
    """Return code, message and remedy of what is wrong with one parameter of a family that happens, None where nothing is."""
    if value is None:
        return "missing_cell", f"{family.leader!r} happens in this draw, but this cell is blank.", "Fill it in, or write false for it."
    if name == "first" and value < reveal:
        message = f"{value} is before the reveal year {reveal}, until which all scenarios are alike."
        return "before_reveal", message, f"Write {reveal} or later."
    if (name == "years" or family.kind == "delay") and not float(value).is_integer():
        return "not_whole_years", f"{number_text(value)} is not a whole number of years.", "Scenarios last and delay by whole years."
    if name == "size" and family.kind == "export_control" and value < 1.0 and pd.isna(family.row["reference_t_per_year"]):
        message = f"The family {family.name!r} states no exports (reference_t_per_year) that a part could be cut of."
        return "no_reference", message, "Write 1, a ban, or state the exports in the table families."
    return None
