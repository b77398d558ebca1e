"""Who of a site stands behind which rule, as it was when they signed it off."""

from cds_hooks.signoff.book import Book, Signature, Standing, read_book

__all__ = ["Book", "Signature", "Standing", "read_book"]
