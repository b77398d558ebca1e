"""The review pages: what they show, what they escape, what they say when there is nothing to show."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette

from cds_hooks.audit import AuditStore, Entry, Feedback
from cds_hooks.review import routes
from cds_hooks.service import GuidelinePage, Plugin
from tests.support.asgi import ask
from tests.unit.test_audit_entries import CARDS, NOON, entry, finding, heard, opened, refused

EVIL = '<img src=x onerror="alert(1)">'


def review(store: AuditStore | None, plugin: Plugin | None = None) -> Starlette:
    return Starlette(routes=routes(lambda: store, plugin=plugin))


@pytest.fixture
def store(tmp_path: Path):
    store = opened(tmp_path)
    yield store
    store.close()


def put(store: AuditStore, *items: Entry | Feedback) -> None:
    async def one_by_one() -> None:
        for item in items:
            assert await (store.append(item) if isinstance(item, Entry) else store.append_feedback([item]))

    asyncio.run(one_by_one())


class Page(HTMLParser):
    """Text, tags with attributes, and links of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.pieces))

    @property
    def links(self) -> list[str]:
        return [attrs["href"] or "" for tag, attrs in self.tags if tag == "a"]


def get(store: AuditStore | None, path: str, status: int = 200, plugin: Plugin | None = None) -> Page:
    response = ask(review(store, plugin), path)
    assert response.status_code == status, response.text
    assert response.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    page = Page(response.text)
    assert not [tag for tag, attrs in page.tags if tag == "style" or "style" in attrs]
    assert not [tag for tag, attrs in page.tags if tag == "script" or any(name.startswith("on") for name in attrs)]
    return page


def rule_page(id: str, title: str) -> GuidelinePage:
    empty = dict.fromkeys(GuidelinePage.__dataclass_fields__, ())
    return GuidelinePage(**empty | {"id": id, "title": title, "version": "1", "indicator": "warning"})


PLUGIN = Plugin("Toy rules", "1.0.0", "1.0.0+0", dict, (), guideline=(rule_page("R-1", "Toy rule"),))


def test_an_empty_audit_says_so(store: AuditStore) -> None:
    assert "No call has been made yet." in get(store, "/review").text


def test_the_list_shows_the_newest_first_and_leads_to_each_case(store: AuditStore) -> None:
    calls = [entry(), refused(NOON + timedelta(minutes=1)), entry(NOON + timedelta(minutes=2), [], findings=())]
    put(store, *calls, heard(outcome="overridden"))
    page = get(store, "/review")
    assert [link for link in page.links if link.startswith("/review/")] == [f"/review/{one.id}" for one in calls[::-1]]
    assert "3 calls" in page.text
    for words in ("haloperidol", "Refused 412", "No card", "Warning", "1 card", "Overridden", "R-1", "12:02:00"):
        assert words in page.text
    assert "/guideline/R-1" in page.links


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("rule=R-1", 2),
        ("rule=R-9", 0),
        ("indicator=warning", 2),
        ("indicator=critical", 0),
        ("drug=HALO", 2),
        ("outcome=refused", 1),
        ("outcome=no-feedback", 2),
        ("from=2025-03-04T12:01", 2),
        ("to=2025-03-04T12:01", 1),
        ("to=2025-03-04", 3),
        ("to=2025-03-03", 0),
        ("from=2025-03-04T13:01:00%2B01:00", 2),
        ("from=&to=&rule=&indicator=&drug=&outcome=", 3),
        (f"patient={'0f' * 16}", 3),
        ("patient=none", 0),
    ],
)
def test_the_form_filters(store: AuditStore, query: str, found: int) -> None:
    put(store, entry(), refused(NOON + timedelta(minutes=1)), entry(NOON + timedelta(minutes=2)))
    page = get(store, f"/review?{query}")
    assert len([link for link in page.links if link.startswith("/review/")]) == found
    if not found:
        assert "No call matches this filter." in page.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=yesterday", "“from” cannot be read: expected a date such as"),
        ("to=9999-12-31", "“to” cannot be read"),
        ("from=0001-01-01T00:00%2B23:00", "“from” cannot be read"),
        ("outcome=fine", "no outcome of that name"),
        ("indicator=red", "no indicator of that name. There are: critical, warning, info"),
        ("from=2025-03-05&to=2025-03-04T00:00", "beginning is not before the end"),
    ],
)
def test_what_cannot_be_read_is_told(store: AuditStore, query: str, said: str) -> None:
    assert said in get(store, f"/review?{query}", 400).text


