"""Many scenarios without stating them all at once: the L-shaped method, stabilised, with integer decisions at the end.

Lower bound: the master problem, in which the later stage of every scenario but one is relaxed. Upper bound: an audited plan of every
scenario after what the master decides. The gap between them is certified; what the relaxation of later units costs is part of it.

The cuts of the relaxed master are made between the best point known and the master's own (in-out separation: Ben-Ameur and Neto,
Acceleration of cutting-plane and column generation algorithms, Networks 49, 2007), which keeps it from leaping about.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from diversify.analyses.executor import Executor, Task
from diversify.analyses.solving import Limits, Record
from diversify.analyses.stochastic import work
from diversify.analyses.stochastic.ensemble import Ensemble
from diversify.analyses.stochastic.together import Found, plans_after
from diversify.network.ground import Floats
from diversify.planning.master import Master, StandIn
from diversify.planning.stages import as_table, from_table
from diversify.solve.recourse import Growing

_CHUNK = 5
"""How many scenarios one task makes cuts for."""

_ROUNDS, _WHOLE_ROUNDS = 60, 4
"""The most rounds with parts of units, and with whole ones."""

_ROUNDING = 1e-7
"""The relative gap that is left to the solver's tolerances."""

_FINE = 0.1
"""The part of the gap asked for at which the relaxed master is done."""


def decomposed(ensemble: Ensemble, compared: Sequence[Record], limits: Limits, executor: Executor) -> Found:
    """Return the best plan found by cuts, and what is proved; ``compared`` is what comparing the scenarios told."""
    return _Search.begun(ensemble, compared, limits, executor).run()


