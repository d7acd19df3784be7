"""The verb sensitivity."""

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
    "--input",
    "inputs",
    metavar="INPUT",
    multiple=True,
    help="Ask about this input; repeatable. NAME=LOW|HIGH with changes as --set takes them, e.g. "
    "'freight=freight[].freight_usd_per_t_km=x0.8|x1.2'; or 'data' (ranges in the data), 'standard' (a convention), 'each' (every "
    "figure with a range by itself), or the name of one of those. Default: data and standard.",
)
@click.option(
    "--global",
    "sample",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Also move inputs all at once: Sobol' indices from N (inputs + 2) linear programs; N a power of two.",
)
@click.option(
    "--global-inputs",
    "sample_inputs",
    type=click.IntRange(2),
    default=6,
    metavar="N",
    show_default=True,
    help="Inputs for --global: those that move cost most.",
)
@changing
@asking
@common
def sensitivity(instance: str, inputs: tuple[str, ...], sample: int, sample_inputs: int, **given: Any) -> Exit:
    """Tell which inputs of INSTANCE move cost and shares most: which assumption to firm up.

    Every input goes to the low and the high end of its range, the others staying as they are: two solves an input. Ranked by
    how far cost moves, with what is proved, what is built instead, and whether the figures behind are cited or assumed.
    """

    def ask(case: Instance, executor: Executor) -> Answer:
        from diversify.analyses.sensitivity import sensitivity as find

        limits = {name: given[name] for name in ("gap", "time_limit", "seed")}
        return find(case, inputs=inputs or None, sample=sample, sample_inputs=sample_inputs, **limits, executor=executor)

    return answered(instance, given, "moving inputs", _layout, ask, _page)


def _layout() -> Layout:
    from diversify.analyses.sensitivity import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.sensitivity import sensitivity_page

    return sensitivity_page(answer.summary, answer.tables)
