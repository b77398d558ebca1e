"""What each EHR is sent: never less than the message, never more than it can take."""

from __future__ import annotations

import copy
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from cds_hooks.answers import check
from cds_hooks.clients import ANONYMOUS, Client
from cds_hooks.clients.model import Dialect as Named
from cds_hooks.dialects import NAMES, Choice, Dialect, Showing, dialect, shaped
from cds_hooks.models import EXTENSION, Card
from cds_hooks.settings import Settings
from tests.golden.harness import answers, cases
from tests.support.rows import row

Json = dict[str, Any]
UUID = "5f3c1c1e-0000-4000-8000-000000000001"
ENTRY = "urn:com.epic.cdshooks.action.code.system.preference-list-item"
LOINC, RXNORM = "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
MAPPED = {f"{LOINC}|1": "101", f"{LOINC}|2": "102", f"{RXNORM}|26225": "7", "Referral to neurology": "9"}
ONE_AT_MOST = "Accept at most one of the suggestions that change the same order."


@pytest.fixture(scope="module")
def cards() -> list[Json]:
    """Every card of the golden cases."""
    return [card for answer in answers(cases()).values() for card in answer["body"].get("cards", ())]


def create(code: str = "1", kind: str = "ServiceRequest", system: str = LOINC, words: str = "Order it") -> Json:
    concept: Json = {"coding": [{"system": system, "code": code}], "text": words} if code else {"text": words}
    element = "medicationCodeableConcept" if kind == "MedicationRequest" else "code"
    return {"type": "create", "description": words, "resource": {"resourceType": kind, element: concept}}


def drug(words: str = "Use ondansetron") -> Json:
    return create("26225", "MedicationRequest", RXNORM, words)


def delete(reference: str = "MedicationRequest/d1") -> Json:
    return {"type": "delete", "description": "Remove", "resourceId": reference}


def update() -> Json:
    return {"type": "update", "description": "Change", "resource": {"resourceType": "MedicationRequest", "id": "d1"}}


def offer(label: str, *actions: Json, place: int = 1, **more: Any) -> Json:
    uuid = f"5f3c1c1e-0000-4000-8000-0000000001{place:02}"
    return {"label": label, "uuid": uuid, **({"actions": list(actions)} if actions else {}), **more}


def card(*suggestions: Json, behaviour: str = "at-most-one", **more: Any) -> Json:
    chosen = {"suggestions": list(suggestions), "selectionBehavior": behaviour} if suggestions else {}
    source = {"label": "Toy", "topic": {"system": "urn:toy", "code": "R-TOY-01"}}
    return {"uuid": UUID, "summary": "A toy", "indicator": "info", "source": source, **chosen, **more}


def sent(given: Json, name: str, links: tuple[str, ...] = ()) -> Json:
    """A card as an EHR with a preference list is sent it; it is valid, and the given one is as it was."""
    before = copy.deepcopy(given)
    (made,) = shaped([given], Showing(dialect(name), links, MAPPED))
    assert check(made) == ("", check(made)[1]), made
    Card.model_validate(made)
    assert given == before
    return made


def offered(made: Json) -> list[str]:
    return [one["label"] for one in made.get("suggestions", ())]


def told(made: Json, title: str = "Options") -> list[str]:
    """The bullets under a heading of the detail."""
    blocks = made.get("detail", "").split("\n\n")
    where = [place for place, block in enumerate(blocks) if block.strip("*") == title]
    return [line.removeprefix("- ") for line in blocks[where[0] + 1].splitlines()] if where else []


def test_every_name_of_the_settings_has_its_data_file() -> None:
    assert set(get_args(Named)) == set(NAMES)
    for name in NAMES:
        assert dialect(name).facts, name
        assert len(set(dialect(name).selection)) == len(dialect(name).selection) > 0


def test_what_nobody_knows_for_sure_is_marked() -> None:
    assert {fact.known for fact in dialect("epic").facts} <= {"captured call", "copy of the vendor's page"}
    assert "not known" in {fact.known for fact in dialect("oracle").facts}
    assert "not known" in {fact.known for fact in dialect("athena").facts}


def test_every_fact_says_where_and_when_it_was_read() -> None:
    for name in NAMES:
        for fact in dialect(name).facts:
            assert bool(fact.source) != (fact.known == "not known"), fact
            assert fact.known in ("not known", "specification") or re.search(r"\b20\d\d\b", fact.source), fact


