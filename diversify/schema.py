"""The tables of the instance format: columns, kinds, units, defaults, keys, domains and meanings.

This is the one place that knows the format. Reading, checking, templates, workbooks and the documentation
all derive from ``TABLES``. Nothing heavy is imported, so that the command line starts at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

FORMAT_VERSION = 1
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
"""What a name that can become a path or an option must match."""

Kind = Literal["text", "number", "year", "boolean", "ramp"]
"""``text`` free text; ``number`` a finite float; ``year`` a whole number; ``ramp`` shares such as ``0.4;0.8;1``."""

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    ``default`` is what a blank cell means (None: nothing, or as ``meaning`` says). ``refers_to`` names the
    table whose key the cell must be found in; ``selector`` marks a country, a group or ``*``; ``wildcard``
    allows ``*`` beside the reference. ``low`` and ``high`` are inclusive limits unless ``low_open``.
    ``safe_name`` marks names that may become a path or an option.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    key: bool = False
    required: bool = False
    default: str | float | bool | None = None
    refers_to: str = ""
    selector: bool = False
    wildcard: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    low_open: bool = False
    high: float | None = None
    safe_name: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns in reading order, and whether a chain may carry it.

    ``same_per`` names columns that must hold the same value on every row of one group of rows, which the first
    of the key columns identifies (a cap's consumers, for one).
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    in_chain: bool = False
    same_per: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns; empty where rows are ordered and may repeat."""
        return tuple(column.name for column in self.columns if column.key)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns in reading order, provenance last."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the column called ``name``; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name}.{name}")


def _key(name: str, meaning: str, kind: Kind = "text", **more: object) -> Column:
    return Column(name, kind, meaning, key=True, required=True, **more)  # type: ignore[arg-type]


def _number(name: str, unit: str, meaning: str, default: float | None = None, low: float | None = 0.0, **more: object) -> Column:
    return Column(name, "number", meaning, unit=unit, default=default, low=low, **more)  # type: ignore[arg-type]


def _text(name: str, meaning: str, **more: object) -> Column:
    return Column(name, "text", meaning, **more)  # type: ignore[arg-type]


def _reference(name: str, table: str, meaning: str, **more: object) -> Column:
    return Column(name, "text", meaning, required=True, refers_to=table, **more)  # type: ignore[arg-type]


def _selector(name: str, meaning: str) -> Column:
    return Column(name, "text", meaning, required=True, selector=True)


_FIRST_YEAR = Column("first_year", "year", "first calendar year in force, inclusive; blank: always")
_LAST_YEAR = Column("last_year", "year", "last calendar year in force, inclusive; blank: always")

FAMILY_KINDS = ("export_control", "demand", "price", "capex", "delay")
"""What a family of scenarios can be about."""

QUALITIES = ("cited", "derived", "assumed")
_PROVENANCE = (
    _text("source", "where the row's figures come from: an id of the table sources, or free text"),
    _text("quality", "what kind of figure the row holds", choices=QUALITIES),
    _text("note", "a remark on the row"),
)
PROVENANCE_COLUMNS = tuple(column.name for column in _PROVENANCE)


def _table(name: str, meaning: str, *columns: Column, in_chain: bool = False, same_per: tuple[str, ...] = ()) -> Table:
    present = {column.name for column in columns}
    provenance = tuple(column for column in _PROVENANCE if column.name not in present)
    return Table(name, meaning, columns + provenance, in_chain, same_per)