def test_pages_lead_from_the_newest_to_the_oldest_and_keep_the_filter(store: AuditStore) -> None:
    calls = [entry(NOON + timedelta(seconds=step)) for step in range(120)]
    put(store, *calls)
    seen: list[str] = []
    path: str | None = "/review?drug=haloperidol"
    while path:
        page = get(store, path)
        assert "120 calls match" in page.text
        seen += [link.removeprefix("/review/") for link in page.links if link.startswith("/review/")]
        older = [attrs["href"] for tag, attrs in page.tags if tag == "a" and attrs.get("rel") == "next"]
        path = older[0] if older else None
        assert not path or "drug=haloperidol" in path
    assert seen == [one.id for one in reversed(calls)]
    assert "There are no older calls." in get(store, f"/review?before={calls[0].id}").text


CARD = {
    "uuid": "c-1",
    "summary": "Avoid haloperidol",
    "detail": "First **bold** line.\n\n- one\n- two [site](https://example.org/a) [other](https://evil.example/)\n\n"
    "Last \\<b\\>.",
    "indicator": "critical",
    "source": {"label": "Toy rules", "url": "https://example.org/"},
    "suggestions": [
        {
            "label": "Use another drug",
            "uuid": "s-1",
            "isRecommended": True,
            "actions": [{"type": "delete", "description": "Remove it"}],
        }
    ],
    "overrideReasons": [{"code": "benefit", "system": "urn:r", "display": "Benefit outweighs the risk"}],
    "links": [
        {"label": "Author 2020", "url": "https://example.org/a", "type": "absolute"},
        {"label": "Bad", "url": "javascript:alert(1)"},
    ],
}
VERDICTS = [
    {
        "rule": "R-1",
        "subject": "Order/1",
        "status": "fired",
        "indicator": "critical",
        "inputs": ["Patient/1", "Observation/2"],
    },
    {"rule": "R-2", "subject": "Order/1", "status": "fired", "suppressed": "S-03", "inputs": []},
    {"rule": "R-3", "subject": "Order/1", "status": "fired", "inputs": []},
    {"rule": "R-4", "status": "not-checked", "reason": "unit-missing", "inputs": ["Observation/3"]},
    {"rule": "R-5", "status": "clear", "inputs": ["Observation/4"]},
    {"rule": "R-6", "status": "not-applicable"},
    {"rule": "R-7", "status": "of-the-future"},
]
KEYS = {
    "patient": {"state": "satisfied"},
    "medications": {"state": "failed", "reason": "truncated", "foreign": 2},
    "conditions": {"state": "missing", "reason": "key-missing"},
    "allergies": {"state": "null"},
    "observations": {"state": "satisfied", "unreadable": 1},
    "procedures": {"state": "failed", "reason": "key-failed", "fetch": "unreachable"},
}


def full(**changes: Any) -> Entry:
    findings = (finding(subject="Order/1"), finding("R-2", subject="Order/1", suppressed="S-03", shown=False))
    return entry(
        cards=[CARD],
        results=VERDICTS,
        **{
            "keys": msgspec.json.encode(KEYS),
            "subjects": b'[{"reference":"Order/1","label":"haloperidol 5 mg"}]',
            "findings": (*findings, finding("R-3", subject="Order/1", shown=False)),
        }
        | changes,
    )


def test_a_case_shows_the_card_as_it_was_sent(store: AuditStore) -> None:
    given = full()
    put(store, given)
    response = ask(review(store), f"/review/{given.id}")
    page = get(store, f"/review/{given.id}")
    for words in (
        "Avoid haloperidol",
        "Critical",
        "Use another drug",
        "Remove it",
        "Benefit outweighs the risk",
        "Author 2020",
        "Last <b>.",
        "None has come for this card.",
        given.hook_instance,
        given.patient,
        given.ruleset,
        "4.5 ms",
    ):
        assert words in page.text
    assert "<strong>bold</strong>" in response.text
    assert "<li>one</li>" in response.text
    assert page.links.count("https://example.org/a") == 2
    assert not [link for link in page.links if "evil" in link or "javascript" in link]
    assert "[other](https://evil.example/)" in page.text


def test_a_case_shows_every_verdict_and_what_was_missing(store: AuditStore) -> None:
    given = full()
    put(store, given)
    page = get(store, f"/review/{given.id}", plugin=PLUGIN)
    headings = ["shown", "silenced", "on no card", "Not checked", "nothing found", "Does not apply", "of-the-future"]
    places = [page.text.index(words, page.text.index("every rule said")) for words in headings]
    assert places == sorted(places)
    for words in (
        "silenced by S-03",
        "the value has no unit",
        "Patient/1, Observation/2",
        "haloperidol 5 mg",
        "failed; the list of data was cut short; 2 of another patient left out",
        "missing; the data were not sent",
        "received, empty",
        "received; 1 not readable",
        "failed; the data could not be read; not fetched: the server could not be reached",
        "Some of the data were missing or incomplete.",
    ):
        assert words in page.text
    assert {f"/guideline/R-{number}" for number in range(1, 8)} <= set(page.links)
    assert ("a", {"class": "rule-id", "href": "/guideline/R-1", "title": "Toy rule"}) in page.tags


