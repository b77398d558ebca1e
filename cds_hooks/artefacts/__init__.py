"""``/fhir``: the plugin's rules and value sets as FHIR R4 artefacts, read only."""

from cds_hooks.artefacts.routes import routes

__all__ = ["routes"]
