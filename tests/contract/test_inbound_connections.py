"""What one connection may take: heads and bodies that drip, heads without end, streams without end, crowds."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from struct import pack
from typing import Any

import httpx
import pytest

from cds_hooks import connections
from tests.contract.conftest import Running, Starter, call
from tests.support.server import running

PATH = "/cds-services/toy-patient-view"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
MIB = 2**20


@contextmanager
def connected(service: Running) -> Iterator[socket.socket]:
    host, _, port = service.address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as one:
        yield one


def answered(one: socket.socket) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON body of what came until the other side closed."""
    received = b""
    with suppress(ConnectionResetError):
        while piece := one.recv(65536):
            received += piece
    if not received:
        return 0, {}, None
    head, _, body = received.decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, json.loads(body) if body else None


@pytest.mark.parametrize("beginning", ["G", "POST /cds", HEAD, HEAD + "X-Slow: 1"])
def test_a_head_that_drips_gets_408(service: Running, monkeypatch: pytest.MonkeyPatch, beginning: str) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    with connected(service) as one:
        one.sendall(beginning.encode())
        status, headers, content = answered(one)
    assert (status, content["resourceType"], headers["connection"]) == (408, "OperationOutcome", "close")
    assert headers["x-content-type-options"] == "nosniff"
    assert service.call(call()).status_code == 200


