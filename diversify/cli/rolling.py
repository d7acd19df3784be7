"""The verb rolling."""

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


def _numbers(_context: click.Context, _option: click.Parameter, words: tuple[str, ...]) -> tuple[int | None, ...]:
    """Return numbers of planning years, None for all."""
    for word in words:
        if word != "all" and not (word.isascii() and word.isdigit() and int(word)):
            raise click.BadParameter(f"{word!r} is neither a number of planning years nor all.")
    return tuple(None if word == "all" else int(word) for word in words)


@click.command(epilog=INSTANCE_HELP)
@click.argument("instance")
@click.option(
    "--scenario", "truth", metavar="NAME", required=True, help="What comes true, shown year by year; base is the data as they are."
)
@click.option(
    "--look-ahead",
    "look_ahead",
    metavar="N",
    multiple=True,
    callback=_numbers,
    help="Planning years that each decision looks ahead, 1 being its own year, or all; repeatable (1, 5 and all).",
)
@click.option("--set", "changes", metavar="CHANGE", multiple=True, help="Change the data first, for belief and truth alike; repeatable.")
@asking
@common
def rolling(instance: str, truth: str, look_ahead: tuple[int | None, ...], changes: tuple[str, ...], **given: Any) -> Exit:
    """Replay planning of INSTANCE year by year, a scenario coming true unforeseen: what is foresight worth?

    In each planning year what the scenario changes is known up to that year, and the instance's own data stand for the rest. What a
    year decides stays. Says what that costs in the end, against a plan that knew the scenario from the start.
    """

    def ask(case: Instance, executor: Executor) -> Answer:
        from diversify.analyses.rolling import rolling as find

        limits = {name: given[name] for name in ("gap", "time_limit", "seed")}
        return find(case, truth, look_ahead=look_ahead or (1, 5, None), **limits, executor=executor)

    return answered_about(lambda: instance_of(instance, None, changes), given, "replaying", _layout, ask, _page)


def _layout() -> Layout:
    from diversify.analyses.rolling import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.rolling import rolling_page

    return rolling_page(answer.summary, answer.tables)
