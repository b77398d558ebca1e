"""Codes of the audit in plain words."""

from __future__ import annotations

REASONS = {
    "no-result": "no result was found",
    "key-missing": "the data were not sent",
    "key-failed": "the data could not be read",
    "truncated": "the list of data was cut short",
    "other-patient": "data of another patient had to be left out",
    "unit-missing": "the value has no unit",
    "unit-unknown": "the unit is not known",
    "implausible": "the value is not plausible",
    "stale": "the value is too old",
    "drug-unrecognised": "the drug was not recognised",
    "dose-not-computable": "the dose could not be worked out",
    "date-missing": "a date is missing",
    "time": "time ran out",
    "overload": "the service was too busy",
    "internal": "an error inside the service",
}

KEY_STATES = {
    "satisfied": "received",
    "null": "received, empty",
    "missing": "missing",
    "failed": "failed",
    "not-asked": "not asked for",
}

# Why a key could not be fetched, or not whole; a status ("status-403") stands for itself.
FETCH_WORDS = {
    "not-registered": "the server is not registered for this client",
    "no-token": "no usable access token came with the call",
    "other-patient": "the access token is for another patient",
    "scope": "the access token does not allow it",
    "restricted": "the access token shows only a part",
    "bad-id": "an id of the call cannot stand in an address",
    "open-circuit": "the server had not answered lately",
    "timeout": "time ran out",
    "unreachable": "the server could not be reached",
    "address": "the server's name leads to an address that is not allowed",
    "unusable": "the answer was too large, no JSON, or broken off",
    "outcome": "the server answered with an error, or that data are lacking",
    "other-resource": "the server answered with something else",
    "ignored": "the server left out a part of the question",
    "total": "the server has more than it gave",
    "pages": "there were too many pages",
    "loop": "the pages went round in a circle",
    "foreign-next": "the next page lay elsewhere",
}

# Headings of the verdicts, in the order of the page.
GROUPS = {
    "fired": "Found and shown",
    "suppressed": "Found, but silenced",
    "unshown": "Found, but on no card",
    "not-checked": "Not checked",
    "clear": "Checked, nothing found",
    "not-applicable": "Does not apply here",
}
