"""The house stays as it is meant to be: imports, sizes, names, docstrings, a light start."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "diversify"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FUNCTION = 45
LONGEST_MODULE = 400
DATA_MODULES = {"schema.py"}
"""Modules that are one table of data; they are as long as the format has columns."""
HEAVY = ("pyomo", "pandas", "scipy", "highspy", "numpy", "distributed", "dask")
VAGUE = {"utils", "util", "common", "helpers", "helper", "misc", "tools", "stuff"}


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _tracked() -> list[Path]:
    """Return the text files of the project: what the repository tracks or would, or all where there is none."""
    listed = _run("git", "ls-files", "--cached", "--others", "--exclude-standard") if shutil.which("git") else None
    if listed is not None and listed.returncode == 0 and listed.stdout:
        files = [ROOT / line for line in listed.stdout.splitlines()]
    else:
        files = [path for folder in ("diversify", "tests", "models", "instances", "benchmarks") for path in (ROOT / folder).rglob("*")]
    kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".csv", ".txt", ".sh", ".html", ".css", ".js", ""}
    return [path for path in files if path.is_file() and path.suffix in kinds]


def test_imports_keep_the_contracts() -> None:
    pytest.importorskip("importlinter", reason="import-linter belongs to the extra dev")
    result = _run(sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("start", ["import diversify", "import diversify; dir(diversify); diversify.InstanceError; diversify.UsageError"])
def test_importing_the_package_loads_nothing_heavy(start: str) -> None:
    loaded = _run(sys.executable, "-c", f"{start}; import sys; print(*sorted(name.split('.')[0] for name in sys.modules))")
    assert loaded.returncode == 0, loaded.stderr
    assert not set(HEAVY) & set(loaded.stdout.split())


def test_every_public_name_can_be_had_in_any_order() -> None:
    """Also after the subpackages of the same names have been imported, which must not take the functions' place."""
    program = """
import diversify as dv
import diversify.audit, diversify.solve, diversify.planning
for name in dv.__all__:
    assert callable(getattr(dv, name)), name
dv.solve; dv.audit
import diversify.solve.highs
assert callable(dv.solve) and callable(dv.audit)
"""
    result = _run(sys.executable, "-c", program)
    assert result.returncode == 0, result.stderr


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its docstring, which may argue at length."""
    documented = ast.get_docstring(node) is not None
    words = (node.body[0].end_lineno or 0) - node.body[0].lineno + 1 if documented else 0
    return (node.end_lineno or 0) - node.lineno + 1 - words


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_functions_fit_on_a_screen_and_modules_stay_short(path: Path) -> None:
    assert {node.name: _length(node) for node in _functions(path) if _length(node) > LONGEST_FUNCTION} == {}
    assert path.name in DATA_MODULES or len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


def test_no_module_has_a_vague_name() -> None:
    assert [_name(path) for path in PACKAGE.rglob("*") if path.stem.lower().strip("_") in VAGUE] == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_what_is_public_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    silent = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            members = node.body if isinstance(node, ast.ClassDef) else []
            methods = [part for part in members if isinstance(part, ast.FunctionDef) and not part.name.startswith("_")]
            silent += [part.name for part in (node, *methods) if not ast.get_docstring(part)]
    assert silent == []


def _swallows(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler takes whatever comes and does not pass it on."""
    everything = handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException"))
    return everything and not isinstance(handler.body[-1], ast.Raise)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_nothing_is_left_half_done_or_swallowed(path: Path) -> None:
    """The command line alone may catch what it did not foresee, to end with its exit code."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text)
    handlers = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ExceptHandler)]
    assert "cli" in path.parts or not any(map(_swallows, handlers))


@pytest.mark.parametrize("path", [path for path in MODULES if not {"cli", "report"} & set(path.parts)], ids=_name)
def test_the_library_prints_nothing(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    assert not any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls)


def test_the_tree_holds_no_paths_of_a_machine() -> None:
    """A path of somebody's machine works nowhere else, and a shared folder beside the project does not travel with it."""
    foreign = re.compile(r"(?<![\w.])/(home|Users|root|work|tmp|mnt|opt)/\w|\.\./shared|[A-Z]:\\\\Users")
    this = Path(__file__).resolve()
    found = []
    for path in _tracked():
        if path.resolve() != this:
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{_name(path)}: {match[0]}" for match in foreign.finditer(text)]
    assert found == []
