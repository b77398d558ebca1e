"""``terminology check``, ``explain`` and ``stats``: what is wrong with the codes, what one means, and their numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cds_hooks.errors import CodesTrouble
from cds_hooks.terminology.cli import desk, terminology

if TYPE_CHECKING:
    from rich.console import Console

    from cds_hooks.terminology.desk import Explanation, Flaw

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, for other programs.")]


@terminology.command()
def check() -> None:
    """Tell all that is wrong with the site's codes and with the data; exit code 1 if the service cannot start."""
    try:
        flaws: Sequence[Flaw] = desk().check()
    except CodesTrouble as trouble:
        if not trouble.flaws:
            raise
        flaws = trouble.flaws
    for flaw in flaws:
        typer.echo(flaw_sentence(flaw))
    errors = sum(flaw.level == "error" for flaw in flaws)
    typer.echo(f"{_counted(errors, 'error')}, {_counted(len(flaws) - errors, 'warning')}.")
    if errors:
        raise typer.Exit(1)


def flaw_sentence(flaw: Flaw) -> str:
    """One line a flaw, not wrapped, so that it can be searched and sorted."""
    place = f"{flaw.file}, row {flaw.row}" if flaw.row else flaw.file
    return f"{flaw.level}: {place}: {flaw.reason}"


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


@terminology.command()
def explain(
    what: Annotated[str, typer.Argument(metavar="CODE|TEXT", help="system|code, a code of any system, or a text.")],
    as_json: AsJson = False,
) -> None:
    """Tell what a code or a text resolves to, and why; exit code 1 if nothing resolves."""
    found = desk().explain(what)
    if as_json:
        typer.echo(json.dumps(_as_json(found), ensure_ascii=False))
    else:
        _show(found, _console())
    if not found.resolved:
        raise typer.Exit(1)


def _as_json(found: Explanation) -> dict[str, object]:
    return {
        "given": found.given,
        "resolved": found.resolved,
        "meaning": found.meaning,
        "facts": [{"name": name, "value": value} for name, value in found.facts],
        "steps": [{"name": step.name, "outcome": step.outcome} for step in found.steps],
    }


def _show(found: Explanation, console: Console) -> None:
    console.print(f"{found.given}: {found.meaning}")
    if found.facts:
        console.print()
        console.print(_grid(found.facts))
    console.print("\nWhy:")
    console.print(_grid([(step.name, step.outcome) for step in found.steps]))


@terminology.command()
def stats(as_json: AsJson = False) -> None:
    """Count the codes in force by kind and system, with their versions."""
    rows = desk().stats()
    if as_json:
        typer.echo(json.dumps(dict(rows), ensure_ascii=False))
    else:
        _console().print(_grid(rows))


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, markup=False, soft_wrap=False)


def _grid(rows: Sequence[tuple[str, str]]) -> object:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(max_width=32)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(Text(f"  {name}"), Text(value))
    return grid
