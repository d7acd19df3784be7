"""The verb that asks what acting together is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from diversify.cli.options import INSTANCE_HELP, changing, common
from diversify.cli.outcome import Exit
from diversify.cli.questions import answered, asking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from diversify.analyses.answer import Answer
    from diversify.analyses.executor import Executor
    from diversify.instance import Instance
    from diversify.result_folder import Layout


@click.command(epilog=INSTANCE_HELP)
@click.argument("instance")
@click.option("--members", required=True, metavar="A,B,...", help="Two to six countries, or groups that act as one.")
@click.option(
    "--gap-musd",
    type=click.FloatRange(0),
    metavar="MUSD",
    help="Absolute gap of each solve (as small as the gain asks for, found in two passes).",
)
@changing
@asking
@common
def coalition(instance: str, members: str, gap_musd: float | None, **given: Any) -> Exit:
    """Tell what acting together is worth to members of INSTANCE, and a fair split of the cost.

    Every subset of the members is planned for by itself: 2^n - 1 solves. Says what each costs alone and together, the gain,
    the Shapley value, whether the core is empty, who pays and who hosts, and what the figures assume.
    """
    names = [name.strip() for name in members.split(",") if name.strip()]

    def ask(case: Instance, executor: Executor) -> Answer:
        from diversify.analyses.coalition import coalition as ask_coalition

        limits = {name: given[name] for name in ("gap", "time_limit", "seed")}
        return ask_coalition(case, names, gap_musd=gap_musd, executor=executor, **limits)

    return answered(instance, given, "serving every subset", _layout, ask, _page)


def _layout() -> Layout:
    from diversify.analyses.coalition import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.coalition import coalition_page

    return coalition_page(answer.summary, answer.tables)
