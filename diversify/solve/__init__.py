"""Solving: the only part that knows HiGHS (and, through Pyomo, any other solver)."""

from diversify.solve.elastic import Stretch, indifferent, left_out, parts_allowed, stretched
from diversify.solve.extensive import Extensive, Part, Risk, extensive
from diversify.solve.highs import Known, Options, Outcome, Progress, Stopped, export, run
from diversify.solve.matrix import Matrix, compile_model
from diversify.solve.others import run_other
from diversify.solve.prices import Fixed, Moving, fix_and_price

__all__ = [
    "Extensive",
    "Fixed",
    "Known",
    "Matrix",
    "Moving",
    "Options",
    "Outcome",
    "Part",
    "Progress",
    "Risk",
    "Stopped",
    "Stretch",
    "compile_model",
    "export",
    "extensive",
    "fix_and_price",
    "indifferent",
    "left_out",
    "parts_allowed",
    "run",
    "run_other",
    "stretched",
]
