"""What a vendor's EHR can show, as data, and cards in that shape."""

from cds_hooks.dialects.shaping import shaped

__all__ = ["shaped"]
