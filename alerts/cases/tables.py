"""The tables of cases, on the journal's metadata: the same in SQLite and PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa

from alerts.tables import metadata

case = sa.Table(
    "alert_case",
    metadata,
    sa.Column("id", sa.String(20), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True, comment="of the step that opened it"),
    sa.Column("changed", sa.BigInteger, nullable=False, comment="of its newest step"),
    sa.Column("key", sa.String(200), nullable=False, comment="of its incident"),
    sa.Column("network", sa.String(64), nullable=False),
    sa.Column("place", sa.String(64), nullable=False),
    sa.Column("site", sa.String(64), nullable=False),
    sa.Column("rule", sa.String(64), nullable=False),
    sa.Column("factor", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False, comment="of the rule"),
    sa.Column("synthetic", sa.Boolean, nullable=False),
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("need", sa.String(8), nullable=False, comment="whose acknowledgement: any, all"),
    sa.Column("opened_at", sa.BigInteger, nullable=False, comment="wall clock, milliseconds UTC; so are the others"),
    sa.Column("opened_by", sa.String(20), nullable=False, comment="the event"),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("live", sa.Integer, nullable=False),
    sa.Column("going_on", sa.Integer, nullable=False),
    sa.Column("events", sa.Integer, nullable=False),
    sa.Column("occurrence", sa.Integer, nullable=False),
    sa.Column("reopened", sa.Integer, nullable=False),
    sa.Column("entered_at", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.BigInteger),
    sa.Column("rungs", sa.Integer, nullable=False),
    sa.Column("next_at", sa.BigInteger, comment="when the next step of the overdue escalation is"),
    sa.Column("acknowledged_by", sa.String(200), nullable=False),
    sa.Column("acknowledged_at", sa.BigInteger),
    sa.Column("owner", sa.String(120), nullable=False),
    sa.Column("written_off_at", sa.BigInteger),
    sa.Index("alert_case_key", "key", "number"),
    sa.Index("alert_case_next", "next_at"),
    sa.Index("alert_case_queue", "state", "priority", "number"),
)
member = sa.Table(
    "alert_case_event",
    metadata,
    sa.Column("case", sa.String(20), sa.ForeignKey("alert_case.id"), primary_key=True),
    sa.Column("event", sa.String(20), sa.ForeignKey("alert_event.id"), primary_key=True, index=True),
    sa.Column("fact", sa.String(16), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("repeat", sa.Boolean, nullable=False),
)
step = sa.Table(
    "alert_case_step",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, comment="of alert_turn, as of events"),
    sa.Column("case", sa.String(20), sa.ForeignKey("alert_case.id"), nullable=False, index=True),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, comment="of the case after it"),
    sa.Column("author", sa.String(200), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("noticed_at", sa.BigInteger, nullable=False),
    sa.Column("code", sa.String(24), nullable=False, comment="alerts.cases.states.CaseReason, or empty"),
    sa.Column("reason", sa.Text, nullable=False, comment="the author's words"),
    sa.Column("evidence", sa.Text, nullable=False, comment="JSON; `to`: parties that are meant"),
    sa.Column("party", sa.String(120), nullable=False),
    sa.Column("tier", sa.String(16), nullable=False, comment="who is to be told: own, park, district, city, province"),
    sa.Column("notify", sa.Boolean, nullable=False),
    comment="The history: rows are added, never changed.",
)
party = sa.Table(
    "alert_case_party",
    metadata,
    sa.Column("case", sa.String(20), sa.ForeignKey("alert_case.id"), primary_key=True),
    sa.Column("party", sa.String(120), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("acknowledged_by", sa.String(200), nullable=False),
    sa.Column("acknowledged_at", sa.BigInteger),
)
occurrence = sa.Table(
    "alert_case_occurrence",
    metadata,
    sa.Column("case", sa.String(20), sa.ForeignKey("alert_case.id"), primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("factor", sa.String(64), nullable=False),
    sa.Index("alert_case_occurrence_key", "key", "at"),
    comment="That an incident began, or came back.",
)
