"""The rules as FHIR R4 artefacts, made from what they say: PlanDefinitions, the Library, code systems, the guide."""

from plugin.artefacts.common import Release
from plugin.artefacts.made import made

__all__ = ["Release", "made"]
