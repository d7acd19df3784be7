"""Security as rows of a model: shortage of some commodities stays within a part of the demand, but for a few years.

c_security[k,c,t] : sum over l in k of v_short[l,c,t] <= (share + (1 - share) x v_spell[k,c,t]) x demand[k,c,t] + v_missed[k,c,t]
c_spell[k,c] : sum over t of w_t v_spell[k,c,t] <= years, in calendar years; k are groups of consumers, from the reveal year on.

v_spell is binary, v_missed (t/yr) is zero in a plan that is secure; a search for what is missing lets it go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyomo.core as pyo

from diversify.errors import UsageError
from diversify.instance import Instance
from diversify.instance.names import nearest
from diversify.model import Statement
from diversify.planning.program import STATEMENT


@dataclass(frozen=True)
class Security:
    """What a plan must be secure in: shortage of each of ``commodities`` at each group of ``consumers`` (selectors).

    It stays within ``share`` of the demand there in every planning year from the reveal year on, but for ``years`` calendar years.
    """

    commodities: tuple[str, ...]
    consumers: tuple[str, ...]
    share: float
    years: float = 0.0

    @classmethod
    def of(cls, case: Instance, commodities: Sequence[str] | None, consumers: Sequence[str], share: float, years: float) -> Security:
        """Return it with all demanded commodities where none is named. UsageError where a name is unknown or a figure makes no sense."""
        wanted = sorted(set(map(str, case.table("demand")["commodity"])))
        chosen = tuple(wanted if commodities is None else commodities)
        selectors = {"*", *map(str, case.table("countries")["country"]), *map(str, case.table("groups")["group"])}
        for name, known, what in ((chosen, wanted, "demanded commodity"), (tuple(consumers), sorted(selectors), "country or group")):
            unknown = [each for each in name if each not in known]
            if unknown or not name:
                raise UsageError(f"There is no {what} {unknown[0]!r}.{nearest(unknown[0], known)}" if unknown else f"Name a {what}.")
        if not (0.0 <= share < 1.0 and years >= 0.0):
            raise UsageError(f"Shortage is limited to a share from 0 to below 1, but for 0 years or more; got {share:g} and {years:g}.")
        return cls(chosen, tuple(consumers), float(share), float(years))

    def as_dict(self) -> dict[str, Any]:
        """Return it as arguments of a task."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Security:
        """Return it from what :meth:`as_dict` made."""
        return cls(tuple(told["commodities"]), tuple(told["consumers"]), float(told["share"]), float(told["years"]))


Key = tuple[str, str, int]


def add_security(model: pyo.ConcreteModel, security: Security, *, missed: bool = False) -> dict[Key, float]:
    """Add the rows to a model of ``build_model`` and return the demand (t/yr) of each, by consumers, commodity and year.

    With ``missed`` they may be missed, and the parts of demand missed are minimised; the model's cost stays as the expression ``e_cost``.
    Demands without a shortage price are met anyway.
    """
    statement: Statement = getattr(model, STATEMENT)
    found = dict(_limits(statement, security))
    keys = list(found)
    weight = dict(zip(statement.network.ground.years.label.tolist(), statement.network.ground.years.weight.tolist(), strict=True))
    model.v_missed = pyo.Var(keys, domain=pyo.NonNegativeReals, bounds=(0.0, None if missed else 0.0))
    model.v_spell = pyo.Var(
        keys, domain=pyo.Binary if security.years > 0 else pyo.NonNegativeReals, bounds=(0.0, float(security.years > 0))
    )

    def within(_model: Any, *key: Any) -> Any:
        short, demand = found[key]
        return sum(short) - (1.0 - security.share) * demand * model.v_spell[key] - model.v_missed[key] <= security.share * demand

    model.c_security = pyo.Constraint(keys, rule=within)
    if security.years > 0:
        groups = list(dict.fromkeys(key[:2] for key in keys))

        def spell(_model: Any, *group: Any) -> Any:
            return sum(weight[key[2]] * model.v_spell[key] for key in keys if key[:2] == group) <= security.years

        model.c_spell = pyo.Constraint(groups, rule=spell)
    if missed:
        model.o_cost.deactivate()
        model.o_missed = pyo.Objective(expr=sum((model.v_missed[key] / found[key][1] for key in keys), 0.0), sense=pyo.minimize)
    return {key: demand for key, (_, demand) in found.items()}


def _limits(statement: Statement, security: Security) -> Iterator[tuple[Key, tuple[list[Any], float]]]:
    """Yield the shortage variables and the demand (t/yr) of each group of consumers, commodity and year from the reveal year on."""
    ground, demand = statement.network.ground, statement.network.cells.demand
    reveal = ground.instance.meta.get("reveal_year")
    names = statement.network.decoded(demand[["location", "commodity", "year"]])
    country = ground.location_country[demand["location"].to_numpy(dtype=np.int64)]
    quantity = demand["quantity"].to_numpy(dtype=np.float64)
    short = statement.model.component("v_short")
    late = names["year"].to_numpy() >= (ground.years.label[0] if reveal is None else int(reveal))
    for consumers in security.consumers:
        there = late & ground.select(consumers)[country]
        for commodity in security.commodities:
            chosen = names[there & (names["commodity"] == commodity).to_numpy()]
            for year, rows in chosen.groupby("year"):
                places = [(row.location, row.commodity, row.year) for row in rows.itertuples()]
                listed = [short[place] for place in places if place in short]
                if listed:
                    yield (consumers, commodity, int(year)), (listed, float(quantity[rows.index].sum()))
