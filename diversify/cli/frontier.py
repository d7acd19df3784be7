"""The verb that asks what a cap costs at every share."""

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


def _numbers(context: click.Context, option: click.Parameter, text: str | None) -> list[float] | None:
    """Read numbers joined by commas."""
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a list of numbers joined by commas.", context, option) from None


@click.command(epilog=INSTANCE_HELP)
@click.argument("instance")
@click.option("--cap", "caps", required=True, multiple=True, metavar="NAME", help="Cap to move; repeatable: several move together.")
@click.option("--points", type=click.IntRange(1), default=10, show_default=True, metavar="N", help="Points over the range that is found.")
@click.option("--shares", callback=_numbers, metavar="S,S,...", help="Shares to ask for, as fractions, in place of a range that is found.")
@click.option("--against", metavar="WHAT", help="A grid against 'shortage' (t over the horizon, in all) or 'budget:NAME'.")
@click.option("--levels", callback=_numbers, metavar="L,L,...", help="Limits of the grid: t short, or the budget's million USD (found).")
@click.option("--gap-musd", type=click.FloatRange(0), metavar="MUSD", help="Absolute gap of each point (small beside what the caps cost).")
@changing
@asking
@common
def frontier(
    instance: str,
    caps: tuple[str, ...],
    points: int,
    shares: list[float] | None,
    against: str | None,
    levels: list[float] | None,
    gap_musd: float | None,
    **given: Any,
) -> Exit:
    """Tell the least cost of INSTANCE at several shares of a cap, from what is reached without it down to the least possible.

    The curve is a band from what is proved to the best plan found, and never falls as the cap tightens. A share is the cap's last
    listed year's; earlier years keep their proportion of the way.
    """

    def ask(case: Instance, executor: Executor) -> Answer:
        from diversify.analyses.frontier import frontier as ask_frontier

        limits = {name: given[name] for name in ("gap", "time_limit", "seed")}
        asked = {"shares": shares, "points": points, "against": against, "levels": levels, "gap_musd": gap_musd}
        return ask_frontier(case, caps, **asked, executor=executor, **limits)  # type: ignore[arg-type]

    return answered(instance, given, "frontier", _layout, ask, _page)


def _layout() -> Layout:
    from diversify.analyses.frontier import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.frontier import frontier_page

    return frontier_page(answer.summary, answer.tables)
