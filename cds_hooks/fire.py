"""Sending one hook call from the command line, and showing the answer to a person."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text
from starlette.types import ASGIApp, Message

from cds_hooks.errors import CallTrouble
from cds_hooks.loose import json_text
from cds_hooks.models import EXTENSION
from cds_hooks.shapes import kind_of
from cds_hooks.visible import visible

Json = dict[str, Any]
COLOURS = {"info": "blue", "warning": "yellow", "critical": "red"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and a body, from a running service or from the application itself.

    ``silences`` say what each value of ``suppressed`` means, where the plugin is at hand to tell.
    """

    status: int
    body: bytes
    audit: str = ""
    silences: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HookFile:
    """A hook call as it stands in a file, byte by byte, and the hook that it names (empty if it names none)."""

    body: bytes
    hook: str


class _Members(msgspec.Struct):
    hook: msgspec.Raw = msgspec.Raw()
    body: msgspec.Raw = msgspec.Raw()


def read_call(name: str) -> HookFile:
    """The call in a file (``-``: standard input), also where it is wrapped as ``{"body": …}``."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        content.decode()
    except OSError as error:
        raise CallTrouble(f"The file {name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CallTrouble(f"The file {name} is not UTF-8 text, expected a hook call as JSON.") from None
    members = _members(content, name)
    if kind_of(bytes(members.body)) == "object":
        content = bytes(members.body)
        members = _members(content, name)
    return HookFile(content, json_text(members.hook))


def _members(content: bytes, name: str) -> _Members:
    try:
        return msgspec.json.decode(content, type=_Members)
    except RecursionError:
        raise CallTrouble(f"The file {name} is nested too deeply, expected a hook call.") from None
    except msgspec.ValidationError:
        raise CallTrouble(f"The file {name} holds no JSON object, expected a hook call.") from None
    except msgspec.DecodeError as error:
        raise CallTrouble(f"The file {name} is not JSON: {error}.") from None


def service_for(hook: str, services: Iterable[Mapping[str, Any]]) -> str:
    """The id of the service that answers a hook; ``services`` as discovery lists them."""
    offered = {service["hook"]: service["id"] for service in services}
    if hook not in offered:
        named = f"The call's hook is {hook!r}, and no service answers that." if hook else "The call names no hook."
        raise CallTrouble(f"{named} Hooks answered: {', '.join(sorted(offered))}. Name a service with --service.")
    return str(offered[hook])


def post_inside(app: ASGIApp, path: str, body: bytes) -> Reply:
    """Sends a call to the application in this process, start and stop of the application included."""
    return asyncio.run(_post_inside(app, path, body))


async def _post_inside(app: ASGIApp, path: str, body: bytes) -> Reply:
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    life = asyncio.ensure_future(app({"type": "lifespan", "asgi": {"version": "3.0"}}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    if (await from_app.get())["type"] != "lifespan.startup.complete":
        await life
    try:
        return await _call(app, path, body)
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await life


async def _call(app: ASGIApp, path: str, body: bytes) -> Reply:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    answered = dict(sent[0]["headers"])
    content = b"".join(message.get("body", b"") for message in sent[1:])
    audit = f"{answered.get(b'x-audit-id', b'').decode()} ({answered.get(b'x-audit-state', b'').decode()})"
    return Reply(sent[0]["status"], content, audit)


def show(reply: Reply, console: Console) -> None:
    """Prints cards, or why there is none."""
    content = _parsed(reply.body)
    if reply.status != 200:
        console.print(Text(f"Status {reply.status}: {outcome_text(content)}", "red"))
        return
    for card in content.get("cards", []):
        console.print(_card(card))
    if not content.get("cards"):
        console.print("No card. That is not the same as safe.")
    for line in _silenced(content, reply.silences):
        console.print(Text(line))
    for line in _verdicts(content):
        console.print(Text(line, "dim"))
    if reply.audit:
        console.print(Text(f"Audit entry {reply.audit}", "dim"))


def _parsed(body: bytes) -> Json:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return visible(content) if isinstance(content, dict) else {}


def outcome_text(content: Json) -> str:
    texts = [issue.get("details", {}).get("text") or issue.get("diagnostics", "") for issue in content.get("issue", [])]
    return " ".join(text for text in texts if text) or "no reason given"


def _card(card: Json) -> Panel:
    indicator = card.get("indicator", "")
    parts: list[RenderableType] = [Text(card.get("summary", ""), "bold")]
    if card.get("detail"):
        parts += [Text(), *map(_line, card["detail"].replace("**\n\n", "**\n").splitlines())]
    for title, lines in _sections(card):
        parts += [Text(), Text(title, "bold"), *map(_bullet, lines)]
    return Panel(Group(*parts), title=Text(indicator), title_align="left", border_style=COLOURS.get(indicator, ""))


def _line(line: str) -> RenderableType:
    """A line of the little Markdown that cards hold: headings in bold and bullets."""
    if line.startswith("**") and line.endswith("**"):
        return Text(line.strip("*"), "bold")
    return _bullet(line[2:]) if line.startswith("- ") else Text(line)


def _bullet(line: str) -> RenderableType:
    """A point of a list, whose further lines begin below its first word."""
    shown = Table.grid("", Column(overflow="fold"), padding=(0, 1, 0, 0))
    shown.add_row(Text("  •"), Text(line))
    return shown


def _sections(card: Json) -> Iterable[tuple[str, list[str]]]:
    ours = card.get("extension", {}).get(EXTENSION, {})
    sections = (
        ("Facts", [_fact(fact) for fact in ours.get("facts", [])]),
        ("Could not be checked", [f"{one.get('input')}: {one.get('reason')}" for one in ours.get("missing", [])]),
        ("Suggestions", [_suggestion(one) for one in card.get("suggestions", [])]),
        ("Reasons to override", [one.get("display", "") for one in card.get("overrideReasons", [])]),
        ("Links", [f"{link.get('label')}: {link.get('url')}" for link in card.get("links", [])]),
        ("Source", [card["source"]["label"]] if card.get("source", {}).get("label") else []),
    )
    return ((title, lines) for title, lines in sections if lines)


def _fact(fact: Json) -> str:
    return f"{fact.get('text', '')} ({fact['reference']})" if fact.get("reference") else str(fact.get("text", ""))


def _suggestion(suggestion: Json) -> str:
    label = str(suggestion.get("label"))
    actions = "; ".join(action.get("description", "") for action in suggestion.get("actions", []))
    return f"{label} ({actions})" if actions and actions != label else label


def _results(content: Json) -> list[Json]:
    results = content.get("extension", {}).get(EXTENSION, {}).get("results", [])
    return [one for one in results if isinstance(one, dict)]


def _subject(result: Json) -> str:
    return f" for {result['subject']}" if result.get("subject") else ""


def _silenced(content: Json, meanings: Mapping[str, str]) -> Iterable[str]:
    """What was found and not shown, and why."""
    for one in _results(content):
        code = str(one.get("suppressed", ""))
        if code:
            yield f"Silenced: {one.get('rule')}{_subject(one)} ({code}). {meanings.get(code, '')}".rstrip()


def _verdicts(content: Json) -> Iterable[str]:
    results = _results(content)
    unchecked = [one for one in results if one.get("status") == "not-checked"]
    for one in unchecked:
        yield f"Not checked: {one.get('rule')}{_subject(one)} ({one.get('reason')})"
    counts = {status: sum(one.get("status") == status for one in results) for status in ("fired", "clear")}
    ruleset = content.get("extension", {}).get(EXTENSION, {}).get("ruleset", "unknown")
    yield f"Rule set {ruleset}: {counts['fired']} fired, {counts['clear']} clear, " + (
        f"{len(unchecked)} not checked, {len(results)} verdicts in all"
    )
