"""What ``fhirAuthorization`` of a call allows: the token, what it is for, and whose data."""

from __future__ import annotations

import re

import msgspec

from cds_hooks.fhir_access.scopes import Grants
from cds_hooks.loose import MISFIT, attempt, json_text
from cds_hooks.secret import Secret

TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXTS = msgspec.json.Decoder(list[str])


class Whose(msgspec.Struct, gc=False):
    """The member of ``fhirAuthorization`` that says whose data it gives access to."""

    patient: msgspec.Raw = msgspec.Raw()


_WHOSE = msgspec.json.Decoder(Whose)


class Authorization:
    """The access that a call brings. ``token`` is None where nothing usable came; ``patient`` may be empty."""

    __slots__ = ("grants", "patient", "token")

    def __init__(self, token: Secret | None, grants: Grants, patient: str = "") -> None:
        self.token = token
        self.grants = grants
        self.patient = patient


def read_authorization(raw: msgspec.Raw | bytes) -> Authorization:
    """Reads what can be read: an empty or unusable token is no token, and scopes that are not said forbid nothing."""
    fields = _fields(raw)
    kind, text = json_text(fields.get("token_type", b"")), json_text(fields.get("access_token", b""))
    is_usable = kind.lower() == "bearer" and TOKEN.fullmatch(text)
    scope = fields.get("scope", msgspec.Raw())
    scopes = json_text(scope) or " ".join(attempt(_TEXTS, scope, []) or [])
    return Authorization(Secret(text) if is_usable else None, Grants(scopes), _plain(fields.get("patient", b"")))


def patient_of(raw: msgspec.Raw | bytes) -> str:
    """The patient whom the access is for, without reading the token; empty where that is not said."""
    try:
        return _plain(_WHOSE.decode(raw).patient)
    except (*MISFIT, RecursionError):
        return ""


def _plain(patient: msgspec.Raw | bytes) -> str:
    return json_text(patient).strip().removeprefix("Patient/")


def _fields(raw: msgspec.Raw | bytes) -> dict[str, msgspec.Raw]:
    try:
        found: dict[str, msgspec.Raw] = _FIELDS.decode(raw) if raw else {}
    except (*MISFIT, RecursionError):
        return {}
    return found