# What is put on a card, what Epic is offered, what stands in words.
EPIC = [
    row("an order with an entry", [offer("Order calcium", create())], ["Order calcium"], []),
    row("an order without an entry", [offer("Order lead", create("3"))], [], ["Order lead"]),
    row("an order in words with an entry", [offer("Refer", create("", words="Referral to neurology"))], ["Refer"], []),
    row("an order in words without one", [offer("Refer", create("", words="Referral to nobody"))], [], ["Refer"]),
    row("a drug", [offer("Use ondansetron", drug())], ["Use ondansetron"], []),
    row("words alone", [offer("Watch for stridor")], [], ["Watch for stridor"]),
    row("a draft taken away", [offer("Remove it", delete())], ["Remove it"], []),
    row(
        "a draft taken away by address", [offer("Remove it", delete("http://x/MedicationRequest/1"))], ["Remove it"], []
    ),
    row("a problem taken away", [offer("Remove it", delete("Condition/c1"))], [], ["Remove it"]),
    row("a reference without type", [offer("Remove it", delete("d1"))], [], ["Remove it"]),
    row("a draft changed", [offer("Shorten it", update())], [], ["Shorten it"]),
    row("an allergy", [offer("Record it", create("1", "AllergyIntolerance"))], [], ["Record it"]),
    row(
        "several orders in one are several",
        [offer("Order both", create("1", words="Order calcium"), create("2", words="Order magnesium"))],
        ["Order calcium", "Order magnesium"],
        ["Order both"],
    ),
    row(
        "of several orders one has no entry",
        [offer("Order both", create("1", words="Order calcium"), create("3", words="Order lead"))],
        ["Order calcium"],
        ["Order both", "Order lead"],
    ),
    row("what belongs together is not taken apart", [offer("Swap", delete(), drug())], [], ["Swap"]),
    row(
        "two that exclude one another",
        [offer("Remove it", delete()), offer("Use ondansetron", drug(), place=2)],
        ["Remove it", "Use ondansetron"],
        [ONE_AT_MOST],
    ),
    row(
        "one of two is left",
        [offer("Remove it", delete()), offer("Shorten it", update(), place=2)],
        ["Remove it"],
        ["Shorten it"],
    ),
]


@pytest.mark.parametrize(("suggestions", "kept", "words"), EPIC)
def test_suggestions_at_epic(suggestions: list[Json], kept: list[str], words: list[str]) -> None:
    made = sent(card(*suggestions), "epic")
    assert offered(made) == kept
    assert told(made) == words
    assert made.get("selectionBehavior") == ("any" if kept else None)
    for one in made.get("suggestions", ()):
        (action,) = one["actions"]
        assert action["description"] == one["label"]


def test_the_entry_of_the_preference_list_stands_first_and_the_codes_stay() -> None:
    (suggestion,) = sent(card(offer("Use ondansetron", drug())), "epic")["suggestions"]
    coding = suggestion["actions"][0]["resource"]["medicationCodeableConcept"]["coding"]
    assert coding == [{"system": ENTRY, "code": "7"}, {"system": RXNORM, "code": "26225"}]
    words = create("", words="Referral to neurology")
    (suggestion,) = sent(card(offer("Refer", words)), "epic")["suggestions"]
    assert suggestion["actions"][0]["resource"]["code"]["coding"] == [{"system": ENTRY, "code": "9"}]


def test_parts_of_a_suggestion_have_uuids_of_their_own_and_always_the_same() -> None:
    given = card(offer("Order both", create("1", words="Order calcium"), create("2", words="Order magnesium")))
    first, second = (sent(given, "epic")["suggestions"] for _ in range(2))
    assert first == second
    assert len({one["uuid"] for one in first} | {given["suggestions"][0]["uuid"]}) == 3


def test_what_is_whole_keeps_its_uuid_in_every_dialect() -> None:
    given = card(offer("Remove it", delete()), offer("Order calcium", create(), place=2))
    for name in NAMES:
        made = sent(given, name)
        assert made["uuid"] == UUID
        assert {one["uuid"] for one in made.get("suggestions", ())} <= {one["uuid"] for one in given["suggestions"]}


@pytest.mark.conformance("G32")
def test_of_those_that_exclude_one_another_at_most_one_is_recommended() -> None:
    both = [offer("A", delete(), isRecommended=True), offer("B", drug(), place=2, isRecommended=True)]
    free = sent(card(*both, behaviour="any"), "epic")
    assert [one.get("isRecommended") for one in free["suggestions"]] == [True, True]
    assert told(free) == []
    assert check(card(*both))[0] != ""
    single = sent(card(both[0], offer("B", drug(), place=2, isRecommended=False)), "epic")
    assert [one.get("isRecommended") for one in single["suggestions"]] == [True, None]


