"""The tables of the journal, the same in SQLite and PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

turn = sa.Table(
    "alert_turn",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    comment="One row: the number of the newest step. Every writer changes it first, so writers take turns "
    "and numbers appear in their order.",
)
source_offset = sa.Table(
    "alert_source_offset",
    metadata,
    sa.Column("log_id", sa.String(200), primary_key=True),
    sa.Column("topic", sa.String(249), primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("offset", sa.BigInteger, nullable=False, comment="of the next message"),
)
series = sa.Table(
    "alert_series",
    metadata,
    sa.Column("rule", sa.String(64), primary_key=True),
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("factor", sa.String(64), primary_key=True),
    sa.Column("through", sa.BigInteger, nullable=False, comment="number of the newest period judged as a whole"),
)
verdict = sa.Table(
    "alert_verdict",
    metadata,
    sa.Column("rule", sa.String(64), primary_key=True),
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("factor", sa.String(64), primary_key=True),
    sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("window", sa.String(16), primary_key=True),
    sa.Column("verdict", sa.SmallInteger, nullable=False),
    sa.Column("point", sa.Text, nullable=False, comment="alerts.verdicts.Point as JSON"),
    comment="Rows that are not fine, and fine rows that were revised.",
)
event = sa.Table(
    "alert_event",
    metadata,
    sa.Column("id", sa.String(20), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True, comment="of the step that raised it"),
    sa.Column("changed", sa.BigInteger, nullable=False, comment="number of its newest step"),
    sa.Column("rule", sa.String(64), nullable=False),
    sa.Column("site", sa.String(64), nullable=False),
    sa.Column("factor", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("window", sa.String(16), nullable=False),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("end", sa.BigInteger),
    sa.Column("raised_at", sa.BigInteger, nullable=False, comment="tick"),
    sa.Column("noticed_at", sa.BigInteger, nullable=False, comment="wall clock"),
    sa.Column("raised_by", sa.Text, nullable=False, comment="alerts.verdicts.Point as JSON"),
    sa.Column("peak", sa.Text, nullable=False, comment="likewise"),
    sa.Column("to_verify", sa.Boolean, nullable=False),
    sa.Column("backfilled", sa.Boolean, nullable=False),
    sa.Column("fact", sa.String(16), nullable=False),
    sa.Column("fact_at", sa.BigInteger, nullable=False),
    sa.Column("joined_to", sa.String(20), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("acknowledged_by", sa.String(200)),
    sa.Column("acknowledged_at", sa.BigInteger),
    sa.Column("closed_by", sa.String(200)),
    sa.Column("closed_at", sa.BigInteger),
    sa.Column("note", sa.Text),
    sa.Column("hint", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("unconfirmed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("priority", sa.SmallInteger, nullable=False, server_default="3", comment="1 urgent to 4 early warning"),
    sa.Column("crossings", sa.Text, nullable=False, server_default="[]", comment="of a series that flaps; JSON"),
    sa.Column("covers", sa.String(1000), nullable=False, server_default="", comment="rules, each between commas"),
    sa.Column("recurs", sa.String(20), nullable=False, server_default="", comment="the event before it"),
    sa.Column("recurrence", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Index("alert_event_series", "rule", "site", "factor", "last"),
    sa.Index("alert_event_open", "state", "backfilled", "number"),
)
event_step = sa.Table(
    "alert_event_step",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("event", sa.String(20), sa.ForeignKey("alert_event.id"), nullable=False, index=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("author", sa.String(200), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, comment="tick of the rule's steps, time of the act of people's"),
    sa.Column("noticed_at", sa.BigInteger, nullable=False, comment="wall clock"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False, comment="JSON"),
    comment="The history: rows are added, never changed.",
)
follower = sa.Table(
    "alert_follower",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, comment="of the newest step that it took"),
    sa.Column("seen_at", sa.BigInteger, nullable=False, comment="wall clock of its last turn: it is alive"),
    comment="Who reads the history, and how far; moved in the transaction that holds what came of the steps.",
)
