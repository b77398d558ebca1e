"""Alembic's view of the audit schema: ``env.py`` and one file for each revision in ``versions``."""
