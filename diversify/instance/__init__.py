"""Planning cases: reading, checking, changing, describing and writing them."""

from diversify.instance.bundled import bundled_chains, bundled_instances
from diversify.instance.checks import Findings, check, load
from diversify.instance.join import join
from diversify.instance.overview import describe
from diversify.instance.record import Instance
from diversify.instance.template import new
from diversify.instance.write import save, to_json

__all__ = ["Findings", "Instance", "bundled_chains", "bundled_instances", "check", "describe", "join", "load", "new", "save", "to_json"]
