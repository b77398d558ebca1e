"""The CDS Hooks protocol host: it knows CDS Hooks, FHIR access, security and audit, and no disease, drug or lab."""
