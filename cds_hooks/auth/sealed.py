"""Answers at rest, readable only for whoever sends the same call with the same token once more."""

from __future__ import annotations

import os
from hashlib import sha256

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cds_hooks.auth.model import Kept

_NONCE_BYTES = 12


class Use:
    """One token used for one call until it ends. ``id`` and ``call`` are hashes that tell nothing; the key stays in
    memory."""

    __slots__ = ("_key", "call", "ends", "id")

    def __init__(self, issuer: str, token_id: str, path: str, body: bytes, ends: float) -> None:
        digest = sha256(b"%b\0%b" % (_bytes(path), body)).digest()
        self.id = token_hash(issuer, token_id)
        self.call = sha256(b"call" + digest).digest()
        self.ends = ends
        # Whoever has only the file knows neither the call nor the name of its token.
        self._key = sha256(b"key" + digest + _bytes(token_id)).digest()

    def seal(self, kept: Kept) -> bytes:
        """The answer to this call, for the file."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, msgspec.msgpack.encode(kept), self.id)

    def unseal(self, sealed: bytes) -> Kept:
        """What :meth:`seal` sealed for the same use."""
        plain = AESGCM(self._key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self.id)
        return msgspec.msgpack.decode(plain, type=Kept)


def token_hash(issuer: str, token_id: str) -> bytes:
    """What stands for a token: its jti is unique among those of its issuer."""
    return sha256(b"%d:%b%b" % (len(issuer), _bytes(issuer), _bytes(token_id))).digest()


def _bytes(text: str) -> bytes:
    # JSON can spell half a surrogate pair, which UTF-8 cannot.
    return text.encode("utf-8", "surrogatepass")
