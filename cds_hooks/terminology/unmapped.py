"""``terminology unmapped`` and ``accept``: what nothing resolved, what it may mean, and how to say what it means."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from cds_hooks.errors import CallTrouble
from cds_hooks.terminology.cli import desk, terminology
from cds_hooks.terminology.entry import Entry, entry_of

if TYPE_CHECKING:
    from cds_hooks.audit.reader import Reader
    from cds_hooks.audit.terms import UnmappedRow
    from cds_hooks.settings import Settings
    from cds_hooks.terminology.desk import Desk, Guess

Position = Literal["drug", "lab", "problem"]
WIDTH = 150
RANKED = 5_000
"""So many of the most counted are compared with known names; the rest would not come to the top anyway."""
NAMELESS = 0.5
"""The likeness of a code without any name, which may mean anything: between a namesake and a stranger."""


class Ranked(msgspec.Struct, frozen=True):
    """A row of the inbox with what it may mean."""

    row: UnmappedRow
    guess: Guess | None

    @property
    def rank(self) -> float:
        """Likeness squared times the magnitude of the count: a namesake seen thrice outranks a stranger seen daily."""
        likeness = self.guess.likeness if self.guess is not None else 0.0 if self.row.text else NAMELESS
        return likeness**2 * log2(1 + self.row.count)


@terminology.command()
def unmapped(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, the most worth a look first.")] = 50,
    position: Annotated[Position | None, typer.Option(help="Only drugs, labs or problems.")] = None,
) -> None:
    """List codes and texts that nothing resolved, ranked by count and by likeness to a known name."""
    from cds_hooks.settings import load
    from cds_hooks.visible import as_json as shown

    found = ranked(_reader(load()).unmapped(position or ""), desk())[:limit]
    if as_json:
        for one in found:
            typer.echo(shown(_as_json(one)))
    elif found:
        _show(found)
    else:
        typer.echo("Nothing is unmapped.")


def ranked(rows: Sequence[UnmappedRow], codes: Desk) -> list[Ranked]:
    """The rows that the codes in force do not resolve, the most worth a look first; always in the same order."""
    found = []
    for number, row in enumerate(row for row in rows if not codes.knows(entry_of(row))):
        guesses = codes.likely(entry_of(row), 1) if row.text and number < RANKED else ()
        found.append(Ranked(row, guesses[0] if guesses else None))
    return sorted(found, key=lambda one: (-one.rank, -one.row.count, one.row.key))


def _as_json(one: Ranked) -> dict[str, object]:
    row, guess = one.row, one.guess
    told: dict[str, object] = {"count": row.count, "position": row.position, "system": row.system, "code": row.code}
    told |= {"text": row.text, "firstSeen": row.first_seen.isoformat(), "lastSeen": row.last_seen.isoformat()}
    if guess is not None:
        told["likely"] = {"target": guess.target, "name": guess.name, "likeness": guess.likeness}
    return told


def _show(found: Sequence[Ranked]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("Count", "Position", "System", "Code", "Text", "Likely meaning")
    for one in found:
        row, guess = one.row, one.guess
        likely = f"{guess.target} ({guess.name}, {guess.likeness:.0%})" if guess is not None else ""
        cells = (str(row.count), row.position, row.system, row.code, row.text, likely)
        table.add_row(*map(Text, cells))
    console = Console(highlight=False, markup=False)
    console.width = max(console.width, WIDTH)
    console.print(table)


@terminology.command()
def accept(
    what: Annotated[str, typer.Argument(metavar="SYSTEM|CODE or TEXT", help="As the list of the unmapped shows it.")],
    target: Annotated[str, typer.Argument(help="What it means: a standard code, a known name, or none.")],
    position: Annotated[Position | None, typer.Option(help="Needed for what the list does not hold.")] = None,
    by: Annotated[str, typer.Option(help="Who decided it; kept beside the mapping.")] = "",
) -> None:
    """Say what an unmapped code or drug text means, which makes a new version of the site's map."""
    from cds_hooks.settings import load

    settings = load()
    rows = _stored(settings)
    _make_folder(settings)
    entry = _entry(what, rows, position)
    try:
        told = desk().accept(entry, target, by)
    except ValueError as error:
        raise CallTrouble(f"{what!r} was not mapped: {error}.") from None
    typer.echo(f"{told} Restart the service to use it.")


def _entry(what: str, rows: Sequence[UnmappedRow], position: Position | None) -> Entry:
    """What is meant, with the name and position that the inbox holds for it."""
    system, bar, code = what.strip().rpartition("|")
    system, code, text = (system.strip(), code.strip(), "") if bar else ("", "", what.strip())
    key = (system, code, "" if code else text.casefold())
    fitting = [row for row in rows if row.key[1:] == key and position in (None, row.position)]
    positions = sorted({row.position for row in fitting})
    if len(positions) > 1 or (not fitting and position is None):
        seen = f"was seen as {' and as '.join(positions)}" if fitting else "is not among the unmapped"
        raise CallTrouble(f"{what!r} {seen}: say --position drug, lab or problem.")
    return Entry(position or positions[0], system, code, fitting[0].text if fitting else text)


def _stored(settings: Settings) -> Sequence[UnmappedRow]:
    from cds_hooks.audit.errors import StoreError

    try:
        return _reader(settings).unmapped()
    except StoreError:  # a site may map its codes before the service first ran
        return ()


def _make_folder(settings: Settings) -> None:
    """The folder in which the service looks for the site's codes is made when the first mapping goes into it."""
    if settings.terminology_folder is None:
        (settings.data_dir / "terminology").mkdir(mode=0o700, parents=True, exist_ok=True)


def _reader(settings: Settings) -> Reader:
    from cds_hooks.audit.export import open_reader

    return open_reader(settings.database, settings.data_dir)
