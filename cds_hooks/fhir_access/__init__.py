"""Asking the EHR's FHIR server for what a call did not bring."""

from cds_hooks.fhir_access.access import FhirAccess

__all__ = ["FhirAccess"]
