"""The commands ``client add``, ``client check`` and ``client list``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cds_hooks.errors import SettingsTrouble

if TYPE_CHECKING:
    from cds_hooks.clients import Client

LONGEST_SHOWN = 40
WIDTH = 150
"""Columns that the list of clients needs; a narrower window wraps its lines."""
client = typer.Typer(help="The EHRs that may call: register, check, list.", no_args_is_help=True)

FIELDS = "The fields, as FIELD=VALUE; lists with commas. `client fields` lists them."


@client.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A short name for the audit: small letters, digits, - . _")],
    fields: Annotated[list[str] | None, typer.Argument(metavar="FIELD=VALUE", help=FIELDS)] = None,
    file: Annotated[Path | None, typer.Option(help="The settings file. Default: DYSTONIA_CDS_CONFIG.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the table and write nothing.")] = False,
) -> None:
    """Write the table of a client into the settings file; everything else in it stays as it is."""
    text = table({"name": name} | dict(_pair(field) for field in fields or ()))
    path = _file(file, needed=not dry_run)
    before = path.read_text("utf-8") if path.exists() else ""
    whole = f"{before.rstrip()}\n\n{text}" if before.strip() else text
    written = checked(whole, path)
    if dry_run:
        print(text, end="")
        return
    _write(path, whole)
    print(f"Wrote the client {name} into {path}.")
    _tell_gaps(written)
    print(f"Try it with `dystonia-cds client check {name}`, then restart the service.")


@client.command("fields")
def fields() -> None:
    """List the fields of a client's table with their meaning."""
    from cds_hooks.clients import Client

    for name, field in Client.model_fields.items():
        print(f"{name:18} {field.description}")


def _tell_gaps(written: Client) -> None:
    """What its table still lacks, as ``client check`` will say it."""
    from cds_hooks.doctor import State, registered
    from cds_hooks.doctor.cli import line

    for found in registered.of_client(written):
        if found.state is not State.OK:
            print(line(found))


def _pair(text: str) -> tuple[str, Any]:
    """``field=value`` as the settings file holds it: lists where the field is one, switches as words."""
    from cds_hooks.clients import Client

    name, equals, value = text.partition("=")
    field = Client.model_fields.get(name)
    if field is not None and "dict" in str(field.annotation):
        raise SettingsTrouble(
            f"Got {name!r}, which is a table of its own: write it below the client's, as [clients.{name}]."
        )
    if not equals or field is None or name == "name":
        got = name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}…"
        raise SettingsTrouble(f"Got {got!r}, expected FIELD=VALUE. `dystonia-cds client fields` lists the fields.")
    kind = str(field.annotation)
    if "tuple" in kind:
        return name, [one for one in value.split(",") if one]
    return name, float(value) if "float" in kind and value.replace(".", "", 1).isdigit() else value


def table(fields: Mapping[str, Any]) -> str:
    """A ``[[clients]]`` table in TOML."""
    return "\n".join(["[[clients]]", *(f"{key} = {_toml(value)}" for key, value in fields.items()), ""])


def _toml(value: object) -> str:
    # A JSON string, list or boolean is a TOML one too.
    return json.dumps(value, ensure_ascii=False)


def checked(text: str, path: Path) -> Client:
    """The last client of a settings file; raises :class:`SettingsTrouble` if the file contradicts itself."""
    import tomllib

    from pydantic import ValidationError

    from cds_hooks.clients import Registry
    from cds_hooks.plugins import check_services, load_plugin
    from cds_hooks.settings import Given, read_values, sentence

    try:
        given = Given(**read_values(path, tomllib.loads(text), Given.model_fields))
        Registry.of(given)
        if any(one.services for one in given.clients):
            check_services(given, load_plugin(given.plugin, given.site("")))
        return given.clients[-1]
    except tomllib.TOMLDecodeError as error:
        raise SettingsTrouble(f"The settings file {path} is not TOML: {error}.") from None
    except ValidationError as error:
        raise SettingsTrouble(" ".join(sentence(one) for one in error.errors())) from None


def _file(file: Path | None, *, needed: bool) -> Path:
    from cds_hooks.settings import CONFIG

    named = file or (Path(os.environ[CONFIG]) if os.environ.get(CONFIG) else None)
    if named is None and needed:
        raise SettingsTrouble(f"Which settings file? Name it with --file, or with {CONFIG} in the environment.")
    return named or Path("settings.toml")


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".new")
    try:
        draft.write_text(text, "utf-8")
        if path.exists():
            draft.chmod(path.stat().st_mode)
        draft.replace(path)
    except OSError as error:
        raise SettingsTrouble(f"The settings file {path} cannot be written: {error.strerror}.") from None


@client.command("check")
def check(name: Annotated[str, typer.Argument(help="The client's name.")]) -> None:
    """Try the keys and the FHIR server of one client. Exit code 1 if anything is wrong."""
    import asyncio

    from cds_hooks.clock import utc_now
    from cds_hooks.doctor import Ground, State, peers, registered
    from cds_hooks.doctor.cli import line
    from cds_hooks.plugins import load_plugin
    from cds_hooks.settings import load

    settings = load()
    one = next((each for each in settings.clients if each.name == name), None)
    if one is None:
        raise SettingsTrouble(f"There is no client {name!r}. Registered: {_names(settings.clients)}.")
    plugin = load_plugin(settings.plugin, settings.site("http://127.0.0.1:8000", one))
    ground = Ground(settings, "127.0.0.1", 8000, utc_now())
    found = [*registered.of_client(one), *asyncio.run(peers.client(ground, one, plugin))]
    for each in found:
        print(line(each))
    if any(each.state is State.WRONG for each in found):
        raise typer.Exit(1)


def _names(clients: Sequence[Any]) -> str:
    return ", ".join(one.name for one in clients) or "none"


@client.command("list")
def show() -> None:
    """List the registered clients."""
    from rich.console import Console
    from rich.table import Column, Table

    from cds_hooks.settings import load

    settings = load()
    heads = ("Name", "Issuer", "Tenant", "Keys", "FHIR servers", "Dialect", "Jurisdiction", "Cards")
    if not settings.clients:
        typer.echo("No client is registered; `client add` writes the table of one.")
        return
    shown = Table(*(Column(head, overflow="fold") for head in heads))
    for one in settings.clients:
        keys = [*one.jwks_urls, *([one.jwks_file.name] if one.jwks_file is not None else [])]
        silent = settings.silent if one.silent is None else one.silent
        shown.add_row(
            one.name,
            one.issuer,
            one.tenant,
            "\n".join(keys),
            "\n".join(one.fhir_servers),
            one.dialect or settings.dialect,
            one.jurisdiction or settings.jurisdiction,
            "silent" if silent else "shown",
        )
    console = Console(highlight=False, markup=False)
    console.width = max(console.width, WIDTH)
    console.print(shown)
