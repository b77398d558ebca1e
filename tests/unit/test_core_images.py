"""What a crash, or somebody of the same user, gets of the memory of a served process: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import environment, free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

HIDDEN = """
import ctypes, os, resource
from cds_hooks import core_images
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
get_dumpable, dumpable = 3, ctypes.CDLL(None).prctl
before = dumpable(get_dumpable), os.stat("/proc/self/mem").st_uid
core_images.forbid()
print(*before, dumpable(get_dumpable), os.stat("/proc/self/mem").st_uid, flush=True)
os.abort()
"""


def test_a_process_hides_its_memory_and_crashes_without_a_core(tmp_path: Path) -> None:
    given = [sys.executable, "-c", HIDDEN]
    done = subprocess.run(given, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGABRT, done.stderr
    assert done.stdout.split() == ["1", str(os.getuid()), "0", "0"]  # what is hidden belongs to root
    assert os.listdir(tmp_path) == []


def test_a_served_process_leaves_no_core(tmp_path: Path) -> None:
    serve = [sys.executable, "-m", "cds_hooks.cli", "serve", "--port", str(free_port())]
    served = subprocess.Popen(
        ["sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh", *serve],
        env=environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    place = Path(f"/proc/{served.pid}")
    try:
        assert served.stdout is not None
        assert b"is ready" in served.stdout.readline()
        limits = next(line for line in (place / "limits").read_text().splitlines() if line.startswith("Max core file"))
        assert limits.split()[4:6] == ["0", "0"]
        assert (place / "mem").stat().st_uid == 0
        served.send_signal(signal.SIGABRT)
        assert served.wait(20) == -signal.SIGABRT
    finally:
        served.kill()
        served.wait(20)
        served.stdout.close()
    assert [one for one in os.listdir(tmp_path) if one.startswith("core")] == []
