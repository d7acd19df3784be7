"""Planning year by year with the truth revealed as time goes: what foresight is worth, and what looking ahead makes up for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.executor import Executor, Task
from diversify.analyses.rolling import work
from diversify.analyses.rolling.findings import LAYOUT, Replay, told
from diversify.analyses.rolling.knowledge import known
from diversify.analyses.rolling.window import end_of
from diversify.analyses.solving import Limits, Record, manifest
from diversify.errors import UsageError
from diversify.instance import Instance, load

__all__ = ["BASE", "LAYOUT", "rolling"]

BASE = "base"
"""Name of the data without any scenario."""


def rolling(
    instance: Instance | str | Path,
    truth: str | Instance,
    *,
    look_ahead: Sequence[int | None] = (1, 5, None),
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Replay planning year by year, the truth revealed as time goes, and return what it costs more than to know it from the start.

    ``truth`` is a scenario of the instance (``base``: its data as they are), or an instance that differs in tables alone. In each planning
    year the planner believes the truth for what is known by then and the instance's own data for what is not
    (:mod:`diversify.analyses.rolling.knowledge`), plans ``look_ahead`` planning years (1: that year alone, None: to the end) from what was
    decided before (:mod:`diversify.analyses.rolling.window`), and decides the year's operations and closures, and the units whose
    date of decision lies before the next planning year. There is one replay for each ``look_ahead``.

    In the end all decisions stand in the truth: an audited plan and its cost. ``foresight_musd`` is that cost less the least known with
    the truth known from the start, between ``foresight_low_musd`` and ``foresight_high_musd`` whatever the least cost is within its
    bounds. A replay in which a year has no plan ends there and has no cost.

    Each step is solved to the relative ``gap``, the plan with foresight to half of it. Raises UsageError for an unknown scenario, one that
    changes keys of the instance, and look-aheads that make no sense; InstanceError where a scenario cannot be made.
    """
    base = instance if isinstance(instance, Instance) else load(instance)
    name, case = _truth(base, truth)
    if not look_ahead or len(set(look_ahead)) < len(look_ahead) or any(each is not None and each < 1 for each in look_ahead):
        raise UsageError("look_ahead needs numbers of planning years (1 or more, or None for all), each once.")
    known(base, case, base.years[0])  # refuses what cannot be revealed before anything is solved
    limits, runner = Limits.of(base, gap=gap, time_limit=time_limit, seed=seed), executor or Executor()
    replays = _replayed(base, case, look_ahead, limits, runner)
    finer = replace(limits, gap=limits.gap / 2.0).as_dict()
    cheapest = min((each.end for each in replays if each.cost is not None), key=lambda end: end["objective_musd"], default=None)
    arguments = {"truth": case, "builds": cheapest["builds"] if cheapest else [], "limits": finer}
    (perfect,) = runner.run([Task("the truth known from the start", work.with_foresight, arguments)])
    summary, records = told(base, name, replays, perfect)
    asked = {"verb": "rolling", "truth": name, "look_ahead": [each.name for each in replays]}
    return Answer("rolling", base, LAYOUT, summary, tabulated(LAYOUT, records), manifest(base, limits, **asked))


def _truth(base: Instance, truth: str | Instance) -> tuple[str, Instance]:
    if isinstance(truth, Instance):
        return truth.applied[0] or truth.name, truth
    if base.applied[0] is not None:
        raise UsageError(f"The instance has the scenario {base.applied[0]!r} in it already. Give it as it is without one.")
    own = truth == BASE and BASE not in set(base.table("scenarios")["scenario"])
    return truth, base if own else base.scenario(truth)


@dataclass
class _Walk:
    """A replay on its way: the records of its steps, the last of which says what is decided by then."""

    look_ahead: int | None
    steps: list[Record] = field(default_factory=list)

    @property
    def stands(self) -> bool:
        """Whether every year so far has a plan."""
        return not self.steps or self.steps[-1]["objective_musd"] is not None

    def step(self, base: Instance, truth: Instance, position: int, limits: Limits) -> Task:
        """Return the next step as a task."""
        year, before = base.years[position], self.steps[-1] if self.steps else None
        arguments = {
            "base": base,
            "truth": truth,
            "year": year,
            "until": end_of(base.years, position, self.look_ahead),
            "decided": _table(before),
            "before": {} if before is None else {name: before[name] for name in ("builds", "bound_musd", "data")},
            "limits": limits.as_dict(),
        }
        return Task(f"{year}, looking ahead {'to the end' if self.look_ahead is None else self.look_ahead}", work.decide, arguments)


def _table(record: Record | None) -> pd.DataFrame:
    return pd.DataFrame([] if record is None else record["decided"], columns=["key", "value"])


def _replayed(base: Instance, truth: Instance, look_aheads: Sequence[int | None], limits: Limits, executor: Executor) -> list[Replay]:
    """Replay planning with each look-ahead: years one after the other, the replays side by side."""
    walks = [_Walk(look_ahead) for look_ahead in look_aheads]
    for position in range(len(base.years)):
        going = [walk for walk in walks if walk.stands]
        for walk, record in zip(going, executor.run([walk.step(base, truth, position, limits) for walk in going]), strict=True):
            walk.steps.append(record)
    arrived = [walk for walk in walks if walk.stands]
    tasks = [
        Task(
            f"what was decided looking ahead {walk.look_ahead or 'to the end'}, in the truth",
            work.come_true,
            {
                "base": base,
                "truth": truth,
                "decided": _table(walk.steps[-1]),
                "builds": walk.steps[-1]["builds"],
                "limits": limits.as_dict(),
            },
        )
        for walk in arrived
    ]
    ends = {id(walk): end for walk, end in zip(arrived, executor.run(tasks), strict=True)}
    return [Replay(walk.look_ahead, walk.steps, ends.get(id(walk), {})) for walk in walks]
