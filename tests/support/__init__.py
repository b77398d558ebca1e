"""Builders that the tests share: invented FHIR data in few words."""
