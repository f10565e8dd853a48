"""The rain gate in the watch, on a broker and a database: killed anywhere, its journal is that of one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import journal as journals
from alerts.gates.keeper import WINDOW_MS, GateKeeper
from alerts.gates.rulefile import load_gate_rule
from alerts.gates.tables import gate_decision
from alerts.journal import Journal, open_journal
from alerts.watch import Progress, WatchSettings, run_alerts
from sensors.frames import encode_tick
from sensors.partition import partition_of
from streams.standards import load_standards
from tests.integration.test_alerts_watch import broker, reached, send
from tests.unit.alerts.building import T0, message, only
from tests.unit.alerts.gates.test_keeper import WET, registry, said

__all__ = ["broker"]
pytestmark = pytest.mark.integration
OWN = partition_of("G", 4)
"""The outlet's own partition of the embedded broker's four."""
ALL = (
    ("refuse", "dry"), ("refuse", "first_rain"), ("refuse", "first_rain"), ("allow", "passed"), ("allow", "passed"),
    ("refuse", "failed"), ("refuse", "no_rain_data"),
)  # fmt: skip


def rain() -> list[bytes]:
    """Return windows and ticks of a dry window, four of rain, one that fails, and half an hour of silence."""
    told: list[bytes] = []
    for number in range(6):
        values: dict[str, float | None] = {"rain": 0.0} if number == 0 else dict(WET)
        if number == 5:
            values["COD"] = 99.0
        told += [
            message(*said(number, values), network="outfall"),
            encode_tick(T0 + (number + 1) * WINDOW_MS),
        ]
    return [*told, encode_tick(T0 + 9 * WINDOW_MS)]


class Killed(Exception):
    """Raised within a watch where the test kills it."""


class _Dying(Journal):
    """A journal whose user dies before its n-th transaction is committed."""

    def __init__(self, real: Journal, after: int) -> None:
        super().__init__(real._engine, real._wall)
        self._left = after

    @contextmanager
    def writing(self) -> Iterator[journals.Turn]:
        with super().writing() as turn:
            yield turn
            self._left -= 1
            if self._left < 0:
                raise Killed


def run(bootstrap: str, topic: str, journal: Journal, offset: int) -> None:
    stop, enough = Flag(), reached(offset, OWN)

    def note(progress: Progress) -> None:
        if enough(progress):
            stop.set()

    run_alerts(
        WatchSettings(
            bootstrap=bootstrap, topics=(topic,), gated=(topic,), group=f"{topic}-group", deadletter=f"{topic}-letters",
            poll_s=0.05, retry_s=0.01, messages_at_once=1,
        ),
        log_id="log", journal=journal, rules=only("pm25-1h"), registry=registry(), standards=load_standards(),
        stop=stop, on_progress=note, gates=GateKeeper(registry(), load_gate_rule()),
    )  # fmt: skip


def told(journal: Journal) -> list[tuple[Any, ...]]:
    c = gate_decision.c
    with journal.reading() as connection:
        query = sa.select(c.at, c.ruling, c.why, c.evidence).order_by(c.number)
        return [tuple(one) for one in connection.execute(query)]


def test_a_watch_that_is_killed_again_and_again_keeps_the_journal_of_one_run(broker: str, tmp_path: Path) -> None:
    messages = rain()
    whole, cut = (open_journal(f"sqlite:///{tmp_path}/{name}.db", lambda: 7) for name in ("whole", "cut"))
    with closing(whole), closing(cut):
        send(broker, "gate-whole", *messages, partition=OWN)
        run(broker, "gate-whole", whole, len(messages))
        send(broker, "gate-cut", *messages, partition=OWN)
        for after in (3, 1, 4, 2):
            with pytest.raises(Killed):
                run(broker, "gate-cut", _Dying(cut, after), len(messages))
        run(broker, "gate-cut", cut, len(messages))
        assert [one[1:3] for one in told(whole)] == list(ALL)
        assert told(cut) == told(whole)
