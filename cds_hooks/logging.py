"""JSON lines on standard error. One line per call, with counts and times and nothing that came from the call itself."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

from cds_hooks.clock import utc_now
from cds_hooks.visible import escaped

_encoder = msgspec.json.Encoder(enc_hook=repr)


def _render(_logger: object, _name: str, event: MutableMapping[str, Any]) -> bytes:
    return escaped(_encoder.encode(event))


class _Chosen:
    """The level that :func:`configure` chose."""

    level = logging.INFO


_chosen = _Chosen()


def _stamp(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["time"] = utc_now()
    return event


def configure(level: int = logging.INFO) -> None:
    """Sends structlog, and the warnings of libraries, to standard error as JSON lines."""
    _chosen.level = level
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _stamp,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = _Handler()
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class CallLog:
    """The one line for each call: the same shape as every other line, without the steps that cost more than it."""

    def __init__(self) -> None:
        self._write = structlog.BytesLogger(sys.stderr.buffer).msg

    def __call__(self, event: str, **fields: object) -> None:
        if _chosen.level <= logging.INFO:
            fields |= {"event": event, "level": "info", "time": utc_now()}
            self._write(escaped(_encoder.encode(fields)))


class _Handler(logging.Handler):
    """Libraries log through the standard library; their tracebacks stay out, because they may hold values."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        write = log.error if record.levelno >= logging.ERROR else log.warning
        error = record.exc_info[1] if record.exc_info else None
        extra = {"error": type(error).__name__} if error else {}
        write("library", logger=record.name, message=record.getMessage().partition("\n")[0], **extra)


def where(error: BaseException) -> list[str]:
    """The places of a traceback, without messages and values."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places
