"""The plain ASGI of the routes that must be fast: headers in one pass, a body with limits, one answer."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from cds_hooks.errors import ClientGone, Refusal, SlowBody, TooLarge, WrongMedia
from cds_hooks.limits import within
from cds_hooks.settings import Settings

DRAIN_SECONDS = 3.0
DRAIN_BYTES = 64 * 1024 * 1024

SPREAD_SECONDS = 1.0
"""Bodies that began together and are late together are refused within this time, one here and one there: hundreds of
refusals at a time would hold up every other call."""

ARRIVED = "cds.arrived"
"""The key of a request's scope under which the monotonic moment stands at which its last byte had come."""

Headers = list[tuple[bytes, bytes]]

SECURITY: tuple[tuple[bytes, bytes], ...] = (
    (b"content-type", b"application/json"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


@dataclass(slots=True)
class Head:
    """What the routes need of a request's headers."""

    content_type: bytes = b""
    encoding: bytes = b""
    length: int = 0

    @classmethod
    def of(cls, scope: Scope) -> Head:
        head = cls()
        for name, value in scope["headers"]:
            if name == b"content-type":
                head.content_type = value
            elif name == b"content-length":
                head.length = int(value) if value.isdigit() else 0
            elif name == b"content-encoding":
                head.encoding = value
        return head

    def check_media(self) -> None:
        """Raises :class:`WrongMedia` unless the body is declared as plain JSON."""
        media = self.content_type
        if media != b"application/json":
            media = media.partition(b";")[0].strip().lower()
            if media != b"application/json" and not (b"/" in media and media.endswith(b"+json")):
                raise WrongMedia("Content-Type: expected application/json.")
        if self.encoding and self.encoding.strip().lower() != b"identity":
            raise WrongMedia("Content-Encoding: expected none (identity).")


async def read_body(head: Head, receive: Receive, settings: Settings) -> bytes:
    """The whole body; raises :class:`TooLarge` or :class:`SlowBody` beyond what ``settings`` allow."""
    limit, seconds = settings.body_limit, settings.body_seconds
    if head.length > limit:
        raise too_large(limit)
    try:
        return await within(seconds, _gather(receive, limit))
    except TimeoutError:
        await asyncio.sleep(SPREAD_SECONDS * random.random())
        raise SlowBody(f"The body did not arrive within {seconds:g} seconds (DYSTONIA_CDS_BODY_SECONDS).") from None


async def _gather(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts) if len(parts) > 1 else part


def too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes (DYSTONIA_CDS_BODY_LIMIT).")


async def respond(send: Send, status: int, body: bytes, headers: Headers) -> None:
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_answer(
    send: Send, receive: Receive, body: bytes, audit: tuple[str, str], refusal: Refusal | None, status: int = 200
) -> None:
    """Answers with ``status``, or that of ``refusal``; ``audit`` is the id of the audit entry and what became of it."""
    headers: Headers = [*SECURITY, (b"x-audit-id", audit[0].encode()), (b"x-audit-state", audit[1].encode())]
    if refusal is None:
        await respond(send, status, body, headers)
        return
    headers += refusal.headers
    if isinstance(refusal, TooLarge):
        await respond_and_drain(send, receive, refusal.status, body, headers)
    else:
        await respond(send, refusal.status, body, headers)


async def respond_and_drain(send: Send, receive: Receive, status: int, body: bytes, headers: Headers) -> None:
    """Answers while the client may still be sending, and lets it finish within bounds.

    Many clients read no answer before they have sent everything; closing at once would lose it to a reset.
    """
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    with suppress(TimeoutError):
        await within(DRAIN_SECONDS, _drain(receive))
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    size = 0
    while size < DRAIN_BYTES:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            return
