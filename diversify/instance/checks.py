"""All checks of a case, run together so that every problem is reported at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from diversify.errors import InstanceError, Problem
from diversify.instance.apply import changed_draft, scenario_texts
from diversify.instance.assemble import assemble
from diversify.instance.bundled import resolve_source
from diversify.instance.draft import Draft
from diversify.instance.oddities import policies as odd_policies
from diversify.instance.oddities import supply as odd_supply
from diversify.instance.oddities import trade as odd_trade
from diversify.instance.raw import RawInstance
from diversify.instance.reach import Reach
from diversify.instance.read import read_source
from diversify.instance.record import Instance
from diversify.instance.references import key_problems, reference_problems
from diversify.instance.rules import chain, demands, families, plants, policies, trade

Rule = Callable[[Draft], Iterable[Problem]]
Remark = Callable[[Draft, Reach], Iterable[Problem]]

RULES: tuple[Rule, ...] = (
    key_problems,
    reference_problems,
    chain.country_codes,
    chain.names_that_mean_everything,
    chain.group_names,
    chain.traced_group_names,
    chain.recipe_amounts,
    chain.recipes_have_their_reference,
    plants.windows,
    plants.utilisation,
    plants.further_modes,
    plants.project_costs,
    plants.project_limits,
    trade.coordinates,
    demands.demand_years,
    demands.substitutes,
    policies.same_on_all_rows,
    policies.figures_point_somewhere,
    families.families,
    scenario_texts,
)

REMARKS: tuple[Remark, ...] = (
    odd_supply.plants_without_capacity,
    odd_supply.outages_of_nothing,
    odd_supply.unsupplied_demand,
    odd_supply.relabelling,
    odd_supply.lost_origin,
    odd_supply.projects_that_never_come,
    odd_supply.projects_without_a_whole_unit,
    odd_supply.free_modes,
    odd_trade.windows_outside_the_horizon,
    odd_trade.lanes_and_contracts,
    odd_trade.contracts_on_banned_lanes,
    odd_trade.tariffs_and_restrictions,
    odd_trade.tariffs_without_price,
    odd_trade.markets,
    odd_trade.stocks_substitutes_and_returns,
    odd_policies.caps_and_floors_on_nothing,
    odd_policies.traced_caps_on_the_untraced,
    odd_policies.groups_without_use,
    odd_policies.shortage_on_some_rows,
    odd_policies.probabilities,
    odd_policies.tables_without_rows,
    odd_policies.figures_outside_their_range,
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check found: ``errors`` keep the case from being planned with, ``warnings`` are merely odd."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the case can be planned with."""
        return not self.errors


def load(source: Path | str) -> Instance:
    """Read a case: a folder, an ``.xlsx``, a ``.json``, ``-`` (JSON on standard input) or the name of a bundled instance.

    Chains are joined in. Raises UsageError where there is no such source and InstanceError with every problem of its data.
    """
    return checked(read_source(resolve_source(source)))


def checked(raw: RawInstance) -> Instance:
    """Return a raw source as an Instance; raises InstanceError with every problem."""
    draft, problems = assemble(raw)
    problems += errors_of(draft)
    if problems:
        raise InstanceError(problems)
    return Instance(draft)


def errors_of(draft: Draft) -> list[Problem]:
    """Return the problems of a draft that are not of single cells: keys, references and what the tables say together."""
    return [problem for rule in RULES for problem in rule(draft)]


def check(source: Instance | Path | str) -> Findings:
    """Return every error and every warning of a case: an Instance, or anything that ``load`` takes.

    Warnings are looked for where there is no error. Raises UsageError where there is no such source.
    """
    problems: list[Problem] = []
    if isinstance(source, Instance):
        draft = source.draft()
    else:
        draft, problems = assemble(read_source(resolve_source(source)))
    problems = problems + errors_of(draft)
    return Findings(problems, [] if problems else warnings_of(draft))


def warnings_of(draft: Draft) -> list[Problem]:
    """Return what is odd in a draft without errors."""
    reach = Reach(draft)
    found = [problem for remark in REMARKS for problem in remark(draft, reach)]
    return found + list(scenarios_that_fail(draft))


def scenarios_that_fail(draft: Draft) -> Iterable[Problem]:
    """Yield what keeps a scenario from being made: a change that matches nothing, or a result that cannot be planned with.

    A warning, since the case itself can be planned with: an instance made by a change may lack what a scenario changes.
    """
    by_scenario: dict[str, list[tuple[int, str]]] = {}
    for index, scenario, text in draft.rows("changes", "scenario", "change"):
        by_scenario.setdefault(scenario, []).append((index, text))
    for scenario, changes in by_scenario.items():
        texts = [text for _, text in changes]
        for problem in changed_draft(draft, texts)[1]:
            blamed = next(
                (index for index, text in changes if text == problem.value or f"(After the change {text})" in problem.message),
                changes[-1][0],
            )
            where = "" if problem.file.startswith("the change ") else f"{problem.where()}: "
            message = f"The scenario {scenario!r} cannot be made: {where}{problem.message}"
            yield draft.problem("scenario_fails", "changes", blamed, "change", message, problem.remedy)
