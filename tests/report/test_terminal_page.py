"""Terminal pages: text is text, figures are never cut, nothing is wider than asked for."""

from __future__ import annotations

import pytest

from diversify.report.terminal import amount, grid, number, percent, rendered, shown, side_by_side


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("[red]x[/red]", "[red]x[/red]"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("two\nlines\ttab\rback\b", r"two\x0alines\x09tab\x0dback\x08"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("\u2028line", r"\u2028line"),
        (":boom: Rož, 東京", ":boom: Rož, 東京"),
    ],
)
def test_names_are_shown_as_they_are_written(name: str, text: str) -> None:
    assert shown(name).plain == text
    assert rendered([shown(name)], width=80) == text + "\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((None, ""), (float("nan"), ""), (0, "0")),
        *((0.004, "0.004"), (0.05, "0.05"), (9.876, "9.88"), (45.67, "45.7"), (1234.5, "1,234"), (-0.3, "-0.30")),
    ],
)
def test_amounts_keep_three_figures_and_never_read_0_for_something(value: float | None, text: str) -> None:
    assert amount(value) == text


def test_numbers_and_shares() -> None:
    assert (number(1234567.8), number(0.5, 2), number(None)) == ("1,234,568", "0.50", "")
    assert (percent(0.1234), percent(0.0), percent(None), percent(1.0, 0)) == ("12.3", "0.0", "", "100")


ROWS = [(f"a place with quite a long name {n}", 1_234_567 + n) for n in range(70)]


def test_long_lists_are_cut_and_say_where_the_rest_is() -> None:
    page = rendered([grid(("Place", "t"), ROWS, left=("Place",), title="Tonnes", rest="builds.csv")], width=80)
    assert page.count("a place with") == 60
    assert "... and 10 more (see builds.csv)" in page
    assert "more" not in rendered([grid(("Place", "t"), ROWS[:60], left=("Place",))], width=80)


def test_figures_are_never_cut_however_narrow_the_page() -> None:
    page = rendered([grid(("Place", "t"), ROWS[:3], left=("Place",))], width=20)
    for _, figure in ROWS[:3]:
        assert str(figure) in page


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_page(width: int) -> None:
    table = grid(("Place", "t"), ROWS, left=("Place",), title="A title " * 20, total=("Total", 1))
    lines = rendered([table, shown("word " * 100), side_by_side([table, table])], width=width).split("\n")
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)


def test_escape_sequences_come_only_with_colour() -> None:
    table = grid(("Place", "t"), ROWS[:1], left=("Place",), title="Tonnes")
    assert "\x1b" not in rendered([table], width=80)
    assert "\x1b" in rendered([table], width=80, colour=True)
