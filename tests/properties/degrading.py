"""Ways to make one input less readable: a resource that lost something, or a prefetch key that failed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.support.rows import outcome

Json = dict[str, Any]
Degrade = Callable[[Json], bool]
DATES = (
    "effectiveDateTime",
    "onsetDateTime",
    "recordedDate",
    "authoredOn",
    "whenHandedOver",
    "performedDateTime",
)
NAMES = {"code": {}, "medicationCodeableConcept": {}}


def _of_a_quantity(change: Callable[[Json, Json], None]) -> Degrade:
    def degrade(resource: Json) -> bool:
        quantity = resource.get("valueQuantity")
        if quantity is not None:
            change(resource, quantity)
        return quantity is not None

    degrade.__name__ = change.__name__
    return degrade


@_of_a_quantity
def without_unit(resource: Json, quantity: Json) -> None:
    quantity.pop("unit", None)
    quantity.pop("code", None)


@_of_a_quantity
def with_unknown_unit(resource: Json, quantity: Json) -> None:
    quantity |= {"unit": "furlong", "code": "furlong"}


@_of_a_quantity
def with_a_value_that_is_text(resource: Json, quantity: Json) -> None:
    quantity["value"] = str(quantity["value"])


@_of_a_quantity
def with_a_value_in_words(resource: Json, quantity: Json) -> None:
    resource["valueString"] = str(resource.pop("valueQuantity")["value"])


@_of_a_quantity
def without_value(resource: Json, quantity: Json) -> None:
    resource.pop("valueQuantity")


def with_words_that_say_nothing(resource: Json) -> bool:
    return _put(resource, ("valueString", "conclusion"), lambda text: "see the letter")


def _put(resource: Json, names: tuple[str, ...], change: Callable[[str], str | None]) -> bool:
    """Changes the text of the elements that are there, or takes them away; whether there was any."""
    found = [name for name in names if name in resource]
    for name in found:
        changed = change(resource[name])
        resource.pop(name) if changed is None else resource.update({name: changed})
    return bool(found)


def without_dates(resource: Json) -> bool:
    return _put(resource, DATES, lambda text: None)


def with_dates_that_are_none(resource: Json) -> bool:
    return _put(resource, DATES, lambda text: "recently")


def with_the_year_alone(resource: Json) -> bool:
    return _put(resource, DATES, lambda text: text[:4])


def with_the_day_alone(resource: Json) -> bool:
    return _put(resource, DATES, lambda text: text[:10])


def without_period(resource: Json) -> bool:
    return resource.pop("effectivePeriod", None) is not None


def not_final(resource: Json) -> bool:
    if resource["resourceType"] not in {"Observation", "DiagnosticReport"} or resource["status"] not in {
        "final",
        "amended",
    }:
        return False
    resource["status"] = "unknown"
    return True


def without_system(resource: Json) -> bool:
    """A coded name without the system of its code; its words, if any, stay."""
    found = [coding for name in NAMES for coding in resource.get(name, {}).get("coding", []) if "system" in coding]
    for coding in found:
        coding.pop("system")
    return bool(found)


def with_a_code_alone_that_nobody_knows(resource: Json) -> bool:
    found = [name for name in NAMES if name in resource]
    for name in found:
        resource[name] = {"coding": [{"system": "http://example.org/local", "code": "4711"}]}
    return bool(found)


def without_code(resource: Json) -> bool:
    return bool([resource.pop(name) for name in NAMES if name in resource])


def with_a_limit_that_is_text(resource: Json) -> bool:
    for entry in resource.get("referenceRange", []):
        entry["low"]["value"] = str(entry["low"]["value"])
    return "referenceRange" in resource


def with_a_modifier(resource: Json) -> bool:
    if resource["resourceType"] == "Observation":
        resource["modifierExtension"] = [{"url": "http://example.org/unknown", "valueCode": "x"}]
    return resource["resourceType"] == "Observation"


def without_dose(resource: Json) -> bool:
    return resource.pop("dosageInstruction", None) is not None


def with_a_dose_in_words(resource: Json) -> bool:
    if "dosageInstruction" not in resource:
        return False
    resource["dosageInstruction"] = [{"text": "as told"}]
    return True


def without_states(resource: Json) -> bool:
    """A condition or allergy that does not say whether it is active, or certain."""
    return bool([resource.pop(name) for name in ("clinicalStatus", "verificationStatus") if name in resource])


def with_states_that_nobody_knows(resource: Json) -> bool:
    found = [name for name in ("clinicalStatus", "verificationStatus") if name in resource]
    for name in found:
        resource[name] = {"coding": [{"code": "zork"}]}
    return bool(found)


def without_onset_age(resource: Json) -> bool:
    return resource.pop("onsetAge", None) is not None


def without_notes(resource: Json) -> bool:
    return resource.pop("note", None) is not None


def without_parts(resource: Json) -> bool:
    """A genetic report without its components, or with those alone that tell no gene."""
    if "component" not in resource:
        return False
    resource["component"] = resource["component"][1:]
    return True


def that_cannot_be_decoded(resource: Json) -> bool:
    resource["status" if resource["resourceType"] != "Observation" else "code"] = 5
    resource["code"] = [5]
    return True


def that_is_junk(resource: Json) -> bool:
    kind = resource["resourceType"]
    resource.clear()
    resource |= {"resourceType": kind, "code": 7, "subject": {"reference": "Patient/p1"}}
    return True


OF_A_RESOURCE: tuple[Degrade, ...] = (
    without_unit,
    with_unknown_unit,
    with_a_value_that_is_text,
    with_a_value_in_words,
    without_value,
    with_words_that_say_nothing,
    without_dates,
    with_dates_that_are_none,
    with_the_year_alone,
    with_the_day_alone,
    without_period,
    not_final,
    without_system,
    with_a_code_alone_that_nobody_knows,
    without_code,
    with_a_limit_that_is_text,
    with_a_modifier,
    without_dose,
    with_a_dose_in_words,
    without_states,
    with_states_that_nobody_knows,
    without_onset_age,
    without_notes,
    without_parts,
    that_cannot_be_decoded,
    that_is_junk,
)


def failed(data: Json, key: str) -> bool:
    data[key] = outcome()
    return True


def failed_within(data: Json, key: str) -> bool:
    if "entry" not in data[key]:
        return False
    data[key]["entry"] = [{"resource": outcome()}]
    return True


def cut_off(data: Json, key: str) -> bool:
    """Entries lost at the end of a list that says that it has further pages."""
    if "entry" not in data[key]:
        return False
    data[key] |= {"entry": data[key]["entry"][:1], "link": [{"relation": "next", "url": "https://ehr.example/2"}]}
    return True


def absent(data: Json, key: str) -> bool:
    data.pop(key)
    return True


def without_birth_date(data: Json, key: str) -> bool:
    return key == "patient" and data["patient"].pop("birthDate", None) is not None


def with_a_birth_date_that_is_none(data: Json, key: str) -> bool:
    return key == "patient" and _put(data["patient"], ("birthDate",), lambda text: "long ago")


def with_the_birth_year_alone(data: Json, key: str) -> bool:
    return key == "patient" and _put(data["patient"], ("birthDate",), lambda text: text[:4])


def without_sex(data: Json, key: str) -> bool:
    return key == "patient" and data["patient"].pop("gender", None) is not None


def without_class(data: Json, key: str) -> bool:
    return key == "encounter" and data["encounter"].pop("class", None) is not None


OF_A_KEY = (
    failed,
    failed_within,
    cut_off,
    absent,
    without_birth_date,
    with_a_birth_date_that_is_none,
    with_the_birth_year_alone,
    without_sex,
    without_class,
)


def resources_of(body: Json) -> list[Json]:
    """Every resource in a list of the prefetch."""
    bundles = [one for one in body["prefetch"].values() if one.get("resourceType") == "Bundle"]
    return [entry["resource"] for one in bundles for entry in one.get("entry", [])]


@dataclass(frozen=True)
class Loss:
    """One thing that becomes less readable: of a resource or of a prefetch key, and in which way."""

    kind: str
    reference: str
    of_a_resource: Degrade | None = None
    of_a_key: Callable[[Json, str], bool] | None = None

    @property
    def how(self) -> str:
        """The way in words."""
        way: Any = self.of_a_resource or self.of_a_key
        return str(way.__name__)

    def of(self, body: Json) -> Json | None:
        """The call after the loss; None where there is nothing to lose."""
        worse = copy.deepcopy(body)
        if self.of_a_key is not None:
            return (
                worse
                if self.reference in worse["prefetch"] and self.of_a_key(worse["prefetch"], self.reference)
                else None
            )
        for resource in resources_of(worse):
            if self.of_a_resource is not None and reference_of(resource) == self.reference:
                return worse if self.of_a_resource(resource) else None
        return None


def reference_of(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def chosen(dice: Random, body: Json) -> Loss:
    """Some loss that a call may suffer."""
    found = resources_of(body)
    if found and dice.random() < 0.75:
        resource = dice.choice(found)
        way = dice.choice([way for way in OF_A_RESOURCE if way(copy.deepcopy(resource))])
        return Loss(resource["resourceType"], reference_of(resource), way)
    key = dice.choice(sorted(body["prefetch"]))
    return Loss(key, key, None, dice.choice(OF_A_KEY))
