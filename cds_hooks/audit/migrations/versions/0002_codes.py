"""Working notes about codes: what nothing resolved, and what a resolver explained. No data of a patient."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "terminology_unmapped",
        sa.Column("seq", sa.Integer, primary_key=True),
        *_texts("position", "system", "code", "words", "text"),
        sa.Column("count", sa.Integer, nullable=False),
        *_texts("first_seen", "last_seen"),
        sa.UniqueConstraint("position", "system", "code", "words"),
    )
    op.create_table(
        "terminology_learned",
        sa.Column("seq", sa.Integer, primary_key=True),
        *_texts("position", "system", "code", "name", "targets", "source"),
        sa.Column("known", sa.Integer, nullable=False),
        *_texts("time", "expires"),
        sa.UniqueConstraint("position", "system", "code"),
    )


def downgrade() -> None:
    """Remove the two tables; the audit stays as it is."""
    op.drop_table("terminology_learned")
    op.drop_table("terminology_unmapped")
