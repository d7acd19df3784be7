"""Rules on commodities, processes, recipes, countries and groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diversify.errors import Problem
from diversify.instance.cells import number_text
from diversify.instance.draft import Draft
from diversify.schema import EVERYTHING

_COUNTRY_CODE = re.compile(r"[A-Z]{3}")


def country_codes(draft: Draft) -> Iterator[Problem]:
    """A country is known by three capital letters."""
    for index, code in draft.rows("countries", "country"):
        if code is not None and not _COUNTRY_CODE.fullmatch(code):
            remedy = "Write the ISO 3166-1 alpha-3 code: three capital letters such as JPN."
            yield draft.problem("bad_country_code", "countries", index, "country", f"{code!r} is not a country code.", remedy)


def names_that_mean_everything(draft: Draft) -> Iterator[Problem]:
    """Nothing may be called ``*``, which stands for everything."""
    for table, column in (("commodities", "commodity"), ("locations", "location"), ("groups", "group")):
        for index, name in draft.rows(table, column):
            if name == EVERYTHING:
                yield draft.problem(
                    "reserved_name",
                    table,
                    index,
                    column,
                    f"{EVERYTHING!r} stands for everything and cannot be a name.",
                    "Choose another name.",
                )


def group_names(draft: Draft) -> Iterator[Problem]:
    """A group may not bear a country's code."""
    countries = set(draft.frame("countries")["country"].dropna())
    for index, group in draft.rows("groups", "group"):
        if group in countries:
            yield draft.problem(
                "group_is_country", "groups", index, "group", f"The group {group!r} bears the code of a country.", "Rename the group."
            )


def traced_group_names(draft: Draft) -> Iterator[Problem]:
    """A tag joins the names of tracing groups by ``+``, so none may hold one."""
    for index, basis, sources in draft.rows("caps", "basis", "sources"):
        if basis == "traced" and sources is not None and "+" in sources:
            message = f"The group {sources!r} is traced, and its name holds '+', which joins the groups of a tag."
            yield draft.problem("reserved_name", "caps", index, "sources", message, "Rename the group without '+'.")


def recipe_amounts(draft: Draft) -> Iterator[Problem]:
    """No amount is zero, and the reference's is +1 or -1."""
    reference = {process: commodity for _, process, commodity in draft.rows("processes", "process", "reference")}
    for index, process, commodity, amount in draft.rows("recipes", "process", "commodity", "amount_t_per_t"):
        if amount is None:
            continue
        if amount == 0.0:
            remedy = "Write a negative amount for what is consumed, a positive one for what is produced, or remove the row."
            yield draft.problem("zero_amount", "recipes", index, "amount_t_per_t", "The amount is zero.", remedy)
        elif commodity is not None and reference.get(process) == commodity and abs(amount) != 1.0:
            message = f"The amount of {commodity!r}, the reference of {process!r}, is {number_text(amount)}, not 1 or -1."
            remedy = f"Divide the whole recipe by {number_text(abs(amount))}."
            yield draft.problem("reference_not_one", "recipes", index, "amount_t_per_t", message, remedy)


def recipes_have_their_reference(draft: Draft) -> Iterator[Problem]:
    """Every process has a recipe, with a row for its reference."""
    if "recipes" in draft.unread:
        return
    listed = {(process, commodity) for _, process, commodity in draft.rows("recipes", "process", "commodity")}
    with_recipe = {process for process, _ in listed}
    for index, process, reference in draft.rows("processes", "process", "reference"):
        if process is None or reference is None or (process, reference) in listed:
            continue
        if process not in with_recipe:
            yield draft.problem(
                "no_recipe", "processes", index, "process", f"The process {process!r} has no recipe.", "Add its rows to the table recipes."
            )
        else:
            message = f"The recipe of {process!r} lacks its reference, {reference!r}."
            remedy = f"Add the row {process},{reference},1 to recipes (-1 if it is consumed), or name another reference."
            yield draft.problem("recipe_without_reference", "processes", index, "reference", message, remedy)
