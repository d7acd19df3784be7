"""A copy of a case that has a plan where the case has none: short demand and exceeded caps have a price, paid only in need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from diversify.instance import Instance
from diversify.model import Statement

_MULTIPLE = 10.0
"""The price of what was not allowed, as a multiple of what a tonne can cost otherwise."""

_BY_TONNE = ("v_run", "v_flow", "v_deliver", "v_dispose", "v_stock")
_PENALTIES = ("v_short", "v_excess")


@dataclass(frozen=True)
class Softened:
    """The copy, what a tonne short or above a cap costs in it (USD), and the caps that had no price."""

    instance: Instance
    usd_per_t: float
    caps: tuple[str, ...]

    @classmethod
    def of(cls, statement: Statement) -> Softened:
        """Return the copy of a statement's case: a price for demand that must be met and for caps that are hard."""
        case = statement.network.ground.instance
        price = need_usd_per_t(statement)
        demand, caps = case.table("demand"), case.table("caps")
        priced = demand["shortage_usd_per_t"].notna().groupby([demand["location"], demand["commodity"]]).transform("any")
        hard = caps["excess_usd_per_t"].isna()
        copy = case.replace(
            demand=demand.assign(shortage_usd_per_t=demand["shortage_usd_per_t"].mask(~priced.astype(bool), price)),
            caps=caps.assign(excess_usd_per_t=caps["excess_usd_per_t"].mask(hard, price)),
        )
        return cls(copy, price, tuple(dict.fromkeys(map(str, caps.loc[hard, "cap"]))))


def need_usd_per_t(statement: Statement) -> float:
    """Return ten times what a tonne can cost in a case, USD: the dearest of its penalties, and of its operations per tonne.

    The latter counts as often as a process takes tonnes of an input for one of activity, since a tonne of the product
    carries the cost of them all.
    """
    amounts = pd.to_numeric(statement.network.ground.instance.table("recipes")["amount_t_per_t"])
    taken = max(1.0, float(-amounts.min()) if len(amounts) else 1.0)
    return _MULTIPLE * max(1.0, _dearest(statement, _PENALTIES), taken * _dearest(statement, _BY_TONNE))


def _dearest(statement: Statement, columns: tuple[str, ...]) -> float:
    """Return the largest cost of a tonne in one of some variables, undiscounted USD; 0 where there is none."""
    years = statement.network.ground.years
    discount = dict(zip(years.label.tolist(), years.discount.tolist(), strict=True))
    costs = [cost for cost in statement.costs if cost.columns in columns and len(cost.musd)]
    return max((float(np.max(np.abs(cost.musd) * 1e6 / [discount[year] for year in cost.year.tolist()])) for cost in costs), default=0.0)
