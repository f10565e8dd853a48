"""The tables of notices: deliveries, and what was held back by what; the same in SQLite and PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa

from alerts.tables import metadata

delivery = sa.Table(
    "alert_delivery",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True, comment="hash of notice, recipient, channel and round"),
    sa.Column("notice", sa.String(32), nullable=False, comment="hash: what it is about; one notice goes to several"),
    sa.Column("recipient", sa.String(64), nullable=False, comment="id of a person of people.yaml"),
    sa.Column("department", sa.String(64), nullable=False),
    sa.Column("channel", sa.String(64), nullable=False, comment="name of a channel of notices.yaml"),
    sa.Column("address", sa.String(400), nullable=False),
    sa.Column(
        "kind", sa.String(16), nullable=False,
        comment="raised, cleared, withdrawn, confirmed, repeat, digest, escalation, case_step, test",
    ),
    sa.Column("priority", sa.SmallInteger, nullable=False, comment="1 urgent to 4 early warning: the most urgent"),
    sa.Column("subjects", sa.Text, nullable=False, comment='JSON: {"events": [...], "steps": [...], "case": "" }'),
    sa.Column("payload", sa.Text, nullable=False, comment="JSON: alerts.notices.payload.Payload, for templates"),
    sa.Column("synthetic", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("created_at", sa.BigInteger, nullable=False, comment="wall clock, ms UTC, as all times here"),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column(
        "state", sa.String(16), nullable=False, comment="alerts.notify.pauses.Delivered",
    ),
    sa.Column("next_at", sa.BigInteger, comment="when it is tried again after a failure; null before"),
    sa.Column("leased_until", sa.BigInteger, comment="of one being sent: nobody else tries before"),
    sa.Column("held_by", sa.String(100), nullable=False, server_default="", comment="quiet hours that hold it"),
    sa.Column("sent_at", sa.BigInteger),
    sa.Column("received_at", sa.BigInteger),
    sa.Column("receipt", sa.String(200)),
    sa.Column("error", sa.Text),
    sa.Column("order_key", sa.BigInteger, nullable=False, unique=True, comment="counts up; see alerts.notices.outbox"),
    sa.Column("raised_at", sa.BigInteger, comment="tick of the earliest step that it tells"),
    sa.Column("noticed_at", sa.BigInteger, comment="wall clock of that step"),
    sa.Index("alert_delivery_due", "state", "due_at", "priority", "order_key"),
    sa.Index("alert_delivery_recipient", "recipient", "channel", "order_key"),
    sa.Index("alert_delivery_notice", "notice"),
    comment="The outbox: one row for each message that somebody is owed.",
)  # fmt: skip
muted = sa.Table(
    "alert_muted",
    metadata,
    sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False, comment="number of the step not told"),
    sa.Column("recipient", sa.String(64), primary_key=True, comment="empty: nobody at all"),
    sa.Column("reason", sa.String(16), primary_key=True, comment="alerts.notices.policy.Held"),
    sa.Column("by", sa.String(200), nullable=False, comment="id of the silence, of the inhibiting event, …"),
    sa.Column("event", sa.String(20), nullable=False, index=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("released_at", sa.BigInteger, comment="when it was told after all; null while or because it never was"),
    comment="What was not told, to whom, and by what; rows are only added and released.",
)
silence = sa.Table(
    "alert_silence",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("matchers", sa.Text, nullable=False, comment="JSON: a list of texts"),
    sa.Column("author", sa.String(200), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("starts_at", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("expired_by", sa.String(200), nullable=False, server_default=""),
    sa.Column("expired_why", sa.Text, nullable=False, server_default=""),
    comment="What people muted; rows are never deleted, only expired.",
)
