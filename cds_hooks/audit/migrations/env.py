"""Runs the revisions over the connection that the store already holds, in that connection's transaction."""

from __future__ import annotations

from alembic import context

from cds_hooks.audit.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
