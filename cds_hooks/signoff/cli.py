"""``dystonia-cds signoff``: who stands behind which rule, and signing one off."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cds_hooks.errors import CallTrouble

if TYPE_CHECKING:
    from cds_hooks.service import Plugin
    from cds_hooks.settings import Settings
    from cds_hooks.signoff.book import Signature

signoff = typer.Typer(help="Who of this site stands behind which rule.", no_args_is_help=True)


def _loaded() -> tuple[Settings, Plugin]:
    from cds_hooks.plugins import load_plugin
    from cds_hooks.settings import load

    settings = load()
    return settings, load_plugin(settings.plugin, settings.site("http://127.0.0.1:8000"))


@signoff.command("list")
def list_rules(as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False) -> None:
    """Every rule: signed, unsigned, or outdated because it changed since it was signed off."""
    from cds_hooks.signoff.book import OUTDATED

    settings, plugin = _loaded()
    if as_json:
        for page in plugin.guideline:
            standing = page.signoff
            told = {"rule": page.id, "version": page.version, "state": standing.state, "hash": page.fingerprint}
            signatures = [{name: getattr(one, name) for name in one.__struct_fields__} for one in standing.signatures]
            print(json.dumps({**told, "signatures": signatures}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("Rule", "Version", "State", "By")
    for page in plugin.guideline:
        people = "; ".join(_person(one) for one in page.signoff.signatures)
        note = f"before a change: {people}" if page.signoff.state == OUTDATED else people
        table.add_row(page.id, page.version, page.signoff.state, note)
    console = Console(highlight=False, markup=False)
    console.print(table)
    signed = sum(page.signoff.signed for page in plugin.guideline)
    print(f"{signed} of {len(plugin.guideline)} rules signed off in {settings.signoff_file}.")


def _person(row: Signature) -> str:
    return f"{row.who}, {row.role}, {row.date} (version {row.version})"


@signoff.command("add")
def add_row(
    rule: Annotated[str, typer.Argument(help="The rule's id, such as R-DRUG-01.")],
    who: Annotated[str, typer.Option(help="The name of the person who signs it off.")],
    role: Annotated[str, typer.Option(help="In which role: consultant neurologist, clinical pharmacist, …")],
    note: Annotated[str, typer.Option(help="What should be remembered with it.")] = "",
    on: Annotated[str | None, typer.Option("--date", help="The day of the signature (ISO). Default: today.")] = None,
) -> None:
    """Sign a rule off as it is now: its figures in force, wording, sources and code."""
    from cds_hooks.signoff.book import Signature, add, read_book

    settings, plugin = _loaded()
    page = next((page for page in plugin.guideline if page.id == rule), None)
    if page is None:
        known = ", ".join(page.id for page in plugin.guideline)
        raise CallTrouble(f"There is no rule {rule!r}. Known rules: {known}.")
    day = _day(on)
    for name, text in (("--who", who), ("--role", role)):
        if not text.strip():
            raise CallTrouble(f"{name} is empty: a sign-off names a person and a role.")
    row = Signature(rule, page.version, page.fingerprint, who.strip(), role.strip(), day, note.strip())
    if any(one.who == row.who for one in page.signoff.signatures if page.signoff.signed):
        raise CallTrouble(f"{row.who} has signed off {rule} version {page.version} as it is now already.")
    add(settings.signoff_file, read_book(settings.signoff_file), row)
    print(f"{rule} version {page.version} signed off by {row.who}, {row.role}, {day}.")
    print(f"Written to {settings.signoff_file}; a running service reads it at its next start.")


def _day(text: str | None) -> str:
    today = datetime.now(UTC).date()
    try:
        day = date.fromisoformat(text) if text is not None else today
    except ValueError:
        raise CallTrouble(f"--date: got {text!r}, expected a day such as 2026-01-31.") from None
    if day > today:
        raise CallTrouble(f"--date: got {day}, which lies ahead; expected today or an earlier day.")
    return day.isoformat()
