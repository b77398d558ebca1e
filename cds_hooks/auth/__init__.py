"""Who calls: the token of a call, checked against the registered clients."""

from cds_hooks.auth.authenticator import Authenticator, Caller

__all__ = ["Authenticator", "Caller"]
