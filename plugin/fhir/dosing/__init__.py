"""What one FHIR Dosage says, whatever the product: how much, how often, for how long."""
