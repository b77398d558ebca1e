"""Cards: merging, order and number, wording, facts, links, reasons, identity. Rules are tested elsewhere."""

from __future__ import annotations

import json
import random
import re
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from cds_hooks.service import KeyState, Prefetched
from plugin import cards
from tests.support.fhir import (
    DYSTONIA,
    allergy,
    call,
    condition,
    encounter,
    family,
    lab,
    order,
    patient,
    prefetch,
    statement,
    subject,
    taking,
)
from tests.support.fire import Fired, fire, fire_keys, sign
from tests.support.rows import WOMAN_60, outcome, row

Json = dict[str, Any]
YOUNG_MAN = patient()
SEVERE, LOW_MG = lab("ionised", 0.8), lab("magnesium", 0.5)
REACTION = allergy("metoclopramide", DYSTONIA)


def ours(card: Json) -> Json:
    """Our extension of a card."""
    found: Json = card["extension"]["org.dystonia-cds"]
    return found


def rules(card: Json) -> list[str]:
    """The rules merged into a card, the leading one first."""
    return [rule["id"] for rule in ours(card)["rules"]]


# Every kind of card there is, for the checks that hold for all of them.
def _answers() -> list[Any]:
    view = call(None, prefetch(WOMAN_60, SEVERE, LOW_MG), "patient-view")
    crowd = [order("haloperidol", 5, 1, route="IM"), order("metoclopramide", id="draft-2"),
             order("prochlorperazine", id="draft-3"), order("risperidone", id="draft-4"),
             order("fluphenazine", id="draft-5")]  # fmt: skip
    return [
        row("acute dystonia", sign(order("haloperidol", 5, 1, route="IM"), YOUNG_MAN)),
        row("severe calcium", sign(order(), YOUNG_MAN, SEVERE, LOW_MG)),
        row("corrected calcium", sign(order(), WOMAN_60, lab("calcium-sc", 7.1, "mg/dL"), lab("albumin", 3.1, "g/dL"))),
        row("two blockers", sign(order("metoclopramide"), YOUNG_MAN, taking("olanzapine", "2d"))),
        row("prior reaction", sign(order("metoclopramide"), YOUNG_MAN, REACTION)),
        row("magnesium at the record", fire(view)),
        row("magnesium with calcium", sign(order("calcium carbonate"), WOMAN_60, SEVERE, LOW_MG)),
        row("notes alone", sign(order(), WOMAN_60, allergies=outcome(), conditions=outcome())),
        row("everything missing", fire(call([order()], None))),
        row("not recognised", sign(order("no haloperidol"), WOMAN_60)),
        row("a child", sign(order("metoclopramide"), patient("2016-01-01", "female"))),
        row("many orders", fire(call(crowd, prefetch(YOUNG_MAN, SEVERE)))),
        row("order select", sign(order(), YOUNG_MAN, hook="order-select")),
        row("everything at once", sign(order("metoclopramide", 10, 3, route="IV"), YOUNG_MAN, REACTION, SEVERE, LOW_MG,
            taking("olanzapine", "2d"), taking("paroxetine", id="m2"), family(), condition("G24.02"),
            condition("D82.1", id="c2"), without=("medicationStatements",))),
    ]  # fmt: skip


ANSWERS = _answers()


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_card(answer: Fired) -> None:
    assert 1 <= len(answer.cards) <= 3
    for card in answer.cards:
        assert 0 < len(card["summary"]) < 140
        assert card["indicator"] in {"info", "warning", "critical"}
        assert card["source"]["topic"] == {
            "system": "https://dystonia-cds.example/fhir/CodeSystem/rules",
            "code": rules(card)[0],
        }
        assert UUID(card["uuid"]).version == 5
        assert ours(card)["rules"][0]["indicator"] == card["indicator"]
        levels = ["info", "warning", "critical"]
        assert levels.index(card["indicator"]) == max(levels.index(rule["indicator"]) for rule in ours(card)["rules"])


