"""The tables of delivery: each attempt, and the tokens by which receivers say that they have a message."""

from __future__ import annotations

import sqlalchemy as sa

from alerts.tables import metadata

attempt = sa.Table(
    "alert_attempt",
    metadata,
    sa.Column("delivery", sa.String(32), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False, comment="from 1"),
    sa.Column("at", sa.BigInteger, nullable=False, comment="when it began, wall clock, ms UTC"),
    sa.Column("took_ms", sa.BigInteger, nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False, comment="alerts.notify.channels.Outcome"),
    sa.Column("detail", sa.Text, nullable=False),
    comment="What was tried, and what the channel said; rows are only added.",
)
receipt = sa.Table(
    "alert_receipt",
    metadata,
    sa.Column(
        "token", sa.String(64), primary_key=True, comment="SHA-256 of the token; itself it is in the message alone"
    ),
    sa.Column("delivery", sa.String(32), nullable=False, index=True),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
    comment="Who holds a token has the message that it came in.",
)
