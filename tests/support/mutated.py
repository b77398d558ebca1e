"""Mutated tokens without end: from a seed, structure-aware, each of them to be refused.

``python -m tests.support.mutated --count 100000 --seed 1`` tries them against an authenticator in this process.
"""

from __future__ import annotations

import argparse
import json
import random
import string
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cds_hooks.errors import Unauthorised
from tests.support.forged import HASHES, STRANGER, by_hmac, public_forms
from tests.support.tokens import BASE, DROP, NOW, PATH, Door, Ehr, compact, decoded, door, encoded

JKU = "https://north.example/keys/jwks.json"
EHRS = (Ehr(jku=JKU), Ehr("south", "https://south.example", algorithm="RS384"))
PATHS = (PATH, f"{PATH}/feedback", "/cds-services", "/cds-services/toy-patient-view")
LETTERS = string.ascii_letters + string.digits + "-_=.+/ \n\0%"
OTHER_ALGORITHMS = ("none", "None", "HS256", "HS384", "HS512", "ES256", "ES512", "RS256", "RS512", "PS384", "EdDSA", "")
Mutation = Callable[[random.Random, Ehr], str]


def mutated(seed: int) -> Iterator[tuple[str, Ehr, str]]:
    """Without end: the kind of mutation, the EHR that it is about, and the token."""
    chance = random.Random(seed)
    while True:
        ehr = chance.choice(EHRS)
        kind = chance.choice(KINDS)
        yield kind.__name__, ehr, kind(chance, ehr)


def letters(chance: random.Random, ehr: Ehr) -> str:
    """Letters changed, put in, taken out, doubled or swapped."""
    good = token = ehr.token()
    while token == good:
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(token))
            one = chance.choice(LETTERS)
            kinds = (token[at + 1 :], token[at:], token[at:] + token[at:])
            token = token[:at] + chance.choice((one, "", one)) + chance.choice(kinds)
    return token


