"""The tasks of the question: a plan of the case, a conflict, the least repair with some levers, and a repair put to the test."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from diversify.analyses.diagnose.behind import capacities_behind
from diversify.analyses.diagnose.conflict import Filter
from diversify.analyses.diagnose.loosened import Loosened
from diversify.analyses.diagnose.repairs import least_repair
from diversify.analyses.diagnose.rules import rules
from diversify.analyses.solving import Limits, Record, record_of, solved
from diversify.instance import Instance


@lru_cache(maxsize=1)
def _loosened(instance: Instance) -> Loosened:
    """Return the model of a case, kept for the next task of the same case; nobody changes it."""
    return Loosened.of(instance)


def plan_of(instance: Instance, limits: dict[str, Any]) -> Record:
    """Return the record of a case's audited plan."""
    return record_of(solved(instance, Limits(**limits)))


def conflict_of(instance: Instance, limits: dict[str, Any]) -> Record:
    """Return a conflict of a case without a plan: ``rules``, ``capacities`` behind them, ``proved``, ``irreducible``, ``linear``."""
    loose = _loosened(instance)
    whole = Filter(loose.program.matrix, tuple(rules(loose)), Limits(**limits))
    found = whole.conflict()
    behind = capacities_behind(loose, whole, found.rules) if found.rules and found.linear else []
    said = {"proved": found.proved, "irreducible": found.irreducible, "linear": found.linear}
    return {**said, "rules": [rule.as_dict() for rule in found.rules], "capacities": behind}


def repair_of(instance: Instance, limits: dict[str, Any], tables: Sequence[str], without: Sequence[str], last: str) -> Record:
    """Return the least repair with the levers of some tables, without those of some groups, one the ``last`` (see :mod:`.repairs`)."""
    loose = _loosened(instance)
    found = least_repair(loose, Limits(**limits), tables=tables, without=without, last=last)
    record = found.as_dict(loose)
    return {**record, "points": record["points"] if found.moved else None}


def tested(instance: Instance, limits: dict[str, Any], tries: Sequence[Sequence[str]]) -> Record:
    """Make the changes of one try after the other until one gives a plan; return its number (``try``) and the plan's record."""
    record: Record = {}
    number = 0
    for number, texts in enumerate(tries):
        record = plan_of(instance.set(*texts), limits)
        if record["holds"] == "plan" or number + 1 == len(tries):
            return {"try": number, **record}
    raise ValueError("there is nothing to try")
