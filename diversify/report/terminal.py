"""Terminal pages: quiet tables and sentences that stay plain text, whatever the data call themselves.

Names are data. They are shown as they are written, never as markup, and control characters in them are spelt out.
"""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from rich.box import Box
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

MOST_ROWS = 60
"""Rows of a list that are shown; the rest is counted and left to the CSV file."""

_BOX = Box("    \n    \n -- \n    \n    \n -- \n    \n    \n", ascii=True)
"""No lines but one of dashes under the header and one above the total; a blank between columns."""

_CONTROL = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def shown(text: object) -> Text:
    """Return a name or a sentence as text to show: markup is not read, control and direction characters are spelt out."""
    return Text("".join(_spelt(letter) for letter in str(text)))


def _spelt(letter: str) -> str:
    if unicodedata.category(letter) not in _CONTROL:
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def heading(text: str) -> Text:
    """Return the line above a table."""
    line = shown(text)
    line.stylize("bold")
    return line


def number(value: Any, decimals: int = 0) -> str:
    """Return a number with thousands separated; more decimals where it would else read 0, blank for none."""
    if value is None or pd.isna(value):
        return ""
    figure = float(value)
    rounded = round(figure, decimals)
    if rounded == 0.0:
        return f"{figure:.2g}" if abs(figure) > 1e-6 else "0"
    return f"{rounded:,.{decimals}f}"


def amount(value: Any, figures: int = 3) -> str:
    """Return tonnes or million USD, whole where that shows the figures wanted, else with up to two decimals; blank for none."""
    if value is None or pd.isna(value):
        return ""
    size = abs(float(value))
    decimals = figures - 1 - math.floor(math.log10(size) + 1e-12) if size else 0
    return number(value, min(max(decimals, 0), 2))


def musd(value: Any) -> str:
    """Return money in a sentence, to four figures."""
    return f"{amount(value, 4)} million USD"


def percent(share: Any, decimals: int = 1) -> str:
    """Return a fraction in per cent, without the sign; blank for none."""
    return "" if share is None or pd.isna(share) else f"{100.0 * float(share):.{decimals}f}"


def grid(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    left: Sequence[str] = (),
    title: str = "",
    total: Sequence[object] = (),
    rest: str = "",
    most: int = MOST_ROWS,
    block: bool = False,
) -> RenderableType:
    """Return a table. Columns named in ``left`` hold text that folds; the others hold figures, set to the right.

    ``total`` is a last row; ``rest`` says where rows beyond the first ``most`` are to be found. The title of a
    ``block``, which stands beside others, folds to the width of its table.
    """
    table = Table(box=_BOX, show_edge=False, pad_edge=False, padding=0, show_footer=bool(total))
    if block:
        table.title, table.title_style, table.title_justify = shown(title), "bold", "left"
    listed = list(rows)
    cells = [[cell if isinstance(cell, Text) else shown("" if cell is None else cell) for cell in row] for row in listed[:most]]
    footer = [shown(cell) for cell in [*total, *[""] * (len(columns) - len(total))]]
    for position, (name, last) in enumerate(zip(columns, footer, strict=True)):
        widest = max((row[position].cell_len for row in [*cells, footer]), default=0)
        if name in left:
            table.add_column(Text(name), last, overflow="fold", header_style="bold", footer_style="bold")
        else:  # a figure is never cut: its column is as wide as it must be
            table.add_column(Text(name), last, justify="right", min_width=widest, no_wrap=True, header_style="bold", footer_style="bold")
    for row in cells:
        table.add_row(*row)
    left_out = len(listed) - most
    note = [shown(f"... and {left_out} more{f' (see {rest})' if rest else ''}")] if left_out > 0 else []
    return Group(*([heading(title)] if title and not block else []), table, *note)


def stacked(parts: Sequence[RenderableType]) -> RenderableType:
    """Return parts one below the other, without a blank line between them."""
    return Group(*parts)


def side_by_side(parts: Sequence[RenderableType]) -> RenderableType:
    """Return parts beside each other, as many as the width takes."""
    return Columns(parts, padding=(0, 2, 1, 0))


def rendered(parts: Iterable[RenderableType], *, width: int, colour: bool = False) -> str:
    """Return parts as text of at most ``width`` columns, one blank line between them; escape sequences only with ``colour``."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    return "\n".join(_printed(console, part) for part in parts)


def _printed(console: Console, part: RenderableType) -> str:
    with console.capture() as captured:
        console.print(part, crop=False)
    lines = [line.rstrip() for line in captured.get().split("\n")]
    return "\n".join(lines).rstrip("\n") + "\n"
