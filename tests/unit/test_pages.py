"""The pages of a toy plugin: what they say, what they escape, and the headers they carry."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from cds_hooks import guideline, pages, try_it
from cds_hooks.content import Citation
from cds_hooks.service import (
    Answer,
    GuidelinePage,
    OverrideReason,
    Plugin,
    SampleCondition,
    SampleOrder,
    SamplePatient,
    Service,
)

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

CITATIONS = (
    Citation(
        "K1", "Author 1999", "https://doi.org/10.1000/one", "review", "the age limit", "V", "2026-01-02", "2027-01-02"
    ),
    Citation("K2", "Author 2001", "javascript:alert(3)", "series", "the dose", "[B]", "2026-01-02", "2027-01-02"),
    Citation("K3", "Judgement", "", "judgement", "the window", "J", "", ""),
)
PAGE = GuidelinePage(
    id="R-TOY-01",
    version="1.2.3",
    title="A toy rule",
    group="Toys",
    question="Is this a toy?",
    indicator="critical",
    hooks=("patient-view", "order-sign"),
    summary_example="Toy found: put it down.",
    looks_for=("a toy in the record",),
    levels=(("critical", "a sharp toy"), ("info", "any other toy"), ("silent", "no toy")),
    thresholds=(("Length", "3", "cm", "K1"), ("Count", "2", "", "judgement [J]")),
    missing_data=("no length: said on the card",),
    suppressions=(("T-01", "already put away"),),
    options=("put it away",),
    override_reasons=("needed now",),
    evidence=CITATIONS,
    strength="one review",
    seed=("Toys are found in toy boxes",),
    not_covered=("board games",),
    reviewed="2026-02-03",
    review_by="2027-02-03",
)


def toy_plugin(*extra_pages: GuidelinePage) -> Plugin:
    service = Service(
        id="toy-order-sign",
        hook="order-sign",
        title="Toys at signing",
        description="Looks for toys",
        usage_requirements="",
        prefetch={"patient": "Patient/{{context.patientId}}"},
        resource_types={"patient": "Patient"},
        evaluate=lambda _call: Answer(),
        context_bundles=("draftOrders",),
    )

    def build(now: datetime) -> dict[str, object]:
        return {"patient": {"resourceType": "Patient", "id": "p1", "birthDate": f"{now.year - 20}-01-01"}}

    return Plugin(
        name="Toy CDS",
        version="9.9",
        ruleset="9.9+0123456789ab",
        resource=dict,
        services=(service,),
        guideline=(PAGE, *extra_pages),
        intro=("Rules about toys.",),
        disclaimer=("Toys are no medicine.",),
        samples=(
            SamplePatient("p1", "Pat Example", "Plays.", "A card", "order-sign", ("o1",), build, ("o2",), ("c1",)),
        ),
        orders=(
            SampleOrder("o1", "Toy 1 cm", {"resourceType": "MedicationRequest"}),
            SampleOrder("o2", "Toy again", {"resourceType": "MedicationRequest"}, ("medications",)),
            SampleOrder("o3", "Toy both ways", {"resourceType": "MedicationRequest"}, ("draftOrders", "medications")),
        ),
        override_reasons=(OverrideReason("needed", "needed now"),),
        conditions=(SampleCondition("c1", "Toy swallowed", {"resourceType": "Condition"}),),
        suppressions={"T-01": "It was put away before."},
    )


class Client:
    """Asks an application without a server."""

    def __init__(self, app: Starlette) -> None:
        self.app = app

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self._get(path))

    async def _get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test") as client:
            return await client.get(path)


def client_of(plugin: Plugin) -> Client:
    routes = [*try_it.routes(plugin, clock=lambda: NOON), *guideline.routes(plugin), *pages.static_routes()]
    return Client(Starlette(routes=routes))


@pytest.fixture
def client() -> Client:
    return client_of(toy_plugin())


@pytest.mark.parametrize("path", ["/", "/guideline", "/guideline/R-TOY-01", "/guideline/R-NONE"])
def test_every_page_carries_the_security_headers(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for name, value in pages.SECURITY_HEADERS.items():
        assert response.headers[name] == value
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/guideline", "/guideline/R-TOY-01", "/guideline/R-NONE"])
def test_no_page_needs_what_its_policy_forbids(client: Client, path: str) -> None:
    html = client.get(path).text
    assert "<style" not in html
    assert " style=" not in html
    assert " onclick=" not in html
    assert "<script>" not in html
    assert 'src="http' not in html
    assert 'rel="stylesheet" href="http' not in html


def test_index_lists_rules_by_group_with_the_disclaimer(client: Client) -> None:
    html = client.get("/guideline").text
    for said in ("Rules about toys.", "Toys are no medicine.", "Toys", 'href="/guideline/R-TOY-01"', "A toy rule"):
        assert said in html
    for said in ("patient-view", "Critical", "not for emergencies", "health professionals", "No card never means safe"):
        assert said in html


def test_rule_page_says_everything_the_rule_says(client: Client) -> None:
    html = client.get("/guideline/R-TOY-01").text
    told = (
        [PAGE.id, PAGE.version, PAGE.title, PAGE.group, PAGE.question, PAGE.summary_example, PAGE.strength]
        + [PAGE.reviewed, PAGE.review_by, *PAGE.hooks, *PAGE.looks_for, *PAGE.missing_data, *PAGE.options]
        + [*PAGE.override_reasons, *PAGE.seed, *PAGE.not_covered]
        + [text for row in (*PAGE.levels, *PAGE.suppressions, *PAGE.thresholds) for text in row[1:]]
        + [text for source in CITATIONS for text in (source.label, source.supports, source.strength)]
    )
    assert [text for text in told if text not in html] == []


def test_a_figure_is_told_by_what_it_is_for_and_by_its_name_in_the_settings() -> None:
    rows = (("toy length", "3", "cm", "K1"), ("toy count", "2", "", "J"))
    known = dataclasses.replace(PAGE, id="R-TOY-02", thresholds=rows, meanings=("A toy longer than this", "So many"))
    html = client_of(toy_plugin(known)).get("/guideline/R-TOY-02").text
    assert 'A toy longer than this<br><code class="quiet">toy_length</code>' in html
    assert 'So many<br><code class="quiet">toy_count</code>' in html


def test_marks_are_explained_where_they_are_used(client: Client) -> None:
    html = client.get("/guideline/R-TOY-01").text
    assert [mark for mark in ("V", "B", "J") if guideline.MARKS[mark] not in html] == []
    assert guideline.MARKS["V abstract"] not in html
    abstract = dataclasses.replace(
        PAGE, id="R-TOY-02", evidence=(dataclasses.replace(CITATIONS[0], mark="V abstract"),)
    )
    assert guideline.MARKS["V abstract"] in client_of(toy_plugin(abstract)).get("/guideline/R-TOY-02").text


def test_evidence_links_lead_to_the_web_or_nowhere(client: Client) -> None:
    html = client.get("/guideline/R-TOY-01").text
    assert 'href="https://doi.org/10.1000/one"' in html
    assert "javascript:" not in html
    assert "Author 2001" in html


@pytest.mark.parametrize(
    ("address", "leads_there"),
    [
        ("https://doi.org/10.1/x", True),
        ("http://host/x", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//host/x", False),
        ("https:", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_web_address(address: str, leads_there: bool) -> None:
    assert pages.is_web_address(address) is leads_there


def test_hostile_text_is_shown_as_text() -> None:
    hostile = dataclasses.replace(
        PAGE,
        id="R-TOY-66",
        title=HOSTILE,
        group=HOSTILE,
        question=HOSTILE,
        hooks=(HOSTILE,),
        indicator=HOSTILE,
        looks_for=(HOSTILE,),
        levels=((HOSTILE, HOSTILE),),
        thresholds=((HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        suppressions=((HOSTILE, HOSTILE),),
        evidence=(Citation(*[HOSTILE] * 8),),
        seed=(HOSTILE,),
    )
    plugin = dataclasses.replace(toy_plugin(hostile), name=HOSTILE, intro=(HOSTILE,), disclaimer=(HOSTILE,))
    hostile_client = client_of(plugin)
    for path in ("/", "/guideline", "/guideline/R-TOY-66"):
        html = hostile_client.get(path).text
        assert "&lt;script&gt;alert(1)" in html
        assert "<script>alert" not in html
        assert "<img" not in html


def test_unknown_rule_is_a_page_that_says_so(client: Client) -> None:
    response = client.get("/guideline/R-NONE")
    assert response.status_code == 404
    assert "R-NONE" in response.text
    assert 'href="/guideline"' in response.text
    hostile = client.get("/guideline/%3Cscript%3Ealert(1)")
    assert hostile.status_code == 404
    assert "<script>alert" not in hostile.text


def test_pages_are_rendered_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client.get("/guideline/R-TOY-01").text
    monkeypatch.setattr(guideline, "render", lambda *_args, **_context: pytest.fail("rendered again"))
    assert client.get("/guideline/R-TOY-01").text == first


def test_navigation_marks_where_one_is_and_hides_what_is_off(client: Client) -> None:
    assert '<a href="/" aria-current="page">Try it</a>' in client.get("/").text
    assert '<a href="/guideline" aria-current="page">Guideline</a>' in client.get("/guideline/R-TOY-01").text
    pages.offer_try_it(False)
    try:
        assert ">Try it<" not in client.get("/guideline").text
    finally:
        pages.offer_try_it(True)


def test_choices_of_the_try_it_page(client: Client) -> None:
    response = client.get("/try-it/data")
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "patients": [
            {
                "id": "p1",
                "name": "Pat Example",
                "story": "Plays.",
                "shows": "A card",
                "hook": "order-sign",
                "items": {"draftOrders": ["o1"], "medications": ["o2"], "conditions": ["c1"]},
            }
        ],
        "items": {
            "draftOrders": [
                {"id": "o1", "name": "Toy 1 cm", "resource": {"resourceType": "MedicationRequest"}},
                {"id": "o3", "name": "Toy both ways", "resource": {"resourceType": "MedicationRequest"}},
            ],
            "medications": [
                {"id": "o2", "name": "Toy again", "resource": {"resourceType": "MedicationRequest"}},
                {"id": "o3", "name": "Toy both ways", "resource": {"resourceType": "MedicationRequest"}},
            ],
            "conditions": [{"id": "c1", "name": "Toy swallowed", "resource": {"resourceType": "Condition"}}],
        },
        "services": [
            {
                "id": "toy-order-sign",
                "hook": "order-sign",
                "title": "Toys at signing",
                "description": "Looks for toys",
                "prefetch": {"patient": "Patient"},
                "bundles": ["draftOrders"],
            }
        ],
        "overrideReasons": [{"code": "needed", "display": "needed now"}],
        "rules": {"R-TOY-01": {"title": "A toy rule", "silences": {"T-01": "already put away"}}},
        "suppressions": {"T-01": "It was put away before."},
    }


def test_a_sample_patient_is_built_for_now(client: Client) -> None:
    assert client.get("/try-it/patients/p1").json()["patient"]["birthDate"] == "2006-01-01"
    assert client.get("/try-it/patients/p2").status_code == 404


@pytest.mark.parametrize("path", ["/static/app.css", "/static/favicon.svg", "/static/try-it/try-it.js"])
def test_static_files_are_served_and_checked_again(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-cache"


def test_scripts_never_write_markup() -> None:
    scripts = sorted((Path(try_it.__file__).parent / "static").glob("*.js"))
    assert scripts
    for script in scripts:
        text = script.read_text("utf-8")
        for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert forbidden not in text, f"{script.name} uses {forbidden}"
