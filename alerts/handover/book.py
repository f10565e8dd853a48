"""The book of shift handovers: written once, signed by both, read for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from alerts.desk import NAME_LENGTH, NOTE_LENGTH, NotSigned
from alerts.handover import tables as t
from alerts.handover.content import Content, Proof, Side, content_seal, frozen, signature_seal, thawed
from alerts.journal import Journal
from sensors.errors import JianhuError, UnknownName

MOST_AT_ONCE: Final = 200


class HandoverReason(StrEnum):
    """Why a handover was not signed."""

    ALREADY_TAKEN = "already_taken"
    SAME_PERSON = "same_person"
    """Nobody hands over to himself."""
    REPLACED = "replaced"
    """A newer one was drawn up; that one is to be signed."""


class NotTaken(JianhuError):
    """A handover that cannot be signed by this person now."""

    def __init__(self, number: int, reason: HandoverReason) -> None:
        self.number, self.reason = number, reason
        super().__init__(f"handover {number} is not taken: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One signature."""

    side: Side
    author: str
    at: int
    """Milliseconds UTC."""
    remark: str
    sealed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One handover as it was signed."""

    number: int
    content: Content
    sealed: str
    previous: str
    giving: Signed
    taking: Signed | None
    """None while nobody has taken it."""
    proof: Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Some handovers, newest first."""

    handovers: tuple[Handover, ...]
    cursor: int | None
    """Where the next ones begin; None at the end."""


