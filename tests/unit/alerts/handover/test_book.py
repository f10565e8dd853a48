"""Shift handovers: signed by both, kept, and told when somebody changed one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts.desk import NotSigned
from alerts.handover import tables as t
from alerts.handover.book import Book, HandoverReason, NotTaken
from alerts.handover.content import Content, OpenEvent, Proof, Side, frozen, thawed
from alerts.journal import Journal, open_journal
from sensors.errors import UnknownName

AT = 1_795_190_400_000
EVENT = OpenEvent(
    id="e1", place_zh="甲站", place_en="A", title_zh="NO2 1小时超标", title_en="NO2 1 h over the limit", priority=1,
    state="raised", start=AT,
)  # fmt: skip
CONTENT = Content(
    at=AT, region_zh="试区", region_en="Test", synthetic=True, events=(EVENT,), waiting=1, notes="夜班盯住 A 站"
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(f"sqlite:///{tmp_path / 'alerts.db'}", lambda: AT)
    yield opened
    opened.close()


@pytest.fixture
def book(journal: Journal) -> Book:
    return Book(journal)


def test_a_handover_is_signed_by_both_and_read_back_as_it_was_signed(book: Book) -> None:
    given = book.give(CONTENT, " 张三 ", AT)
    assert (given.giving.author, given.giving.at, given.taking, given.proof) == ("张三", AT, None, Proof.SOUND)
    taken = book.take(given.number, "李四", AT + 1, " 已核对 ")
    assert taken.taking is not None
    assert (taken.taking.side, taken.taking.author, taken.taking.remark) == (Side.TAKING, "李四", "已核对")
    assert taken.content == CONTENT
    assert taken.proof is Proof.SOUND
    assert book.newest() == taken == book.handover(given.number)


def test_before_the_first_there_is_none(book: Book) -> None:
    assert book.newest() is None
    assert book.handovers().handovers == ()


@pytest.mark.parametrize("number", [0, 1])
def test_one_that_does_not_exist_is_neither_read_nor_taken(book: Book, number: int) -> None:
    with pytest.raises(UnknownName):
        book.handover(number)
    with pytest.raises(UnknownName):
        book.take(number, "李四", AT)


def test_nobody_hands_over_to_himself(book: Book) -> None:
    number = book.give(CONTENT, "张三", AT).number
    with pytest.raises(NotTaken) as refused:
        book.take(number, " 张三", AT)
    assert refused.value.reason is HandoverReason.SAME_PERSON
    assert book.handover(number).taking is None


def test_a_handover_is_taken_once(book: Book) -> None:
    number = book.give(CONTENT, "张三", AT).number
    book.take(number, "李四", AT)
    with pytest.raises(NotTaken) as refused:
        book.take(number, "王五", AT + 5)
    assert refused.value.reason is HandoverReason.ALREADY_TAKEN
    taking = book.handover(number).taking
    assert taking is not None
    assert (taking.author, taking.at) == ("李四", AT)


def test_one_that_a_newer_one_replaced_is_taken_no_more(book: Book) -> None:
    first = book.give(CONTENT, "张三", AT).number
    second = book.give(replace(CONTENT, notes="改正"), "张三", AT + 1).number
    with pytest.raises(NotTaken) as refused:
        book.take(first, "李四", AT + 2)
    assert refused.value.reason is HandoverReason.REPLACED
    assert book.take(second, "李四", AT + 2).content.notes == "改正"
    assert [one.number for one in book.handovers().handovers] == [second, first]


@pytest.mark.parametrize("author", ["", "  ", "x" * 201])
def test_both_sign_by_name(book: Book, author: str) -> None:
    with pytest.raises(NotSigned):
        book.give(CONTENT, author, AT)
    number = book.give(CONTENT, "张三", AT).number
    with pytest.raises(NotSigned):
        book.take(number, author, AT)


def test_notes_and_remarks_have_an_end(book: Book) -> None:
    with pytest.raises(NotSigned, match="notes"):
        book.give(replace(CONTENT, notes="x" * 4001), "张三", AT)
    number = book.give(CONTENT, "张三", AT).number
    with pytest.raises(NotSigned, match="remark"):
        book.take(number, "李四", AT, "x" * 4001)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (t.handover, {"content": frozen(replace(CONTENT, waiting=0))}),
        (t.handover, {"content": "{no json"}),
        (t.handover, {"content": frozen(replace(CONTENT, waiting=0)), "sealed": "0" * 64}),
        (t.handover, {"previous": "0" * 64}),
        (t.signature, {"author": "王五"}),
        (t.signature, {"at": AT + 60_000}),
        (t.signature, {"remark": "一切正常"}),
    ],
    ids=["content", "no-json", "seal", "previous", "author", "time", "remark"],
)
def test_a_signed_one_that_somebody_changes_in_the_database_is_told_as_altered(
    journal: Journal, book: Book, table: sa.Table, values: dict[str, object]
) -> None:
    number = book.give(CONTENT, "张三", AT).number
    book.take(number, "李四", AT + 1, "PM10 复核中")
    with journal.writing() as turn:
        turn.connection.execute(sa.update(table).values(values))
    assert book.handover(number).proof is Proof.ALTERED


def test_taking_a_signature_away_is_told(journal: Journal, book: Book) -> None:
    number = book.give(CONTENT, "张三", AT).number
    with journal.writing() as turn:
        turn.connection.execute(sa.delete(t.signature))
    assert book.handover(number).proof is Proof.ALTERED


def test_taking_a_whole_handover_away_breaks_the_one_after_it(journal: Journal, book: Book) -> None:
    first = book.give(CONTENT, "张三", AT).number
    book.take(first, "李四", AT + 1)
    second = book.give(CONTENT, "李四", AT + 2).number
    assert book.handover(second).proof is Proof.SOUND
    with journal.writing() as turn:
        turn.connection.execute(sa.delete(t.signature).where(t.signature.c.handover == first))
        turn.connection.execute(sa.delete(t.handover).where(t.handover.c.number == first))
    assert book.handover(second).proof is Proof.ALTERED


def test_no_door_of_the_book_changes_what_is_signed(journal: Journal, book: Book) -> None:
    number = book.give(CONTENT, "张三", AT).number
    book.take(number, "李四", AT + 1)

    def rows() -> list[object]:
        with journal.reading() as connection:
            ours = (t.handover.c.number == number, t.signature.c.handover == number)
            return [connection.execute(sa.select(table).where(one)).all()
                    for table, one in zip((t.handover, t.signature), ours, strict=True)]  # fmt: skip

    before = rows()
    book.give(replace(CONTENT, notes="another"), "李四", AT + 2)
    with pytest.raises(NotTaken):
        book.take(number, "王五", AT + 3)
    assert rows() == before


def test_pages_go_on_from_a_cursor(book: Book) -> None:
    numbers = [book.give(CONTENT, "张三", AT + step).number for step in range(3)]
    first = book.handovers(limit=2)
    rest = book.handovers(limit=2, cursor=first.cursor)
    assert [one.number for one in first.handovers + rest.handovers] == numbers[::-1]
    assert rest.cursor is None
    assert {one.proof for one in first.handovers + rest.handovers} == {Proof.SOUND}


def test_content_goes_through_its_bytes_unchanged_and_older_forms_stay_readable() -> None:
    assert thawed(frozen(CONTENT)) == CONTENT
    old = '{"version":1,"at":1,"region_zh":"a","region_en":"b","synthetic":false,"from_a_later_form":7}'
    assert thawed(old) == Content(at=1, region_zh="a", region_en="b", synthetic=False)


def test_a_shelf_is_read_in_as_many_questions_however_long_it_is(book: Book) -> None:
    asked: list[str] = []
    sa.event.listen(sa.Engine, "before_cursor_execute", listener := lambda *said: asked.append(said[2]))
    try:
        counts = []
        for _ in range(3):
            number = book.give(CONTENT, "张三", AT).number
            book.take(number, "李四", AT + 1)
            asked.clear()
            assert all(one.proof is Proof.SOUND for one in book.handovers().handovers)
            counts.append(len(asked))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listener)
    assert len(set(counts)) == 1
