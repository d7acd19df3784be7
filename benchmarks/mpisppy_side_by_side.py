"""One plan for all scenarios of a case: diversify's cuts beside progressive hedging in mpi-sppy, on the same models and solver.

Needs mpi-sppy, mpi4py and an MPI (such as Open MPI with its development files) beside the package, none of which anything else here
needs; best in an environment of its own: ``pip install -e . mpi-sppy mpi4py``.

Usage::

    python benchmarks/mpisppy_side_by_side.py check
    python benchmarks/mpisppy_side_by_side.py cuts [--draws N] [--gap 0.005] [--workers 2]
    mpiexec -np 3 python -m mpi4py benchmarks/mpisppy_side_by_side.py hedging [--draws N] [--gap 0.005] [--seconds 300]
        [--rho cost] [--rho-factor 1] [--nonants linking]
    python benchmarks/mpisppy_side_by_side.py form [--engine mpi-sppy] [--draws N] [--gap 0.005] [--seconds 300]

``check`` solves a small case as extensive form with both and fails where they differ. ``cuts`` is ``diversify stochastic --method
decomposed --no-value``. ``hedging`` is mpi-sppy's hub of progressive hedging with a Lagrangian spoke for the lower bound and a spoke
that tries the scenarios' first stages for the upper one (three ranks, or a multiple). ``form`` states all scenarios in one problem.
Without ``--draws`` the scenarios are those of the case that have a probability.

The Pyomo models are those of ``build_model``, and mpi-sppy solves them with the same HiGHS, one thread a rank. HiGHS has no
quadratic objective with integers, so the proximal terms are linearised (an option of mpi-sppy's). Nonanticipative are the columns
that :class:`diversify.planning.stages.Staged` calls common (``--nonants all``) or, of these, those that later rows speak of and
units (``linking``): what is left then has the same rows and costs in every scenario, so that the optimum is the same.

mpi-sppy looks at its time limit between iterations only, and its spokes finish what they are solving: an end can come minutes late, and
a run that is cut off prints no row, though the hub's lines tell how far it was. Every run that ends prints one row of a table. CPU
seconds are of all processes; ranks that wait for each other burn CPU too.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

COLUMNS = ("way", "scenarios", "bound", "plan", "gap %", "wall s", "CPU s", "what was done")
SOLVER = "appsi_highs"


class Scenarios:
    """The scenarios of a case as mpi-sppy wants them, all with the same nonanticipative variables in the same order."""

    def __init__(self, case: Any, nonants: str) -> None:
        from diversify.analyses.stochastic.ensemble import Ensemble
        from diversify.solve import Risk

        self.ensemble = Ensemble.of(case, None, Risk())
        self.names = list(self.ensemble.names)
        self.weights = dict(zip(self.names, self.ensemble.probability, strict=True))
        self.nonants = nonants

    @cache  # noqa: B019 (one object a run)
    def expected(self) -> tuple[Any, ...]:
        """Return the keys of the nonanticipative variables, those of the likeliest scenario."""
        return tuple(self.common(self.staged(self.ensemble.likeliest)))

    def staged(self, name: str) -> Any:
        from diversify.analyses.stochastic.work import staged_of

        return staged_of(self.ensemble.instance(name))

    def common(self, staged: Any) -> dict[Any, Any]:
        """Return the nonanticipative Pyomo variables of a scenario by key, in order of the keys."""
        from diversify.planning.later_stage import LaterStage

        keys = staged.keys if self.nonants == "all" else LaterStage.of(staged).keys
        places = dict(zip(staged.keys, staged.common.tolist(), strict=True))
        return {key: staged.program.matrix.columns[places[key]] for key in sorted(keys, key=json.dumps)}

    def create(self, name: str, **_: Any) -> Any:
        """Return the Pyomo model of a scenario with its root node: mpi-sppy's ``scenario_creator``."""
        from mpisppy.utils.sputils import attach_root_node

        staged = self.staged(name)
        variables = self.common(staged)
        if tuple(variables) != self.expected():
            raise SystemExit(f"{name} has not the nonanticipative variables of {self.ensemble.likeliest}: mpi-sppy needs the same in all.")
        model = staged.program.model
        attach_root_node(model, 0.0, list(variables.values()))
        model._mpisppy_probability = self.weights[name]
        return model


def case_of(source: str, draws: int | None) -> Any:
    """Return a case with its own scenarios, or with so many drawn ones."""
    import diversify as dv

    return dv.load(source) if draws is None else dv.sample(source, draws, seed=0).instance


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of those it started and that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def row(way: str, scenarios: Scenarios, bound: float, plan: float, wall: float, cpu: float, done: str) -> str:
    """Return a run as a row of the table."""
    gap = 100.0 * (plan - bound) / abs(plan) if abs(plan) < float("inf") else float("inf")
    return f"| {way} | {len(scenarios.names)} | {bound:,.1f} | {plan:,.1f} | {gap:.3f} | {wall:.0f} | {cpu:.0f} | {done} |"