@pytest.mark.parametrize("answer", ANSWERS)
def test_nothing_is_null_or_empty(answer: Fired) -> None:
    def empties(value: object, path: str = "") -> list[str]:
        if isinstance(value, dict):
            inner = [found for key, one in value.items() for found in empties(one, f"{path}.{key}")]
        elif isinstance(value, list):
            inner = [found for key, one in enumerate(value) for found in empties(one, f"{path}[{key}]")]
        else:
            return [path] if value is None or value == "" else []
        return inner if value else [path]

    assert empties(answer.body["cards"]) == []
    assert empties(answer.body["extension"]) == []


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_detail_reads_well_as_plain_text(answer: Fired) -> None:
    for card in answer.cards:
        detail = card["detail"]
        assert not re.search(r"<[a-zA-Z/!]|^\||\|$|^#|```|\]\(|&\w+;", detail, re.M), "no HTML, tables or headings"
        kinds = [line[:2] for line in detail.splitlines() if line]
        assert set(kinds) <= {"**", "- ", "De"}, kinds
        assert "\n\n" in detail
        assert "no card never means" not in detail.lower() or "independently" in detail
        assert all(rule in detail for rule in rules(card)), "the rules and versions are named"
        assert "version 1.0.0" in detail
        assert max(len(line) for line in detail.splitlines()) < 700
        assert not re.search(r"\b(?:probability|score|%)\b", detail)


@pytest.mark.parametrize("answer", ANSWERS)
def test_links_lead_to_the_guideline_first_and_to_sources_by_author_and_year(answer: Fired) -> None:
    for card in answer.cards:
        first, *further = card["links"]
        assert first["type"] == "absolute"
        assert first["url"].endswith(f"/guideline/{rules(card)[0]}")
        guideline = [link for link in card["links"] if "/guideline/" in link["url"]]
        assert [link["url"].rsplit("/", 1)[1] for link in guideline] == rules(card)
        for link in further[len(guideline) - 1 :]:
            assert re.search(r"(?:19|20)\d\d", link["label"]), link
            assert link["type"] == "absolute"
            assert link["url"].startswith("https://")
        assert len({link["url"] for link in card["links"]}) == len(card["links"])


@pytest.mark.parametrize("answer", ANSWERS)
def test_override_reasons_are_codings_with_words(answer: Fired) -> None:
    for card in answer.cards:
        reasons = card["overrideReasons"]
        assert 1 <= len(reasons) <= 9
        assert len({reason["code"] for reason in reasons}) == len(reasons)
        for reason in reasons:
            assert set(reason) == {"code", "system", "display"}
            assert reason["system"] == "https://dystonia-cds.example/fhir/CodeSystem/override-reasons"
        codes = [reason["code"] for reason in reasons]
        assert "other" not in codes[:-1]


@pytest.mark.parametrize("answer", ANSWERS)
def test_facts_name_resources_and_their_findings(answer: Fired) -> None:
    for card in answer.cards:
        for fact in ours(card).get("facts", []):
            assert set(fact) <= {"text", "reference"}
            if "Ca" in fact["text"].split() or fact["text"].startswith(("Mg", "Albumin")):
                assert re.search(r"\d (?:mmol/L|mg/dL|g/dL)|Corrected|no unit", fact["text"])
                assert re.search(r"\d{4}-\d\d-\d\d, .*status \w+|Corrected for albumin", fact["text"])


@pytest.mark.parametrize("answer", ANSWERS)
def test_suggestions_are_chosen_one_at_a_time(answer: Fired) -> None:
    for card in answer.cards:
        suggestions = card.get("suggestions", [])
        assert ("selectionBehavior" in card) is bool(suggestions)
        assert card.get("selectionBehavior", "at-most-one") == "at-most-one"
        assert len({one["uuid"] for one in suggestions}) == len(suggestions) <= 6
        assert len({one["label"] for one in suggestions}) == len(suggestions)
        assert not any("isRecommended" in one for one in suggestions)


# The summary names the drug and the reason.
SUMMARIES = [
    row(
        "acute dystonia", sign(order("haloperidol", 5, 1, route="IM"), YOUNG_MAN), r"Haloperidol.*age <35.*male.*inject"
    ),
    row("calcium", sign(order("fluphenazine"), WOMAN_60, SEVERE), r"Ionised Ca 0\.80 mmol/L .* \+ fluphenazine"),
    row("two blockers", sign(order("metoclopramide"), WOMAN_60, taking("olanzapine", "2d")), r"Metoclo.*olanzapine"),
    row("prior reaction", sign(order("metoclopramide"), WOMAN_60, REACTION), r"dystonic reaction to metoclopramide"),
    row("notes alone", sign(order("droperidol"), WOMAN_60, allergies=outcome()), r"droperidol: allergies could not be"),
]


@pytest.mark.parametrize(("answer", "words"), SUMMARIES)
def test_summaries_name_the_drug_and_the_reason(answer: Fired, words: str) -> None:
    assert re.search(words, answer.card["summary"]), answer.card["summary"]


