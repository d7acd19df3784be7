"""The verb least-cap."""

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


@click.command("least-cap", epilog=INSTANCE_HELP)
@click.argument("instance")
@click.option("--cap", "caps", required=True, multiple=True, metavar="NAME", help="The cap; repeatable: they then move together.")
@click.option(
    "--shortage",
    type=click.FloatRange(0),
    default=0.0,
    metavar="T",
    show_default=True,
    help="Shortage (t/yr) that is allowed of each commodity in each year beyond what there is without the cap.",
)
@click.option("--path-only", is_flag=True, help="Only along the cap's path, not each year alone as well, which takes a search a year.")
@click.option("--tolerance", type=float, default=0.001, metavar="SHARE", show_default=True, help="How closely the least share is found.")
@changing
@asking
@common
def least_cap(instance: str, caps: tuple[str, ...], shortage: float, path_only: bool, tolerance: float, **given: Any) -> Exit:
    """Find the smallest share that any plan can reach under a cap, along its path and in each year alone, and what holds it there.

    Reached with no more shortage than the same instance has without the cap, whatever it costs. Says which share a plan reaches and
    below which it is proved that none does.
    """

    def ask(case: Instance, executor: Executor) -> Answer:
        from diversify.analyses.least_cap import least_cap as find

        limits = {name: given[name] for name in ("gap", "time_limit", "seed")}
        return find(case, caps, shortage_t=shortage, years=not path_only, tolerance=tolerance, **limits, executor=executor)

    return answered(instance, given, "least share", _layout, ask, _page)


def _layout() -> Layout:
    from diversify.analyses.least_cap import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.least_cap import least_cap_page

    return least_cap_page(answer.summary, answer.tables)
