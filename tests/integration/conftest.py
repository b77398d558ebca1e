"""Tells at the end how long the service took while its FHIR server misbehaved."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for the matrix of faults: runs, the slowest, and how many needed a second try."""
    told = [dict(one.user_properties) for one in terminalreporter.getreports("passed") if one.when == "call"]
    runs = [one for one in told if "milliseconds" in one]
    if runs:
        times = sorted(one["milliseconds"] for one in runs)
        again = sum(one["tries"] > 1 for one in runs)
        terminalreporter.write_line(
            f"faults: {len(runs)} runs as they should be; median {times[len(times) // 2]:.0f} ms, slowest "
            f"{times[-1]:.0f} ms; {again} needed another try"
        )
