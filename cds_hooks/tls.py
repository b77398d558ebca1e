"""Serving HTTPS from a certificate and its key, and saying in one sentence why files cannot be used."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import uvicorn

from cds_hooks.errors import SettingsTrouble
from cds_hooks.settings import Settings

CERTIFICATE, KEY = "DYSTONIA_CDS_TLS_CERTIFICATE", "DYSTONIA_CDS_TLS_KEY"


def certificate_files(settings: Settings) -> tuple[Path, Path] | None:
    """The certificate and the key to serve with, or None for plain HTTP.

    Raises :class:`SettingsTrouble` if there is only one of them, or if they cannot be read or do not go together.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        there, missing = (CERTIFICATE, KEY) if key is None else (KEY, CERTIFICATE)
        raise SettingsTrouble(f"{there} is set and {missing} is not. Expected both, or neither for plain HTTP.")
    for name, path in ((CERTIFICATE, certificate), (KEY, key)):
        _check_readable(name, path)
    try:
        # With a password nobody is asked for one: a key that needs another cannot be used.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise SettingsTrouble(_sentence(error.reason or "")) from None
    return certificate, key


def _check_readable(name: str, path: Path) -> None:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SettingsTrouble(f"{name} names the file {path}, which cannot be read: {error.strerror}.") from None
    if b"-----BEGIN " not in text:
        raise SettingsTrouble(f"{name} names the file {path}, which is not PEM: expected -----BEGIN … in it.")


def _sentence(reason: str) -> str:
    if "MISMATCH" in reason:
        return f"{KEY} is not the key of {CERTIFICATE}. Expected the certificate first in its file, and its own key."
    return f"{CERTIFICATE} and {KEY} cannot be used: expected a certificate chain and a key without password, both PEM."


def context(_config: uvicorn.Config, usual: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """uvicorn's context, for TLS 1.2 and 1.3 alone."""
    made = usual()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made
