"""What everything else stands on: labels, planning years, discounting, countries, commodities and recipes.

Names become integer codes here (sorted, so that the order of rows in a file changes nothing), blanks become
their defaults, and selectors become masks over the countries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diversify import schema
from diversify.instance import Instance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NOBODY = -1
"""Code of a blank name."""


class Labels:
    """Sorted names and their codes 0, 1, 2, ..."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: list[str] = sorted(set(names))
        self._code = {name: code for code, name in enumerate(self.names)}
        self._array = np.array(self.names, dtype=object)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._code

    def code(self, name: str) -> int:
        """Return the code of one name."""
        return self._code[name]

    def codes(self, names: Iterable[object]) -> Ints:
        """Return the codes of many names; ``NOBODY`` where a name is blank."""
        return np.array([self._code.get(name, NOBODY) if isinstance(name, str) else NOBODY for name in names], dtype=np.int64)

    def decode(self, codes: Ints) -> NDArray[np.object_]:
        """Return the names of many codes."""
        if len(codes) == 0:
            return np.empty(0, dtype=object)
        return np.asarray(self._array[codes], dtype=object)


@dataclass(frozen=True)
class Years:
    """The planning years, how long each stands and what a dollar in it is worth.

    ``label`` (T,), ``weight`` w_t in calendar years (T,), ``discount`` D_t (T,): the sum over the calendar years
    that t stands for of (1 + r)^-(year - first planning year), as in FORMULATION "Time and money".
    """

    label: Ints
    weight: Ints
    discount: Floats

    @classmethod
    def of(cls, instance: Instance) -> Years:
        """Derive weights and discount factors from the instance's years and discount rate."""
        label = np.array(instance.years, dtype=np.int64)
        gaps = np.diff(label)
        weight = np.append(gaps, gaps[-1]) if len(gaps) else np.ones(1, dtype=np.int64)
        rate = float(instance.meta["discount_rate"])
        discount = np.array(
            [sum((1.0 + rate) ** -float(year + k - label[0]) for k in range(w)) for year, w in zip(label, weight, strict=True)]
        )
        return cls(label, weight.astype(np.int64), discount)

    def __len__(self) -> int:
        return len(self.label)

    def holding(self, calendar_year: float) -> int:
        """Return the position of the planning year that holds a calendar year; -1 before the horizon."""
        return int(np.searchsorted(self.label, calendar_year, side="right")) - 1

    def within(self, first: object, last: object) -> Bools:
        """Return which planning years lie in an inclusive span whose blank ends are open."""
        return (self.label >= number(first, -np.inf)) & (self.label <= number(last, np.inf))

    def interpolate(self, years: Floats, values: Floats, *, before: float | None = None) -> Floats:
        """Return values at the planning years: linear between, held after, ``before`` (or held) before the first."""
        order = np.argsort(years)
        left = values[order][0] if before is None else before
        return np.interp(self.label, years[order], values[order], left=left)


def number(value: object, default: float) -> float:
    """Return a cell as a float, or the default where it is blank."""
    return default if value is None or pd.isna(value) else float(value)  # type: ignore[call-overload, arg-type]


MEASURES = frozenset(
    {
        *("quantity", "shortage_usd_per_t", "ratio_t_per_t", "extra_usd_per_t", "max_share", "amount", "limit", "capacity_per_t"),
        *("variable_usd_per_t", "freight_usd_per_t", "tariff_usd_per_t", "cost_usd_per_t", "capacity_t_per_year", "lag_years"),
        *("scrap_t_per_t", "past_t_per_year", "price_usd_per_t", "limit_t_per_year"),
    }
)
"""Columns of the index frames that hold quantities; all others hold codes or positions."""


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dictionaries, for tables that are walked row by row."""
    rows: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return rows


def coded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return an index frame with measures as floats and codes as integers, which a frame without rows would not have."""
    return frame.astype({name: np.float64 if name in MEASURES else np.int64 for name in frame.columns})


def filled(table: pd.DataFrame, name: str, column: str) -> Floats:
    """Return a number column with blanks replaced by the schema's default (NaN where it has none)."""
    values = pd.to_numeric(table[column]).to_numpy(dtype=np.float64, na_value=np.nan)
    default = schema.TABLES[name].column(column).default
    return values if default is None else np.where(np.isnan(values), float(default), values)


def flags(table: pd.DataFrame, name: str, column: str) -> Bools:
    """Return a boolean column with blanks replaced by the schema's default."""
    default = bool(schema.TABLES[name].column(column).default)
    return np.array([default if pd.isna(value) else bool(value) for value in table[column]], dtype=bool)


