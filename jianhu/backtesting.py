"""Back-test of rules: what they would have raised on stored results, beside what the rules in force raise.

Both judge the same rows, hour by hour in the order of time, each with a journal in memory; nothing is written and
nobody is told. The rows are those that stand now: of what was revised since, the newest revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import pyarrow as pa

from alerts import tables as t
from alerts.columns import columns_of
from alerts.events import Event, Fact
from alerts.journal import event_of, open_journal
from alerts.keeper import Keeper
from alerts.modes import NO_MODES, Modes
from alerts.periods import Cadence
from alerts.rules import Kind, NetworkOf, Rules
from alerts.verdicts import Judge
from sensors.registry import Registry
from streams.results import RESULT_SCHEMA, Window
from streams.standards import Standards
from streams.store.contract import ResultStore

_LIVE: Final = (Fact.GOING_ON, Fact.CLEARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One slice of stored results that is judged: a window of a kind of readings, at one start."""

    start: int
    """Milliseconds UTC."""
    network: str
    window: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one rule raised, before and after."""

    rule: str
    before: int
    """Events under the rules in force; 0 where they have no such rule."""
    after: int
    same: int
    """Events of both that are of one site and factor and share time."""
    hours_before: float
    """Hours over, of all its events."""
    hours_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What both sets of rules raised."""

    rows: tuple[Row, ...]
    """By rule."""
    gone: tuple[Event, ...]
    """Events of the rules in force that the others do not raise, in order of time."""
    new: tuple[Event, ...]
    """Events of the others alone."""

    @property
    def total(self) -> Row:
        """The sums of all rules."""
        return Row(
            rule="",
            before=sum(row.before for row in self.rows),
            after=sum(row.after for row in self.rows),
            same=sum(row.same for row in self.rows),
            hours_before=sum(row.hours_before for row in self.rows),
            hours_after=sum(row.hours_after for row in self.rows),
        )


def looks(rules: Sequence[Rules], network_of: NetworkOf, start_ms: int, end_ms: int) -> tuple[Look, ...]:
    """Return every slice that any of the rules looks at, for start_ms ≤ start < end_ms, in order of time."""
    found: set[Look] = set()
    for rule in (rule for some in rules for rule in some.rules):
        windows = {rule.window, *rule.windows}
        if rule.kind is Kind.LIMIT and rule.window == Window.MDA8:
            windows.add(Window.O3_8H)
        slot_ms = network_of(rule.network).slot_ms
        for window in windows:
            cadence = Cadence.of(window, slot_ms)
            first = cadence.number(start_ms - 1) + 1
            for number in range(first, cadence.number(end_ms - 1) + 1):
                found.add(Look(start=cadence.start_ms(number), network=rule.network, window=str(window)))
    return tuple(sorted(found, key=lambda one: (one.start, one.network, one.window)))


class Trial:
    """Rules on trial: rows in, events out; a journal of its own in memory."""

    def __init__(
        self,
        rules: Rules,
        registry: Registry,
        standards: Standards,
        network_of: NetworkOf,
        modes: Modes = NO_MODES,
    ) -> None:
        self._journal = open_journal("sqlite://", lambda: 0)
        self._keeper = Keeper(Judge(rules, registry, standards, network_of, modes), rules)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._journal.close()

    def take(self, rows: pa.RecordBatch, network: str) -> None:
        """Judge one slice."""
        with self._journal.writing() as turn:
            self._keeper.take(columns_of(rows, "stored", network), turn)
            self._keeper.save(turn)

    def events(self) -> tuple[Event, ...]:
        """Return the live events, in order of time."""
        c = t.event.c
        query = t.event.select().where(c.fact.in_([fact.value for fact in _LIVE])).order_by(c.start, c.id)
        with self._journal.reading() as connection:
            return tuple(event_of(row) for row in connection.execute(query))


def play(store: ResultStore, plan: Sequence[Look], trials: Sequence[Trial]) -> Iterator[Look]:
    """Give each slice of a plan to all trials; yield it when it is done.

    Raises
    ------
    StoreError
        When the store does not answer.
    """
    for look in plan:
        found = store.slice(look.window, look.start, look.network)
        if found.num_rows:
            table = found.select(RESULT_SCHEMA.names).cast(RESULT_SCHEMA).combine_chunks()
            for batch in table.to_batches():
                for trial in trials:
                    trial.take(batch, look.network)
        yield look


def compare(before: Sequence[Event], after: Sequence[Event]) -> Comparison:
    """Hold the events of the rules in force against those of others."""
    names = sorted({event.key.rule for event in (*before, *after)})
    rows = []
    for name in names:
        mine = [event for event in before if event.key.rule == name]
        others = [event for event in after if event.key.rule == name]
        rows.append(
            Row(
                rule=name, before=len(mine), after=len(others), same=sum(_is_among(event, others) for event in mine),
                hours_before=_hours(mine), hours_after=_hours(others),
            )
        )  # fmt: skip
    return Comparison(
        rows=tuple(rows),
        gone=tuple(event for event in before if not _is_among(event, after)),
        new=tuple(event for event in after if not _is_among(event, before)),
    )


def _is_among(event: Event, others: Sequence[Event]) -> bool:
    return any(other.key == event.key and other.start < event.last and event.start < other.last for other in others)


def _hours(events: Sequence[Event]) -> float:
    return sum(event.duration_ms for event in events) / 3_600_000
