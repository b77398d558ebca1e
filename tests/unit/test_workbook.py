"""The workbook: everything that a clinician has to check stands on one page, with the state of its sign-off."""

from __future__ import annotations

import asyncio
import dataclasses
import html
import re

import httpx
import pytest
from starlette.applications import Starlette

from cds_hooks import guideline, workbook
from cds_hooks.service import GuidelinePage, Plugin, Site
from cds_hooks.signoff.book import Signature, Standing
from plugin.services import PLUGIN
from tests.unit.test_pages import HOSTILE, PAGE, toy_plugin

REAL = PLUGIN(Site())
SIGNED = Signature("R-TOY-01", "1.2.3", "a" * 64, "A. Example", "pharmacist", "2026-01-31", "with remarks")


def get(plugin: Plugin, path: str) -> httpx.Response:
    app = Starlette(routes=[*workbook.routes(plugin), *guideline.routes(plugin)])

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.get(path)

    return asyncio.run(ask())


def text(plugin: Plugin, path: str) -> str:
    """What a page says, without markup."""
    answer = get(plugin, path)
    assert answer.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def flat(words: str) -> str:
    return " ".join(words.split())


@pytest.mark.parametrize("page", REAL.guideline, ids=lambda page: page.id)
def test_everything_stands_on_the_page(page: GuidelinePage) -> None:
    told = text(REAL, f"/guideline/{page.id}/workbook")
    words = [*page.looks_for, *page.missing_data, *page.options, *page.override_reasons, *page.not_covered]
    words += [part for level in page.levels for part in level[1:]] + [effect for _, effect in page.suppressions]
    words += [page.basis.population, *page.basis.reference, *(told for _, told in page.basis.interaction)]
    words += [part for source in page.evidence for part in (source.label, source.supports, source.url)]
    assert [one for one in words if flat(one) not in told] == []
    figures = zip(page.thresholds, page.bounds, page.meanings, strict=True)
    for (name, value, unit, source), bounds, meaning in figures:
        shipped = f"{bounds[0]} ({bounds[1]} to {bounds[2]})"
        assert flat(f"{meaning} {name.replace(' ', '_')} {value} {unit or '–'} {shipped} {source}") in told
    assert page.fingerprint[:16] in told
    assert "Date and signature" in told


def test_each_statement_has_a_box_to_tick() -> None:
    page = next(page for page in REAL.guideline if page.id == "R-DRUG-02")
    boxes = get(REAL, f"/guideline/{page.id}/workbook").text.count('class="box"')
    lists = (page.looks_for, page.levels, page.thresholds, page.missing_data, page.suppressions, page.options)
    lists += (page.override_reasons, page.evidence, page.not_covered, page.basis.reference, page.basis.interaction)
    alone = ("population", "wording of a card", "strength", "the signature")
    assert boxes == sum(map(len, lists)) + len(alone)


def with_standing(standing: Standing) -> Plugin:
    page = dataclasses.replace(PAGE, fingerprint="a" * 64, signoff=standing)
    return dataclasses.replace(toy_plugin(), guideline=(page,))


STATES = [
    (Standing(), "Not yet signed off", "0 of 1 rules"),
    (Standing("signed", (SIGNED,)), "Signed off since 2026-01-31", "1 of 1 rules"),
    (Standing("outdated", (SIGNED,)), "Outdated: it changed since it was signed off", "0 of 1 rules"),
]


@pytest.mark.parametrize(("standing", "words", "count"), STATES)
def test_the_state_of_the_sign_off_is_shown(standing: Standing, words: str, count: str) -> None:
    plugin = with_standing(standing)
    for path in ("/guideline/R-TOY-01", "/guideline/R-TOY-01/workbook", "/guideline/workbook"):
        assert words in text(plugin, path), path
    assert count in text(plugin, "/guideline/workbook")
    people = "A. Example, pharmacist, 2026-01-31, version 1.2.3: with remarks"
    for path in ("/guideline/R-TOY-01", "/guideline/R-TOY-01/workbook"):
        assert (people in text(plugin, path)) is bool(standing.signatures)


def test_the_list_leads_to_every_rule() -> None:
    told = get(REAL, "/guideline/workbook").text
    assert [page.id for page in REAL.guideline if f'href="/guideline/{page.id}/workbook"' not in told] == []


def test_an_unknown_rule_is_a_page_that_says_so() -> None:
    answer = get(REAL, "/guideline/R-NONE/workbook")
    assert answer.status_code == 404
    assert "R-NONE" in answer.text


def test_hostile_text_is_shown_as_text() -> None:
    page = dataclasses.replace(PAGE, title=HOSTILE, looks_for=(HOSTILE,), thresholds=((HOSTILE, "1", "", HOSTILE),))
    signature = Signature("R-TOY-01", "1", "a", HOSTILE, HOSTILE, "2026-01-31", HOSTILE)
    page = dataclasses.replace(page, signoff=Standing("signed", (signature,)))
    told = get(dataclasses.replace(toy_plugin(), guideline=(page,)), "/guideline/R-TOY-01/workbook").text
    assert "<script>alert" not in told
    assert "<img" not in told
