"""Invented cases with a fixed "now": run on a set of rules, written as readable text, compared between two sets."""
