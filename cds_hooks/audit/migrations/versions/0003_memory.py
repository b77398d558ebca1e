"""What later calls need to know of a finding: its card, its encounter, and what would show it again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def upgrade() -> None:
    """Add the columns; what was shown before them is not remembered."""
    op.add_column("audit_call", _text("encounter"))
    op.add_column("audit_call", sa.Column("kept_for_signing", sa.Integer, nullable=False, server_default="0"))
    for name in ("card_key", "state", "digest"):
        op.add_column("audit_finding", _text(name))


def downgrade() -> None:
    """Remove the columns."""
    for name in ("card_key", "state", "digest"):
        op.drop_column("audit_finding", name)
    for name in ("encounter", "kept_for_signing"):
        op.drop_column("audit_call", name)
