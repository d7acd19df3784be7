"""The search for the cheapest secure plan: losses join the problem as the plan at hand is found not to survive them.

Column-and-constraint generation (Zeng and Zhao, Solving two-stage robust optimization problems using a column-and-constraint generation
method, Operations Research Letters 41, 2013). The problem with some losses is a relaxation of that with all: its bound is proved for
all, and its plan is optimal as soon as it survives all. Losses that are generated are generated anew from each plan, until the plan
survives those of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from diversify.analyses.executor import Executor, Task
from diversify.analyses.secure import work
from diversify.analyses.secure.contingencies import Contingency, Losses
from diversify.analyses.solving import Limits, Record
from diversify.analyses.stochastic.ensemble import BASE
from diversify.analyses.stochastic.together import agreed
from diversify.analyses.stochastic.work import decided_of
from diversify.instance import Instance
from diversify.plan import TABLES
from diversify.planning.security import Security

_ROUNDS = 12
"""The most times that losses join."""

_JOINING = 3
"""How many losses join at once, those missed most first."""


@dataclass(frozen=True)
class Secured:
    """How the search at one level ended.

    ``stopped``: optimal, infeasible (no plan survives ``joined``), a limit, or round_limit. ``base`` is the record of the base case's
    plan (None where there is none), ``bound_musd`` what is proved of its cost; ``joined`` are the losses in the problem, ``losses`` the
    number of those looked at. ``hopeless`` are losses that no plan survives even if there is no other.
    """

    security: Security
    stopped: str
    bound_musd: float | None
    base: Record | None
    decided: pd.DataFrame
    joined: tuple[str, ...]
    losses: int
    rounds: int
    hopeless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fate:
    """What becomes of one loss: whether it binds, how the least-cost plan ``fares``, and the record of the secure ``plan`` under it."""

    loss: Contingency
    binds: bool
    fares: Record
    plan: Record | None


@dataclass
class Search:
    """Losses of a case that a plan is to survive: those named, and those generated from each plan (``losses``)."""

    case: Instance
    known: dict[str, Contingency]
    losses: Losses | None
    limits: Limits
    executor: Executor
    _instances: dict[str, Instance] = field(default_factory=dict)

    def secured(self, security: Security, least: Record, joined: list[str]) -> Secured:
        """Return the cheapest plan that survives all losses, beginning with those that ``joined`` at a looser level.

        ``least`` is the record of the least-cost plan, which is tried first where nothing has joined.
        """
        base, decided, bound, stopped = least, decided_of(least), least["bound_musd"], str(least["stopped"])
        for rounds in range(_ROUNDS + 1):
            if joined:
                found = self._together(security, joined)
                bound, stopped = found["bound_musd"], found["stopped"]
                decided = decided_of(found)
                if found["objective_musd"] is None:
                    hopeless = self._hopeless(security, joined) if stopped == "infeasible" else ()
                    return Secured(security, stopped, bound, None, decided, tuple(joined), len(self.known), rounds, hopeless)
                base = self._plan(found)
            self._generate(base)
            after = self._screen(security, decided, [name for name in self.known if name not in joined])
            worst = sorted(
                (name for name in after if after[name]["missed"] != 0.0), key=lambda name: -(after[name]["missed"] or float("inf"))
            )
            if not worst:
                return Secured(security, stopped, bound, base, decided, tuple(joined), len(self.known), rounds)
            joined = [*joined, *worst[:_JOINING]]
        return Secured(security, "round_limit", bound, None, decided, tuple(joined), len(self.known), _ROUNDS)

    def curve(self, security: Security, levels: Sequence[float], least: Record) -> list[Secured]:
        """Return the cheapest secure plan at each level of permitted shortage, the loosest first; what joined at one stays at the next.

        A bound for a looser level holds at a tighter one, and a plan for a tighter level is one for a looser: both are carried over.
        """
        points: list[Secured] = []
        for level in levels:
            points.append(self.secured(replace(security, share=level), least, list(points[-1].joined) if points else []))
        for number in range(1, len(points)):
            proved = [point.bound_musd for point in points[number - 1 : number + 1] if point.bound_musd is not None]
            points[number] = replace(points[number], bound_musd=max(proved, default=None))
        for number in range(len(points) - 2, -1, -1):
            if _cost(points[number + 1]) < _cost(points[number]):
                points[number] = replace(points[number], base=points[number + 1].base, decided=points[number + 1].decided)
        return points

    def fates(self, least: Record, points: Sequence[Secured]) -> list[Fate]:
        """Return of each loss how the least-cost plan fares under it, and the plan of the tightest level that has one."""
        if not points:
            return []
        planned = [secured for secured in points if secured.base is not None]
        fares = self._screen(points[-1].security, decided_of(least), list(self.known), exactly=True)
        plans = self._survived(planned[-1]) if planned else {}
        return [Fate(loss, name in points[-1].joined, fares[name], plans.get(name)) for name, loss in self.known.items()]

    def _survived(self, secured: Secured) -> dict[str, Record]:
        """Return the record of a plan of each loss after what a secure plan decides, which holds to the security."""
        tasks = [
            Task(
                f"{name} after what is decided",
                work.survive,
                {
                    "loss": self._loss(name),
                    "decided": secured.decided,
                    "security": secured.security.as_dict(),
                    "limits": self.limits.as_dict(),
                },
            )
            for name in self.known
        ]
        return dict(zip(self.known, self.executor.run(tasks), strict=True))

    def compare(self) -> None:
        """Raise UsageError where a named loss differs from the case before the reveal year."""
        named = [name for name, loss in self.known.items() if loss.kind == "scenario"]
        agreed(self.case, BASE, named, self.executor)

    def least(self) -> Record:
        """Return the least-cost plan of the case, with what it decides before the reveal year; losses are generated from it."""
        arguments = {"base": self.case, "losses": [], "security": {}, "limits": self._finer(2).as_dict()}
        (found,) = self.executor.run([Task("least cost", work.together, arguments)])
        if found["objective_musd"] is None:
            return found
        record = self._plan(found) | {
            "bound_musd": found["bound_musd"],
            "stopped": found["stopped"],
            "decided": found["decided"],
        }
        self._generate(record)
        return record

    def _together(self, security: Security, joined: list[str]) -> Record:
        losses = [self._loss(name) for name in joined]
        arguments = {"base": self.case, "losses": losses, "security": security.as_dict(), "limits": self.limits.as_dict()}
        return self.executor.run([Task(f"a plan that survives {len(joined)} losses", work.together, arguments)])[0]

    def _hopeless(self, security: Security, joined: Sequence[str]) -> tuple[str, ...]:
        """Return the losses that no plan survives, not even one with parts of units, and if there is no other loss."""
        tasks = [
            Task(
                f"{name} alone",
                work.together,
                {
                    "base": self.case,
                    "losses": [self._loss(name)],
                    "security": security.as_dict(),
                    "limits": self.limits.as_dict(),
                    "relaxed": True,
                },
            )
            for name in joined
        ]
        return tuple(name for name, found in zip(joined, self.executor.run(tasks), strict=True) if found["stopped"] == "infeasible")

    def _plan(self, found: Record) -> Record:
        """Return the plan of the case after what was found to be decided; it begins with what was found to be built after that."""
        arguments = {
            "instance": self.case,
            "decided": decided_of(found),
            "start": pd.DataFrame(found["builds"], columns=list(TABLES["builds"])),
            "limits": self._finer(4).as_dict(),
        }
        return self.executor.run([Task("the case without a loss", work.plan_after, arguments)])[0]

    def _finer(self, times: int) -> Limits:
        """Return the limits with a part of the gap: what security costs is a difference."""
        return replace(self.limits, gap=self.limits.gap / times)

    def _screen(self, security: Security, decided: pd.DataFrame, names: list[str], *, exactly: bool = False) -> dict[str, Record]:
        """Return of each loss whether it is survived after what is decided; ``exactly``: what is missed with whole units."""
        limits = self.limits.as_dict()
        tasks = [
            Task(
                f"{name}: survived?",
                work.missed,
                {"loss": self._loss(name), "decided": decided, "security": security.as_dict(), "limits": limits, "exactly": exactly},
            )
            for name in names
        ]
        return dict(zip(names, self.executor.run(tasks), strict=True))

    def _loss(self, name: str) -> Instance:
        if name not in self._instances:
            self._instances[name] = self.known[name].applied(self.case)
        return self._instances[name]

    def _generate(self, record: Record) -> None:
        """Add the losses of a plan that are not known yet."""
        if self.losses is None or record["holds"] != "plan":
            return
        activity, flows = (pd.DataFrame(record[name], columns=list(TABLES[name])) for name in ("activity", "flows"))
        for loss in self.losses.of_plan(self.case, activity, flows):
            self.known.setdefault(loss.name, loss)


def _cost(secured: Secured) -> float:
    cost = None if secured.base is None else secured.base["objective_musd"]
    return float("inf") if cost is None else float(cost)
