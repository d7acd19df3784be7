"""The verb scenarios."""

from __future__ import annotations

from pathlib import Path

import click

from diversify.cli.options import INSTANCE_HELP, common
from diversify.cli.outcome import Exit, emit_json
from diversify.cli.pages import print_line, print_page
from diversify.errors import UsageError


@click.command(epilog=INSTANCE_HELP)
@click.argument("instance")
@click.option("--sample", "count", type=int, metavar="N", help="Draw N scenarios by Latin hypercube.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Random seed of the draws.")
@click.option("--table", metavar="DRAWS.csv", help="Take the scenarios from this table of draws instead.")
@click.option("--reduce", "to", type=int, metavar="K", help="Keep K of them, which stand for all, by fast forward selection.")
@click.option("--out", required=True, help="Where to write the instance: a folder, an .xlsx or a .json that does not exist yet.")
@click.option("--draws", metavar="FILE.csv", help="Write what happens in each scenario to this file, which must not exist yet.")
@common
def scenarios(
    instance: str,
    count: int | None,
    seed: int,
    table: str | None,
    to: int | None,
    out: str,
    draws: str | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> Exit:
    """Write INSTANCE with scenarios drawn from its table families, for stochastic work.

    With --sample they are equally likely; a table of draws carries its own probabilities. The scenarios of INSTANCE stay, without a
    probability; those drawn before are replaced.
    """
    if (count is None) == (table is None):
        raise UsageError("Give either --sample N or --table DRAWS.csv.")
    if draws is not None and Path(draws).exists():
        raise UsageError(f"{draws} exists already. Name another file.")
    from diversify.analyses.scenarios import reduce, sample
    from diversify.instance import save
    from diversify.instance.write import csv_of
    from diversify.result_folder import write_file

    found = sample(instance, count, seed=seed, draws=table)
    if to is not None:
        found = reduce(found, to=to)
    path = save(found.instance, out)
    if draws is not None:
        write_file(Path(draws), csv_of(found.draws))
    if as_json:
        emit_json({**found.summary, "path": str(path), "draws": draws})
    else:
        from diversify.report.scenarios import scenarios_page

        print_page(scenarios_page(found.summary))
        print_line(f"Wrote {found.instance.name} to {path}" + (f", the draws to {draws}." if draws else "."))
    return Exit.DONE
