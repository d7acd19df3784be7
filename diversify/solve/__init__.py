"""Solving: the only part that knows HiGHS (and, through Pyomo, any other solver)."""

from diversify.solve.highs import Options, Outcome, Progress, Stopped, export, run
from diversify.solve.matrix import Matrix, compile_model
from diversify.solve.others import run_other
from diversify.solve.prices import Fixed, fix_and_price

__all__ = ["Fixed", "Matrix", "Options", "Outcome", "Progress", "Stopped", "compile_model", "export", "fix_and_price", "run", "run_other"]
