"""The workbook for sign-off: ``/guideline/workbook`` lists the rules, each of which has a page to be printed."""

from __future__ import annotations

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks.guideline import by_group
from cds_hooks.pages import html_response, page_response, render
from cds_hooks.service import Plugin


def routes(plugin: Plugin) -> list[Route]:
    """The list of all rules with their sign-off, and one printable page for each; to stand before the guideline's."""
    pages = {page.id: page for page in plugin.guideline}

    @lru_cache(maxsize=512)
    def rule_html(rule_id: str) -> str:
        return render("workbook_rule.html", nav="guideline", plugin=plugin, page=pages[rule_id])

    def index(_request: Request) -> Response:
        signed = sum(page.signoff.signed for page in plugin.guideline)
        groups = by_group(plugin.guideline)
        return html_response("workbook_index.html", nav="guideline", plugin=plugin, groups=groups, signed=signed)

    def rule(request: Request) -> Response:
        rule_id: str = request.path_params["rule_id"]
        if rule_id in pages:
            return page_response(rule_html(rule_id))
        named = rule_id[:100]
        return html_response("guideline_unknown.html", status_code=404, nav="guideline", plugin=plugin, rule_id=named)

    return [Route("/guideline/workbook", index), Route("/guideline/{rule_id}/workbook", rule)]
