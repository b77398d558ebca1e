"""Which addresses may be connected to, and that what is connected to is the address that was checked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest

from cds_hooks.addresses import KEPT_SECONDS, ForbiddenAddress, Guard
from cds_hooks.errors import SettingsTrouble
from cds_hooks.nesting import deeper_than
from cds_hooks.outbound import Allowance, Forbidden, Outbound, OutboundTrouble, TooSlow, Unreachable, Unusable
from cds_hooks.secret import Secret

PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"]
PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.5",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::10.0.0.5",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.5",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:5",
    "64:ff9b:1::a00:5",
    "2002:7f00:1::1",
    "2002:a00:5::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "100::1",
    "no address",
    "",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert Guard("ehr.example", 443).allows(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_other_addresses_are_not(address: str) -> None:
    assert not Guard("ehr.example", 443).allows(address)


# host as registered, networks -> an address and whether it is allowed
LISTED: list[tuple[str, tuple[str, ...], str, bool]] = [
    ("ehr.hospital.example", ("10.20.0.0/16",), "10.20.3.4", True),
    ("ehr.hospital.example", ("10.20.0.0/16",), "::ffff:10.20.3.4", True),
    ("ehr.hospital.example", ("10.20.0.0/16",), "10.21.3.4", False),
    ("ehr.hospital.example", ("10.20.0.0/16",), "127.0.0.1", False),
    ("ehr.hospital.example", ("10.20.0.0/16",), "8.8.8.8", True),
    ("ehr.hospital.example", ("fd00::/8",), "fd12::1", True),
    ("ehr.hospital.example", ("127.0.0.0/8",), "127.0.0.1", True),
    ("127.0.0.1", (), "127.0.0.1", True),
    ("127.0.0.1", (), "10.0.0.5", False),
    ("localhost", (), "127.0.0.1", True),
    ("localhost", (), "::1", True),
    ("localhost", (), "10.0.0.5", False),
    ("[::1]", (), "::1", True),
    ("10.20.3.4", (), "10.20.3.4", False),
    ("10.20.3.4", ("10.20.3.4/32",), "10.20.3.4", True),
]


@pytest.mark.parametrize(("host", "networks", "address", "allowed"), LISTED)
def test_what_the_operator_wrote_is_allowed(host: str, networks: tuple[str, ...], address: str, allowed: bool) -> None:
    assert Guard(host, 443, networks).allows(address) is allowed


class Names:
    """A resolver whose answers change from one question to the next."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        await asyncio.sleep(0)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_one_bad_address_among_good_ones_forbids_the_name() -> None:
    for answer in (["8.8.8.8", "10.0.0.5"], ["10.0.0.5", "8.8.8.8"], ["8.8.8.8", "::1"]):
        with pytest.raises(ForbiddenAddress):
            asyncio.run(Guard("ehr.example", 443, resolve=Names(answer)).addresses())


def test_a_name_without_address_is_unreachable() -> None:
    with pytest.raises(OSError, match="no address"):
        asyncio.run(Guard("ehr.example", 443, resolve=Names([])).addresses())


def test_a_name_is_looked_up_once_for_all_who_ask_together_and_again_after_a_while() -> None:
    times, names = [100.0], Names(["8.8.8.8"], ["10.0.0.5"])

    async def play() -> None:
        guard = Guard("ehr.example", 443, resolve=names, now=lambda: times[0])
        assert await asyncio.gather(*[guard.addresses() for _ in range(20)]) == [("8.8.8.8",)] * 20
        times[0] += KEPT_SECONDS - 1
        assert await guard.addresses() == ("8.8.8.8",)
        assert names.asked == 1
        times[0] += 1
        with pytest.raises(ForbiddenAddress):
            await guard.addresses()
        with pytest.raises(ForbiddenAddress):
            await guard.addresses()

    asyncio.run(play())


