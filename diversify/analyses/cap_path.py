"""Moving a cap: which shares it has in every listed year when its last one is moved.

The path keeps its shape: the first listed year's share stays, and every other year keeps its proportion of the way
from there to the last. A cap with one listed year moves as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.network.ground import Floats


@dataclass(frozen=True)
class CapPath:
    """One cap's listed ``years`` and ``shares`` (n,), in order of the years."""

    cap: str
    years: tuple[int, ...]
    shares: Floats

    @classmethod
    def of(cls, instance: Instance, cap: str) -> CapPath:
        """Return the path of a cap; UsageError where the instance has no such cap."""
        table = instance.table("caps")
        rows = table[table["cap"] == cap].sort_values("year")
        if rows.empty:
            known = ", ".join(sorted(set(table["cap"]))) or "none"
            raise UsageError(f"{instance.name} has no cap {cap!r}. Its caps: {known}.")
        return cls(cap, tuple(int(year) for year in rows["year"]), rows["share"].to_numpy(dtype=np.float64))

    @property
    def last(self) -> float:
        """The last listed year's share."""
        return float(self.shares[-1])

    @property
    def way(self) -> Floats:
        """How far each listed year is on the way from the first share to the last (n,): 0 is the first, 1 the last."""
        first, last = self.shares[0], self.shares[-1]
        if len(self.shares) == 1 or first == last:
            return np.ones(len(self.shares))
        return np.asarray((self.shares - first) / (last - first), dtype=np.float64)

    def at(self, share: float) -> Floats:
        """Return every listed year's share when the last is ``share`` (n,), kept between 0 and 1."""
        return np.asarray(np.clip(self.shares[0] + self.way * (share - self.shares[0]), 0.0, 1.0), dtype=np.float64)


def moved(instance: Instance, caps: Sequence[str], share: float) -> Instance:
    """Return the instance with the last share of every one of ``caps`` at ``share``, and their earlier years in proportion.

    Raises UsageError for an unknown cap or a share outside 0 to 1.
    """
    if not 0.0 <= share <= 1.0:
        raise UsageError(f"a share lies between 0 and 1; got {share:g}.")
    return _with_shares(instance, {cap: dict(zip((path := CapPath.of(instance, cap)).years, path.at(share), strict=True)) for cap in caps})


def lifted(instance: Instance, caps: Sequence[str]) -> Instance:
    """Return the instance with every one of ``caps`` at 100 % in all its years: no limit, but its shares are still computed."""
    return _with_shares(instance, {cap: dict.fromkeys(CapPath.of(instance, cap).years, 1.0) for cap in caps})


def _with_shares(instance: Instance, shares: dict[str, dict[int, float]]) -> Instance:
    table = instance.table("caps")
    new = [
        float(shares[cap][int(year)]) if cap in shares else float(share)
        for cap, year, share in zip(table["cap"], table["year"], table["share"], strict=True)
    ]
    return instance.replace(caps=table.assign(share=new))
