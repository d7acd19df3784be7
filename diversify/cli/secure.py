"""The verb secure."""

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
    "--against",
    metavar="LOSS",
    multiple=True,
    help="A scenario of the instance, or plants, countries, lanes: each that is large (N-1); repeatable (the three).",
)
@click.option("--within", type=float, metavar="SHARE", multiple=True, help="Shortage allowed, a share of demand; repeatable: a curve (0).")
@click.option("--commodity", "commodities", metavar="NAME", multiple=True, help="Of this commodity; repeatable (all that are demanded).")
@click.option("--consumers", metavar="SELECTOR", multiple=True, help="At this country or group, pooled; repeatable (*, all together).")
@click.option("--years", type=float, default=0.0, metavar="N", help="Calendar years in which the share may be exceeded (0).")
@click.option(
    "--above", type=float, default=0.25, metavar="SHARE", help="Size from which a loss is generated, a share of a commodity (0.25)."
)
@click.option("--lasting", type=click.IntRange(1), default=1, metavar="N", help="Planning years that a generated loss lasts (1).")
@changing
@asking
@common
def secure(instance: str, **given: Any) -> Exit:
    """Find the cheapest plan of INSTANCE that survives every single loss of a set.

    Under each loss, shortage stays within a share of demand. What is decided before the reveal year is the same whatever is lost. Says what
    security costs, which losses bind, and how the least-cost plan would fare.
    """

    def ask(case: Instance, executor: Executor) -> Answer:
        from diversify.analyses.secure import GENERATED
        from diversify.analyses.secure import secure as find

        options = {name: given[name] for name in ("years", "above", "lasting", "gap", "time_limit", "seed")}
        return find(
            case,
            against=given["against"] or GENERATED,
            within=given["within"] or (0.0,),
            commodities=given["commodities"] or None,
            consumers=given["consumers"] or ("*",),
            **options,
            executor=executor,
        )

    return answered(instance, given, "a plan that survives losses", _layout, ask, _page)


def _layout() -> Layout:
    from diversify.analyses.secure import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.secure import secure_page

    return secure_page(answer.summary, answer.tables)
