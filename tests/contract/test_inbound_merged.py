"""Merged patients: data under another id count as the patient's where the Patient resource itself says so."""

from __future__ import annotations

from typing import Any

import pytest

from cds_hooks.errors import NothingToJudge
from tests.support.fhir import call as asking
from tests.support.fhir import lab, order, prefetch
from tests.support.fhir import patient as person
from tests.support.fire import fire

SERVER = "https://ehr.example/r4"
OLD = "Patient/old"


def link(kind: Any, other: Any) -> dict[str, Any]:
    return {"type": kind, "other": {"reference": other}}


# The links of the Patient resource, the owner of a result, and whether the result is the patient's.
LINKS: list[tuple[Any, str, bool]] = [
    ([link("replaces", OLD)], OLD, True),
    ([link("replaced-by", OLD)], OLD, True),
    ([link("seealso", OLD)], OLD, True),
    ([link("replaces", f"{SERVER}/{OLD}")], OLD, True),
    ([link("replaces", f"{OLD}/_history/2")], f"{SERVER}/{OLD}/_history/1", True),
    ([link("refer", "Patient/x"), link("replaces", OLD)], OLD, True),
    ([link("refer", OLD)], OLD, False),
    ([link("replaces", OLD)], "Patient/older", False),
    ([link("replaces", OLD)], "https://elsewhere.example/r4/Patient/old", False),
    ([link("replaces", "https://elsewhere.example/r4/Patient/old")], OLD, False),
    ([link("replaces", "RelatedPerson/old")], OLD, False),
    ([link("replaces", "old")], OLD, False),
    ([link(7, OLD)], OLD, False),
    ([{"type": "replaces"}], OLD, False),
    ([link("replaces", None)], OLD, False),
    (None, OLD, False),
]


def opened(links: Any, owner: str) -> Any:
    calcium = lab("ionised", 0.8) | {"id": "ca-old", "subject": {"reference": owner}}
    sent = prefetch(calcium, patient=person(link=links) if links is not None else person())
    return fire(asking([order("haloperidol")], sent) | {"fhirServer": SERVER})


@pytest.mark.parametrize(("links", "owner", "mine"), LINKS)
def test_a_merge_is_believed_of_the_patient_resource_alone(links: Any, owner: str, mine: bool) -> None:
    found = opened(links, owner)
    assert (found.result("R-MET-01")["status"] == "fired") == mine
    assert found.result("R-DQ-07")["status"] == "fired"
    text = str(found.cards)
    assert ("under another id of this patient were used" in text) == mine
    assert ("Data of a different patient were received and left out" in text) != mine


def test_a_patient_of_someone_else_tells_of_no_merge() -> None:
    """Only the resource with the id of the call may say so, wherever it stands among the data."""
    other = {"resourceType": "Patient", "id": "p2", "link": [link("replaces", OLD)]}
    calcium = lab("ionised", 0.8) | {"id": "ca-old", "subject": {"reference": OLD}}
    found = fire(asking([order("haloperidol")], prefetch(calcium) | {"mother": other}))
    assert found.result("R-MET-01")["status"] == "not-checked"


def test_an_order_names_the_patient_of_the_call() -> None:
    sent = prefetch(patient=person(link=[link("replaces", OLD)]))
    assert fire(asking([order("haloperidol")], sent)).cards
    with pytest.raises(NothingToJudge, match=r"context\.draftOrders"):
        fire(asking([order("haloperidol") | {"subject": {"reference": OLD}}], sent))
