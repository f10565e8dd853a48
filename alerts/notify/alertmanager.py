"""Push to an Alertmanager, API v2: what is raised there as here, and ends there when it ends here.

An alert is the same to an Alertmanager when its labels are: the event's id is one of them, and nothing that
changes in an event's life is. An Alertmanager ends what it hears no more of: each message holds an alert up
for `hold_ms`, and the notices' repeats renew it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from alerts.notify.channels import Answer, Message, Outcome
from alerts.notify.posting import NoReply, answer_of, post

_LABEL: Final = re.compile(r"[^A-Za-z0-9_]")
_CHANGING: Final = frozenset({"state"})
HOLD_MS: Final = 24 * 3_600_000


class Alertmanager:
    """An Alertmanager that takes our events.

    Parameters
    ----------
    url
        Its address, without ``/api/v2``.
    timeout_s
        Limit for one attempt. [s]
    wall_ms
        The wall clock, milliseconds UTC.
    hold_ms
        How long an alert that goes on stays there after each message.
    """

    def __init__(self, url: str, timeout_s: float, wall_ms: Callable[[], int], hold_ms: int = HOLD_MS) -> None:
        self._url, self._timeout_s, self._wall_ms, self._hold_ms = url.rstrip("/"), timeout_s, wall_ms, hold_ms

    def send(self, message: Message) -> Answer:
        """Push the events of one message; one without events says nothing to an Alertmanager."""
        now = self._wall_ms()
        alerts = alerts_of(message, now, self._hold_ms)
        if not alerts:
            return Answer(outcome=Outcome.SENT, detail="no events")
        body = msgspec.json.encode(alerts)
        try:
            reply = post(f"{self._url}/api/v2/alerts", body, {"Content-Type": "application/json"}, self._timeout_s)
        except NoReply as cause:
            return Answer(outcome=Outcome.RETRY, detail=str(cause))
        return answer_of(reply, now)


def alerts_of(message: Message, now: int, hold_ms: int = HOLD_MS) -> list[dict[str, Any]]:
    """Return the events of a message as an Alertmanager takes them (``postableAlerts`` of API v2)."""
    return [_alert(event, message, now, hold_ms) for event in events_of(message.payload)]


def events_of(payload: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the events that a message is about."""
    found = payload.get("events")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, Sequence) else []


def _alert(event: Mapping[str, Any], message: Message, now: int, hold_ms: int) -> dict[str, Any]:
    end = event.get("end")
    over = message.kind == "withdrawn" or event.get("fact") in {"withdrawn", "joined"}
    ends = min(int(end), now) if isinstance(end, int) else now if over else now + hold_ms
    annotations = {
        "summary": str(event.get("title", "")), "description": message.text, "delivery": message.delivery,
    }  # fmt: skip
    return {
        "labels": dict(_labels(event, message)),
        "annotations": annotations,
        "startsAt": _time(min(int(event.get("start", now)), ends)),
        "endsAt": _time(ends),
        "generatorURL": str(event.get("link", "")),
    }


def _labels(event: Mapping[str, Any], message: Message) -> Iterator[tuple[str, str]]:
    given = event.get("labels")
    for name, value in sorted(given.items()) if isinstance(given, Mapping) else ():
        if name not in _CHANGING and value:
            yield _LABEL.sub("_", str(name)), str(value)
    yield "alertname", str(event.get("rule", "") or "jianhu")
    yield "event", str(event.get("id", ""))
    if message.synthetic:
        yield "synthetic", "true"


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
