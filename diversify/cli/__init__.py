"""The command line: every verb parses, calls the function that Python users have too, and prints.

Nothing heavy is imported before a verb runs, so that help and typing errors answer at once.
"""

from __future__ import annotations

import os
import sys
import threading

import click

from diversify.cli import (
    alternatives,
    cases,
    coalition,
    diagnose,
    frontier,
    least_cap,
    plans,
    prices,
    regret,
    rolling,
    scenarios,
    secure,
    sensitivity,
    stochastic,
    stress,
)
from diversify.cli.outcome import EXIT_CODES, Verbs


@click.group(
    cls=Verbs,
    help="Plan where to buy and build, year by year, at least cost under caps on origin.",
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="diversify", message="%(prog)s %(version)s")
def command() -> None:
    """Hold the verbs."""


for verb in (
    *(cases.list_bundled, cases.new, cases.check, cases.show, plans.solve, cases.convert, cases.join, cases.export),
    *(plans.audit, plans.compare),
    alternatives.alternatives,
    coalition.coalition,
    frontier.frontier,
    least_cap.least_cap,
    diagnose.diagnose,
    prices.prices,
    regret.regret,
    rolling.rolling,
    scenarios.scenarios,
    secure.secure,
    sensitivity.sensitivity,
    stochastic.stochastic,
    stress.stress,
):
    command.add_command(verb)


def main() -> None:
    """Run the command and exit with its code, at once: a solver that does not heed a second Ctrl-C is left behind."""
    try:
        command.main()
    except SystemExit as ended:
        if any(thread.daemon for thread in threading.enumerate()):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(int(ended.code or 0))
        raise