# One card per order: the highest indicator leads, every rule is in it.
def test_merge() -> None:
    card = sign(order("haloperidol", 5, 1, route="IM"), YOUNG_MAN, SEVERE, taking("olanzapine", "2d")).card
    assert card["indicator"] == "critical"
    assert rules(card)[0] == "R-MET-01"
    assert {"R-DRUG-01", "R-DRUG-02"} <= set(rules(card))
    assert "Ionised Ca" in card["summary"]
    assert "Factors:" in card["detail"]
    assert ours(card)["subject"] == "MedicationRequest/draft-1"
    assert [rule["indicator"] for rule in ours(card)["rules"]][:2] == ["critical", "warning"]


def test_the_other_findings_are_told_as_their_own_cards_would_say_them() -> None:
    card = sign(order("risperidone"), YOUNG_MAN, condition("Q93.81"), taking("olanzapine", "2d")).card
    assert "22q11.2 deletion: no calcium in 12 months" not in card["summary"]
    found = "**Also found**\n\n- Risperidone + olanzapine: two dopamine blockers. Dystonia, TD and NMS risk. (info)\n"
    assert found in card["detail"]
    assert (
        "\n- 22q11.2 deletion: no calcium in 12 months. Check Ca, Mg, PTH, TSH before risperidone. (info)"
        in card["detail"]
    )


def test_beside_a_contraindication_nothing_is_told_that_helps_to_give_the_drug() -> None:
    card = sign(order("metoclopramide"), REACTION, WOMAN_60).card
    assert "R-DRUG-01" in rules(card)
    assert "Also found" not in card["detail"]
    assert "Consider cover" not in card["detail"]


def test_notes_about_data_stand_on_the_card_of_the_order_and_lead_only_alone() -> None:
    card = sign(order(), YOUNG_MAN, SEVERE, allergies=outcome()).card
    assert rules(card)[-1] == "R-DQ-05"
    assert "Not available to this service: Allergies could not be read." in card["detail"]


def _crowd(*drugs: str) -> list[Json]:
    return [order(drug, id=f"draft-{number}") for number, drug in enumerate(drugs, 1)]


# Metoclopramide fires critical (recorded reaction), the others by tier and factors.
def test_three_cards_at_most_by_severity_and_the_third_names_the_rest() -> None:
    drafts = _crowd("risperidone", "haloperidol", "fluphenazine", "metoclopramide", "prochlorperazine")
    answer = fire(call(drafts, prefetch(YOUNG_MAN, REACTION)))
    assert len(answer.cards) == 3
    levels = [["info", "warning", "critical"].index(card["indicator"]) for card in answer.cards]
    assert all(first >= second for first, second in pairwise(levels))
    assert ours(answer.cards[0])["subject"] == "MedicationRequest/draft-4"
    shown = {ours(card)["subject"] for card in answer.cards}
    assert len(shown) == 3
    further = answer.cards[2]["detail"].split("**Further orders with findings**")[1].split("**")[0]
    assert further.count("- ") == 2
    assert re.findall(r"- (\w+) \((?:info|warning|critical)\)", further)
    assert not any("Further orders" in card["detail"] for card in answer.cards[:2])
    fired = {one["subject"] for one in answer.results if one["status"] == "fired" and one["rule"] == "R-DRUG-01"}
    assert len(fired) == 5, "what is not shown is still told in the results"


def test_further_orders_that_were_not_recognised_are_named_by_their_reference() -> None:
    drafts = _crowd("haloperidol", "fluphenazine", "metoclopramide")
    nameless = {**order(id="draft-9"), "medicationCodeableConcept": {"coding": [{"code": "X", "system": "urn:x"}]}}
    answer = fire(call([*drafts, nameless], prefetch(YOUNG_MAN)))
    assert "- MedicationRequest/draft-9 (info)" in answer.cards[2]["detail"]


def test_three_orders_need_no_further_ones() -> None:
    answer = fire(call(_crowd("haloperidol", "fluphenazine", "metoclopramide"), prefetch(YOUNG_MAN)))
    assert len(answer.cards) == 3
    assert not any("Further orders" in card["detail"] for card in answer.cards)


def test_no_finding_and_no_order_make_no_card() -> None:
    assert sign(order("sertraline"), YOUNG_MAN).cards == []
    assert fire(call([], prefetch(YOUNG_MAN))).cards == []
    assert fire(call([{"resourceType": "ServiceRequest", "id": "x"}], prefetch(YOUNG_MAN))).cards == []


