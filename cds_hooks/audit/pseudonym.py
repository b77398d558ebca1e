"""Patients by pseudonym: the same patient can be found again, and nobody can read who it is without the key."""

from __future__ import annotations

import hmac

_HEX_DIGITS = 32


def pseudonym(key: bytes, patient_id: str) -> str:
    """Return HMAC-SHA-256 of ``patient_id`` cut to 128 bits, as hexadecimal digits; empty for an empty id."""
    if not patient_id:
        return ""
    return hmac.digest(key, patient_id.encode("utf-8", "surrogatepass"), "sha256").hex()[:_HEX_DIGITS]
