"""One plan for all scenarios of a case, stated at once: the extensive form of their programs, and back to each scenario's plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.errors import UsageError
from diversify.network.ground import Floats, Ints
from diversify.planning.extract import builds
from diversify.planning.stages import Key, Staged, decision_dates
from diversify.solve import Extensive, Part, Risk, extensive


@dataclass(frozen=True)
class ExtensiveForm:
    """Scenarios that share what is decided before the reveal year.

    ``keys`` names the shared columns of ``form`` in their order.
    """

    staged: Sequence[Staged]
    keys: dict[Key, int]
    form: Extensive

    @classmethod
    def of(cls, staged: Sequence[Staged], probability: Sequence[float], risk: Risk) -> ExtensiveForm:
        """State the extensive form; the scenarios must agree on everything before the reveal year."""
        keys = shared_keys(staged)
        parts = [
            Part(each.program.matrix, shared_of(each, keys), _rows(each, first=number == 0), weight)
            for number, (each, weight) in enumerate(zip(staged, probability, strict=True))
        ]
        return cls(staged, keys, extensive(parts, len(keys), possible(staged, keys), risk))

    def decisions(self, x: Floats) -> dict[Key, float]:
        """Return what a point (n,) of the form decides before the reveal year, zeros left out."""
        return {key: float(x[place]) for key, place in self.keys.items() if x[place] != 0.0}

    def builds(self, x: Floats, number: int) -> pd.DataFrame:
        """Return what a point builds in one scenario, as a plan's table ``builds``."""
        return builds(self.staged[number].program.point(x[self.form.columns[number]]))


def shared_keys(staged: Sequence[Staged]) -> dict[Key, int]:
    """Return the number of each common column among those of all scenarios."""
    keys: dict[Key, int] = {}
    for each in staged:
        for key in each.keys:
            keys.setdefault(key, len(keys))
    return keys


def shared_of(staged: Staged, keys: dict[Key, int]) -> Ints:
    """Return which shared column each of a scenario's columns is (n,), -1 for its own."""
    shared = np.full(len(staged.program.matrix.cost), -1, dtype=np.int64)
    shared[staged.common] = [keys[key] for key in staged.keys]
    return shared


def _rows(staged: Staged, *, first: bool) -> Ints:
    """Return the rows that a scenario brings in: the first one all, the others none that all agree on."""
    count = staged.program.matrix.a.shape[0]
    return np.arange(count) if first else np.setdiff1d(np.arange(count), list(staged.early_rows))


def possible(staged: Sequence[Staged], keys: dict[Key, int]) -> Floats:
    """Return a bound (k,) on the shared columns: 0 for units decided at a date that some scenario does not allow, else inf.

    When a unit is decided it is not known yet which lead time holds. A unit that a scenario delays beyond the horizon is allowed.
    Raises UsageError where a scenario takes a project away, or its lead times put dates of decision off the others' dates.
    """
    upper = np.full(len(keys), np.inf)
    units = [key for key in keys if key[0] == "v_build"]
    for each in staged:
        dates = _dates(each)
        for key in units:
            name, date = str(key[1]), float(key[2])
            if name not in dates:
                raise UsageError(
                    f"A scenario takes the project {name!r} away, which another builds before {each.reveal_year}. Let it keep the project, "
                    "and change from the reveal year on what its plants can do."
                )
            found = dates[name]
            if not found or date > found[-1] or date in found:
                continue
            if date > found[0]:
                raise UsageError(
                    f"Lead times of the project {name!r} differ between scenarios so that a unit decided in {date:g} comes on line between "
                    "planning years. Let them differ by whole planning years."
                )
            upper[[keys[key], *([keys["v_open", *key[1:]]] if ("v_open", *key[1:]) in keys else [])]] = 0.0
    return upper


def _dates(staged: Staged) -> dict[str, list[float]]:
    """Return the dates at which units of each project can be decided, in order; none for one that cannot come on line."""
    network = staged.program.statement.network
    found: dict[str, list[float]] = {name: [] for name in network.plants.project_labels.names}
    online = network.decoded(network.plants.online[["project", "year"]])
    for name, date in zip(online["project"], np.round(decision_dates(staged.program.statement, online), 6), strict=True):
        found[name].append(float(date))
    return {name: sorted(dates) for name, dates in found.items()}
