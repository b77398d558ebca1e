"""Hostile strings in a real browser: nothing runs, nothing is asked of another host, nothing becomes HTML.

They stand in real calls and feedback that the service stored, and in an answer that no service of ours would give.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.test_try_it import Visit, answer_with, expect
from tests.support.fhir import call, lab, order, patient, prefetch
from tests.support.hostile import MARK, MODES, corpus, poisoned
from tests.support.server import Service, running

pytestmark = pytest.mark.browser

Json = dict[str, Any]
SAMPLE = [text for text in corpus() if len(text) < 1_000][::8]
PATH = "/cds-services/dystonia-order-sign"
# Elements that our pages never hold where texts of others stand, and attributes that act.
STRANGE = """(root) => [...document.querySelectorAll(root + " *")].flatMap((one) => {
  const acting = [...one.attributes].some((attribute) => attribute.name.startsWith("on"));
  const href = one.getAttribute("href");
  const links = href !== null && !/^(https?:\\/\\/|\\/[^/]|\\/$|#)/.test(href);
  const odd = one.matches("img, iframe, object, embed, style, math, base, meta, marquee, video, audio");
  const script = one.matches("script:not([src^='/static/'])");
  return acting || links || odd || script ? [one.outerHTML.slice(0, 200)] : [];
})"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service")) as started:
        yield started


@pytest.fixture
def one(chromium: Any, service: Service) -> Iterator[Visit]:
    visit = Visit(chromium, service.url, 1400)
    yield visit
    visit.context.close()
    # The policy of the pages refuses what tries to act and says so on the console: there was nothing to refuse.
    assert visit.complaints == []


def hostile(text: str, mode: str) -> Json:
    drafts = [order("haloperidol 5 mg", 5, 2), order("no such drug", id="draft-2")]
    return poisoned(call(drafts, prefetch(patient(), lab("calcium", 1.9)), "order-sign"), text, mode)


def heard(service: Service, text: str, mode: str) -> str:
    """A hostile call, and hostile feedback on its cards; returns the id of the audit entry."""
    answer = service.fire(hostile(text, mode) | {"hookInstance": text[:200] or "x"})
    assert answer.status in (200, 400, 412)
    reason = {"code": text[:200] or "x", "system": text[:200] or "x", "display": text[:200] or "x"}
    for card in answer.body.get("cards", ()):
        given = {"reason": reason, "userComment": text}
        told = {"card": card["uuid"], "outcome": "overridden", "overrideReason": given, "outcomeTimestamp": text[:100]}
        accepted = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": text[:200] or "x"}]}
        assert service.ask(f"{PATH}/feedback", {"feedback": [told, accepted]}).status == 200
    return answer.audit_id


def test_the_pages_of_the_audit(one: Visit, service: Service) -> None:
    shown = 0
    for place, text in enumerate(SAMPLE):
        audit = heard(service, text, MODES[place % len(MODES)])
        if place % 4:
            continue
        page = one.open(f"/review/{audit}")
        assert page.locator('[href*="evil"]').count() == 0
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.locator("body").inner_text())
        shown += MARK in page.locator("body").inner_text()
        assert page.evaluate(STRANGE, "body") == []
    assert shown > len(SAMPLE) / 20
    page = one.open("/review")
    assert page.evaluate(STRANGE, "body") == []


def test_the_try_it_page_with_a_hostile_record(one: Visit) -> None:
    page = one.open("/#patient=adam-testa&hook=order-sign")
    one.fire()
    for place, text in enumerate(SAMPLE[::6]):
        page.locator("#request").fill(json.dumps(hostile(text, MODES[place % len(MODES)])))
        one.fire()
        assert page.locator('#answer [href*="evil"]').count() == 0
        assert page.evaluate(STRANGE, "#answer") == []


def test_the_try_it_page_with_a_hostile_answer(one: Visit) -> None:
    page = one.open("/#patient=adam-testa&hook=order-sign")
    for text in SAMPLE[::6]:
        page.unroute("**/cds-services/*")
        answer_with(page, 200, json.dumps(answer_of(text)))
        one.fire()
        expect(page.locator(".card")).to_have_count(1)
        assert page.evaluate(STRANGE, "#answer") == []


def answer_of(text: str) -> Json:
    """One card that holds the string wherever a string can stand."""
    action = {"type": "create", "description": text, "resource": {"resourceType": text, "text": {"div": text}}}
    card = {
        "uuid": "00000000-0000-5000-8000-000000000001",
        "summary": text,
        "indicator": "warning",
        "detail": f"{text}\n\n- {text}\n\n**{text}**",
        "source": {"label": text, "url": text, "topic": {"code": text, "system": text}},
        "links": [{"label": text, "url": text, "type": "absolute"}],
        "suggestions": [{"label": text, "uuid": text, "actions": [action]}],
        "selectionBehavior": "any",
        "overrideReasons": [{"code": text, "system": text, "display": text}],
        "extension": {"org.dystonia-cds": {"facts": [{"text": text, "reference": text}], "missing": [{"input": text}]}},
    }
    result = {"rule": text, "status": "fired", "suppressed": text, "subject": text, "indicator": text}
    return {"cards": [card], "extension": {"org.dystonia-cds": {"ruleset": text, "results": [result]}}}
