"""What is seen while a verb works: one live line on a terminal, log lines where asked, all on standard error."""

from __future__ import annotations

import logging
import math
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diversify.analyses.executor import Step
    from diversify.solve import Progress

_REDRAW_SECONDS = 0.2


class Live:
    """One line on standard error that is drawn over; silent where standard error is no terminal."""

    def __init__(self, shown: bool) -> None:
        """Draw only if ``shown``."""
        self.shown = shown
        self.label = ""
        self._drawn = 0.0

    def stage(self, label: str) -> None:
        """Say what is being done now."""
        self.label = label
        self._draw(f"{label} ...")

    def progress(self, state: Progress) -> None:
        """Show where the solve stands."""
        if time.monotonic() - self._drawn >= _REDRAW_SECONDS:
            self._draw(f"{self.label}: {in_words(state)}")

    def step(self, step: Step) -> None:
        """Show how far a sweep is."""
        reused = f", {step.reused} of them found before" if step.reused else ""
        self._draw(f"{self.label}: {step.done} of {step.total} done{reused}; last: {step.name}")

    def clear(self) -> None:
        """Take the line away."""
        self._draw("")

    def _draw(self, text: str) -> None:
        if not self.shown:
            return
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\x1b[2K{text[:width]}")
        sys.stderr.flush()
        self._drawn = time.monotonic()


def in_words(state: Progress) -> str:
    """Return the state of a solve in one line: plan and bound in million USD, gap, nodes, seconds."""
    plan = f"plan {state.incumbent_musd:,.1f} M USD" if math.isfinite(state.incumbent_musd) else "no plan yet"
    bound = f"bound {state.bound_musd:,.1f}" if math.isfinite(state.bound_musd) else "no bound yet"
    gap = f"gap {100 * state.gap:.2f} %" if math.isfinite(state.gap) and math.isfinite(state.incumbent_musd) else "no gap yet"
    return f"{plan}, {bound}, {gap}, {state.nodes:,} nodes, {state.seconds:.0f} s"


@contextmanager
def watching(*, quiet: bool, verbose: bool) -> Iterator[Live]:
    """Yield the live line; with ``verbose`` log lines go to standard error instead.

    The handler sits on the root logger, so that Pyomo's warnings too go to standard error, and is taken off again.
    """
    live = Live(sys.stderr.isatty() and not quiet and not verbose)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    # Pyomo takes Ctrl-C while it builds for a mistake in a rule and says so; the command says it better.
    handler.addFilter(lambda record: "KeyboardInterrupt" not in record.getMessage())
    root, own = logging.getLogger(), logging.getLogger("diversify")
    level = own.level
    root.addHandler(handler)
    own.setLevel(logging.INFO if verbose else logging.WARNING)
    try:
        yield live
    finally:
        live.clear()
        root.removeHandler(handler)
        own.setLevel(level)
