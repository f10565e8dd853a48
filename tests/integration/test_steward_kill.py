"""The steward killed at random moments: no notice is missed, and no more are repeated than the stated bound."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

from alerts.journal import Journal, open_journal
from alerts.notices.tables import delivery
from alerts.notify.delivery import in_flight_most
from alerts.notify.making import make_routes
from alerts.notify.pauses import Delivered
from alerts.notify.sendingfile import load_sending
from alerts.notify.webhook import IDEMPOTENCY
from alerts.standing import raise_standing
from alerts.standings import Standing
from jianhu.parts import wall_ms
from tests.collectors import Asked, Collector, Said, web_collector
from tests.integration.running import ROOT, System, system, wait_for

pytestmark = pytest.mark.integration
SYNTHETIC: Final = ROOT / "simulators" / "data" / "shangyu"
SOAK: Final = bool(os.environ.get("JIANHU_SOAK"))
KILLS: Final = {"sqlite": 60, "postgresql": 60} if SOAK else {"sqlite": 2, "postgresql": 1}
EACH: Final = 10
"""Events raised before each kill, and after the last."""
NOTICES: Final = """
grouping:
  - {{match: [], group_by: [site, rule], group_wait: 1s, group_interval: 5m, repeat_interval: 1d}}
inhibit: []
quiet: []
digests: []
channels:
  file:
    webhook: {{url: "{url}/hook", secret: {{file: "{secret}"}}}}
    timeout_s: 0.3
    retry_s: 0.2
    retry_most_s: 0.5
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'alerts.sqlite'}"
    server = sa.make_url(request.getfixturevalue("postgres"))
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("drop database if exists steward"))
        connection.execute(sa.text("create database steward"))
    engine.dispose()
    return server.set(database="steward").render_as_string(hide_password=False)


@dataclass
class Killer:
    """Answers 200, 500, 429 or by drops, the same at each run; at a random request it kills whom it is told to.

    The request at which it kills is answered with success all the same: it was taken, and nobody could mark it.
    """

    chance: random.Random
    victim: subprocess.Popen[bytes] | None = None
    left: int = 0

    def __call__(self, _: Asked) -> Said:
        self.left -= 1
        if self.victim is not None and self.left <= 0:
            self.victim.kill()
            self.victim = None
            return Said()
        return self.chance.choice(_SAID)


_SAID: Final = [Said()] * 12 + [Said(status=500), Said(status=429, headers={"Retry-After": "0"}), Said(drops=True)]


def _configure(folder: Path, collector: Collector) -> int:
    """Write the configuration; return the stated bound on messages in flight."""
    folder.mkdir()
    for name in ("registry.yaml", "people.yaml"):
        shutil.copy(SYNTHETIC / name, folder / name)
    (folder / "secret").write_text("shared", encoding="utf-8")
    text = NOTICES.format(url=collector.url, secret=folder / "secret")
    (folder / "notices.yaml").write_text(text, encoding="utf-8")
    sending = load_sending(folder / "notices.yaml", synthetic=True)
    return in_flight_most(make_routes(sending.channels, folder, {}, wall_ms))


def _raise(journal: Journal, numbers: range) -> None:
    for number in numbers:
        with journal.writing() as turn:
            raise_standing(turn, Standing.LINE_SILENT, f"line-{number}", "silent", wall_ms())


def _kill_again_and_again(made: System, journal: Journal, killer: Killer, kills: int) -> None:
    for number in range(kills):
        process = made.start("steward")
        _raise(journal, range(number * EACH, (number + 1) * EACH))
        killer.left, killer.victim = killer.chance.randrange(1, 10), process
        process.wait(60)
        assert process.returncode == -signal.SIGKILL, made.told()


def _open(journal: Journal) -> int:
    done = [Delivered.SENT.value, Delivered.RECEIVED.value]
    with journal.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).where(delivery.c.state.not_in(done))).scalar_one())


def test_a_killed_steward_misses_no_notice_and_repeats_no_more_than_was_in_flight(address: str, tmp_path: Path) -> None:
    folder, kills = tmp_path / "data", KILLS[sa.make_url(address).get_backend_name()]
    environment = {"JIANHU_DIR": str(folder), "JIANHU_ALERTS_URL": address}
    killer, journal = Killer(random.Random(5)), open_journal(address, wall_ms)  # noqa: S311 - no secret
    try:
        with (
            web_collector() as collector,
            system(environment, tmp_path / "logs") as made,
        ):
            collector.answer = killer
            bound = _configure(folder, collector)
            _kill_again_and_again(made, journal, killer, kills)
            _raise(journal, range(kills * EACH, (kills + 1) * EACH))
            last = made.start("steward")
            lines = {f"line-{number}" for number in range((kills + 1) * EACH)}
            wait_for(lambda: f"every notice\n{made.told()}", lambda: lines <= _told(collector), 60)
            wait_for("every mark", lambda: _open(journal) == 0, 60)
            last.terminate()
            assert last.wait(30) == 0
        with journal.reading() as connection:
            rows = {row.id: row for row in connection.execute(sa.select(delivery))}
    finally:
        journal.close()
    taken = Counter(asked.headers[IDEMPOTENCY.lower()] for asked in _taken(collector))
    assert set(taken) == set(rows)
    repeats = sum(taken.values()) - len(taken)
    assert 1 <= repeats <= kills * bound
    assert all(asked.json["synthetic"] and "模拟数据" in asked.json["text"] for asked in collector.asked)


def _taken(collector: Collector) -> list[Asked]:
    """Return the requests that were answered with success: the others were repeated because they had to be."""
    both = zip(list(collector.asked), list(collector.said), strict=False)
    return [asked for asked, said in both if said.status == 200 and not said.drops]


def _told(collector: Collector) -> set[str]:
    return {event["site"] for asked in _taken(collector) for event in asked.json["payload"]["events"]}
