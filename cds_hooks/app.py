"""The application: which path leads where, and what is opened at the start and closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from cds_hooks import artefacts, described, guideline, health, review, try_it, workbook
from cds_hooks.audit import AuditStore, open_store
from cds_hooks.clock import Clock, utc_now
from cds_hooks.discovery import DiscoveryEndpoint
from cds_hooks.edge import surrounded
from cds_hooks.feedback import FeedbackEndpoint
from cds_hooks.hooks import HookEndpoint
from cds_hooks.lost import handlers
from cds_hooks.pages import offer_try_it, static_routes
from cds_hooks.service import Plugin
from cds_hooks.settings import Settings
from cds_hooks.state import State

SERVICES = "/cds-services"
FEEDBACK = "/feedback"

log = structlog.get_logger()


def create_app(
    plugin: Plugin,
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    address: str = "http://127.0.0.1:8000",
    store: AuditStore | None = None,
    clock: Clock = utc_now,
    others: Mapping[str, Plugin] | None = None,
) -> ASGIApp:
    """The whole service as one ASGI application.

    ``host`` and ``address`` are what it is served on. ``store`` is an audit store that is open already; without one the
    application opens the configured store at its start. Either is closed at its end. ``others`` are the plugins of
    clients with settings of their own (:func:`cds_hooks.plugins.load_others`).
    """
    public_url = settings.site(address).public_url
    kept = store if settings.audit else None
    state = State(plugin, settings, host, public_url, kept, clock=clock, others=others or {})
    return surrounded(Router(state), settings, host)


class Router:
    """Sends hook calls to their endpoints without detour and everything else to Starlette."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._discovery = DiscoveryEndpoint(state)
        self._hook = HookEndpoint(state)
        self._feedback = FeedbackEndpoint(state)
        self._pages = Starlette(
            routes=page_routes(state),
            exception_handlers=handlers(state.plugin),
            lifespan=lambda _app: lifespan(state),
        )
        self._pages.router.redirect_slashes = False  # a redirect would lead to whatever Host the request names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path == SERVICES:
            await self._discovery(scope, receive, send)
        elif not path.startswith(f"{SERVICES}/"):
            await self._pages(scope, receive, send)
        elif path.endswith(FEEDBACK):
            await self._feedback(scope, receive, send, path[len(SERVICES) + 1 : -len(FEEDBACK)])
        else:
            await self._hook(scope, receive, send, path[len(SERVICES) + 1 :])


def page_routes(state: State) -> list[BaseRoute]:
    """Everything but the hook calls."""
    offered = state.settings.offers_try_it(state.host)
    offer_try_it(offered)
    routes: list[BaseRoute] = [*health.routes(state), *described.routes(state)]
    routes += artefacts.routes(state)
    routes += [*workbook.routes(state.plugin), *guideline.routes(state.plugin), *static_routes()]
    routes += review.routes(lambda: state.store, plugin=state.plugin)
    if offered:
        routes += try_it.routes(state.plugin, state.clock)
    return routes


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Opens the audit store unless it is open, and closes it at the end."""
    settings = state.settings
    if state.plugin.terminology is not None:
        log.info("codes", **state.plugin.codes)
    if not settings.audit:
        log.warning("audit-off", meaning="no call is recorded; for measuring only")
    elif state.store is None:
        state.store = open_store(settings.database, settings.data_dir)
    await state.codes.start(state.store)
    await state.auth.start()
    state.admission.open()
    state.access.start()
    try:
        yield
    finally:
        await state.auth.stop()
        await state.access.close()
        await state.codes.stop()
        if state.store is not None:
            state.store.close()
