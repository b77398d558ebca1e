"""Reading the query of a request: what was sent must be readable, or the caller is told what was expected."""

from __future__ import annotations

from starlette.requests import Request

from cds_hooks.artefacts.catalogue import shown
from cds_hooks.errors import BadCall

_HIGHEST = 2**31 - 1


def text(request: Request, name: str) -> str:
    """The value of a parameter that may stand once; empty if it is not there."""
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise BadCall(f"The parameter {name} stands {len(values)} times; expected it once at most.")
    return values[0].strip() if values else ""


def whole(request: Request, name: str) -> int | None:
    """The value of a parameter that is a whole number, zero or more; None if it is not there."""
    value = text(request, name)
    if not value:
        return None
    if not (value.isascii() and value.isdecimal() and int(value[:10]) <= _HIGHEST and len(value) <= len(str(_HIGHEST))):
        raise BadCall(f"The parameter {name} is {shown(value)}; expected a whole number from 0 to {_HIGHEST}.")
    return int(value)


def choice(request: Request, name: str, known: tuple[str, ...]) -> str:
    """The value of a parameter with a fixed list of values; empty if it is not there."""
    value = text(request, name)
    if value and value not in known:
        raise BadCall(f"The parameter {name} is {shown(value)}; expected one of {', '.join(known)}.")
    return value


def refuse_unknown(request: Request, known: tuple[str, ...]) -> None:
    """With ``Prefer: handling=strict`` a parameter that is not known is an error; otherwise it is passed over."""
    unknown = sorted(set(request.query_params) - set(known))
    if unknown and "handling=strict" in request.headers.get("prefer", ""):
        raise BadCall(f"Unknown parameter {shown(unknown[0])}; known here are {', '.join(known)}.")