class Book:
    """Handovers of one journal; every method is safe to call from any thread.

    All raise `sensors.errors.StoreError` when the database does not answer.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def give(self, content: Content, author: str, at: int) -> Handover:
        """Freeze a content, and sign it as the person who goes; an older one that nobody took is replaced.

        Raises
        ------
        NotSigned
            Without a name, or with notes longer than the field holds.
        """
        by = _text(author, NAME_LENGTH, "a name")
        if len(content.notes) > NOTE_LENGTH:
            raise NotSigned(f"the notes are longer than {NOTE_LENGTH} characters")
        text = frozen(content)
        with self._journal.writing() as turn:
            previous = _newest_seal(turn.connection)
            (number,) = turn.next_numbers(1)
            sealed = content_seal(previous, text)
            row = {"number": number, "at": content.at, "content": text, "previous": previous, "sealed": sealed}
            turn.connection.execute(sa.insert(t.handover), [row])
            turn.connection.execute(sa.insert(t.signature), [_row(number, _sign(sealed, Side.GIVING, by, at))])
        return self.handover(number)

    def take(self, number: int, author: str, at: int, remark: str = "") -> Handover:
        """Sign as the person who comes, with a remark where something is not as it was told.

        Raises
        ------
        UnknownName
            When there is none of this number.
        NotTaken
            When it is taken, replaced by a newer one, or to be taken by who gave it.
        NotSigned
            Without a name, or with a remark longer than the field holds.
        """
        by = _text(author, NAME_LENGTH, "a name")
        if len(remark) > NOTE_LENGTH:
            raise NotSigned(f"the remark is longer than {NOTE_LENGTH} characters")
        with self._journal.writing() as turn:
            signed = {row.side: row for row in turn.connection.execute(_signatures([number]))}
            if not signed:
                raise UnknownName("the book of handovers", str(number))
            newest = turn.connection.execute(sa.select(sa.func.max(t.handover.c.number))).scalar_one()
            if (reason := _refusal(signed, by, replaced=newest != number)) is not None:
                raise NotTaken(number, reason)
            sealed = turn.connection.execute(
                sa.select(t.handover.c.sealed).where(t.handover.c.number == number)
            ).scalar_one()
            signed_now = _sign(sealed, Side.TAKING, by, at, remark.strip())
            turn.connection.execute(sa.insert(t.signature), [_row(number, signed_now)])
        return self.handover(number)

    def handover(self, number: int) -> Handover:
        """Return one.

        Raises
        ------
        UnknownName
            When there is none of this number.
        """
        found = self._read(sa.select(t.handover).where(t.handover.c.number == number))
        if not found:
            raise UnknownName("the book of handovers", str(number))
        return found[0]

    def newest(self) -> Handover | None:
        """Return the newest; None when there never was one."""
        found = self._read(sa.select(t.handover).order_by(t.handover.c.number.desc()).limit(1))
        return found[0] if found else None

    def handovers(self, limit: int = 50, cursor: int | None = None) -> Shelf:
        """Return some, newest first, from a cursor on."""
        count = max(1, min(limit, MOST_AT_ONCE))
        query = sa.select(t.handover).order_by(t.handover.c.number.desc()).limit(count + 1)
        if cursor is not None:
            query = query.where(t.handover.c.number < cursor)
        found = self._read(query)
        more = len(found) > count
        return Shelf(handovers=found[:count], cursor=found[count - 1].number if more else None)

    def _read(self, query: sa.Select[Any]) -> tuple[Handover, ...]:
        """Return what a query gives: one handover, or some that follow one another, newest first."""
        with self._journal.reading() as connection:
            rows = connection.execute(query).all()
            signed: dict[int, dict[str, sa.Row[Any]]] = {}
            for row in connection.execute(_signatures([row.number for row in rows])):
                signed.setdefault(row.handover, {})[row.side] = row
            lasts = [_last_of({side: one.sealed for side, one in signed.get(row.number, {}).items()}) for row in rows]
            oldest = [_seal_before(connection, rows[-1].number)] if rows else []
            before = {row.number: seal for row, seal in zip(rows, [*lasts[1:], *oldest], strict=True)}
        return tuple(_handover(row, signed.get(row.number, {}), before[row.number]) for row in rows)


def _signatures(numbers: Iterable[int]) -> sa.Select[Any]:
    return sa.select(t.signature).where(t.signature.c.handover.in_(list(numbers)))


def _refusal(signed: dict[str, sa.Row[Any]], by: str, *, replaced: bool) -> HandoverReason | None:
    if Side.TAKING in signed:
        return HandoverReason.ALREADY_TAKEN
    if replaced:
        return HandoverReason.REPLACED
    return HandoverReason.SAME_PERSON if signed[Side.GIVING].author == by else None


def _row(number: int, signed: Signed) -> dict[str, Any]:
    return {
        "handover": number, "side": signed.side.value, "author": signed.author, "at": signed.at,
        "remark": signed.remark, "sealed": signed.sealed,
    }  # fmt: skip


def _sign(sealed: str, side: Side, author: str, at: int, remark: str = "") -> Signed:
    made = signature_seal(sealed, side, author, at, remark)
    return Signed(side=side, author=author, at=at, remark=remark, sealed=made)


def _newest_seal(connection: sa.Connection) -> str:
    number = connection.execute(sa.select(sa.func.max(t.handover.c.number))).scalar_one()
    return "" if number is None else _last_seal(connection, number)


def _seal_before(connection: sa.Connection, number: int) -> str:
    before = connection.execute(
        sa.select(sa.func.max(t.handover.c.number)).where(t.handover.c.number < number)
    ).scalar_one()
    return "" if before is None else _last_seal(connection, before)


def _last_seal(connection: sa.Connection, number: int) -> str:
    """Return the seal that stands last under a handover: of who took it, else of who gave it.

    One that is replaced is taken no more, so that its last seal is final once a newer one stands.
    """
    return _last_of({row.side: row.sealed for row in connection.execute(_signatures([number]))})


def _last_of(signed: Mapping[str, str]) -> str:
    return str(signed.get(Side.TAKING) or signed.get(Side.GIVING) or "")


def _handover(row: sa.Row[Any], signed: dict[str, sa.Row[Any]], before: str) -> Handover:
    sides = {Side(side): _signed(one) for side, one in signed.items()}
    giving = sides.get(Side.GIVING)
    sound = (
        giving is not None
        and row.previous == before
        and row.sealed == content_seal(row.previous, row.content)
        and all(
            one.sealed == signature_seal(row.sealed, one.side, one.author, one.at, one.remark) for one in sides.values()
        )
    )
    lost = Signed(side=Side.GIVING, author="", at=row.at, remark="", sealed="")
    return Handover(
        number=row.number,
        content=_content(row),
        sealed=row.sealed,
        previous=row.previous,
        giving=giving or lost,
        taking=sides.get(Side.TAKING),
        proof=Proof.SOUND if sound else Proof.ALTERED,
    )


def _content(row: sa.Row[Any]) -> Content:
    try:
        return thawed(row.content)
    except msgspec.DecodeError:  # somebody changed it; the proof says so
        return Content(at=row.at, region_zh="", region_en="", synthetic=False)


def _signed(row: sa.Row[Any]) -> Signed:
    return Signed(side=Side(row.side), author=row.author, at=row.at, remark=row.remark, sealed=row.sealed)


def _text(text: str, most: int, what: str) -> str:
    stripped = text.strip()
    if not stripped or len(stripped) > most:
        raise NotSigned(f"a handover needs {what}, at most {most} characters")
    return stripped
