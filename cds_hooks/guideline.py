"""The guideline for people: ``/guideline`` by question, one page for each rule that says all of it, further pages."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks.content import Citation
from cds_hooks.pages import html_response, page_response, render
from cds_hooks.service import GuidelinePage, Plugin

MARKS = {
    "V": "Read: the statement was read in the source named, often its abstract or an excerpt.",
    "V abstract": "Read in the abstract only.",
    "V in part": "Read in part; details of the reference are still to be checked.",
    "V secondary": "Read in another text that reports it; the original is still to be read.",
    "V weak": "Read in a damaged or unstable text.",
    "B": "Background knowledge, still to be checked.",
    "J": "Judgement made here, without a published value.",
}
MOST_BESIDE = 6
PLAIN_MARKS = {"V", "B", "J"}


def routes(plugin: Plugin) -> list[Route]:
    """The index, one page for each rule and the further pages, each rendered at its first request and then kept."""
    pages = {page.id: page for page in plugin.guideline}
    extra = {page.id: page for page in plugin.pages}
    titles = {id: page.title for id, page in extra.items()} | {id: page.title for id, page in pages.items()}

    @cache
    def index_html() -> str:
        groups = by_group(plugin.guideline)
        return render("guideline_index.html", nav="guideline", plugin=plugin, groups=groups, titles=titles)

    @cache
    def extra_html(page_id: str) -> str:
        page = extra[page_id]
        marks = _marks_of(page.evidence)
        return render("guideline_page.html", nav="guideline", plugin=plugin, page=page, marks=marks)

    @lru_cache(maxsize=512)
    def rule_html(rule_id: str, found: tuple[str, ...] = ()) -> str:
        page = pages[rule_id]
        beside = [pages[one] for one in found]
        marks = _marks_of(page.evidence)
        return render("guideline_rule.html", nav="guideline", plugin=plugin, page=page, marks=marks, beside=beside)

    def index(_request: Request) -> Response:
        return page_response(index_html())

    def rule(request: Request) -> Response:
        rule_id: str = request.path_params["rule_id"]
        if rule_id in pages:
            named = request.query_params.get("with", "").split(",")
            found = tuple(one for one in dict.fromkeys(named) if one in pages and one != rule_id)[:MOST_BESIDE]
            return page_response(rule_html(rule_id, found))
        if rule_id in extra:
            return page_response(extra_html(rule_id))
        return html_response(
            "guideline_unknown.html", status_code=404, nav="guideline", plugin=plugin, rule_id=rule_id[:100]
        )

    return [Route("/guideline", index), Route("/guideline/{rule_id:path}", rule)]


def by_group(pages: Iterable[GuidelinePage]) -> dict[str, list[GuidelinePage]]:
    """The pages of each group, in their order."""
    groups: dict[str, list[GuidelinePage]] = {}
    for page in pages:
        groups.setdefault(page.group, []).append(page)
    return groups


def _marks_of(evidence: Iterable[Citation]) -> dict[str, str]:
    """The plain marks, which thresholds bear too, and the finer ones that stand on this page."""
    used = PLAIN_MARKS | {citation.mark.strip("[] ") for citation in evidence}
    return {mark: meaning for mark, meaning in MARKS.items() if mark in used}
