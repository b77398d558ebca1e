"""What can go wrong with the audit store in a way that an operator must hear about.

Trouble
└── StoreError    the store cannot be opened or read: what was got, what was expected, what to do
"""

from __future__ import annotations

from cds_hooks.errors import Trouble


class StoreError(Trouble):
    """The audit store cannot be used; the message is meant for an operator and shown without a traceback."""
