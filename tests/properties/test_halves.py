"""A call read in two halves is the call read as a whole, or refused in the same words."""

from __future__ import annotations

import json
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.errors import Refusal
from cds_hooks.halves import halves
from cds_hooks.service import Service
from cds_hooks.shapes import Value
from cds_hooks.wire import Call, Decoder, Envelope
from tests.contract.conftest import bundle, call, patient, thing
from tests.contract.toy import Resource, toy
from tests.properties.profile import examples

SERVICES = {service.hook: service for service in toy().services}
SIGN = SERVICES["order-sign"]
SPACES = ("", "", "", "", " ", "\n", "\t \r\n")
ODD_SPACES = (*SPACES, "\v", " " * 70)
PREFETCHES = [
    {},
    {"patient": patient()},
    {"things": bundle(thing("a"), thing("b")), "patient": None},
    {"things": bundle({"resourceType": "Thing", "id": 5})},
    {"things": [{}]},
    [{}],
    None,
    "a",
]
# As often as not a member that the call has already, or a name that is spelt otherwise and is the same.
EXTRA = (
    '"prefetch":{"patient":null}',
    '"prefetch":{}',
    '"pr\\u0065fetch":{}',
    '"context":{"patientId":"someone-else"}',
    '"\\u0063ontext":{"patientId":"someone-else"}',
    '"hook":"order-sign"',
    '"hook":5',
    '"x":"prefetch"',
    '"x":"\\"prefetch\\":{"',
    '"x":{"a":1,"prefetch":{}}',
    '"x":[{"a":1},{"prefetch":{}}]',
    '"extension":{"a":{}}',
    '"fhirServer":"https://ehr.example/r4"',
    '"fhirAuthorization":{"access_token":"t"}',
)


class Whole(Decoder):
    """The decoder without the short way."""

    def _read_halves(self, body: bytes) -> tuple[Envelope, dict[str, Value]] | None:
        return None


DECODER, WHOLE = Decoder(Resource), Whole(Resource)


def spelt(random: Random) -> bytes:
    """An order-sign call with its members in any order, some of them twice, and white space between."""

    spaces = random.choice((SPACES, SPACES, SPACES, ODD_SPACES))

    def space() -> str:
        return random.choice(spaces)

    sent = call("order-sign", None) | {"prefetch": random.choice(PREFETCHES)}
    members = [f"{json.dumps(name)}{space()}:{space()}{json.dumps(value)}" for name, value in sent.items()]
    members += random.sample(EXTRA, random.choice((0, 0, 1, 2)))
    if random.random() < 0.4:
        random.shuffle(members)
    if random.random() < 0.1:
        members.remove(random.choice(members))
    return f"{space()}{{{f'{space()},{space()}'.join(members)}{space()}}}{space()}".encode()


def damaged(random: Random, body: bytes) -> bytes:
    start, end = sorted((random.randrange(len(body)), random.randrange(len(body))))
    piece = body[start : min(end, start + 30)]
    return random.choice(
        (
            body[:start],
            body[:start] + body[start + 1 :],
            body[:start] + random.choice((b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\xff")) + body[start:],
            body[:start] + piece + body[start:],
            body + random.choice((b"}", b"{}", b"]", b",", b"\0")),
        )
    )


def outcome(decoder: Decoder, body: bytes, service: Service) -> object:
    try:
        read: Call = decoder.decode(body, service)
    except Refusal as error:
        return type(error).__name__, error.text
    return msgspec.structs.asdict(read)


def test_the_usual_call_is_read_in_halves() -> None:
    sent = call("order-sign", {"patient": patient(), "things": bundle(thing("a"))})
    parts = halves(json.dumps(sent, indent=2).encode())
    assert parts is not None
    assert json.loads(parts[0]) == {name: value for name, value in sent.items() if name != "prefetch"}
    assert json.loads(bytes(parts[1])) == sent["prefetch"]


@given(st.integers(0, 2**32), st.booleans())
@examples(3_000)
def test_in_halves_and_as_a_whole_is_the_same(seed: int, damage: bool) -> None:
    random = Random(seed)
    body = damaged(random, spelt(random)) if damage else spelt(random)
    assert outcome(DECODER, body, SIGN) == outcome(WHOLE, body, SIGN), body
