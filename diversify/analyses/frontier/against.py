"""What the caps can be weighed against: the tonnes that may be short, or what a budget may pay for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from diversify.analyses.solving import Record, table_of
from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.network.ground import Ground

SHORTAGE = "shortage"
BUDGET = "budget:"


@dataclass(frozen=True)
class Against:
    """A limit to move: on tonnes short over the horizon, of everything together (``budgets`` None), or a budget's, in million USD.

    ``budgets`` is the instance's table of budgets, ``budget`` the name of the one whose limit is moved.
    """

    budgets: pd.DataFrame | None = None
    budget: str = ""

    @classmethod
    def of(cls, instance: Instance, text: str) -> Against:
        """Read ``shortage`` or ``budget:NAME``; UsageError for anything else, or a budget that the instance does not have."""
        if text == SHORTAGE:
            return cls()
        name = text.removeprefix(BUDGET)
        if name == text:
            raise UsageError(f"caps can be weighed against '{SHORTAGE}' or '{BUDGET}NAME'; got {text!r}.")
        table = instance.table("budgets")
        known = sorted(set(table["budget"]))
        if name not in known:
            raise UsageError(f"{instance.name} has no budget {name!r}. Its budgets: {', '.join(known) or 'none'}.")
        return cls(table, name)

    def __str__(self) -> str:
        """Return the text that :meth:`of` reads."""
        return SHORTAGE if self.budgets is None else f"{BUDGET}{self.budget}"

    @property
    def unit(self) -> str:
        """Unit of the limit."""
        return "t" if self.budgets is None else "musd"

    def lifted(self, instance: Instance) -> Instance:
        """Return the instance without the limit."""
        if self.budgets is None:
            return instance
        return instance.replace(budgets=self.budgets[self.budgets["budget"] != self.budget])

    def arguments(self, instance: Instance, limit: float) -> dict[str, Any]:
        """Return the instance with the limit, or beside it the limit that only a constraint can state, as arguments of a task."""
        if self.budgets is None:
            return {"instance": instance, "shortage_t": limit}
        moved = self.budgets["limit_musd"].mask(self.budgets["budget"] == self.budget, limit)
        return {"instance": instance.replace(budgets=self.budgets.assign(limit_musd=moved)), "shortage_t": None}

    def used(self, instance: Instance, record: Record) -> float:
        """Return what a plan uses of the limit: t short over the horizon, or overnight million USD that the budget pays for."""
        if self.budgets is None:
            return float(record["shortage_t"])
        budget = self.budgets[self.budgets["budget"] == self.budget].iloc[0]
        builds = table_of(record, "builds")
        decided = builds["decided_year"].astype(float)
        paid = builds["facility"].isin(_paid_by(instance, str(budget["payer"])))
        if not pd.isna(budget["first_year"]):
            paid &= decided >= float(budget["first_year"])
        if not pd.isna(budget["last_year"]):
            paid &= decided <= float(budget["last_year"])
        return float(builds.loc[paid, "capex_musd"].astype(float).sum())


def _paid_by(instance: Instance, payer: str) -> list[str]:
    """Return the facilities that stand in a country of the payer."""
    ground = Ground(instance)
    members = {name for name, paid in zip(ground.countries.names, ground.select(payer), strict=True) if paid}
    country = dict(instance.table("locations")[["location", "country"]].itertuples(index=False, name=None))
    facilities = instance.table("facilities")[["facility", "location"]].itertuples(index=False, name=None)
    return sorted(facility for facility, location in facilities if country[location] in members)
