"""Printing a page: as wide as the terminal, in colour only there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from diversify.cli.outcome import emit, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

_PIPED_WIDTH = 100
_NARROWEST = 60


def print_page(parts: Iterable[RenderableType]) -> None:
    """Write the parts of a page to standard output; plain text where that is no terminal or NO_COLOR is set."""
    from diversify.report.terminal import rendered

    terminal = sys.stdout.isatty()
    width = max(shutil.get_terminal_size((_PIPED_WIDTH, 24)).columns if terminal or "COLUMNS" in os.environ else _PIPED_WIDTH, _NARROWEST)
    emit(rendered(parts, width=width, colour=terminal and not os.environ.get("NO_COLOR")))


def print_line(text: str) -> None:
    """Write one line to standard output as it is, so that paths and commands in it can be copied."""
    emit(plain(text) + "\n")
