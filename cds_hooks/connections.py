"""What one connection may take: time and bytes for a request's head, and a share of all connections."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
from asyncio.events import TimerHandle
from collections import Counter
from collections.abc import Sequence
from struct import unpack_from
from time import monotonic
from typing import Any, ClassVar, cast

import structlog
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from cds_hooks.asgi import ARRIVED, DRAIN_SECONDS, SECURITY
from cds_hooks.errors import BadCall, HeadTooLarge, Refusal, SlowHead, outcome_json
from cds_hooks.transport import CorkedProtocol

HEADER_SECONDS = 5.0
HEADER_BYTES = 64 * 1024
MOST_CONNECTIONS = 1_000
"""For each address; a reverse proxy is one address."""

MOST_FILES = 10_240
"""Files and sockets of this process."""

HOSTS = {"1.0": (0, 1), "1.1": (1,)}
"""How often a head names its host (RFC 9112, 3.2)."""

QUIET_SECONDS = 60.0
"""Between two lines of the log about a crowd of connections."""

# A chunk of one byte takes five more bytes to frame.
FRAMING = 8
_TCP_INFO_BYTES, _LAST_DATA_RECEIVED = 104, 52

log = structlog.get_logger()


def allow_files() -> None:
    """Lets this process hold as many files and sockets as it may: the usual soft limit is little more than what one
    address may take, and beyond it nobody else could connect."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class GuardedProtocol(CorkedProtocol):
    """uvicorn's HTTP that waits for no head longer than agreed, and keeps none larger.

    ``_unread`` counts the bytes of the present message that are no body: head, chunk framing and trailers. Where they
    are more than there can be use for, the connection ends.
    """

    _held: ClassVar[Counter[str]] = Counter()
    _quiet_until: ClassVar[list[float]] = [0.0]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._alarm: TimerHandle | None = None
        self._unread, self._in_head, self._in_message = 0, False, False
        self._address = self.client[0] if self.client else ""
        self._held[self._address] += 1
        if self._held[self._address] > MOST_CONNECTIONS:
            self._tell_of_crowd()
            self.transport.close()
        else:
            self._expect_head()

    def _tell_of_crowd(self) -> None:
        if self.loop.time() >= self._quiet_until[0]:
            self._quiet_until[0] = self.loop.time() + QUIET_SECONDS
            log.warning("too-many-connections", most=MOST_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._held[self._address] -= 1
        if self._held[self._address] <= 0:
            del self._held[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._unread += len(data)
        super().data_received(data)
        if self._in_message and self._unread > HEADER_BYTES:
            self._refuse(HeadTooLarge() if self._in_head else BadCall("The body's framing is larger than its content."))
        elif self._in_head and self._alarm is None:
            self._expect_head()

    def on_message_begin(self) -> None:
        self._unread, self._in_head, self._in_message = 0, True, True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # what comes after the body is no header: nothing of it is kept
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._disarm()
        refusal = head_flaw(self.parser.get_http_version(), self.url, self.headers)
        if refusal is not None:
            self._in_message = False
            raise refusal
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keeps a piece of a body, and wakes the application only for what makes it worth it: one that drips byte by
        byte costs no more than the bytes, up to the moment at which it is whole or late."""
        self._unread -= len(body) * FRAMING
        cycle = self.cycle
        if not cycle.response_complete and len(cycle.body) + len(body) <= HIGH_WATER_LIMIT:
            cycle.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_message = False
        self._disarm()
        cast(dict[str, Any], self.scope)[ARRIVED] = monotonic() - waited(self.transport)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers where the bytes are no request; the exception on its way says which it is."""
        told = sys.exc_info()[1]
        cause = told.__context__ if told is not None else None
        self._refuse(cause if isinstance(cause, Refusal) else BadCall("The request is not HTTP/1.1."))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_unread() and self._alarm is None and not self.transport.is_closing():
            self._alarm = self.loop.call_later(DRAIN_SECONDS, self._head_is_late)

    def _is_unread(self) -> bool:
        """Whether the answer left before the body had come whole: the rest of it is not waited for without end."""
        cycle: RequestResponseCycle | None = self.cycle
        return self._in_message and not self._in_head and cycle is not None and cycle.response_complete

    def _expect_head(self) -> None:
        self._alarm = self.loop.call_later(HEADER_SECONDS, self._head_is_late)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _head_is_late(self) -> None:
        self._alarm = None
        if self._in_head:
            self._refuse(SlowHead(f"The head of the request did not arrive within {HEADER_SECONDS:g} seconds."))
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, refusal: Refusal) -> None:
        self._in_message = self._in_head = False
        self._disarm()
        if self.transport.is_closing():
            return
        if not self._is_answering():
            self.transport.write(_answer(refusal))
        self.transport.close()

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and cycle.response_started and not cycle.response_complete


def head_flaw(version: str, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Refusal | None:
    """What is wrong with a head that can be read: too large, or one that a proxy before us may read in another way."""
    size, hosts = len(url), 0
    for name, value in headers:
        size += len(name) + len(value)
        if name == b"host":
            hosts += 1
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            return BadCall("Transfer-Encoding: expected chunked, or none.")
    if size > HEADER_BYTES:
        return HeadTooLarge()
    if version not in HOSTS:
        return BadCall("The request is not HTTP/1.1.")
    return None if hosts in HOSTS[version] else BadCall("Host: expected once.")


def _answer(refusal: Refusal) -> bytes:
    body = outcome_json(refusal)
    headers = [*SECURITY, (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return STATUS_LINE[refusal.status] + lines + b"\r\n" + body


def waited(transport: asyncio.BaseTransport) -> float:
    """Seconds since the kernel received the last bytes of this connection; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0.0
    try:
        told = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except (AttributeError, OSError):
        return 0.0
    milliseconds: int = unpack_from("=I", told, _LAST_DATA_RECEIVED)[0] if len(told) >= _TCP_INFO_BYTES else 0
    return milliseconds / 1000
