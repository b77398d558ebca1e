"""Does once in the background, when nobody waits, what the first request to a FHIR server would have to load."""

from __future__ import annotations

import asyncio

import structlog

from cds_hooks.addresses import Guard
from cds_hooks.outbound import Outbound, OutboundTrouble

LOOPBACK = "127.0.0.1"
HEAD_END = b"\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"

log = structlog.get_logger()


async def warm() -> None:
    """Sends one request to a listener of our own and to nobody else; where that fails, the first call loads it."""
    try:
        listener = await asyncio.start_server(_answer, LOOPBACK, 0)
        async with listener:
            await _ask(listener.sockets[0].getsockname()[1])
    except (OSError, OutboundTrouble) as error:
        log.info("fetching-not-warmed", error=type(error).__name__)


async def _ask(port: int) -> None:
    outbound = Outbound(f"http://{LOOPBACK}:{port}", guard=Guard(LOOPBACK, port))
    try:
        await outbound.get("metadata")
    finally:
        await outbound.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(HEAD_END)
        writer.write(ANSWER)
        await writer.drain()
    finally:
        writer.close()
