"""``GET /review`` lists the calls, ``GET /review/{id}`` shows one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks import pages
from cds_hooks.audit import AuditStore, CallDetail, CallRow, StoreError
from cds_hooks.review import filters
from cds_hooks.review.case import case_of
from cds_hooks.review.guard import refusal
from cds_hooks.service import Plugin

COUNT_CAP = 1000

StoreGetter = Callable[[], AuditStore | None]
_HOW_TO_REACH = (
    "The review pages show what was returned about patients and have no sign-in yet, so they answer only on the "
    "machine that runs the service. Open http://localhost with the service's port there, or through an SSH tunnel."
)


class Review:
    """The two pages over one store; everything they show goes through the templates' escaping."""

    def __init__(
        self, store: StoreGetter, environment: Callable[[], jinja2.Environment], plugin: Plugin | None
    ) -> None:
        self._store = store
        self._environment = environment
        self._common: dict[str, Any] = {"nav": "review"}
        self._titles: Mapping[str, str] = {}
        if plugin is not None:
            self._common["plugin"] = plugin
            self._titles = {page.id: page.title for page in plugin.guideline}

    async def list(self, request: Request) -> Response:
        """The calls that the form asks for, newest first."""
        return await self._guarded(request, self._list)

    async def case(self, request: Request) -> Response:
        """One call with everything that is known about it."""
        return await self._guarded(request, self._case)

    async def _guarded(
        self, request: Request, answer: Callable[[Request, AuditStore], Awaitable[Response]]
    ) -> Response:
        if reason := refusal(request):
            return self._message(403, "Not open to you", f"{reason} {_HOW_TO_REACH}")
        store = self._store()
        if store is None:
            return self._message(
                503, "The audit is off", "No audit is kept by this service, so there is nothing to review."
            )
        try:
            return await answer(request, store)
        except StoreError as error:
            return self._message(503, "The audit cannot be read", str(error))

    async def _list(self, request: Request, store: AuditStore) -> Response:
        asked = filters.read(request.query_params)
        rows, count = await run_in_threadpool(_look_up, store, asked)
        shown = rows[: filters.PAGE_SIZE]
        return self._page(
            "review_list.html",
            400 if asked.problems else 200,
            asked=asked,
            rows=shown,
            count=count,
            cap=COUNT_CAP,
            older=asked.older(shown[-1].id) if len(rows) > len(shown) else "",
            paged=bool(asked.where.before),
            titles=self._titles,
            indicators=filters.INDICATORS,
            outcomes=filters.OUTCOMES,
            health=store.health(),
        )

    async def _case(self, request: Request, store: AuditStore) -> Response:
        found: CallDetail | None = await run_in_threadpool(store.call, request.path_params["audit_id"])
        if found is None:
            return self._message(404, "There is no such entry", "The audit has no entry of this id.")
        return self._page("review_case.html", case=case_of(found), row=found.row, titles=self._titles)

    def _message(self, status: int, heading: str, text: str) -> Response:
        return self._page("review_message.html", status, heading=heading, text=text)

    def _page(self, template: str, status: int = 200, **context: object) -> Response:
        html = self._environment().get_template(template).render(self._common | context)
        response = pages.page_response(html, status)
        response.headers["Cache-Control"] = "no-store"
        return response


def _look_up(store: AuditStore, asked: filters.Asked) -> tuple[list[CallRow], int]:
    if asked.problems:
        return [], 0
    return store.calls(asked.where), store.count(asked.where, COUNT_CAP + 1)


def routes(
    store: StoreGetter,
    environment: Callable[[], jinja2.Environment] = pages.environment,
    plugin: Plugin | None = None,
) -> list[Route]:
    """Return the routes of the review pages.

    ``store`` is asked at each request and returns the open store, or None when no audit is kept. ``plugin`` gives the
    rules their titles. Requests from another machine, through a proxy, or to another name than localhost get 403.
    """
    review = Review(store, environment, plugin)
    return [Route("/review", review.list), Route("/review/{audit_id}", review.case)]