@dataclass
class _Search:
    """The state of a search: the master, its cuts, and for each scenario the basis that its last cut ended with."""

    ensemble: Ensemble
    order: list[str]
    limits: Limits
    executor: Executor
    master: Master
    cuts: list[StandIn] = field(default_factory=list)
    bases: dict[str, str] = field(default_factory=dict)
    rounds: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def begun(cls, ensemble: Ensemble, compared: Sequence[Record], limits: Limits, executor: Executor) -> _Search:
        """State the likeliest scenario in full."""
        order = [ensemble.likeliest, *(name for name in ensemble.names if name != ensemble.likeliest)]
        weights = dict(zip(ensemble.names, ensemble.probability, strict=True))
        staged = work.staged_of(ensemble.instance(order[0]))
        allowed = np.full(len(staged.keys), np.inf)
        for record in compared:
            allowed[record["forbidden"]] = 0.0
        return cls(ensemble, order, limits, executor, Master(staged, [weights[name] for name in order], ensemble.risk, allowed))

    def run(self) -> Found:
        """Search with parts of units, then with whole ones, until the gap is reached or rounds bring nothing more."""
        first = Growing(self.master.relaxed(self.master.form([], others=False))).solve()
        if first is None:
            return self._nothing("infeasible", None)
        start = first[0][: len(self.master.keys)]
        stopped = self._relaxed(start)
        if stopped is not None:
            return self._nothing(stopped, None)
        return self._whole()

    def _relaxed(self, start: Floats) -> str | None:
        """Add cuts until the relaxed master is near the relaxed optimum; return why there is no plan, or None."""
        inside, upper = start, self._evaluate(start)
        growing, form = self._growing()
        lower, step, before = -np.inf, 0.5, -np.inf
        for _ in range(_ROUNDS):
            solved = growing.solve()
            if solved is None:
                return "infeasible" if np.isinf(upper) else "error"
            outside, lower = solved[0][: len(self.master.keys)], solved[1]
            self._tell("relaxed", lower, upper)
            if upper - lower <= _FINE * self._allowed(upper):
                break
            step = 0.5 if lower > before + 1e-7 * abs(lower) else 1.0
            before = lower
            known = len(self.cuts)
            point = outside if np.isinf(upper) else inside + step * (outside - inside)
            cost = self._evaluate(point)
            if cost < upper:
                inside, upper = point, cost
            rows = [Master.row(cut, int(form.columns[cut.scenario][-1])) for cut in self.cuts[known:]]
            growing.add(np.array([row[0] for row in rows]), [row[1] for row in rows], [row[2] for row in rows])
        return None

    def _growing(self) -> tuple[Growing, Any]:
        form = self.master.form(self.cuts)
        return Growing(self.master.relaxed(form)), form

    def _whole(self) -> Found:
        """Solve the master with whole units, plan every scenario after it, and add cuts where it was wrong about them."""
        best: Found | None = None
        bound = -np.inf
        for _ in range(_WHOLE_ROUNDS):
            record = self._master()
            if record["bound_musd"] is not None:
                bound = max(bound, record["bound_musd"])
            if record["objective_musd"] is None:
                return self._nothing(record["stopped"], bound) if best is None else self._ended(best, bound)
            decided = work.decided_of(record)
            known = len(self.cuts)
            relaxed = self._evaluate(self._point(decided))
            near = relaxed - bound <= 0.5 * self._allowed(relaxed)
            self._tell("whole", bound, relaxed)
            if np.isfinite(relaxed) and (near or best is None):
                best = self._better(best, decided, record)
                if self._within(best, bound):
                    break
            if near or len(self.cuts) == known:
                break
        return self._nothing("round_limit", bound) if best is None else self._ended(best, bound)

    def _better(self, best: Found | None, decided: pd.DataFrame, record: dict[str, Any]) -> Found:
        finer = replace(self.limits, gap=self.limits.gap / 2.0)
        plans = plans_after(self.ensemble, decided, finer, self.executor)
        found = Found("decomposed", record["stopped"], None, decided, plans, record["size"])
        if best is None or (None not in found.costs.values() and self._cost(found) < self._cost(best)):
            return found
        return best

    def _cost(self, found: Found) -> float:
        return float("inf") if None in found.costs.values() else self.ensemble.weighed(found.costs)

    def _within(self, found: Found, bound: float) -> bool:
        cost = self._cost(found)
        return cost - bound <= self._allowed(cost)

    def _ended(self, best: Found, bound: float) -> Found:
        stopped = "optimal" if self._within(best, bound) else "round_limit" if best.stopped == "optimal" else best.stopped
        return replace(best, stopped=stopped, bound_musd=float(bound), rounds=self.rounds)

    def _nothing(self, stopped: str, bound: float | None) -> Found:
        proved = None if bound is None or not np.isfinite(bound) else float(bound)
        return Found("decomposed", stopped, proved, work.decided_of({"decided": []}), {}, self.master.form([]).matrix.size, self.rounds)

    def _allowed(self, cost: float) -> float:
        return max(self.limits.gap, _ROUNDING) * abs(cost) if np.isfinite(cost) else 0.0

    def _point(self, decided: pd.DataFrame) -> Floats:
        point = np.zeros(len(self.master.keys))
        for key, value in from_table(decided).items():
            point[self.master.keys[key]] = value
        return point

    def _evaluate(self, point: Floats) -> float:
        """Return the weighed relaxed cost of all scenarios at a point (inf where one has no plan), and keep the cuts made there."""
        decided = as_table({key: float(point[place]) for key, place in self.master.keys.items() if point[place] != 0.0})
        chunks = [self.order[start : start + _CHUNK] for start in range(0, len(self.order), _CHUNK)]
        tasks = [
            Task(
                f"cuts of {len(chunk)} scenarios, round {len(self.rounds) + 1}",
                work.cuts,
                {
                    "case": self.ensemble.case,
                    "names": chunk,
                    "decided": decided,
                    "bases": {n: self.bases[n] for n in chunk if n in self.bases},
                },
            )
            for chunk in chunks
        ]
        found = {name: told for record in self.executor.run(tasks) for name, told in record.items()}
        operating = float(self.master.operating_cost @ point)
        costs: dict[str, float] = {}
        for number, name in enumerate(self.order):
            told = found[name]
            self.bases[name] = told["basis"]
            costs[name] = operating + told["value"] if told["of_cost"] else np.inf
            if number > 0:
                self.cuts.append(self.master.stand_in(number, told, [tuple(json.loads(key)) for key in told["keys"]]))
        return np.inf if np.inf in costs.values() else self.ensemble.weighed(costs)

    def _master(self) -> dict[str, Any]:
        cuts = [
            {
                "scenario": cut.scenario,
                "of_cost": cut.of_cost,
                "constant": cut.constant,
                "columns": cut.columns.tolist(),
                "slope": cut.slope.tolist(),
            }
            for cut in self.cuts
        ]
        arguments = {
            "instance": self.ensemble.instance(self.order[0]),
            "probability": list(self.master.probability),
            "risk": asdict(self.ensemble.risk),
            "forbidden": np.flatnonzero(self.master.allowed == 0.0).tolist(),
            "cuts": cuts,
            "limits": replace(self.limits, gap=self.limits.gap / 4.0).as_dict(),
        }
        return self.executor.run([Task("the master problem", work.solve_master, arguments)])[0]

    def _tell(self, kind: str, lower: float, upper: float) -> None:
        told = {"round": len(self.rounds) + 1, "kind": kind, "bound_musd": lower, "relaxed_musd": None if np.isinf(upper) else upper}
        self.rounds.append(told | {"cuts": len(self.cuts)})
