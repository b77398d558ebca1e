"""What a vendor's EHR can show, as data, and cards in that shape."""

from cds_hooks.dialects.choice import Choice
from cds_hooks.dialects.model import NAMES, Dialect, dialect
from cds_hooks.dialects.shaping import Showing, shaped

__all__ = ["NAMES", "Choice", "Dialect", "Showing", "dialect", "shaped"]
