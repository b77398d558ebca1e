"""The one client through which the service asks other machines: guarded in address, time, size and shape.

OutboundTrouble      the answer cannot be used; ``kind`` is a word for metrics, the message a sentence for operators
├── Unreachable      no answer: no such host, refused, reset, bad certificate
├── TooSlow          not whole within the deadline, however it dripped
├── Forbidden        the name leads to an address that nobody allowed; nothing was sent
├── Refused          an answer with a status that is no answer to the question (redirect, 4xx, 5xx)
└── Unusable         an answer that is too large, compressed, no JSON, cut off, or nested too deeply

No message holds an address beyond the host, nor anything that was sent or came back.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path

import httpx
import msgspec

from cds_hooks.addresses import ForbiddenAddress, Guard
from cds_hooks.clock import Clock, utc_now
from cds_hooks.errors import SettingsTrouble
from cds_hooks.nesting import deeper_than
from cds_hooks.secret import Secret
from cds_hooks.settings import is_loopback

DEADLINE_SECONDS = 5.0
SIZE_LIMIT = 128 * 1024
DEPTH_LIMIT = 32
IDLE_SECONDS = 3.0
"""How long an idle connection is kept: less than servers keep theirs, lest a request meets one being closed."""
LONGEST_WAIT = timedelta(hours=1)
"""The longest ``Retry-After`` that is believed."""

_JSON_TYPE = re.compile(r"(application|text)/([a-z0-9.\-]+\+)?json", re.I)
_TARGET = re.compile(r"(?:[A-Za-z0-9_$][A-Za-z0-9_$./\-]*)?(?:\?[A-Za-z0-9_.~%=&+:,$/|@!'()*;?\-]*)?")

# These name every address that is asked, and a search for a patient's data has the patient's id in its address.
for _library in ("httpx", "httpcore"):
    logging.getLogger(_library).setLevel(logging.WARNING)


class OutboundTrouble(Exception):
    """An answer that cannot be used; ``wait`` is how long the other side asked to be left alone, if it did."""

    kind = "trouble"

    def __init__(self, message: str, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Unreachable(OutboundTrouble):
    """No answer came."""

    kind = "unreachable"


class TooSlow(OutboundTrouble):
    """The answer was not whole within the deadline."""

    kind = "timeout"


class Forbidden(OutboundTrouble):
    """The name leads to an address that nobody allowed."""

    kind = "address"


class Refused(OutboundTrouble):
    """An answer with a status that is no answer to the question."""

    kind = "status"

    def __init__(self, message: str, status: int, wait: timedelta | None = None) -> None:
        super().__init__(message, wait)
        self.status = status


class Unusable(OutboundTrouble):
    """The body is not what was asked for."""

    kind = "unusable"


class Answer(msgspec.Struct, frozen=True):
    """A whole answer whose body is JSON of a harmless shape; ``date`` is what its head says of the time, as it came."""

    status: int
    body: bytes
    date: str = ""


class Allowance:
    """How many bytes may still come, over all answers that share it."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int, host: str) -> None:
        """Raises :class:`Unusable` where that is more than is left."""
        self.left -= size
        if self.left < 0:
            raise Unusable(f"The answers of {host} are larger than was allowed.")


