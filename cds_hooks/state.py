"""What the routes of one application share."""

from __future__ import annotations

from dataclasses import dataclass, field

from cds_hooks.audit import AuditStore
from cds_hooks.clock import Clock, utc_now
from cds_hooks.metrics import Metrics
from cds_hooks.service import Plugin
from cds_hooks.settings import Settings
from cds_hooks.terminology.background import Background


@dataclass(slots=True)
class State:
    """The plugin, the settings, the audit store while it is open, the counters, the clock, and what goes on
    about codes beside the calls.

    ``address`` is where the application is served, ``public_url`` where clients reach it.
    """

    plugin: Plugin
    settings: Settings
    host: str
    public_url: str
    store: AuditStore | None = None
    metrics: Metrics = field(default_factory=Metrics)
    clock: Clock = utc_now
    codes: Background = field(init=False)

    def __post_init__(self) -> None:
        self.codes = Background(self.plugin.terminology, self.settings, self.metrics, self.clock)
