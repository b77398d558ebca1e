"""Requests that a broken, old or hostile client might send, made from sound calls; the same seed, the same request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from tests.fuzz.odd import CANARY, DATES, MARK, MEDIA, METHODS, ODD, PATHS, RAW_NUMBERS, RAW_TEXTS, UNITS

CASES = Path(__file__).parents[1] / "golden" / "cases"
STOP = 0.12
"""How likely the way down to a place ends at a container."""

DEEP = 0.95
"""How likely a mutation is in the data of a call, not in its outer part."""

Path_ = tuple[Any, ...]
Mutation = Callable[[Random, Any], Any]


@dataclass(frozen=True)
class Request:
    """One request as an ASGI server would hand it over; the body comes in ``pieces``."""

    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    pieces: tuple[bytes, ...]
    cut_off: bool = False


@cache
def sound() -> tuple[bytes, ...]:
    """Every call of the golden cases, with a canary for a name, as JSON."""
    calls = [json.loads(path.read_bytes())["call"] for path in sorted(CASES.rglob("*.json"))]
    for call in calls:
        person = call.get("prefetch", {}).get("patient")
        if isinstance(person, dict):
            person["name"] = [{"family": CANARY, "given": [CANARY]}]
    return tuple(map(msgspec.json.encode, calls))


@cache
def parts() -> dict[str, list[bytes]]:
    """Parts of sound calls as JSON, by the key that they stand under."""
    found: dict[str, list[bytes]] = {}
    for raw_call in sound():
        call = msgspec.json.decode(raw_call)
        for path in places(call):
            found.setdefault(str(path[-1]), []).append(msgspec.json.encode(inside(call, path)))
    return {key: list(dict.fromkeys(values))[:500] for key, values in found.items()}


def request(seed: int) -> Request:
    """The request of this seed."""
    random = Random(seed)
    call = msgspec.json.decode(random.choice(sound()))
    path = f"/cds-services/dystonia-{call['hook']}"
    for _ in range(random.choice((0, 1, 1, 1, 2, 3, 5, 12))):
        call = random.choice(MUTATIONS)(random, call)
    body = _text(random, call)
    if random.random() < 0.2:
        body = random.choice(ON_BYTES)(random, body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    method = "POST"
    if random.random() < 0.05:
        method, path = _elsewhere(random, method, path)
    if random.random() < 0.05:
        headers = list(_odd_headers(random, headers))
    return Request(method, path, tuple(headers), tuple(_pieces(random, body)), random.random() < 0.005)


def _elsewhere(random: Random, method: str, path: str) -> tuple[str, str]:
    if random.random() < 0.3:
        return random.choice(METHODS), path
    if random.random() < 0.5:
        return method, f"{path}/feedback"
    return method, random.choice((path, "/cds-services", "/cds-services/")) + random.choice(PATHS)


def _odd_headers(random: Random, headers: list[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    yield from headers if random.random() < 0.5 else headers[1:]
    odd = (
        b"content-type",
        b"content-length",
        b"content-encoding",
        b"authorization",
        b"origin",
        b"x-forwarded-for",
        b"host",
    )
    for _ in range(random.randint(1, 4)):
        values = (
            *MEDIA,
            b"gzip",
            b"identity",
            b"-1",
            b"9" * 30,
            b"Bearer " + CANARY.encode(),
            b"Bearer a.b.c",
            b"x" * 9_000,
        )
        yield random.choice(odd), random.choice(values)


def _pieces(random: Random, body: bytes) -> Iterator[bytes]:
    if random.random() < 0.8:
        yield body
        return
    at = sorted(random.randint(0, len(body)) for _ in range(random.randint(1, 5)))
    for start, end in zip([0, *at], [*at, len(body)], strict=True):
        yield body[start:end]


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The way to every element below ``value``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def inside(value: Any, path: Path_) -> Any:
    """The element at the end of ``path``."""
    for key in path:
        value = value[key]
    return value


def _place(random: Random, call: Any) -> tuple[Any, Any]:
    """A container and a key of it, anywhere in the call."""
    holder: Any = {"x": call}
    key: Any = "x"
    if isinstance(call, dict) and random.random() < DEEP:
        holder, key = call, random.choice([name for name in ("prefetch", "context") if name in call] or ["x"])
        call.setdefault(key, {})
    while (inner := holder[key]) and isinstance(inner, dict | list) and (inner is call or random.random() > STOP):
        holder, key = inner, random.choice(list(inner)) if isinstance(inner, dict) else random.randrange(len(inner))
    return holder, key


def dropped(random: Random, call: Any) -> Any:
    holder, key = _place(random, call)
    del holder[key]
    return call


def retyped(random: Random, call: Any) -> Any:
    holder, key = _place(random, call)
    holder[key] = deepcopy(random.choice(ODD))
    return call


def raw(random: Random, call: Any) -> Any:
    """A number or text that is no JSON, or hardly."""
    holder, key = _place(random, call)
    holder[key] = MARK + random.choice(RAW_NUMBERS if random.random() < 0.7 else RAW_TEXTS)
    return call


def repeated(random: Random, call: Any) -> Any:
    holder, key = _place(random, call)
    if isinstance(holder, list):
        holder.extend(deepcopy(holder[key]) for _ in range(random.choice((1, 2, 20))))
    elif isinstance(holder.get(key), list):
        holder[key] *= random.choice((2, 3, 30))
    else:
        holder[key] = [holder[key]] * random.choice((1, 2, 5))
    return call


def nested(random: Random, call: Any) -> Any:
    holder, key = _place(random, call)
    name = random.choice(("contained", "extension", "entry", "resource", "x"))
    for _ in range(random.choice((1, 2, 10, 50, 70))):
        holder[key] = [holder[key]] if random.random() < 0.5 else {name: holder[key]}
    return call


def swapped(random: Random, call: Any) -> Any:
    one, key = _place(random, call)
    other, name = _place(random, call)
    one[key], other[name] = deepcopy(other[name]), deepcopy(one[key])
    return call


def grafted(random: Random, call: Any) -> Any:
    """A part of another call: of the same name if there is one."""
    holder, key = _place(random, call)
    donors = parts().get(str(key)) or parts()["resource"]
    holder[key] = msgspec.json.decode(random.choice(donors))
    return call


def dated(random: Random, call: Any) -> Any:
    return _leaf(random, call, ("date", "time", "start", "end", "issued", "authored", "birth"), DATES)


def united(random: Random, call: Any) -> Any:
    return _leaf(random, call, ("unit", "code", "system"), UNITS)


def numbered(random: Random, call: Any) -> Any:
    numbers = (0, -1, 1e-9, 1e12, 99_999_999, -7.4, 2**40, f"{MARK}{random.choice(RAW_NUMBERS)}", "7.4", [7.4])
    return _leaf(random, call, ("value", "low", "high", "frequency", "period", "total", "duration"), numbers)


def _leaf(random: Random, call: Any, names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    paths = [path for path in places(call) if any(name in str(path[-1]).lower() for name in names)]
    if paths:
        path = random.choice(paths)
        inside(call, path[:-1])[path[-1]] = random.choice(values)
    return call


def renamed(random: Random, call: Any) -> Any:
    holder, key = _place(random, call)
    if isinstance(holder, dict):
        holder[random.choice((f"{key}x", str(key).upper(), "", f"_{key}", "id", "resourceType", "entry"))] = holder.pop(
            key
        )
    return call


MUTATIONS: tuple[Mutation, ...] = (
    dropped,
    retyped,
    retyped,
    raw,
    repeated,
    nested,
    swapped,
    grafted,
    grafted,
    dated,
    united,
    numbered,
    renamed,
)


def _text(random: Random, call: Any) -> bytes:
    text = json.dumps(call, ensure_ascii=random.random() < 0.5, indent=random.choice((None, None, None, 1)))
    beginning = f'"{MARK}'
    while beginning in text:
        at = text.index(beginning)
        end = text.index('"', at + len(beginning))
        while text[end - 1] == "\\":
            end = text.index('"', end + 1)
        text = text[:at] + json.loads(text[at : end + 1])[len(MARK) :] + text[end + 1 :]
    return text.encode("utf-8", "surrogatepass")


def cut(random: Random, body: bytes) -> bytes:
    return body[: random.randint(0, len(body))]


def flipped(random: Random, body: bytes) -> bytes:
    found = bytearray(body)
    for _ in range(random.choice((1, 1, 3, 20))):
        if found:
            found[random.randrange(len(found))] = random.randrange(256)
    return bytes(found)


def inserted(random: Random, body: bytes) -> bytes:
    at = random.randint(0, len(body))
    odd = (
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xed\xa0\x80",
        b"\\ud800",
        b"[" * 200,
        b'{"a":' * 90,
        b"]" * 50,
        b",",
        b'"',
        b"\\",
        b"\0",
        b'"patientId":"other",',
        b'"hook":"patient-view",',
        b"/* x */",
        b" " * 3_000,
    )
    return body[:at] + random.choice(odd) + body[at:]


def doubled(random: Random, body: bytes) -> bytes:
    start, end = sorted(random.randint(0, len(body)) for _ in range(2))
    return body[:end] + body[start:end] + body[end:]


ON_BYTES: tuple[Callable[[Random, bytes], bytes], ...] = (cut, flipped, inserted, inserted, doubled)
