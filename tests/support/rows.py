"""What tables of patients share: a row that reads as a sentence, ages, and FHIR JSON decoded as a call decodes it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from plugin.fhir.types import AnyResource, Resource
from tests.support.fhir import NOW, condition, family, patient

Json = dict[str, Any]
_DECODER = msgspec.json.Decoder(AnyResource, float_hook=Decimal)

# Patients without a single factor for any dopamine blocker, and three minor factors that hold for all of them.
WOMAN_60 = patient("1966-05-01", "female")
MAN_60 = patient("1966-05-01", "male")
MINOR = (condition("E05.90", id="thyroid"), family(), condition("E20.0", id="parathyroid"))


def row(sentence: str, *values: Any) -> Any:
    """One row of a table; the sentence names it in the report."""
    return pytest.param(*values, id=sentence)


def aged(years: int, gender: str = "female") -> Json:
    """A patient whose birthday is today: exactly this many years old."""
    return patient(f"{NOW.year - years}-11-22", gender)


def day_before_birthday(years: int, gender: str = "female") -> Json:
    """A patient who turns this many years old tomorrow."""
    return patient(f"{NOW.year - years}-11-23", gender)


def resource(found: Json) -> Resource:
    """A resource as the reader gets it, numbers exact."""
    return _DECODER.decode(json.dumps(found))


def outcome() -> Json:
    """What a client sends for a search that failed."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
