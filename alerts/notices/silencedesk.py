"""The desk of silences: what people mute, in the journal's database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from alerts.desk import NAME_LENGTH, NOTE_LENGTH, NotSigned
from alerts.journal import Journal
from alerts.notices.matchers import check_labels, parse_matcher
from alerts.notices.outbox import hash_of
from alerts.notices.silences import Silence, check_silence, expire, in_order
from alerts.notices.tables import silence as table
from sensors.errors import UnknownName

MOST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to mute."""

    matchers: tuple[str, ...]
    """Like ``site="A"``; all must fit."""
    author: str
    reason: str
    starts_at: int
    """Milliseconds UTC; in the past: now."""
    ends_at: int


class SilenceDesk:
    """Questions and acts on silences; safe to call from any thread.

    All raise `sensors.errors.StoreError` when the database does not answer.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def add(self, wish: Wish, now: int) -> Silence:
        """Mute what fits; the same wish at the same instant is one silence.

        Raises
        ------
        BadMatcher
            When a matcher is none, or names a label that nothing has.
        BadSilence
            When it has no end, or mutes everything, or only what is urgent.
        NotSigned
            Without a name or a reason.
        """
        author, reason = _text(wish.author, NAME_LENGTH, "a name"), _text(wish.reason, NOTE_LENGTH, "a reason")
        matchers = tuple(parse_matcher(one) for one in wish.matchers)
        check_labels(matchers)
        starts = max(wish.starts_at, now)
        made = Silence(
            id=hash_of("silence", *matchers, author, now, starts, wish.ends_at), matchers=matchers, author=author,
            reason=reason, created_at=now, starts_at=starts, ends_at=wish.ends_at,
        )  # fmt: skip
        check_silence(made, now)
        with self._journal.writing() as turn:
            if turn.connection.execute(sa.select(table.c.id).where(table.c.id == made.id)).first() is None:
                turn.connection.execute(sa.insert(table).values(_row(made)))
        return made

    def expire(self, silence_id: str, author: str, why: str, now: int) -> Silence:
        """End a silence before its time; it stays on the list.

        Raises
        ------
        UnknownName
            When there is none of this id.
        BadSilence
            When it has ended already.
        NotSigned
            Without a name or a reason.
        """
        author, why = _text(author, NAME_LENGTH, "a name"), _text(why, NOTE_LENGTH, "a reason")
        with self._journal.writing() as turn:
            row = turn.connection.execute(sa.select(table).where(table.c.id == silence_id)).first()
            if row is None:
                raise UnknownName("the silences", silence_id)
            ended = expire(silence_of(row), author, why, now)
            turn.connection.execute(sa.update(table).where(table.c.id == silence_id).values(_row(ended)))
        return ended

    def silence(self, silence_id: str) -> Silence:
        """Return one silence.

        Raises
        ------
        UnknownName
            When there is none of this id.
        """
        with self._journal.reading() as connection:
            row = connection.execute(sa.select(table).where(table.c.id == silence_id)).first()
        if row is None:
            raise UnknownName("the silences", silence_id)
        return silence_of(row)

    def silences(self, now: int, *, since: int | None = None) -> tuple[Silence, ...]:
        """Return silences: active ones first, then pending and expired ones.

        Parameters
        ----------
        now
            Milliseconds UTC.
        since
            Those that ended later are shown too; None: only those that have not ended.
        """
        query = sa.select(table).where(table.c.ends_at > (now if since is None else since))
        with self._journal.reading() as connection:
            found = [silence_of(row) for row in connection.execute(query.order_by(table.c.ends_at.desc()).limit(MOST))]
        return in_order(found, now)


def load_silences(connection: sa.Connection, now: int) -> Sequence[Silence]:
    """Return the silences that have not ended."""
    return [silence_of(row) for row in connection.execute(sa.select(table).where(table.c.ends_at > now))]


def silence_of(row: sa.Row[Any]) -> Silence:
    """Return a row as a silence."""
    return Silence(
        id=row.id, matchers=tuple(parse_matcher(one) for one in msgspec.json.decode(row.matchers, type=list[str])),
        author=row.author, reason=row.reason, created_at=row.created_at, starts_at=row.starts_at, ends_at=row.ends_at,
        expired_by=row.expired_by, expired_why=row.expired_why,
    )  # fmt: skip


def _row(silence: Silence) -> dict[str, Any]:
    return {
        "id": silence.id, "matchers": msgspec.json.encode([str(one) for one in silence.matchers]).decode(),
        "author": silence.author, "reason": silence.reason, "created_at": silence.created_at,
        "starts_at": silence.starts_at, "ends_at": silence.ends_at, "expired_by": silence.expired_by,
        "expired_why": silence.expired_why,
    }  # fmt: skip


def _text(text: str, most: int, what: str) -> str:
    stripped = text.strip()
    if not stripped or len(stripped) > most:
        raise NotSigned(f"a silence needs {what}, at most {most} characters")
    return stripped
