"""FHIR JSON -> the patient as the rules see it: the only reader of resources; it records what it could not read."""
