"""Checks of the registered EHRs that need no other machine: their tables, the keys in files, the used tokens."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from cds_hooks.auth.guard import TOKENS_FILE
from cds_hooks.auth.jwks import SIZE_LIMIT, KeySet, KeysTrouble, read_set
from cds_hooks.clients import Client, Registry
from cds_hooks.doctor.model import Check, Ground, ok, warn, wrong
from cds_hooks.errors import SettingsTrouble
from cds_hooks.settings import SANDBOX_ORIGINS, Settings

SANDBOX = SANDBOX_ORIGINS[0]


def clients(ground: Ground) -> Iterable[Check]:
    """Whether the clients can be told apart, whether what is said of them counts, and each one's own keys."""
    settings = ground.settings
    try:
        Registry.of(settings)
    except SettingsTrouble as trouble:
        yield wrong("clients", str(trouble), "Correct the tables; `dystonia-cds client fields` lists their fields.")
        return
    if settings.auth == "required":
        yield from _audience(ground)
    elif settings.clients:
        yield warn(
            "clients",
            "No token is asked for, so that no call is known to be any client's: of their tables only the FHIR servers "
            "count.",
            "Set DYSTONIA_CDS_AUTH=required, or leave it at that on a machine for trying things out.",
        )
    for one in settings.clients:
        yield from of_client(one)


def _audience(ground: Ground) -> Iterable[Check]:
    if ground.settings.public_url is None and not all(map(_has_audience, _with_issuer(ground.settings))):
        yield warn(
            "clients",
            f"DYSTONIA_CDS_PUBLIC_URL is not set: the aud of tokens must begin with the address served, on port "
            f"{ground.port}.",
            "Set it to the address that the EHRs call, up to /cds-services.",
        )


def _with_issuer(settings: Settings) -> Iterable[Client]:
    return (one for one in settings.clients if one.issuer)


def _has_audience(one: Client) -> bool:
    return bool(one.public_urls or one.audiences)


def of_client(one: Client) -> Iterable[Check]:
    """Whether its tokens can be known as its own, by keys that are there."""
    part = f"{one.name} keys"
    if one.issuer == SANDBOX:
        yield warn(
            one.name,
            "It is the public sandbox, whose private key is published: whoever likes can sign as it.",
            "Remove its table before real data come.",
        )
    if not one.issuer:
        yield warn(one.name, "It has no issuer: no token is its.", "Set issuer to the iss of its tokens.")
    elif one.jwks_file is not None:
        yield _of_file(part, one.jwks_file, one)
    elif not one.jwks_urls:
        yield wrong(part, "It has an issuer and no keys.", "Set jwks_urls, or jwks_file to a JWK Set that it gave you.")


def _of_file(part: str, path: Path, one: Client) -> Check:
    try:
        with path.open("rb") as file:
            return usable(part, str(path), read_set(file.read(SIZE_LIMIT + 1)), one)
    except OSError as error:
        return wrong(part, f"{path} cannot be read: {error.strerror}.", "Correct jwks_file, or the file's permissions.")
    except KeysTrouble as trouble:
        return wrong(part, f"{path}: {trouble}", "Ask the EHR's team for the JWK Set of its public keys.")


def usable(part: str, place: str, keys: KeySet, one: Client) -> Check:
    """Whether keys from ``place`` can sign what the client may send."""
    fitting = [key for key in keys.keys.values() if set(one.algorithms) & key.by_algorithm.keys()]
    text = (
        f"{place}: keys that can be used: {len(keys.keys)}, of them for {' or '.join(one.algorithms)}: {len(fitting)}."
    )
    if not fitting:
        return wrong(part, text, "Add the algorithm of its keys to `algorithms`, or ask for keys of these kinds.")
    if keys.flaws:
        return warn(part, f"{text} {' '.join(keys.flaws)}", "Tell the EHR's team about the keys that are left out.")
    return ok(part, text)


def tokens(ground: Ground) -> Iterable[Check]:
    """The file of used tokens, looked at without writing to it."""
    if ground.settings.auth != "required":
        return
    path = ground.settings.data_dir / TOKENS_FILE
    if not path.exists():
        yield ok("used tokens", f"{path.name} is made at the first start.")
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        trouble = "" if os.access(path, os.W_OK) else "cannot be written"
    except sqlite3.Error:
        trouble = "is damaged or cannot be read"
    advice = "Correct its permissions; if it is damaged, stop the service, move it away and start: it is made anew."
    yield wrong("used tokens", f"{path} {trouble}.", advice) if trouble else ok("used tokens", f"{path.name} is well.")