def test_a_connection_that_says_nothing_is_closed(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    with connected(service) as one:
        assert answered(one)[0] == 0


@pytest.mark.parametrize("path", ["/cds-services/none", "/no-such-page", "/readyz"])
def test_a_body_that_drips_after_its_answer_is_not_waited_for(
    service: Running, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(connections, "DRAIN_SECONDS", 0.3)
    with connected(service) as one:
        one.sendall(f"{HEAD.replace(PATH, path)}Content-Length: 1000\r\n\r\n".encode())
        began = time.monotonic()
        assert one.recv(65536).startswith(b"HTTP/1.1 40")
        with suppress(ConnectionError):
            while time.monotonic() - began < 10:
                one.sendall(b" ")
                time.sleep(0.05)
        assert time.monotonic() - began < 5
    assert service.call(call()).status_code == 200


def test_a_kept_connection_may_rest_and_is_used_again(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.2)
    assert service.call(call()).status_code == 200
    time.sleep(0.5)
    assert service.call(call()).status_code == 200


HEADS = {
    "one long header": "X-Long: " + "a" * 70_000,
    "many headers": "\r\n".join(f"X-{number}: {'a' * 100}" for number in range(700)),
    "a long address": None,
    "a header without end": "X-Long: " + "a" * 2_000_000,
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_beyond_64_kib_gets_431(service: Running, name: str) -> None:
    given = HEADS[name]
    head = HEAD.replace(PATH, PATH + "?" + "a" * 70_000) if given is None else HEAD + given + "\r\n"
    with connected(service) as one:
        with suppress(ConnectionError):
            one.sendall((head + "Content-Length: 0\r\n\r\n").encode())
        status, _, content = answered(one)
    # A client that is still sending may see the connection end before it reads the answer.
    assert (status, content and content["issue"][0]["code"]) in {(431, "too-long"), (0, None)}
    assert status == 431 or name == "a header without end"
    assert service.call(call()).status_code == 200


def test_a_head_just_below_the_limit_is_read(service: Running) -> None:
    assert service.call(call(), **{"X-Long": "a" * 60_000}).status_code == 200


@pytest.mark.parametrize(
    "garbage", ["\0\1\2\r\n\r\n", "HELLO\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", HEAD + "Content-Length: -1\r\n\r\n"]
)
def test_what_is_no_http_gets_400(service: Running, garbage: str) -> None:
    with connected(service) as one:
        one.sendall(garbage.encode())
        status, _, content = answered(one)
    assert (status, content["resourceType"]) == (400, "OperationOutcome")


def chunked(body: bytes, size: int, extension: bytes = b"") -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces) + b"0\r\n"


def test_chunks_of_one_byte_are_a_body(service: Running) -> None:
    with connected(service) as one:
        one.sendall(f"{HEAD}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode())
        one.sendall(chunked(json.dumps(call()).encode(), 1) + b"\r\n")
        assert answered(one)[0] == 200


def test_trailers_are_no_headers_and_have_an_end(service: Running) -> None:
    body = chunked(json.dumps(call()).encode(), 4_096)
    head = f"{HEAD}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()
    with connected(service) as one:
        one.sendall(head + body + b"Content-Encoding: gzip\r\n\r\n")
        assert answered(one)[0] == 200
    with connected(service) as one:
        with suppress(ConnectionError):
            one.sendall(head + body + b"X-Trailer: " + b"a" * 5_000_000)
        assert answered(one)[0] in (0, 400)
    assert service.call(call()).status_code == 200


def test_one_address_has_a_share_of_the_connections(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 5)
    held = [connected(service) for _ in range(12)]
    sockets = [one.__enter__() for one in held]
    time.sleep(0.5)  # all of them are accepted before the first one ends
    try:
        for one in sockets:
            with suppress(OSError):
                one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        statuses = [answered(one)[0] for one in sockets]
    finally:
        for one in held:
            one.__exit__(None, None, None)
    assert statuses.count(200) in (4, 5)  # the client of the tests may hold one
    assert statuses.count(0) >= 7
    time.sleep(0.1)
    assert service.call(call()).status_code == 200


LIMITS = [((256, 4_096), (4_096, 4_096)), ((1_024, 20_000), (10_240, 20_000)), ((12_000, 20_000), (12_000, 20_000))]


@pytest.mark.parametrize(("given", "expected"), LIMITS)
def test_the_service_may_hold_more_sockets_than_one_address(given: tuple[int, int], expected: tuple[int, int]) -> None:
    """In a process of its own, whose limits are its own."""
    lines = (
        "import resource",
        "from cds_hooks.connections import allow_files",
        f"resource.setrlimit(resource.RLIMIT_NOFILE, {given})",
        "allow_files()",
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(expected)


def test_two_hundred_dripping_clients_do_not_keep_others_from_an_answer(start: Starter) -> None:
    service = start(body_seconds=30)
    raw = json.dumps(call()).encode()
    alone = best_of(service, raw)
    held = [connected(service) for _ in range(200)]
    sockets = [one.__enter__() for one in held]
    try:
        for number, one in enumerate(sockets):
            head = f"{HEAD}Content-Length: {len(raw)}\r\n\r\n".encode()
            one.sendall(head[:20] if number % 2 else head + raw[:5])
        for _ in range(3):
            for one in sockets[::2]:
                one.sendall(b" ")
            assert best_of(service, raw) < 10 * alone + 0.05
    finally:
        for one in held:
            one.__exit__(None, None, None)


def best_of(service: Running, raw: bytes) -> float:
    times = []
    for _ in range(20):
        began = time.perf_counter()
        assert service.call(raw, "patient-view").status_code == 200
        times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 2]


def peak(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


BEGINNINGS: list[tuple[str, str, int]] = [
    ("a host", "POST {path} HTTP/1.1\r\nHost: x\r\n", 200),
    ("no host", "POST {path} HTTP/1.1\r\n", 400),
    ("two hosts", "POST {path} HTTP/1.1\r\nHost: x\r\nHost: y\r\n", 400),
    ("an old client without a host", "POST {path} HTTP/1.0\r\n", 200),
    ("an old client with two hosts", "POST {path} HTTP/1.0\r\nHost: x\r\nHost: y\r\n", 400),
    ("another version", "POST {path} HTTP/2.0\r\nHost: x\r\n", 400),
    ("another transfer coding", "POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n", 400),
]


@pytest.mark.parametrize(("head", "status"), [row[1:] for row in BEGINNINGS], ids=[row[0] for row in BEGINNINGS])
def test_a_head_that_a_proxy_may_read_otherwise(service: Running, head: str, status: int) -> None:
    body = json.dumps(call()).encode()
    framed = b"" if "Transfer" in head else b"Content-Length: %d\r\n" % len(body)
    with connected(service) as one:
        one.sendall(head.format(path=PATH).encode() + b"Content-Type: application/json\r\nConnection: close\r\n")
        one.sendall(framed + b"\r\n" + body)
        assert answered(one)[0] == status


def test_who_asks_twice_and_hangs_up_is_no_trouble(tmp_path: Path) -> None:
    body = json.dumps(call()).encode()
    good = HEAD.replace("toy", "dystonia").encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with running(tmp_path) as service:
        host, _, port = service.url.removeprefix("http://").partition(":")
        for _ in range(20):
            with socket.create_connection((host, int(port)), timeout=20) as one:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))  # a reset at the end
                one.sendall(good + good)
        assert service.fire(call()).status == 200
    assert "request-failed" not in (tmp_path / "serve.log").read_text("utf-8")


def now_in(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


REFUSED: list[tuple[str, str, bytes]] = [
    ("too large", "/cds-services/dystonia-order-sign", b" " * 6 * MIB),
    ("no JSON", "/cds-services/dystonia-order-sign", b'["' + b"x" * 3 * MIB),
    ("feedback that is too large", "/cds-services/dystonia-order-sign/feedback", b" " * 6 * MIB),
    ("feedback that is no JSON", "/cds-services/dystonia-order-sign/feedback", b'["' + b"x" * 3 * MIB),
]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to read another process's memory")
def test_what_was_refused_is_gone_at_once(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        assert service.fire(call()).status == 200
        for name, path, body in REFUSED:
            before = now_in(service.process)
            for _ in range(30):
                # Chunked, so that the length alone does not tell.
                answer = httpx.post(
                    service.url + path, content=iter((body,)), headers={"Content-Type": "application/json"}
                )
                assert answer.status_code in {400, 413}
            assert now_in(service.process) - before < 32, name


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to read another process's memory")
def test_a_stream_of_one_gibibyte_is_cut_off_and_never_held(tmp_path: Path) -> None:
    chunk = b"%x\r\n" % MIB + b" " * MIB + b"\r\n"
    with running(tmp_path) as service:
        host, _, port = service.url.removeprefix("http://").partition(":")

        def stream() -> bytes:
            with socket.create_connection((host, int(port)), timeout=30) as one:
                one.sendall(HEAD.replace("toy", "dystonia").encode() + b"Transfer-Encoding: chunked\r\n\r\n")
                with suppress(ConnectionError):
                    for _ in range(1024):
                        one.sendall(chunk)
                try:
                    return one.recv(65536)
                except ConnectionResetError:
                    return b""

        assert service.fire(call()).status == 200
        stream()  # what a first stream loads is not counted
        before = peak(service.process)
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _: stream(), range(2)))
        assert all(b" 413 " in one or one == b"" for one in answers)
        assert peak(service.process) - before < 16
        assert service.fire(call()).status == 200
