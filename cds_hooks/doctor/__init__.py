"""``dystonia-cds doctor``: what is wrong with this installation, and what to do about it."""

from cds_hooks.doctor.model import Check, Ground, State

__all__ = ["Check", "Ground", "State"]