async def _get(client: Outbound, **more: Secret) -> OutboundTrouble | bytes:
    try:
        return (await client.get("Patient/p1", **more)).body
    except OutboundTrouble as trouble:
        return trouble
    finally:
        await client.close()


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class Listener:
    """Counts who connects, keeps what they say, and answers."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.heads: list[bytes] = []
        self.connects = 0
        self._tls = tls

    async def __aenter__(self) -> Listener:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects += 1
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ANSWER)
        writer.close()


def test_a_name_that_turns_to_this_machine_is_not_connected_to() -> None:
    async def play() -> None:
        async with Listener() as canary:
            for answers in (Names(["127.0.0.1"]), Names(["8.8.8.8", "127.0.0.1"]), Names(["::ffff:127.0.0.1"])):
                guard = Guard("ehr.example", canary.port, resolve=answers)
                client = Outbound(f"https://ehr.example:{canary.port}/fhir", guard=guard, deadline=1)
                assert isinstance(await _get(client, token=Secret("t")), Forbidden)
            assert canary.connects == 0

    asyncio.run(play())


def test_what_is_connected_to_is_the_checked_address_under_the_registered_name() -> None:
    async def play() -> None:
        async with Listener() as server:
            names = Names(["127.0.0.1"], ["10.0.0.5"])
            guard = Guard("localhost", server.port, resolve=names)
            client = Outbound(f"http://localhost:{server.port}/fhir", guard=guard)
            assert await _get(client, token=Secret("t-1")) == b"{}"
            head = server.heads[0].decode().lower().split("\r\n")
            assert head[0] == "get /fhir/patient/p1 http/1.1"
            assert f"host: localhost:{server.port}" in head
            assert "authorization: bearer t-1" in head
            assert names.asked == 1

    asyncio.run(play())


def test_the_next_address_serves_where_the_first_does_not() -> None:
    async def play() -> None:
        async with Listener() as server:
            guard = Guard("localhost", server.port, resolve=Names(["127.0.0.2", "::1", "127.0.0.1"]))
            assert await _get(Outbound(f"http://localhost:{server.port}/fhir", guard=guard)) == b"{}"

    asyncio.run(play())


def test_a_certificate_of_nobody_is_refused_before_the_token_is_sent(tmp_path: Path) -> None:
    context = _own_certificate(tmp_path)

    async def play() -> None:
        async with Listener(context) as server:
            guard = Guard("localhost", server.port, resolve=Names(["127.0.0.1"]))
            client = Outbound(f"https://localhost:{server.port}/fhir", guard=guard, deadline=2)
            assert isinstance(await _get(client, token=Secret("t")), Unreachable)
            assert server.heads == []
            own = tmp_path / "own.pem"
            client = Outbound(f"https://localhost:{server.port}/fhir", guard=guard, deadline=2, authorities=own)
            assert await _get(client, token=Secret("t")) == b"{}"
            wrong_name = Guard("127.0.0.1", server.port)
            client = Outbound(f"https://127.0.0.1:{server.port}/fhir", guard=wrong_name, deadline=2, authorities=own)
            assert isinstance(await _get(client, token=Secret("t")), Unreachable)

    asyncio.run(play())


def test_a_file_without_authorities_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for file in (empty, tmp_path / "none.pem"):
        with pytest.raises(SettingsTrouble, match="holds no certificate authorities"):
            Outbound("https://ehr.example/fhir", authorities=file)


def _own_certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for localhost that nobody vouches for."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = folder / "own.pem"
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_a_look_up_that_never_ends_costs_the_deadline_and_no_more() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return ()

    async def play() -> None:
        client = Outbound("https://ehr.example/fhir", guard=Guard("ehr.example", 443, resolve=never), deadline=0.1)
        assert isinstance(await _get(client), TooSlow)

    asyncio.run(play())


def test_all_answers_of_a_call_share_one_allowance() -> None:
    async def play() -> None:
        async with Listener() as server:
            client = Outbound(f"http://127.0.0.1:{server.port}/fhir")
            shared = Allowance(3)
            assert (await client.get("a", allowance=shared)).body == b"{}"
            with pytest.raises(Unusable):
                await client.get("b", allowance=shared)
            await client.close()

    asyncio.run(play())


DEPTHS = [
    (b"7", 0, False),
    (b"{}", 0, True),
    (b"{}", 1, False),
    (b'{"a":[{}]}', 3, False),
    (b'{"a":[{}]}', 2, True),
    (b'{"a":"[[[[[["}', 1, False),
    (b'{"a":"\\"[[[[[["}', 1, False),
    (b'{"a":"\\\\","b":[]}', 2, False),
    (b'{"a":"\\\\","b":[]}', 1, True),
    (b"[" * 100 + b"]" * 100, 100, False),
    (b"[" * 101 + b"]" * 101, 100, True),
    (b"[[],[],[[]]]", 3, False),
]


@pytest.mark.parametrize(("body", "levels", "deeper"), DEPTHS)
def test_how_deep_json_is(body: bytes, levels: int, deeper: bool) -> None:
    assert deeper_than(levels, body) is deeper
