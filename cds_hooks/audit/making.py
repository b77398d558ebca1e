"""Making the tables of a new store, and bringing those of an older version up to date."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from cds_hooks.audit.schema import APPEND_ONLY, HEAD, metadata

# As Alembic itself makes it: the next version migrates from here.
_VERSION_TABLE = (
    "create table if not exists alembic_version "
    "(version_num VARCHAR(32) not null, constraint alembic_version_pkc primary key (version_num))"
)


def make_tables(connection: Connection) -> None:
    """Make all of a new store as the last revision would leave it, in the connection's transaction.

    Not by running the revisions: Alembic takes 100 ms to load and 10 MB ever after. A test holds the two together.
    """
    metadata.create_all(connection, checkfirst=False)
    for table in APPEND_ONLY:
        for action in ("update", "delete"):
            connection.exec_driver_sql(
                f"create trigger {table.name}_no_{action} before {action} on {table.name} "
                f"begin select raise(abort, '{table.name} is append-only'); end"
            )
    connection.exec_driver_sql(_VERSION_TABLE)
    connection.exec_driver_sql("insert into alembic_version (version_num) values (?)", (HEAD,))


def migrate(connection: Connection) -> None:
    """Run the revisions that an older store lacks, in the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
