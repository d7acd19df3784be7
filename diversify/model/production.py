"""Production: runs of processes at plants, by tag.

v_run[f,p,g,t] t/yr of activity of process p at facility f drawing inputs of tag g in year t.
"""

from __future__ import annotations

import numpy as np

from diversify.model.statement import Statement


def add(s: Statement) -> None:
    """Declare runs; register what they make, use and cost."""
    ground, plants, cells = s.network.ground, s.network.plants, s.network.cells
    runs = cells.runs
    reference = _reference_scale(s)
    limit = runs["limit"].to_numpy(dtype=np.float64)
    s.columns("v_run", runs[["facility", "process", "tag", "year"]], upper=limit, scale=reference)
    s.supply("v_run", cells.made["supply"], cells.made["run"], cells.made["amount"])
    s.use("v_run", cells.used["use"], cells.used["run"], -cells.used["amount"])
    s.cost(
        "variable",
        "v_run",
        np.arange(len(runs)),
        runs["variable_usd_per_t"].to_numpy() * ground.years.discount[runs["year"]] / 1e6,
        country=ground.countries.decode(plants.facilities["country"].to_numpy()[runs["facility"]]),
        place=plants.labels.decode(runs["facility"].to_numpy()),
        year=ground.years.label[runs["year"]],
    )


def _reference_scale(s: Statement) -> np.ndarray:
    """Return the scale of each run: that of the commodity in which its activity is measured."""
    ground, runs = s.network.ground, s.network.cells.runs
    processes = ground.instance.table("processes")
    reference = np.empty(len(ground.processes), dtype=np.int64)
    reference[ground.processes.codes(processes["process"])] = ground.commodities.codes(processes["reference"])
    return s.network.scale[reference[runs["process"]]]
