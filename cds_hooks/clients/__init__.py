"""Who may call: one record for each EHR, or for each tenant of one."""

from cds_hooks.clients.model import ANONYMOUS, Client
from cds_hooks.clients.registry import Registry

__all__ = ["ANONYMOUS", "Client", "Registry"]
