"""Every answer of the golden cases, in every dialect, row by row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.conformance import wrong
from tests.conformance.golden import DIALECTS, bodies
from tests.conformance.standard import (
    VERSIONS,
    actions_of,
    cards_of,
    empties,
    faults,
    links_of,
    suggestions_of,
)

Json = dict[str, Any]
HTML = re.compile(r"<[A-Za-z/!][^>]*>")
DAY_OR_ID = re.compile(r"\d{4}-\d{2}-\d{2}|Patient/|patient=")


def web(text: str) -> bool:
    return re.fullmatch(r"https?://[^\s]+", text) is not None


def bare_uuid(text: str) -> bool:
    return str(UUID(text)) == text.lower()


def whole(body: Json) -> list[Json]:
    return [body]


def sources_of(body: Json) -> list[Json]:
    return [card["source"] for card in cards_of(body)]


def with_suggestions(body: Json) -> list[Json]:
    return [card for card in cards_of(body) if "suggestions" in card]


def details_of(body: Json) -> list[str]:
    return [card["detail"] for card in cards_of(body) if "detail" in card]


def codings_of(body: Json) -> list[Json]:
    return [one for source in sources_of(body) if (one := source.get("topic"))] + reasons_of(body)


def reasons_of(body: Json) -> list[Json]:
    return [one for card in cards_of(body) for one in card.get("overrideReasons", [])]


def extensions_of(body: Json) -> list[Json]:
    found = [body, *cards_of(body), *suggestions_of(body), *actions_of(body)]
    return [one["extension"] for one in found if "extension" in one]


def different(values: Iterable[str]) -> bool:
    listed = list(values)
    return len(listed) == len(set(listed))


def is_complete(action: Json) -> bool:
    """A create brings a resource without an id of a server, an update one with its id."""
    resource = action.get("resource", {})
    return bool(resource.get("resourceType")) and (action["type"] == "create" or bool(resource.get("id")))


def delete_is_a_reference(action: Json) -> bool:
    given = re.fullmatch(r"[A-Za-z]+/[A-Za-z0-9.\-]{1,64}", action.get("resourceId", ""))
    return action["type"] != "delete" or (given is not None and "resource" not in action)


def recommended(card: Json) -> int:
    return sum(one.get("isRecommended") is True for one in card["suggestions"])


# (rows, what is looked at, what holds of each)
Row = tuple[str, Callable[[Json], list[Any]], Callable[[Any], bool]]
ROWS: list[Row] = [
    ("A3", whole, lambda body: not list(empties(body))),
    ("A4", cards_of, lambda card: all(value not in (None, "", [], {}) for value in card.values())),
    ("G1", whole, lambda body: isinstance(body["cards"], list)),
    ("G3 G5 M2 M4", whole, lambda body: "systemActions" not in body),
    ("G10", cards_of, lambda card: bare_uuid(card["uuid"])),
    ("G10", whole, lambda body: different(card["uuid"] for card in cards_of(body))),
    ("G11", cards_of, lambda card: 0 < len(card["summary"]) < 140 and "\n" not in card["summary"]),
    ("G12 M2", details_of, lambda text: HTML.search(text) is None),
    ("G13", cards_of, lambda card: card["indicator"] in ("info", "warning", "critical")),
    ("G14", cards_of, lambda card: isinstance(card["source"], dict)),
    ("G15", sources_of, lambda source: bool(source["label"].strip())),
    (
        "G16",
        sources_of,
        lambda source: "url" not in source or (web(source["url"]) and not DAY_OR_ID.search(source["url"])),
    ),
    ("G18", sources_of, lambda source: bool(source["topic"]["code"]) and bool(source["topic"]["system"])),
    ("G19 M3", with_suggestions, lambda card: card["selectionBehavior"] in ("at-most-one", "any")),
    ("G20", cards_of, lambda card: card.get("selectionBehavior", "any") in ("at-most-one", "any")),
    ("G21", reasons_of, lambda reason: all(reason[name].strip() for name in ("code", "system", "display"))),
    ("G23", cards_of, lambda card: "links" not in card or len(card["links"]) > 0),
    ("G30", suggestions_of, lambda one: bool(one["label"].strip())),
    ("G31", suggestions_of, lambda one: bare_uuid(one["uuid"])),
    ("G31", whole, lambda body: different(one["uuid"] for one in suggestions_of(body))),
    ("G32", with_suggestions, lambda card: recommended(card) <= 1 or card["selectionBehavior"] == "any"),
    ("G33", suggestions_of, lambda one: "actions" not in one or len(one["actions"]) > 0),
    ("G34 M2 M4", suggestions_of, lambda one: "actionSelectionBehavior" not in one),
    ("G40", actions_of, lambda action: action["type"] in ("create", "update", "delete")),
    ("G4 G41 M3", actions_of, lambda action: bool(action["description"].strip())),
    ("G42", lambda body: [one for one in actions_of(body) if one["type"] != "delete"], is_complete),
    ("G43", actions_of, delete_is_a_reference),
    ("G50", links_of, lambda link: bool(link["label"].strip()) and bool(link["url"]) and bool(link["type"])),
    ("G51", links_of, lambda link: link["type"] in ("absolute", "smart") and web(link["url"])),
    ("G52", links_of, lambda link: link["type"] == "smart" or "appContext" not in link),
    ("G53", links_of, lambda link: "autolaunchable" not in link),
    ("G60", codings_of, lambda coding: bool(coding["code"]) and bool(coding["system"])),
    ("K3", extensions_of, lambda given: isinstance(given, dict) and all("." in name for name in given)),
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("parts", "holds"),
    [pytest.param(parts, holds, marks=pytest.mark.conformance(*rows.split()), id=rows) for rows, parts, holds in ROWS],
)
def test_row(parts: Callable[[Json], list[Any]], holds: Callable[[Any], bool], dialect: str) -> None:
    found = [(part, body) for body in bodies(dialect) for part in parts(body)]
    assert len(found) > 0 or dialect != "generic"
    assert [part for part, _ in found if not holds(part)] == []


# Faults that are no breach of the shapes, but of what this service promises; beside those that are.
UNPROMISED: list[tuple[str, wrong.Path, Any]] = [
    ("G3", ("systemActions",), [{"type": "create", "description": "x", "resource": wrong.ORDER}]),
    ("G10", wrong.CARD, {}),
    ("G12", (*wrong.CARD, "detail"), "**Why** <img src=x onerror=alert(1)>"),
    ("G16", (*wrong.CARD, "source", "url"), "https://house.example/Patient/p1"),
    ("G31", (*wrong.GIVEN, "uuid"), "urn:uuid:8f14e45f-ceea-467f-a8b3-9d2f4b1c0002"),
    ("G31", (*wrong.CARD, "suggestions", 1, "uuid"), "8f14e45f-ceea-467f-a8b3-9d2f4b1c0002"),
    ("G34", (*wrong.GIVEN, "actionSelectionBehavior"), "any"),
    ("G4", (*wrong.ACTION, "description"), " "),
    ("G42", (*wrong.ACTION, "resource"), wrong.GONE),
    ("G53", (*wrong.LINK, "autolaunchable"), True),
    ("K3", (*wrong.CARD, "extension"), {"ours": {}}),
]


def breaks(row: Row, body: Json) -> bool:
    _, parts, holds = row
    try:
        return not all(holds(part) for part in parts(body))
    except (AttributeError, KeyError, TypeError, ValueError):
        return True


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row[0]}-{place}") for place, row in enumerate(ROWS)])
def test_each_row_would_notice(row: Row) -> None:
    assert not breaks(row, wrong.GOOD)
    faults_of = [case for case in (*wrong.RESPONSES, *UNPROMISED) if set(case[0].split()) & set(row[0].split())]
    assert any(breaks(row, wrong.changed(wrong.GOOD, path, value)) for _, path, value in faults_of)


@pytest.mark.conformance("M7", "M8", "K3", "A3")
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_answer_is_valid(version: str, dialect: str) -> None:
    told = bodies(dialect)
    assert sum(len(cards_of(body)) for body in told) > 100
    assert [fault for body in told for fault in faults("response", body, version)] == []


@pytest.mark.conformance("A5", "G42")
def test_every_suggested_resource_is_fhir() -> None:
    found = [action["resource"] for body in bodies() for action in actions_of(body) if "resource" in action]
    assert {resource["resourceType"] for resource in found} >= {"MedicationRequest", "ServiceRequest"}
    for resource in found:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


@pytest.mark.conformance("G2", "L200")
def test_nothing_to_say_is_an_empty_list() -> None:
    silent = [body for body in bodies() if body["cards"] == []]
    assert silent
    assert all(body["extension"]["org.dystonia-cds"]["ruleset"] for body in silent)