def test_a_summary_that_is_too_long_ends_in_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    def summary() -> str:
        return str(sign(order("haloperidol", 5, 1, route="IM"), YOUNG_MAN).card["summary"])

    whole = summary()
    blank = whole.index(" ", 10)
    for most, kept in ((len(whole), whole), (len(whole) - 1, f"{whole[:-2]}…"), (blank + 2, f"{whole[:blank]}…")):
        monkeypatch.setattr(cards, "LONGEST_SUMMARY", most)
        assert summary() == kept


def test_a_card_about_the_patient_has_no_subject() -> None:
    card = fire(call(None, prefetch(WOMAN_60, SEVERE, LOW_MG), "patient-view")).card
    assert "subject" not in ours(card)


# A long list of notes still makes a short summary.
def test_many_notes_make_one_short_summary() -> None:
    answer = sign(order(), WOMAN_60, allergies=outcome(), conditions=outcome(), medications=outcome(),
                  observations=outcome(), patient=outcome())  # fmt: skip
    assert answer.card["summary"] == (
        "Dystonia check incomplete for haloperidol: patient data, medication orders and 3 more could not be read."
    )
    assert len(ours(answer.card)["missing"]) == 5


DECLARED = ("patient", "medications", "allergies", "conditions", "observations", "procedures", "serviceRequests")


def failed(*names: str, fetch: str = "", reason: str = "key-failed") -> dict[str, Prefetched]:
    return {name: Prefetched(KeyState.FAILED, reason, fetch=fetch) for name in names}


# what became of the keys -> the reasons in the summary, the lines that tell of them
LACKS: list[tuple[str, dict[str, Prefetched], str, list[str]]] = [
    (
        "one",
        failed("allergies"),
        "allergies could not be read",
        ["Not available to this service: Allergies could not be read."],
    ),
    (
        "two",
        failed("allergies", "conditions"),
        "allergies and conditions could not be read",
        ["Not available to this service: Allergies and conditions could not be read."],
    ),
    (
        "many, two ways",
        failed("medications", "allergies", "conditions") | failed("observations", reason="truncated"),
        "medication orders, allergies and 1 more could not be read; 1 more",
        [
            "Not available to this service: Medication orders, allergies and conditions could not be read.",
            "Not available to this service: Results incomplete (further pages were not sent).",
        ],
    ),
    (
        "a server that is down",
        failed(*DECLARED, fetch="unreachable"),
        "the FHIR server did not answer",
        [
            "The FHIR server did not answer. Not read: patient data, medication orders, allergies, conditions, "
            "results, referrals and procedures."
        ],
    ),
    (
        "one that answered in part",
        failed("patient", "serviceRequests", fetch="status-503") | failed("allergies", fetch="outcome"),
        "the FHIR server did not answer; allergies could not be read",
        [
            "The FHIR server did not answer. Not read: patient data and referrals.",
            "Not available to this service: Allergies could not be read.",
        ],
    ),
    (
        "what no rule of the order needs, from a server that is down",
        failed("serviceRequests", fetch="open-circuit") | failed("conditions"),
        "conditions could not be read",
        [
            "Not available to this service: Conditions could not be read.",
            "The FHIR server did not answer. Not read: referrals.",
        ],
    ),
    (
        "access that is for a different patient",
        failed("conditions", reason="other-patient"),
        "conditions not supplied",
        ["Not available to this service: Conditions not supplied."],
    ),
]


@pytest.mark.parametrize(("keys", "summary", "lines"), [row[1:] for row in LACKS], ids=[row[0] for row in LACKS])
def test_what_could_not_be_read_is_one_line_for_each_way(
    keys: dict[str, Prefetched], summary: str, lines: list[str]
) -> None:
    card = fire_keys(call([order()], prefetch(WOMAN_60)), keys).card
    assert card["summary"] == f"Dystonia check incomplete for haloperidol: {summary}."
    assert [line[2:] for line in card["detail"].splitlines() if "FHIR" in line or "Not available" in line] == lines
    told = {missing["input"] for missing in ours(card)["missing"]}
    assert told >= set(keys), "the extension names each key"


