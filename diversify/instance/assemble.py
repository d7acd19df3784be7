"""From a raw source to a draft: keys, typed tables, and the chains joined in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diversify.errors import Problem, UsageError
from diversify.instance.bundled import bundled_chains, find_chain
from diversify.instance.draft import Draft, Places, shown_value, typed_table
from diversify.instance.meta import read_meta
from diversify.instance.names import nearest
from diversify.instance.raw import RawInstance, RawTable
from diversify.instance.read import read_csv_tables
from diversify.schema import SAFE_NAME, TABLES, chain_tables


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table that one folder or file gives."""

    frame: pd.DataFrame
    places: Places
    unfit: dict[str, set[int]]

    def take(self, positions: np.ndarray[Any, Any]) -> Part:
        """Return the rows at the given positions."""
        moved = {int(old): new for new, old in enumerate(positions)}
        unfit = {column: {moved[row] for row in rows if row in moved} for column, rows in self.unfit.items()}
        return Part(self.frame.iloc[positions].reset_index(drop=True), self.places.take(positions), unfit)

    def followed_by(self, other: Part) -> Part:
        """Return these rows and then the other's."""
        unfit = {column: set(rows) for column, rows in self.unfit.items()}
        for column, rows in other.unfit.items():
            unfit.setdefault(column, set()).update(row + len(self.frame) for row in rows)
        columns = {name: pd.concat([self.frame[name], other.frame[name]], ignore_index=True) for name in self.frame.columns}
        return Part(pd.DataFrame(columns), self.places.followed_by(other.places), unfit)


def assemble(raw: RawInstance) -> tuple[Draft, list[Problem]]:
    """Return the draft of a source with its chains joined in, and the problems of reading, keys, columns and cells."""
    draft, problems = Draft(unread=set(raw.unread)), list(raw.problems)
    if raw.meta is not None:
        draft.meta, draft.years, found = read_meta(raw.meta, raw.name, raw.meta_file, raw.meta_rows)
        problems += found
    own: dict[str, Part] = {}
    for name in TABLES:
        if name in raw.tables:
            own[name], found = _part(raw.tables[name])
            problems += found
    chained: dict[str, Part] = {}
    for chain in dict.fromkeys(draft.meta.get("chains", [])):
        problems += _add_chain(chained, draft, chain, raw)
    if "chains" in draft.meta:
        draft.meta["chains"] = []
    for name in TABLES:
        part = _own_rows_win(name, chained.get(name), own.get(name))
        if part is not None:
            draft.frames[name], draft.places[name] = part.frame, part.places
            draft.unfit.update({(name, column): rows for column, rows in part.unfit.items()})
    return draft, problems


def _part(raw: RawTable) -> tuple[Part, list[Problem]]:
    frame, places, unfit, problems = typed_table(raw)
    return Part(frame, places, unfit), problems


def _add_chain(chained: dict[str, Part], draft: Draft, chain: str, raw: RawInstance) -> list[Problem]:
    folder, problem = _chain_folder(chain, raw)
    if problem is not None or folder is None:
        return [problem] if problem else []
    read = RawInstance(name=chain)
    read_csv_tables(folder, read, f"{folder.name}/")
    problems = read.problems
    if not read.tables and not problems:
        problems.append(
            Problem(
                "empty_chain",
                f"The chain {chain!r} holds no table.",
                "Give it recipes.csv.",
                "instance",
                None,
                "chains",
                chain,
                raw.meta_file,
            )
        )
    draft.unread |= read.unread
    for name, table in read.tables.items():
        if not TABLES[name].in_chain:
            allowed = ", ".join(each.name for each in chain_tables())
            problems.append(
                Problem("not_in_chain", f"A chain cannot carry the table {name!r}.", f"A chain holds {allowed}.", name, file=table.file)
            )
            continue
        part, found = _part(table)
        problems += found
        if name in chained:
            chained[name], found = _join_chains(name, chained[name], part)
            problems += found
        else:
            chained[name] = part
    return problems


