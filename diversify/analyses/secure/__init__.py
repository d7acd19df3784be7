"""Security as a constraint: the cheapest plan that survives every single loss of a set with little shortage, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diversify.analyses.answer import Answer, tabulated
from diversify.analyses.executor import Executor
from diversify.analyses.secure.contingencies import GENERATED, Losses, named
from diversify.analyses.secure.findings import LAYOUT, told
from diversify.analyses.secure.search import Search
from diversify.analyses.solving import Limits, manifest
from diversify.errors import UsageError
from diversify.instance import Instance, load
from diversify.planning.security import Security
from diversify.planning.stages import reveal_year_in

__all__ = ["GENERATED", "LAYOUT", "secure"]


def secure(
    instance: Instance | str | Path,
    *,
    against: Sequence[str] = GENERATED,
    within: Sequence[float] = (0.0,),
    commodities: Sequence[str] | None = None,
    consumers: Sequence[str] = ("*",),
    years: float = 0.0,
    above: float = 0.25,
    lasting: int = 1,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
) -> Answer:
    """Return the cheapest plan of an instance that survives every single loss of a set, at several levels of permitted shortage.

    ``against`` names scenarios of the instance, or kinds of losses that are generated (:data:`GENERATED`): each plant, each country's
    exports, each commodity's trade between two countries that is at least ``above`` of all of a commodity in the reveal year, for
    ``lasting`` planning years from then on (N-1). They are generated anew from each plan, so that the secure plan survives the loss of
    what it relies on itself.

    A loss is survived if shortage of each of ``commodities`` (all that are demanded) at each group of ``consumers`` (countries or groups;
    pooled within a group) stays within a share of the demand in every planning year from the reveal year on, but for ``years`` calendar
    years. ``within`` lists such shares; each is a point of the curve.

    What is decided before the ``reveal_year`` is the same whatever is lost, the rest adapts. The cost is that of the case without a
    loss (discounted million USD); what security costs is a band of what is proved. Raises UsageError for an unknown scenario,
    commodity or consumer, a scenario that differs before the reveal year, or options that make no sense.
    """
    case = instance if isinstance(instance, Instance) else load(instance)
    levels = sorted({float(level) for level in within}, reverse=True)
    first, *_ = [Security.of(case, commodities, consumers, level, years) for level in _some(levels, "within")]
    limits = Limits.of(case, gap=gap, time_limit=time_limit, seed=seed)
    with (executor or Executor()).held() as runner:
        search = _search(case, _some(against, "against"), above, lasting, limits, runner)
        least = search.least()
        points = search.curve(first, levels, least) if least["objective_musd"] is not None else []
        fates = search.fates(least, points)
    summary, records = told(case, first, least, points, fates)
    asked: dict[str, Any] = {
        "verb": "secure",
        "against": list(against),
        "within": levels,
        "above": above,
        "lasting": lasting,
        "years": years,
    }
    return Answer("secure", case, LAYOUT, summary, tabulated(LAYOUT, records), manifest(case, limits, **asked))


def _some(values: Sequence[Any], what: str) -> Sequence[Any]:
    if not len(values):
        raise UsageError(f"{what} needs a value or more.")
    return values


def _search(case: Instance, against: Sequence[str], above: float, lasting: int, limits: Limits, executor: Executor) -> Search:
    if not 0.0 < above <= 1.0 or lasting < 1:
        raise UsageError(f"A loss is generated above a share from 0 to 1, for a planning year or more; got {above:g} and {lasting}.")
    kinds = tuple(name for name in against if name in GENERATED)
    reveal = reveal_year_in(case)
    later = [year for year in case.years if year >= reveal]
    losses = Losses(kinds, above, later[0], later[min(lasting, len(later)) - 1]) if kinds else None
    known = {each.name: each for each in named(case, [name for name in against if name not in GENERATED])}
    search = Search(case, known, losses, limits, executor)
    search.compare()
    return search