_ALL_TABLES = (
    _table(
        "commodities",
        "what is mined, made, shipped and used",
        _key("commodity", "name of the commodity"),
        _number("price_usd_per_t", "USD per t", "price that ad-valorem tariffs are taken of", 0.0),
        _number("disposal_usd_per_t", "USD per t", "cost of getting rid of a tonne that nobody takes", 0.0),
        Column("traced", "boolean", "whether origin is carried through processing", default=True),
        _text("stage", "stage of the chain, for grouping in reports"),
        _text("description", "what it is"),
        in_chain=True,
    ),
    _table(
        "prices",
        "prices by year, in place of the commodity's constant; linear between years, held before and after",
        _key("commodity", "the commodity", refers_to="commodities"),
        _key("year", "calendar year", "year"),
        _number("price_usd_per_t", "USD per t", "price in that year", required=True),
    ),
    _table(
        "processes",
        "ways of making one commodity from others",
        _key("process", "name of the process"),
        _text("stage", "stage of the chain, for grouping in reports"),
        _reference("reference", "commodities", "commodity in which capacity and activity are measured"),
        _text("description", "what it is"),
        in_chain=True,
    ),
    _table(
        "recipes",
        "what a process takes in and gives out per tonne of activity; no input makes it a source",
        _key("process", "the process", refers_to="processes"),
        _key("commodity", "the commodity", refers_to="commodities"),
        _number(
            "amount_t_per_t",
            "t per t of activity",
            "negative consumed, positive produced; +1 or -1 for the reference",
            low=None,
            required=True,
        ),
        in_chain=True,
    ),
    _table(
        "countries",
        "the countries of the case",
        _key("country", "ISO 3166-1 alpha-3 code"),
        _text("name", "name in words"),
        _number("wacc", "per year, real", "cost of capital of plants there; blank: the discount rate", None, -1.0, low_open=True),
        _text("customs_union", "countries of one customs union pay no tariffs among themselves"),
    ),
    _table(
        "groups",
        "named sets of countries",
        _key("group", "name of the group"),
        _key("country", "a member", refers_to="countries"),
    ),
    _table(
        "locations",
        "places where plants stand and goods are used",
        _key("location", "name of the place"),
        _reference("country", "countries", "country of the place"),
        _number("latitude", "degrees north", "needed where lanes are generated", None, -90.0, high=90.0),
        _number("longitude", "degrees east", "needed where lanes are generated", None, -180.0, high=180.0),
        _text("name", "name in words"),
    ),
    _table(
        "facilities",
        "plants: standing capacity, its cost and its limits; a new plant is a facility without capacity and a project",
        _key("facility", "name of the plant"),
        _reference("location", "locations", "where it stands"),
        _reference("process", "processes", "what it does: its first mode"),
        _text("owner", "controlling country; blank: the country of the location", refers_to="countries"),
        _number("capacity_t_per_year", "t per year of activity", "standing or committed capacity", 0.0),
        Column("first_year", "year", "first year of that capacity; blank: always"),
        Column("last_year", "year", "last year of that capacity; blank: always"),
        Column("closable", "boolean", "whether standing capacity may be given up for good, in whole or part", default=False),
        _number("utilisation_max", "share", "largest share of capacity that can run", 1.0, high=1.0),
        _number("utilisation_min", "share", "smallest share of capacity that must run", 0.0, high=1.0),
        _number("reserve_t", "t", "total activity over the horizon; blank: unlimited"),
        _number("variable_usd_per_t", "USD per t of activity", "variable cost of the own process", 0.0),
        _number("fixed_usd_per_t_year", "USD per t/yr and year", "fixed cost of standing capacity while it stands", 0.0),
        _text("name", "name in words"),
        _text("operator", "company that runs it"),
        _text("status", "operating, under construction, announced, ..."),
    ),
    _table(
        "capacities",
        "standing capacity by year, in place of the facility's own three columns (ramp-up, depletion, planned closure)",
        _key("facility", "the plant", refers_to="facilities"),
        _key("year", "from this year until the next listed one", "year"),
        _number("capacity_t_per_year", "t per year of activity", "standing capacity", required=True),
    ),
    _table(
        "outages",
        "years in which a plant, what stands and what is built there, can run only in part or not at all; rows that match multiply",
        _key("outage", "name of the outage"),
        _reference("facility", "facilities", "the plant"),
        _FIRST_YEAR,
        _LAST_YEAR,
        _number("available", "share", "share of the usable capacity that is left", 0.0, high=1.0),
    ),
    _table(
        "modes",
        "further processes that the same capacity can run",
        _key("facility", "the plant", refers_to="facilities"),
        _key("process", "the further process", refers_to="processes"),
        _number("capacity_per_t", "t per t of activity", "capacity taken by a tonne of activity", 1.0),
        _number("variable_usd_per_t", "USD per t of activity", "variable cost of this process", 0.0),
    ),
    _table(
        "projects",
        "capacity that may be built at a facility",
        _key("project", "name of the project"),
        _reference("facility", "facilities", "the plant that it adds to"),
        _number("unit_t_per_year", "t per year of activity", "size of a unit; blank: any size", None, 0.0, low_open=True),
        _number("units_max", "units", "most units over the horizon (or max_t_per_year)"),
        _number("max_t_per_year", "t per year of activity", "most capacity over the horizon (or units_max)"),
        _number("units_min", "units", "units that must be built", 0.0),
        _number("min_t_per_year", "t per year of activity", "capacity that must be built", 0.0),
        _number("capex_unit_musd", "million USD per unit", "overnight capital cost of a unit"),
        _number("capex_usd_per_t_year", "USD per t/yr", "overnight capital cost by size (the one for any-size projects)"),
        _number("capex_first_musd", "million USD", "overnight capital cost paid once, before or with the first unit", 0.0),
        Column("decided_year", "year", "earliest year of decision; blank: the first planning year"),
        _number("lead_years", "years", "from decision to coming on line", 0.0),
        Column("earliest_year", "year", "earliest year of coming on line"),
        Column("latest_year", "year", "latest year of coming on line"),
        _number("life_years", "years", "years in service, and of the annuity", None, 0.0, low_open=True, required=True),
        Column("ramp", "ramp", "usable share of a unit by calendar year on line; the last repeats", default="1"),
        _number("fixed_usd_per_t_year", "USD per t/yr and year", "fixed cost of a unit's whole size while in service", 0.0),
        _text("name", "name in words"),
        _text("status", "under construction, financed, announced, possible, ..."),
    ),
    _table(
        "freight",
        "commodities that can be shipped from every place that can make them to every place that can use them",
        _key("commodity", "the commodity", refers_to="commodities"),
        _number("handling_usd_per_t", "USD per t", "cost of loading, unloading and paperwork", 0.0),
        _number("freight_usd_per_t_km", "USD per t and km", "cost of distance", 0.0),
    ),
    _table(
        "distances",
        "distance of a lane where it is not the great circle; both ways unless the other way is listed too",
        _key("origin", "from", refers_to="locations"),
        _key("destination", "to", refers_to="locations"),
        _number("km", "km", "distance", required=True),
    ),
    _table(
        "lanes",
        "lanes that are added, or that replace a generated one, in that direction, for all owners together",
        _key("origin", "from", refers_to="locations"),
        _key("destination", "to", refers_to="locations"),
        _key("commodity", "the commodity", refers_to="commodities"),
        _number("cost_usd_per_t", "USD per t", "cost; blank: the generated cost, else 0"),
        _number("capacity_t_per_year", "t per year", "most that can go; blank: unlimited"),
    ),
    _table(
        "contracts",
        "quantities that must be taken over a lane (take or pay)",
        _key("contract", "name of the contract"),
        _reference("origin", "locations", "from"),
        _reference("destination", "locations", "to"),
        _reference("commodity", "commodities", "the commodity"),
        _FIRST_YEAR,
        _LAST_YEAR,
        _number("minimum_t_per_year", "t per year", "least quantity on that lane", required=True),
    ),
    _table(
        "tariffs",
        "duties by value between countries; rows that match the same lane and year add up",
        _key("tariff", "name of the tariff"),
        _selector("origin", "country that the lane leaves: a country, a group or *"),
        _selector("destination", "country that the lane enters: a country, a group or *"),
        _text("commodity", "a commodity or *", required=True, refers_to="commodities", wildcard=True),
        _FIRST_YEAR,
        _LAST_YEAR,
        _number("rate", "share of price", "rate of duty", low=None, required=True),
    ),
    _table(
        "restrictions",
        "limits on what may be shipped, over all matching lanes together; 0 is a ban",
        _key("restriction", "name of the restriction"),
        _selector("origin", "where it comes from: a country, a group or *"),
        _selector("destination", "country that the lane enters: a country, a group or *"),
        _text("commodity", "a commodity or *", required=True, refers_to="commodities", wildcard=True),
        _FIRST_YEAR,
        _LAST_YEAR,
        _number("limit_t_per_year", "t per year", "most that may be shipped; 0 is a ban", required=True),
        _text(
            "by",
            "located: what leaves a country of origin for another; owned: that, and all from plants owned from origin",
            default="located",
            choices=("located", "owned"),
        ),
    ),
    _table(
        "demand",
        "what must be delivered where; linear between listed years",
        _key("location", "the place", refers_to="locations"),
        _key("commodity", "the commodity", refers_to="commodities"),
        Column("year", "year", "calendar year; one row with a blank year holds for all", key=True),
        _number("quantity_t_per_year", "t per year", "quantity wanted", required=True),
        _number("shortage_usd_per_t", "USD per t", "cost of not delivering; blank on all rows of a demand: it must be met"),
    ),
    _table(
        "substitutes",
        "what may be delivered instead",
        _key("commodity", "what is wanted", refers_to="commodities"),
        _key("substitute", "what is delivered instead", refers_to="commodities"),
        _number("ratio_t_per_t", "t per t", "tonnes of substitute per tonne wanted", 1.0, 0.0, low_open=True),
        _number("extra_usd_per_t", "USD per t wanted", "cost of redesign and lost performance per tonne replaced", 0.0),
        _number("max_share", "share", "most of the demand that can be replaced", 1.0, high=1.0),
    ),
    _table(
        "markets",
        "where makers can sell outside the modelled demand",
        _key("location", "a place, or * for each; a row for one place wins", refers_to="locations", wildcard=True),
        _key("commodity", "the commodity", refers_to="commodities"),
        _number("price_usd_per_t", "USD per t", "price received", low=None, required=True),
        _number("limit_t_per_year", "t per year", "most that can be sold at each location; blank: unlimited"),
    ),
    _table(
        "stockpiles",
        "stocks held at the place of use",
        _key("location", "the place", refers_to="locations"),
        _key("commodity", "the commodity", refers_to="commodities"),
        _number("initial_t", "t", "stock before the first planning year", 0.0),
        _text("origin", "country that the initial stock came from; blank: touched by no tracing group", refers_to="countries"),
        _number("capacity_t", "t", "most that can be held; blank: unlimited"),
        _number("holding_usd_per_t_year", "USD per t and year", "cost of holding, on the level at the end of each planning year", 0.0),
        _number("final_min_t", "t", "least stock at the end; blank: the initial stock"),
    ),
    _table(
        "returns",
        "scrap that comes back from what was sold",
        _key("commodity", "what was sold", refers_to="commodities"),
        _key("location", "a place, or * for every place with demand for it", refers_to="locations", wildcard=True),
        _key("scrap", "commodity that comes back", refers_to="commodities"),
        _number("lag_years", "years", "from sale to return", required=True),
        _number("scrap_t_per_t", "t per t sold", "scrap per tonne sold", required=True),
        _text("origin", "country whose touch the scrap carries; blank: none", refers_to="countries"),
        _number("past_t_per_year", "t per year", "sales in each year before the horizon", 0.0),
    ),
    _table(
        "caps",
        "upper limits on a share of origin; linear between listed years, none before the first, the last holds on",
        _key("cap", "name of the cap"),
        _key("year", "calendar year", "year"),
        _number("share", "share", "largest share", required=True, high=1.0),
        _reference("commodity", "commodities", "whose arrivals are compared"),
        _selector("consumers", "countries whose arrivals count"),
        _selector("sources", "countries whose part is capped"),
        _text(
            "basis",
            "produced: last step there; owned: or in a plant owned from there; traced: any step back to the mine",
            required=True,
            choices=("produced", "owned", "traced"),
        ),
        _text("scope", "pooled over the consumers, or each consumer country for itself", default="pooled", choices=("pooled", "each")),
        _number("excess_usd_per_t", "USD per t", "price of a tonne above the cap; blank: the cap is hard"),
        same_per=("commodity", "consumers", "sources", "basis", "scope", "excess_usd_per_t"),
    ),
    _table(
        "floors",
        "lower limits on what makers send out, as a share of what consumers take in; years as in caps",
        _key("floor", "name of the floor"),
        _key("year", "calendar year", "year"),
        _number("share", "share", "smallest share", required=True),
        _reference("commodity", "commodities", "the commodity"),
        _selector("consumers", "countries whose arrivals are the measure"),
        _selector("makers", "countries whose output counts"),
        same_per=("commodity", "consumers", "makers"),
    ),
    _table(
        "budgets",
        "limits on overnight capital committed in a span of years",
        _key("budget", "name of the budget"),
        _selector("payer", "countries where the plants stand"),
        _FIRST_YEAR,
        _LAST_YEAR,
        _number("limit_musd", "million USD", "most that may be committed", required=True),
    ),
    _table(
        "scenarios",
        "named variants of the case",
        _key("scenario", "name of the scenario", safe_name=True),
        _number("probability", "share", "weight in stochastic work; blank: not part of it", high=1.0),
        _text("title", "what it is, in words"),
    ),
    _table(
        "changes",
        "the changes that make a scenario, in order",
        _reference("scenario", "scenarios", "the scenario"),
        _text("change", "the change, in the grammar of --set", required=True),
    ),
    _table(
        "families",
        "uncertain things that scenarios are drawn from; sizes are uniform between low and high, years uniform over whole years",
        _key("family", "name of the family", safe_name=True),
        _text("kind", "what is uncertain", required=True, choices=FAMILY_KINDS),
        _text("origin", "export_control: whose exports are cut, a country, a group or *", selector=True),
        _text("destination", "export_control: where to, a country, a group or *", selector=True),
        _text("commodity", "a commodity or *; of capex and delay: what is made, blank: any", refers_to="commodities", wildcard=True),
        _text("country", "of the consumers (demand) or the plants (capex, delay): a country, a group or *", selector=True),
        _text("follows", "family with which it happens, at the same time, for as long and as severely; blank: none", refers_to="families"),
        _number("chance", "share", "probability that it happens at all", 1.0, high=1.0),
        Column("first_low", "year", "earliest start; of demand and price: first year that differs"),
        Column("first_high", "year", "latest start"),
        _number("years_low", "years", "shortest length; of demand and price: until the size is reached, blank: by the last planning year"),
        _number("years_high", "years", "longest length"),
        _number("low", "by kind", "least size: share of exports cut, factor on demand, price or capex, years of delay", required=True),
        _number("high", "by kind", "largest size", required=True),
        _number("reference_t_per_year", "t per year", "export_control: exports that the share is taken of; not needed for a ban"),
        _text("title", "what it is, in words"),
    ),
    _table(
        "figures",
        "provenance and range of single figures, where one row's figures differ in kind",
        _key("table", "the table"),
        _key("key", "the row's key cells joined by |"),
        _key("column", "the column"),
        _number("low", "as the figure", "low end, for sensitivity analysis", None, None),
        _number("high", "as the figure", "high end, for sensitivity analysis", None, None),
    ),
    _table(
        "sources",
        "works that figures are taken from",
        _key("source", "id used in the source columns"),
        _text("title", "title"),
        _text("publisher", "publisher"),
        Column("year", "year", "year of publication"),
        _text("url", "address"),
        _text("licence", "licence or terms"),
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _ALL_TABLES}
"""Every table of the format by name, in reading order."""


@dataclass(frozen=True, slots=True)
class MetaKey:
    """One key of ``instance.yaml``."""

    name: str
    meaning: str
    required: bool = False


META_KEYS: dict[str, MetaKey] = {
    key.name: key
    for key in (
        MetaKey("format", "version of the format; 1", True),
        MetaKey("name", "name of the case; default the folder's"),
        MetaKey("title", "what the case is, in words"),
        MetaKey("chains", "supply chains that the case uses"),
        MetaKey("years", "planning years: a list, or first, last and step", True),
        MetaKey("discount_rate", "real, of the planner", True),
        MetaKey("currency", "label of the money; default USD 2024"),
        MetaKey("reveal_year", "year from which scenarios differ"),
        MetaKey("solve", "default options of solve: gap, time_limit_s, threads, ..."),
    )
}


def chain_tables() -> Iterator[Table]:
    """Yield the tables that a chain may carry."""
    return (table for table in TABLES.values() if table.in_chain)
