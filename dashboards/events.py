"""The lists of the alert pages and what every page says of the alerts, asked of the alert desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from alerts.desk import Alert, Desk, Filters, Part
from alerts.rulefile import AIR
from alerts.rules import Kind
from alerts.states import State, WrongTransition
from alerts.subjects import URGENT
from alerts.texts import Language, title
from dashboards.rows import written
from sensors.errors import UnknownName
from sensors.kinds import load_kind
from streams.results import AQI

_NEWEST: Final = 20
"""How many waiting alerts every page knows by id: those that sound."""


class Tab(StrEnum):
    """The lists of the alert page."""

    OPEN = "open"
    """Raised and not acknowledged: what must be done next."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody has it; the value may still be over."""
    CLOSED = "closed"
    BACKFILLED = "backfilled"
    """Raised by data older than a set age: 补录, no sound, no place in "now"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What every page says of the alerts."""

    counts: Mapping[str, int] = field(default_factory=dict)
    """Alerts by tab; closed ones are not counted."""
    open: tuple[Alert, ...] = ()
    """What nobody acknowledged, urgent first and then newest; not all when there are many."""
    newest: tuple[str, ...] = ()
    """Ids of the newest that nobody acknowledged: those that sound."""
    urgent: tuple[str, ...] = ()
    """Of the first ones the urgent: those that sound also when muted."""
    waiting: int = 0
    """What nobody has taken notice of: things of the desk's queue, or alerts where no cases are kept."""
    number: int = 0
    """Of the newest step of all: whatever people or rules do moves it."""


def summary_of(desk: Desk, waiting: Callable[[], int] | None = None) -> Summary:
    """Return what every page says of the alerts.

    Parameters
    ----------
    desk
        Knows the alerts.
    waiting
        Counts what nobody has taken notice of; by default the alerts themselves.

    Raises
    ------
    StoreError
        When the desk's database does not answer.
    """
    now, back = desk.count_open(), desk.count_open(Part.BACKFILLED)
    raised = tuple(alert for alert in desk.open_events(limit=_NEWEST) if alert.event.state is State.RAISED)
    return Summary(
        counts={
            Tab.OPEN: now[State.RAISED],
            Tab.ACKNOWLEDGED: now[State.ACKNOWLEDGED],
            Tab.BACKFILLED: back[State.RAISED],
        },
        open=raised,
        newest=desk.newest_raised(_NEWEST),
        urgent=tuple(alert.id for alert in raised if alert.event.priority <= URGENT),
        waiting=now[State.RAISED] if waiting is None else waiting(),
        number=desk.newest_change(),
    )


def listed(desk: Desk, tab: Tab, limit: int) -> tuple[Alert, ...]:
    """Return the newest alerts of a list.

    Raises
    ------
    StoreError
        When the desk's database does not answer.
    """
    match tab:
        case Tab.OPEN:
            return tuple(alert for alert in desk.open_events(limit=limit) if alert.event.state is State.RAISED)
        case Tab.ACKNOWLEDGED:
            return desk.events(Filters(states=(State.ACKNOWLEDGED,), backfilled=False), limit).alerts
        case Tab.CLOSED:
            return desk.events(Filters(states=(State.CLOSED,)), limit).alerts
        case Tab.BACKFILLED:
            return desk.events(Filters(backfilled=True), limit).alerts


def acknowledged(desk: Desk, event_id: str, author: str, at_ms: int) -> Alert | None:
    """Acknowledge an alert; None when there is none of this id.

    One that somebody acknowledged or closed before is returned as it stands: the first signature counts.

    Raises
    ------
    NotSigned
        Without a name.
    StoreError
        When the desk's database does not answer.
    """
    try:
        return desk.acknowledge(event_id, author, at_ms)
    except WrongTransition:
        return desk.event(event_id)
    except UnknownName:
        return None


def closed(desk: Desk, event_id: str, author: str, note: str, at_ms: int) -> Alert | None:
    """Close an acknowledged alert with a note; None when there is none of this id.

    One that cannot be closed now is returned as it stands.

    Raises
    ------
    NotSigned
        Without a name or a note.
    StoreError
        When the desk's database does not answer.
    """
    try:
        return desk.close(event_id, author, note, at_ms)
    except WrongTransition:
        return desk.event(event_id)
    except UnknownName:
        return None


def peak_text(alert: Alert, decimals: Mapping[str, int]) -> str:
    """Return the peak with the digits of the standard; empty where no value is the point."""
    if alert.event.kind is Kind.NO_DATA:
        return ""
    return written(alert.value, alert.digits, _decimals(alert, decimals, alert.digits))


def bound_text(alert: Alert, decimals: Mapping[str, int]) -> str:
    """Return what the peak was held against, likewise; empty where there is none."""
    if alert.bound is None:
        return ""
    return written(alert.bound.value, alert.bound.digits, _decimals(alert, decimals, alert.bound.digits))


def _decimals(alert: Alert, decimals: Mapping[str, int], otherwise: int) -> int:
    """Return the digits to show: those of air's factors as given, of other kinds those of their file."""
    factor, network = alert.event.key.factor, alert.event.peak.network
    if factor == AQI:
        return 0
    if network == AIR:
        return decimals.get(factor, otherwise)
    try:
        known = load_kind(network).factors.get(factor)
    except UnknownName:
        known = None
    return otherwise if known is None else known.decimals


def alert_data(alert: Alert, decimals: Mapping[str, int]) -> dict[str, Any]:
    """Return an alert as plain data."""
    event, bound = alert.event, alert.bound
    return {
        "id": event.id,
        "site": event.key.site,
        "factor": event.key.factor,
        "rule": event.key.rule,
        "kind": event.kind,
        "network": event.peak.network,
        "priority": event.priority,
        "hint": event.hint,
        "unconfirmed": event.unconfirmed,
        "window": event.window,
        "title": {language.value: title(event, language) for language in Language},
        "state": event.state,
        "fact": event.fact,
        "to_verify": event.to_verify,
        "backfilled": event.backfilled,
        "start": event.start,
        "end": event.end,
        "raised_at": event.raised_at,
        "noticed_at": alert.noticed_at,
        "peak": peak_text(alert, decimals) or None,
        "peak_start": event.peak.start,
        "bound": bound_text(alert, decimals) or None,
        "standard": bound.standard if bound else "",
        "clause": bound.clause if bound else "",
        "edition": bound.edition if bound else "",
        "acknowledged": _signature(alert.acknowledged),
        "closed": _signature(alert.closed),
        "note": alert.note,
        "revision": event.revision,
    }


def _signature(signed: Any) -> dict[str, Any] | None:
    return None if signed is None else {"author": signed.author, "at": signed.at}
