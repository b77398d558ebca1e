"""What a call lacks is fetched from the EHR's FHIR server: the toy plugin tells what it was given."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cds_hooks.prefetch import UNFETCHED
from cds_hooks.review.words import FETCH_WORDS
from cds_hooks.service import Plugin
from tests.contract.conftest import PATIENT, UNHURRIED, Json, Running, bundle, call, facts, patient, reason, thing
from tests.contract.toy import toy
from tests.support.fhir_server import Asked, Fault, FhirServer, Reply, searchset, serving

Start = Callable[..., Running]
TOKEN = "canary-token-5f1c"
NOBODY = thing("foreign", "Patient/p2")
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-supported"}]}
KEPT_BACK = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed"}]}


@pytest.fixture
def start(start: Start) -> Start:
    return partial(start, **UNHURRIED)


def authorization(**more: Any) -> Json:
    """What an EHR sends beside its FHIR base."""
    return {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read"} | more


def asking(server: FhirServer, prefetch: Any = None, hook: str = "order-sign", **more: Any) -> Json:
    """A call that lacks everything but ``prefetch``."""
    given = {"fhirServer": server.base, "fhirAuthorization": authorization()} | more
    return call(hook, prefetch or {}, **given)


def keys(service: Running, answer: Any) -> Json:
    """The keys as the audit has them."""
    told: Json = json.loads(service.audited(answer).keys)
    return told


def things(count: int, first: int = 1) -> list[Json]:
    return [thing(f"o{number}") for number in range(first, first + count)]


def test_everything_is_fetched_with_the_token(start: Start) -> None:
    stay = thing("e1", kind="Encounter")
    with serving(patient(), stay, *things(2), NOBODY) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server, context={"encounterId": "e1"}))
        assert facts(answer) | {"draftOrders": ""} == {
            "patient": "satisfied [p1] foreign=0 unreadable=",
            "things": "satisfied [o1,o2] foreign=0 unreadable=",
            "stay": "satisfied [e1] foreign=0 unreadable=",
            "draftOrders": "",
        }
    assert server.targets() == ["Encounter/e1", "Observation?patient=p1", "Patient/p1"]
    assert {one.headers["Authorization"] for one in server.asked} == {f"Bearer {TOKEN}"}
    assert {one.headers["Accept-Encoding"] for one in server.asked} == {"identity"}
    fetched = {"state": "satisfied", "fetched": True}
    assert keys(service, answer) == {"patient": fetched, "things": fetched, "stay": fetched}


def test_how_far_the_clock_of_the_server_is_ahead_is_measured(start: Start) -> None:
    with serving(patient()) as server:
        service = start(fhir_servers=(server.base,))
        assert "cds_clock_offset_seconds{" not in service.client.get("/metrics").text
        service.call(asking(server))
        told = service.client.get("/metrics").text
    host = urlsplit(server.base).netloc
    (line,) = (line for line in told.splitlines() if line.startswith(f'cds_clock_offset_seconds{{server="{host}"}}'))
    assert abs(float(line.rpartition(" ")[2])) < 10


def test_the_same_cards_with_full_partial_and_no_prefetch(start: Start) -> None:
    with serving(patient(), *things(3)) as server:
        service = start(fhir_servers=(server.base,))
        full = {"patient": patient(), "things": bundle(*things(3))}
        given = [full, {"patient": patient()}, {}]
        told = [facts(service.call(asking(server, one))) for one in given]
    assert told[0] == told[1] == told[2]


# What came with the call -> whether the key is asked for again
BROUGHT: list[tuple[str, Any, bool]] = [
    ("null", None, False),
    ("an empty Bundle", bundle(), False),
    ("a Bundle", bundle(thing("a")), False),
    ("an OperationOutcome", ERROR, True),
    ("an error as entry", bundle(thing("a"), ERROR), True),
    ("a string", "123", True),
    ("a larger total", bundle(thing("a"), total=2), True),
    ("a next link to nowhere", bundle(thing("a"), link=[{"relation": "next", "url": "x y"}]), True),
]


@pytest.mark.parametrize(("value", "is_asked"), [row[1:] for row in BROUGHT], ids=[row[0] for row in BROUGHT])
def test_what_is_asked_again(start: Start, value: Any, is_asked: bool) -> None:
    with serving(thing("a"), thing("b")) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server, {"patient": patient(), "things": value}))
    assert server.targets() == (["Observation?patient=p1"] if is_asked else [])
    if is_asked:
        assert facts(answer)["things"].startswith("satisfied [a,b]")


def test_a_key_whose_token_the_context_lacks_is_not_asked_for(start: Start) -> None:
    with serving(patient()) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server))
    assert facts(answer)["stay"].startswith("not-asked")
    assert server.targets() == ["Observation?patient=Patient%2Fp1", "Observation?patient=p1", "Patient/p1"]


def test_a_prefetch_of_the_wrong_shape_is_fetched_whole(start: Start) -> None:
    with serving(patient(), *things(1)) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server, ["wrong"]))
    assert facts(answer)["things"].startswith("satisfied [o1]")
    assert facts(answer)["stay"].startswith("failed")


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_pages_are_followed_to_the_end(start: Start) -> None:
    with serving(patient(), *things(25), page=10) as server:
        service = start(fhir_servers=(server.base,))
        told = facts(service.call(asking(server)))["things"]
    assert told.startswith("satisfied [o1,")
    assert told.count(",") == 24


def test_a_cut_off_prefetch_is_continued_from_its_own_link(start: Start) -> None:
    with serving(*things(25), page=10) as server:
        service = start(fhir_servers=(server.base,))
        link = [{"relation": "next", "url": f"{server.base}/Observation?patient=p1&_offset=10"}]
        sent = {"patient": patient(), "things": bundle(*things(10), link=link, total=25)}
        told = facts(service.call(asking(server, sent)))["things"]
    assert server.targets() == ["Observation?patient=p1&_offset=10", "Observation?patient=p1&_offset=20"]
    assert told.startswith("satisfied [o1,o2,")
    assert told.count(",") == 24


def test_where_the_link_has_expired_the_search_begins_anew_and_nothing_is_lost(start: Start) -> None:
    def expired(asked: Asked) -> Reply | None:
        return Reply(ERROR, 410) if "_offset" in asked.query else None

    with serving(*things(3), fault=expired) as server:
        service = start(fhir_servers=(server.base,))
        link = [{"relation": "next", "url": f"{server.base}/Observation?patient=p1&_offset=1"}]
        sent = {"patient": patient(), "things": bundle(thing("o1"), thing("only-sent"), link=link)}
        answer = service.call(asking(server, sent))
    assert facts(answer)["things"].startswith("satisfied [o1,o2,o3,only-sent]")


def _links(url: str) -> Fault:
    def fault(asked: Asked) -> Json | None:
        if asked.path != "Observation" or "x" in asked.query:
            return None
        self_link = {"relation": "self", "url": f"Observation?{'patient=p1'}"}
        return searchset(thing("o1"), link=[self_link, {"relation": "next", "url": url.format(base=BASE[0])}])

    return fault


BASE = [""]

# Where the next page is said to be -> what becomes of the key, and the word for it
LINKS: list[tuple[str, str, str]] = [
    ("another host", "http://canary.example/fhir/Observation?x=1", "foreign-next"),
    ("another port", "http://127.0.0.1:1/fhir/Observation?x=1", "foreign-next"),
    ("another scheme", "https://127.0.0.1/fhir/Observation?x=1", "foreign-next"),
    ("another path", "{base}/../admin?x=1", "foreign-next"),
    ("a path that only begins alike", "{base}ish/Observation?x=1", "foreign-next"),
    ("a user", "http://127.0.0.1@canary.example/fhir?x=1", "foreign-next"),
    ("no scheme", "//canary.example/fhir?x=1", "foreign-next"),
    ("a script", "javascript:alert(1)", "foreign-next"),
    ("a file", "file:///etc/passwd", "foreign-next"),
    ("white space", "{base}/Observation?x=1 HTTP/1.1", "foreign-next"),
    ("nothing", "", "foreign-next"),
    ("itself", "{base}/Observation?patient=p1", "loop"),
]


@pytest.mark.parametrize(("url", "word"), [row[1:] for row in LINKS], ids=[row[0] for row in LINKS])
def test_a_next_link_that_leads_elsewhere_is_not_followed(start: Start, url: str, word: str) -> None:
    with serving(fault=_links(url)) as server:
        BASE[0] = server.base
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server, {"patient": patient()}))
    assert facts(answer)["things"].startswith("failed truncated [o1]")
    assert keys(service, answer)["things"] == {"state": "failed", "reason": "truncated", "fetch": word}
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "spelling", ["{base}/Observation?x=1", "Observation?x=1", "/fhir/Observation?x=1", "{base}?x=1"]
)
def test_a_next_link_below_the_base_is_followed(start: Start, spelling: str) -> None:
    def fault(asked: Asked) -> Json | None:
        return searchset(thing("o2")) if "x" in asked.query else _links(spelling)(asked)

    with serving(fault=fault) as server:
        BASE[0] = server.base
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server, {"patient": patient()}))
    assert facts(answer)["things"].startswith("satisfied [o1,o2]")


def test_pages_without_end_stop_at_the_limit(start: Start) -> None:
    with serving(*things(30), page=1) as server:
        service = start(fhir_servers=(server.base,), fhir_pages=4, fhir_budget_ms=400)
        answer = service.call(asking(server, {"patient": patient()}))
    assert facts(answer)["things"].startswith("failed truncated [o1,o2,o3,o4]")
    assert keys(service, answer)["things"]["fetch"] == "pages"
    assert len(server.asked) == 4


def test_a_page_that_fails_leaves_what_came_before_it(start: Start) -> None:
    def third(asked: Asked) -> Reply | None:
        return Reply(ERROR, 500) if asked.query.get("_offset") == "20" else None

    with serving(*things(30), page=10, fault=third) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server, {"patient": patient()}))
    told = facts(answer)["things"]
    assert told.startswith("failed truncated [o1,")
    assert told.count(",") == 19
    assert keys(service, answer)["things"]["fetch"] == "status-500"


# --- What came is held against what was asked ------------------------------------------------------------------------

SELF = [{"relation": "self", "url": "Observation?patient=p1"}]
ANSWERS: list[tuple[str, Any, str, str]] = [
    ("no type of Bundle", bundle(thing("a")), "satisfied [a]", ""),
    ("a history", {**bundle(thing("a")), "type": "history"}, "failed key-failed []", "other-resource"),
    ("an outcome", ERROR, "failed key-failed []", "outcome"),
    ("a single resource", thing("a"), "failed key-failed []", "other-resource"),
    ("an error as entry", searchset(thing("a"), ERROR), "failed key-failed [a]", "outcome"),
    ("a warning, all there", searchset(thing("a"), WARNING, link=SELF), "satisfied [a]", ""),
    ("something kept back", searchset(thing("a"), KEPT_BACK, link=SELF), "failed key-failed [a]", "outcome"),
    ("a warning, and more", searchset(thing("a"), WARNING, link=SELF, total=9), "failed key-failed [a]", "ignored"),
    ("not all there", searchset(thing("a"), link=SELF, total=9), "failed truncated [a]", "total"),
    ("not all there, nothing said", searchset(thing("a"), total=9), "failed key-failed [a]", "ignored"),
    ("the patient ignored", searchset(thing("a"), NOBODY), "failed key-failed [a] foreign=1", "ignored"),
    ("another type", searchset(thing("a", kind="Condition")), "failed key-failed [a]", "outcome"),
    ("an unreadable entry", searchset(thing("bad", link="x"), thing("a")), "satisfied [a]", ""),
    ("nothing", searchset(total=0), "satisfied []", ""),
    ("a total beyond reason", searchset(thing("a"), link=SELF, total=10**400), "failed truncated [a]", "total"),
    ("links of a wrong type", searchset(thing("a"), link="x"), "failed key-failed [a]", "foreign-next"),
    ("no JSON", Reply(b"{"), "failed key-failed []", "unusable"),
    ("nested too deeply", Reply(b"[" * 40 + b"]" * 40), "failed key-failed []", "unusable"),
    ("no UTF-8", Reply(b'{"resourceType":"Bundle","id":"\xff"}'), "failed key-failed []", "unusable"),
    ("a list", Reply(b"[]"), "failed key-failed []", "other-resource"),
    ("HTML", Reply(b"<html>", 200, {"Content-Type": "text/html"}), "failed key-failed []", "unusable"),
    ("no type", Reply(searchset(), 200, {}), "failed key-failed []", "unusable"),
    ("gzip", Reply(b"x", 200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}), "failed key-failed []",
     "unusable"),
    ("nothing at all", Reply(b"", 204), "failed key-failed []", "status-204"),
    ("a redirect", Reply(b"", 302, {"Location": "http://127.0.0.1:1/"}), "failed key-failed []", "status-302"),
    ("not allowed", Reply(ERROR, 401), "failed key-failed []", "status-401"),
    ("forbidden", Reply(ERROR, 403), "failed key-failed []", "status-403"),
    ("unknown type", Reply(ERROR, 404), "missing key-missing []", "status-404"),
    ("too many", Reply(ERROR, 429), "failed key-failed []", "status-429"),
    ("broken", Reply(ERROR, 500), "failed key-failed []", "status-500"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "state", "word"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_what_an_answer_is_worth(start: Start, reply: Any, state: str, word: str) -> None:
    with serving(fault=lambda asked: reply if asked.path == "Observation" else None) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server, {"patient": patient()}))
    assert facts(answer)["things"].startswith(state)
    told = keys(service, answer)["things"]
    assert (told.get("fetch", ""), told.get("fetched", False)) == (word, not word)


def test_a_patient_without_an_id_is_nobody(start: Start) -> None:
    nameless = {"resourceType": "Patient"}
    with serving(fault=lambda asked: nameless if asked.path == "Patient/p1" else None) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server))
    assert facts(answer)["patient"].startswith("failed key-failed []")


READS: list[tuple[str, Any, str, str]] = [
    ("the stay", thing("e1", kind="Encounter"), "satisfied [e1]", ""),
    ("another stay", thing("e2", kind="Encounter"), "failed key-failed []", "other-resource"),
    ("the stay of someone else", thing("e1", "Patient/p2", "Encounter"), "satisfied [] foreign=1", ""),
    ("an unreadable stay", thing("e1", kind="Encounter", link="x"), "failed key-failed []", "unusable"),
    ("an outcome", ERROR, "failed key-failed []", "outcome"),
    ("another type", thing("e1"), "failed key-failed []", "other-resource"),
    ("gone", Reply(ERROR, 410), "failed key-failed []", "status-410"),
    ("unknown", Reply(ERROR, 404), "failed key-failed []", "status-404"),
]


@pytest.mark.parametrize(("reply", "state", "word"), [row[1:] for row in READS], ids=[row[0] for row in READS])
def test_what_a_single_resource_is_worth(start: Start, reply: Any, state: str, word: str) -> None:
    with serving(fault=lambda asked: reply if asked.path == "Encounter/e1" else None) as server:
        service = start(fhir_servers=(server.base,))
        sent = {"patient": patient(), "things": bundle()}
        answer = service.call(asking(server, sent, context={"encounterId": "e1"}))
    assert facts(answer)["stay"].startswith(state)
    assert keys(service, answer)["stay"].get("fetch", "") == word


def test_another_patient_than_the_one_asked_for_refuses_the_call(start: Start) -> None:
    with serving(fault=lambda asked: patient("p2") if asked.path == "Patient/p1" else None) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server))
    assert answer.status_code == 412
    assert "that the FHIR server gave belongs to someone other" in reason(answer)


def _sorted() -> Plugin:
    """The toy, with a search that wants the newest first."""
    plugin = toy()
    template = "Observation?patient={{context.patientId}}&_sort=-date&_count=9"
    services = [replace(one, prefetch={**one.prefetch, "things": template}) for one in plugin.services]
    return replace(plugin, services=tuple(services))


WHOLE, MORE = {"total": 1}, {"total": 7}
UNSORTED = [{"relation": "self", "url": "Observation?patient=p1&_count=9"}]
AS_ASKED = [{"relation": "self", "url": "Observation?subject=Patient/p1&_sort=-date"}]
# what the self link says that was understood, how much there is -> what becomes of the key
ARRANGED: list[tuple[str, list[Json], Json, str]] = [
    ("sorted, and more", AS_ASKED, MORE, "failed truncated [a]"),
    ("sorted, all there", AS_ASKED, WHOLE, "satisfied [a]"),
    ("unsorted, and more", UNSORTED, MORE, "failed key-failed [a]"),
    ("unsorted, all there", UNSORTED, WHOLE, "satisfied [a]"),
    ("nothing said, and more", [], MORE, "failed key-failed [a]"),
]


@pytest.mark.parametrize(("link", "total", "told"), [row[1:] for row in ARRANGED], ids=[row[0] for row in ARRANGED])
def test_a_part_counts_only_if_it_is_the_newest_part(start: Start, link: list[Json], total: Json, told: str) -> None:
    with serving(fault=lambda _: searchset(thing("a"), link=link, **total)) as server:
        service = start(_sorted(), fhir_servers=(server.base,))
        assert facts(service.call(asking(server, {"patient": patient()})))["things"].startswith(told)


@pytest.mark.parametrize(("total", "told"), [(WHOLE, "satisfied [a]"), (MORE, "failed key-failed [a]")])
def test_a_server_that_cannot_sort_is_asked_without(start: Start, total: Json, told: str) -> None:
    def strict(asked: Asked) -> Reply | Json:
        unsorted = {"relation": "self", "url": asked.target}
        return Reply(ERROR, 400) if "_sort" in asked.query else searchset(thing("a"), link=[unsorted], **total)

    with serving(fault=strict) as server:
        service = start(_sorted(), fhir_servers=(server.base,))
        assert facts(service.call(asking(server, {"patient": patient()})))["things"].startswith(told)
    assert server.targets() == ["Observation?patient=p1", "Observation?patient=p1&_sort=-date&_count=9"]


def test_pages_that_overlap_count_a_resource_once(start: Start) -> None:
    pages = {"": ("o1", "o2"), "1": ("o2", "o3")}

    def overlapping(asked: Asked) -> Json:
        place = asked.query.get("x", "")
        link = [*SELF, *([] if place else [{"relation": "next", "url": "Observation?x=1"}])]
        return searchset(*(thing(one) for one in pages[place]), link=link, total=4)

    with serving(fault=overlapping) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server, {"patient": patient()}))
    # Four were promised and three came: the repeated one must not stand for the missing one.
    assert facts(answer)["things"].startswith("failed truncated [o1,o2,o3]")


def test_what_was_fetched_counts_more_than_what_was_sent(start: Start) -> None:
    with serving(thing("o1", "Patient/p1"), thing("o2")) as server:
        service = start(fhir_servers=(server.base,))
        sent = bundle(thing("o1", link="unreadable"), thing("o9"), ERROR, NOBODY)
        told = facts(service.call(asking(server, {"patient": patient(), "things": sent})))["things"]
    assert told == "satisfied [o1,o2,o9] foreign=1 unreadable="


# --- Spellings of the patient's id -----------------------------------------------------------------------------------


def test_both_spellings_of_the_patient_are_tried_and_the_better_one_is_remembered(start: Start) -> None:
    with serving(patient(), thing("o1"), spelling=("Patient/",)) as server:
        service = start(fhir_servers=(server.base,))
        for _ in range(2):
            told = facts(service.call(asking(server, {"patient": patient()})))
            assert told["things"].startswith("satisfied [o1]")
    asked = [one.query["patient"] for one in server.asked]
    assert asked == ["p1", "Patient/p1", "Patient/p1"]


def test_a_spelling_that_finds_nothing_any_more_is_given_up(start: Start) -> None:
    with serving(patient(), thing("o1"), spelling=("",)) as server:
        service = start(fhir_servers=(server.base,))
        assert facts(service.call(asking(server, {"patient": patient()})))["things"].startswith("satisfied [o1]")
        server.spelling = ("Patient/",)
        for _ in range(2):
            told = facts(service.call(asking(server, {"patient": patient()})))
            assert told["things"].startswith("satisfied [o1]")


def test_what_has_no_spelling_stays_when_the_other_one_is_tried_in_vain(start: Start) -> None:
    def hang(asked: Asked) -> None:
        if asked.query.get("patient") == "Patient/p1":
            time.sleep(0.6)

    with serving(patient(), thing("o1"), spelling=("",)) as server:
        service = start(fhir_servers=(server.base,), fhir_budget_ms=300)
        service.call(asking(server))
        server.resources.pop()
        server.fault = hang
        told = keys(service, service.call(asking(server)))
        assert told["patient"] == {"state": "satisfied", "fetched": True}
        assert told["things"] == {"state": "failed", "reason": "key-failed", "fetch": "timeout"}
        assert server.targets().count("Patient/p1") == 2, "once for each call"


def test_a_second_spelling_that_is_refused_leaves_the_first_answer(start: Start) -> None:
    def strict(asked: Asked) -> Reply | None:
        return Reply(ERROR, 400) if asked.query.get("patient") == "Patient/p1" else None

    with serving(fault=strict) as server:
        service = start(fhir_servers=(server.base,))
        assert facts(service.call(asking(server, {"patient": patient()})))["things"].startswith("satisfied []")


@pytest.mark.parametrize("identity", ["..", "p1/../p2", "p1?x", "p1&_id=2", "p 1", "p1%2F", "ü", "a" * 65])
def test_an_id_that_has_no_business_in_an_address_is_not_asked_about(start: Start, identity: str) -> None:
    with serving() as server:
        service = start(fhir_servers=(server.base,))
        drafts = bundle(thing("d1", f"Patient/{identity}", "MedicationRequest"))
        body = asking(server, context={"patientId": identity, "draftOrders": drafts})
        answer = service.call(body)
    assert server.asked == []
    assert answer.status_code == 200
    assert keys(service, answer)["patient"] == {"state": "missing", "reason": "key-missing", "fetch": "bad-id"}
    assert PATIENT not in server.targets()


def test_the_review_page_says_what_was_fetched_and_what_was_not(start: Start) -> None:
    with serving(patient(), fault=lambda asked: Reply(ERROR, 403) if asked.path == "Observation" else None) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server))
    page = service.client.get(f"/review/{answer.headers['X-Audit-Id']}").text
    assert "received; fetched from the FHIR server" in page
    assert "not fetched: status-403" in page


def test_every_word_for_what_was_not_fetched_is_explained() -> None:
    text = (Path(__file__).parents[2] / "docs" / "fetching.md").read_text("utf-8")
    rows = text.partition("| `fetch` | meaning |")[2].splitlines()[2:]
    told = {word for row in rows for word in re.findall(r"`([a-z0-9-]+)`", row.split("|")[1] if "|" in row else "")}
    assert told - {"status-403"} == set(FETCH_WORDS)
    assert set(UNFETCHED) - {""} <= set(FETCH_WORDS)
