"""What one call asks of a server: requests with its token, in its time, within its bounds, and what came of each."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import msgspec

from cds_hooks.clock import seconds_ahead, utc_now
from cds_hooks.fhir_access.authorization import Authorization
from cds_hooks.fhir_access.server import Server
from cds_hooks.loose import LooseReader
from cds_hooks.metrics import Metrics
from cds_hooks.outbound import Allowance, OutboundTrouble, Refused
from cds_hooks.shapes import Value

AT_ONCE = 16
CALL_SIZE = 20 * 1024 * 1024
TOO_MANY = 429
RESTING = (TOO_MANY, 503)
"""The answers whose ``Retry-After`` counts."""
OUTCOME = re.compile(r"(status-\d)\d+")


class Setback(Exception):
    """A request that gave nothing useful; ``word`` says why, for audit and metrics, ``status`` if there was one."""

    def __init__(self, word: str, status: int = 0) -> None:
        super().__init__(word)
        self.word = word
        self.status = status


class Errand:
    """The requests of one call to one server. ``words`` counts what came of them, ``bodies`` are the good answers."""

    def __init__(
        self, server: Server, authorization: Authorization, reader: LooseReader, metrics: Metrics, pages: int
    ) -> None:
        self.server = server
        self.grants = authorization.grants
        self.pages = pages
        self.words: Counter[str] = Counter()
        self.bodies: list[bytes] = []
        self.answered = 0
        self.rest = 0.0
        self._token = authorization.token
        self._reader = reader
        self._metrics = metrics
        self._allowance = Allowance(CALL_SIZE)
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def get(self, target: str) -> Value:
        """The decoded answer to a GET below the base; raises :class:`Setback`."""
        try:
            async with self._gate:
                answer = await self.server.outbound.get(target, self._token, self._allowance)
            value = self._reader.value(answer.body)
        except Refused as refusal:
            raise self._refused(refusal) from None
        except OutboundTrouble as trouble:
            raise self._setback(trouble.kind) from None
        except (ValueError, msgspec.DecodeError, RecursionError):
            raise self._setback("unusable") from None
        except asyncio.CancelledError:
            self._count("timeout")
            raise
        self.bodies.append(answer.body)
        ahead = seconds_ahead(answer.date, utc_now())
        if ahead is not None:
            self._metrics.clock_offset_seconds[self.server.host,] = ahead
        self.answered += 1
        self._count("answered")
        return value

    def _refused(self, refusal: Refused) -> Setback:
        # A server that answers 4xx is well: it only does not give this.
        self.answered += 400 <= refusal.status < 500 and refusal.status != TOO_MANY
        if refusal.wait is not None and refusal.status in RESTING:
            self.rest = max(self.rest, refusal.wait.total_seconds())
        return self._setback(f"status-{refusal.status}", refusal.status)

    def _setback(self, word: str, status: int = 0) -> Setback:
        self._count(word)
        return Setback(word, status)

    def _count(self, word: str) -> None:
        self.words[word] += 1
        self._metrics.fhir_requests[OUTCOME.sub(r"\1xx", word),] += 1