def annuity_factor(rate: float, life: float) -> float:
    """Return the capital recovery factor i / (1 - (1 + i)^-n), and 1/n at a rate of zero."""
    if abs(rate) < 1e-12:
        return 1.0 / life
    return float(rate / (1.0 - (1.0 + rate) ** -life))


class Ground:
    """Labels, years, countries, places, commodities and recipes of an instance, all defaults resolved."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.years = Years.of(instance)
        self.rate = float(instance.meta["discount_rate"])
        self.countries = Labels(instance.table("countries")["country"])
        self.locations = Labels(instance.table("locations")["location"])
        self.commodities = Labels(instance.table("commodities")["commodity"])
        self.processes = Labels(instance.table("processes")["process"])

    @cached_property
    def location_country(self) -> Ints:
        """Country code of each location (L,)."""
        table = self.instance.table("locations")
        result = np.empty(len(self.locations), dtype=np.int64)
        result[self.locations.codes(table["location"])] = self.countries.codes(table["country"])
        return result

    @cached_property
    def wacc(self) -> Floats:
        """Real cost of capital of each country (N,); the discount rate where blank."""
        table = self.instance.table("countries")
        values = filled(table, "countries", "wacc")
        result = np.empty(len(self.countries))
        result[self.countries.codes(table["country"])] = np.where(np.isnan(values), self.rate, values)
        return result

    @cached_property
    def duty_free(self) -> Bools:
        """Whether a lane from country a to country b is exempt from tariffs (N, N): the same country or customs union."""
        table = self.instance.table("countries")
        unions = Labels(name for name in table["customs_union"] if isinstance(name, str))
        union = np.full(len(self.countries), NOBODY)
        union[self.countries.codes(table["country"])] = unions.codes(table["customs_union"])
        same_union = (union[:, None] == union[None, :]) & (union[:, None] != NOBODY)
        return np.asarray(same_union | np.eye(len(self.countries), dtype=bool), dtype=bool)

    @cached_property
    def _groups(self) -> dict[str, Bools]:
        masks: dict[str, Bools] = {schema.EVERYTHING: np.ones(len(self.countries), dtype=bool)}
        for code, country in enumerate(self.countries.names):
            masks[country] = np.zeros(len(self.countries), dtype=bool)
            masks[country][code] = True
        table = self.instance.table("groups")
        for group, country in zip(table["group"], self.countries.codes(table["country"]), strict=True):
            masks.setdefault(group, np.zeros(len(self.countries), dtype=bool))[country] = True
        return masks

    def select(self, selector: str) -> Bools:
        """Return which countries a selector (a country, a group or ``*``) names (N,)."""
        return self._groups[selector]

    def select_commodity(self, selector: str) -> Bools:
        """Return which commodities a name or ``*`` means (C,)."""
        if selector == schema.EVERYTHING:
            return np.ones(len(self.commodities), dtype=bool)
        return np.asarray(np.arange(len(self.commodities)) == self.commodities.code(selector), dtype=bool)

    def _by_commodity(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        result = np.empty(len(self.commodities), dtype=values.dtype)
        result[self.commodities.codes(self.instance.table("commodities")["commodity"])] = values
        return result

    @cached_property
    def disposal_usd_per_t(self) -> Floats:
        """Cost of disposal of each commodity (C,)."""
        return np.asarray(
            self._by_commodity(filled(self.instance.table("commodities"), "commodities", "disposal_usd_per_t")), dtype=np.float64
        )

    @cached_property
    def traced(self) -> Bools:
        """Whether each commodity carries its origin (C,)."""
        return np.asarray(self._by_commodity(flags(self.instance.table("commodities"), "commodities", "traced")), dtype=bool)

    @cached_property
    def price_usd_per_t(self) -> Floats:
        """Price of each commodity in each planning year (C, T)."""
        constant = self._by_commodity(filled(self.instance.table("commodities"), "commodities", "price_usd_per_t"))
        prices = np.repeat(np.asarray(constant, dtype=np.float64)[:, None], len(self.years), axis=1)
        for commodity, rows in self.instance.table("prices").groupby("commodity"):
            values = filled(rows, "prices", "price_usd_per_t")
            prices[self.commodities.code(str(commodity))] = self.years.interpolate(rows["year"].to_numpy(dtype=np.float64), values)
        return prices

    @cached_property
    def recipes(self) -> pd.DataFrame:
        """Recipe lines: codes ``process``, ``commodity`` and ``amount`` in t per t of activity, sorted."""
        table = self.instance.table("recipes")
        frame = pd.DataFrame(
            {
                "process": self.processes.codes(table["process"]),
                "commodity": self.commodities.codes(table["commodity"]),
                "amount": filled(table, "recipes", "amount_t_per_t"),
            }
        )
        return frame.sort_values(["process", "commodity"], ignore_index=True)
