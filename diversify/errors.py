"""The tree of errors and the record of one problem in the data.

Every error that a user can cause derives from :class:`DiversifyError` and carries a stable ``code``.
Problems of the data are collected, all of them, and raised once as an :class:`InstanceError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong (or odd) in the data, where it stands and what to do about it.

    ``row`` is the number a user sees: the line of a CSV file, the row of a sheet (both count the header
    as 1), or the position of a record in a JSON table (the first is 1). Blank parts mean "not of one
    table", "not of one row", "not of one column".
    """

    code: str
    message: str
    remedy: str = ""
    table: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""
    file: str = ""
    cell: str = ""

    def where(self) -> str:
        """Return the place in words, e.g. ``demand.csv, row 3, column year``."""
        parts = [self.file or self.table]
        if self.cell:
            parts.append(f"cell {self.cell}")
        elif self.row is not None:
            parts.append(f"row {self.row}")
        if self.column:
            parts.append(f"column {self.column}")
        return ", ".join(part for part in parts if part)

    def __str__(self) -> str:
        """Return place, message and remedy on one line."""
        where = self.where()
        text = f"{where}: {self.message}" if where else self.message
        return f"{text} {self.remedy}".rstrip()

    def as_dict(self) -> dict[str, object]:
        """Return the problem as the JSON object of ``check --json``."""
        return asdict(self)


ASSUMED_AND_DECISIVE = "assumed_and_decisive"
"""Code of the warning about an assumed row that decides the plan; there may be many."""


class DiversifyError(Exception):
    """Root of the errors that the package raises on purpose."""

    code = "error"


class UsageError(DiversifyError):
    """An option, a name or a path given by the caller that cannot be used."""

    code = "usage"


class InstanceError(DiversifyError):
    """The data cannot be planned with; ``problems`` lists every reason, ``warnings`` what is merely odd."""

    code = "bad_data"

    def __init__(self, problems: Sequence[Problem], warnings: Sequence[Problem] = ()) -> None:
        self.problems = list(problems)
        self.warnings = list(warnings)
        count = len(self.problems)
        head = f"{count} problem{'s' if count != 1 else ''} in the data"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))

    def __reduce__(self) -> tuple[type[InstanceError], tuple[list[Problem], list[Problem]]]:
        """Let the error be what it is in another process too; an exception is otherwise made again from its text alone."""
        return type(self), (self.problems, self.warnings)


class SolverError(DiversifyError):
    """The solver refused an option or a model, or ended in a way that says nothing about the case."""

    code = "solver"


class ResultFolderError(UsageError):
    """A result folder that may not be written to, or that does not hold a whole plan."""

    code = "result_folder"
