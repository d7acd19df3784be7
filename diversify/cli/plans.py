"""Verbs that make and weigh plans: solve, audit, compare."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diversify.cli.live import Live, watching
from diversify.cli.options import INSTANCE_HELP, changing, common, instance_of, solving
from diversify.cli.outcome import Exit, as_error, emit_json, say
from diversify.cli.pages import print_page
from diversify.errors import UsageError

if TYPE_CHECKING:
    from diversify.plan import Plan


@click.command(epilog=INSTANCE_HELP)
@click.argument("instance")
@click.option("--out", metavar="DIR", help="Write the result to this folder: new, empty, or an earlier result, which is replaced.")
@click.option("--no-cap-cost", is_flag=True, help="Do not solve the case again without its caps to tell what they cost.")
@changing
@solving
@common
def solve(instance: str, out: str | None, no_cap_cost: bool, **given: Any) -> Exit:
    """Solve INSTANCE: what to build and buy where and when.

    The plan is audited before it is shown. A solve that stops early shows and writes the best plan that it holds, and
    says how far from the cheapest it may be.
    """
    if out is not None:
        _refuse_early(out)
    with watching(quiet=given["quiet"], verbose=given["verbose"]) as live:
        plan = _solved(instance, given, live)
        trouble = _saved(plan, out)  # at once, so that whatever happens next cannot lose it
        if not no_cap_cost and plan.stopped != "interrupted":
            plan = _with_cap_cost(plan, live)
            trouble = trouble or _saved(plan, out)
    if given["as_json"]:
        emit_json({**plan.summary, **({"error": as_error(trouble)} if trouble else {})})
    else:
        from diversify.report.plan import plan_page

        print_page(plan_page(plan))
        _say_where(plan, out, trouble)
    return Exit.BAD_INPUT if trouble else exit_of(plan)


def exit_of(plan: Plan) -> Exit:
    """Return the exit code of a solve. A plan that fails its audit is 6, however the solve ended."""
    if not plan.summary["audit"]["ok"]:
        return Exit.AUDIT_FAILED
    if plan.stopped in ("infeasible", "unbounded"):
        return Exit.NO_PLAN_EXISTS
    if plan.holds != "plan":
        return Exit.STOPPED_HOLDING_NONE
    return Exit.DONE if plan.stopped == "optimal" else Exit.STOPPED_HOLDING_PLAN


def _solved(source: str, given: dict[str, Any], live: Live) -> Plan:
    begun = time.monotonic()
    live.stage("reading")
    from diversify.planning import solve as solve_instance

    case = instance_of(source, given["scenario"], given["changes"])
    read = time.monotonic() - begun
    live.stage("solving")
    options = {name: given[name] for name in ("gap", "time_limit", "threads", "seed", "solver")}
    plan = solve_instance(case, **options, log=given["verbose"], progress=live.progress)
    plan.summary["seconds"].update(read=round(read, 3), total=round(time.monotonic() - begun, 3))
    return plan


def _with_cap_cost(plan: Plan, live: Live) -> Plan:
    """Return the plan with what the caps cost in its summary; Ctrl-C here gives up only this, and the plan stands."""
    from diversify.planning.cap_cost import cap_cost

    live.stage("solving without the caps")
    begun = time.monotonic()
    try:
        found = cap_cost(plan, progress=live.progress)
    except KeyboardInterrupt:
        return plan
    if found is None:
        return plan
    spent = round(time.monotonic() - begun, 3)
    seconds = {**plan.summary["seconds"], "cap_cost": spent, "total": round(plan.summary["seconds"]["total"] + spent, 3)}
    return replace(plan, summary={**plan.summary, "seconds": seconds, "cap_cost_musd": found})


def _refuse_early(out: str) -> None:
    """Raise before the work where the result could not be written after it."""
    from diversify.plan import FILES
    from diversify.result_folder import refuse_strangers

    target = Path(os.path.abspath(out))
    refuse_strangers(target, FILES)
    standing = next(parent for parent in target.parents if parent.exists())
    if not standing.is_dir() or not os.access(standing, os.W_OK | os.X_OK):
        raise UsageError(f"{out} cannot be written: {standing} is not a folder that may be written to.")


def _saved(plan: Plan, out: str | None) -> UsageError | None:
    """Write the plan, if there is one and a place for it; return why it could not be written."""
    if out is None or plan.holds != "plan":
        return None
    try:
        plan.save(out)
    except OSError as error:
        return UsageError(f"{out} cannot be written: {error.strerror or error}.")
    except UsageError as error:
        return error
    return None


def _say_where(plan: Plan, out: str | None, trouble: UsageError | None) -> None:
    if trouble:
        say(str(trouble))
    elif out is not None:
        say(f"Written to {out}." if plan.holds == "plan" else f"Nothing was written to {out}: there is no plan.")


@click.command(epilog=INSTANCE_HELP + " PLAN is a folder written by solve --out.")
@click.argument("instance")
@click.argument("plan")
@changing
@common
def audit(instance: str, plan: str, scenario: str | None, changes: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> Exit:
    """Re-check the saved PLAN against INSTANCE and recompute its cost.

    Give the --scenario and --set that the plan was solved with. Exit code 6 where the plan breaks a rule.
    """
    with watching(quiet=quiet, verbose=verbose) as live:
        live.stage("auditing")
        from diversify.audit import audit as audit_plan
        from diversify.plan import Plan

        saved = Plan.load(plan)
        if saved.holds != "plan":
            raise UsageError(f"{plan} holds no plan: its solve ended {saved.stopped}.")
        case = instance_of(instance, scenario, changes)
        report = audit_plan(case, saved)
        same = case.content_hash == saved.instance.content_hash
    if as_json:
        stated = {"stated_objective_musd": saved.objective_musd, "objective_musd": report.objective_musd}
        emit_json({"instance": case.name, "same_data": same, **stated, **report.as_dict()})
    else:
        from diversify.report.plan import audit_page

        print_page(audit_page(report, saved, same))
    return Exit.DONE if report.ok else Exit.AUDIT_FAILED


@click.command(epilog="PLAN is a folder written by solve --out.")
@click.argument("plans", metavar="PLAN PLAN ...", nargs=-1, required=True)
@common
def compare(plans: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> Exit:
    """Set saved plans side by side: cost, builds, shares, flows, and how each differs from the first."""
    if len(plans) < 2:
        raise UsageError("compare needs two plans or more.")
    with watching(quiet=quiet, verbose=verbose) as live:
        live.stage("comparing")
        from diversify.plan import Plan
        from diversify.planning.compare import compare as compare_plans

        tables = compare_plans({name: Plan.load(name) for name in plans})
    if as_json:
        from diversify.report.comparison import as_records

        emit_json({name: as_records(frame) for name, frame in tables.items()})
    else:
        from diversify.report.comparison import comparison_page

        print_page(comparison_page(tables))
    return Exit.DONE