def cuts(asked: argparse.Namespace, scenarios: Scenarios) -> str:
    """Return the row of diversify's decomposition."""
    import diversify as dv
    from diversify.analyses.executor import Executor

    begun = time.monotonic()
    answer = dv.stochastic(
        scenarios.ensemble.case,
        method="decomposed",
        value=False,
        gap=asked.gap,
        time_limit=asked.seconds,
        seed=asked.seed,
        executor=Executor(workers=asked.workers),
    )
    wall = time.monotonic() - begun
    kinds = answer.tables["rounds"]["kind"].tolist()
    done = f"{kinds.count('relaxed')} relaxed and {kinds.count('whole')} whole rounds, {answer.summary['stopped']}"
    told = {name: _number(answer.summary[name]) for name in ("bound_musd", "objective_musd")}
    return row(f"cuts, {asked.workers} workers", scenarios, told["bound_musd"], told["objective_musd"], wall, cpu_seconds(), done)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def hedging(asked: argparse.Namespace, scenarios: Scenarios) -> str | None:
    """Return the row of progressive hedging on the hub's first rank, None on the others."""
    import mpisppy.utils.cfg_vanilla as vanilla
    from mpi4py import MPI
    from mpisppy.spin_the_wheel import WheelSpinner
    from mpisppy.utils.sputils import solver_options_layer

    begun = time.monotonic()
    settings = settings_of(asked)
    common = (settings, scenarios.create, None, scenarios.names)
    hub = vanilla.ph_hub(*common)
    if asked.hub_gap is not None:
        layers = hub["opt_kwargs"]["options"]["solver_options_layers"]
        layers.append(solver_options_layer("default", {"mipgap": asked.hub_gap}))
    if asked.rho == "cost":
        vanilla.add_coeff_rho(hub, settings)
    elif asked.rho == "separation":
        hub["opt_kwargs"]["options"]["cfg"] = settings
        vanilla.add_sep_rho(hub, settings)
    wheel = WheelSpinner(hub, [vanilla.lagrangian_spoke(*common), vanilla.xhatshuffle_spoke(*common)])
    wheel.spin()
    cpu = MPI.COMM_WORLD.reduce(cpu_seconds(), op=MPI.SUM, root=0)
    if not wheel.on_hub() or MPI.COMM_WORLD.rank > 0:
        return None
    wall = time.monotonic() - begun
    rho = f"rho {asked.rho} x {asked.rho_factor:g}"
    way = f"hedging, {MPI.COMM_WORLD.size} ranks, {rho}, parts {asked.parts:g}, {len(scenarios.expected())} nonants"
    done = f"{wheel.spcomm.current_iteration()} iterations"
    return row(way, scenarios, wheel.BestOuterBound, wheel.BestInnerBound, wall, cpu, done)


def settings_of(asked: argparse.Namespace) -> Any:
    """Return mpi-sppy's configuration."""
    from mpisppy.utils.config import Config

    settings = Config()
    for group in ("popular", "two_sided", "ph", "lagrangian", "xhatshuffle", "sep_rho", "coeff_rho", "dynamic_rho", "converger"):
        getattr(settings, f"{group}_args")()
    for group in ("wxbar_read_write", "tracking"):
        getattr(settings, f"{group}_args")()
    settings.add_mipgap_specs()
    values = {
        "solver_name": SOLVER,
        "max_solver_threads": 1,
        "max_iterations": 1_000_000,
        "time_limit": int(asked.seconds),
        "rel_gap": asked.gap,
        "solver_options": f"random_seed={asked.seed}",
        "iter0_mipgap": asked.gap / asked.parts,
        "iterk_mipgap": asked.gap / asked.parts,
        "linearize_proximal_terms": True,
        "turn_off_names_check": True,  # a unit that a scenario delays has another on-line year in its name; the keys are compared instead
        "default_rho": asked.rho_factor if asked.rho == "same" else asked.default_rho,
        "coeff_rho_multiplier": asked.rho_factor,
        "sep_rho_multiplier": asked.rho_factor,
    }
    for name, value in values.items():
        settings[name] = value
    return settings


def form(asked: argparse.Namespace, scenarios: Scenarios) -> str:
    """Return the row of the extensive form, stated by either."""
    begun = time.monotonic()
    bound, plan, stopped = (mpisppy_form if asked.engine == "mpi-sppy" else own_form)(scenarios, asked.gap, asked.seconds)
    return row(f"extensive form, {asked.engine}", scenarios, bound, plan, time.monotonic() - begun, cpu_seconds(), stopped)


