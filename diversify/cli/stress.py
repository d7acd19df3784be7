"""The verb stress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from diversify.cli.options import INSTANCE_HELP, common, instance_of
from diversify.cli.outcome import Exit
from diversify.cli.questions import answered_about, asking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from diversify.analyses.answer import Answer
    from diversify.analyses.executor import Executor
    from diversify.instance import Instance
    from diversify.result_folder import Layout


@click.command(epilog=INSTANCE_HELP + " PLAN is a folder written by solve --out.")
@click.argument("source", metavar="INSTANCE")
@click.argument("plans", metavar="PLAN ...", nargs=-1, required=True)
@click.option(
    "--scenario",
    "scenarios",
    metavar="NAME",
    multiple=True,
    help="Put the plans to this test; repeatable; base is the data without any (base, and all scenarios that differ from it).",
)
@click.option("--set", "changes", metavar="CHANGE", multiple=True, help="Change the data, under every scenario; repeatable.")
@click.option("--adapt", is_flag=True, help="Plan anew what is decided from the reveal year on, investments too.")
@asking
@common
def stress(source: str, plans: tuple[str, ...], scenarios: tuple[str, ...], changes: tuple[str, ...], adapt: bool, **given: Any) -> Exit:
    """Put each PLAN to the test of each scenario: what it costs there, and where and when it breaks first.

    What a plan builds and closes stays, and what it did before the reveal year, since nobody knew; the rest is planned anew under
    the scenario's data. Says what is short beyond what the plan is short anyway, weeks of cover, and regrets.
    """

    def ask(instance: Instance, executor: Executor) -> Answer:
        from diversify.analyses.stress import stress as find

        limits = {name: given[name] for name in ("gap", "time_limit", "seed")}
        return find(instance, plans, scenarios=scenarios or None, adapt=adapt, **limits, executor=executor)

    return answered_about(lambda: instance_of(source, None, changes), given, "plans under scenarios", _layout, ask, _page)


def _layout() -> Layout:
    from diversify.analyses.stress import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.stress import stress_page

    return stress_page(answer.summary, answer.tables)
