"""A newcomer's way through the try-it page in a real browser, against the real server process.

``DYSTONIA_CDS_TEST_URL`` names a running service to use instead of starting one.
"""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.server import running

playwright = pytest.importorskip(
    "playwright.sync_api", reason="The browser tests need the Python package playwright: it is in the dev group."
)
expect = playwright.expect

pytestmark = pytest.mark.browser

LEVELS = ("critical", "warning", "info")
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if given := os.environ.get("DYSTONIA_CDS_TEST_URL"):
        yield given.rstrip("/")
        return
    with running(tmp_path_factory.mktemp("service")) as service:
        yield service.url


class Visit:
    """One page in its own context, which notes what a page must never do."""

    def __init__(self, browser: Any, site: str, width: int, height: int = 860) -> None:
        self.site = site
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append("dialog"), dialog.dismiss()))
        self.context.on("request", self.note)

    def note(self, request: Any) -> None:
        if not request.url.startswith((self.site + "/", "data:")):
            self.complaints.append(f"asked another host: {request.url}")

    def open(self, path: str = "/") -> Any:
        self.page.goto(self.site + path)
        if path.partition("#")[0] == "/":
            expect(self.page.locator("#try")).not_to_have_attribute("aria-busy", "true")
        return self.page

    def fire(self) -> None:
        self.page.get_by_role("button", name="Fire", exact=True).click()
        expect(self.page.locator("#answer-line")).to_contain_text(" ms")

    def scrolls_sideways(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.fixture
def visit(chromium: Any, site: str) -> Iterator[Callable[..., Visit]]:
    visits: list[Visit] = []

    def start(width: int = 1400, height: int = 860) -> Visit:
        visits.append(Visit(chromium, site, width, height))
        return visits[-1]

    yield start
    for made in visits:
        made.context.close()
    assert [complaint for made in visits for complaint in made.complaints] == []


def answer_with(page: Any, status: int, body: str, content_type: str = "application/json") -> None:
    page.route(
        "**/cds-services/*",
        lambda route: route.fulfill(status=status, body=body, headers={"content-type": content_type}),
    )


def test_a_newcomer_chooses_fires_and_sees_a_card(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open()
    page.get_by_text("Berta Sampler").click()
    expect(page.locator("#chart-name")).to_have_text("SAMPLER, Berta")
    page.get_by_text("Adam Testa").click()
    expect(page.locator("#chart-name")).to_have_text("TESTA, Adam")
    one.fire()
    card = page.locator(".card").first
    expect(card).to_have_attribute("data-indicator", "warning")
    expect(card.locator(".indicator")).to_have_text("Warning")
    expect(card.locator(".card-summary")).to_contain_text(re.compile("haloperidol", re.IGNORECASE))
    expect(card.locator(".card-detail")).not_to_be_empty()
    expect(page.locator("#answer-line")).to_contain_text("audit: ")
    assert json.loads(page.locator("#response").inner_text())["cards"]
    assert json.loads(page.locator("#request").input_value())["context"]["patientId"].startswith("adam-testa-")


def test_accepting_a_suggestion_sends_feedback_and_shows_the_resource(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=adam-testa")
    one.fire()
    offered = json.loads(page.locator("#response").inner_text())["cards"][0]
    suggestion = next(entry for entry in offered["suggestions"] if entry.get("actions"))
    with page.expect_response("**/feedback") as answered:
        page.get_by_role("button", name=suggestion["label"]).click()
    assert answered.value.status == 200
    sent = answered.value.request.post_data_json["feedback"][0]
    assert sent["card"] == offered["uuid"]
    assert sent["outcome"] == "accepted"
    assert sent["acceptedSuggestions"] == [{"id": suggestion["uuid"]}]
    expect(page.locator(".card-told").first).to_contain_text("Feedback recorded")
    expect(page.locator(".action").first).to_contain_text(suggestion["actions"][0]["resource"]["resourceType"])
    expect(page.locator("#stale")).to_be_visible()
    one.fire()
    assert page.locator(".failure").count() == 0


def test_overriding_with_a_reason_sends_feedback(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=berta-sampler")
    one.fire()
    card = page.locator(".card").first
    expect(card).to_have_attribute("data-indicator", "critical")
    card.get_by_label("Reason for not following this card").select_option(index=1)
    card.get_by_label("Comment (optional)").fill("Seen with the endocrinologist")
    with page.expect_response("**/feedback") as answered:
        card.get_by_role("button", name="Override").click()
    assert answered.value.status == 200
    sent = answered.value.request.post_data_json["feedback"][0]
    assert sent["outcome"] == "overridden"
    assert sent["overrideReason"]["reason"]["code"]
    assert sent["overrideReason"]["userComment"] == "Seen with the endocrinologist"
    expect(card.locator(".card-told")).to_contain_text("Overridden")


def test_overriding_without_a_reason_sends_none(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=berta-sampler")
    one.fire()
    card = page.locator(".card").first
    expect(card.get_by_label("Reason for not following this card")).to_have_value("")
    with page.expect_response("**/feedback") as answered:
        card.get_by_role("button", name="Override").click()
    assert answered.value.status == 200
    sent = answered.value.request.post_data_json["feedback"][0]
    assert set(sent) == {"card", "outcome", "outcomeTimestamp"}
    expect(card.locator(".card-told")).to_have_text("Overridden. Feedback recorded.")


def chosen_hook(page: Any, hook: str) -> None:
    page.get_by_label("Hook and service").select_option(label=hook)
    expect(page.locator("#request-line")).to_contain_text(f"-{hook}")


def sent_now(page: Any) -> Any:
    return json.loads(page.locator("#request").input_value())


def test_an_overridden_card_is_silenced_and_the_page_says_why(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=adam-testa")
    one.fire()
    card = page.locator(".card").first
    card.get_by_label("Reason for not following this card").select_option(index=1)
    with page.expect_response("**/feedback"):
        card.get_by_role("button", name="Override").click()
    expect(card.locator(".card-told")).to_contain_text("Fire again to see whether the card is silenced")
    one.fire()
    expect(page.locator(".no-card")).to_contain_text("something was found, and silenced")
    silenced = page.get_by_role("region", name="Silenced")
    expect(silenced).to_contain_text("Silenced: R-DRUG-01 (S-07).")
    expect(silenced).to_contain_text("overrode this finding with a reason")
    before = sent_now(page)["context"]["patientId"]
    silenced.get_by_role("button", name="Begin again with a new patient").click()
    expect(page.locator("#request")).not_to_have_value(re.compile(re.escape(before)))
    one.fire()
    expect(page.locator(".card").first).to_have_attribute("data-indicator", "warning")
    assert page.locator(".silenced").count() == 0


def test_an_opened_record_is_told_once_in_a_visit_and_again_in_the_next(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=ulla-lowlander&hook=patient-view")
    expect(page.locator("#items-step")).to_be_hidden()
    one.fire()
    expect(page.locator(".card")).to_have_count(1)
    one.fire()
    expect(page.locator(".card")).to_have_count(0)
    expect(page.locator(".silenced")).to_contain_text("(S-17)")
    page.reload()
    expect(page.locator("#try")).not_to_have_attribute("aria-busy", "true")
    one.fire()
    expect(page.locator(".card")).to_have_count(1)


def test_a_refill_is_composed_and_judged(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=ruth-longrun")
    expect(page.locator("#items-title")).to_have_text("Prescriptions to refill")
    one.fire()
    expect(page.locator(".card").first.locator(".card-summary")).to_contain_text(re.compile("metoclopramide", re.I))
    page.get_by_role("combobox", name="Prescription 1").click()
    page.get_by_role("option", name="Haloperidol 5 mg PO, twice a day, 30 days").click()
    entry = sent_now(page)["context"]["medications"]["entry"]
    assert [one["resource"]["resourceType"] for one in entry] == ["MedicationRequest"]
    assert "draftOrders" not in sent_now(page)["context"]
    assert "refill=haloperidol-refill" in page.url
    one.fire()
    expect(page.locator(".verdicts")).to_be_visible()
    assert page.locator(".failure").count() == 0


def test_a_problem_is_entered_and_the_reaction_recorded(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=yannick-twister")
    expect(page.get_by_role("combobox", name="Problem 1")).to_have_value("Acute dystonia")
    one.fire()
    card = page.locator(".card").first
    expect(card.locator(".card-summary")).to_contain_text(re.compile("prochlorperazine", re.I))
    with page.expect_response("**/feedback"):
        card.get_by_role("button", name=re.compile("^Record the dystonic reaction")).click()
    expect(card.locator(".action").first).to_contain_text("AllergyIntolerance")
    expect(page.locator("#stale")).to_be_visible()
    chosen_hook(page, "order-select")
    assert sent_now(page)["prefetch"]["allergies"]["total"] == 1
    chosen_hook(page, "problem-list-item-create")
    page.get_by_role("combobox", name="Problem 1").click()
    page.get_by_role("option", name="Essential hypertension").click()
    one.fire()
    expect(page.locator(".no-card")).to_contain_text("That is not the same as safe")
    (entry,) = sent_now(page)["context"]["conditions"]["entry"]
    assert entry["resource"]["resourceType"] == "Condition"


@pytest.mark.parametrize(
    ("hook", "field"),
    [
        ("order-select", "draftOrders"),
        ("order-sign", "draftOrders"),
        ("patient-view", ""),
        ("encounter-start", ""),
        ("medication-refill", "medications"),
        ("problem-list-item-create", "conditions"),
    ],
)
def test_every_hook_can_be_fired_at_anybody_on_a_phone(visit: Callable[..., Visit], hook: str, field: str) -> None:
    one = visit(390, 844)
    page = one.open("/#patient=johanna-constant")
    chosen_hook(page, hook)
    search = page.get_by_role("combobox", name=re.compile(" 1$"))
    if field and search.input_value() == "":
        search.click()
        page.get_by_role("listbox").get_by_role("option").first.click()
    context = sent_now(page)["context"]
    assert {key for key, value in context.items() if isinstance(value, dict)} == ({field} if field else set())
    one.fire()
    assert page.locator(".failure").count() == 0
    expect(page.locator(".verdicts")).to_be_visible()
    assert not one.scrolls_sideways()


def test_an_empty_answer_says_what_was_not_checked(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=hanna-probanda")
    one.fire()
    unchecked = page.locator('.verdict-group[data-verdict="unchecked"]')
    expect(unchecked).to_have_attribute("open", "")
    expect(unchecked).to_contain_text("no result was found")
    unchecked.locator("summary").click()
    expect(unchecked.locator("ul")).to_be_hidden()


BROKEN_WORDS = """() => [...document.querySelectorAll("table.stack td, table.stack th, .pairs dt")].flatMap((cell) => {
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  const broken = [];
  while (texts.nextNode()) {
    for (const word of texts.currentNode.data.matchAll(/[A-Za-z]+/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (range.getClientRects().length > 1) broken.push(word[0]);
    }
  }
  return broken;
})"""


def test_at_1280_pixels_nothing_is_cut(visit: Callable[..., Visit]) -> None:
    one = visit(1280, 900)
    page = one.open("/#patient=berta-sampler&hook=order-sign")
    whole = page.evaluate(
        """() => {
          const list = document.getElementById("patients").getBoundingClientRect();
          const bottoms = [...document.querySelectorAll(".patient")].map((row) => row.getBoundingClientRect().bottom);
          return bottoms.filter((bottom) => bottom <= Math.min(list.bottom, innerHeight)).length;
        }"""
    )
    assert whole >= 6
    fire = page.get_by_role("button", name="Fire", exact=True).bounding_box()
    assert fire["y"] + fire["height"] <= 900
    one.fire()
    card = page.locator(".card").first
    needed = {"Reason for not following this card": 320, "Comment (optional)": 180}
    for label, width in needed.items():
        assert card.get_by_label(label).bounding_box()["width"] >= width
    assert not one.scrolls_sideways()


@pytest.mark.parametrize("width", [1280, 900, 768], ids=["desktop", "narrow window", "tablet held upright"])
def test_the_review_breaks_no_word(visit: Callable[..., Visit], width: int) -> None:
    one = visit(1280, 900)
    drugs = ["promethazine", "methotrimeprazine", "prochlorperazine", "haloperidol"]
    page = one.open("/#patient=dora-mockingham&hook=order-sign")
    edited = json.loads(page.locator("#request").input_value())
    entry = edited["context"]["draftOrders"]["entry"][0]["resource"]
    orders = [{**entry, "id": f"d-{name}", "medicationCodeableConcept": {"text": f"{name} 5 mg"}} for name in drugs]
    edited["context"]["draftOrders"]["entry"] = [{"resource": order} for order in orders]
    page.locator("#request").fill(json.dumps(edited))
    one.fire()
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("link", name="see the audit case").click()
    expect(page.get_by_role("heading", name="What every rule said")).to_be_visible()
    expect(page.get_by_text("medicationAdministrations")).to_be_visible()
    assert page.evaluate(BROKEN_WORDS) == []
    assert not one.scrolls_sideways()
    one.open("/review")
    expect(page.locator("table.calls")).to_contain_text("promethazine")
    assert page.evaluate(BROKEN_WORDS) == []
    assert not one.scrolls_sideways()


@pytest.mark.parametrize("width", [375, 768, 900])
@pytest.mark.parametrize(
    "path", ["/guideline/R-DRUG-07", "/guideline/R-DRUG-07/workbook", "/guideline/silences", "/guideline/seed"]
)
def test_no_wide_table_makes_its_page_scroll_sideways(visit: Callable[..., Visit], path: str, width: int) -> None:
    one = visit(width)
    one.open(path)
    assert not one.scrolls_sideways()


def test_the_review_is_printed_without_its_form(visit: Callable[..., Visit]) -> None:
    one = visit(700)
    page = one.open("/#patient=adam-testa")
    one.fire()
    one.open("/review")
    expect(page.get_by_role("button", name="Show")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
    assert page.locator("table.calls thead").bounding_box()["height"] > 10
    assert page.evaluate(BROKEN_WORDS) == []


def test_a_card_leads_to_its_guideline_page(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=adam-testa")
    one.fire()
    with page.expect_popup() as opened:
        page.locator('.card-links a[href*="/guideline/"]').first.click()
    rule = opened.value
    rule.wait_for_load_state()
    assert rule.url.startswith(f"{one.site}/guideline/")
    expect(rule.get_by_role("heading", name="Evidence")).to_be_visible()


def test_no_card_is_not_told_as_safe(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=hanna-probanda")
    one.fire()
    expect(page.locator(".no-card")).to_contain_text("That is not the same as safe")
    expect(page.locator(".verdicts")).to_contain_text("What was checked")
    assert page.locator(".card").count() == 0


def test_every_sample_shows_what_it_promises(visit: Callable[..., Visit], site: str) -> None:
    with urllib.request.urlopen(f"{site}/try-it/data") as response:
        patients = json.load(response)["patients"]
    one = visit()
    page = one.open()
    seen = {}
    for patient in patients:
        page.locator(f'input[value="{patient["id"]}"]').check()
        expect(page.locator("#chart-story")).to_have_text(patient["story"])
        one.fire()
        levels = [card.get_attribute("data-indicator") for card in page.locator(".card").all()]
        failed = page.locator(".failure").count()
        seen[patient["id"]] = "failure" if failed else next((level for level in LEVELS if level in levels), "no card")
    promised = {patient["id"]: patient["shows"].lower() for patient in patients}
    broken = {key: (found, promised[key]) for key, found in seen.items() if not kept(found, promised[key])}
    assert broken == {}


def kept(found: str, promise: str) -> bool:
    return found in LEVELS if promise.startswith("a card") else promise.startswith(found)


def test_orders_are_found_and_fired_by_keyboard_alone(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=adam-testa&hook=order-sign")
    page.get_by_role("combobox", name="Order 1").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Remove order 1")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("combobox", name="Order 1")).to_be_focused()
    page.keyboard.type("ondan iv")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Order 1")).to_have_value("Ondansetron 4 mg IV, once")
    page.get_by_role("button", name="Add another order").press("Enter")
    page.keyboard.type("metoclopramide")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    sent = json.loads(page.locator("#request").input_value())
    assert [entry["resource"]["id"] for entry in sent["context"]["draftOrders"]["entry"]] == ["draft-1", "draft-2"]
    page.get_by_role("button", name="Fire", exact=True).press("Enter")
    expect(page.locator("#answer-line")).to_contain_text(" ms")


def test_a_name_that_matches_nothing_is_read_out_and_cannot_be_chosen(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=adam-testa&hook=order-sign")
    before = page.locator("#request").input_value()
    search = page.get_by_role("combobox", name="Order 1")
    search.fill("zzzz")
    said = page.get_by_role("listbox").get_by_role("option")
    expect(said).to_have_text("No order of that name.")
    expect(said).to_have_attribute("aria-disabled", "true")
    expect(search).to_have_attribute("aria-activedescendant", said.get_attribute("id"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    said.click(force=True)
    expect(search).to_have_value("Haloperidol 5 mg IM, once")
    assert page.locator("#request").input_value() == before


def test_a_deep_link_restores_the_choice(visit: Callable[..., Visit]) -> None:
    page = visit().open("/#patient=dora-mockingham&hook=order-select&order=ondansetron-iv")
    expect(page.locator("#chart-name")).to_have_text("MOCKINGHAM, Dora")
    expect(page.get_by_role("combobox", name="Order 1")).to_have_value("Ondansetron 4 mg IV, once")
    sent = json.loads(page.locator("#request").input_value())
    assert sent["hook"] == "order-select"
    assert sent["context"]["selections"] == ["MedicationRequest/draft-1"]
    assert sent["context"]["encounterId"] == sent["prefetch"]["encounter"]["id"]
    assert "order=ondansetron-iv" in page.url


def test_an_edited_request_is_what_is_sent(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/#patient=adam-testa")
    edited = json.loads(page.locator("#request").input_value())
    edited["context"]["userId"] = "Practitioner/edited"
    page.locator("#request").fill(json.dumps(edited))
    with page.expect_request("**/cds-services/*") as sent:
        one.fire()
    assert sent.value.post_data_json == edited
    page.locator("#request").fill('{"hook":')
    page.get_by_role("button", name="Fire", exact=True).click()
    expect(page.locator("#request-note")).to_contain_text("This is not JSON, so it was not sent")


@pytest.mark.parametrize("width", [360, 390])
def test_narrow_screens_never_scroll_sideways(visit: Callable[..., Visit], width: int) -> None:
    one = visit(width)
    page = one.open("/#patient=adam-testa")
    assert not one.scrolls_sideways()
    one.fire()
    page.locator(".pane summary").first.click()
    page.locator("#chart-record summary").click()
    assert not one.scrolls_sideways()
    one.open("/guideline")
    assert not one.scrolls_sideways()
    page.locator('a[href^="/guideline/"]').first.click()
    expect(page.locator("article.rule h1")).to_be_visible()
    assert not one.scrolls_sideways()


def test_hostile_text_in_a_card_stays_text(visit: Callable[..., Visit]) -> None:
    links = [
        {"label": HOSTILE, "url": "javascript:alert(3)", "type": "absolute"},
        {"label": "good", "url": "https://example.org/a", "type": "absolute"},
    ]
    addresses = "[good](https://example.org/a) [bad](https://example.net/) [worse](javascript:alert(4))"
    detail = f"{HOSTILE} **{HOSTILE}**\n\n- {HOSTILE}\n- {addresses}"
    card = {
        "uuid": "00000000-0000-5000-8000-000000000001",
        "summary": HOSTILE,
        "indicator": HOSTILE,
        "detail": detail,
        "source": {"label": HOSTILE, "url": "javascript:alert(5)"},
        "links": links,
        "suggestions": [{"label": HOSTILE, "uuid": HOSTILE}],
        "overrideReasons": [{"code": HOSTILE, "display": HOSTILE}],
    }
    extension = {
        HOSTILE: {"results": [{"rule": HOSTILE, "status": "fired", "suppressed": HOSTILE, "subject": HOSTILE}]}
    }
    one = visit()
    page = one.open()
    answer_with(page, 200, json.dumps({"cards": [card], "extension": extension}))
    one.fire()
    expect(page.locator(".card .card-summary")).to_contain_text(HOSTILE)
    expect(page.locator(".card-detail")).to_contain_text("[bad](https://example.net/)")
    assert page.locator("#answer img, #answer script, #answer [onerror]").count() == 0
    assert {link.get_attribute("href") for link in page.locator("#answer .card a").all()} == {"https://example.org/a"}


REFUSAL = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "required", "diagnostics": "No data."}],
}


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (412, json.dumps(REFUSAL), "No data."),
        (500, "Internal Server Error", "status 500"),
        (200, "<html>All clear</html>", "could not be read"),
        (200, "{}", "could not be read"),
        (200, '{"cards": [null]}', "could not be drawn"),
    ],
)
def test_an_error_is_never_an_all_clear(chromium: Any, site: str, status: int, body: str, told: str) -> None:
    one = Visit(chromium, site, 1400)
    page = one.open()
    answer_with(page, status, body)
    one.fire()
    expect(page.locator(".failure")).to_contain_text(told)
    expect(page.locator(".failure")).to_contain_text("This is not an all clear")
    assert page.locator(".no-card, .card").count() == 0
    one.context.close()


def test_an_unreachable_service_is_told(chromium: Any, site: str) -> None:
    one = Visit(chromium, site, 1400)
    page = one.open("/#patient=adam-testa")
    one.fire()
    page.route("**/cds-services/**", lambda route: route.abort())
    page.locator(".card-override button").first.click()
    expect(page.locator(".card-told").first).to_contain_text("The feedback was not recorded")
    one.fire()
    expect(page.locator(".failure")).to_contain_text("could not be reached")
    one.context.close()