def test_a_case_shows_its_feedback(store: AuditStore) -> None:
    given = full()
    put(store, given)
    put(
        store,
        heard("C-1", accepted=b'["s-1","s-9"]'),
        heard("c-1", "overridden", reason_code="benefit", comment="Known since <i>2019</i>"),
        heard("c-1", "overridden"),
    )
    page = get(store, f"/review/{given.id}")
    for words in (
        "Took: Use another drug; s-9",
        "Benefit outweighs the risk",
        "Known since <i>2019</i>",
        "No reason was given.",
    ):
        assert words in page.text


def test_a_refused_call_and_a_silent_one_say_why_there_is_no_card(store: AuditStore) -> None:
    no, silent = refused(), entry(cards=[], results=[], keys=b"{}", findings=())
    put(store, no, silent)
    page = get(store, f"/review/{no.id}")
    assert "No card: the call was refused." in page.text
    assert "Refused with status 412" in page.text
    assert "other-patient" in page.text
    page = get(store, f"/review/{silent.id}")
    for words in ("No card was sent.", "No rule was asked.", "named no data"):
        assert words in page.text


def test_nothing_that_was_sent_can_inject(store: AuditStore) -> None:
    card = dict.fromkeys(("uuid", "summary", "detail", "indicator"), EVIL) | {
        "source": {"label": EVIL, "url": "data:text/html,x"},
        "suggestions": [{"label": EVIL, "uuid": EVIL, "actions": [{"type": EVIL, "description": EVIL}]}],
        "overrideReasons": [{"code": EVIL, "display": EVIL}],
        "links": [{"label": EVIL, "url": EVIL}, {"label": EVIL, "url": f'https://x/"{EVIL}'}],
    }
    names = ("client", "service", "hook", "hook_instance", "patient", "ruleset", "detail")
    given = entry(
        cards=[card],
        results=[{"rule": EVIL, "subject": EVIL, "status": EVIL, "reason": EVIL, "suppressed": EVIL, "inputs": [EVIL]}],
        keys=msgspec.json.encode({EVIL: {"state": EVIL, "reason": EVIL}}),
        subjects=msgspec.json.encode([{"reference": EVIL, "label": EVIL}]),
        findings=(finding(EVIL, label=EVIL, indicator=EVIL, suppressed=EVIL),),
        **dict.fromkeys(names, EVIL),
    )
    told = heard(
        EVIL, EVIL, service=EVIL, client="x", reason_display=EVIL, comment=EVIL, accepted=msgspec.json.encode([EVIL])
    )
    put(store, given, told)
    for path in (f"/review/{given.id}", "/review", f"/review?drug={EVIL}&rule={EVIL}&patient={EVIL}"):
        page = get(store, path)
        assert EVIL in page.text or "No call" in page.text
        assert "img" not in {tag for tag, _ in page.tags}
    for path in (f"/review?from={EVIL}&outcome={EVIL}", f"/review?indicator={EVIL}"):
        assert "img" not in {tag for tag, _ in get(store, path, 400).tags}
    assert "img" not in {tag for tag, _ in get(store, f"/review/{EVIL}", 404).tags}


def test_stored_json_of_another_shape_is_shown_as_it_is(store: AuditStore) -> None:
    given = msgspec.structs.replace(
        entry(), cards=b'{"not":"a list"}', results=b"[3]", keys=b"null", subjects=b"torn {"
    )
    put(store, given)
    page = get(store, f"/review/{given.id}")
    for words in ('{"not":"a list"}', "[3]", "torn {", "cannot show"):
        assert words in page.text


def test_an_unknown_id_is_a_404_page(store: AuditStore) -> None:
    assert "no entry of this id" in get(store, "/review/unknown", 404).text


def test_an_audit_that_is_off_or_broken_says_so(tmp_path: Path) -> None:
    assert "No audit is kept" in get(None, "/review", 503).text
    store = opened(tmp_path)
    store.close()
    (tmp_path / "audit.db").unlink()
    assert "cannot be read" in get(store, "/review", 503).text


def test_lost_entries_are_said_on_the_list(tmp_path: Path) -> None:
    store = opened(tmp_path)
    twin = entry()
    put(store, twin)
    assert not asyncio.run(store.append(twin))
    page = get(store, "/review")
    assert "1 entry could not be written since the service started: this list is not complete." in page.text
    store.close()
    assert "The audit store is in trouble. The audit store is closed." in get(store, "/review").text


def test_rules_of_the_plugin_are_offered_by_title(store: AuditStore) -> None:
    put(store, entry())
    assert "R-1 Toy rule" in get(store, "/review?rule=R-1", plugin=PLUGIN).text
    assert "No call matches" in get(store, "/review?rule=R-old", plugin=PLUGIN).text


def test_the_pages_only_read(store: AuditStore) -> None:
    assert CARDS
    for method in ("POST", "PUT", "DELETE"):
        assert ask(review(store), "/review", method).status_code == 405
