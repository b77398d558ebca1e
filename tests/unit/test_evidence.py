"""The bibliography and the prose of the guideline: complete, consistent, and worded so that the reader decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from plugin import evidence, guideline_text
from plugin.evidence import BIBLIOGRAPHY, EvidenceError, Source
from plugin.guideline_text import DISCLAIMER, INTRO, OVERRIDE_REASONS, SOURCES_USED, TEXTS, GuidelineError, RuleText

SPECIFIED = ["B1", "B2", "B3", "B4a", "B4b", "B4c", "B4d", *(f"B{n}" for n in range(5, 92))]
NAMED_BY_RULES = ["B92", "B93", "B94"]
"""Sources that rules name without a key of their own: the DBS review (R-TX-03), the pages on tethered cord."""
RULES = ["R-DRUG-01", "R-DRUG-02", "R-DRUG-03", "R-MET-01", "R-MET-03", *(f"R-DQ-0{n}" for n in range(1, 9))]

every_source = pytest.mark.parametrize("entry", BIBLIOGRAPHY.values(), ids=BIBLIOGRAPHY.keys())
every_rule = pytest.mark.parametrize("rule", TEXTS.values(), ids=TEXTS.keys())


# The bibliography


def test_every_source_of_the_specification_is_there() -> None:
    assert list(BIBLIOGRAPHY) == [*SPECIFIED, *NAMED_BY_RULES]


@every_source
def test_label_is_author_and_year_or_product_and_date(entry: Source) -> None:
    assert len(entry.label) <= 40
    assert re.search(r"\b(1[89]|20)\d\d\b", entry.label)


@every_source
def test_url_is_https_or_empty(entry: Source) -> None:
    assert entry.url == "" or re.fullmatch(r"https://[a-z0-9.-]+/\S+", entry.url)


@every_source
def test_source_is_one_sentence_with_dates_and_known_words(entry: Source) -> None:
    assert entry.supports.endswith(".")
    assert entry.mark in evidence.MARKS
    assert entry.strength in evidence.STRENGTHS
    assert date.fromisoformat(entry.date_read) < date.fromisoformat(entry.review_by)


def test_labels_of_products_are_reviewed_sooner() -> None:
    labels = {entry.review_by for entry in BIBLIOGRAPHY.values() if entry.strength == "product label"}
    others = {entry.review_by for entry in BIBLIOGRAPHY.values() if entry.strength != "product label"}
    assert max(labels) < min(others)


def test_no_review_is_overdue_today() -> None:
    assert [f"{entry.key}: review by {entry.review_by}" for entry in evidence.overdue(date.today())] == []


@pytest.mark.parametrize(("days_late", "found"), [(-1, []), (0, []), (90, []), (91, ["B38"])])
def test_a_review_is_overdue_after_the_grace(days_late: int, found: list[str]) -> None:
    today = date.fromisoformat(BIBLIOGRAPHY["B38"].review_by) + timedelta(days=days_late)
    assert [entry.key for entry in evidence.overdue(today, [evidence.source("B38"), evidence.source("B11")])] == found


def test_source_finds_by_key() -> None:
    assert evidence.source("B11").label == "van Harten 1999"


def test_an_unknown_key_is_named_with_what_to_do() -> None:
    with pytest.raises(KeyError, match=r"'B999'.*add an entry to .*evidence\.json"):
        evidence.source("B999")


def without(field: str) -> Callable[[dict[str, Any]], object]:
    return lambda row: row.pop(field)


def with_value(field: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda row: row.update({field: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("url"), "B1: missing or unknown: url"),
        (without("key"), "an entry without key: missing or unknown: key"),
        (with_value("title", "x"), "B1: missing or unknown: title"),
        (with_value("mark", "Z"), "B1: unknown mark 'Z'"),
        (with_value("strength", "rumour"), "B1: unknown strength 'rumour'"),
        (with_value("label", 2018), "values are all text"),
        (with_value("key", "B2"), "B2 stands twice"),
    ],
)
def test_a_wrong_bibliography_is_refused(change: Callable[[dict[str, Any]], object], message: str) -> None:
    rows = msgspec.json.decode(evidence.FILE.read_bytes(), type=list[dict[str, Any]])
    change(rows[0])
    with pytest.raises(EvidenceError, match=re.escape(message)):
        evidence.parse(msgspec.json.encode(rows))


# The guideline


def test_the_rules_of_this_version_are_there() -> None:
    assert [rule_id for rule_id in RULES if rule_id not in TEXTS] == []


@every_rule
def test_evidence_exists_and_stands_once(rule: RuleText) -> None:
    assert set(rule.sources) <= BIBLIOGRAPHY.keys() & SOURCES_USED
    assert len(set(rule.sources)) == len(rule.sources)


@every_rule
def test_override_codes_are_known(rule: RuleText) -> None:
    assert rule.overrides
    assert set(rule.overrides) <= OVERRIDE_REASONS.keys()


def test_there_are_no_more_override_reasons_than_people_read() -> None:
    assert len(OVERRIDE_REASONS) <= 9


@every_rule
def test_required_parts_are_not_empty(rule: RuleText) -> None:
    parts = (rule.title, rule.question, rule.looks_for, rule.levels, rule.missing_data, rule.options, rule.strength)
    assert all(parts)
    assert all((rule.seed, rule.not_covered, rule.summary_example, rule.marks))
    assert all(text.strip() for text in prose(rule))
    assert rule.evidence or rule.group == "Data quality"
    assert rule.question.endswith("?")


@every_rule
def test_summary_example_fits_a_card(rule: RuleText) -> None:
    assert len(rule.summary_example) <= 139


@every_rule
def test_seed_statement_is_shown_with_its_origin(rule: RuleText) -> None:
    for statement in rule.seed:
        assert statement.quote in statement.text
        assert guideline_text.SEED_DOCUMENT in statement.text
        assert bool(statement.reference) == bool(statement.cites) == ("Cited there" in statement.text)


@every_rule
def test_data_quality_notes_are_info(rule: RuleText) -> None:
    if rule.group == "Data quality":
        assert {indicator for indicator, _ in rule.levels} == {"info"}


def test_intro_says_what_must_not_be_misread() -> None:
    assert 'No card never means "safe"' in " ".join(INTRO)
    assert "emergency pathway" in " ".join(INTRO)
    assert DISCLAIMER


def prose(rule: RuleText) -> Iterator[str]:
    """What we say ourselves on a rule's page, figures of the example left out."""
    yield from (rule.title, rule.question, rule.strength)
    yield from (*rule.looks_for, *rule.missing_data, *rule.options, *rule.not_covered)
    for rows in (rule.levels, rule.suppressions, rule.marks):
        yield from (text for _, text in rows)
    yield from (statement.comment for statement in rule.seed)


