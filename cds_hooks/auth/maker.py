"""Makes keys and signs tokens as an EHR would: for the sandbox, for trying a connection, and for tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import PyJWK, PyJWS
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

Jwk = dict[str, Any]
RSA_BITS = 3072
PUBLIC = ("kty", "use", "alg", "kid", "crv", "x", "y", "n", "e")


def make_key(algorithm: str = "ES384") -> Jwk:
    """A new private key as a JWK with ``kid``, ``alg`` and ``use``.

    ``algorithm`` is ES384, RS384, ES256 or RS256; raises :class:`ValueError` for any other.
    """
    if algorithm not in _MAKERS:
        raise ValueError(f"Expected one of the algorithms {', '.join(_MAKERS)}.")
    made = {name: value for name, value in _MAKERS[algorithm]().items() if name != "key_ops"}
    return made | {"kid": str(uuid4()), "alg": algorithm, "use": "sig"}


def public_set(keys: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The JWK Set to give away: the public parts of ``keys``, private or public ones."""
    return {"keys": [{name: one[name] for name in PUBLIC if name in one} for one in keys]}


def sign(key: Mapping[str, Any], claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> str:
    """``claims`` as a signed token; ``headers`` are added to ``alg``, ``typ`` and ``kid``.

    ``key`` is a private JWK of :func:`make_key`.
    """
    algorithm = str(key["alg"])
    named = {"kid": key["kid"], **(headers or {})}
    return PyJWS().encode(json.dumps(claims).encode(), PyJWK(dict(key), algorithm), algorithm, named)


def _on_curve(curve: type[ec.EllipticCurve]) -> Callable[[], Jwk]:
    return lambda: ECAlgorithm.to_jwk(ec.generate_private_key(curve()), as_dict=True)


def _rsa() -> Jwk:
    return RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, RSA_BITS), as_dict=True)


_MAKERS: Mapping[str, Callable[[], Jwk]] = {
    "ES384": _on_curve(ec.SECP384R1),
    "RS384": _rsa,
    "ES256": _on_curve(ec.SECP256R1),
    "RS256": _rsa,
}
