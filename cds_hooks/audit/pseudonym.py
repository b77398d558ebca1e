"""Patients by pseudonym: the same patient can be found again, and nobody can read who it is without the key.

Each client has a key of its own, made from the one in the data folder: the same id at two hospitals, which is two
people as often as not, has two pseudonyms, and nobody can tell from them that it is the same id.
"""

from __future__ import annotations

import hmac

from cds_hooks.clients.model import ANONYMOUS

_HEX_DIGITS = 32
_KEY_BYTES = 32


def client_key(key: bytes, client: str) -> bytes:
    """Return the key for the patients of ``client``; whoever calls without saying who it is has ``key`` itself."""
    if client in ("", ANONYMOUS):
        return key
    # Another hash than that of the pseudonyms: no patient's id can then be chosen so as to give another client's key.
    return hmac.digest(key, f"client {client}".encode(), "sha512")[:_KEY_BYTES]


def pseudonym(key: bytes, patient_id: str) -> str:
    """Return HMAC-SHA-256 of ``patient_id`` cut to 128 bits, as hexadecimal digits; empty for an empty id."""
    if not patient_id:
        return ""
    return hmac.digest(key, patient_id.encode("utf-8", "surrogatepass"), "sha256").hex()[:_HEX_DIGITS]
