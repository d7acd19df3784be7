"""Options that several verbs share, and what they mean for an instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from diversify.instance import Instance

Verb = TypeVar("Verb", bound=Callable[..., Any])

INSTANCE_HELP = "INSTANCE is a folder, an .xlsx, a .json, - (JSON on standard input) or the name of a bundled instance."


def common(verb: Verb) -> Verb:
    """Add --json, --quiet and --verbose."""
    return with_options(
        verb,
        click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output and nothing else, errors too."),
        click.option("--quiet", is_flag=True, help="No progress on standard error."),
        click.option("--verbose", is_flag=True, help="Log on standard error: sizes, coefficient ranges, the solver's own log."),
    )


def changing(verb: Verb) -> Verb:
    """Add --scenario and --set."""
    return with_options(
        verb,
        click.option("--scenario", metavar="NAME", help="Plan under this scenario of the instance."),
        click.option(
            "--set",
            "changes",
            metavar="CHANGE",
            multiple=True,
            help="Change the data, after the scenario; repeatable. Example: 'caps[cap=magnets].share=0.2'.",
        ),
    )


def solving(verb: Verb) -> Verb:
    """Add the options of a solve; what is not given is the instance's own, else the default."""
    return with_options(
        verb,
        click.option("--gap", type=float, metavar="SHARE", help="Relative gap at which to stop (0.01)."),
        click.option("--time-limit", type=float, metavar="SECONDS", help="Stop after this long, keeping the best plan (100)."),
        click.option("--threads", type=int, metavar="N", help="Threads of the solver (0: it decides)."),
        click.option("--seed", type=int, metavar="N", help="Random seed of the solver (0)."),
        click.option("--solver", default="highs", metavar="NAME", help="highs, or any Pyomo solver that is installed.", show_default=True),
    )


def with_options(verb: Verb, *decorators: Callable[[Verb], Verb]) -> Verb:
    """Apply decorators from the last to the first, so that help lists their options in the order written."""
    for decorate in reversed(decorators):
        verb = decorate(verb)
    return verb


def instance_of(source: str, scenario: str | None, changes: tuple[str, ...]) -> Instance:
    """Return the instance with the scenario's and the given changes made."""
    from diversify.instance import load

    instance = load(source)
    if scenario is not None:
        instance = instance.scenario(scenario)
    return instance.set(*changes) if changes else instance
