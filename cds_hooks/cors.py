"""Which browsers' pages may call: the configured origins, exactly, on every route, and without credentials.

The audit review refuses other pages by itself: a configured origin can read there that it was refused, nothing else.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = b"GET, HEAD, POST, OPTIONS"
PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-max-age", b"600"),
)
EXPOSED = (b"access-control-expose-headers", b"X-Audit-Id, X-Audit-State, Retry-After")
VARY = (b"vary", b"Origin")
# A page of the public web that calls loopback or a private network asks for leave to do so.
PRIVATE_NETWORK = b"access-control-request-private-network"
PRIVATE_NETWORK_ALLOWED = (b"access-control-allow-private-network", b"true")


class Cors:
    """Wraps an application; adds nothing when no origin is configured, and answers ``OPTIONS`` by itself."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await self._preflight(scope, send)
        elif self._origins:
            await self._app(scope, receive, self._adding(self._headers(scope), send))
        else:
            await self._app(scope, receive, send)

    def _headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        for name, value in scope["headers"]:
            if name == b"origin" and value.lower() in self._origins:
                return [VARY, EXPOSED, (b"access-control-allow-origin", value)]
        return [VARY]

    @staticmethod
    def _adding(headers: list[tuple[bytes, bytes]], send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        return send_with_headers

    async def _preflight(self, scope: Scope, send: Send) -> None:
        headers = [(b"allow", METHODS)]
        if self._origins:
            ours = self._headers(scope)
            headers += [*ours, *PREFLIGHT] if len(ours) > 1 else ours
            if len(ours) > 1 and any(name == PRIVATE_NETWORK for name, _ in scope["headers"]):
                headers.append(PRIVATE_NETWORK_ALLOWED)
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
