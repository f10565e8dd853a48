"""The evaluation ``combination``: what the truth tables of a kind say of each slot and day.

The rows of a table have its id as factor. Of a slot the value is 1 where something was found and 0 where all is fine;
of a day it is the number of slots in which something was found. The level is that of discharge: a finding, a hint for a
suspicion, none where the conditions that are known do not decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.errors import UnknownName
from sensors.factors import Factor
from sensors.kinds import Kind
from sensors.registry import Site
from sensors.tables import TableOutcome, Truth, TruthTable
from sensors.windows import Span
from streams.combining.details import told
from streams.combining.truths import cells
from streams.discharge.judgement import Level
from streams.discharge.loads import of_day
from streams.judging.hashing import windowed
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import INCOMPLETE, MISSING_ITEM, NOT_IN_PLAN, OK, SILENT, UNSET
from streams.judging.registered import JudgingContext

_LEVELS: Final[Mapping[TableOutcome, Level]] = {
    TableOutcome.FINE: Level.WITHIN,
    TableOutcome.SUSPICION: Level.HINT,
    TableOutcome.FINDING: Level.FINDING,
    TableOutcome.UNKNOWN: Level.NOT_JUDGED,
}
_Flags = NDArray[np.bool_]


def combination(context: JudgingContext) -> CombinationEvaluation:
    """Return the evaluation of the tables of a kind."""
    return CombinationEvaluation(context.kind)


class CombinationEvaluation:
    """Says of each slot of a site what the tables of its kind make of it.

    Parameters
    ----------
    kind
        Gives tables, factors and the slot.

    Raises
    ------
    UnknownName
        When the kind has no tables.
    """

    name = "combination"
    editions = ("",)

    def __init__(self, kind: Kind) -> None:
        if not kind.tables:
            raise UnknownName(f"the kind {kind.name}", "tables")
        self._tables = tuple(_Table(table, kind.factors) for table in kind.tables)
        window = kind.of_span(Span.SLOT)[0].name
        self.reach = tuple(one.reach for one in self._tables)
        self.before = max(self.reach)
        self.day_before = self.before
        self.slot_outputs = tuple(
            Output(factor=one.table.id, window=window, digits=0, tell=one.tell) for one in self._tables
        )
        self.day_outputs = tuple(Output(factor=one.table.id, window="24h", digits=0) for one in self._tables)

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:
        """Return what each table says of each slot."""
        return [table.slots(slots, begin, sites) for table in self._tables]

    def day(
        self,
        slots: Slots,
        sites: tuple[Site, ...],
        means: Mapping[tuple[str, str], Block],  # noqa: ARG002  the plan's form
    ) -> list[Block]:
        """Return of each table in how many slots of the day something was found."""
        return [table.day(slots, sites) for table in self._tables]


class _Table:
    """One table as look-ups by cell."""

    def __init__(self, table: TruthTable, factors: Mapping[str, Factor]) -> None:
        self.table, self._factors = table, factors
        self.reach = max(condition.slots for condition in table.conditions) - 1
        self._levels = np.array([_LEVELS[outcome] for outcome in table.outcomes], np.int64)
        self._known = np.array([outcome is not TableOutcome.UNKNOWN for outcome in table.outcomes], np.bool_)
        self._found = self._levels >= Level.HINT
        truths = [table.truths(cell) for cell in range(len(table.outcomes))]
        self._counts = np.array([sum(one is not Truth.UNKNOWN for one in cell) for cell in truths], np.int64)

    def tell(self, codes: NDArray[np.int64]) -> pa.Array:
        """Return the details of cells; of a site that is not meant an empty one."""
        return pa.array(["" if code < 0 else told(self.table, int(code)) for code in codes], pa.utf8())

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> Block:
        meant = self._meant(sites)
        cell = cells(self.table, slots, sites, self._factors)[:, begin:]
        part = slots.from_place(begin)
        inputs = self._inputs(slots)[:, begin:]
        present = meant & self._known[cell]
        return Block.of(
            value=self._found[cell],
            present=present,
            reason=np.where(meant, np.where(present, OK, self._why(part, sites, inputs)), NOT_IN_PLAN),
            valid=np.where(meant, self._counts[cell], 0),
            expected=np.where(meant, len(self.table.conditions), 0),
            detail=np.where(meant, cell, -1),
            marks=np.bitwise_or.reduce(part.marks[:, self._places(part)], axis=1),
            level=np.where(meant, self._levels[cell], Level.NOT_JUDGED),
            inputs=inputs,
        )

    def day(self, slots: Slots, sites: tuple[Site, ...]) -> Block:
        begin, meant = of_day(slots), self._meant(sites)
        cell = cells(self.table, slots, sites, self._factors)[:, begin:]
        known = self._known[cell].sum(axis=1, keepdims=True)
        inputs = np.bitwise_xor.reduce(self._inputs(slots), axis=1, keepdims=True)
        present = meant & (known > 0)
        return Block.of(
            value=self._found[cell].sum(axis=1, keepdims=True),
            present=present,
            reason=np.where(meant, np.where(present, OK, np.where(inputs == 0, SILENT, INCOMPLETE)), NOT_IN_PLAN),
            valid=np.where(meant, known, 0),
            expected=np.where(meant, cell.shape[1], 0),
            level=np.where(meant, self._levels[cell].max(axis=1, keepdims=True), Level.NOT_JUDGED),
            inputs=inputs,
        )

    def _meant(self, sites: tuple[Site, ...]) -> _Flags:
        """Return which sites the table is for, [sites, 1]."""
        where = self.table.where.items()
        return np.array(
            [all(str(site.setting.get(name)) in values for name, values in where) for site in sites], np.bool_
        )[:, None]

    def _why(self, slots: Slots, sites: tuple[Site, ...], inputs: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return why it is not known: no such instrument, a threshold never set, nothing came, or something missing."""
        planned = slots.planned[:, self._places(slots)].all(axis=1) & self._equipped(sites)
        short = np.where(inputs == 0, SILENT, np.where(self._unset(sites), UNSET, MISSING_ITEM))
        return np.where(planned, short, NOT_IN_PLAN)

    def _unset(self, sites: tuple[Site, ...]) -> _Flags:
        """Return which sites do not say a threshold of the table, [sites, 1]."""
        asked = {name for one in self.table.conditions for name in one.settings}
        return np.array([any(site.setting.get(name) is None for name in asked) for site in sites], np.bool_)[:, None]

    def _equipped(self, sites: tuple[Site, ...]) -> _Flags:
        """Return which sites have an instrument for every factor of the table, [sites, 1]."""
        needed = [self._factors[name] for name in self.table.factors]
        return np.array(
            [all(f.symbol in site.measures if site.measures else not f.optional for f in needed) for site in sites],
            np.bool_,
        )[:, None]

    def _places(self, slots: Slots) -> list[int]:
        return [slots.at(factor) for factor in self.table.factors]

    def _inputs(self, slots: Slots) -> NDArray[np.uint64]:
        """Return what went into each slot and those before it that the table looks at; 0 where nothing came."""
        mine = slots.inputs[:, self._places(slots)]
        came = (mine != 0).any(axis=1)
        spans = np.full(slots.number.size, self.reach + 1)
        mixed = windowed(mine.sum(axis=1, dtype=np.uint64), spans)
        return np.where(came, mixed | np.uint64(1), np.uint64(0))
