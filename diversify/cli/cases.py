"""Verbs about planning cases: list, new, check, show, convert, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diversify.cli.live import watching
from diversify.cli.options import INSTANCE_HELP, changing, common, instance_of
from diversify.cli.outcome import Exit, emit_json
from diversify.cli.pages import print_line, print_page
from diversify.errors import InstanceError, UsageError

if TYPE_CHECKING:
    from diversify.instance import Findings


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


@click.command(epilog=INSTANCE_HELP)
@click.argument("instance")
@changing
@common
def check(instance: str, scenario: str | None, changes: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> Exit:
    """List every problem in the data of INSTANCE: where it is, what it is, what to do.

    Errors keep the case from being planned with (exit code 2); warnings are merely odd.
    """
    with watching(quiet=quiet, verbose=verbose) as live:
        live.stage("checking")
        findings = _findings(instance, scenario, changes)
    if as_json:
        emit_json({name: [problem.as_dict() for problem in getattr(findings, name)] for name in ("errors", "warnings")})
    else:
        from diversify.report.case import check_page

        print_page(check_page(instance, findings))
    return Exit.DONE if findings.ok else Exit.BAD_INPUT


def _findings(source: str, scenario: str | None, changes: tuple[str, ...]) -> Findings:
    from diversify.instance import Findings
    from diversify.instance import check as check_instance

    if scenario is None and not changes:
        return check_instance(source)
    try:
        return check_instance(instance_of(source, scenario, changes))
    except InstanceError as error:
        return Findings(error.problems, error.warnings)


@click.command(epilog=INSTANCE_HELP)
@click.argument("instance")
@changing
@common
def show(instance: str, scenario: str | None, changes: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> Exit:
    """Show what is in INSTANCE: years, sizes, supply against demand, caps, where the figures come from."""
    from diversify.instance import describe

    described = describe(instance_of(instance, scenario, changes))
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
