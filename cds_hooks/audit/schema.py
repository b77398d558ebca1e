"""The tables, as SQLAlchemy Core sees them. A new store gets them from here, an older one from the migrations; a test
holds the two together.

Times are ISO text in UTC with microseconds and offset: of one width, so that text order is time order.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, Table, Text, UniqueConstraint

# Every revision there has been, oldest first: what a database may carry, and where the code stands.
REVISIONS = ("0001", "0002", "0003")
HEAD = REVISIONS[-1]

metadata = MetaData()


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _later(name: str, kind: type[Text | Integer] = Text) -> Column[Any]:
    """A column that a later revision added: the rows before it have it empty."""
    return Column(name, kind, nullable=False, server_default="0" if kind is Integer else "")


# The long columns stand last: SQLite then filters on the others without reading their overflow pages.
call = Table(
    "audit_call",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    _text("time"),
    _text("client"),
    _text("service"),
    _text("hook"),
    _text("hook_instance"),
    _text("patient"),
    _later("encounter"),
    _later("kept_for_signing", Integer),
    _text("ruleset"),
    Column("status", Integer, nullable=False),
    _text("outcome"),
    _text("detail"),
    Column("milliseconds", Float, nullable=False),
    Column("card_count", Integer, nullable=False),
    Column("not_checked", Integer, nullable=False),
    _text("labels"),
    _text("keys"),
    _text("subjects"),
    _text("cards"),
    _text("results"),
    Index("ix_audit_call_time", "time"),
    Index("ix_audit_call_patient", "patient", "seq"),
)

finding = Table(
    "audit_finding",
    metadata,
    Column("call_seq", Integer, ForeignKey("audit_call.seq"), primary_key=True),
    Column("position", Integer, primary_key=True),
    _text("rule"),
    _text("subject"),
    _text("label"),
    _text("indicator"),
    _text("suppressed"),
    Column("shown", Integer, nullable=False),
    _later("card_key"),
    _later("state"),
    _later("digest"),
    Index("ix_audit_finding_rule", "rule", "call_seq"),
    Index("ix_audit_finding_indicator", "indicator", "call_seq"),
    sqlite_with_rowid=False,
)

# ``card_key`` is the uuid in lower case: clients may send it back in another spelling.
card = Table(
    "audit_card",
    metadata,
    Column("call_seq", Integer, ForeignKey("audit_call.seq"), primary_key=True),
    Column("position", Integer, primary_key=True),
    _text("uuid"),
    _text("card_key"),
    _text("service"),
    Index("ix_audit_card_key", "card_key", "service"),
    sqlite_with_rowid=False,
)

feedback = Table(
    "audit_feedback",
    metadata,
    Column("seq", Integer, primary_key=True),
    _text("time"),
    _text("client"),
    _text("service"),
    _text("card"),
    _text("card_key"),
    Column("known", Integer, nullable=False),
    _text("outcome"),
    _text("outcome_timestamp"),
    _text("accepted"),
    _text("reason_code"),
    _text("reason_system"),
    _text("reason_display"),
    _text("comment"),
    Index("ix_audit_feedback_key", "card_key", "service"),
)

# Triggers refuse to change or remove their rows.
APPEND_ONLY = (call, finding, card, feedback)

# Facts about the store itself, such as when it was last found writable.
meta = Table(
    "audit_meta",
    metadata,
    Column("key", Text, primary_key=True),
    _text("value"),
)

# The two below are working notes about codes, without any data of a patient; their rows may change.
# ``words`` is the text of a row without a code, in lower case, and empty beside a code.
unmapped = Table(
    "terminology_unmapped",
    metadata,
    Column("seq", Integer, primary_key=True),
    _text("position"),
    _text("system"),
    _text("code"),
    _text("words"),
    _text("text"),
    Column("count", Integer, nullable=False),
    _text("first_seen"),
    _text("last_seen"),
    UniqueConstraint("position", "system", "code", "words"),
)

learned = Table(
    "terminology_learned",
    metadata,
    Column("seq", Integer, primary_key=True),
    _text("position"),
    _text("system"),
    _text("code"),
    _text("name"),
    _text("targets"),
    _text("source"),
    Column("known", Integer, nullable=False),
    _text("time"),
    _text("expires"),
    UniqueConstraint("position", "system", "code"),
)
