"""A small RxNav on the loopback interface: its answers are in the shapes of the real one, its codes are invented."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


def history(
    name: str,
    *ingredients: tuple[str, str],
    status: str = "Active",
    remapped: tuple[str, ...] = (),
    quantified: str = "",
) -> Json:
    """``historystatus.json`` of a concept made of (code, name) ingredients."""
    derived: Json = {}
    if remapped:
        derived["remappedConcept"] = [{"remappedRxCui": code, "remappedName": name} for code in remapped]
    if quantified:
        derived["quantifiedConcept"] = [{"quantifiedRxcui": quantified, "quantifiedName": name}]
    features = {"ingredientAndStrength": [{"baseRxcui": code, "baseName": name} for code, name in ingredients]}
    return {
        "rxcuiStatusHistory": {
            "metaData": {"status": status, "source": "RXNORM", "isCurrent": "YES"},
            "attributes": {"rxcui": "0", "name": name, "tty": "SCD"},
            "definitionalFeatures": features if ingredients else {},
            "derivedConcepts": derived,
        }
    }


def related(*groups: tuple[str, tuple[tuple[str, str], ...]]) -> Json:
    """``related.json``: (kind, ((code, name), ...)); a kind without concepts has no properties."""
    found = []
    for tty, members in groups:
        group: Json = {"tty": tty}
        if members:
            group["conceptProperties"] = [{"rxcui": code, "name": name, "tty": tty} for code, name in members]
        found.append(group)
    return {"relatedGroup": {"rxcui": None, "termType": [tty for tty, _ in groups], "conceptGroup": found}}


def ndc(rxcui: str, name: str, status: str = "ACTIVE") -> Json:
    """``ndcstatus.json``."""
    return {"ndcStatus": {"ndc11": "", "status": status, "rxcui": rxcui, "conceptName": name, "altNdc": "N"}}


NOBODY = {"rxcuiStatusHistory": {"metaData": {"status": "UNKNOWN"}}}


@contextmanager
def serving(answers: dict[str, Json], asked: list[str]) -> Iterator[str]:
    """Serves ``answers`` by path and query; every request is added to ``asked``. Yields the base address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps(answers.get(self.path, NOBODY)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
