"""Calls with their findings and cards, feedback, and facts about the store; rows can only be added."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = ("audit_call", "audit_finding", "audit_card", "audit_feedback")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _call() -> None:
    op.create_table(
        "audit_call",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        *_texts("time", "client", "service", "hook", "hook_instance", "patient", "ruleset"),
        sa.Column("status", sa.Integer, nullable=False),
        *_texts("outcome", "detail"),
        sa.Column("milliseconds", sa.Float, nullable=False),
        sa.Column("card_count", sa.Integer, nullable=False),
        sa.Column("not_checked", sa.Integer, nullable=False),
        *_texts("labels", "keys", "subjects", "cards", "results"),
    )
    op.create_index("ix_audit_call_time", "audit_call", ["time"])
    op.create_index("ix_audit_call_patient", "audit_call", ["patient", "seq"])


def _parts_of_a_call() -> None:
    op.create_table(
        "audit_finding",
        sa.Column("call_seq", sa.Integer, sa.ForeignKey("audit_call.seq"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        *_texts("rule", "subject", "label", "indicator", "suppressed"),
        sa.Column("shown", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_audit_finding_rule", "audit_finding", ["rule", "call_seq"])
    op.create_index("ix_audit_finding_indicator", "audit_finding", ["indicator", "call_seq"])
    op.create_table(
        "audit_card",
        sa.Column("call_seq", sa.Integer, sa.ForeignKey("audit_call.seq"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        *_texts("uuid", "card_key", "service"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_audit_card_key", "audit_card", ["card_key", "service"])


def _feedback() -> None:
    op.create_table(
        "audit_feedback",
        sa.Column("seq", sa.Integer, primary_key=True),
        *_texts("time", "client", "service", "card", "card_key"),
        sa.Column("known", sa.Integer, nullable=False),
        *_texts("outcome", "outcome_timestamp", "accepted"),
        *_texts("reason_code", "reason_system", "reason_display", "comment"),
    )
    op.create_index("ix_audit_feedback_key", "audit_feedback", ["card_key", "service"])


def upgrade() -> None:
    """Make the tables and the guards that refuse to change or remove a row."""
    _call()
    _parts_of_a_call()
    _feedback()
    op.create_table("audit_meta", sa.Column("key", sa.Text, primary_key=True), *_texts("value"))
    for table in _APPEND_ONLY:
        for action in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{action} before {action} on {table} "
                f"begin select raise(abort, '{table} is append-only'); end"
            )


def downgrade() -> None:
    """Refuse: going back would throw away the audit."""
    raise NotImplementedError("the audit is append-only: restore a backup instead")
