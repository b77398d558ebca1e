"""Checks of what the operator configured: exposure, TLS, misspelt variables, the audit store, keys, the plugin."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import ssl
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from cds_hooks.audit import StoreError
from cds_hooks.audit.location import KEY_FILE, database_path
from cds_hooks.doctor.model import Check, Ground, ok, warn, wrong
from cds_hooks.errors import Trouble
from cds_hooks.settings import check_exposure, is_loopback, unknown_variables

SOON = timedelta(days=30)
OTHERS = 0o077
"""The permissions of everybody but the owner."""


def variables(_ground: Ground) -> Iterable[Check]:
    """Variables with our prefix that are no setting."""
    for name in unknown_variables():
        yield warn("settings", f"{name} is no setting.", "Correct its name: `dystonia-cds settings` lists them all.")


def exposure(ground: Ground) -> Iterable[Check]:
    """Who can reach the service, and whether they must say who they are."""
    settings = ground.settings
    try:
        check_exposure(settings, ground.host)
    except Trouble as trouble:
        yield wrong("exposure", str(trouble), "Change the setting that the sentence names.")
        return
    told = f"On {ground.host}, tokens {'required' if settings.auth == 'required' else 'not asked for'}."
    if settings.auth == "required" or is_loopback(ground.host):
        yield ok("exposure", told)
    else:
        yield warn("exposure", told, "Whoever reaches the address may call. Set DYSTONIA_CDS_AUTH=required.")


def tls(ground: Ground) -> Iterable[Check]:
    """The certificate that the service shows, and how long it holds."""
    from cds_hooks.tls import certificate_files

    try:
        files = certificate_files(ground.settings)
    except Trouble as trouble:
        yield wrong("tls", str(trouble), "Correct the file or the setting.")
        return
    if files is None:
        yield ok("tls", "Plain HTTP: encryption is left to a proxy, or not needed on this machine alone.")
        return
    yield from _certificate(ground, files[0])


def authorities(ground: Ground) -> Iterable[Check]:
    """The hospital's own certificate authorities, which FHIR servers are believed by."""
    path = ground.settings.fhir_authorities
    if path is None:
        return
    try:
        known = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        known.load_verify_locations(path)
    except (OSError, ssl.SSLError):
        action = "Name a readable file of certificates (PEM) in DYSTONIA_CDS_FHIR_AUTHORITIES, or take it away."
        yield wrong("authorities", f"{path} holds no certificate authorities.", action)
    else:
        yield ok("authorities", f"{path.name} holds {len(known.get_ca_certs())}.")


def _certificate(ground: Ground, path: Path) -> Iterable[Check]:
    from cryptography import x509

    try:
        ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except ValueError as error:
        yield wrong("tls", f"The certificate {path} cannot be read ({type(error).__name__}).", "Get a new one.")
        return
    text = f"The certificate {path.name} holds until {ends:%Y-%m-%d}."
    if ends <= ground.now:
        yield wrong("tls", text, "Renew it: every client refuses to connect.")
    elif ends <= ground.now + SOON:
        yield warn("tls", text, "Renew it soon.")
    else:
        yield ok("tls", text)


def store(ground: Ground) -> Iterable[Check]:
    """The audit store, looked at without writing to it."""
    settings = ground.settings
    if not settings.audit:
        yield warn("audit", "The audit is off: no call is recorded.", "Unset DYSTONIA_CDS_AUDIT; off is for measuring.")
        return
    try:
        path = database_path(settings.database, settings.data_dir)
        yield _readable(path) if path.exists() else ok("audit", f"{path} is made at the first start.")
        if _held(path):
            yield ok("audit", "A running service writes to the store.")
    except StoreError as error:
        yield wrong("audit", str(error), "See to the file, or name another with DYSTONIA_CDS_DATABASE.")


def _readable(path: Path) -> Check:
    from cds_hooks.audit.reader import Reader

    try:
        reader = Reader(path)
        try:
            calls = reader.count()
        finally:
            reader.close()
    except (DBAPIError, sqlite3.Error) as error:
        raise StoreError(f"The audit database {path} cannot be read ({type(error).__name__}).") from None
    return ok("audit", f"{path} holds {calls} calls.")


def _held(path: Path) -> bool:
    """Whether a process holds the store's lock; it is tried without waiting and given back at once."""
    lock = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def keys(ground: Ground) -> Iterable[Check]:
    """The key that makes pseudonyms: there, whole, and for its owner alone."""
    path = ground.settings.data_dir / KEY_FILE
    if not path.exists():
        yield ok("pseudonym key", "It is made at the first start.")
        return
    try:
        sound, mode = len(bytes.fromhex(path.read_text("ascii"))) == 32, path.stat().st_mode
    except (OSError, ValueError):
        sound, mode = False, 0
    if not sound:
        yield wrong("pseudonym key", f"{path} cannot be read or is damaged.", "Restore it from a backup.")
    elif mode & OTHERS:
        yield warn("pseudonym key", f"Others than its owner may read {path}.", f"Run: chmod 600 {path}")
    else:
        yield ok("pseudonym key", "It is whole, and for its owner alone.")


def plugin(ground: Ground) -> Iterable[Check]:
    """The clinical content: rules, codes, the site's own terminology, sign-offs."""
    from cds_hooks.plugins import check_services, load_plugin

    try:
        made = load_plugin(ground.settings.plugin, ground.settings.site(f"http://{ground.host}:{ground.port}"))
        check_services(ground.settings, made)
    except Trouble as trouble:
        yield wrong("rules and codes", str(trouble), "Correct what the sentence names.")
        return
    codes = ", ".join(f"{name} {value}" for name, value in made.codes.items())
    yield ok("rules and codes", f"{made.name} {made.version}, rule set {made.ruleset}; {codes}.")
