"""Plans side by side, as a page and as records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import RenderableType

from diversify.report.plan import CATEGORIES_IN_WORDS
from diversify.report.terminal import MOST_ROWS, amount, grid, percent, shown

_TONNES = "quantity_t_per_year"
_MOST_SHIPMENTS = 20


def as_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as JSON records; blanks are None."""
    plain = frame.astype(object).where(frame.notna(), None)
    rows = plain.to_dict("records")
    return [{str(name): value.item() if hasattr(value, "item") else value for name, value in row.items()} for row in rows]


def comparison_page(tables: Mapping[str, pd.DataFrame]) -> Iterator[RenderableType]:
    """Yield the parts of the page that compares plans: the tables of ``compare``, plans as columns."""
    plans = list(tables["plans"]["plan"])
    letters = {name: _letter(position) for position, name in enumerate(plans)}
    yield _headlines(tables["plans"], letters)
    yield shown(
        f"A difference is to plan A. Where both plans leave a gap, the difference of the cheapest plans lies "
        f"{'; '.join(_range(row, letters) for row in tables['plans'].to_dict('records')[1:])}."
    )
    costs = tables["costs"].assign(category=tables["costs"]["category"].map(lambda name: CATEGORIES_IN_WORDS.get(name, name)))
    yield _matrix("Cost by category (M USD, discounted)", costs, ["category"], "musd", letters, amount)
    yield _matrix("Built (t/yr by year on line)", tables["builds"], ["project", "year"], "capacity_t_per_year", letters, amount)
    if len(tables["shares"]):
        yield _matrix("Shares (per cent)", tables["shares"], ["cap", "consumers", "year"], "share", letters, percent)
    if len(tables["shortages"]):
        yield _matrix("Short (t per year)", tables["shortages"], ["commodity", "country", "year"], _TONNES, letters, amount)
    title = "Shipments that differ (t per year, by country; largest differences first)"
    yield _matrix(title, tables["flows"], ["commodity", "origin", "destination", "year"], _TONNES, letters, amount, largest=True)


def _letter(position: int) -> str:
    return chr(ord("A") + position) if position < 26 else f"P{position + 1}"


def _headlines(plans: pd.DataFrame, letters: Mapping[str, str]) -> RenderableType:
    rows = [
        (
            letters[row["plan"]],
            row["plan"],
            "; ".join(part for part in (row["instance"], row["scenario"], row["changes"]) if isinstance(part, str) and part),
            row["stopped"],
            amount(row["objective_musd"]),
            percent(row["gap"], 2),
            amount(row["difference_musd"]),
        )
        for row in plans.to_dict("records")
    ]
    columns = ("", "Plan", "Case", "Stopped", "M USD", "gap %", "less A")
    return grid(columns, rows, left=("", "Plan", "Case", "Stopped"), title="Plans")


def _range(row: Mapping[Any, Any], letters: Mapping[str, str]) -> str:
    low, high = amount(row["difference_low_musd"]), amount(row["difference_high_musd"])
    if not low or not high:
        return f"for {letters[row['plan']]} in a range that is not known"
    return f"for {letters[row['plan']]} between {low} and {high} million USD"


def _matrix(
    title: str,
    table: pd.DataFrame,
    key: list[str],
    figure: str,
    letters: Mapping[str, str],
    form: Callable[[Any], str],
    *,
    largest: bool = False,
) -> RenderableType:
    """Return a table with plans as columns; rows in which no plan differs are left out and counted."""
    keys = table[key].drop_duplicates()
    order = keys[key[0]] if len(key) == 1 else pd.MultiIndex.from_frame(keys)
    value = table.set_index([*key, "plan"])[figure].unstack("plan").reindex(order)[list(letters)]
    first = value.iloc[:, 0]
    spread = value.sub(first, axis=0).abs().max(axis=1) if len(value) else first
    differs = (spread > 1e-6 * value.abs().max(axis=1)) | (value.notna().nunique(axis=1) > 1) if len(value) else spread.astype(bool)
    kept = value[differs]
    if largest:
        kept = kept.loc[spread[differs].sort_values(ascending=False, kind="stable").index]
    names = [letters[name] for name in kept.columns]
    rows = [
        (*_labels(index), *(form(cell) for cell in cells), *(form(cell - cells[0]) for cell in cells[1:]))
        for index, cells in zip(kept.index, kept.to_numpy().tolist(), strict=True)
    ]
    same = len(value) - len(kept)
    note = f"; {same} row{'s that do' if same != 1 else ' that does'} not differ left out" if same else ""
    if not rows:
        return shown(f"{title}: no difference.")
    columns = (*(name.capitalize() for name in key), *names, *(f"{name}-{names[0]}" for name in names[1:]))
    text = tuple(name.capitalize() for name in key if name != "year")
    return grid(columns, rows, left=text, title=f"{title}{note}", rest="compare --json", most=_MOST_SHIPMENTS if largest else MOST_ROWS)


def _labels(index: Any) -> tuple[str, ...]:
    return tuple(str(part) for part in index) if isinstance(index, tuple) else (str(index),)
