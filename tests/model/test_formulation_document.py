"""models/formulation.md is held to the code."""

from __future__ import annotations

import re
from pathlib import Path

import pyomo.environ as pyo
import pytest
from all_features import all_features
from test_rows import stated_constraints

import diversify as dv
from diversify.model.statement import NEVER
from diversify.planning.summary import CATEGORIES
from diversify.schema import META_KEYS, TABLES

DOCUMENT = (Path(__file__).parents[2] / "models" / "formulation.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def components() -> dict[str, set[str]]:
    model = dv.build_model(all_features())
    kinds = {"v": pyo.Var, "c": pyo.Constraint, "e": pyo.Expression, "o": pyo.Objective}
    return {letter: {part.name for part in model.component_objects(kind)} for letter, kind in kinds.items()}


def table_rows() -> list[list[str]]:
    """Return the cells of every table row of the document (formulas may hold escaped bars, never plain ones)."""
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in DOCUMENT.splitlines() if line.startswith("|")]


def names_in_tables() -> list[str]:
    """Return the component names that have a table row of their own: alone in a cell, in backticks."""
    return [match[1] for row in table_rows() for cell in row if (match := re.fullmatch(r"`([vceo]_\w+)`", cell))]


@pytest.mark.parametrize("letter", ["v", "c", "e", "o"])
def test_the_tables_list_the_models_components_and_no_others(components: dict[str, set[str]], letter: str) -> None:
    documented = {name for name in names_in_tables() if name.startswith(letter + "_")}
    assert documented - {NEVER} == components[letter]


def test_the_column_of_rows_that_nothing_can_satisfy_is_documented() -> None:
    assert NEVER in names_in_tables()


def test_no_name_is_documented_twice() -> None:
    names = names_in_tables()
    assert sorted(names) == sorted(set(names))


def test_the_text_speaks_only_of_components_that_there_are(components: dict[str, set[str]]) -> None:
    spoken_of = set(re.findall(r"`([vceo]_\w+)`", DOCUMENT))
    assert spoken_of <= set().union(*components.values(), {NEVER})


def test_the_code_states_the_documented_constraints() -> None:
    assert {name for name in names_in_tables() if name.startswith("c_")} == set(stated_constraints())


def test_every_category_of_cost_is_documented(components: dict[str, set[str]]) -> None:
    section = DOCUMENT.split("| category of `e_cost`")[1].split("\n\n")[0]
    listed = [line.strip("|").split("|")[0].strip() for line in section.splitlines()[2:]]
    assert listed == list(CATEGORIES)
    assert set(dv.build_model(all_features()).e_cost) == set(CATEGORIES)


def test_every_variable_has_the_index_that_is_documented() -> None:
    model = dv.build_model(all_features())
    for row in table_rows():
        if len(row) == 5 and row[1].startswith("`v_") and row[1] != f"`{NEVER}`":
            variable = model.component(row[1].strip("`"))
            assert len(row[2].split(",")) == next(iter(variable.index_set())).__len__(), row[1]


def test_names_of_data_are_names_of_the_format() -> None:
    known = {column.name for table in TABLES.values() for column in table.columns} | set(TABLES) | set(META_KEYS)
    results = {"pro_rata_share", "unknown_t", "musd_per_point", "unique", "as_tag"}
    words = {"produced", "owned", "traced", "capex", "code"}
    for text in re.findall(r"`([a-z_.]+)`", DOCUMENT):
        if not re.match(r"[vceo]_", text):
            assert text.split(".")[-1] in known | results | words, text
