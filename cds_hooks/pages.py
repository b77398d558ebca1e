"""Pages for people: one Jinja environment, one set of security headers, the static files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import jinja2
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from cds_hooks.figures import draw
from cds_hooks.visible import visible

if TYPE_CHECKING:
    from os import PathLike, stat_result

    from starlette.types import Scope

PACKAGE = Path(__file__).parent
TEMPLATE_FOLDERS = (PACKAGE / "templates", PACKAGE / "review" / "templates", PACKAGE / "try_it" / "templates")
STATIC_FOLDERS = {
    "/static/review": PACKAGE / "review" / "static",
    "/static/try-it": PACKAGE / "try_it" / "static",
    "/static": PACKAGE / "static",
}
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@cache
def environment() -> jinja2.Environment:
    """The one template environment: everything is escaped, and a forgotten value is an error, not a blank.

    The global ``try_it`` says whether the navigation offers the try-it page; :func:`offer_try_it` sets it.
    """
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(folder) for folder in TEMPLATE_FOLDERS]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["try_it"] = True
    made.tests["web_address"] = is_web_address
    made.filters["drawn"] = draw
    made.filters["visible"] = visible
    return made


def offer_try_it(offered: bool) -> None:
    environment().globals["try_it"] = offered


def is_web_address(text: str) -> bool:
    """Whether a link may lead there: http or https with a host, so never ``javascript:`` or ``data:``."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def render(template: str, /, **context: object) -> str:
    return environment().get_template(template).render(context)


def page_response(html: str, status_code: int = 200) -> HTMLResponse:
    return HTMLResponse(html, status_code, headers=SECURITY_HEADERS)


def html_response(template: str, /, *, status_code: int = 200, **context: object) -> HTMLResponse:
    """Renders a template into a page with the security headers."""
    return page_response(render(template, **context), status_code)


class Assets(StaticFiles):
    """Static files that a browser checks again at every visit, so that page and script never differ in age."""

    def file_response(
        self,
        full_path: PathLike[str] | str,
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def static_routes() -> list[Mount]:
    """The folders of scripts and styles; the longer paths come first, because the first match wins."""
    return [Mount(path, Assets(directory=folder)) for path, folder in STATIC_FOLDERS.items() if folder.is_dir()]
