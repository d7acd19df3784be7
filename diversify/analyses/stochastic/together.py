"""All scenarios in one problem, and what every way of finding a stochastic plan ends with: an audited plan of each scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from diversify.analyses.executor import Executor, Task
from diversify.analyses.solving import Limits, Record
from diversify.analyses.stochastic import work
from diversify.analyses.stochastic.ensemble import Ensemble
from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.plan import TABLES
from diversify.planning.stages import reveal_year_in

_CHUNK = 8
"""How many scenarios one task compares: the one they are compared with is stated once a task."""


@dataclass(frozen=True)
class Found:
    """What a search for a stochastic plan found.

    ``stopped`` says why it ended; ``bound_musd`` is proved (None: nothing is). ``decided`` is what is decided before the reveal year,
    ``plans`` the record of each scenario's plan after it (both empty where there is none). ``rounds`` tells how the search went.
    """

    method: str
    stopped: str
    bound_musd: float | None
    decided: pd.DataFrame
    plans: Mapping[str, Record]
    size: Mapping[str, int]
    rounds: list[dict[str, Any]] = field(default_factory=list)

    @property
    def costs(self) -> dict[str, float]:
        """The cost of each scenario's plan, discounted million USD."""
        return {name: record["objective_musd"] for name, record in self.plans.items()}


def agreed(case: Instance, first: str, names: Sequence[str], executor: Executor) -> list[Record]:
    """Raise UsageError unless scenarios agree with the first on everything before the reveal year; return what comparing them told."""
    year = reveal_year_in(case)
    others = [name for name in names if name != first]
    chunks = [others[start : start + _CHUNK] for start in range(0, len(others), _CHUNK)]
    tasks = [Task(f"before {year}", work.compare, {"case": case, "ours": first, "theirs": chunk}) for chunk in chunks]
    records = executor.run(tasks)
    found = {name: told for record in records for name, told in record["differences"].items() if told}
    if found:
        listed = "\n".join(f"  {name}: {'; '.join(told)}" for name, told in found.items())
        raise UsageError(
            f"Scenarios differ before the reveal year {year}:\n{listed}\nA scenario may change figures from {year} on only. Give such a "
            f"change a year (demand, prices and caps are linear between listed years: list {year - 1} too), or leave its probability blank."
        )
    return records


def stated_together(ensemble: Ensemble, limits: Limits, executor: Executor) -> Found:
    """Return the optimum of the extensive form."""
    arguments = {
        "case": ensemble.case,
        "names": list(ensemble.names),
        "probability": list(ensemble.probability),
        "risk": asdict(ensemble.risk),
        "limits": limits.as_dict(),
    }
    (record,) = executor.run([Task(f"{len(ensemble.names)} scenarios together", work.together, arguments)])
    decided = work.decided_of(record)
    plans: dict[str, Record] = {}
    if record["objective_musd"] is not None:
        builds = {name: pd.DataFrame(rows, columns=list(TABLES["builds"])) for name, rows in record["builds"].items()}
        plans = plans_after(ensemble, decided, limits, executor, builds)
    return Found("extensive", record["stopped"], record["bound_musd"], decided, plans, record["size"])


def plans_after(
    ensemble: Ensemble, decided: pd.DataFrame, limits: Limits, executor: Executor, builds: Mapping[str, pd.DataFrame] | None = None
) -> dict[str, Record]:
    """Return the record of each scenario's plan after what was decided; with ``builds`` these are not planned anew."""
    tasks = [
        Task(
            f"{name} after what is decided",
            work.after,
            {
                "instance": ensemble.instance(name),
                "limits": limits.as_dict(),
                "decided": decided,
                "builds": None if builds is None else builds[name],
            },
        )
        for name in ensemble.names
    ]
    return dict(zip(ensemble.names, executor.run(tasks), strict=True))
