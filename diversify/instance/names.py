"""Suggesting the name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to ``name``, None where none is close."""
    by_folded = {candidate.casefold().strip(): candidate for candidate in known}
    wanted = name.casefold().strip()
    longer = [candidate for candidate in by_folded if len(wanted) >= 4 and candidate.startswith(wanted)]
    found = longer if len(longer) == 1 else difflib.get_close_matches(wanted, by_folded, n=1, cutoff=0.55)
    return by_folded[found[0]] if found else None


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` (with its leading blank), or nothing where no name is close."""
    found = nearest_name(name, known)
    return f" Did you mean {found!r}?" if found else ""
