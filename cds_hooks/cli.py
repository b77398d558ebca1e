"""The command line, ``dystonia-cds``. Commands import what they need late, so that ``--help`` stays quick."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cds_hooks.cases.cli import clinical_diff
from cds_hooks.clients.cli import client
from cds_hooks.doctor.cli import doctor
from cds_hooks.errors import CallTrouble, Trouble
from cds_hooks.exporting import artefacts
from cds_hooks.keys import keys
from cds_hooks.signoff.cli import signoff
from cds_hooks.terminology.cli import terminology

if TYPE_CHECKING:
    import httpx

    from cds_hooks.audit.reader import Reader
    from cds_hooks.fire import HookFile, Reply
    from cds_hooks.keys import Headers

DISTRIBUTION = "dystonia-cds"
SPAN = re.compile(r"[0-9]+[smhdw]")
SHOWN = 40
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
JSON = {"Content-Type": "application/json"}
PATIENCE_SECONDS = 30.0
UNAUTHORISED = 401
WIDTH = 170
"""Columns that the list of calls needs; a narrower window wraps its lines rather than losing ids."""
ID_WIDTH, TIME_WIDTH = 26, 25

app = typer.Typer(
    help="Clinical decision support as a CDS Hooks service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
audit = typer.Typer(help="Look into the audit: what was returned, and why.", no_args_is_help=True)
app.add_typer(audit, name="audit")
app.add_typer(terminology, name="terminology")
app.add_typer(signoff, name="signoff")
app.add_typer(artefacts, name="artefacts")
app.add_typer(client, name="client")
app.add_typer(keys, name="keys")
app.command()(clinical_diff)
app.command()(doctor)


def main() -> None:
    """Runs a command; trouble that a person can mend is told in a sentence, without a traceback."""
    from cds_hooks.audit.errors import StoreError

    try:
        app()
    except (Trouble, StoreError) as trouble:
        print(trouble, file=sys.stderr)
        raise SystemExit(1) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None


def show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"{DISTRIBUTION} {version(DISTRIBUTION)}")
        except PackageNotFoundError:
            print(f"{DISTRIBUTION} (not installed as a package)")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Clinical decision support as a CDS Hooks service."""


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one needs a shared audit store.")] = 1,
) -> None:
    """Start the service."""
    from cds_hooks.serve import serve as run

    run(host, port, workers)


@app.command()
def fire(
    file: Annotated[str, typer.Argument(help="A file with a hook call as JSON; - reads standard input.")],
    url: Annotated[
        str | None, typer.Option(help="A running service, such as http://127.0.0.1:8000. Default: in this process.")
    ] = None,
    *,
    service: Annotated[str | None, typer.Option(help="The service's id. Default: by the call's hook.")] = None,
    token_key: Annotated[
        Path | None, typer.Option(help="With --url: a private key of `keys make`, to sign a token for the call.")
    ] = None,
    issuer: Annotated[str, typer.Option(help="With --token-key: the iss of the token.")] = "",
    tenant: Annotated[str, typer.Option(help="With --token-key: the tenant of the token, where there is one.")] = "",
    authorities: Annotated[
        Path | None, typer.Option(help="With --url: certificate authorities (PEM) to trust beside the public ones.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as it came.")] = False,
) -> None:
    """Send a hook call and show the cards."""
    from rich.console import Console

    from cds_hooks.fire import read_call, show
    from cds_hooks.keys import headers

    if token_key is not None and not url:
        raise CallTrouble("--token-key needs --url: in this process nobody asks for a token.")
    call, proof = read_call(file), headers(token_key, issuer, tenant)
    reply = _send_to(_base(url), call, service, proof, authorities) if url else _fire_inside(call, service)
    if as_json:
        sys.stdout.write(reply.body.decode() + "\n")
    else:
        show(reply, Console(highlight=False))
    if reply.status != 200:
        raise typer.Exit(1)


def _fire_inside(call: HookFile, service: str | None) -> Reply:
    import logging as levels
    from dataclasses import replace

    from cds_hooks import logging
    from cds_hooks.app import create_app
    from cds_hooks.audit import open_store
    from cds_hooks.audit.errors import StoreError
    from cds_hooks.fire import post_inside, service_for
    from cds_hooks.plugins import load_plugin
    from cds_hooks.settings import load

    logging.configure(levels.ERROR)
    # Whoever runs this has the settings and the store at hand: a token would prove nothing more.
    settings = load().model_copy(update={"auth": "off"})
    plugin = load_plugin(settings.plugin, settings.site("http://127.0.0.1:8000"))
    name = service or service_for(call.hook, [{"hook": one.hook, "id": one.id} for one in plugin.services])
    store = None
    if settings.audit:
        try:
            store = open_store(settings.database, settings.data_dir)
        except StoreError as error:
            print(f"This call is not audited. {error} Use --url to send it to a running service.", file=sys.stderr)
            settings = settings.model_copy(update={"audit": False})
    application = create_app(plugin, settings, store=store)
    reply = post_inside(application, f"/cds-services/{name}", call.body)
    return replace(reply, silences=plugin.suppressions)


