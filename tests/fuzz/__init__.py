"""Mutated requests against the whole service: ``make fuzz``, and a short run among the tests."""
