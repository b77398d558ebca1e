"""The 45 faults of a FHIR server, each with an id, how it is played and what it must look like to the rules.

A fault with several spellings has a row for each; they share the id.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from functools import cache, partial
from typing import Any

from tests.integration.faulty import FHIR, Behaviour, Exchange, head, keep_alive, sound
from tests.integration.record import outcome

Json = dict[str, Any]


class Looks(StrEnum):
    """What the data of a key are to the rules when a server plays the fault."""

    FAILED = "nothing usable came"
    WHOLE = "all data came after all"
    CUT = "searches came and say that there is more"
    ERROR = "searches came with an error among their entries"
    FOREIGN = "searches found someone else's data"
    DOUBLED = "every entry came twice"
    SOME = "what came of it is a matter of luck"


@dataclass(frozen=True)
class Fault:
    """One row: where it is played ("http", "tls", "refused", "hangs", "unknown host") and by which behaviour."""

    id: str
    name: str
    looks: Looks
    behave: Behaviour = sound
    at: str = "http"

    def __str__(self) -> str:
        return f"{self.id} {self.name}"


async def silence(exchange: Exchange) -> None:
    """Takes the request and says nothing."""
    await asyncio.sleep(30)


async def drip(exchange: Exchange) -> None:
    """One byte every 100 ms."""
    _, body = exchange.good()
    for one in head(200, {"content-type": FHIR}) + json.dumps(body).encode():
        await exchange.send(bytes([one]))
        await asyncio.sleep(0.1)


async def headers_then_hang(exchange: Exchange) -> None:
    """The head of an answer, and no body."""
    await exchange.send(head(200, {"content-type": FHIR, "content-length": "5000"}))
    await asyncio.sleep(30)


async def reset_in_body(exchange: Exchange) -> None:
    """Half of the body, then RST."""
    raw = json.dumps(exchange.good()[1]).encode()
    await exchange.send(head(200, {"content-type": FHIR, "content-length": str(len(raw))}) + raw[: len(raw) // 2])
    await asyncio.sleep(0.01)
    exchange.reset()


async def cut_json(exchange: Exchange) -> None:
    """JSON that stops in the middle, with a length that fits."""
    raw = json.dumps(exchange.good()[1]).encode()
    await exchange.answer(200, raw[: len(raw) // 2])


async def wrong_type(exchange: Exchange) -> None:
    """Sound JSON of another resource type."""
    await exchange.answer(200, {"resourceType": "Organization", "id": "o1", "name": "Invented"})


async def html(exchange: Exchange) -> None:
    """The error page of a servlet container, with 200."""
    page = b"<!doctype html><html><head><title>HTTP Status 500</title></head><body><h1>Report</h1></body></html>"
    await exchange.answer(200, page, content_type="text/html;charset=utf-8")


async def no_content(exchange: Exchange) -> None:
    """204."""
    await exchange.send(head(204, {"connection": "close"}))


async def redirect(exchange: Exchange, status: int, to: str) -> None:
    """Leads to the same server, to a foreign one (which must never be asked), or to itself."""
    place = exchange.place
    base = {"same": place.base, "foreign": place.others[0].base, "loop": place.base}[to]
    below = "elsewhere/" if to == "same" and not exchange.request.target.startswith("elsewhere/") else ""
    await exchange.answer(status, None, location=f"{base}/{below}{exchange.request.target}", content_type="")


async def refusal(exchange: Exchange, status: int, **headers: str) -> None:
    """A status with an OperationOutcome."""
    await exchange.answer(status, outcome("Refused on purpose."), **headers)


async def wait_until(exchange: Exchange) -> None:
    """429 with a date."""
    await refusal(exchange, 429, retry_after=format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True))


async def unauthorised_once(exchange: Exchange) -> None:
    """401 to the first request only."""
    await (refusal(exchange, 401) if exchange.number == 1 else sound(exchange))


async def outcome_as_answer(exchange: Exchange) -> None:
    """200 with an OperationOutcome."""
    await exchange.answer(200, outcome("The back end is away."))


async def outcome_among_entries(exchange: Exchange) -> None:
    """A sound Bundle that holds an error as well."""
    status, body = exchange.good()
    if exchange.is_search:
        body["entry"].append({"resource": outcome("One source was away."), "search": {"mode": "outcome"}})
    await exchange.answer(status, body)


async def huge_page(exchange: Exchange) -> None:
    """50 MB of sound JSON without a length."""
    await exchange.send(head(200, {"content-type": FHIR, "connection": "close"}))
    await exchange.send(b'{"resourceType":"Bundle","type":"searchset","entry":[')
    entry = json.dumps({"resource": {"resourceType": "Basic", "id": "x" * 60}}).encode()
    piece = b",".join([entry] * 600)
    for number in range(50_000_000 // len(piece)):
        await exchange.send((b"," if number else b"") + piece)
    await exchange.send(b"]}")


async def linked(exchange: Exchange, next_page: Callable[[Exchange], str]) -> None:
    """A sound answer that says that there is more."""
    status, body = exchange.good()
    if exchange.is_search:
        body["link"] += [{"relation": "next", "url": next_page(exchange)}]
        if "page=" in exchange.request.target:
            body["entry"] = []
    await exchange.answer(status, body)


def one_more(exchange: Exchange) -> str:
    """Ten thousand pages, one after the other."""
    target, _, page = exchange.request.target.partition("&page=")
    return f"{exchange.place.base}/{target}&page={min(int(page or 1) + 1, 10_000)}"


def itself(exchange: Exchange) -> str:
    """The page that it stands on."""
    return f"{exchange.place.base}/{exchange.request.target}"


def elsewhere(exchange: Exchange) -> str:
    """A server that nobody registered."""
    return f"{exchange.place.others[0].base}/{exchange.request.target}"


def of_somebody_else(body: Json) -> Json:
    """The same data under the name of another patient."""
    text = json.dumps(body)
    owner = {
        one["resource"].get("subject", one["resource"].get("patient", {})).get("reference", "") for one in body["entry"]
    }
    for one in owner - {""}:
        text = text.replace(one, "Patient/somebody-else")
    return dict(json.loads(text))


async def wrong_patient(exchange: Exchange) -> None:
    """Searches find what belongs to another patient."""
    status, body = exchange.good()
    await exchange.answer(status, of_somebody_else(body) if exchange.is_search else body)


@cache
def bomb() -> bytes:
    """100 MB of nothing in 100 kB."""
    return gzip.compress(bytes(100_000_000))


async def gzip_bomb(exchange: Exchange) -> None:
    """A compressed answer that nobody asked for."""
    await exchange.answer(200, bomb(), content_encoding="gzip")


async def wrong_charset(exchange: Exchange) -> None:
    """Bytes that are no UTF-8, whatever the header says."""
    status, body = exchange.good()
    raw = json.dumps({**body, "language": "é"}, ensure_ascii=False).encode("latin-1")
    await exchange.answer(status, raw, content_type="application/fhir+json; charset=iso-8859-1")


async def byte_order_mark(exchange: Exchange) -> None:
    """A mark before the JSON."""
    status, body = exchange.good()
    await exchange.answer(status, b"\xef\xbb\xbf" + json.dumps(body).encode())


async def doubled(exchange: Exchange) -> None:
    """Every entry twice."""
    status, body = exchange.good()
    if exchange.is_search:
        body["entry"] *= 2
        body["total"] = len(body["entry"])
    await exchange.answer(status, body)


async def stale_date(exchange: Exchange) -> None:
    """A sound answer that claims to be thirty years old."""
    status, body = exchange.good()
    await exchange.answer(status, body, date="Mon, 21 Nov 1994 08:00:00 GMT", age="946080000")


async def chunk_garbage(exchange: Exchange) -> None:
    """A chunk whose size is no number."""
    status, body = exchange.good()
    raw = json.dumps(body).encode()
    await exchange.send(head(status, {"content-type": FHIR, "transfer-encoding": "chunked"}))
    await exchange.send(b"ZZZ;\r\n" + raw + b"\r\n-1\r\n\r\n")


async def length_lies(exchange: Exchange, by: int) -> None:
    """A Content-Length that is too large, or too small."""
    status, body = exchange.good()
    raw = json.dumps(body).encode()
    await exchange.answer(status, raw, content_length=str(len(raw) + by))


async def ramp(exchange: Exchange) -> None:
    """Each answer comes later than the one before: 50 ms, 150 ms, up to a second."""
    await asyncio.sleep(min(0.05 + 0.1 * (exchange.number - 1), 1.0))
    await sound(exchange)


async def flapping(exchange: Exchange) -> None:
    """Every second request fails."""
    await (refusal(exchange, 503) if exchange.number % 2 else sound(exchange))


def _http(id: str, name: str, looks: Looks, behave: Any, **more: Any) -> Fault:
    return Fault(id, name, looks, partial(behave, **more))


REDIRECTS = tuple(
    _http("F13", f"{status} to {to}", Looks.FAILED, redirect, status=status, to=to)
    for status in (301, 302, 307)
    for to in ("same", "foreign", "loop")
)
WAITS = {"F20": "0", "F21": "1", "F22": "3600", "F24": "soon, perhaps"}
STATUSES = {"F14": 400, "F15": 403, "F16": 404, "F17": 410, "F19": 401}
BROKEN = {"F25": 500, "F26": 502, "F27": 503, "F28": 504}

FAULTS: tuple[Fault, ...] = (
    Fault("F01", "connection refused", Looks.FAILED, at="refused"),
    Fault("F02", "no such host", Looks.FAILED, at="unknown host"),
    Fault("F03", "bad certificate", Looks.FAILED, at="tls"),
    Fault("F04", "connecting hangs", Looks.FAILED, at="hangs"),
    _http("F05", "accepts and is silent", Looks.FAILED, silence),
    _http("F06", "a byte every 100 ms", Looks.FAILED, drip),
    _http("F07", "headers, then nothing", Looks.FAILED, headers_then_hang),
    _http("F08", "reset in the body", Looks.FAILED, reset_in_body),
    _http("F09", "JSON cut off", Looks.FAILED, cut_json),
    _http("F10", "JSON of a wrong type", Looks.FAILED, wrong_type),
    _http("F11", "an HTML page with 200", Looks.FAILED, html),
    _http("F12", "204", Looks.FAILED, no_content),
    *REDIRECTS,
    *(_http(id, f"{code} always", Looks.FAILED, refusal, status=code) for id, code in STATUSES.items()),
    _http("F18", "401 once", Looks.SOME, unauthorised_once),
    *(
        _http(id, f"429, wait {wait}", Looks.FAILED, refusal, status=429, retry_after=wait)
        for id, wait in WAITS.items()
    ),
    _http("F23", "429, wait until a date", Looks.FAILED, wait_until),
    *(_http(id, f"{code} always", Looks.FAILED, refusal, status=code) for id, code in BROKEN.items()),
    _http("F29", "an OperationOutcome with 200", Looks.FAILED, outcome_as_answer),
    _http("F30", "an OperationOutcome among the entries", Looks.ERROR, outcome_among_entries),
    _http("F31", "a page of 50 MB", Looks.FAILED, huge_page),
    _http("F32", "10,000 pages", Looks.CUT, linked, next_page=one_more),
    _http("F33", "next leads to itself", Looks.CUT, linked, next_page=itself),
    _http("F34", "next leads elsewhere", Looks.CUT, linked, next_page=elsewhere),
    _http("F35", "another patient's data", Looks.FOREIGN, wrong_patient),
    _http("F36", "a gzip bomb", Looks.FAILED, gzip_bomb),
    _http("F37", "bytes that are no UTF-8", Looks.FAILED, wrong_charset),
    _http("F37", "a byte order mark", Looks.SOME, byte_order_mark),
    _http("F38", "every entry twice", Looks.DOUBLED, doubled),
    _http("F39", "a date of thirty years ago", Looks.WHOLE, stale_date),
    _http("F40", "a chunk size that is no number", Looks.FAILED, chunk_garbage),
    _http("F41", "Content-Length too large", Looks.FAILED, length_lies, by=500),
    _http("F41", "Content-Length too small", Looks.FAILED, length_lies, by=-7),
    Fault("F42", "HTTP/1.0 that keeps its connection", Looks.WHOLE, keep_alive),
    _http("F43", "slower with every request", Looks.SOME, ramp),
    _http("F44", "every second request fails", Looks.SOME, flapping),
    Fault("F45", "another server is dead", Looks.WHOLE),
)
