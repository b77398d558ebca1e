"""Small promises that the page about risks makes and that no other test keeps."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.contract.conftest import Running, call, facts, patient, thing
from tests.contract.test_fetching import asking, authorization
from tests.support.fhir_server import serving
from tests.support.fire import plugin

Start = Callable[..., Running]


def test_what_was_fetched_is_not_kept_for_the_next_call(start: Start) -> None:
    with serving(patient(), thing("old")) as server:
        service = start(fhir_servers=(server.base,))
        before = facts(service.call(asking(server)))["things"]
        server.resources = [patient(), thing("new")]
        after = facts(service.call(asking(server)))["things"]
    assert "[old]" in before
    assert "[new]" in after


@contextmanager
def open_house(asked: list[tuple[str, str]]) -> Iterator[str]:
    """A FHIR server that offers everything, SMART and registration included; each request is noted. Its base."""

    class Handler(BaseHTTPRequestHandler):
        def _noted(self) -> None:
            asked.append((self.command, self.path))
            body = b'{"resourceType": "Bundle", "type": "searchset", "total": 0, "link": []}'
            self.send_response(200)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Link", '<https://evil.example/token>; rel="authorize"')
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _noted

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/fhir"
        finally:
            server.shutdown()
            thread.join(5)


def test_a_fhir_server_is_only_ever_read(start: Start) -> None:
    asked: list[tuple[str, str]] = []
    with open_house(asked) as base:
        service = start(fhir_servers=(base,))
        for hook in ("order-sign", "order-select", "patient-view"):
            service.call(call(hook, {}, fhirServer=base, fhirAuthorization=authorization()))
    assert len(asked) >= 3
    assert {method for method, _ in asked} == {"GET"}
    assert {re.split(r"[/?]", path)[2] for _, path in asked} <= {"Patient", "Observation", "Encounter", "Medication"}


def test_no_token_is_asked_for_by_the_service_itself(start: Start) -> None:
    asked: list[tuple[str, str]] = []
    with open_house(asked) as base:
        service = start(fhir_servers=(base,))
        service.call(call("order-sign", {}, fhirServer=base))
        service.call(call("order-sign", {}, fhirServer=base, fhirAuthorization=authorization(access_token="")))
    assert asked == []


def test_no_template_asks_for_more_than_one_patient_or_for_everything() -> None:
    templates = [template for service in plugin().services for template in service.prefetch.values()]
    assert len(templates) > 20
    for template in templates:
        assert re.fullmatch(r"[A-Z][A-Za-z]+[/?].+", template), template
        assert "*" not in template
        assert re.search(
            r"(patient=|subject=|Patient/)\{\{context\.patientId\}\}|Encounter/\{\{context\.encounterId\}\}", template
        )
        assert "_include" not in template
        assert "_revinclude" not in template
        assert "$everything" not in template