def _send_to(url: str, call: HookFile, service: str | None, proof: Headers, authorities: Path | None) -> Reply:
    import httpx

    from cds_hooks.outbound import trusted

    try:
        with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False, verify=trusted(authorities)) as client:
            found = None if service else client.get(f"{url}/cds-services", headers=proof(f"{url}/cds-services"))
            if found is not None and found.status_code == UNAUTHORISED:
                return _reply(found)
            address = f"{url}/cds-services/{service or _service(call, found)}"
            return _reply(client.post(address, content=call.body, headers={**JSON, **proof(address)}))
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise CallTrouble(f"{url}/cds-services answers with {status}, expected a CDS service. Correct --url.") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        why, hint = str(error).rstrip("."), "Start one, or correct --url."
        if "CERTIFICATE_VERIFY_FAILED" in why:
            hint = "Name the authority that signed its certificate with --authorities."
        raise CallTrouble(f"No CDS service answers at {url}: {why}. {hint}") from None


def _base(url: str) -> str:
    """The address of a service, also where the address of its discovery was given."""
    return url.rstrip("/").removesuffix("/cds-services")


def _service(call: HookFile, discovery: httpx.Response | None) -> str:
    from cds_hooks.fire import service_for

    assert discovery is not None
    return service_for(call.hook, discovery.raise_for_status().json()["services"])


def _reply(answer: httpx.Response) -> Reply:
    from cds_hooks.fire import Reply

    state = f"{answer.headers.get('x-audit-id', '')} ({answer.headers.get('x-audit-state', '')})"
    return Reply(answer.status_code, answer.content, state)


@app.command()
def settings() -> None:
    """List every setting with its type, default and meaning."""
    from textwrap import fill

    from cds_hooks.setting_table import describe

    for name, kind, default, meaning in describe():
        print(f"{name}  ({kind}; default: {default})")
        print(fill(meaning, initial_indent="    ", subsequent_indent="    "))


@audit.command("list")
def audit_list(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    since: Annotated[str | None, typer.Option(help="A date or time (ISO), or a span such as 30m, 2h, 7d.")] = None,
) -> None:
    """List calls, the newest first."""
    from cds_hooks.audit.export import as_json as exported
    from cds_hooks.audit.export import every
    from cds_hooks.audit.model import CallFilter
    from cds_hooks.visible import as_json as shown

    where = CallFilter(since=moment(since, datetime.now(UTC)) if since else None)
    rows = every(_reader(), where, limit)
    if as_json:
        for row in rows:
            print(shown(exported(row)))
        return
    from rich.console import Console
    from rich.table import Column, Table

    whole = (Column("Id", min_width=ID_WIDTH), Column("Time", min_width=TIME_WIDTH))
    table = Table(*whole, "Client", "Service", "Status", "Cards", "Gravest", "Not checked", "Detail")
    for row in rows:
        when = row.time.isoformat(timespec="seconds")
        cards = (str(row.card_count), row.indicator, str(row.not_checked))
        table.add_row(row.id, when, row.client, row.service, f"{row.status} {row.outcome}", *cards, row.detail)
    console = Console(highlight=False, markup=False)
    console.width = max(console.width, WIDTH)
    console.print(table)


@audit.command("show")
def audit_show(
    id: Annotated[str, typer.Argument(help="The X-Audit-Id of an answer.")],
    as_json: Annotated[bool, typer.Option("--json", help="On one line, for other programs.")] = False,
) -> None:
    """Show one call with its verdicts and feedback, as JSON."""
    from cds_hooks.audit.export import as_json as exported
    from cds_hooks.visible import as_json as shown

    found = _reader().call(id)
    if found is None:
        raise CallTrouble(f"The audit holds no call {id!r}. `audit list` shows the newest.")
    print(shown(exported(found), None if as_json else 2))


def _reader() -> Reader:
    from cds_hooks.audit.export import open_reader
    from cds_hooks.settings import load

    current = load()
    return open_reader(current.database, current.data_dir)


def moment(text: str, now: datetime) -> datetime:
    """What ``--since`` means: an ISO date or time (UTC unless it says otherwise), or a span back from ``now``."""
    try:
        if SPAN.fullmatch(text):
            return now - timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        got = repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")
        raise CallTrouble(f"--since: got {got}, expected a date such as 2026-01-31 or a span such as 2h.") from None


if __name__ == "__main__":
    main()