def bits(chance: random.Random, ehr: Ehr) -> str:
    """Bits of one part turned over, and the part spelt well again."""
    parts = ehr.token().split(".")
    which = chance.randrange(3)
    raw = bytearray(decoded(parts[which]))
    for place in chance.sample(range(len(raw) * 8), chance.randint(1, 3)):
        raw[place // 8] ^= 1 << place % 8
    parts[which] = encoded(bytes(raw))
    return ".".join(parts)


def parts(chance: random.Random, ehr: Ehr) -> str:
    """Parts of two honest tokens put together otherwise."""
    pool = ehr.token().split(".") + ehr.token().split(".")
    whole = (pool[:3], pool[3:])
    while True:
        chosen = [chance.choice(pool) for _ in range(chance.choice((1, 2, 3, 3, 3, 3, 4, 5)))]
        if chosen[1:] not in (whole[0][1:], whole[1][1:]):  # two honest tokens of one EHR have the same header
            return ".".join(chosen)


def spelling(chance: random.Random, ehr: Ehr) -> str:
    """The same JSON in other letters, under the old signature."""
    header, claims, tail = ehr.token().split(".")
    which = chance.choice(("header", "claims"))
    found = json.loads(decoded(header if which == "header" else claims))
    names = list(found)
    chance.shuffle(names)
    spelt = json.dumps({name: found[name] for name in names}, indent=chance.choice((0, 1, 2, 4)))
    spelt = spelt.encode(chance.choice(("utf-8", "utf-8", "utf-16", "utf-8-sig"))).decode("latin-1")
    new = encoded(spelt.encode("latin-1"))
    return f"{new}.{claims}.{tail}" if which == "header" else f"{header}.{new}.{tail}"


def confusion(chance: random.Random, ehr: Ehr) -> str:
    """The public key in some form as the secret of an HMAC, under some name of an algorithm."""
    forms = list(public_forms(ehr).values())
    algorithm = chance.choice((*OTHER_ALGORITHMS, ehr.algorithm))
    sign = by_hmac(chance.choice(list(HASHES)), chance.choice(forms))
    return compact(ehr.header(alg=algorithm), ehr.claims(), sign)


def stranger(chance: random.Random, ehr: Ehr) -> str:
    """A stranger's signature under a header that helps it along."""
    other = STRANGER if ehr.algorithm == "ES384" else EHRS[0]
    helps: dict[str, list[Any]] = {
        "jwk": [other.key, {"kty": "oct", "k": "AAAA"}, strange(chance)],
        "jku": ["http://127.0.0.1:9/x", "file:///etc/passwd", JKU, strange(chance)],
        "x5u": ["http://127.0.0.1:9/x", strange(chance)],
        "x5c": [[encoded(b"x")], strange(chance)],
        "kid": [other.key["kid"], ehr.key["kid"], strange(chance)],
        "alg": [other.algorithm, ehr.algorithm, *OTHER_ALGORITHMS],
    }
    chosen = chance.sample(sorted(helps), chance.randint(1, 4))
    return compact(ehr.header(**{name: chance.choice(helps[name]) for name in chosen}), ehr.claims(), other.sign)


def header(chance: random.Random, ehr: Ehr) -> str:
    """Signed by the EHR itself, under a header that says what it must not."""
    bad: dict[str, list[Any]] = {
        "alg": [*OTHER_ALGORITHMS, DROP, *strange_kinds(chance)],
        "typ": ["at+jwt", "JWE", "", *strange_kinds(chance)],
        "crit": [["exp"], ["b64"], [], *strange_kinds(chance)],
        "b64": [False, True],
        "kid": [DROP, "", ehr.key["kid"][:-1], ehr.key["kid"] + "x", "x" * chance.randint(129, 999), strange(chance)],
        "jku": [JKU + "x", JKU.upper(), "http://127.0.0.1:9/", "", *strange_kinds(chance)],
    }
    name = chance.choice(sorted(bad))
    return compact(ehr.header(**{name: chance.choice(bad[name])}), ehr.claims(), ehr.sign)


def claims(chance: random.Random, ehr: Ehr) -> str:
    """Signed by the EHR itself, with a claim that must not be."""
    now = int(NOW.timestamp())
    far = chance.randint(61, 10**6)
    url = BASE + PATH
    at = chance.randrange(len(url))
    near = url[:at] + chance.choice("/x.@%A") + url[at:]
    bad: dict[str, list[Any]] = {
        "iss": [DROP, ehr.issuer + "/", ehr.issuer[:-1], ehr.issuer.upper(), strange(chance), *strange_kinds(chance)],
        "tenant": ["", strange(chance), *strange_kinds(chance)],
        "aud": [DROP, near, [near], [], "", url[:at], BASE + chance.choice(PATHS[1:]), *strange_kinds(chance)],
        "exp": [DROP, now - far, now + 3600 + far, 0, 1e300, *strange_kinds(chance)],
        "iat": [DROP, now + far, now - 3300 - far, 1e300, *strange_kinds(chance)],
        "nbf": [now + far, 1e300, *strange_kinds(chance)],
        "jti": [DROP, "", "x" * chance.randint(256, 999), *strange_kinds(chance)],
    }
    name = chance.choice(sorted((*bad, "both")))
    if name == "both":
        made = now + chance.choice((far, -far - 3600))
        return ehr.token(iat=made, exp=made + chance.randint(1, 3600))
    return ehr.token(**{name: chance.choice(bad[name])})


def kept_signature(chance: random.Random, ehr: Ehr) -> str:
    """Claims that would do, under the signature of other claims."""
    head, _, tail = ehr.token().split(".")
    changes = {
        "jti": str(chance.random()),
        "sub": strange(chance),
        "exp": int(NOW.timestamp()) + chance.randint(1, 3600),
    }
    return f"{head}.{encoded(json.dumps(ehr.claims(**changes)).encode())}.{tail}"


def signature(chance: random.Random, ehr: Ehr) -> str:
    """Some other bytes for a signature."""
    head, body, tail = ehr.token().split(".")
    raw = decoded(tail)
    size = chance.choice((len(raw), len(raw), len(raw) // 2, len(raw) + 1, len(raw) - 1, 1, 64, 96, 132, 256))
    edge = chance.choice((b"\0", b"\xff", b"\x01"))
    made = chance.choice((chance.randbytes(size), edge * size, raw[: len(raw) // 2] + chance.randbytes(len(raw) // 2)))
    return f"{head}.{body}.{encoded(made)}"


def strange(chance: random.Random) -> str:
    """Some text, often one that means something somewhere."""
    some = "".join(chance.choice(string.printable) for _ in range(chance.randint(1, 60)))
    known = ("../../etc/passwd", "' or '1'='1", "%2e%2e%2f", "${jndi:ldap://x}", "<script>", "\u202e", "\ud800", "\0")
    return chance.choice((some, chance.choice(known), some + chance.choice(known)))


def strange_kinds(chance: random.Random) -> list[Any]:
    """Values of kinds that no claim and no header has."""
    return [None, True, False, [], {}, -1, chance.random(), [strange(chance)], {strange(chance): 1}, [[]]]


KINDS: tuple[Mutation, ...] = (
    *(letters, bits, parts, spelling, confusion, stranger, header, claims, kept_signature, signature),
)


def accepted(door: Door, seed: int, count: int) -> tuple[list[str], Counter[str]]:
    """Tries ``count`` mutated tokens: those that were accepted, and how many there were for each reason to refuse.

    Any error but a refusal is raised.
    """
    passed: list[str] = []
    reasons: Counter[str] = Counter()
    source = mutated(seed)
    for _ in range(count):
        kind, _, token = next(source)
        try:
            door.caller(f"Bearer {token}".encode("utf-8", "surrogatepass"))
        except Unauthorised as refusal:
            reasons[refusal.reason] += 1
        else:
            passed.append(f"{kind}: {token}")
    return passed, reasons


def main() -> int:
    """The command of the long run; 1 if any token was accepted."""
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--count", type=int, default=100_000)
    given.add_argument("--seed", type=int, default=1)
    asked = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        begun = time.monotonic()
        passed, reasons = accepted(door(place, *(ehr.client(place) for ehr in EHRS)), asked.seed, asked.count)
    print(f"{asked.count} mutated tokens, seed {asked.seed}, {time.monotonic() - begun:.0f} s: {len(passed)} accepted")
    print(", ".join(f"{reason} {count}" for reason, count in reasons.most_common()))
    print("\n".join(passed[:20]))
    return 1 if passed else 0


if __name__ == "__main__":
    sys.exit(main())
