"""The shapes of the standard that the other tests judge by: they take what is right and find each fault."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from pydantic import ValidationError

from cds_hooks import models, request_models, schemas
from cds_hooks.answers import check
from tests.conformance import standard, wrong
from tests.support.fire import plugin

Json = dict[str, Any]
BODIES = {
    "response": (wrong.GOOD, wrong.RESPONSES),
    "feedback": (wrong.DONE, wrong.FEEDBACK),
    "request": (wrong.CALLED, wrong.REQUESTS),
}
CASES = [
    pytest.param(kind, path, value, marks=pytest.mark.conformance(*rows.split()), id=f"{kind}-{rows}-{path[-1]}")
    for kind, (_, faulty) in BODIES.items()
    for rows, path, value in faulty
]
# A missing patient is a warning of the specification's, not an error; the schema of requests lets it pass.
WARNINGS = {("fhirAuthorization", "patient")}


@pytest.mark.parametrize("version", standard.VERSIONS)
@pytest.mark.parametrize("kind", BODIES)
def test_what_is_right_is_taken(kind: str, version: str) -> None:
    assert standard.faults(kind, BODIES[kind][0], version) == []


@pytest.mark.parametrize("version", standard.VERSIONS)
@pytest.mark.parametrize(("kind", "path", "value"), CASES)
def test_each_fault_is_found(kind: str, path: wrong.Path, value: Any, version: str) -> None:
    assert standard.faults(kind, wrong.changed(BODIES[kind][0], path, value), version)


@pytest.mark.conformance("M7")
def test_each_invariant_is_broken_by_one_of_the_faults() -> None:
    broken = set()
    for kind, (good, faulty) in BODIES.items():
        for _, path, value in faulty:
            broken |= set(standard.faults(kind, wrong.changed(good, path, value), standard.THREE))
    # Nothing here sends a choice among actions; its invariant is broken below.
    assert standard.INVARIANTS.keys() - broken == {"cds-resp-7"}
    strange = wrong.changed(wrong.GOOD, (*wrong.GIVEN, "actionSelectionBehavior"), "none")
    assert "cds-resp-7" in standard.faults("response", strange, standard.THREE)


@pytest.mark.conformance("G34", "M3")
def test_the_versions_differ_where_they_should() -> None:
    chosen = wrong.changed(wrong.GOOD, (*wrong.GIVEN, "actionSelectionBehavior"), "any")
    action = {"type": "create", "resource": wrong.ORDER}
    for body in (chosen, {**wrong.GOOD, "systemActions": [action]}):
        assert standard.faults("response", body, standard.TWO)
        assert standard.faults("response", body, standard.THREE) == []


@pytest.mark.parametrize(("path", "value"), [one.values[1:] for one in CASES if one.values[0] == "response"])
def test_no_such_answer_can_leave(path: wrong.Path, value: Any) -> None:
    body = wrong.changed(wrong.GOOD, path, value)
    with_faulty_card = path[:2] == wrong.CARD
    assert not with_faulty_card or check(body["cards"][0])[0]
    if value not in (None, ""):
        with pytest.raises(ValidationError):
            models.CdsResponse.model_validate(body)


def test_the_good_answer_can_leave() -> None:
    assert check(wrong.GOOD["cards"][0])[0] == ""
    models.CdsResponse.model_validate(wrong.GOOD)


def validator(name: str) -> Any:
    return jsonschema_rs.Draft202012Validator(schemas.document(name, plugin(), "https://cds.example"))


@pytest.mark.parametrize("kind", BODIES)
def test_the_published_schema_takes_what_is_right(kind: str) -> None:
    assert [one.message for one in validator(kind).iter_errors(BODIES[kind][0])] == []


@pytest.mark.parametrize(("kind", "path", "value"), CASES)
def test_the_published_schema_finds_each_fault(kind: str, path: wrong.Path, value: Any) -> None:
    body = wrong.changed(BODIES[kind][0], path, value)
    assert validator(kind).is_valid(body) == (path in WARNINGS)


REQUEST_TYPES = {one.__name__: one for one in schemas.request_types(plugin())}


@pytest.mark.parametrize(("kind", "path", "value"), [one for one in CASES if one.values[0] != "response"])
def test_the_models_agree_with_their_schemas(kind: str, path: wrong.Path, value: Any) -> None:
    model = request_models.Feedback if kind == "feedback" else REQUEST_TYPES["OrderSelectRequest"]
    model.model_validate(BODIES[kind][0])
    body = wrong.changed(BODIES[kind][0], path, value)
    if path in WARNINGS:
        model.model_validate(body)
        return
    with pytest.raises(ValidationError):
        model.model_validate(body)
