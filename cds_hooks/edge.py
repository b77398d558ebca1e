"""What surrounds every route: who is believed to stand before us, security headers, and an answer if all else fails."""

from __future__ import annotations

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from cds_hooks.asgi import SECURITY, respond
from cds_hooks.cors import Cors
from cds_hooks.errors import ClientGone, InternalError, NotForClient, outcome_json
from cds_hooks.logging import where
from cds_hooks.settings import Settings, needs_proxy_tls

DEFAULTS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
HSTS = (b"strict-transport-security", b"max-age=31536000")
ALWAYS_OPEN = frozenset({"/healthz", "/readyz"})
"""What a load balancer asks for without TLS."""

log = structlog.get_logger()


def surrounded(app: ASGIApp, settings: Settings, host: str) -> ASGIApp:
    """``app`` with all that surrounds it; ``host`` is the address served."""
    if needs_proxy_tls(settings, host):
        app = OnlyTls(app)
    app = Secured(Cors(LastResort(app), settings.origins))
    if settings.trusted_proxies:
        return ProxyHeadersMiddleware(app, list(settings.trusted_proxies))  # type: ignore[arg-type,return-value]
    return app


class Secured:
    """Adds the security headers that an answer does not have, and HSTS where it travels over TLS."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tls = scope.get("scheme") == "https"

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                present = {name.lower() for name, _ in headers}
                headers += [pair for pair in DEFAULTS if pair[0] not in present]
                message["headers"] = [*headers, HSTS] if tls else headers
            await send(message)

        await self._app(scope, receive, send_secured)


class LastResort:
    """Answers 500 for what escaped everything else, and logs where it was without what it said."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except ClientGone:
            return
        except Exception as error:
            log.error("request-failed", error=type(error).__name__, where=where(error))
            if not started:
                await respond(send, 500, outcome_json(InternalError("An internal error.")), list(SECURITY))


class OnlyTls:
    """Refuses what did not come through a trusted proxy over TLS, where the service itself has no certificate."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("scheme") == "https" or scope["path"] in ALWAYS_OPEN:
            await self._app(scope, receive, send)
            return
        refusal = NotForClient(
            "This address is for a trusted proxy that ends TLS (DYSTONIA_CDS_TRUSTED_PROXIES): expected its "
            "X-Forwarded-Proto: https."
        )
        await respond(send, refusal.status, outcome_json(refusal), list(SECURITY))
