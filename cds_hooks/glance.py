"""Just enough of a call to say that it was not judged: read at a fraction of the cost, because there are too many.

What stands before the data is enough, where they stand last as they usually do; whether they are JSON is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import msgspec

from cds_hooks.service import HookCall, Options, Service
from cds_hooks.wire import LONGEST_TEXT, Call

Decode = Callable[[bytes, Service], Call]


class Who(msgspec.Struct, gc=False):
    """Whom a call is about."""

    patientId: str


class Glance(msgspec.Struct, gc=False):
    """The members of a call that a card about it needs."""

    hook: str
    hookInstance: str
    context: Who


_GLANCE = msgspec.json.Decoder(Glance)
_DATA = re.compile(rb',\s*+"prefetch"\s*+:')


def unread(service: Service, *, client: str, id: str, now: datetime) -> HookCall:
    """A call of which nothing was read; ``id`` tells it from others."""
    return HookCall(service, client, id, "", "", "", (), {}, {}, now, 0.0, Options())


def glanced(body: bytes, service: Service, decode: Decode, *, client: str, now: datetime) -> HookCall:
    """The call without data; raises :class:`cds_hooks.errors.BadCall` if it is none."""
    instance, patient = _read(body, service, decode)
    return HookCall(service, client, instance, patient, "", "", (), {}, {}, now, 0.0, Options())


def _read(body: bytes, service: Service, decode: Decode) -> tuple[str, str]:
    seen = _head(body) or _seen(body)
    if seen is None or seen.hook != service.hook or not _is_plain(seen):
        call = decode(body, service)
        return call.hook_instance, call.patient_id
    return seen.hookInstance, seen.context.patientId


def _head(body: bytes) -> Glance | None:
    """What stands before the data. Where they are not a member of the outer object this is no JSON, and None."""
    data = _DATA.search(body)
    return _seen(body[: data.start()] + b"}") if data is not None else None


def _seen(body: bytes) -> Glance | None:
    try:
        return _GLANCE.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None


def _is_plain(seen: Glance) -> bool:
    """Whether the texts are as they should be; the decoder says of others what is wrong with them."""
    texts = seen.hookInstance, seen.context.patientId
    return all(0 < len(text) <= LONGEST_TEXT and text.isascii() and text.isprintable() for text in texts) and not (
        texts[1].startswith("Patient/") or " " in texts[1]
    )
