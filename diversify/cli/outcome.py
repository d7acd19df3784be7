"""How every verb ends: exit codes, errors in words or as JSON, and output that survives a closed pipe."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

import click

from diversify.errors import DiversifyError, InstanceError, Problem, SolverError


class Exit(IntEnum):
    """Exit codes of the command."""

    DONE = 0
    INTERNAL = 1
    BAD_INPUT = 2
    NO_PLAN_EXISTS = 3
    STOPPED_HOLDING_PLAN = 4
    STOPPED_HOLDING_NONE = 5
    AUDIT_FAILED = 6


EXIT_CODES = """\b
Exit codes:
  0  a plan within the gap, or the verb's job done
  1  internal error
  2  bad usage or bad data
  3  infeasible or unbounded
  4  stopped by a limit or Ctrl-C (or by numerical trouble), holding a plan
  5  stopped holding none
  6  the audit failed
"""


class Verbs(click.Group):
    """The group of verbs: turns what a verb returns or raises into an exit code and one message."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a verb and exit with its code."""
        given = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(given, prog_name or "diversify", complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            code = _report(_usage(error), Exit.BAD_INPUT, given)
        except (click.Abort, KeyboardInterrupt):
            code = _report({"code": "interrupted", "message": "Stopped by Ctrl-C."}, Exit.STOPPED_HOLDING_NONE, given)
        except SolverError as error:
            code = _report(as_error(error), Exit.STOPPED_HOLDING_NONE, given)
        except DiversifyError as error:
            code = _report(as_error(error), Exit.BAD_INPUT, given)
        except Exception as error:  # the one place where a fault of the program itself becomes an exit code
            code = _report(_internal(error, given), Exit.INTERNAL, given)
        sys.exit(int(code or Exit.DONE))


def as_error(error: DiversifyError) -> dict[str, Any]:
    """Return an error as the object under the key ``error`` of the JSON output."""
    found: dict[str, Any] = {"code": error.code, "message": str(error)}
    if isinstance(error, InstanceError):
        count = len(error.problems)
        found["message"] = f"{count} problem{'s' if count != 1 else ''} in the data"
        found["problems"] = [problem.as_dict() for problem in error.problems]
    return found


def _usage(error: click.ClickException) -> dict[str, Any]:
    context = getattr(error, "ctx", None)
    hint = f"\nTry '{context.command_path} --help'." if context is not None else ""
    return {"code": "usage", "message": f"{error.format_message()}{hint}"}


def _internal(error: Exception, given: Sequence[str]) -> dict[str, Any]:
    if "--verbose" in given:
        traceback.print_exc(file=sys.stderr)
        hint = ""
    else:
        hint = " Run it again with --verbose to see where."
    return {"code": "internal", "message": f"Internal error: {type(error).__name__}: {error}.{hint}"}


def _report(error: Mapping[str, Any], code: Exit, given: Sequence[str]) -> Exit:
    """Say an error: one JSON object on standard output where --json was given, else words on standard error."""
    if "--json" in given:
        emit_json({"error": error})
    else:
        say(error["message"])
        for problem in error.get("problems", ()):
            say(f"  {Problem(**problem)}")
    return code


def say(text: str) -> None:
    """Write a line to standard error; control characters in it are spelt out."""
    click.echo("\n".join(plain(line) for line in text.split("\n")), err=True)


def plain(text: str) -> str:
    """Return a line in which control characters are spelt out."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode() for letter in text)


def emit_json(value: Mapping[str, Any]) -> None:
    """Write one JSON object to standard output, in ASCII."""
    emit(json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n")


def emit(text: str) -> None:
    """Write to standard output. A reader that has gone away is no error; what the encoding lacks is spelt out."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
