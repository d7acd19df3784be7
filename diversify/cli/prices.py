"""The verb prices."""

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
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", help="Only prices of this kind: cap, tariff, unit, demand, ...; repeatable."
)
@click.option("--key", metavar="TEXT", help="Only prices of what has this text in its name.")
@click.option("--year", type=int, metavar="YEAR", help="Only prices of this planning year.")
@click.option("--move", type=float, metavar="STEP", help="Solve again with each figure shown moved by STEP (0.01 of a share), both ways.")
@click.option("--most", type=click.IntRange(1), default=10, metavar="N", show_default=True, help="Prices of each kind shown, the largest.")
@changing
@asking
@common
def prices(instance: str, kinds: tuple[str, ...], key: str | None, year: int | None, move: float | None, most: int, **given: Any) -> Exit:
    """Price every cap, tariff, budget, floor, restriction, project, commodity and demand of INSTANCE at its plan.

    Prices are local: what is built stays. Where they are not the same from both sides, both are given. With --move the discrete
    answer stands beside them: the case solved again with the figure moved, everything adapting, as a band of what is proved.
    """

    def ask(case: Instance, executor: Executor) -> Answer:
        from diversify.analyses.prices import prices as price

        limits = {name: given[name] for name in ("gap", "time_limit", "seed")}
        return price(case, kind=kinds, key=key, year=year, move=move, most=most, **limits, executor=executor)

    return answered(instance, given, "prices", _layout, ask, _page)


def _layout() -> Layout:
    from diversify.analyses.prices import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.prices import prices_page

    return prices_page(answer.summary, answer.tables)
