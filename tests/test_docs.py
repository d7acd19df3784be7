"""The pages about the questions speak of the commands, options and functions that there are."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from pathlib import Path

import click
import pytest

import diversify as dv
from diversify.cli import command

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted((DOCS / "questions").glob("*.md"))
LINKED = sorted(page for folder in ("instances", "models") for page in (DOCS.parent / folder).rglob("*.md"))
ALL_PAGES = [*PAGES, *sorted(DOCS.glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def commands(page: Path) -> list[list[str]]:
    """Return the command lines of a page, a synopsis's brackets taken off."""
    texts = [text for language in ("", "bash") for text in blocks(page, language)]
    lines = [
        line.removeprefix("$ ") for text in texts for line in text.replace("\\\n", " ").splitlines() if re.match(r"(\$ )?diversify ", line)
    ]
    return [shlex.split(re.sub(r"[\[\]](?=-|\s|$)|(?<=\s)\[", "", line), comments=True) for line in lines]


def test_every_question_has_a_page_and_every_page_shows_its_command() -> None:
    assert len(PAGES) == 13
    for page in PAGES:
        assert page.stem in command.commands
        assert any(words[1] == page.stem for words in commands(page)), page.name


@pytest.mark.parametrize("page", ALL_PAGES, ids=[page.stem for page in ALL_PAGES])
def test_commands_have_only_options_that_there_are(page: Path) -> None:
    for _, verb, *words in commands(page):
        known = {name for option in command.commands[verb].params if isinstance(option, click.Option) for name in option.opts}
        asked = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert asked <= known, (verb, asked - known)


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_snippets_call_functions_as_they_are(page: Path) -> None:
    calls = [
        node
        for text in blocks(page, "python")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "dv"
    ]
    for call in calls:
        assert isinstance(call.func, ast.Attribute)
        inspect.signature(getattr(dv, call.func.attr)).bind(*call.args, **{str(word.arg): word.value for word in call.keywords})


@pytest.mark.parametrize("page", [*ALL_PAGES, *LINKED], ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert link.startswith("http") or (page.parent / link).exists(), link
