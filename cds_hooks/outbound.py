"""The one client through which the service asks other machines: guarded in address, time, size and shape.

OutboundTrouble      the answer cannot be used; ``kind`` is a word for metrics, the message a sentence for operators
├── Unreachable      no answer: no such host, refused, reset, bad certificate
├── TooSlow          not whole within the deadline, however it dripped
├── Refused          an answer with a status that is no answer to the question (redirect, 4xx, 5xx)
└── Unusable         an answer that is too large, compressed, no JSON, cut off, or nested too deeply

No message holds an address beyond the host, nor anything that was sent or came back.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from cds_hooks.clock import Clock, utc_now
from cds_hooks.errors import SettingsTrouble
from cds_hooks.settings import is_loopback

DEADLINE_SECONDS = 5.0
SIZE_LIMIT = 128 * 1024
DEPTH_LIMIT = 32
LONGEST_WAIT = timedelta(hours=1)
"""The longest ``Retry-After`` that is believed."""

_JSON_TYPE = re.compile(r"(application|text)/([a-z0-9.\-]+\+)?json", re.I)
_TARGET = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9_$./\-]*(\?[A-Za-z0-9_.~%=&+:,$\-]*)?")
# The closing quote is optional, so that a text without one is read once and not once for each of its quotes.
_TEXT = re.compile(rb'(?s)"(?:[^"\\]|\\.)*+"?')
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


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
    """A whole answer whose body is JSON of a harmless shape."""

    status: int
    body: bytes


class Outbound:
    """Asks one base address and no other: GET, JSON, no redirects, no proxy or credentials of the environment.

    ``accepted`` are the statuses whose JSON body is an answer; every other status is :class:`Refused`. Raises
    :class:`SettingsTrouble` for a base that is neither https nor on this machine.
    """

    def __init__(
        self,
        base: str,
        *,
        accepted: frozenset[int] = frozenset({200}),
        deadline: float = DEADLINE_SECONDS,
        size_limit: int = SIZE_LIMIT,
        clock: Clock = utc_now,
    ) -> None:
        self.base = checked_base(base)
        self._accepted = accepted
        self._deadline = deadline
        self._limit = size_limit
        self._clock = clock
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            timeout=deadline,
            limits=httpx.Limits(max_connections=4, max_keepalive_connections=1),
            # Compressed answers inflate without bound, hence none is asked for and none is read.
            headers={"Accept": "application/fhir+json, application/json", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def get(self, target: str) -> Answer:
        """The answer to a GET of ``target``, a path and query below the base. Raises :class:`OutboundTrouble`."""
        url = self._url(target)
        try:
            async with asyncio.timeout(self._deadline):
                return await self._fetch(url)
        except (TimeoutError, httpx.TimeoutException):
            raise TooSlow(f"No whole answer of {url.host} within {self._deadline:g} s.") from None
        except (httpx.DecodingError, httpx.RemoteProtocolError):
            raise Unusable(f"The answer of {url.host} broke off or is not HTTP.") from None
        except (httpx.HTTPError, OSError) as error:
            raise Unreachable(f"{url.host} cannot be reached ({type(error).__name__}).") from None

    def _url(self, target: str) -> httpx.URL:
        if not _TARGET.fullmatch(target) or ".." in target or "//" in target.partition("?")[0]:
            raise ValueError("expected a plain path and query below the base address")
        url = httpx.URL(f"{self.base}/{target}")
        base = httpx.URL(self.base)
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
            raise ValueError("expected a target that stays at the base address")
        return url

    async def _fetch(self, url: httpx.URL) -> Answer:
        async with self._client.stream("GET", url) as response:
            self._check_head(response)
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > self._limit:
                    raise Unusable(f"The answer of {url.host} is larger than {self._limit} bytes.")
        check_json(bytes(body), url.host)
        return Answer(response.status_code, bytes(body))

    def _check_head(self, response: httpx.Response) -> None:
        host, status, headers = response.url.host, response.status_code, response.headers
        if status not in self._accepted:
            raise Refused(f"{host} answered {status}.", status, retry_after(headers, self._clock()))
        if not _JSON_TYPE.match(headers.get("content-type", "")):
            raise Unusable(f"{host} answered {status} with something else than JSON.")
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Unusable(f"{host} sent a compressed answer, which was not asked for.")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._limit:
            raise Unusable(f"The answer of {host} is larger than {self._limit} bytes.")


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
    """Raises :class:`Unusable` unless ``body`` is one whole JSON value, not nested beyond ``DEPTH_LIMIT``."""
    depth = 0
    for mark in _TEXT.sub(b"", body).translate(None, _NO_BRACKET):
        depth += 1 if mark in b"[{" else -1
        if depth > DEPTH_LIMIT:
            raise Unusable(f"The answer of {host} is nested deeper than {DEPTH_LIMIT}.")
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        raise Unusable(f"The answer of {host} is not whole JSON.") from None


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
