"""EHRs that we invented, their keys and tokens, honest and forged, and a small server that publishes keys."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from jwt.algorithms import get_default_algorithms

from cds_hooks.auth import Authenticator
from cds_hooks.auth.maker import make_key, public_set
from cds_hooks.clients import Registry
from cds_hooks.metrics import Metrics
from cds_hooks.settings import Settings

Json = dict[str, Any]
BASE = "https://cds.example/dystonia"
PATH = "/cds-services/toy-order-sign"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ALGORITHMS = get_default_algorithms()
DROP = object()
"""As the value of a claim or a header: leave it out."""


@cache
def key(name: str, algorithm: str = "ES384") -> Json:
    """The private key of an EHR, the same in all tests of a run."""
    return make_key(algorithm)


@cache
def _prepared(name: str, algorithm: str) -> Any:
    return ALGORITHMS[algorithm].from_jwk(key(name, algorithm))


def encoded(part: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    """What :func:`encoded` encoded."""
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def compact(header: Json | bytes, claims: Json | bytes, sign: Callable[[bytes], bytes]) -> str:
    """A token of any header and claims, signed by any function."""
    parts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in (header, claims)]
    text = ".".join(encoded(part) for part in parts)
    return f"{text}.{encoded(sign(text.encode()))}"


def changed(given: Json, changes: Mapping[str, Any]) -> Json:
    """``given`` with changes; DROP leaves a member out."""
    return {name: value for name, value in {**given, **changes}.items() if value is not DROP}


@dataclass(frozen=True)
class Ehr:
    """An EHR that may be registered; ``algorithm`` is what it signs with."""

    name: str = "north"
    issuer: str = "https://north.example/fhir"
    tenant: str = ""
    algorithm: str = "ES384"
    jku: str = ""

    @property
    def key(self) -> Json:
        """Its private key."""
        return key(self.name, self.algorithm)

    def sign(self, text: bytes) -> bytes:
        """Its signature."""
        return ALGORITHMS[self.algorithm].sign(text, _prepared(self.name, self.algorithm))

    def header(self, **changes: Any) -> Json:
        """The header of its tokens."""
        made = {"alg": self.algorithm, "typ": "JWT", "kid": self.key["kid"]}
        return changed(made | ({"jku": self.jku} if self.jku else {}), changes)

    def claims(self, aud: Any = BASE + PATH, now: datetime = NOW, **changes: Any) -> Json:
        """The claims of a token made now for five minutes."""
        made = int(now.timestamp())
        claims = {"iss": self.issuer, "aud": aud, "iat": made, "exp": made + 300, "jti": str(uuid4())}
        return changed(claims | ({"tenant": self.tenant} if self.tenant else {}), changes)

    def token(self, aud: Any = BASE + PATH, now: datetime = NOW, header: Json | None = None, **changes: Any) -> str:
        """A token that it signed, with changes to its claims and its header."""
        return compact(self.header(**(header or {})), self.claims(aud, now, **changes), self.sign)

    def client(self, folder: Path, **more: Any) -> Json:
        """Its record in the settings, with its keys in a file."""
        file = folder / f"{self.name}-{self.algorithm}.jwks.json"
        file.write_text(json.dumps(public_set([self.key])), "utf-8")
        urls = {"jwks_urls": [self.jku]} if self.jku else {}
        return {
            "name": self.name, "issuer": self.issuer, "tenant": self.tenant, "jwks_file": file, **urls, **more
        }  # fmt: skip


@dataclass
class Clock:
    """A wall clock that stands until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        """Forwards, or back."""
        self.now += timedelta(seconds=seconds)


@dataclass
class Door:
    """An authenticator without a server round it."""

    auth: Authenticator
    clock: Clock
    metrics: Metrics

    def caller(self, *headers: str | bytes, path: str = PATH) -> Any:
        """Who sent a request with these Authorization headers."""
        sent = [(b"authorization", one.encode() if isinstance(one, str) else one) for one in headers]
        return self.auth.caller({"type": "http", "path": path, "headers": [(b"host", b"cds.example"), *sent]})

    def bearer(self, token: str, path: str = PATH) -> Any:
        """Who sent a request with this token."""
        return self.caller(f"Bearer {token}", path=path)


def door(folder: Path, *clients: Json, clock: Clock | None = None, **settings: Any) -> Door:
    """An authenticator for these clients that believes to be at BASE."""
    chosen = Settings(auth="required", data_dir=folder, clients=clients, **settings)
    clock, metrics = clock or Clock(), Metrics()
    return Door(Authenticator(chosen, Registry.of(chosen), BASE, metrics, clock), clock, metrics)


@dataclass
class KeyServer:
    """Publishes ``document`` (JSON, or bytes as they are) on the loopback interface, and counts who asks for what."""

    url: str = ""
    document: Any = field(default_factory=dict)
    status: int = 200
    location: str = ""
    date: str = ""
    paths: list[str] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """How often anything was asked for."""
        return len(self.paths)


@contextmanager
def key_server(document: Any) -> Iterator[KeyServer]:
    """A server that gives ``document`` to whoever asks for ``url``."""
    served = KeyServer(document=document)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.paths.append(self.path)
            body = served.document if isinstance(served.document, bytes) else json.dumps(served.document).encode()
            if served.date:
                self.send_response_only(served.status)
                self.send_header("Date", served.date)
            else:
                self.send_response(served.status)
            if served.location:
                self.send_header("Location", served.location)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}/.well-known/jwks.json"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
