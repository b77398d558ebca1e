"""Nothing that tells who a patient is reaches the inbox or the resolver, wherever it stands in a call."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.desk.lookup import lookup
from tests.support.fhir import call, condition, order, patient, prefetch, taking
from tests.support.fire import unmapped_of

Json = dict[str, Any]
LETTERS = st.characters(categories=("Lu", "Ll"))
NAME = st.text(LETTERS, min_size=2, max_size=12)
NUMBER = st.from_regex(r"[A-Z]{0,3}[0-9]{2,9}", fullmatch=True)
WORDS = st.sampled_from(
    ["Lisinopril", "10 MG", "tablet", "Flat foot", "Calcium", "for", "-", ",", "haloperidol", "every 6 h"]
)


@st.composite
def persons(draw: st.DrawFn) -> Json:
    """A patient with names, identifiers and a birth date."""
    name = {"family": draw(NAME), "given": draw(st.lists(NAME, max_size=2))}
    day = draw(st.dates()).isoformat()
    return patient(birth=day, name=[name], identifier=[{"value": draw(NUMBER)}])


def secrets(person: Json) -> list[str]:
    name = person["name"][0]
    return [name["family"], *name["given"], person["identifier"][0]["value"], person["birthDate"], person["id"]]


def plain(text: str) -> str:
    """Lower case without accents, as people compare names."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in folded if not unicodedata.combining(sign))


def holds(text: str, secret: str) -> bool:
    """Whether a secret stands in a text, whole or as its words."""
    words = re.findall(r"[^\W_]+", plain(secret))
    return bool(words) and set(words) <= set(re.findall(r"[^\W_]+", plain(text)))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_name_or_number_of_the_patient_gets_out(data: st.DataObject) -> None:
    person = data.draw(persons())
    some = st.lists(st.one_of(WORDS, st.sampled_from(secrets(person))), min_size=1, max_size=5)

    def said() -> str:
        return " ".join(data.draw(some))

    code = {"coding": [{"system": f"urn:x:{data.draw(NUMBER)}", "code": said(), "display": said()}], "text": said()}
    lab = {"resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "Patient/p1"}}
    record = prefetch(
        person,
        taking(said(), id="m1"),
        taking("x", id="m2", more={"medicationCodeableConcept": code}),
        {**lab, "code": code},
        {**lab, "id": "o2", "code": {"text": said()}},
        condition(text=said()),
        condition("", id="c2", text=said()) | {"code": code},
    )
    drafts = [order(said()), order(id="d2", more={"medicationCodeableConcept": code})]
    for item in unmapped_of(call(drafts, record)):
        for secret in secrets(person):
            assert not holds(f"{item.system} {item.code} {item.text}", secret), (item, secret)
        for source in ("rxnav", "fhir"):
            target = next(lookup(item, source), "")
            assert not any(holds(target, secret) for secret in secrets(person) if len(secret) > 2)