class Outbound:
    """Asks one base address and no other: GET, JSON, no redirects, no proxy or credentials of the environment.

    ``accepted`` are the statuses whose JSON body is an answer; every other status is :class:`Refused`. With a
    ``guard`` only addresses that it checked are connected to. ``authorities`` is a file (PEM) of certificate
    authorities that are trusted beside the public ones. Raises :class:`SettingsTrouble` for a base that is neither
    https nor on this machine, and for a file that holds none.
    """

    def __init__(
        self,
        base: str,
        *,
        accepted: frozenset[int] = frozenset({200}),
        deadline: float = DEADLINE_SECONDS,
        size_limit: int = SIZE_LIMIT,
        clock: Clock = utc_now,
        guard: Guard | None = None,
        connections: int = 4,
        authorities: Path | None = None,
    ) -> None:
        self.base = checked_base(base)
        home = httpx.URL(self.base)
        self._origin = home.scheme, home.host, home.port
        self._accepted = accepted
        self._deadline = deadline
        self._limit = size_limit
        self._clock = clock
        self._guard = guard
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            timeout=deadline,
            verify=trusted(authorities),
            limits=httpx.Limits(
                max_connections=connections,
                max_keepalive_connections=max(1, connections // 4),
                keepalive_expiry=IDLE_SECONDS,
            ),
            # Compressed answers inflate without bound, hence none is asked for and none is read.
            headers={"Accept": "application/fhir+json, application/json", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def get(self, target: str, token: Secret | None = None, allowance: Allowance | None = None) -> Answer:
        """The answer to a GET of ``target``, a path and query below the base, with ``token`` as its bearer token.

        Raises :class:`OutboundTrouble`, and :class:`ValueError` for a target that could lead elsewhere.
        """
        url = self._url(target)
        try:
            async with asyncio.timeout(self._deadline):
                return await self._fetch(url, token, allowance or Allowance(self._limit))
        except (TimeoutError, httpx.TimeoutException):
            raise TooSlow(f"No whole answer of {url.host} within {self._deadline:g} s.") from None
        except (httpx.DecodingError, httpx.RemoteProtocolError):
            raise Unusable(f"The answer of {url.host} broke off or is not HTTP.") from None
        except ForbiddenAddress:
            raise Forbidden(f"{url.host} leads to an address that is neither public nor allowed.") from None
        except (httpx.HTTPError, OSError) as error:
            raise Unreachable(f"{url.host} cannot be reached ({type(error).__name__}).") from None

    def _url(self, target: str) -> httpx.URL:
        path = target.partition("?")[0]
        if not target or not _TARGET.fullmatch(target) or ".." in path or "//" in path:
            raise ValueError("expected a plain path and query below the base address")
        url = httpx.URL(self.base + ("/" if path else "") + target)
        if (url.scheme, url.host, url.port) != self._origin:
            raise ValueError("expected a target that stays at the base address")
        return url

    async def _fetch(self, url: httpx.URL, token: Secret | None, allowance: Allowance) -> Answer:
        async with self._answering(url, token) as response:
            self._check_head(response, url.host)
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                allowance.take(len(piece), url.host)
                if len(body) > self._limit:
                    raise Unusable(f"The answer of {url.host} is larger than {self._limit} bytes.")
        check_json(bytes(body), url.host)
        return Answer(response.status_code, bytes(body), response.headers.get("date", ""))

    @asynccontextmanager
    async def _answering(self, url: httpx.URL, token: Secret | None) -> AsyncIterator[httpx.Response]:
        """The head of the answer, from the first of the checked addresses that can be connected to."""
        response = await self._send(url, token)
        try:
            yield response
        finally:
            await response.aclose()

    async def _send(self, url: httpx.URL, token: Secret | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token.reveal()}"} if token is not None else {}
        if self._guard is None:
            return await self._client.send(self._client.build_request("GET", url, headers=headers), stream=True)
        headers["Host"] = url.netloc.decode("ascii")
        *others, last = await self._guard.addresses()
        for address in others:
            try:
                return await self._connect(url, address, headers)
            except httpx.ConnectError:
                continue
        return await self._connect(url, last, headers)

    async def _connect(self, url: httpx.URL, address: str, headers: Mapping[str, str]) -> httpx.Response:
        """Sends to a checked address what is meant for the name, which the certificate must still prove."""
        place = url if address == url.host else url.copy_with(host=address)
        request = self._client.build_request("GET", place, headers=headers, extensions={"sni_hostname": url.host})
        return await self._client.send(request, stream=True)

    def _check_head(self, response: httpx.Response, host: str) -> None:
        status, headers = response.status_code, response.headers
        if status not in self._accepted:
            raise Refused(f"{host} answered {status}.", status, retry_after(headers, self._clock()))
        if not _JSON_TYPE.match(headers.get("content-type", "")):
            raise Unusable(f"{host} answered {status} with something else than JSON.")
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Unusable(f"{host} sent a compressed answer, which was not asked for.")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._limit:
            raise Unusable(f"The answer of {host} is larger than {self._limit} bytes.")


@cache
def trusted(authorities: Path | None) -> ssl.SSLContext:
    """The public certificate authorities and those of a file, read once: that takes longer than a request."""
    context = httpx.create_ssl_context(trust_env=False)
    try:
        if authorities is not None:
            context.load_verify_locations(authorities)
    except (OSError, ssl.SSLError):
        raise SettingsTrouble(
            f"{authorities} holds no certificate authorities: expected a readable file of certificates (PEM)."
        ) from None
    return context


def checked_base(base: str) -> str:
    """``base`` without a trailing slash; :class:`SettingsTrouble` unless it is https, or http on this machine."""
    try:
        url = httpx.URL(base)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if not url.host or url.userinfo or url.query or url.fragment or url.scheme not in ("http", "https"):
        # The address is not repeated: it may hold a password.
        raise SettingsTrouble(
            "An address for outgoing requests cannot be used: expected https://<host>/<path>, without user, password, "
            "query or fragment."
        )
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        raise SettingsTrouble(
            f"Refusing to ask {url.host} without encryption. Expected an https address; http is for this machine alone."
        )
    return str(url).rstrip("/")


def check_json(body: bytes, host: str) -> None:
    """Raises :class:`Unusable` unless ``body`` is one whole JSON value in UTF-8, not nested beyond ``DEPTH_LIMIT``."""
    try:
        if not body.isascii():
            body.decode()
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unusable(f"The answer of {host} is not whole JSON.") from None
    if deeper_than(DEPTH_LIMIT, body):
        raise Unusable(f"The answer of {host} is nested deeper than {DEPTH_LIMIT}.")


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long a ``Retry-After`` asks to wait, in seconds or until a date; None for none or one that is no sense."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal() and len(text) <= len(str(10**9)):
        return min(timedelta(seconds=int(text)), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(until - now, timedelta()), LONGEST_WAIT)
