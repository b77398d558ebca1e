"""What the routes of one application share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cds_hooks.admission import Admission
from cds_hooks.audit import AuditStore
from cds_hooks.auth import Authenticator
from cds_hooks.clients import Registry
from cds_hooks.clock import Clock, utc_now
from cds_hooks.fhir_access import FhirAccess
from cds_hooks.metrics import Metrics
from cds_hooks.service import Plugin
from cds_hooks.settings import Settings
from cds_hooks.shares import Shares
from cds_hooks.terminology.background import Background


@dataclass(slots=True)
class State:
    """The plugin, the settings, the audit store while it is open, the counters, the clock, and what goes on
    about codes, clients and their FHIR servers beside the calls.

    ``others`` are the plugins of clients that have settings of their own, by the client's name. ``public_url`` is where
    clients reach the application.
    """

    plugin: Plugin
    settings: Settings
    host: str
    public_url: str
    store: AuditStore | None = None
    metrics: Metrics = field(default_factory=Metrics)
    clock: Clock = utc_now
    others: Mapping[str, Plugin] = field(default_factory=dict)
    codes: Background = field(init=False)
    registry: Registry = field(init=False)
    auth: Authenticator = field(init=False)
    access: FhirAccess = field(init=False)
    admission: Admission = field(init=False)
    shares: Shares = field(init=False)

    def __post_init__(self) -> None:
        self.registry = Registry.of(self.settings)
        self.auth = Authenticator(self.settings, self.registry, self.public_url, self.metrics, self.clock)
        self.access = FhirAccess(self.settings, self.registry, self.plugin, self.metrics)
        self.admission = Admission(self.settings)
        self.shares = Shares(self.settings.client_limit)
        self.codes = Background(self.plugin.terminology, self.settings, self.metrics, self.clock)
