"""Who calls: the token of a call, checked against the registered clients."""

from cds_hooks.auth.authenticator import Authenticator, check_keys
from cds_hooks.auth.model import Caller, Kept

__all__ = ["Authenticator", "Caller", "Kept", "check_keys"]