def test_what_no_rule_of_the_order_needs_is_told_beside_what_one_does() -> None:
    keys = failed("serviceRequests", fetch="outcome") | failed("allergies")
    keys |= {name: Prefetched(KeyState.MISSING) for name in ("procedures", "familyHistory")}
    card = fire_keys(call([order()], prefetch(WOMAN_60)), keys).card
    assert card["summary"] == "Dystonia check incomplete for haloperidol: allergies could not be read."
    lines = card["detail"].split("not used**")[1].split("**Basis**")[0].strip().splitlines()
    assert lines == [
        "- Not available to this service: Allergies could not be read.",
        "- Not supplied to this service: family history, procedures.",
        "- Referrals could not be read.",
    ]


def test_access_for_a_different_patient_is_told_first() -> None:
    keys = failed("conditions", reason="other-patient")
    keys |= {"fhirAuthorization": Prefetched(KeyState.FAILED, "other-patient", foreign=1)}
    card = fire_keys(call([order()], prefetch(WOMAN_60)), keys).card
    assert "the access is for a different patient" in card["summary"]
    access = "The access that came with the call is for a different patient, and was not used. See whose chart is open."
    assert access in card["detail"]
    assert {"input": "conditions", "reason": "other-patient"} in ours(card)["missing"]


def test_a_draft_that_is_no_order_hides_none() -> None:
    test = {"resourceType": "ServiceRequest", "id": "t", "status": "draft", "intent": "order", "subject": subject()}
    assert sign(order(), YOUNG_MAN).cards == fire(call([test, order()], prefetch(YOUNG_MAN))).cards != []


# Words from the record are made harmless wherever they are shown.
def test_words_from_the_record_are_plain() -> None:
    evil = '<img src=x onerror="alert(1)"> [click](javascript:alert(1)) **haloperidol**\u202e | `x`'
    answers = [
        sign(order(f"no haloperidol {evil}"), WOMAN_60),
        sign(order(), YOUNG_MAN, statement("olanzapine", medicationCodeableConcept={"text": f"olanzapine {evil}"})),
        sign(order(), WOMAN_60, lab("ionised", 0.8, f"mmol/L {evil}")),
        sign(order(), WOMAN_60, lab("ionised", 0.8, None, valueString=evil)),
        sign(order(), WOMAN_60, condition("G24.02", text=evil)),
    ]
    for answer in answers:
        text = json.dumps([[card["summary"], card["detail"]] for card in answer.cards], ensure_ascii=False)
        assert not re.search(r"<img|javascript:|\]\(|\u202e|`|\|", text), text
        assert "**haloperidol**" not in text


# Identity: the same call gives the same card, whatever the order of entries and keys.
FULL = (SEVERE, LOW_MG, lab("albumin", 30, "g/L"), lab("calcium-sc", 2.0), taking("olanzapine", "2d"),
        taking("paroxetine", id="m2"), REACTION, condition("G24.02"), condition("D82.1", id="c2"), family(),
        encounter("IMP"))  # fmt: skip


def _shuffled(value: Any, dice: random.Random) -> Any:
    """The same JSON with its keys, and the entries of its Bundles, in another order."""
    if isinstance(value, dict):
        items = [(key, _shuffled(inner, dice)) for key, inner in value.items()]
        dice.shuffle(items)
        return {key: dice.sample(inner, len(inner)) if key == "entry" else inner for key, inner in items}
    return [_shuffled(inner, dice) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(10))
def test_the_same_call_gives_the_same_answer_in_any_order(seed: int) -> None:
    drafts = _crowd("haloperidol", "metoclopramide", "prochlorperazine", "risperidone")
    body = call(drafts, prefetch(YOUNG_MAN, *FULL))
    first, again = fire(body), fire(body)
    assert first.body == again.body
    assert fire(_shuffled(body, random.Random(seed))).body == first.body


def test_another_call_has_other_uuids() -> None:
    def uuids(**more: Any) -> list[str]:
        card = fire(call([order()], prefetch(YOUNG_MAN, SEVERE), **more)).card
        return [card["uuid"], *(one["uuid"] for one in card["suggestions"])]

    one, two = uuids(), uuids(instance="0a5c2d1e-0000-4000-8000-000000000001")
    assert one == uuids()
    assert not set(one) & set(two)


def test_other_evidence_is_another_card() -> None:
    def uuid(*data: Json) -> str:
        return str(sign(order(), YOUNG_MAN, *data).card["uuid"])

    assert uuid(SEVERE) != uuid() != uuid(lab("ionised", 0.8, id="another"))
    assert sign(order(), YOUNG_MAN).card["uuid"] != sign(order(id="other"), YOUNG_MAN).card["uuid"]
