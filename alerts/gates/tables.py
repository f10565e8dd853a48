"""The tables of rain gates, the same in SQLite and PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa

from alerts.tables import metadata

gate = sa.Table(
    "alert_gate",
    metadata,
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("state", sa.Text, nullable=False, comment="alerts.gates.machine.GateState as JSON"),
    sa.Column("at", sa.BigInteger, nullable=False, comment="newest tick at which it was decided; no older one counts"),
    sa.Column("said", sa.Text, nullable=False, comment="content of its newest decision, as in evidence"),
    comment="What is known at each gate, to go on after a restart.",
)
gate_decision = sa.Table(
    "alert_gate_decision",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, comment="from alert_turn"),
    sa.Column("site", sa.String(64), nullable=False, index=True),
    sa.Column("at", sa.BigInteger, nullable=False, comment="tick, ms UTC"),
    sa.Column("noticed_at", sa.BigInteger, nullable=False, comment="wall clock"),
    sa.Column("ruling", sa.String(8), nullable=False, comment="allow or refuse"),
    sa.Column("why", sa.String(16), nullable=False, comment="alerts.gates.machine.Why"),
    sa.Column(
        "evidence", sa.Text, nullable=False, comment="JSON: rain_since, and of each factor value, limit, window, why"
    ),
    comment="The journal of the interlock: a row whenever a decision or what it rests on changed; rows are only added.",
)
