"""Dystonia: the clinical rules, and nothing else."""
