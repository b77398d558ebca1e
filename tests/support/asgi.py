"""One request to an application in this process, from whatever address a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
from starlette.types import ASGIApp

BASE = "http://127.0.0.1:8000"


def ask(
    app: ASGIApp, path: str, method: str = "GET", peer: str = "127.0.0.1", headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """The answer; what the application raises is raised here. ``peer`` is the address that the request comes from."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(peer, 50000))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(asked())
