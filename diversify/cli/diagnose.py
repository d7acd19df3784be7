"""The verb diagnose."""

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
@click.option("--repairs", type=click.IntRange(1), default=5, metavar="N", show_default=True, help="Repairs at most.")
@changing
@asking
@common
def diagnose(instance: str, repairs: int, **given: Any) -> Exit:
    """Say why there is no plan, or none without shortage, and what change of policy would give one.

    First the rules that cannot all be kept, then repairs: the least changes of caps, floors, restrictions, budgets, contracts,
    demand and projects' years that give a plan, each solved and audited, with the --set options that make it.
    """

    def ask(case: Instance, executor: Executor) -> Answer:
        from diversify.analyses.diagnose import diagnose as find

        limits = {name: given[name] for name in ("gap", "time_limit", "seed")}
        return find(case, repairs=repairs, **limits, executor=executor)

    return answered(instance, given, "diagnose", _layout, ask, _page)


def _layout() -> Layout:
    from diversify.analyses.diagnose import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.diagnose import diagnose_page

    return diagnose_page(answer.summary, answer.tables)
