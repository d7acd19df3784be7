"""The two balances of every place, closed from what the families registered.

Supply side: made + scrap returned = shipped + disposed of + sold. Use side: arrivals + drawn = used + delivered + stored.
"""

from __future__ import annotations

import numpy as np

from diversify.model.statement import Statement
from diversify.network.cells import SUPPLY_KEY, USE_KEY


def add(s: Statement) -> None:
    """State both balances."""
    c_supply(s)
    c_use(s)


def c_supply(s: Statement) -> None:
    """sum of supply terms [l,o,c,g,t] = - scrap returned from sales before the horizon (t/yr)."""
    cells = s.network.cells
    past = cells.scrap[cells.scrap["source_year"] < 0]
    returned = np.bincount(past["supply"], weights=past["scrap_t_per_t"] * past["past_t_per_year"], minlength=len(cells.supply))
    s.rows("c_supply", cells.supply[SUPPLY_KEY], s.supply_terms, lower=-returned, upper=-returned)


def c_use(s: Statement) -> None:
    """sum of use terms [l,c,g,t] = 0 (t/yr)."""
    s.rows("c_use", s.network.cells.use[USE_KEY], s.use_terms, lower=0.0, upper=0.0)
