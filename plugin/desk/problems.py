"""What is wrong with the codes, by file, row and reason: collected, so that all of it is told at once."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

ERROR = "error"
WARNING = "warning"
MOST_TOLD = 20


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    ``level`` is "error" (the service does not start with it) or "warning". ``row`` is the line of a CSV file, the path
    inside a JSON file, or "" for the file as a whole.
    """

    level: str
    file: str
    row: str
    reason: str

    def sentence(self) -> str:
        """File, row and reason on one line."""
        return ": ".join(part for part in (self.file, f"row {self.row}" if self.row else "", self.reason) if part)


class Problems:
    """A list of problems that grows while files are read."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def error(self, file: str, row: str, reason: str) -> None:
        self._found.append(Problem(ERROR, file, row, reason))

    def warning(self, file: str, row: str, reason: str) -> None:
        self._found.append(Problem(WARNING, file, row, reason))


def errors_of(problems: Iterator[Problem] | tuple[Problem, ...] | Problems) -> tuple[Problem, ...]:
    """Those with which the service does not start."""
    return tuple(problem for problem in problems if problem.level == ERROR)


def shown(text: str, most: int = 60) -> str:
    """A cell of a file in quotes, cut where it is long."""
    return repr(text if len(text) <= most else f"{text[:most]}…")


def refusal(problems: tuple[Problem, ...]) -> str:
    """Why the service does not start, for whoever starts it: the first errors, one a line, and how many there are."""
    errors = errors_of(problems)
    told = [f"  {problem.sentence()}" for problem in errors[:MOST_TOLD]]
    rest = f" The first {MOST_TOLD} of {len(errors)}:" if len(errors) > MOST_TOLD else ""
    lead = f"The codes cannot be used; `dystonia-cds terminology check` lists all that is wrong.{rest}"
    return "\n".join([lead, *told])
