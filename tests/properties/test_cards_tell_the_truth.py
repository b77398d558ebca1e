"""Whatever the patient: cards are short, few, complete and valid, and say nothing that is not in the data."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from random import Random
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.models import CdsResponse
from plugin.thresholds import TABLE
from tests.properties.degrading import resources_of
from tests.properties.patients import NUMBERS, calls, invented
from tests.properties.profile import examples
from tests.properties.smallest import hold
from tests.support.fhir import DRUGS
from tests.support.fire import fire

Json = dict[str, Any]
# Figures of the rules themselves, which a summary may name beside the patient's own: "age <35", "in 72 h".
OF_THE_RULES = {entry.value for entry in TABLE.values()} | {Decimal(9), Decimal(12), Decimal(20)}
# Names with figures in them, and how many of something there are.
NOT_A_FIGURE = re.compile(
    r"22q11\.2|CYP2D6|5-HT3|B\*15:02|[+;] ?\d+ more|, \d+ more|\d+ dopamine blockers|R-[A-Z]+-\d+"
)
DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
# Drugs that a finding speaks of because they are not there.
OF_THE_TEXTS = {"R-TX-04": {"levodopa"}}
NAMES = {*DRUGS, "levodopa", "carbamazepine", "bupropion", "calcitriol", "methimazole", "fluoxetine"}
PERSON = {"family": "Zyxwonder", "given": ["Quillon"]}


def _ours(card: Json) -> Json:
    found: Json = card["extension"]["org.dystonia-cds"]
    return found


def about(body: Json) -> list[Json]:
    """What the hook is about: drafts, refills or conditions."""
    return [entry["resource"] for part in body["context"].values() if isinstance(part, dict) for entry in part["entry"]]


def every_resource(body: Json) -> dict[str, Json]:
    """All that was sent, by reference."""
    single = [one for one in body["prefetch"].values() if one.get("resourceType") != "Bundle"]
    return {f"{one['resourceType']}/{one['id']}": one for one in (*single, *resources_of(body), *about(body))}


def _figures(text: str) -> set[Decimal]:
    """Figures as a summary shows them, with two decimals at most."""
    found = re.findall(r"\d+(?:\.\d+)?", NOT_A_FIGURE.sub(" ", text))
    return {round(Decimal(one), 2) for one in found}


def _drugs(text: str) -> set[str]:
    lower = text.lower()
    return {name for name in NAMES if re.search(rf"\b{name}\b", lower)}


def _untrue(body: Json) -> str:
    """What a card says and the data do not."""
    answer, known, sent = fire(body), every_resource(body), json.dumps(body).lower().replace("haldol", "haloperidol")
    CdsResponse.model_validate(answer.body)
    wrong = []
    for card in answer.cards:
        facts, rules = _ours(card).get("facts", []), {rule["id"] for rule in _ours(card)["rules"]}
        told = " ".join(fact["text"] for fact in facts)
        allowed = set().union(*(OF_THE_TEXTS.get(rule, set()) for rule in rules))
        if not _figures(card["summary"]) <= _figures(told) | OF_THE_RULES:
            wrong.append(f"figures of {card['summary']!r} beside {told!r}")
        wrong += [
            f"drug {name} was not sent" for name in _drugs(f"{card['summary']} {told}") - allowed if name not in sent
        ]
        wrong += [f"day {one} was not sent" for one in DAY.findall(f"{card['summary']} {told}") if one not in sent]
        wrong += [f"{fact} rests on nothing" for fact in facts if fact.get("reference", "Patient/p1") not in known]
        wrong += [f"{fact} has another day" for fact in facts if not _is_of_its_record(fact, known)]
        wrong += [f"{fact} is not in the detail" for fact in facts if _is_left_out(fact, card)]
    return "; ".join(wrong)


def _is_of_its_record(fact: Json, known: dict[str, Json]) -> bool:
    """Whether its days stand in the record that it names, but for those of another result beside it."""
    record = json.dumps(known.get(fact.get("reference", ""), {}))
    return all(one in record for one in DAY.findall(fact["text"].partition("Last readable")[0]))


def _is_left_out(fact: Json, card: Json) -> bool:
    """How a drug was recognised by its code is in the data alone; what a link is about stands on its page."""
    linked = any("?with=" in link["url"] for link in card["links"])
    return not (
        linked or fact["text"] in card["detail"] or re.search(r" matched by (?:RxNorm code|text)$", fact["text"])
    )


@examples(800)
@given(NUMBERS)
def test_cards(number: int) -> None:
    hold(invented(Random(number)), _untrue)


def _shape(body: Json) -> str:
    """What is wrong with the number, the subjects or the verdicts of an answer."""
    answer, known = fire(body), set(every_resource(body))
    subjects = [_ours(card).get("subject", "") for card in answer.cards]
    wrong = ["more than three cards"] if len(subjects) > 3 else []
    wrong += ["two cards about one subject"] if len(set(subjects)) < len(subjects) else []
    wrong += [f"{subject} was not sent" for subject in subjects if subject and subject not in known]
    placed = {(rule["id"], _ours(card).get("subject", "")) for card in answer.cards for rule in _ours(card)["rules"]}
    told = {(one["rule"], one.get("subject", "")): "suppressed" in one for one in answer.results if "indicator" in one}
    wrong += [
        f"{key} stands on no card and says not why" for key, silent in told.items() if not silent and key not in placed
    ]
    wrong += [f"{key} is silenced and stands on a card" for key in placed if told.get(key, True)]
    wrong += [f"summary of {len(card['summary'])}" for card in answer.cards if len(card["summary"]) >= 140]
    for result in answer.results:
        right = ("reason" in result) is (result["status"] == "not-checked")
        right = right and ("indicator" in result) is (result["status"] == "fired")
        right = right and ("suppressed" not in result or result["status"] == "fired")
        right = right and result.get("reason") != "internal"
        wrong += [] if right and set(result.get("inputs", [])) <= known else [str(result)]
    return "; ".join(wrong)


@examples(500)
@given(NUMBERS)
def test_answers_have_their_shape(number: int) -> None:
    hold(invented(Random(number)), _shape)


def lengthened(value: Any, dice: Random) -> Any:
    """The same JSON with words of any length, line breaks and markup behind each name."""
    if isinstance(value, dict):
        return {
            key: f"{inner}{_tail(dice)}"
            if key in {"text", "display"} and isinstance(inner, str)
            else lengthened(inner, dice)
            for key, inner in value.items()
        }
    return [lengthened(inner, dice) for inner in value] if isinstance(value, list) else value


def _tail(dice: Random) -> str:
    return dice.choice(
        ["", " tablets " * 40, "\n# Stop **now**" * 9, " <b>x</b>" * 30, " " + "n" * 300, " [a](http://x)" * 20]
    )


@examples(400)
@given(NUMBERS)
def test_long_and_hostile_names(number: int) -> None:
    """Summaries stay short and details stay plain, whatever the record calls its drugs and conditions."""

    def check(body: Json) -> str:
        other = lengthened(body, Random(number))
        details = " ".join(card["detail"] for card in fire(other).cards)
        return _shape(other) or ("markup" if re.search(r"<b>|\]\(http|\n#", details) else "")

    hold(invented(Random(number)), check)


@examples(300)
@given(NUMBERS)
def test_no_person_is_named(number: int) -> None:
    body = invented(Random(number))
    body["prefetch"]["patient"] |= {"name": [PERSON], "identifier": [{"value": "MRN-77777"}]}
    for resource in (*resources_of(body), *about(body)):
        resource.get("subject", {})["display"] = "Quillon Zyxwonder"
        resource["recorder"] = {"display": "Dr Zyxwonder"}
    answer = fire(body)
    told = json.dumps([{**card, "suggestions": []} for card in answer.cards] + answer.results)
    assert not re.search("Zyxwonder|Quillon|77777", told)


def _wrong_suggestions(body: Json) -> str:
    """Suggestions that are no drafts of a valid kind, or that change what is not there."""
    born = (body["prefetch"]["patient"].get("birthDate") or "2026")[:4]
    known, drafts = every_resource(body), {f"{one['resourceType']}/{one['id']}" for one in about(body)}
    wrong = []
    for card in fire(body).cards:
        for action in (action for one in card.get("suggestions", []) for action in one.get("actions", [])):
            resource = action.get("resource")
            if resource is None:
                wrong += [] if action["type"] == "delete" and action["resourceId"] in drafts else [str(action)]
                continue
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)
            own = f"{resource['resourceType']}/{resource.get('id')}"
            if action["type"] == "update":
                right = resource["status"] == ("draft" if own in drafts else "stopped") and own in known
            else:
                dosed = "dosageInstruction" not in resource or 1961 <= int(born) <= 2008
                right = "id" not in resource and dosed and resource.get("status", "draft") == "draft"
            wrong += [] if right else [f"{action['type']} {resource}"]
    return "; ".join(wrong)


@examples(400)
@given(NUMBERS)
def test_suggestions(number: int) -> None:
    hold(invented(Random(number)), _wrong_suggestions)


@examples(100)
@given(calls(), st.sampled_from(["calcium-sc", "ionised", "magnesium", "albumin"]), st.text(max_size=40))
def test_words_of_the_laboratory_are_harmless(body: Json, name: str, words: str) -> None:
    """A result in words, whatever they are, neither breaks the answer nor leaves markup in it."""
    for entry in body["prefetch"]["observations"].get("entry", []):
        if entry["resource"]["id"].startswith(name):
            entry["resource"].pop("valueQuantity", None)
            entry["resource"]["valueString"] = f"<b>{words}</b>"
    text = json.dumps([card["detail"] for card in fire(body).cards])
    assert "<b>" not in text
