"""The instances and chains that come with the package, installed or in a source tree."""

from __future__ import annotations

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
    try:
        path = Path(source)
        if text == "-" or path.is_file() or (path / "instance.yaml").is_file():
            return source
        known = bundled_instances()
        if text in known:
            return known[text]
        if path.exists():
            return source
    except OSError as error:  # a text that is too long for a path, for one
        raise UsageError(f"{text[:80]!r} is not an instance: {error.strerror}.") from error
    names = f" Bundled: {', '.join(known)}." if known else ""
    raise UsageError(
        f"There is no instance {text!r}.{nearest(text, known)} Give a folder, an .xlsx or a .json file, - or a bundled name.{names}"
    )


def find_chain(name: str, folder: Path | None) -> Path | None:
    """Return the folder of a chain: under ``models`` in the instance or beside its ``instances``, else bundled; None if nowhere."""
    near = []
    if folder is not None:
        here = folder.resolve()
        near = [here / "models" / name, *([here.parent.parent / "models" / name] if here.parent.name == "instances" else [])]
    return next((path for path in near if path.is_dir()), bundled_chains().get(name))
