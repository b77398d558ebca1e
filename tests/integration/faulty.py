"""A FHIR server that misbehaves on purpose: raw sockets on loopback, one port for each place that is asked.

A library would be too polite for most of what is played here, so answers are bytes and connections are cut by hand.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.integration.record import Record

Json = dict[str, Any]
HOST = "127.0.0.1"
PATH = "/fhir"
FHIR = "application/fhir+json; charset=utf-8"
REASONS = {200: "OK", 204: "No Content", 301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect"}


@dataclass
class Request:
    """One request as it came: the part of the address below the base, and its headers in lower case."""

    target: str
    headers: Mapping[str, str]


@dataclass
class Exchange:
    """One request at a place and the way back; ``number`` counts the requests of the place from 1."""

    place: Place
    request: Request
    number: int
    writer: asyncio.StreamWriter

    @property
    def is_search(self) -> bool:
        """Whether this asks for a Bundle."""
        return "?" in self.request.target

    def good(self) -> tuple[int, Json]:
        """What a sound server would answer."""
        return self.place.record.answer(self.request.target, self.place.base)

    async def answer(self, status: int = 200, body: Any = None, *, version: str = "1.1", **headers: str) -> None:
        """A whole answer; ``body`` is JSON unless it is bytes, headers use _ for - and override the usual ones."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        usual = {"content_type": FHIR, "content_length": str(len(raw)), "connection": "close"}
        await self.send(head(status, usual | headers, version) + raw)

    async def send(self, raw: bytes) -> None:
        """Bytes as they are."""
        self.writer.write(raw)
        await self.writer.drain()

    def reset(self) -> None:
        """Ends the connection with RST in place of FIN."""
        own: socket.socket = self.writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def head(status: int, headers: Mapping[str, str], version: str = "1.1") -> bytes:
    """Status line and headers; a header with an empty value is left out."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value]
    return "\r\n".join([f"HTTP/{version} {status} {REASONS.get(status, 'Status')}", *lines, "", ""]).encode()


Behaviour = Callable[[Exchange], Awaitable[None]]


async def sound(exchange: Exchange) -> None:
    """No fault at all."""
    status, body = exchange.good()
    await exchange.answer(status, body)


@dataclass
class Place:
    """One port that plays one behaviour; ``requests`` are those it got, ``connections`` how many were opened."""

    behave: Behaviour
    record: Record
    scheme: str = "http"
    host: str = HOST
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    others: list[Place] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The FHIR base of this place."""
        return f"{self.scheme}://{self.host}:{self.port}{PATH}"


class FaultServer:
    """Plays behaviours on an event loop of its own thread until it is closed."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._held: list[socket.socket] = []
        self._tls = bad_certificate(folder)

    def open(self, behave: Behaviour, record: Record, *, tls: bool = False) -> Place:
        """A new place on a port of its own."""
        place = Place(behave, record, "https" if tls else "http")
        asyncio.run_coroutine_threadsafe(self._serve(place, tls), self._loop).result(10)
        return place

    def refusing(self, record: Record) -> Place:
        """A place whose port is taken but never listened on: connections are refused."""
        return Place(sound, record, port=self._bound().getsockname()[1])

    def hanging(self, record: Record) -> Place:
        """A place whose queue of connections is full: a new one is neither taken nor refused."""
        listener = self._bound()
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((HOST, port))
            self._held.append(filler)
        return Place(sound, record, port=port)

    def _bound(self) -> socket.socket:
        own = socket.socket()
        own.bind((HOST, 0))
        self._held.append(own)
        return own

    async def _serve(self, place: Place, tls: bool) -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            place.connections += 1
            try:
                await _converse(place, reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass  # the service hung up, which is its right, or the tests are over
            finally:
                writer.close()

        server = await asyncio.start_server(connected, HOST, 0, ssl=self._tls if tls else None)
        place.port = server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Ends all places."""
        asyncio.run_coroutine_threadsafe(_end_tasks(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        for one in self._held:
            one.close()


async def _end_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for one in others:
        one.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _converse(place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        raw = await reader.readuntil(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        request = Request(first.split(" ")[1].removeprefix(PATH + "/"), headers)
        place.requests.append(request)
        await place.behave(Exchange(place, request, len(place.requests), writer))
        if writer.is_closing() or place.behave is not keep_alive:
            return


async def keep_alive(exchange: Exchange) -> None:
    """HTTP/1.0 that keeps its connection, which only the header says."""
    status, body = exchange.good()
    await exchange.answer(status, body, version="1.0", connection="keep-alive")


def bad_certificate(folder: Path) -> ssl.SSLContext:
    """TLS with a certificate that nobody vouches for, made anew."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = folder / "bad.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