@pytest.mark.parametrize("name", ["oracle", "athena"])
def test_where_suggestions_are_not_known_to_work_they_are_words(name: str) -> None:
    made = sent(card(offer("Remove it", delete()), offer("Watch", place=2), detail="**Why**\n\n- 5\\*3"), name)
    assert "suggestions" not in made
    assert "selectionBehavior" not in made
    assert made["detail"] == "Why\n\n- 5*3\n\nOptions\n\n- Remove it\n- Watch"


TOPICS = [
    row("the rule's id", "R-DRUG-01", "RDRUG01"),
    row("other signs", "a.b_c d/é", "abcd"),
    row("a long one", "x-" * 101, "x" * 100),
    row("nothing left", "--", None),
]


@pytest.mark.parametrize(("code", "expected"), TOPICS)
def test_topics_at_epic(code: str, expected: str | None) -> None:
    given = card(source={"label": "Toy", "topic": {"system": "urn:toy", "code": code}})
    assert sent(given, "epic")["source"].get("topic", {}).get("code") == expected
    assert sent(given, "oracle")["source"]["topic"]["code"] == code
    assert "topic" not in sent(card(source={"label": "Toy"}), "epic")["source"]


def test_no_two_rules_become_one_topic(cards: list[Json]) -> None:
    respelt = {one["source"]["topic"]["code"]: sent(one, "epic")["source"]["topic"]["code"] for one in cards}
    assert len(set(respelt.values())) == len(respelt) > 20


def link(url: str, label: str = "L", **more: Any) -> Json:
    return {"label": label, "url": url, "type": "absolute", **more}


SMART = {"label": "App", "url": "https://app.example/launch", "type": "smart", "appContext": "x"}
# What the EHR lets through, an address, whether it stays.
LINKS = [
    row("no list", (), "https://cds.example/guideline/R-1", True),
    row("the address itself", ("https://cds.example/guideline",), "https://cds.example/guideline", True),
    row("below it", ("https://cds.example/guideline",), "https://cds.example/guideline/R-1?with=R-2", True),
    row("below a folder", ("https://cds.example/",), "https://cds.example/x", True),
    row("beside it", ("https://cds.example/guideline",), "https://cds.example/guidelines", False),
    row("another host that begins alike", ("https://cds.example",), "https://cds.example.net/", False),
    row("another host", ("https://cds.example",), "https://doi.org/10.1", False),
    row("one of two", ("https://cds.example", "https://doi.org"), "https://doi.org/10.1", True),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("allowed", "url", "stays"), LINKS)
def test_links_that_do_not_get_through_are_named(name: str, allowed: tuple[str, ...], url: str, stays: bool) -> None:
    made = sent(card(links=[link(url, "Author 2020")]), name, allowed)
    assert [one["url"] for one in made.get("links", ())] == ([url] if stays else [])
    assert told(made, "Further reading, not linked here") == ([] if stays else ["Author 2020"])


@pytest.mark.conformance("G51", "G52")
@pytest.mark.parametrize("name", ["epic", "oracle", "athena"])
def test_apps_are_never_launched(name: str) -> None:
    made = sent(card(links=[SMART, link("https://cds.example/a")]), name)
    assert made["links"] == [link("https://cds.example/a")]
    assert told(made, "Further reading, not linked here") == ["App"]


def test_generic_and_sandbox_leave_a_card_as_it_is() -> None:
    given = card(offer("Remove it", delete()), links=[SMART])
    for name in ("generic", "sandbox"):
        assert dialect(name).whole
        assert sent(given, name) == given
    assert not [name for name in ("epic", "oracle", "athena") if dialect(name).whole]


def test_override_reasons_go_where_they_cannot_be_shown() -> None:
    given = card(overrideReasons=[{"code": "a", "system": "urn:toy", "display": "A"}])
    without = Dialect("No reasons", (), override_reasons=False)
    assert shaped([given], Showing(without)) == [card()]


BROKEN: list[Any] = [{}, {"uuid": 1}, None, card(links=[{"label": "x"}]), card(offer("", delete()))]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_card_that_is_not_valid_spoils_no_other(broken: Any) -> None:
    made = shaped([broken, card(offer("Remove it", delete()))], Showing(dialect("epic")))
    assert made[0] is broken
    assert offered(made[1]) == ["Remove it"]
    with pytest.raises(ValidationError):
        Card.model_validate(broken)


