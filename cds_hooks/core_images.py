"""No image of the memory is written or read by others: patients' data and tokens lie in it while calls are answered."""

from __future__ import annotations

import ctypes
import resource
import sys

import structlog

_PR_SET_DUMPABLE = 4

log = structlog.get_logger()


def forbid() -> None:
    """No core file when the process crashes, and on Linux no debugger of the same user, and no core through a pipe."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        log.warning("core-images", meaning="the system would not hide the memory of this process from its own user")
