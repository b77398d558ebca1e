"""The review pages: what was returned, why, what was missing, and what people made of it."""

from __future__ import annotations

from cds_hooks.review.pages import routes

__all__ = ["routes"]
