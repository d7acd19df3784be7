"""Optimization engine for supply diversification: what to build and buy where and when, at least cost, under caps on origin.

Names are resolved when they are first used, so that ``import diversify`` loads neither Pyomo nor pandas nor HiGHS.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diversify.analyses.alternatives import alternatives
    from diversify.analyses.answer import Answer
    from diversify.analyses.coalition import coalition
    from diversify.analyses.diagnose import diagnose
    from diversify.analyses.executor import Executor
    from diversify.analyses.frontier import frontier
    from diversify.analyses.least_cap import least_cap
    from diversify.analyses.prices import prices
    from diversify.analyses.provenance import provenance
    from diversify.analyses.regret import regret
    from diversify.analyses.rolling import rolling
    from diversify.analyses.scenarios import Sample, reduce, sample
    from diversify.analyses.secure import secure
    from diversify.analyses.sensitivity import sensitivity
    from diversify.analyses.stochastic import stochastic
    from diversify.analyses.stress import stress
    from diversify.audit import AuditReport, audit
    from diversify.errors import DiversifyError, InstanceError, Problem, ResultFolderError, SolverError, UsageError
    from diversify.instance import Findings, Instance, bundled_chains, bundled_instances, check, describe, join, load, new, save
    from diversify.plan import Plan
    from diversify.planning import Progress, build_model, export_model, solve
    from diversify.planning.compare import compare

_HOMES = {
    "diversify.analyses.alternatives": ("alternatives",),
    "diversify.analyses.answer": ("Answer",),
    "diversify.analyses.coalition": ("coalition",),
    "diversify.analyses.diagnose": ("diagnose",),
    "diversify.analyses.executor": ("Executor",),
    "diversify.analyses.frontier": ("frontier",),
    "diversify.analyses.least_cap": ("least_cap",),
    "diversify.analyses.prices": ("prices",),
    "diversify.analyses.provenance": ("provenance",),
    "diversify.analyses.regret": ("regret",),
    "diversify.analyses.rolling": ("rolling",),
    "diversify.analyses.scenarios": ("Sample", "reduce", "sample"),
    "diversify.analyses.secure": ("secure",),
    "diversify.analyses.sensitivity": ("sensitivity",),
    "diversify.analyses.stochastic": ("stochastic",),
    "diversify.analyses.stress": ("stress",),
    "diversify.audit": ("AuditReport", "audit"),
    "diversify.errors": ("DiversifyError", "InstanceError", "Problem", "ResultFolderError", "SolverError", "UsageError"),
    "diversify.instance": (
        "Findings",
        "Instance",
        "bundled_chains",
        "bundled_instances",
        "check",
        "describe",
        "join",
        "load",
        "new",
        "save",
    ),
    "diversify.plan": ("Plan",),
    "diversify.planning": ("Progress", "build_model", "export_model", "solve"),
    "diversify.planning.compare": ("compare",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Answer",
    "AuditReport",
    "DiversifyError",
    "Executor",
    "Findings",
    "Instance",
    "InstanceError",
    "Plan",
    "Problem",
    "Progress",
    "ResultFolderError",
    "Sample",
    "SolverError",
    "UsageError",
    "alternatives",
    "audit",
    "build_model",
    "bundled_chains",
    "bundled_instances",
    "check",
    "coalition",
    "compare",
    "describe",
    "diagnose",
    "export_model",
    "frontier",
    "join",
    "least_cap",
    "load",
    "new",
    "prices",
    "provenance",
    "reduce",
    "regret",
    "rolling",
    "sample",
    "save",
    "secure",
    "sensitivity",
    "solve",
    "stochastic",
    "stress",
]


class _Package(ModuleType):
    """The package as a module on which ``solve`` and ``audit`` stay the functions.

    Importing the subpackages of these names would otherwise put them in the functions' place.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'diversify' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