def mpisppy_form(scenarios: Scenarios, gap: float, seconds: float) -> tuple[float, float, str]:
    """Return bound, optimum and end of the extensive form that mpi-sppy states."""
    from mpisppy.opt.ef import ExtensiveForm

    extensive = ExtensiveForm({"solver": SOLVER, "turn_off_names_check": True}, scenarios.names, scenarios.create, suppress_warnings=True)
    results = extensive.solve_extensive_form({"mip_rel_gap": gap, "threads": 1, "time_limit": float(seconds)})
    problem = results.problem
    return float(problem.lower_bound), float(problem.upper_bound), str(results.solver.termination_condition)


def own_form(scenarios: Scenarios, gap: float, seconds: float) -> tuple[float, float, str]:
    """Return bound, optimum and end of the extensive form that diversify states."""
    from diversify.analyses.stochastic.work import run_within
    from diversify.planning.extensive_form import ExtensiveForm
    from diversify.solve import Options

    ensemble = scenarios.ensemble
    extensive = ExtensiveForm.of([scenarios.staged(name) for name in ensemble.names], ensemble.probability, ensemble.risk)
    outcome = run_within(extensive.form.matrix, Options(gap=gap, time_limit=seconds, threads=1))
    return outcome.bound, outcome.objective, outcome.stopped


def small_case() -> Any:
    """Return a synthetic case of a few sites under three scenarios of demand."""
    from generate import Shape, generate

    case = generate(Shape(sites=4, stages=3, years=5))
    reveal = case.years[2]
    changes = [
        {"scenario": name, "change": f"demand[year={year}].quantity_t_per_year=x{factor}"}
        for name, factor in (("low", 0.7), ("high", 1.5))
        for year in case.years
        if year >= reveal
    ]
    weights = {"as-it-is": 0.5, "low": 0.2, "high": 0.3}
    scenarios = [{"scenario": name, "probability": weight} for name, weight in weights.items()]
    return case.replace(scenarios=scenarios, changes=changes, reveal_year=reveal)


def checked() -> Iterator[str]:
    """Yield rows of the extensive form of the small case by both; SystemExit where they differ."""
    found: dict[str, float] = {}
    for nonants in ("all", "linking"):
        scenarios = Scenarios(small_case(), nonants)
        for engine, stated in {"diversify": own_form, "mpi-sppy": mpisppy_form}.items():
            bound, plan, stopped = stated(scenarios, 0.0, 600.0)
            found[f"{engine} {nonants}"] = plan
            yield row(f"extensive form, {engine}, {len(scenarios.expected())} nonants", scenarios, bound, plan, 0.0, 0.0, stopped)
    first = next(iter(found.values()))
    if not all(abs(each - first) <= 1e-6 * abs(first) for each in found.values()):
        raise SystemExit(f"The optima differ: {found}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one way and print its row."""
    parser = argparse.ArgumentParser(description="diversify's cuts beside progressive hedging in mpi-sppy.")
    parser.add_argument("way", choices=["check", "cuts", "hedging", "form"])
    parser.add_argument("--instance", default="trilateral-magnets")
    parser.add_argument("--draws", type=int, help="so many drawn scenarios (seed 0) in place of the case's own")
    parser.add_argument("--gap", type=float, default=0.005, help="relative gap to stop at")
    parser.add_argument("--seconds", type=float, default=300.0, help="wall clock of hedging and form; of each solve of cuts")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engine", choices=["diversify", "mpi-sppy"], default="diversify")
    parser.add_argument("--seed", type=int, default=0, help="random seed of the solver")
    parser.add_argument("--parts", type=float, default=4.0, help="gap over that of hedging's subproblems (4: as the master of cuts)")
    parser.add_argument("--hub-gap", type=float, help="gap of the hub's own subproblems, whose bounds count at iteration 0 only")
    parser.add_argument("--rho", choices=["cost", "separation", "same"], default="cost")
    parser.add_argument("--rho-factor", type=float, default=1.0, help="multiplies rho; with --rho same it is rho")
    parser.add_argument("--default-rho", type=float, default=1e-4, help="rho of variables that have no cost")
    parser.add_argument("--nonants", choices=["all", "linking"], default="linking")
    asked = parser.parse_args(arguments)
    if asked.way == "check":
        print(f"| {' | '.join(COLUMNS)} |\n|---|" + "---:|" * (len(COLUMNS) - 2) + "---|")
        for line in checked():
            print(line, flush=True)
        return
    scenarios = Scenarios(case_of(asked.instance, asked.draws), asked.nonants)
    line = {"cuts": cuts, "hedging": hedging, "form": form}[asked.way](asked, scenarios)
    if line is not None:
        print(line, flush=True)


if __name__ == "__main__":
    main()
