"""The instances and chains that come with the package, installed or in a source tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from diversify.errors import UsageError
from diversify.instance.names import nearest
from diversify.schema import SAFE_NAME

_PACKAGE = Path(__file__).resolve().parent.parent


def bundled_roots() -> list[Path]:
    """Return the folders that hold ``instances`` and ``models``: inside an installed package, beside it in a source tree."""
    inside, beside = _PACKAGE / "bundled", _PACKAGE.parent
    if inside.is_dir():
        return [inside]
    return [beside] if (beside / "pyproject.toml").is_file() else []


def _folders(kind: str, mark: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for root in bundled_roots():
        if (root / kind).is_dir():
            for path in sorted((root / kind).iterdir()):
                if (path / mark).is_file() and SAFE_NAME.match(path.name):
                    found.setdefault(path.name, path)
    return found


def bundled_instances() -> dict[str, Path]:
    """Return the folder of every bundled instance by name."""
    return _folders("instances", "instance.yaml")


def bundled_chains() -> dict[str, Path]:
    """Return the folder of every bundled chain by name."""
    return _folders("models", "recipes.csv")


def resolve_source(source: Path | str) -> Path | str:
    """Return where an instance is to be read: ``-``, a path, or the folder of a bundled name.

    A plain name means a folder here that holds an ``instance.yaml``, else the bundled instance of that name.
    Raises UsageError where there is neither.
    """
    text = str(source)
    path = Path(source)
    if text == "-" or path.is_file() or (path / "instance.yaml").is_file():
        return source
    if SAFE_NAME.match(text):
        known = bundled_instances()
        if text in known:
            return known[text]
        if not path.exists():
            names = f" Bundled: {', '.join(known)}." if known else ""
            raise UsageError(f"There is no instance {text!r}.{nearest(text, known)}{names}")
    return source


def find_chain(name: str, folder: Path | None) -> Path | None:
    """Return the folder of a chain: under ``models`` in the instance's folder or beside it, else bundled; None where it is not found."""
    near = _near_models(folder) if folder is not None else iter(())
    return next((path / name for path in near if (path / name).is_dir()), bundled_chains().get(name))


def _near_models(folder: Path) -> Iterator[Path]:
    here = folder.resolve()
    yield here / "models"
    yield here.parent / "models"
    if here.parent.name == "instances":
        yield here.parent.parent / "models"
