"""The live line: one line, only on a terminal, gone at the end."""

from __future__ import annotations

import io
import math
import sys
from typing import Any

import pyomo.core as pyo
import pytest

from diversify.cli.live import in_words, watching
from diversify.planning import Progress

STATE = Progress(seconds=12.3, bound_musd=40_650.0, incumbent_musd=40_837.4, gap=0.0046, nodes=1_200)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: Any, stream: io.StringIO, **options: bool) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("diversify.cli.live._REDRAW_SECONDS", 0.0)
    with watching(**options) as live:
        live.stage("solving")
        live.progress(STATE)
    return stream.getvalue()


def test_on_a_terminal_the_line_is_drawn_over_and_taken_away(monkeypatch: Any) -> None:
    text = drawn(monkeypatch, Terminal(), quiet=False, verbose=False)
    lines = text.split("\r\x1b[2K")
    assert lines == ["", "solving ...", "solving: plan 40,837.4 M USD, bound 40,", ""]
    assert "\n" not in text


@pytest.mark.parametrize(("quiet", "verbose"), [(True, False), (False, True)])
def test_quiet_and_verbose_draw_no_line(monkeypatch: Any, quiet: bool, verbose: bool) -> None:
    assert drawn(monkeypatch, Terminal(), quiet=quiet, verbose=verbose) == ""


def test_no_line_is_drawn_into_a_file(monkeypatch: Any) -> None:
    assert drawn(monkeypatch, io.StringIO(), quiet=False, verbose=False) == ""


def test_the_state_is_told_in_words_and_what_is_not_known_is_not_invented() -> None:
    assert in_words(STATE) == "plan 40,837.4 M USD, bound 40,650.0, gap 0.46 %, 1,200 nodes, 12 s"
    assert in_words(Progress(1.0, -math.inf, math.inf, math.inf, 0)) == "no plan yet, no bound yet, no gap yet, 0 nodes, 1 s"


def test_pyomo_does_not_call_ctrl_c_a_failure_while_it_builds(monkeypatch: Any) -> None:
    def rule(model: Any) -> Any:
        raise wrong

    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    wrong: BaseException
    for wrong, told in ((ZeroDivisionError(), True), (KeyboardInterrupt(), False)):
        stream.truncate(0)
        with watching(quiet=True, verbose=False), pytest.raises(type(wrong)):
            pyo.ConcreteModel().c_row = pyo.Constraint(rule=rule)
        assert ("failed" in stream.getvalue()) is told
