"""An instance as sparse index frames and coefficients, every default resolved. Knows no solver."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from diversify.instance import Instance
from diversify.network.cells import Cells
from diversify.network.ground import Floats, Ground
from diversify.network.plants import Plants
from diversify.network.policy import Policy
from diversify.network.tags import Tags
from diversify.network.trade import Trade

__all__ = ["Network"]


@dataclass(frozen=True)
class Network:
    """The planning case as the model sees it: see the parts for what each frame holds.

    ``ground`` labels, years, countries, commodities; ``plants`` capacity and projects; ``trade`` makers, users, lanes;
    ``tags`` traced origin; ``cells`` the index frames of runs, flows and balances; ``policy`` caps, floors, budgets,
    contracts and restrictions.
    """

    ground: Ground
    plants: Plants
    trade: Trade
    tags: Tags
    cells: Cells
    policy: Policy

    @classmethod
    def of(cls, instance: Instance) -> Network:
        """Resolve an instance, which must have passed its checks."""
        ground = Ground(instance)
        plants = Plants.of(ground)
        trade = Trade.of(ground, plants)
        tags = Tags.of(ground, plants, trade)
        cells = Cells.of(ground, plants, trade, tags)
        policy = Policy.of(ground, plants, trade, tags, cells)
        return cls(ground, plants, trade, tags, cells, policy)

    @cached_property
    def scale(self) -> Floats:
        """Typical annual quantity of each commodity (C,), a power of two in tonnes.

        The geometric mean of the demands and plant capacities that handle the commodity; the solver sees quantities in
        this unit, so that ten tonnes of one commodity stand beside a million of another on equal terms.
        """
        logs: list[list[float]] = [[] for _ in range(len(self.ground.commodities))]
        for commodity, quantity in zip(self.cells.demand["commodity"], self.cells.demand["quantity"], strict=True):
            logs[commodity].append(float(np.log2(quantity)))
        largest = self.plants.standing.max(axis=1, initial=0.0)
        added = self.plants.projects["units_max"] * self.plants.projects["size"]
        largest = np.maximum(largest, added.groupby(self.plants.projects["facility"]).sum().reindex(range(len(largest)), fill_value=0.0))
        lines = self.plants.modes.merge(self.ground.recipes, on="process")
        for facility, commodity, amount in zip(lines["facility"], lines["commodity"], lines["amount"], strict=True):
            if largest[facility] > 0:
                logs[commodity].append(float(np.log2(largest[facility] * abs(amount))))
        return np.array([2.0 ** round(sum(values) / len(values)) if values else 1.0 for values in logs])

    def decoded(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame with the codes of its columns replaced by names and calendar years."""
        ground = self.ground
        decoders = {
            "location": ground.locations,
            "origin": ground.locations,
            "destination": ground.locations,
            "owner": ground.countries,
            "country": ground.countries,
            "commodity": ground.commodities,
            "supplied": ground.commodities,
            "process": ground.processes,
            "facility": self.plants.labels,
            "project": self.plants.project_labels,
        }
        tag_names = np.array(self.tags.names, dtype=object)
        result: dict[str, object] = {}
        for name in frame.columns:
            codes = frame[name].to_numpy()
            if name in decoders:
                result[name] = decoders[name].decode(codes.astype(np.int64))
            elif name in ("tag", "as_tag"):
                result[name] = tag_names[codes.astype(np.int64)]
            elif name == "year":
                result[name] = ground.years.label[codes.astype(np.int64)]
            else:
                result[name] = codes
        return pd.DataFrame(result, index=frame.index)
