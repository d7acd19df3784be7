"""The verb stochastic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from diversify.cli.options import INSTANCE_HELP, common
from diversify.cli.outcome import Exit
from diversify.cli.questions import answered_about, as_a_solve, asking
from diversify.errors import UsageError

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
    "--scenario",
    "scenarios",
    metavar="NAME[=P]",
    multiple=True,
    help="Plan for this scenario, of probability P; repeatable; base is the data without any (all that have a probability).",
)
@click.option("--set", "changes", metavar="CHANGE", multiple=True, help="Change the data first; repeatable.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Plan for N scenarios drawn from the table families instead.")
@click.option("--draw-seed", type=int, default=0, metavar="N", help="Random seed of the draws (0).")
@click.option("--cvar-weight", type=float, default=0.0, metavar="W", help="Weight of CVaR in the objective, 0 to 1 (0: the expectation).")
@click.option(
    "--cvar-level", type=float, default=0.95, metavar="A", help="Level of CVaR: the mean of the dearest 1 - A (0.95); 1: the dearest."
)
@click.option(
    "--method",
    type=click.Choice(["auto", "extensive", "decomposed"]),
    default="auto",
    help="All scenarios in one problem, or by cuts (auto: by size).",
)
@click.option("--no-value", is_flag=True, help="Leave out what knowing the scenario, or planning for all of them, is worth.")
@asking
@common
def stochastic(instance: str, scenarios: tuple[str, ...], changes: tuple[str, ...], **given: Any) -> Exit:
    """Make one plan for all scenarios of INSTANCE.

    What is decided before the reveal year is common, the rest adapts. Least expected cost, or a mix of it with CVaR. Says what it costs in
    each scenario, what it would be worth to know the scenario beforehand (EVPI), and what it is worth to plan for all of them (VSS).
    """

    def read() -> Instance:
        from diversify.cli.options import instance_of

        case = instance_of(instance, None, changes)
        if given["sample"] is None:
            return case
        if scenarios:
            raise UsageError("--sample draws scenarios; --scenario names some: give one of both.")
        from diversify.analyses.scenarios import sample

        return sample(case, given["sample"], seed=given["draw_seed"]).instance

    def ask(case: Instance, executor: Executor) -> Answer:
        from diversify.analyses.stochastic import stochastic as find

        options = {name: given[name] for name in ("cvar_weight", "cvar_level", "method", "gap", "time_limit", "seed")}
        return find(case, scenarios=_weights(scenarios), value=not given["no_value"], **options, executor=executor)

    return answered_about(read, given, "one plan for all scenarios", _layout, ask, _page, as_a_solve)


def _weights(scenarios: tuple[str, ...]) -> list[str] | dict[str, float] | None:
    """Return the names of scenarios, or a mapping where they come with weights."""
    if not any("=" in text for text in scenarios):
        return list(scenarios) or None
    found: dict[str, float] = {}
    for text in scenarios:
        name, equals, weight = text.rpartition("=")
        try:
            found[name] = float(weight) if equals else float("nan")
        except ValueError:
            raise UsageError(f"--scenario {text}: {weight!r} is no probability.") from None
        if not equals:
            raise UsageError(f"--scenario {text}: give every scenario a probability, or none.")
    if len(found) < len(scenarios):
        raise UsageError("Name each scenario once.")
    return found


def _layout() -> Layout:
    from diversify.analyses.stochastic import LAYOUT

    return LAYOUT


def _page(answer: Answer) -> Iterable[RenderableType]:
    from diversify.report.stochastic import stochastic_page

    return stochastic_page(answer.summary, answer.tables)
