"""The grammar of changes, which scenarios and ``--set`` share.

``table[column=value,...].column=value`` sets a cell in every row that matches, ``+table[...]`` adds a row,
``-table[...]`` deletes the rows that match, ``instance.key=value`` sets a key. A value is literal, or ``x1.2``,
``plus 5``, ``minus 5`` (of what stands there) or ``default`` (blank). Values with ``,`` ``]`` or ``=`` stand in double
quotes, in which a double quote is written twice; a quoted value is always literal. An empty value is a blank.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from diversify.instance.cells import UnfitCell

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHAPES = "Write table[column=value].column=value, +table[column=value,...], -table[column=value] or instance.key=value."


@dataclass(frozen=True, slots=True)
class Value:
    """A value as written; ``quoted`` ones are literal whatever they look like."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One change. ``cells`` select rows (set, delete) or fill one (add); ``column`` is the column or key that is set."""

    kind: Literal["set", "add", "delete", "key"]
    table: str
    cells: tuple[tuple[str, Value], ...] = ()
    column: str = ""
    value: Value = Value("")


def bad_change(message: str, remedy: str = _SHAPES) -> UnfitCell:
    """Return the fault of a change that cannot be read."""
    return UnfitCell("bad_change", message, remedy)


def parse_change(text: str) -> Change:
    """Return a change read from its text; raises UnfitCell (code ``bad_change``)."""
    reader = _Reader(text)
    sign = reader.take("+") or reader.take("-")
    table = reader.name("the name of a table")
    if table == "instance" and not sign:
        reader.expect(".")
        key = reader.name("a key")
        while reader.take("."):
            key += "." + reader.name("a key")
        reader.expect("=")
        return Change("key", "instance", column=key, value=reader.last_value())
    reader.expect("[")
    cells = reader.cells()
    if sign:
        reader.end()
        return Change("add" if sign == "+" else "delete", table, cells)
    reader.expect(".")
    column = reader.name("the name of a column")
    reader.expect("=")
    return Change("set", table, cells, column, reader.last_value())


def written(change: Change) -> str:
    """Return a change as text that reads back as the same change."""
    if change.kind == "key":
        return f"instance.{change.column}={_written(change.value)}"
    sign = {"add": "+", "delete": "-"}.get(change.kind, "")
    cells = ",".join(f"{column}={_written(value)}" for column, value in change.cells)
    return f"{sign}{change.table}[{cells}]" + (f".{change.column}={_written(change.value)}" if change.kind == "set" else "")


def _written(value: Value) -> str:
    plain = value.text == value.text.strip() and not any(sign in value.text for sign in ',]="')
    if plain and not value.quoted:
        return value.text
    return '"' + value.text.replace('"', '""') + '"'


class _Reader:
    """Reads a change from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def _skip_blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def take(self, sign: str) -> str:
        self._skip_blanks()
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return sign
        return ""

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            found = self.text[self.at : self.at + 12]
            raise bad_change(f"{self.text!r} needs {sign!r} " + (f"where {found!r} stands." if found else "at its end."))

    def name(self, what: str) -> str:
        self._skip_blanks()
        match = _NAME.match(self.text, self.at)
        if match is None:
            raise bad_change(f"{self.text!r} lacks {what}.")
        self.at = match.end()
        return match.group()

    def end(self) -> None:
        self._skip_blanks()
        if self.at < len(self.text):
            raise bad_change(f"{self.text!r} goes on after its end with {self.text[self.at :]!r}.")

    def cells(self) -> tuple[tuple[str, Value], ...]:
        found: dict[str, Value] = {}
        while not self.take("]"):
            if found:
                self.expect(",")
            column = self.name("a column, or the closing ]")
            if column in found:
                raise bad_change(f"{self.text!r} names the column {column!r} twice in its brackets.")
            self.expect("=")
            found[column] = self._value(",]")
        return tuple(found.items())

    def last_value(self) -> Value:
        value = self._value("")
        self.end()
        return value

    def _value(self, closing: str) -> Value:
        self._skip_blanks()
        if self.text.startswith('"', self.at):
            return self._quoted()
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in closing:
            if self.text[self.at] in ',]="':
                raise bad_change(f"{self.text!r} has {self.text[self.at]!r} inside a value.", "Put the value in double quotes.")
            self.at += 1
        if closing and self.at == len(self.text):
            raise bad_change(f"{self.text!r} lacks the closing ].")
        return Value(self.text[start : self.at].strip())

    def _quoted(self) -> Value:
        parts = []
        while self.text.startswith('"', self.at):
            closing = self.text.find('"', self.at + 1)
            if closing < 0:
                raise bad_change(f"{self.text!r} lacks a closing double quote.")
            parts.append(self.text[self.at + 1 : closing])
            self.at = closing + 1
        return Value('"'.join(parts), quoted=True)
