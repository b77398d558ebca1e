"""``terminology build`` and ``terminology diff``: refreshing the drug data, and what that changes."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cds_hooks.errors import CallTrouble
from cds_hooks.terminology.cli import desk, terminology

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_hooks.terminology.desk import Difference, Progress

SHIPPED = "shipped"
_FOLDER = "snapshots"
_WIDTH = 160
"""Columns that the list of differences needs; a narrower window wraps its lines rather than losing codes."""


@terminology.command()
def build(
    rxnorm: Annotated[Path, typer.Option(help="The folder of an unpacked RxNorm release, or its folder rrf.")],
    out: Annotated[
        Path | None, typer.Option(help="A new folder for the snapshot. Default: in the data folder, by release.")
    ] = None,
    version: Annotated[
        str, typer.Option(help="The release, such as 2026-03-02, where neither its folder nor RXNSAB.RRF tells.")
    ] = "",
) -> None:
    """Make a snapshot of the drug data from an official RxNorm release."""
    from cds_hooks.settings import load

    folder = out if out is not None else load().data_dir / _FOLDER / rxnorm.resolve().name
    with _progress() as progress:
        try:
            facts = desk().build(rxnorm, folder, version, progress)
        except ValueError as error:
            raise CallTrouble(str(error)) from error
    for name, value in facts:
        print(f"{name}: {value}")
    print(f"written to: {folder}")
    print(f"Compare it with `dystonia-cds terminology diff {SHIPPED} {folder}`, then set DYSTONIA_CDS_SNAPSHOT to it.")


@contextmanager
def _progress() -> Iterator[Progress]:
    """Bars of the bytes read, one a file, on standard error; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    tasks = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:

        def tell(name: str, done: int, size: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=size)
            bars.update(tasks[name], completed=done)

        yield tell


@terminology.command()
def diff(
    old: Annotated[str, typer.Argument(help="The folder of a snapshot; `shipped` is the one that ships.")],
    new: Annotated[str, typer.Argument(help="The folder to compare it with, or `shipped`.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the codes that two snapshots treat differently, with the rules that may read them."""
    try:
        found = desk().diff(_snapshot(old), _snapshot(new))
    except ValueError as error:
        raise CallTrouble(str(error)) from error
    if as_json:
        for one in found:
            sys.stdout.write(json.dumps(_as_json(one), ensure_ascii=False) + "\n")
    elif found:
        _show(found)
    else:
        print("No difference.")


def _snapshot(name: str) -> Path | None:
    return None if name == SHIPPED else Path(name)


def _as_json(one: Difference) -> dict[str, object]:
    fields = ("kind", "what", "code", "name", "before", "after")
    return {field: getattr(one, field) for field in fields} | {"rules": list(one.rules)}


def _show(found: Sequence[Difference]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    console.width = max(console.width, _WIDTH)
    counts = Counter(one.kind for one in found)
    for kind in counts:
        table = Table("What", "Code", "Name", "Before", "After", "Rules", title=f"{kind}: {counts[kind]}")
        for one in found:
            if one.kind == kind:
                table.add_row(one.what, one.code, one.name, one.before, one.after, " ".join(one.rules))
        console.print(table)
    console.print(", ".join(f"{counts[kind]} {kind}" for kind in counts))
