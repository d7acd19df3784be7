"""Verbs about planning cases: list, new, check, show, convert, export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diversify.cli.live import Live, watching
from diversify.cli.options import INSTANCE_HELP, Verb, changing, common, instance_of, with_options
from diversify.cli.outcome import Exit, emit_json
from diversify.cli.pages import print_line, print_page
from diversify.cli.questions import cache_folder
from diversify.errors import InstanceError, UsageError

if TYPE_CHECKING:
    from diversify.analyses.answer import Answer
    from diversify.instance import Findings, Instance

_WEIGHED = ("stopped", "holds", "objective_musd", "bound_musd", "gap", "cost_by_quality_musd", "assumed")
"""What ``show --json`` says of the figures weighed by a plan."""


@click.command("list")
@common
def list_bundled(as_json: bool, quiet: bool, verbose: bool) -> Exit:
    """List the bundled instances and chains, one line each."""
    import yaml

    from diversify.instance import bundled_chains, bundled_instances

    instances = []
    for name, folder in bundled_instances().items():
        meta = yaml.safe_load((folder / "instance.yaml").read_text(encoding="utf-8"))
        instances.append({"name": name, "title": str((meta or {}).get("title") or "")})
    chains = [{"name": name, **_chain_size(folder)} for name, folder in bundled_chains().items()]
    if as_json:
        emit_json({"instances": instances, "chains": chains})
    else:
        from diversify.report.case import list_page

        print_page(list_page(instances, chains))
    return Exit.DONE


def _chain_size(folder: Path) -> dict[str, int]:
    import csv

    size = {}
    for table in ("commodities", "processes"):
        path = folder / f"{table}.csv"
        rows = csv.reader(path.read_text(encoding="utf-8-sig").splitlines()) if path.is_file() else iter(())
        size[table] = max(sum(1 for row in rows if any(row)) - 1, 0)
    return size


@click.command()
@click.argument("folder", metavar="DIR")
@click.option("--from", "source", metavar="NAME", help="Copy this bundled instance, with its chains; else an empty commented template.")
@common
def new(folder: str, source: str | None, as_json: bool, quiet: bool, verbose: bool) -> Exit:
    """Make the folder DIR to start a case from."""
    from diversify.instance import new as new_folder

    try:
        path = new_folder(folder, source)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror or error}.") from error
    if as_json:
        emit_json({"path": str(path), "from": source})
    else:
        start = "Fill in its tables (FORMAT.md explains them)" if source is None else "Change its tables"
        print_line(f"Made {path}. {start}, then run: diversify check {path}")
    return Exit.DONE


def _weighing(verb: Verb) -> Verb:
    """Add --plan, --quick and --no-cache: by which plan figures are weighed."""
    return with_options(
        verb,
        click.option("--plan", metavar="PLAN", help="Weigh figures by this plan of the case, a folder written by solve --out."),
        click.option("--quick", is_flag=True, help="Do not weigh figures by a plan: nothing is solved."),
        click.option("--no-cache", is_flag=True, help="Solve anew, and keep nothing for the next run."),
    )


def _weighed(case: Instance, given: Mapping[str, Any], live: Live) -> Answer | None:
    """Return the figures of a case that decide a plan: the one given, else one that is solved for; None where nothing is assumed."""
    from diversify.analyses.executor import Executor
    from diversify.analyses.provenance import holds_assumptions, provenance
    from diversify.plan import Plan

    if given["quick"] or not (given["plan"] or holds_assumptions(case)):
        return None
    live.stage("solving, to see which figures decide")
    plan = None if given["plan"] is None else Plan.load(given["plan"])
    return provenance(case, plan, executor=Executor(store=None if given["no_cache"] else cache_folder()))


@click.command(epilog=INSTANCE_HELP)
@click.argument("instance")
@changing
@_weighing
@common
def check(instance: str, as_json: bool, quiet: bool, verbose: bool, **given: Any) -> Exit:
    """List every problem in the data of INSTANCE: where it is, what it is, what to do.

    Errors keep the case from being planned with (exit code 2); warnings are merely odd, or tell of an assumed row that decides
    the plan: a project that is built, or a limit that binds. To see which do, a case with assumed rows is solved once; the plan is
    kept for the next run.
    """
    with watching(quiet=quiet, verbose=verbose) as live:
        live.stage("checking")
        case, findings = _checked(instance, given["scenario"], given["changes"])
        weighed = None if case is None else _weighed(case, given, live)
        if weighed is not None:
            from diversify.analyses.provenance import assumed_and_decisive

            findings.warnings.extend(assumed_and_decisive(weighed))
    if as_json:
        emit_json({name: [problem.as_dict() for problem in getattr(findings, name)] for name in ("errors", "warnings")})
    else:
        from diversify.report.case import check_page

        print_page(check_page(instance, findings))
    return Exit.DONE if findings.ok else Exit.BAD_INPUT


def _checked(source: str, scenario: str | None, changes: tuple[str, ...]) -> tuple[Instance | None, Findings]:
    """Return the case, None where it has errors, and what was found in it."""
    from diversify.instance import Findings
    from diversify.instance import check as check_instance

    try:
        case = instance_of(source, scenario, changes)
    except InstanceError as error:
        return None, Findings(error.problems, error.warnings)
    return case, check_instance(case)


@click.command(epilog=INSTANCE_HELP)
@click.argument("instance")
@changing
@_weighing
@common
def show(instance: str, as_json: bool, quiet: bool, verbose: bool, **given: Any) -> Exit:
    """Show what is in INSTANCE: years, sizes, supply against demand, caps, where the figures come from.

    A case with assumed rows is solved once, to see which assumptions carry most of the cost; the plan is kept for the next run.
    """
    with watching(quiet=quiet, verbose=verbose) as live:
        live.stage("reading")
        from diversify.instance import describe

        case = instance_of(instance, given["scenario"], given["changes"])
        described = describe(case)
        weighed = _weighed(case, given, live)
        if weighed is not None:
            described["weighed"] = {name: weighed.summary[name] for name in _WEIGHED}
    if as_json:
        emit_json(described)
    else:
        from diversify.report.case import show_page

        print_page(show_page(described))
    return Exit.DONE


@click.command(epilog=INSTANCE_HELP)
@click.argument("instance")
@click.argument("out")
@changing
@common
def convert(instance: str, out: str, scenario: str | None, changes: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> Exit:
    """Write INSTANCE to OUT: a folder, an .xlsx or a .json, by the ending of the name.

    A scenario and changes are made first. OUT must not exist yet.
    """
    from diversify.instance import save

    case = instance_of(instance, scenario, changes)
    path = save(case, out)
    sizes: dict[str, Any] = {"tables": len(case.tables), "rows": sum(map(len, case.tables.values()))}
    if as_json:
        emit_json({"instance": case.name, "path": str(path), **sizes})
    else:
        print_line(f"Wrote {case.name} to {path}: {sizes['tables']} tables, {sizes['rows']:,} rows.")
    return Exit.DONE


@click.command(epilog=INSTANCE_HELP)
@click.argument("instances", metavar="INSTANCE INSTANCE ...", nargs=-1, required=True)
@click.option("--out", required=True, help="Where to write the whole: a folder, an .xlsx or a .json that does not exist yet.")
@click.option("--title", default="", help="What the whole is, in words.")
@click.option("--chain", "chains", multiple=True, metavar="NAME", help="Name this bundled chain and leave its rows to it; repeatable.")
@common
def join(instances: tuple[str, ...], out: str, title: str, chains: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> Exit:
    """Join two or more cases into one, which plans them together.

    Years, discount rate and every figure that they share must agree. Scenarios and their families are left out: write
    those of the whole.
    """
    from diversify.instance import join as join_instances
    from diversify.instance import load, save

    whole = join_instances([load(instance) for instance in instances], Path(out).stem, title)
    path = save(whole, out, chains=chains)
    sizes: dict[str, Any] = {"tables": len(whole.tables), "rows": sum(map(len, whole.tables.values()))}
    if as_json:
        emit_json({"instance": whole.name, "joined": list(instances), "path": str(path), **sizes})
    else:
        print_line(f"Wrote {whole.name} to {path}: {sizes['tables']} tables, {sizes['rows']:,} rows.")
    return Exit.DONE


@click.command(epilog=INSTANCE_HELP)
@click.argument("instance")
@click.argument("out", metavar="OUT.mps|.lp")
@changing
@common
def export(instance: str, out: str, scenario: str | None, changes: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> Exit:
    """Write the model of INSTANCE with readable names, without solving it."""
    if not Path(out).absolute().parent.is_dir():
        raise UsageError(f"{out} cannot be written: its folder does not exist.")
    with watching(quiet=quiet, verbose=verbose) as live:
        live.stage("stating the model")
        from diversify.planning import export_model

        case = instance_of(instance, scenario, changes)
        size = export_model(case, out)
    if as_json:
        emit_json({"instance": case.name, "path": out, "size": size})
    else:
        print_line(f"Wrote {out}: {', '.join(f'{count:,} {what}' for what, count in size.items())}.")
    return Exit.DONE
