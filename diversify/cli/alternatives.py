"""The verb alternatives."""

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
@click.option("--within", type=float, default=0.02, metavar="SHARE", show_default=True, help="How much dearer than the best a plan may be.")
@click.option("--plans", type=click.IntRange(1), default=5, metavar="N", show_default=True, help="Plans at most, the best among them.")
@changing
@asking
@common
def alternatives(instance: str, within: float, plans: int, **given: Any) -> Exit:
    """Find plans almost as cheap as the best that build something else; which projects are in all, in some, in none.

    Each project is proved to be in all plans within the limit by solving with it left out, in none by solving with it built; that
    also tells what leaving it out, or building it, costs. Without --gap a solve stops at a twentieth of --within.
    """

    def ask(case: Instance, executor: Executor) -> Answer:
        from diversify.analyses.alternatives import alternatives as find

        limits = {name: given[name] for name in ("gap", "time_limit", "seed")}
        return find(case, within=within, plans=plans, **limits, executor=executor)

    return answered(instance, given, "alternatives", _layout, ask, _page)


def _layout() -> Layout:
    from diversify.analyses.alternatives import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.alternatives import alternatives_page

    return alternatives_page(answer.summary, answer.tables)
