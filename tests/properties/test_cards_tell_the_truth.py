"""Whatever the patient: cards are short, complete, valid, and say nothing that is not in the data."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_hooks.models import CdsResponse
from plugin.thresholds import TABLE
from tests.properties.patients import calls
from tests.support.fire import Fired, fire

Json = dict[str, Any]
# Figures of the rules themselves, which a summary may name beside the patient's own: "age <35", "in 72 h".
OF_THE_RULES = {entry.value for entry in TABLE.values()}
# Names with figures in them, how many of something there are, and a label's weight in other units.
NOT_A_FIGURE = re.compile(r"20 lb \(9 kg\)|22q11\.2|CYP2D6|5-HT3|[+;] ?\d+ more|\d+ dopamine blockers|R-[A-Z]+-\d+")


def _references(body: Json) -> set[str]:
    found = {"Patient/p1"}
    bundles = [*body["prefetch"].values(), body["context"].get("draftOrders", {})]
    for one in bundles:
        resources = [entry["resource"] for entry in one.get("entry", [])] if "entry" in one else [one]
        found |= {f"{resource['resourceType']}/{resource['id']}" for resource in resources if "id" in resource}
    return found


def _figures(text: str) -> set[Decimal]:
    """Figures as a summary shows them, with two decimals at most."""
    found = re.findall(r"\d+(?:\.\d+)?", NOT_A_FIGURE.sub(" ", text))
    return {round(Decimal(one), 2) for one in found}


def _ours(card: Json) -> Json:
    found: Json = card["extension"]["org.dystonia-cds"]
    return found


@settings(derandomize=True, max_examples=400, deadline=None)
@given(calls())
def test_cards(body: Json) -> None:
    answer, known = fire(body), _references(body)
    CdsResponse.model_validate(answer.body)
    for card in answer.cards:
        facts = _ours(card).get("facts", [])
        assert len(card["summary"]) < 140
        assert {fact["reference"] for fact in facts if "reference" in fact} <= known
        told = " ".join([fact["text"] for fact in facts])
        assert _figures(card["summary"]) <= _figures(told) | OF_THE_RULES, (card["summary"], told)
        assert all(fact["text"] in card["detail"] for fact in facts)
        assert _ours(card).get("subject", "Patient/p1") in known
    _check_results(answer, known)


def _check_results(answer: Fired, known: set[str]) -> None:
    """Verdicts name only what was sent; a reason stands with "not checked" alone, an indicator with "fired" alone."""
    for result in answer.results:
        assert set(result.get("inputs", [])) <= known
        assert ("reason" in result) is (result["status"] == "not-checked")
        assert ("indicator" in result) is (result["status"] == "fired")


@settings(derandomize=True, max_examples=150, deadline=None)
@given(calls())
def test_suggestions(body: Json) -> None:
    age = int((body["prefetch"]["patient"].get("birthDate") or "2026")[:4])
    for card in fire(body).cards:
        for suggestion in card.get("suggestions", []):
            for action in suggestion.get("actions", []):
                resource = action.get("resource")
                if resource is None:
                    continue
                get_fhir_model_class(resource["resourceType"]).model_validate(resource)
                assert resource["status"] == ("stopped" if resource.get("id", "").startswith("m") else "draft")
                if action["type"] == "create":
                    assert "dosageInstruction" not in resource or 1961 <= age <= 2008, "doses for adults only"


@settings(derandomize=True, max_examples=60, deadline=None)
@given(calls(), st.sampled_from(["calcium-sc", "ionised", "magnesium", "albumin"]), st.text(max_size=40))
def test_words_of_the_laboratory_are_harmless(body: Json, name: str, words: str) -> None:
    """A result in words, whatever they are, neither breaks the answer nor leaves markup in it."""
    for entry in body["prefetch"]["observations"].get("entry", []):
        if entry["resource"]["id"].startswith(name):
            entry["resource"].pop("valueQuantity", None)
            entry["resource"]["valueString"] = f"<b>{words}</b>"
    text = json.dumps([card["detail"] for card in fire(body).cards])
    assert "<b>" not in text
