"""A small FHIR server on the loopback interface for invented patients: reads, searches, pages, and faults."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode

Json = dict[str, Any]
HEAD = {"Content-Type": "application/fhir+json"}


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]

    @property
    def target(self) -> str:
        """Path and query as a search is written."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass
class Reply:
    """What goes back; ``body`` may be bytes as they are."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: dict(HEAD))


Fault = Callable[[Asked], "Reply | Json | None"]


@dataclass
class FhirServer:
    """The server's data and habits. ``fault`` is asked first and may answer in its place."""

    base: str = ""
    resources: list[Json] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    page: int = 100
    spelling: tuple[str, ...] = ("", "Patient/")
    fault: Fault = lambda _: None

    def targets(self) -> list[str]:
        """What was asked for, in the order of the alphabet: keys are fetched side by side."""
        return sorted(one.target for one in self.asked)

    def answer(self, asked: Asked) -> Reply:
        """The reply to one request."""
        self.asked.append(asked)
        own = self.fault(asked)
        if isinstance(own, Reply):
            return own
        return Reply(own if own is not None else self._kept(asked))

    def _kept(self, asked: Asked) -> Json | Reply:
        kind, _, identity = asked.path.partition("/")
        if identity:
            found = [one for one in self.resources if (one["resourceType"], one["id"]) == (kind, identity)]
            return found[0] if found else Reply({"resourceType": "OperationOutcome"}, 404)
        return self._search(kind, asked.query)

    def _search(self, kind: str, query: dict[str, str]) -> Json:
        wanted = query.get("patient", "")
        owner = f"Patient/{wanted.removeprefix('Patient/')}"
        spelt = wanted.startswith("Patient/") and "Patient/" in self.spelling
        known = spelt or (not wanted.startswith("Patient/") and "" in self.spelling)
        every = [one for one in self.resources if one["resourceType"] == kind and _owner(one) == owner and known]
        start = int(query.get("_offset", 0))
        shown = every[start : start + self.page]
        links = [self._link("self", kind, query)]
        if start + self.page < len(every):
            links.append(self._link("next", kind, {**query, "_offset": str(start + self.page)}))
        return searchset(*shown, total=len(every), link=links)

    def _link(self, relation: str, kind: str, query: dict[str, str]) -> Json:
        return {"relation": relation, "url": f"{self.base}/{kind}?{urlencode(query)}"}


def _owner(resource: Json) -> str:
    owner = resource.get("subject") or resource.get("patient") or {}
    return str(owner.get("reference", ""))


def searchset(*resources: Json, **more: Any) -> Json:
    """A Bundle as a search answers it."""
    entries = [one if "resource" in one else {"resource": one, "search": {"mode": "match"}} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}


@contextmanager
def serving(*resources: Json, fault: Fault = lambda _: None, **habits: Any) -> Iterator[FhirServer]:
    """A server with these resources while the block runs."""
    own = FhirServer(resources=list(resources), fault=fault, **habits)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            below = path.removeprefix("/fhir/")
            asked = Asked(below, dict(parse_qsl(query, keep_blank_values=True)), dict(self.headers.items()))
            reply = own.answer(asked)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Says nothing: the tests read ``asked``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    own.base = f"http://127.0.0.1:{server.server_port}/fhir"
    try:
        yield own
    finally:
        server.shutdown()
        server.server_close()
