"""The tables of shift handovers: rows are only added."""

from __future__ import annotations

import sqlalchemy as sa

from alerts.tables import metadata

handover = sa.Table(
    "alert_handover",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, comment="from the journal's own count"),
    sa.Column("at", sa.BigInteger, nullable=False, comment="ms UTC, of the content"),
    sa.Column("content", sa.Text, nullable=False, comment="alerts.handover.content.Content as JSON, as it was signed"),
    sa.Column("previous", sa.String(64), nullable=False, comment="newest seal of the one before; empty: first"),
    sa.Column("sealed", sa.String(64), nullable=False, comment="SHA-256 over previous and content"),
    comment="What one shift told the next; never changed.",
)  # fmt: skip
signature = sa.Table(
    "alert_handover_signature",
    metadata,
    sa.Column("handover", sa.BigInteger, sa.ForeignKey("alert_handover.number"), primary_key=True, autoincrement=False),
    sa.Column("side", sa.String(8), primary_key=True, comment="giving or taking"),
    sa.Column("author", sa.String(200), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("remark", sa.Text, nullable=False),
    sa.Column("sealed", sa.String(64), nullable=False, comment="SHA-256 over content's seal, side, author, at, remark"),
    comment="Who signed; never changed.",
)
