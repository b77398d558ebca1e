"""The client for other machines: which addresses it asks, and what it does with what really comes over a socket."""

from __future__ import annotations

import asyncio

import pytest
import respx

from cds_hooks.errors import SettingsTrouble
from cds_hooks.outbound import Outbound, OutboundTrouble, TooSlow, Unreachable, Unusable, checked_base

BASE = "https://rxnav.example/REST"
ASKED = "rxcui/99000001/historystatus.json"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

BASES = [
    ("https://rxnav.example/REST/", "https://rxnav.example/REST"),
    ("http://127.0.0.1:8080/fhir", "http://127.0.0.1:8080/fhir"),
    ("http://localhost/fhir", "http://localhost/fhir"),
    ("http://[::1]:9/fhir", "http://[::1]:9/fhir"),
    ("http://rxnav.example/REST", None),
    ("http://10.0.0.5/fhir", None),
    ("https://user:secret@rxnav.example/", None),
    ("https://rxnav.example/?a=1", None),
    ("ftp://rxnav.example/", None),
    ("file:///etc/passwd", None),
    ("rxnav.example", None),
    ("", None),
]


@pytest.mark.parametrize(("base", "expected"), BASES)
def test_what_may_be_asked(base: str, expected: str | None) -> None:
    if expected is not None:
        assert checked_base(base) == expected
        return
    with pytest.raises(SettingsTrouble) as trouble:
        checked_base(base)
    assert "secret" not in str(trouble.value)


@pytest.mark.parametrize(
    "target",
    ["//other.example/x", "https://other.example/", "../x", "a/../../x", "a b", "a\r\nHost: x", "@other", "", "/x"],
)
def test_a_target_never_leaves_the_base_address(target: str) -> None:
    async def play() -> None:
        client = Outbound(BASE)
        try:
            with respx.mock, pytest.raises(ValueError, match="expected"):
                await client.get(target)
        finally:
            await client.close()

    asyncio.run(play())


# what the server sends, the pause between the pieces (None: it never ends) -> what comes of it
SENT: list[tuple[str, list[bytes], float | None, type[OutboundTrouble] | None]] = [
    ("a whole answer", [HEAD, b"Content-Length: 2\r\n\r\n{}"], 0.0, None),
    ("in chunks", [HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n"], 0.0, None),
    ("until the end", [HEAD, b"Connection: close\r\n\r\n{}"], 0.0, None),
    ("no answer at all", [], 0.0, Unusable),
    ("head alone", [HEAD, b"Content-Length: 2\r\n\r\n"], 0.0, Unusable),
    ("less than promised", [HEAD, b"Content-Length: 50\r\n\r\n{}"], 0.0, Unusable),
    ("more than promised", [HEAD, b"Content-Length: 1\r\n\r\n{}"], 0.0, Unusable),
    ("two lengths", [HEAD, b"Content-Length: 2\r\nContent-Length: 7\r\n\r\n{}"], 0.0, Unusable),
    ("garbage as chunk size", [HEAD, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"], 0.0, Unusable),
    ("another protocol", [b"220 mail.example ESMTP\r\n"], 0.0, Unusable),
    ("an endless head", [HEAD, *[b"X-A: " + b"a" * 1000 + b"\r\n"] * 200], 0.0, Unusable),
    ("a slow drip", [HEAD, b"Content-Length: 200\r\n\r\n", *[b" "] * 200], 0.02, TooSlow),
    ("a slow head", [bytes([sign]) for sign in HEAD], 0.02, TooSlow),
    ("silence", [], None, TooSlow),
    ("head, then silence", [HEAD, b"Content-Length: 2\r\n\r\n"], None, TooSlow),
]


@pytest.mark.parametrize(("name", "pieces", "pause", "expected"), SENT, ids=[row[0] for row in SENT])
def test_what_comes_over_the_wire(
    name: str, pieces: list[bytes], pause: float | None, expected: type[OutboundTrouble] | None
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause or 0)
            if pause is None:
                await reader.read()  # until the client gives up
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def play() -> bytes | OutboundTrouble:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        client = Outbound(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", deadline=0.5)
        try:
            return (await client.get(ASKED)).body
        except OutboundTrouble as trouble:
            return trouble
        finally:
            await client.close()
            server.close()

    found = asyncio.run(play())
    assert "99000001" not in str(found)
    assert (type(found) is expected) if expected else (found == b"{}"), (name, found)


def test_nobody_listens() -> None:
    async def play() -> None:
        client = Outbound("http://127.0.0.1:9")
        try:
            with pytest.raises(Unreachable):
                await client.get(ASKED)
        finally:
            await client.close()

    asyncio.run(play())


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    test_what_comes_over_the_wire(*SENT[0])
