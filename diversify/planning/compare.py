"""Plans side by side: cost, builds, shares, flows and shortages, each with its difference from the first plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from diversify.errors import UsageError
from diversify.plan import Plan
from diversify.planning.summary import CATEGORIES


def compare(plans: Mapping[str, Plan] | Sequence[Plan]) -> dict[str, pd.DataFrame]:
    """Return tidy tables that compare plans; the first is the one that the others are measured against.

    ``plans`` maps labels to plans; a sequence is labelled by instance and scenario. Every table has one row per key and
    plan, in the order of the plans, with the column ``plan`` and differences from the first plan:

    ``plans``: stopped, holds, ``objective_musd``, ``bound_musd``, ``gap``, ``difference_musd`` and the range in which the
    difference of the true optima lies (``difference_low_musd``, ``difference_high_musd``) · ``costs``: by category ·
    ``builds``: by project and year on line · ``shares``: by cap, consumers and year · ``flows``: t per year by commodity,
    country of origin, country of destination and year · ``shortages``: t per year by commodity, country and year.
    Money is discounted million USD. Raises UsageError for fewer than two plans or two of one label.
    """
    labelled = dict(plans) if isinstance(plans, Mapping) else _labelled(plans)
    if len(labelled) < 2:
        raise UsageError("compare needs two plans or more.")
    return {
        "plans": _headlines(labelled),
        "costs": _costs(labelled),
        "builds": _compared(
            labelled,
            {name: plan.builds for name, plan in labelled.items()},
            ["project", "facility", "year"],
            ["units", "capacity_t_per_year", "capex_musd"],
        ),
        "shares": _shares(labelled),
        "flows": _compared(
            labelled,
            {name: _by_country(plan) for name, plan in labelled.items()},
            ["commodity", "origin", "destination", "year"],
            ["quantity_t_per_year"],
        ),
        "shortages": _compared(
            labelled,
            {name: _located(plan, plan.shortages) for name, plan in labelled.items()},
            ["commodity", "country", "year"],
            ["quantity_t_per_year"],
        ),
    }


def _labelled(plans: Sequence[Plan]) -> dict[str, Plan]:
    labelled: dict[str, Plan] = {}
    for plan in plans:
        scenario, changes = plan.instance.applied
        name = " ".join([plan.instance.name, *([scenario] if scenario else []), *changes])
        unique, count = name, 2
        while unique in labelled:
            unique, count = f"{name} ({count})", count + 1
        labelled[unique] = plan
    return labelled


def _headlines(plans: Mapping[str, Plan]) -> pd.DataFrame:
    figures = ("objective_musd", "bound_musd", "gap")
    table = pd.DataFrame(
        [
            {
                "plan": name,
                "instance": plan.instance.name,
                "scenario": plan.summary.get("scenario"),
                "changes": "; ".join(plan.summary.get("changes") or ()),
                "stopped": plan.stopped,
                "holds": plan.holds,
                **{figure: np.nan if getattr(plan, figure) is None else getattr(plan, figure) for figure in figures},
            }
            for name, plan in plans.items()
        ]
    )
    first = table.iloc[0]
    table["difference_musd"] = table["objective_musd"] - first["objective_musd"]
    table["difference_low_musd"] = table["bound_musd"] - first["objective_musd"]
    table["difference_high_musd"] = table["objective_musd"] - first["bound_musd"]
    table.loc[0, ["difference_low_musd", "difference_high_musd"]] = 0.0
    return table


def _compared(plans: Mapping[str, Plan], tables: Mapping[str, pd.DataFrame], key: list[str], figures: list[str]) -> pd.DataFrame:
    """Return the figures summed by key, for every plan: what a plan does not have is nothing there, so 0."""
    summed = {name: table.groupby(key)[figures].sum().astype(float) for name, table in tables.items()}
    keys = pd.concat([table.reset_index()[key] for table in summed.values()], ignore_index=True).drop_duplicates()
    index = pd.MultiIndex.from_frame(keys.sort_values(key, kind="stable")) if len(key) > 1 else pd.Index(sorted(keys[key[0]]), name=key[0])
    filled = {name: table.reindex(index, fill_value=0.0) for name, table in summed.items()}
    return _stacked(plans, filled, key, figures)


def _costs(plans: Mapping[str, Plan]) -> pd.DataFrame:
    table = _compared(plans, {name: plan.costs for name, plan in plans.items()}, ["category"], ["musd"])
    order = {name: position for position, name in enumerate(CATEGORIES)}
    return table.sort_values("category", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def _shares(plans: Mapping[str, Plan]) -> pd.DataFrame:
    """Return shares and limits; where a plan has no such cap they are blank, and so is the difference."""
    key, figures = ["cap", "consumers", "year"], ["share", "limit"]
    tables = {name: plan.shares.set_index(key)[figures].astype(float) for name, plan in plans.items()}
    index = pd.concat([table.reset_index()[key] for table in tables.values()], ignore_index=True).drop_duplicates()
    order = pd.MultiIndex.from_frame(index)
    return _stacked(plans, {name: table.reindex(order) for name, table in tables.items()}, key, figures)


def _stacked(plans: Mapping[str, Plan], tables: Mapping[str, pd.DataFrame], key: list[str], figures: list[str]) -> pd.DataFrame:
    first = tables[next(iter(plans))]
    parts = []
    for name, table in tables.items():
        differences = (table - first).add_prefix("difference_")
        parts.append(pd.concat([table, differences], axis=1).reset_index().assign(plan=name, position=np.arange(len(table))))
    together = pd.concat(parts, ignore_index=True).sort_values("position", kind="stable", ignore_index=True)
    return together[[*key, "plan", *figures, *(f"difference_{figure}" for figure in figures)]]


def _located(plan: Plan, table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(country=table["location"].map(_countries(plan)))


def _by_country(plan: Plan) -> pd.DataFrame:
    country = _countries(plan)
    return plan.flows.assign(origin=plan.flows["origin"].map(country), destination=plan.flows["destination"].map(country))


def _countries(plan: Plan) -> dict[str, str]:
    return dict(plan.instance.table("locations")[["location", "country"]].itertuples(index=False, name=None))