def everything() -> Iterator[tuple[str, str]]:
    for rule in TEXTS.values():
        yield from ((rule.id, text) for text in (*prose(rule), rule.summary_example))
        yield from ((rule.id, statement.quote) for statement in rule.seed)
    for entry in BIBLIOGRAPHY.values():
        yield from ((entry.key, text) for text in (entry.label, entry.supports))
    yield from (("intro", text) for text in INTRO)
    yield from (("disclaimer", text) for text in DISCLAIMER)
    yield from OVERRIDE_REASONS.items()


FORBIDDEN = {
    "directive": r"\bgive\b|\badminister\b|(?:^|[.;:!?]\s+)(?:please\s+)?(?:stop|discontinue|start|do not)\b",
    "claim of safety": r"(?<!never means \")\bsafe(?:ly|r|st)?\b",
    "contested figure": r"\b73\s*%|\b60\s*(?:%\s*)?(?:-|–|to)\s*90\s*%|\b78\s*(?:-|–|to)\s*82\s*%",
    "gene that does not exist": r"KCNA19",
}


@pytest.mark.parametrize("pattern", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_no_forbidden_wording(pattern: str) -> None:
    assert [found for found in everything() if re.search(pattern, found[1], re.IGNORECASE)] == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("directive", "Give benztropine."),
        ("directive", "Dystonia likely. Stop the drug."),
        ("claim of safety", "This order is safe."),
        ("claim of safety", "A safer drug."),
        ("contested figure", "penetrance of 60-90%"),
        ("contested figure", "improves in 73% of people"),
    ],
)
def test_the_check_of_wording_finds(kind: str, text: str) -> None:
    assert re.search(FORBIDDEN[kind], text, re.IGNORECASE)


@every_rule
def test_prose_leaves_figures_to_the_thresholds(rule: RuleText) -> None:
    figure = r"\d\s*(?:%|mmol|mg|g/|ms\b|hours?\b|h\b|days?\b|d\b|weeks?\b|years?\b|y\b)"
    assert [text for text in prose(rule) if re.search(figure, text)] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("question"), "R-DRUG-01: missing question (an empty list is allowed)"),
        (without("id"), "a rule without id: missing id"),
        (with_value("colour", "red"), "R-DRUG-01: unknown colour; known are "),
        (with_value("group", "Genes"), "R-DRUG-01: unknown group: Genes"),
        (with_value("evidence", ["B999"]), "R-DRUG-01: unknown source: B999"),
        (with_value("overrides", ["busy"]), "R-DRUG-01: unknown override reason: busy"),
        (with_value("levels", [["severe", "x"]]), "R-DRUG-01: unknown level: severe"),
        (with_value("suppressions", [["S-99", "x"]]), "R-DRUG-01: unknown suppression: S-99"),
        (with_value("marks", [["Z", "x"]]), "R-DRUG-01: unknown mark: Z"),
        (with_value("options", "x"), "R-DRUG-01: Expected `array`, got `str` - at `$.options`"),
        (with_value("seed", [{"quote": "x"}]), "R-DRUG-01, seed: missing comment, reference, section"),
        (with_value("id", "R-DRUG-02"), "R-DRUG-02 stands twice"),
    ],
)
def test_a_wrong_guideline_is_refused(change: Callable[[dict[str, Any]], object], message: str) -> None:
    first, second = (guideline_text.FOLDER / f"R-DRUG-0{n}.json" for n in (1, 2))
    row = msgspec.json.decode(first.read_bytes(), type=dict[str, Any])
    change(row)
    with pytest.raises(GuidelineError, match=re.escape(message)):
        guideline_text.parse(guideline_text.FILE.read_bytes(), [msgspec.json.encode(row), second.read_bytes()])


@pytest.mark.parametrize(("data", "message"), [(b"[]", "Expected `object`"), (b"{", "truncated"), (b"{}", "missing ")])
def test_a_file_that_is_no_guideline_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(GuidelineError, match=message):
        guideline_text.parse(data, [])
