"""What a person sees in a browser where there is no page; other programs get the status and two words."""

from __future__ import annotations

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from cds_hooks.pages import html_response
from cds_hooks.service import Plugin

_TOLD = {
    404: ("There is no page at this address", "The address may be mistyped, or the page is switched off at this site."),
    405: ("This page can only be read", "A browser reads it with GET; nothing can be sent to it."),
}


def handlers(plugin: Plugin) -> dict[int, Callable[[Request, Exception], Response]]:
    """The answer for each status that a path outside the hook calls may give."""

    def told(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(error.detail, error.status_code, headers=error.headers)
        heading, text = _TOLD[error.status_code]
        page = html_response("lost.html", status_code=error.status_code, plugin=plugin, heading=heading, text=text)
        page.headers.update(error.headers or {})
        return page

    return dict.fromkeys(_TOLD, told)
