"""Codes of the audit in plain words."""

from __future__ import annotations

REASONS = {
    "no-result": "no result was found",
    "key-missing": "the data were not sent",
    "key-failed": "the data could not be fetched",
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

# Headings of the verdicts, in the order of the page.
GROUPS = {
    "fired": "Found and shown",
    "suppressed": "Found, but silenced",
    "unshown": "Found, but on no card",
    "not-checked": "Not checked",
    "clear": "Checked, nothing found",
    "not-applicable": "Does not apply here",
}
