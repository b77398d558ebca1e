"""The yardstick: a bare ASGI application under the same server, which reads a call and answers a fixed card."""

from __future__ import annotations

import argparse
import json

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

TYPICAL_ANSWER = 3_000


def fixed_answer(size: int) -> bytes:
    """A card padded to ``size`` bytes (or a little more, if that is too few for a card)."""
    card = {"summary": "A fixed card", "indicator": "warning", "source": {"label": "bare"}, "detail": ""}
    empty = len(json.dumps({"cards": [card]}))
    return json.dumps({"cards": [card | {"detail": "x" * max(0, size - empty)}]}).encode()


def application(size: int = TYPICAL_ANSWER) -> ASGIApp:
    """An application that drains the body and answers ``size`` bytes, whatever it is asked."""
    answer = fixed_answer(size)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]

    async def bare(scope: Scope, receive: Receive, send: Send) -> None:
        parts = []
        more = True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        b"".join(parts)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return bare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--answer-bytes", type=int, default=TYPICAL_ANSWER)
    options = parser.parse_args()
    uvicorn.run(
        application(options.answer_bytes),
        host="127.0.0.1",
        port=options.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
