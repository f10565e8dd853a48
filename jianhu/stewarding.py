"""The steward's process: followers of the alerts' history in one thread, delivery of messages in another."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from jianhu.parts import load_alert_cases, load_alert_modes, load_alert_people, load_alert_rules, wall_ms

if TYPE_CHECKING:
    from alerts.events import Event
    from alerts.journal import Journal, Turn
    from alerts.notices.policy import Policy
    from alerts.notify.delivery import Deliverer
    from alerts.notify.sendingfile import Sending
    from alerts.steward import Follower
    from alerts.subjects import Subject
    from jianhu.assembly import Assembly
    from jianhu.settings import Settings

log = logging.getLogger(__name__)
LIVES: Final = ("cases", "notices", "delivery")
"""What leaves signs of life; see `alerts.steward.seen`."""
_LONGEST_NAME: Final = 64
"""Characters that an event's site may have."""
_LOWER: Final = 5
"""How much lower than the others its process stands beside an embedded broker: nobody's first page waits for it."""


def load_alert_notices(parts: Assembly) -> Policy:
    """Return how people are told: what is delivered, and over it the office's own file when there is one."""
    from alerts.notices.policyfile import load_notice_policy  # noqa: PLC0415

    path = parts.settings.notices_path
    persons = tuple(load_alert_people(parts).persons)
    return load_notice_policy(path if path.exists() else None, persons)


def load_alert_sending(parts: Assembly, *, reach: bool = False) -> Sending:
    """Return by which channels and in which words people are told."""
    from alerts.notify.sendingfile import load_sending  # noqa: PLC0415

    path = parts.settings.notices_path
    return load_sending(path if path.exists() else None, synthetic=parts.registry.synthetic, reach=reach)


def console_address(settings: Settings, sending: Sending) -> str:
    """Return where people reach the console: as the notices file says, else on this machine."""
    here = f"http://127.0.0.1:{settings.console_port}" if settings.console_host == "127.0.0.1" else ""
    return sending.console or here


def followers_of(parts: Assembly, sending: Sending) -> list[Follower]:
    """Return who follows the history: cases first, so that a notice can name the case of its event."""
    from alerts.cases.keeper import CaseKeeper  # noqa: PLC0415
    from alerts.cases.sharing import sharing_of  # noqa: PLC0415
    from alerts.notices.planner import NoticePlanner, NoticeSetup  # noqa: PLC0415
    from alerts.subjects import subject_of  # noqa: PLC0415

    rules, registry, policy = load_alert_rules(parts), parts.registry, load_alert_cases(parts)

    def subject(event: Event) -> Subject:
        return subject_of(event, rules, registry, wall_ms())

    setup = NoticeSetup(
        policy=load_alert_notices(parts),
        people=load_alert_people(parts),
        rules=rules,
        registry=registry,
        calendar=policy.calendar,
        modes=load_alert_modes(parts),
        channels=tuple(sending.channels),
    )
    return [CaseKeeper(policy, subject, sharing_of(setup.people)), NoticePlanner(setup)]


class Unreachable:
    """Raises an event about the system while a channel, or one recipient of it, takes nothing."""

    def lost(self, turn: Turn, name: str, reason: str, now: int) -> None:
        """Raise it; one that goes on already stays as it is."""
        from alerts.standing import raise_standing  # noqa: PLC0415
        from alerts.standings import Standing  # noqa: PLC0415

        raise_standing(turn, Standing.CHANNEL_AWAY, name[:_LONGEST_NAME], reason, now)

    def found(self, turn: Turn, name: str, now: int) -> None:
        """End it."""
        from alerts.standing import clear_standing  # noqa: PLC0415
        from alerts.standings import Standing  # noqa: PLC0415

        clear_standing(turn, Standing.CHANNEL_AWAY, name[:_LONGEST_NAME], now)


def deliverer_of(parts: Assembly, sending: Sending, journal: Journal) -> Deliverer:
    """Return what sends: the channels with their secrets, and the words."""
    from alerts.notify.delivery import Deliverer  # noqa: PLC0415
    from alerts.notify.making import make_routes  # noqa: PLC0415
    from alerts.notify.receipts import new_token  # noqa: PLC0415
    from alerts.notify.wording import Wording  # noqa: PLC0415

    routes = make_routes(sending.channels, parts.settings.dir, os.environ, wall_ms)
    wording = Wording(
        sending.templates,
        console_address(parts.settings, sending),
        lambda delivery: new_token(journal, delivery, wall_ms()),
    )
    return Deliverer(journal, routes, message_of=wording.message_of, unreachable=Unreachable(), wall_ms=wall_ms)


def run_steward(parts: Assembly, stop: threading.Event) -> None:
    """Follow the history and deliver until told to stop; when one of both fails, the other ends too.

    Raises
    ------
    ConfigError
        When rules, people, cases, notices, templates or a secret are wrong.
    ExceptionGroup
        What went wrong in either.
    """
    from alerts.journal import open_journal  # noqa: PLC0415
    from alerts.steward import Steward  # noqa: PLC0415

    if parts.settings.lag_gate:
        os.nice(_LOWER)
    sending = load_alert_sending(parts)
    followers = followers_of(parts, sending)
    journal = open_journal(parts.settings.alerts_database, wall_ms)
    try:
        deliverer = deliverer_of(parts, sending, journal)
        run_together([partial(Steward(journal, followers, wall_ms).run, stop), partial(deliverer.run, stop)], stop)
    finally:
        journal.close()


def run_together(works: list[Callable[[], None]], stop: threading.Event) -> None:
    """Run works, each in a thread, until all have ended; one that fails stops the others.

    Raises
    ------
    ExceptionGroup
        What they raised.
    """
    faults: list[Exception] = []

    def watched(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as fault:
            log.exception("%s ended", work)
            faults.append(fault)
        finally:
            stop.set()

    threads = [threading.Thread(target=watched, args=(work,), name=f"steward-{n}") for n, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise ExceptionGroup("the steward failed", faults)
