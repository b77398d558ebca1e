"""Bodies with one fault each, made from a good one: what the shapes, the models and the service must refuse."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Json = dict[str, Any]
Path = tuple[str | int, ...]

GONE = object()
UUID = "8f14e45f-ceea-467f-a8b3-9d2f4b1c0001"
CODING = {"code": "R-1", "system": "https://house.example/rules"}
ORDER = {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", "subject": {"reference": "Patient/p1"}}

GOOD: Json = {
    "cards": [
        {
            "uuid": UUID,
            "summary": "x" * 139,
            "detail": "Some **words**.",
            "indicator": "warning",
            "source": {"label": "House", "url": "https://house.example/about", "topic": CODING},
            "suggestions": [
                {
                    "label": "Check calcium",
                    "uuid": "8f14e45f-ceea-467f-a8b3-9d2f4b1c0002",
                    "isRecommended": True,
                    "actions": [{"type": "create", "description": "Order calcium", "resource": ORDER}],
                },
                {
                    "label": "Stop it",
                    "uuid": "8f14e45f-ceea-467f-a8b3-9d2f4b1c0003",
                    "actions": [{"type": "delete", "description": "Stop", "resourceId": "MedicationRequest/1"}],
                },
            ],
            "selectionBehavior": "at-most-one",
            "overrideReasons": [{**CODING, "display": "Tolerated before"}],
            "links": [{"label": "Rule", "url": "https://house.example/r", "type": "absolute"}],
            "extension": {"org.dystonia-cds": {"rules": [{"id": "R-1", "version": "1.0.0", "indicator": "info"}]}},
        }
    ],
    "extension": {"org.dystonia-cds": {"ruleset": "1+0", "results": []}},
}

CARD: Path = ("cards", 0)
GIVEN: Path = (*CARD, "suggestions", 0)
ACTION: Path = (*GIVEN, "actions", 0)
DELETE: Path = (*CARD, "suggestions", 1, "actions", 0)
LINK: Path = (*CARD, "links", 0)

# (rows, what is changed, the new value)
RESPONSES: list[tuple[str, Path, Any]] = [
    ("G1", ("cards",), GONE),
    ("G10", (*CARD, "uuid"), f"urn:uuid:{UUID}"),
    ("G11", (*CARD, "summary"), "x" * 140),
    ("G11", (*CARD, "summary"), GONE),
    ("G13", (*CARD, "indicator"), "hard-stop"),
    ("G14", (*CARD, "source"), GONE),
    ("G15", (*CARD, "source", "label"), GONE),
    ("G16", (*CARD, "source", "url"), "/about"),
    ("G18", (*CARD, "source", "topic"), "R-1"),
    ("G19 M7", (*CARD, "selectionBehavior"), GONE),
    ("G20", (*CARD, "selectionBehavior"), "all"),
    ("G21 M7", (*CARD, "overrideReasons", 0, "display"), GONE),
    ("G23 A4", (*CARD, "links"), []),
    ("G30", (*GIVEN, "label"), GONE),
    ("G32 M7", (*CARD, "suggestions", 1, "isRecommended"), True),
    ("G33 A4", (*GIVEN, "actions"), []),
    ("G40", (*ACTION, "type"), "replace"),
    ("G41 M7", (*ACTION, "description"), GONE),
    ("G43 M7", (*DELETE, "resourceId"), GONE),
    ("G43 M7", (*DELETE, "resource"), ORDER),
    ("G50", (*LINK, "label"), GONE),
    ("G50", (*LINK, "url"), GONE),
    ("G50", (*LINK, "type"), GONE),
    ("G51", (*LINK, "type"), "relative"),
    ("G52 M7", (*LINK, "appContext"), "x"),
    ("G60", (*CARD, "source", "topic", "system"), GONE),
    ("A3", (*CARD, "detail"), None),
    ("A3", (*CARD, "detail"), ""),
    ("A3", (*CARD, "extension"), {}),
    ("K3", (*CARD, "priority"), 1),
    ("K3", ("version",), "3.0.0"),
]

DONE: Json = {
    "feedback": [
        {
            "card": UUID,
            "outcome": "accepted",
            "outcomeTimestamp": "2026-11-22T10:00:00Z",
            "acceptedSuggestions": [{"id": "8f14e45f-ceea-467f-a8b3-9d2f4b1c0002"}],
        },
        {
            "card": UUID,
            "outcome": "overridden",
            "outcomeTimestamp": "2026-11-22T10:00:01.5Z",
            "overrideReason": {"reason": CODING, "userComment": "seen"},
        },
        {"card": UUID, "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:02Z"},
    ]
}
FEEDBACK: list[tuple[str, Path, Any]] = [
    ("H3", ("feedback",), GONE),
    ("H4", ("feedback", 0, "card"), GONE),
    ("H4 M7", ("feedback", 0, "outcome"), "ignored"),
    ("H4", ("feedback", 0, "outcomeTimestamp"), GONE),
    ("H5 M7", ("feedback", 0, "acceptedSuggestions"), GONE),
    ("H6 M7", ("feedback", 1, "overrideReason"), {}),
]

CALLED: Json = {
    "hook": "order-select",
    "hookInstance": UUID,
    "fhirServer": "https://ehr.example/fhir",
    "fhirAuthorization": {
        "access_token": "t",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.rs",
        "subject": "cds",
        "patient": "p1",
    },
    "context": {
        "userId": "Practitioner/u1",
        "patientId": "p1",
        "selections": ["MedicationRequest/1"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MedicationRequest"}}]},
    },
    "prefetch": {"patient": {"resourceType": "Patient", "id": "p1"}, "conditions": None},
}
REQUESTS: list[tuple[str, Path, Any]] = [
    ("C2", ("hook",), GONE),
    ("C3", ("hookInstance",), "17"),
    ("C4 M7", ("fhirServer",), GONE),
    ("C6", ("context",), GONE),
    ("F1", ("fhirAuthorization", "token_type"), "bearer"),
    ("F1", ("fhirAuthorization", "access_token"), GONE),
    ("F1", ("fhirAuthorization", "expires_in"), "300"),
    ("F1", ("fhirAuthorization", "scope"), GONE),
    ("F1", ("fhirAuthorization", "subject"), GONE),
    ("F2 M7", ("fhirAuthorization", "patient"), GONE),
    ("N4 M7", ("context", "selections"), ["draft 1"]),
    ("E11", ("prefetch", "user"), "123"),
]


def changed(good: Json, path: Path, value: Any) -> Json:
    """The good body with one thing changed, or gone."""
    body = deepcopy(good)
    inner: Any = body
    for step in path[:-1]:
        inner = inner[step]
    if value is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return body
