"""Traced origin: which sets of tracing groups a tonne can have touched, and where.

The tracing groups are the distinct ``sources`` of caps with basis ``traced``. A tag is a set of them, kept as a
bit mask; the set of tags that can occur at a place is kept as a bit mask over tags. Only what can occur is built.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.network.ground import NOBODY, Ground, Ints, records
from diversify.network.plants import Plants
from diversify.network.trade import Trade


@dataclass(frozen=True)
class Tags:
    """Tracing groups and the tags that can occur.

    ``touch`` (N,) is the mask of groups that a country is in. ``runs`` lists mode (row of plants.modes) and tag of
    every run that can occur; ``arrivals`` location, commodity and tag that can arrive or lie in stock.
    """

    groups: list[str]
    touch: Ints
    runs: pd.DataFrame
    arrivals: pd.DataFrame

    @classmethod
    def of(cls, ground: Ground, plants: Plants, trade: Trade) -> Tags:
        """Find what can occur by following supply along lanes and through recipes until nothing new appears."""
        groups = tracing_groups(ground)
        touch = np.zeros(len(ground.countries), dtype=np.int64)
        for bit, group in enumerate(groups):
            touch |= np.where(ground.select(group), 1 << bit, 0)
        reach = _Reach(ground, plants, trade, touch)
        reach.settle()
        runs = pd.DataFrame([(mode, tag) for mode, tags in reach.runs.items() for tag in _members(tags)], columns=["mode", "tag"])
        arrivals = pd.DataFrame(
            [(place, commodity, tag) for (place, commodity), tags in reach.use.items() for tag in _members(tags)],
            columns=["location", "commodity", "tag"],
        )
        return cls(
            groups,
            touch,
            runs.astype(np.int64).sort_values(["mode", "tag"], ignore_index=True),
            arrivals.astype(np.int64).sort_values(["location", "commodity", "tag"], ignore_index=True),
        )

    @property
    def names(self) -> list[str]:
        """Name of every tag by its mask: sorted groups joined by ``+``, empty for none."""
        return ["+".join(group for bit, group in enumerate(self.groups) if mask >> bit & 1) for mask in range(1 << len(self.groups))]

    def touched_by(self, country: Ints) -> Ints:
        """Return the masks of groups that hold each country; 0 where the country is blank."""
        return np.where(country == NOBODY, 0, self.touch[country])


def tracing_groups(ground: Ground) -> list[str]:
    """Return the distinct ``sources`` of traced caps, sorted."""
    caps = ground.instance.table("caps")
    return sorted({str(source) for source in caps.loc[caps["basis"] == "traced", "sources"]})


def _members(tags: int) -> list[int]:
    return [tag for tag in range(tags.bit_length()) if tags >> tag & 1]


def _joined(left: int, right: int) -> int:
    """Return the set of unions of one tag from each of two sets of tags."""
    result = 0
    for a in _members(left):
        for b in _members(right):
            result |= 1 << (a | b)
    return result


class _Reach:
    """The fixpoint: sets of tags at supply sides, at use sides and of runs, growing until they settle."""

    def __init__(self, ground: Ground, plants: Plants, trade: Trade, touch: Ints) -> None:
        self.supply: dict[tuple[int, int], int] = defaultdict(int)
        self.use: dict[tuple[int, int], int] = defaultdict(int)
        self.runs: dict[int, int] = {}
        self._traced = ground.traced
        self._lanes = list(trade.lanes[["origin", "destination", "commodity"]].itertuples(index=False, name=None))
        self._modes = _mode_recipes(ground, plants, touch)
        stock = ground.instance.table("stockpiles")
        origins = ground.countries.codes(stock["origin"])
        for place, commodity, origin in zip(
            ground.locations.codes(stock["location"]), ground.commodities.codes(stock["commodity"]), origins, strict=True
        ):
            self.use[place, commodity] |= 1 << self._touch_of(touch, origin, commodity)
        for row in records(trade.returns):
            self.supply[row["location"], row["scrap"]] |= 1 << self._touch_of(touch, row["origin"], row["scrap"])

    def _touch_of(self, touch: Ints, country: int, commodity: int) -> int:
        return int(touch[country]) if country != NOBODY and self._traced[commodity] else 0

    def settle(self) -> None:
        """Repeat shipping and running until no set grows."""
        while self._ship() | self._run():
            pass

    def _ship(self) -> bool:
        grew = False
        for origin, destination, commodity in self._lanes:
            tags = self.supply.get((origin, commodity), 0)
            if tags & ~self.use[destination, commodity]:
                self.use[destination, commodity] |= tags
                grew = True
        return grew

    def _run(self) -> bool:
        grew = False
        for mode, (place, mask, inputs, outputs) in self._modes.items():
            tags = 1
            for commodity in inputs:
                arrived = self.use.get((place, commodity), 0)
                tags = _joined(tags, arrived if self._traced[commodity] else int(arrived != 0))
            if tags == self.runs.get(mode, 0):
                continue
            grew = True
            self.runs[mode] = tags
            made = _joined(tags, 1 << mask)
            for commodity in outputs:
                self.supply[place, commodity] |= made if self._traced[commodity] else 1
        return grew


def _mode_recipes(ground: Ground, plants: Plants, touch: Ints) -> dict[int, tuple[int, int, list[int], list[int]]]:
    """Return location, mask of the plant's groups, inputs and outputs of every mode that can ever run."""
    inputs: dict[int, list[int]] = defaultdict(list)
    outputs: dict[int, list[int]] = defaultdict(list)
    for line in records(ground.recipes):
        (inputs if line["amount"] < 0 else outputs)[line["process"]].append(line["commodity"])
    facilities = plants.facilities
    mask = touch[facilities["country"]] | touch[facilities["owner"]] if len(facilities) else np.empty(0, dtype=np.int64)
    location = facilities["location"].to_numpy()
    ever = plants.ever_active
    return {
        position: (int(location[facility]), int(mask[facility]), inputs[process], outputs[process])
        for position, (facility, process) in enumerate(zip(plants.modes["facility"], plants.modes["process"], strict=True))
        if ever[facility]
    }
