"""What the verbs that ask a question share: workers, what is kept between runs, and how an answer is written and shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from diversify.cli.live import watching
from diversify.cli.options import Verb, instance_of, with_options
from diversify.cli.outcome import Exit, as_error, emit_json, say
from diversify.cli.pages import print_page
from diversify.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from diversify.analyses.answer import Answer
    from diversify.analyses.executor import Executor
    from diversify.instance import Instance
    from diversify.result_folder import Layout

Subject = TypeVar("Subject")


def asking(verb: Verb) -> Verb:
    """Add --out, --workers, --scheduler and --no-cache, and the limits of each solve: --gap, --time-limit, --seed."""
    return with_options(
        verb,
        click.option(
            "--out", metavar="DIR", help="Write the answer's tables to this folder: new, empty, or an earlier answer of this verb."
        ),
        click.option(
            "--workers", "--threads", type=click.IntRange(1), metavar="N", help="Processes to solve in, one solver thread each (all cores)."
        ),
        click.option(
            "--scheduler", metavar="ADDRESS", help="Solve on a Dask cluster instead: its scheduler, tcp://HOST:PORT or tls://HOST:PORT."
        ),
        click.option("--no-cache", is_flag=True, help="Solve everything anew; keep nothing for the next run."),
        click.option("--gap", type=float, metavar="SHARE", help="Relative gap at which each solve stops."),
        click.option("--time-limit", type=float, metavar="SECONDS", help="Stop each solve after this long, keeping the best it has (100)."),
        click.option("--seed", type=int, metavar="N", help="Random seed of the solver (0)."),
    )


def done(_answer: Answer) -> Exit:
    """End a verb whose answer is its job."""
    return Exit.DONE


def as_a_solve(answer: Answer) -> Exit:
    """End a verb whose answer is one plan, as ``solve`` would."""
    stopped, holds = answer.summary["stopped"], answer.summary["holds"] == "plan"
    if stopped in ("infeasible", "unbounded"):
        return Exit.NO_PLAN_EXISTS
    if not holds:
        return Exit.STOPPED_HOLDING_NONE
    return Exit.DONE if stopped == "optimal" else Exit.STOPPED_HOLDING_PLAN


def answered(
    source: str,
    given: dict[str, Any],
    label: str,
    layout: Callable[[], Layout],
    ask: Callable[[Instance, Executor], Answer],
    page: Callable[[Answer], Iterable[RenderableType]],
    code: Callable[[Answer], Exit] = done,
) -> Exit:
    """Ask a question about an instance, write the answer where ``--out`` says, and show it; as :func:`answered_about` has it."""
    return answered_about(lambda: instance_of(source, given["scenario"], given["changes"]), given, label, layout, ask, page, code)


def answered_about(
    read: Callable[[], Subject],
    given: dict[str, Any],
    label: str,
    layout: Callable[[], Layout],
    ask: Callable[[Subject, Executor], Answer],
    page: Callable[[Answer], Iterable[RenderableType]],
    code: Callable[[Answer], Exit] = done,
) -> Exit:
    """Ask a question about what ``read`` returns, write the answer where ``--out`` says, and show it.

    ``layout`` and ``page`` are called late, so that their modules are imported only when they are needed; ``code`` says how an answer
    ends the verb. Ctrl-C ends the
    verb with code 5 and says that a second run goes on from there.
    """
    kept = None if given["no_cache"] else cache_folder()
    with watching(quiet=given["quiet"], verbose=given["verbose"]) as live:
        live.stage("reading")
        from diversify.analyses.executor import Executor
        from diversify.result_folder import files_of, refuse_strangers

        subject = read()
        if given["out"] is not None:
            refuse_strangers(Path(os.path.abspath(given["out"])), files_of(layout()))
        live.stage(label)
        try:
            answer = ask(subject, Executor(given["workers"] or os.cpu_count() or 1, kept, live.step, given["scheduler"]))
        except KeyboardInterrupt:
            if kept is not None:
                live.clear()
                say("What is finished is kept; the same command goes on from there.")
            raise
        trouble = _saved(answer, given["out"])
    if given["as_json"]:
        emit_json({**answer.summary, **({"error": as_error(trouble)} if trouble else {})})
    else:
        print_page(page(answer))
        if given["out"] is not None:
            say(str(trouble) if trouble else f"Written to {given['out']}.")
    return Exit.BAD_INPUT if trouble else code(answer)


def cache_folder() -> Path:
    """Return where finished solves are kept between runs: ``DIVERSIFY_CACHE``, else the user's cache folder."""
    named = os.environ.get("DIVERSIFY_CACHE")
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else Path(base or Path.home() / ".cache") / "diversify"


def _saved(answer: Answer, out: str | None) -> UsageError | None:
    if out is None:
        return None
    try:
        answer.save(out)
    except OSError as error:
        return UsageError(f"{out} cannot be written: {error.strerror or error}.")
    except UsageError as error:
        return error
    return None
