"""From a token to the client that sent it: what is registered decides, and the token only has to agree.

The order matters. Issuer and tenant find the client; its record says which algorithms, key addresses and keys there
are; the key's own type must go with the algorithm. Only then is anything computed from the signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from urllib.parse import urlsplit

from jwt import PyJWK, PyJWT
from jwt.exceptions import InvalidAudienceError, InvalidJTIError, MissingRequiredClaimError, PyJWTError
from jwt.types import Options

from cds_hooks.auth.bearer import Presented, presented
from cds_hooks.auth.claims import check_claims
from cds_hooks.auth.jwks import LONGEST_KID
from cds_hooks.auth.keyring import Keyring
from cds_hooks.auth.model import Caller
from cds_hooks.clients import Client, Registry
from cds_hooks.errors import Unauthorised
from cds_hooks.settings import is_loopback

FEEDBACK = "/feedback"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_OPTIONS: Options = {
    "require": ["iss", "aud", "exp", "iat", "jti"],
    "enforce_minimum_key_length": True,
    # Ours, by the injected clock and stricter: see claims.py. Who the subject is, is the EHR's affair.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_sub": False,
}
_REASONS: tuple[tuple[type[PyJWTError], str], ...] = (
    (InvalidAudienceError, "audience"),
    (MissingRequiredClaimError, "claims"),
    (InvalidJTIError, "claims"),
    (PyJWTError, "signature"),
)


class Verifier:
    """Checks tokens against the registered clients. ``public_url`` is where clients reach the service: never a header
    of the call."""

    def __init__(self, registry: Registry, keyrings: Mapping[str, Keyring], public_url: str) -> None:
        self._registry = registry
        self._issuers = registry.issuers()
        self._keyrings = keyrings
        self._public_urls = spellings(public_url.rstrip("/"))
        self._library = PyJWT(_OPTIONS)

    def caller(self, headers: Iterable[tuple[bytes, bytes]], path: str, now: float) -> Caller:
        """Who sent a request with these headers to this path; raises :class:`Unauthorised` with its reason, and with
        the client where the token names one."""
        token = presented(headers)
        client = self._client(token)
        try:
            key = self._key(token, client)
            self._verify(token, key, client, path)
            check_claims(token.claims, now)
        except Unauthorised as refusal:
            refusal.client, refusal.key = client.name, _fingerprint(token.header.get("kid"))
            raise
        return Caller(client, token.claims["jti"], float(token.claims["exp"]), path)

    def _client(self, token: Presented) -> Client:
        issuer, tenant = token.said("iss"), token.said("tenant")
        if not issuer or issuer not in self._issuers:
            raise Unauthorised("unknown-issuer")
        client = self._registry.of_token(issuer, tenant) if tenant is not None else None
        if client is None:
            raise Unauthorised("unknown-tenant")
        return client

    def _key(self, token: Presented, client: Client) -> PyJWK:
        algorithm = _check_header(token.header, client)
        kid = token.header.get("kid")
        if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID:
            raise Unauthorised("key-name")
        key = self._keyrings[client.name].find(kid)
        if key is None:
            raise Unauthorised("unknown-key")
        bound = key.by_algorithm.get(algorithm)
        if bound is None:
            raise Unauthorised("algorithm")
        return bound

    def _verify(self, token: Presented, key: PyJWK, client: Client, path: str) -> None:
        audiences = self._audiences(client, path)
        try:
            self._library.decode(token.text, key, [key.algorithm_name], audience=audiences, issuer=client.issuer)
        except PyJWTError as error:
            reason = next(word for kind, word in _REASONS if isinstance(error, kind))
            raise Unauthorised(reason) from None

    def _audiences(self, client: Client, path: str) -> list[str]:
        """What ``aud`` may be at ``path``. Where feedback's audience is not spelled out, its service is meant too."""
        paths = (path, path.removesuffix(FEEDBACK)) if path.endswith(FEEDBACK) else (path,)
        bases = (*self._public_urls, *client.public_urls)
        return [*(base + one for base in bases for one in paths), *client.audiences]


def spellings(address: str) -> tuple[str, ...]:
    """The ways in which people write a base address: one on this machine by name and by number, others as they are."""
    parts = urlsplit(address)
    if parts.hostname is None or not is_loopback(parts.hostname):
        return (address,)
    port = f":{parts.port}" if parts.port is not None else ""
    named = (f"{parts.scheme}://{host}{port}{parts.path}" for host in LOOPBACK)
    return tuple(dict.fromkeys((address, *named)))


def _check_header(header: Mapping[str, object], client: Client) -> str:
    """The algorithm of a header that this client's tokens may have. Keys that it brings or points to are ignored."""
    algorithm, kind, address = header.get("alg"), header.get("typ", "JWT"), header.get("jku")
    if not isinstance(algorithm, str) or algorithm not in client.algorithms:
        raise Unauthorised("algorithm")
    # RFC 7519 leaves typ out where it is clear, CDS Hooks asks clients for it: it may be absent, and nothing else.
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise Unauthorised("type")
    if "crit" in header or "b64" in header:
        raise Unauthorised("critical")
    if "jku" in header and address not in client.jwks_urls:
        raise Unauthorised("key-address")
    return algorithm


def _fingerprint(kid: object) -> str:
    """A short name for a key's name in the audit: what came with a token is not repeated."""
    return sha256(kid.encode("utf-8", "surrogatepass")).hexdigest()[:8] if isinstance(kid, str) else ""
