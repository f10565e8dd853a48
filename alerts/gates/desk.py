"""The journal of rain gates as people read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from alerts.gates import tables as t
from alerts.gates.machine import Ruling, Why
from alerts.journal import Journal

MOST_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision as it was journalled."""

    number: int
    site: str
    at: int
    """Tick, ms UTC."""
    noticed_at: int
    """Wall clock, ms UTC."""
    ruling: Ruling
    why: Why
    evidence: Mapping[str, Any]
    """``rain_since`` and, of each factor, value, limit, window, revision and what it speaks for."""


def decisions(
    journal: Journal, *, site: str | None = None, before: int | None = None, limit: int = 100
) -> tuple[Decided, ...]:
    """Return decisions, the newest first.

    Parameters
    ----------
    journal
        Holds them.
    site
        Of one outlet; None: of all.
    before
        Only those with a smaller number, to page on.
    limit
        Most of them, at most `MOST_AT_ONCE`.

    Raises
    ------
    StoreError
        When the database does not answer.
    """
    c = t.gate_decision.c
    query = sa.select(t.gate_decision).order_by(c.number.desc()).limit(max(0, min(limit, MOST_AT_ONCE)))
    if site is not None:
        query = query.where(c.site == site)
    if before is not None:
        query = query.where(c.number < before)
    with journal.reading() as connection:
        rows = connection.execute(query).all()
    return tuple(
        Decided(
            number=row.number, site=row.site, at=row.at, noticed_at=row.noticed_at, ruling=Ruling(row.ruling),
            why=Why(row.why), evidence=msgspec.json.decode(row.evidence),
        )
        for row in rows
    )  # fmt: skip
