"""The verb regret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from diversify.cli.options import common
from diversify.cli.outcome import Exit
from diversify.cli.questions import answered_about, asking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from diversify.analyses.answer import Answer
    from diversify.analyses.executor import Executor
    from diversify.result_folder import Layout


@click.command(epilog="PLAN is a folder written by solve --out.")
@click.argument("plans", metavar="PLAN ...", nargs=-1, required=True)
@click.option(
    "--scenario",
    "scenarios",
    metavar="NAME",
    multiple=True,
    help="Judge the plans under this scenario; repeatable; base is the data without any (base, and all scenarios that differ from it).",
)
@click.option("--instance", metavar="INSTANCE", help="The data without a scenario (those of the first plan).")
@asking
@common
def regret(plans: tuple[str, ...], scenarios: tuple[str, ...], instance: str | None, **given: Any) -> Exit:
    """Judge each PLAN under each scenario: what its investments cost there, and its regret.

    What a plan builds stays; operations are planned anew under the scenario's data. The regret is the cost above the least
    cost of that scenario. Says which plan's worst regret is least.
    """

    def ask(folders: tuple[str, ...], executor: Executor) -> Answer:
        from diversify.analyses.regret import regret as find

        limits = {name: given[name] for name in ("gap", "time_limit", "seed")}
        return find(folders, scenarios=scenarios or None, instance=instance, **limits, executor=executor)

    return answered_about(lambda: plans, given, "plans under scenarios", _layout, ask, _page)


def _layout() -> Layout:
    from diversify.analyses.regret import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.regret import regret_page

    return regret_page(answer.summary, answer.tables)
