"""Name-based uuids, version 5 (RFC 9562), as ``uuid.uuid5`` makes them; here without its objects, for every card."""

from __future__ import annotations

from hashlib import sha1


def uuid5(namespace: bytes, name: str) -> bytes:
    """The sixteen bytes of the uuid of a name; ``namespace`` are those of another uuid."""
    made = bytearray(sha1(namespace + name.encode(), usedforsecurity=False).digest()[:16])
    made[6] = made[6] & 0x0F | 0x50
    made[8] = made[8] & 0x3F | 0x80
    return bytes(made)


def written(uuid: bytes) -> str:
    """A uuid as text, in small letters."""
    digits = uuid.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
