"""``GET /cds-services``: which services there are."""

from __future__ import annotations

from cds_hooks.models import DiscoveredService, Discovery
from cds_hooks.service import Plugin, Service


def discovery_json(plugin: Plugin) -> bytes:
    """The discovery document; it does not change while the service runs."""
    discovery = Discovery(services=[_discovered(service) for service in plugin.services])
    return discovery.model_dump_json(exclude_none=True).encode()


def _discovered(service: Service) -> DiscoveredService:
    return DiscoveredService(
        id=service.id,
        hook=service.hook,
        description=service.description,
        title=service.title or None,
        prefetch=dict(service.prefetch) or None,
        usageRequirements=service.usage_requirements or None,
    )
