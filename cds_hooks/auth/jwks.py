"""Reading a JWK Set: which of its keys may sign tokens, and what is wrong with the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from cds_hooks.auth.strict_json import NotStrict, strict_object

SIZE_LIMIT = 64 * 1024
LONGEST_KID = 128
LEAST_BITS, MOST_BITS = 2048, 8192
LEAST_EXPONENT = 65537

CURVES = {"P-384": "ES384", "P-256": "ES256"}
RSA = ("RS384", "RS256")
NUMBERS = {"EC": ("x", "y"), "RSA": ("n", "e")}
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_DIGITS = re.compile(r"[A-Za-z0-9_-]+")


class KeysTrouble(Exception):
    """A JWK Set of which nothing can be used; the message is a sentence for operators, without a value of the set."""


class Key(msgspec.Struct, frozen=True):
    """One public key, bound to the algorithms that fit its type, its curve and what it says of itself."""

    by_algorithm: Mapping[str, PyJWK]


class KeySet(msgspec.Struct, frozen=True):
    """The keys of a set that may be used, by their exact ``kid``, and a sentence about each that was left out."""

    keys: Mapping[str, Key]
    flaws: tuple[str, ...] = ()


def read_set(data: bytes) -> KeySet:
    """The usable keys of a JWK Set of at most 64 kB; raises :class:`KeysTrouble` if there is none.

    Left out are private and symmetric keys, keys for encryption, RSA keys below 2048 bits, other curves than P-256 and
    P-384, keys without a ``kid`` of at most 128 characters, and all keys that share one.
    """
    members = _members(data)
    names = Counter(one["kid"] for one in members if isinstance(one, dict) and isinstance(one.get("kid"), str))
    keys: dict[str, Key] = {}
    flaws: list[str] = []
    for position, member in enumerate(members, 1):
        try:
            kid, key = _key(member, names)
        except KeysTrouble as flaw:
            flaws.append(f"Key {position} of {len(members)} is left out: {flaw}")
        else:
            keys[kid] = key
    if not keys:
        raise KeysTrouble(" ".join(flaws) or "The JWK Set holds no key.")
    return KeySet(keys, tuple(flaws))


def _members(data: bytes) -> list[Any]:
    if len(data) > SIZE_LIMIT:
        raise KeysTrouble(f"The JWK Set is larger than {SIZE_LIMIT} bytes.")
    try:
        members = strict_object(data).get("keys")
    except NotStrict:
        raise KeysTrouble("Expected a JWK Set: a JSON object in UTF-8 without a member twice.") from None
    if not isinstance(members, list):
        raise KeysTrouble('Expected a JWK Set: a JSON object with a list "keys".')
    return members


def _key(member: Any, names: Mapping[str, int]) -> tuple[str, Key]:
    if not isinstance(member, dict):
        raise KeysTrouble("expected a JSON object.")
    kid = member.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID:
        raise KeysTrouble(f"expected a kid of 1 to {LONGEST_KID} characters.")
    if names[kid] > 1:
        raise KeysTrouble("several keys have its kid, so that none can be told from the others.")
    _check_purpose(member)
    return kid, Key({name: _bound(member, name) for name in _algorithms(member)})


def _check_purpose(member: Mapping[str, Any]) -> None:
    if member.get("kty") == "oct" or PRIVATE & member.keys():
        raise KeysTrouble("it is private or symmetric; publish the public part only, and make a new key.")
    if member.get("use", "sig") != "sig":
        raise KeysTrouble("it is not for signatures (use).")
    operations = member.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise KeysTrouble("it is not for checking signatures (key_ops).")


def _algorithms(member: Mapping[str, Any]) -> tuple[str, ...]:
    kind, curve = member.get("kty"), member.get("crv")
    if kind == "EC" and isinstance(curve, str) and curve in CURVES:
        fitting: tuple[str, ...] = (CURVES[curve],)
    elif kind == "RSA":
        fitting = RSA
    else:
        raise KeysTrouble("expected kty RSA, or EC with the curve P-384 or P-256.")
    named = member.get("alg")
    chosen = fitting if named is None else tuple(name for name in fitting if name == named)
    if not chosen:
        raise KeysTrouble(f"its alg does not go with its type; expected {' or '.join(fitting)}.")
    return chosen


def _bound(member: Mapping[str, Any], algorithm: str) -> PyJWK:
    kind = str(member["kty"])
    numbers = {name: member.get(name) for name in NUMBERS[kind]}
    if not all(isinstance(value, str) and _DIGITS.fullmatch(value) for value in numbers.values()):
        raise KeysTrouble(f"expected the members {' and '.join(numbers)} in base64url.")
    # Nothing else of the member reaches the library, so that nothing else can change what it makes of it.
    bare = {"kty": kind, **numbers} | ({"crv": member["crv"]} if kind == "EC" else {})
    try:
        made = PyJWK(bare, algorithm)
    except (PyJWTError, ValueError):
        raise KeysTrouble("its numbers are no key of its type.") from None
    if kind == "RSA":
        _check_strength(made)
    return made


def _check_strength(made: PyJWK) -> None:
    if not LEAST_BITS <= made.key.key_size <= MOST_BITS:
        raise KeysTrouble(f"got an RSA key of {made.key.key_size} bits, expected {LEAST_BITS} to {MOST_BITS}.")
    if made.key.public_numbers().e < LEAST_EXPONENT:
        raise KeysTrouble(f"got a small RSA exponent, expected {LEAST_EXPONENT} or more.")
