"""The journal: events, their history and source offsets, in one database and one transaction.

SQLite and PostgreSQL through the same code. Every writing transaction first changes the one row of
``alert_turn``: writers take turns, and the numbers of steps appear in the order in which they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

import alerts.cases.tables
import alerts.gates.tables
import alerts.handover.tables
import alerts.notices.tables
import alerts.notify.tables  # noqa: F401 - its tables are made with the others
from alerts import tables as t
from alerts.counting import Crossing
from alerts.events import Change, Event, Fact
from alerts.keeper import Step
from alerts.rules import Kind
from alerts.series import Series
from alerts.states import State
from alerts.tally import Tally, is_tallied, since, tally
from alerts.verdicts import Point, SeriesKey, Verdict
from sensors.errors import StoreError

MACHINE: Final = "jianhu"
"""Author of the rule's own steps."""
_BUSY_MS: Final = 30_000
_MAKING: Final = 4_096_212
"""Number of the lock under which tables are made in PostgreSQL; any that nobody else takes."""
_KEYS_AT_ONCE: Final = 200
_SIGNATURES: Final = ("acknowledged_by", "acknowledged_at", "closed_by", "closed_at", "note")
_INSERT: Final[Mapping[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Journal:
    """The database of alerts; safe to use from several threads, each with its own transactions."""

    def __init__(self, engine: sa.Engine, wall: Callable[[], int]) -> None:
        self._engine, self._wall = engine, wall

    @contextmanager
    def writing(self) -> Iterator[Turn]:
        """Open a transaction that waits for its turn; it is committed at the end, or nothing of it is.

        Raises
        ------
        StoreError
            When the database does not take it; it may be tried again.
        """
        with _as_store_error("write"), self._engine.begin() as connection:
            connection.execute(sa.update(t.turn).values(number=t.turn.c.number))
            yield Turn(connection, self._wall())

    @contextmanager
    def noting(self) -> Iterator[Turn]:
        """Open a transaction that takes no turn and gives no numbers: for rows that are no history; write first.

        Raises
        ------
        StoreError
            When the database does not take it; it may be tried again.
        """
        with _as_store_error("write"), self._engine.begin() as connection:
            yield Turn(connection, self._wall())

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a transaction for queries.

        Raises
        ------
        StoreError
            When the database does not answer.
        """
        with _as_store_error("read"), self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


class Turn:
    """One writing transaction."""

    def __init__(self, connection: sa.Connection, wall_ms: int) -> None:
        self.connection, self.wall_ms = connection, wall_ms
        self._insert = _INSERT[connection.dialect.name]

    def next_numbers(self, count: int) -> range:
        """Return so many new numbers for steps, greater than all before."""
        stated = sa.update(t.turn).values(number=t.turn.c.number + count).returning(t.turn.c.number)
        newest = int(self.connection.execute(stated).scalar_one())
        return range(newest - count + 1, newest + 1)

    def offsets(self, log_id: str, topic: str) -> dict[int, int]:
        """Return partition → offset of the next message; empty for a log never read."""
        c = t.source_offset.c
        query = sa.select(c.partition, c.offset).where(c.log_id == log_id, c.topic == topic)
        return {int(partition): int(offset) for partition, offset in self.connection.execute(query)}

    def move_offsets(self, log_id: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Note up to where partitions were taken."""
        rows = [
            {"log_id": log_id, "topic": topic, "partition": partition, "offset": offset}
            for partition, offset in offsets.items()
        ]
        self.upsert(t.source_offset, rows)

    def load(self, floors: Mapping[SeriesKey, int], floor_ms: int) -> Sequence[Series]:
        """Return what is kept of these series from ``floor_ms`` on; see `alerts.keeper.Shelf`."""
        found = {key: Series(key=key, floor=floor, through=None, points={}, events={}) for key, floor in floors.items()}
        for some in _parts(sorted(floors), _KEYS_AT_ONCE):
            for row in self.connection.execute(sa.select(t.series).where(_is_one_of(t.series, some))):
                found[SeriesKey(row.rule, row.site, row.factor)].through = row.through
            for row in self.connection.execute(
                sa.select(t.verdict).where(_is_one_of(t.verdict, some), t.verdict.c.start >= floor_ms)
            ):
                point = msgspec.json.decode(row.point, type=Point)
                found[SeriesKey(row.rule, row.site, row.factor)].points[point.start, point.window] = point
            for row in self.connection.execute(
                sa.select(t.event)
                .where(_is_one_of(t.event, some), t.event.c.last > floor_ms)
                .order_by(t.event.c.number)
            ):
                found[SeriesKey(row.rule, row.site, row.factor)].events[row.id] = event_of(row)
        return tuple(found.values())

    def with_before(self, keys: Collection[SeriesKey], floor_ms: int) -> Collection[SeriesKey]:
        """Return which of these series have rows before an instant that are not fine."""
        s, v = t.series.c, t.verdict.c
        old = (v.start < floor_ms) & (v.verdict > 0)
        mine = sa.and_(v.rule == s.rule, v.site == s.site, v.factor == s.factor)
        found: set[SeriesKey] = set()
        for some in _parts(sorted(keys), _KEYS_AT_ONCE):
            before = sa.select(sa.literal(1)).where(mine, old).correlate(t.series).exists()
            told = sa.select(s.rule, s.site, s.factor, before.label("old")).where(_is_one_of(t.series, some))
            rows = {SeriesKey(row.rule, row.site, row.factor): bool(row.old) for row in self.connection.execute(told)}
            found |= {key for key, is_old in rows.items() if is_old}
            if unsettled := [key for key in some if key not in rows]:  # parts of periods at most
                parts = sa.select(v.rule, v.site, v.factor).where(_is_one_of(t.verdict, unsettled), old).distinct()
                found |= {SeriesKey(row.rule, row.site, row.factor) for row in self.connection.execute(parts)}
        return found

    def earlier(self, key: SeriesKey, start_ms: int, end_ms: int) -> Mapping[str, int]:
        """Return the live events of a series that start within a span: id → start."""
        c = t.event.c
        live = c.fact.in_([Fact.GOING_ON.value, Fact.CLEARED.value])
        query = sa.select(c.id, c.start).where(_is_one_of(t.event, [key]), c.start >= start_ms, c.start < end_ms, live)
        return {row.id: int(row.start) for row in self.connection.execute(query)}

    def save(self, series: Iterable[Series], steps: Sequence[Step]) -> None:
        """Write what is fresh of the series, and the steps with their events."""
        touched = tuple(series)
        self.upsert(
            t.verdict,
            [
                {**one.key._asdict(), "start": point.start, "window": point.window, "verdict": int(point.verdict),
                 "point": msgspec.json.encode(point).decode()}
                for one in touched
                for point in one.fresh_points.values()
            ],
        )  # fmt: skip
        self.upsert(t.series, [{**one.key._asdict(), "through": one.through} for one in touched if one.fresh_through])
        if steps:
            self._save_events(steps)

    def add_step(self, row: Mapping[str, Any]) -> None:
        """Add one step of a person's act."""
        self.connection.execute(sa.insert(t.event_step), [dict(row)])

    def _save_events(self, steps: Sequence[Step]) -> None:
        told = [step for step in steps if step.changed.change is not None]
        numbered = list(zip(self.next_numbers(len(told)), told, strict=True)) if told else []
        raised = {step.changed.event.id: number for number, step in numbered if step.changed.before is None}
        newest = {step.changed.event.id: number for number, step in numbered}
        again = {step.changed.event.id for step in told if step.changed.change is Change.RAISED_AGAIN}
        states = {step.changed.event.id: step.changed.event for step in steps}
        self._insert_events([(states[event], number) for event, number in raised.items()])
        for event in states.values():
            if event.id not in raised:
                self._update_event(event, newest.get(event.id), raised_again=event.id in again)
        if newest:
            changed = (
                sa.update(t.event).where(t.event.c.id == sa.bindparam("b_id")).values(changed=sa.bindparam("b_changed"))
            )
            self.connection.execute(changed, [{"b_id": event, "b_changed": number} for event, number in newest.items()])
        if numbered:
            self.connection.execute(
                sa.insert(t.event_step), [self._step_row(number, step) for number, step in numbered]
            )

    def _insert_events(self, raised: Sequence[tuple[Event, int]]) -> None:
        if raised:
            rows = [
                {**_machine_columns(event), **event.key._asdict(), "id": event.id, "kind": event.kind.value,
                 "window": event.window, "state": State.RAISED.value, "number": number,
                 "changed": number, "noticed_at": self.wall_ms}
                for event, number in raised
            ]  # fmt: skip
            self.connection.execute(sa.insert(t.event), rows)

    def _update_event(self, event: Event, changed: int | None, *, raised_again: bool) -> None:
        """Write the rule's columns; the state is people's, but for an event that is raised again."""
        values = _machine_columns(event)
        if raised_again:
            values |= {"state": State.RAISED.value, "noticed_at": self.wall_ms} | dict.fromkeys(_SIGNATURES)
        if changed is not None:
            values["changed"] = changed
        self.connection.execute(sa.update(t.event).where(t.event.c.id == event.id).values(values))

    def _step_row(self, number: int, step: Step) -> dict[str, Any]:
        event = step.changed.event
        return {
            "number": number,
            "event": event.id,
            "revision": event.revision,
            "kind": _kind(step),
            "author": MACHINE,
            "at": step.at,
            "noticed_at": self.wall_ms,
            "reason": "",
            "evidence": msgspec.json.encode(
                {
                    "now": _evidence(event),
                    "before": None if step.changed.before is None else _evidence(step.changed.before),
                }
            ).decode(),
        }

    def add_missing(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, but for those whose keys are there already; each row has every column."""
        if rows:
            self.connection.execute(self._insert(table).on_conflict_do_nothing(), list(rows))

    def upsert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, or take them in place of those with their keys; each row has every column."""
        if not rows:
            return
        stated = self._insert(table)
        others = {column.name: stated.excluded[column.name] for column in table.columns if not column.primary_key}
        keys = [column.name for column in table.primary_key.columns]
        self.connection.execute(stated.on_conflict_do_update(index_elements=keys, set_=others), list(rows))


def open_journal(url: str, wall: Callable[[], int]) -> Journal:
    """Connect to a database and make the tables that are missing.

    Parameters
    ----------
    url
        SQLAlchemy address: ``sqlite:///file`` or ``postgresql+psycopg://…``.
    wall
        The wall clock, milliseconds UTC; it dates only when something was noticed.

    Raises
    ------
    StoreError
        When the database does not answer.
    """
    engine = sa.create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    try:
        with _as_store_error("open"), engine.begin() as connection:
            _make_tables(connection)
            first = _INSERT[engine.dialect.name](t.turn).values(id=1, number=0)
            connection.execute(first.on_conflict_do_nothing())
    except StoreError:
        engine.dispose()
        raise
    return Journal(engine, wall)


def _make_tables(connection: sa.Connection) -> None:
    """Make what is missing; several processes may do so at once, beside others that write."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKING)))
    look = sa.inspect(connection)
    # even "if not exists" locks the table of an index: beside a writer that ends in a deadlock
    held = set(look.get_table_names())
    for table in t.metadata.sorted_tables:
        if table.name in held:  # its indexes were made in the same transaction
            _add_columns(connection, table, {column["name"] for column in look.get_columns(table.name)})
            continue
        connection.execute(CreateTable(table, if_not_exists=True))
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            connection.execute(CreateIndex(index, if_not_exists=True))


def _add_columns(connection: sa.Connection, table: sa.Table, held: set[str]) -> None:
    """Add the columns that a table of an earlier version lacks; each has a default for the rows that are there."""
    prepare = connection.dialect.identifier_preparer
    for column in table.columns:
        if column.name not in held:
            told = CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(sa.text(f"ALTER TABLE {prepare.format_table(table)} ADD COLUMN {told}"))


def tallies(connection: sa.Connection, events: Sequence[Event]) -> Mapping[str, Tally]:
    """Return on how many days the series of events were over, as known now; by event, for those that have a tally."""
    wanted = {event.id: event for event in events if is_tallied(event)}
    if not wanted:
        return {}
    v = t.verdict.c
    first = min(since(event.last) for event in wanted.values())
    starts: dict[SeriesKey, list[int]] = {}
    for some in _parts(sorted({event.key for event in wanted.values()}), _KEYS_AT_ONCE):
        query = sa.select(v.rule, v.site, v.factor, v.start).where(
            _is_one_of(t.verdict, some), v.start >= first, v.verdict == int(Verdict.OVER)
        )
        for row in connection.execute(query):
            starts.setdefault(SeriesKey(row.rule, row.site, row.factor), []).append(int(row.start))
    return {name: tally(starts.get(event.key, ()), event.last) for name, event in wanted.items()}


def event_of(row: sa.Row[Any]) -> Event:
    """Return a row of the event table as an event."""
    return Event(
        id=row.id,
        key=SeriesKey(row.rule, row.site, row.factor),
        kind=Kind(row.kind),
        window=row.window,
        start=row.start,
        last=row.last,
        end=row.end,
        raised_at=row.raised_at,
        raised_by=msgspec.json.decode(row.raised_by, type=Point),
        peak=msgspec.json.decode(row.peak, type=Point),
        to_verify=row.to_verify,
        backfilled=row.backfilled,
        fact=Fact(row.fact),
        fact_at=row.fact_at,
        joined_to=row.joined_to,
        state=State(row.state),
        revision=row.revision,
        hint=row.hint,
        unconfirmed=row.unconfirmed,
        priority=row.priority,
        crossings=msgspec.json.decode(row.crossings, type=tuple[Crossing, ...]),
        covers=tuple(name for name in row.covers.split(",") if name),
        recurs=row.recurs,
        recurrence=row.recurrence,
    )


def _machine_columns(event: Event) -> dict[str, Any]:
    return {
        "start": event.start,
        "last": event.last,
        "end": event.end,
        "raised_at": event.raised_at,
        "raised_by": msgspec.json.encode(event.raised_by).decode(),
        "peak": msgspec.json.encode(event.peak).decode(),
        "to_verify": event.to_verify,
        "backfilled": event.backfilled,
        "fact": event.fact.value,
        "fact_at": event.fact_at,
        "joined_to": event.joined_to,
        "revision": event.revision,
        "hint": event.hint,
        "unconfirmed": event.unconfirmed,
        "priority": event.priority,
        "crossings": msgspec.json.encode(event.crossings).decode(),
        "covers": f",{','.join(event.covers)}," if event.covers else "",
        "recurs": event.recurs,
        "recurrence": event.recurrence,
    }


def _evidence(event: Event) -> dict[str, Any]:
    peak = event.peak
    return {
        "start": event.start, "end": event.end, "fact": event.fact.value, "joined_to": event.joined_to,
        "to_verify": event.to_verify, "backfilled": event.backfilled, "hint": event.hint,
        "unconfirmed": event.unconfirmed, "priority": event.priority, "recurs": event.recurs,
        "recurrence": event.recurrence, "crossings": [[one.start, one.last] for one in event.crossings],
        "peak": {"window": peak.window, "start": peak.start, "value": peak.value, "digits": peak.digits,
                 "level": peak.level, "revision": peak.revision, "inputs": peak.inputs},
    }  # fmt: skip


def _kind(step: Step) -> str:
    return "" if step.changed.change is None else step.changed.change.value


def _is_one_of(table: sa.Table, keys: Sequence[SeriesKey]) -> sa.ColumnElement[bool]:
    return sa.tuple_(table.c.rule, table.c.site, table.c.factor).in_([tuple(key) for key in keys])


def _parts(keys: Sequence[SeriesKey], size: int) -> Iterator[Sequence[SeriesKey]]:
    return (keys[place : place + size] for place in range(0, len(keys), size))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@contextmanager
def _as_store_error(what: str) -> Iterator[None]:
    """Turn what a database that is away or full says into a `StoreError`; a fault of ours stays what it is."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as cause:
        raise StoreError(f"the alert journal could not {what}: {type(cause).__name__}") from cause
