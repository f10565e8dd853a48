"""A console that listens on loopback over files, and a browser in front of it."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect, sync_playwright

from alerts.cases.keeper import CaseKeeper
from alerts.cases.policyfile import load_case_policy
from alerts.columns import columns_of
from alerts.desk import Desk
from alerts.events import Event
from alerts.journal import Journal, open_journal
from alerts.keeper import Keeper
from alerts.rules import Rules, load_rules
from alerts.steward import Steward
from alerts.subjects import Subject, subject_of
from alerts.verdicts import Judge
from dashboards.app import create_console
from dashboards.office import office_of
from dashboards.server import ConsoleServer
from dashboards.settings import ConsoleSettings
from sensors.registry import Registry
from streams.standards import load_standards
from streams.store.sqlite import SqliteStore
from tests.unit.alerts.building import RULES_FILE
from tests.unit.dashboards.building import HEAD, Away, batch

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
             "--disable-component-update", "--disable-sync")  # fmt: skip


class Listening(ConsoleServer):
    """The console's server, which says when it listens."""

    def __init__(self, app: FastAPI, settings: ConsoleSettings) -> None:
        super().__init__(app, settings)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@dataclass(slots=True, kw_only=True)
class Desktop:
    """The files of a system, and the console over them while it runs."""

    folder: Path
    registry: Registry
    settings: ConsoleSettings
    wall: int
    store: Away = field(init=False)
    journal: Journal = field(init=False)
    address: str = ""
    _server: ConsoleServer | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Open the files and listen; on the port of before when it ran already."""
        self.store = Away(SqliteStore(self.folder / "results.db"))
        self.journal = open_journal(f"sqlite:///{self.folder}/alerts.db", lambda: self.wall)
        app = create_console(
            self.store,
            Desk(self.journal),
            self.registry,
            load_standards(),
            self.settings,
            wall=lambda: self.wall,
            office=office_of(self.journal, self.registry, load_case_policy()),
        )
        server = Listening(app, self.settings)
        self._server, self._thread = server, threading.Thread(target=server.run, daemon=True)
        self._thread.start()
        assert server.up.wait(20)
        self.address = server.address
        self.settings = dataclasses.replace(self.settings, port=int(self.address.rsplit(":", 1)[1]))

    def stop(self) -> None:
        """Stop listening and close the files; pages that listen do not hold it up."""
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()
        self.journal.close()
        self.store.inner.close()

    def say(self, *rows: dict[str, Any]) -> None:
        """Let the stream say results: into the store and to the alerts."""
        said = batch(rows)
        self.store.inner.write(said, HEAD)
        rules = load_rules(RULES_FILE)
        keeper = Keeper(Judge(rules, self.registry, load_standards()), rules)
        with self.journal.writing() as turn:
            keeper.take(columns_of(said, "pack", "air"), turn)
            keeper.save(turn)

    def settle(self) -> None:
        """Let the steward keep the cases."""
        rules = load_rules(RULES_FILE)
        subject = partial(_subject, rules, self.registry)
        steward = Steward(self.journal, [CaseKeeper(load_case_policy(), subject)], lambda: self.wall)
        while steward.once():
            pass

    def tick(self) -> None:
        self.store.inner.note_tick("air", 0, self.wall, self.wall)


def _subject(rules: Rules, registry: Registry, event: Event) -> Subject:
    return subject_of(event, rules, registry, event.start)


@contextmanager
def desktop(folder: Path, registry: Registry, wall: int, **settings: Any) -> Iterator[Desktop]:
    """Yield a console that runs."""
    made = Desktop(
        folder=folder, registry=registry, wall=wall, settings=ConsoleSettings(port=0, poll_ms=100, **settings)
    )
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def browser(chromium: Path) -> Iterator[Browser]:
    """Yield a Chromium without a window."""
    expect.set_options(timeout=30_000)
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        try:
            yield started
        finally:
            started.close()


def watched(page: Page) -> list[str]:
    """Return a list that fills with what the browser complains of: faults, refused scripts, lost files."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    return said
