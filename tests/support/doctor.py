"""What the tests of ``doctor`` share: settings of their own, and findings as text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cds_hooks.doctor import Check, Ground
from cds_hooks.settings import Given

Json = dict[str, Any]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TOY = "tests.contract.toy:PLUGIN"
ISSUER = "https://north.example/oauth2"


def ground(folder: Path, *, host: str = "127.0.0.1", port: int = 8000, now: datetime = NOW, **settings: Any) -> Ground:
    """What the checks look at: a folder and settings of its own, nothing of the machine's."""
    return Ground(Given(data_dir=folder, plugin=TOY, **settings), host, port, now)


def told(checks: Iterable[Check]) -> str:
    """Findings as lines of state, part, what was found and advice."""
    return "\n".join(f"{one.state} {one.part}: {one.found} {one.advice}".strip() for one in checks)


def expect(checks: Iterable[Check], *parts: str) -> None:
    """Every part is told; whatever is not well comes with advice."""
    found = list(checks)
    for part in parts:
        assert part in told(found)
    assert all(one.advice for one in found if one.state != "ok")
    assert all(one.found.strip() for one in found)


def certificate(folder: Path, days: int, now: datetime = NOW) -> Json:
    """Settings with a certificate of nobody for localhost that ends so many days from ``now``, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cds.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "cds.pem", folder / "cds.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    kinds = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*kinds))
    return {"tls_certificate": pem, "tls_key": private}