def _keys(name: str, part: Part) -> list[tuple[object, ...]]:
    columns = [[None if value is pd.NA else value for value in part.frame[column]] for column in TABLES[name].key]
    return list(zip(*columns, strict=True))


def _join_chains(name: str, first: Part, second: Part) -> tuple[Part, list[Problem]]:
    """Join a table of two chains: a row that both hold is kept once where it is the same, and is a problem where not."""
    position = {key: index for index, key in enumerate(_keys(name, first))}
    problems: list[Problem] = []
    new = []
    for index, key in enumerate(_keys(name, second)):
        if key not in position:
            new.append(index)
        elif not first.frame.iloc[[position[key]]].reset_index(drop=True).equals(second.frame.iloc[[index]].reset_index(drop=True)):
            file, row, cell = second.places.where(index, TABLES[name].key[0])
            other_file, other_row, _ = first.places.where(position[key], "")
            message = f"The row {' | '.join(map(str, key))} differs from the one in {other_file}, row {other_row}."
            remedy = "Make the two alike, or repeat the row in the instance itself, which wins in its own folder."
            problems.append(Problem("chain_conflict", message, remedy, name, row, TABLES[name].key[0], str(key[0]), file, cell))
    return first.followed_by(second.take(np.asarray(new, dtype=np.int64))), problems


def _own_rows_win(name: str, chained: Part | None, own: Part | None) -> Part | None:
    if chained is None or own is None:
        return own if chained is None else chained
    overridden = set(_keys(name, own))
    kept = [index for index, key in enumerate(_keys(name, chained)) if key not in overridden]
    return chained.take(np.asarray(kept, dtype=np.int64)).followed_by(own)


def left_to_chains(draft: Draft, chains: Sequence[str]) -> Draft:
    """Return a draft that names bundled chains and leaves to them the rows that they hold alike: what is joined in again on reading.

    Raises UsageError for an unknown chain.
    """
    held, problems = assemble(RawInstance(name="chains", meta={"format": 1, "years": [2000], "discount_rate": 0, "chains": list(chains)}))
    if problems:
        raise UsageError(str(problems[0]))
    kept = Draft({**draft.meta, "chains": list(chains)}, draft.years)
    for name, frame in draft.frames.items():
        if name in held.frames:
            of_chain = set(_rows(held.frames[name]))
            frame = frame[[row not in of_chain for row in _rows(frame)]].reset_index(drop=True)
        if len(frame):
            kept.frames[name] = frame
    return kept


def _rows(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(zip(*([shown_value(cell) for cell in frame[column].tolist()] for column in frame.columns), strict=True))


def _chain_folder(chain: str, raw: RawInstance) -> tuple[Path | None, Problem | None]:
    row = raw.meta_rows.get("chains")
    if not SAFE_NAME.match(chain):
        if raw.folder is None:
            message = f"{chain!r} is a path, where a name belongs: paths of chains stand only in a folder."
            remedy = "Name a bundled chain, or put the chain's tables into the file."
            return None, Problem("path_for_name", message, remedy, "instance", row, "chains", chain, raw.meta_file)
        folder = raw.folder / chain
        if Path(chain).is_absolute():
            message = f"{chain!r} is an absolute path."
            return None, Problem(
                "path_for_name", message, "Write it relative to the folder.", "instance", row, "chains", chain, raw.meta_file
            )
        if folder.is_dir():
            return folder.resolve(), None
    else:
        found = find_chain(chain, raw.folder)
        if found is not None:
            return found, None
    known = bundled_chains()
    remedy = f"Bundled chains: {', '.join(known) or 'none'}. Or write a path relative to the folder."
    return None, Problem(
        "unknown_chain", f"There is no chain {chain!r}.{nearest(chain, known)}", remedy, "instance", row, "chains", chain, raw.meta_file
    )
