"""The keeper of gates: rows of results in, decisions into the journal, in the transaction of the watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import sqlalchemy as sa

from alerts.columns import Columns
from alerts.gates import tables as t
from alerts.gates.machine import Decision, Finding, GateRule, GateState, Reading, add, decide
from alerts.gates.rulefile import NETWORK, RAIN
from sensors.clock import MINUTE_MS
from sensors.flags import Mark
from sensors.partition import partition_of
from sensors.registry import Registry

GATE: Final = "gate"
"""The entry of a site's setting that says whether it has a gate."""
WINDOW: Final = "10min"
WINDOW_MS: Final = 10 * MINUTE_MS
DOUBT: Final = Mark.SUSPECT | Mark.UNFLAGGED | Mark.OVER_RANGE | Mark.IMPOSSIBLE | Mark.DIFFERS
"""Marks of a value on which no gate opens."""


class Writing(Protocol):
    """An open transaction of the journal (`alerts.journal.Turn`)."""

    connection: sa.Connection
    wall_ms: int

    def next_numbers(self, count: int) -> range:
        """Return new numbers, greater than all before."""
        ...

    def upsert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows, or take them in place of those with their keys."""
        ...


class GateKeeper:
    """Follows the outlets that have a gate.

    A decision is made at each tick on what was known then, and never made again: late data make another decision at a
    later tick. Only ticks move it, so the same log gives the same journal.

    Parameters
    ----------
    registry
        Outlets with ``gate: true`` in their setting have one, for as long as their entries hold.
    rule
        When a gate may open.
    """

    def __init__(self, registry: Registry, rule: GateRule) -> None:
        self._registry, self._rule = registry, rule
        gated = {site.id for site in registry.of_kind(NETWORK) if site.setting.get(GATE) is True}
        self._sites = tuple(sorted(gated))
        self._states: dict[str, GateState] | None = None
        self._said: dict[str, str] = {}
        self._at: dict[str, int] = {}
        self._touched: set[str] = set()

    def take(self, columns: Columns, turn: Writing) -> None:
        """Take the rows of one message that are about gates."""
        if columns.network != NETWORK or not self._sites:
            return
        states = self._loaded(turn)
        for site, readings in self._readings(columns).items():
            states[site] = add(states.get(site, GateState()), readings, RAIN, self._rule)
            self._touched.add(site)

    def advance(self, at: int, partition: int, partitions: int, turn: Writing) -> int:
        """Decide at a tick of one partition of its results; return how many decisions are new.

        A tick that is not later than the newest one of a gate decides nothing: a log that is read again, or another
        one with the same data, adds nothing to the journal.
        """
        new = [
            (site, decision, told)
            for site, decision in self._decisions(at, partition, partitions, turn)
            if (told := evidence(decision)) != self._said.get(site)
        ]
        numbers = turn.next_numbers(len(new)) if new else range(0)
        for number, (site, decision, told) in zip(numbers, new, strict=True):
            row = {"number": number, "site": site, "at": at, "noticed_at": turn.wall_ms, "evidence": told}
            row |= {"ruling": decision.ruling.value, "why": decision.why.value}
            turn.connection.execute(sa.insert(t.gate_decision), [row])
            self._said[site] = told
            self._touched.add(site)
        return len(new)

    def save(self, turn: Writing) -> None:
        """Write what is known at the gates that were touched."""
        states = self._states or {}
        turn.upsert(
            t.gate,
            [
                {
                    "site": site, "state": encode_state(states.get(site, GateState())), "at": self._at.get(site, -1),
                    "said": self._said.get(site, ""),
                }
                for site in sorted(self._touched)
            ],
        )  # fmt: skip
        self._touched.clear()

    def forget(self) -> None:
        """Forget everything that the database does not hold: the transaction under way was undone."""
        self._states, self._said, self._at = None, {}, {}
        self._touched.clear()

    def _decisions(self, at: int, partition: int, partitions: int, turn: Writing) -> Iterator[tuple[str, Decision]]:
        states = self._loaded(turn)
        for site in self._sites:
            entry = self._registry.get(site, at)
            mine = partition_of(site, partitions) == partition and at > self._at.get(site, -1)
            if mine and entry is not None and entry.setting.get(GATE) is True:
                self._at[site] = at
                self._touched.add(site)
                yield site, decide(states.get(site, GateState()), self._rule, at)

    def _loaded(self, turn: Writing) -> dict[str, GateState]:
        if self._states is None:
            rows = turn.connection.execute(sa.select(t.gate)).all()
            self._states = {row.site: decode_state(row.state) for row in rows}
            self._said = {row.site: row.said for row in rows}
            self._at = {row.site: int(row.at) for row in rows}
        return self._states

    def _readings(self, columns: Columns) -> dict[str, list[Reading]]:
        names = [*self._rule.limits, RAIN]
        mine = np.isin(columns.factors, names)[columns.factor] & np.isin(columns.sites, self._sites)[columns.site]
        mine &= columns.window == columns.window_code(WINDOW)
        found: dict[str, list[Reading]] = {}
        for row in np.flatnonzero(mine).tolist():
            start = int(columns.start[row])
            value = (
                Fraction(int(columns.value[row]), 10 ** int(columns.digits[row])) if columns.has_value[row] else None
            )
            found.setdefault(columns.sites[columns.site[row]], []).append(
                Reading(
                    factor=columns.factors[columns.factor[row]], start=start, end=start + WINDOW_MS, value=value,
                    doubtful=bool(int(columns.flags[row]) & DOUBT), revision=int(columns.revision[row]),
                )
            )  # fmt: skip
        return found


def evidence(decision: Decision) -> str:
    """Return what a decision rests on, as JSON; two decisions with the same are one.

    In dry weather no values count, so that a journal does not grow while nothing happens.
    """
    dry = decision.why.value == "dry"
    told = {
        "ruling": decision.ruling.value,
        "why": decision.why.value,
        "rain_since": decision.rain_since,
        "factors": [] if dry else [_told(one) for one in decision.findings],
    }
    return msgspec.json.encode(told).decode()


def _told(finding: Finding) -> Mapping[str, Any]:
    reading = finding.reading
    return {
        "factor": finding.factor,
        "why": finding.why.value,
        "limit": str(finding.limit),
        "value": None if reading is None or reading.value is None else str(reading.value),
        "start": None if reading is None else reading.start,
        "revision": None if reading is None else reading.revision,
    }


def encode_state(state: GateState) -> str:
    """Return a state as JSON."""
    return msgspec.json.encode([_kept(one) for one in (*state.newest.values(), *state.rain.values())]).decode()


def _kept(one: Reading) -> list[Any]:
    value = None if one.value is None else str(one.value)
    return [one.factor, one.start, one.end, value, one.doubtful, one.revision]


def decode_state(text: str) -> GateState:
    """Return the state of a JSON that `encode_state` made."""
    readings = [
        Reading(
            factor=factor, start=start, end=end, value=None if value is None else Fraction(value), doubtful=doubtful,
            revision=revision,
        )
        for factor, start, end, value, doubtful, revision in msgspec.json.decode(text)
    ]  # fmt: skip
    return GateState(
        newest={one.factor: one for one in readings if one.factor != RAIN},
        rain={one.start: one for one in readings if one.factor == RAIN},
    )
