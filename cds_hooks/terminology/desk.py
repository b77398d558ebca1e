"""What a plugin offers about its codes: the shapes that commands, inbox and resolver work with.

They are protocols, so that a plugin fills them with values of its own and need not know the host.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import Protocol

Progress = Callable[[str, int, int], None]
"""Called with what is being read, how much is done and how much there is (bytes)."""


class Unmapped(Protocol):
    """A code or text that nothing resolved; never data of a patient.

    ``position`` is "drug", "lab" or "problem"; ``text`` is the display or text beside the code, or alone.
    ``understood`` tells that the text was: then only the code is unknown, and worth a question to the resolver.
    """

    @property
    def position(self) -> str: ...
    @property
    def system(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def understood(self) -> bool: ...


class Learned(Protocol):
    """What a resolver found out about one code.

    ``targets`` are the plugin's own identities (ingredients, analytes, conditions), empty where the source knows the
    code and it is none of ours; ``source`` says who said so ("RxNav", "terminology server").
    """

    @property
    def position(self) -> str: ...
    @property
    def system(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def targets(self) -> tuple[str, ...]: ...
    @property
    def source(self) -> str: ...


class Flaw(Protocol):
    """Something that is wrong with the codes.

    ``level`` is "error" (the service does not start with it) or "warning"; ``row`` is the line of a table, the path
    inside a JSON file, or "" for the file as a whole.
    """

    @property
    def level(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def row(self) -> str: ...
    @property
    def reason(self) -> str: ...


class Step(Protocol):
    """One step of the resolution order: what was tried and what came of it."""

    @property
    def name(self) -> str: ...
    @property
    def outcome(self) -> str: ...


class Explanation(Protocol):
    """What a code or text resolves to and why."""

    @property
    def given(self) -> str: ...
    @property
    def resolved(self) -> bool: ...
    @property
    def meaning(self) -> str: ...
    @property
    def steps(self) -> Sequence[Step]: ...
    @property
    def facts(self) -> Sequence[tuple[str, str]]: ...


class Guess(Protocol):
    """A known name that something unmapped may mean; ``likeness`` runs from 0 to 1."""

    @property
    def target(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def likeness(self) -> float: ...


class Difference(Protocol):
    """One code that two snapshots treat differently; ``kind`` is "gained", "lost" or "changed".

    ``what`` says what it is a code of ("RxNorm", "NDC", "ingredient", "name" or a value set); ``before`` and ``after``
    tell the aspects that differ; ``rules`` are the rules that may read the code.
    """

    @property
    def kind(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def rules(self) -> tuple[str, ...]: ...


class Desk(Protocol):
    """The terminology of a plugin, for people and for the resolver.

    ``lookup`` is a conversation without input or output of its own: it yields the path and query of one request after
    another, is sent the body of each answer (None where the server says that it does not know), and returns what was
    learned, or None. It asks nothing where the source cannot answer for that code. ``source`` is "rxnav" or "fhir".
    ``knows`` says whether something that was unmapped is resolved by now. ``build`` reads the release in one folder and
    writes a snapshot to another that is new or empty; ``version`` names a release that does not tell its own. ``build``
    and ``diff`` raise ValueError with a sentence for the operator.
    """

    def check(self) -> Sequence[Flaw]: ...
    def explain(self, text: str) -> Explanation: ...
    def stats(self) -> Sequence[tuple[str, str]]: ...
    def knows(self, unmapped: Unmapped) -> bool: ...
    def likely(self, unmapped: Unmapped, limit: int) -> Sequence[Guess]: ...
    def accept(self, unmapped: Unmapped, target: str, by: str) -> str: ...
    def lookup(self, unmapped: Unmapped, source: str) -> Generator[str, bytes | None, Learned | None]: ...
    def learn(self, found: Iterable[Learned]) -> None: ...
    def build(self, release: Path, out: Path, version: str, progress: Progress) -> Sequence[tuple[str, str]]: ...
    def diff(self, old: Path | None, new: Path | None) -> Sequence[Difference]: ...