@pytest.mark.parametrize("name", NAMES)
def test_every_card_of_the_golden_cases_keeps_its_message(cards: list[Json], name: str) -> None:
    for one in cards:
        made = sent(one, name, ("https://doi.org/",))
        assert len(cards) > 100
        for same in ("uuid", "summary", "indicator", "extension", "overrideReasons"):
            assert made.get(same) == one.get(same)
        assert EXTENSION in made["extension"]
        shown = {action["description"] for kept in made.get("suggestions", ()) for action in kept.get("actions", ())}
        shown |= set(offered(made)) | set(told(made))
        for suggestion in one.get("suggestions", ()):
            parts = {action["description"] for action in suggestion.get("actions", ())}
            assert suggestion["label"] in shown or parts <= shown, (suggestion["label"], shown)
        named = [*told(made, "Further reading, not linked here"), *(kept["label"] for kept in made.get("links", ()))]
        assert sorted(named) == sorted(given["label"] for given in one["links"])
        assert made["detail"].replace("*", "").startswith(one["detail"].replace("*", ""))


@pytest.mark.parametrize("name", NAMES)
def test_cards_of_each_dialect_are_what_it_says(cards: list[Json], name: str) -> None:
    said = dialect(name)
    for one in cards:
        made = sent(one, name)
        actions = [kept.get("actions", []) for kept in made.get("suggestions", ())]
        assert said.suggestions or not actions
        assert not said.actions_per_suggestion or all(len(one) == said.actions_per_suggestion for one in actions)
        assert made.get("selectionBehavior", said.selection[0]) in said.selection
        assert said.smart_links or {kept["type"] for kept in made["links"]} == {"absolute"}
        assert said.detail == "markdown" or "**" not in made["detail"]
        assert all("appContext" not in kept for kept in made["links"])


# The client's own dialect, the deployment's, names of extensions, which is taken.
CHOICES = [
    row("nothing said", None, "generic", (), "generic"),
    row("the deployment's", None, "oracle", (), "oracle"),
    row("an extension of Epic", None, "generic", ("com.epic.cdshooks.request.bpa-trigger-action",), "epic"),
    row("an extension of Epic before the deployment's", None, "oracle", ("com.epic.x",), "epic"),
    row(
        "an extension of others",
        None,
        "generic",
        ("com.epicer.x", "x.com.epic.y", "pddi-configuration-items"),
        "generic",
    ),
    row("the client's own before all", "athena", "oracle", ("com.epic.x",), "athena"),
    row("generic on purpose", "generic", "oracle", ("com.epic.x",), "generic"),
]


@pytest.mark.parametrize(("own", "general", "extensions", "expected"), CHOICES)
def test_which_dialect(own: Any, general: Any, extensions: tuple[str, ...], expected: str) -> None:
    choice = Choice(Settings(dialect=general))
    client = Client(name="one", dialect=own)
    assert choice.of(client, extensions).dialect == dialect(expected)
    assert choice.of(client, extensions) is choice.of(client, extensions)


def test_a_client_has_its_own_links_list_and_silence_or_the_deployments() -> None:
    choice = Choice(Settings(allowed_links=("https://a.example",), preference_list={"x|1": "2"}, silent=True))
    theirs = choice.of(Client(name=ANONYMOUS), ())
    assert (theirs.links, theirs.entries, theirs.silent) == (("https://a.example",), {"x|1": "2"}, True)
    own = choice.of(Client(name="one", allowed_links=(), preference_list={}, silent=False), ())
    assert (own.links, own.entries, own.silent) == ((), {}, False)


def test_the_page_about_dialects_tells_every_fact_and_how_it_is_known() -> None:
    page = (Path(__file__).parents[2] / "docs" / "dialects.md").read_text("utf-8")
    for name in NAMES:
        for fact in dialect(name).facts:
            assert f"| `{name}` | {fact.says} | {fact.known} |{fact.source and f' {fact.source}'} |" in page


def test_the_client_of_the_page_about_dialects_is_accepted() -> None:
    page = (Path(__file__).parents[2] / "docs" / "dialects.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.+?)```", page, re.DOTALL)
    (client,) = (Client(**table) for table in tomllib.loads(example)["clients"])
    showing = Choice(Settings()).of(client, ())
    assert showing.dialect == dialect("epic")
    (made,) = shaped([card(offer("Refer", create("", words="Referral to neurology")))], showing)
    assert offered(made) == ["Refer"]
