"""Trials: how a message would look, and one that is really sent, before anybody depends on it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from alerts.notices.payload import CasePart, EventPart, Payload
from alerts.notify.channels import Answer, Message, Outcome
from alerts.notify.delivery import Route
from alerts.notify.templates import KINDS
from alerts.notify.wording import Wording
from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.errors import UnknownName

_NOBODY: Final = "trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A test message, and what the channel said."""

    message: Message
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What `Wording.message_of` reads of a row of the queue."""

    id: str
    notice: str
    kind: str
    priority: int
    recipient: str
    department: str
    address: str
    synthetic: bool
    created_at: int
    payload: str


def render_preview(
    wording: Wording,
    kind: str,
    now: int,
    *,
    payload: Payload | None = None,
    language: str = "zh",
    synthetic: bool = True,
) -> Message:
    """Return a message as it would be sent; nothing is sent and nothing is written.

    Parameters
    ----------
    wording
        Templates and links.
    kind
        One of `alerts.notify.templates.KINDS`.
    now
        Milliseconds UTC.
    payload
        The data of a real message; None for a sample.
    language
        Of the sample.
    synthetic
        Whether it is marked as made of synthetic data.

    Raises
    ------
    UnknownName
        When there is no such kind.
    BadMessage
        When no template takes the data.
    """
    if kind not in KINDS:
        raise UnknownName("the kinds of messages", kind)
    made = sample(kind, now, language=language, synthetic=synthetic) if payload is None else payload
    return wording.message_of(_row(made, kind, now, delivery="preview", address=""))


def send_trial(
    routes: Mapping[str, Route], wording: Wording, channel: str, address: str, now: int, *,
    recipient: str = _NOBODY, language: str = "zh", synthetic: bool = True,
    delivery: Callable[[], str] = lambda: secrets.token_hex(16),
) -> Trial:  # fmt: skip
    """Send a test message by a channel right now, beside the queue, and return what the channel said.

    Parameters
    ----------
    routes
        As `alerts.notify.making.make_routes` returns them.
    wording
        Templates and links.
    channel, address
        By which channel, to whom.
    now
        Milliseconds UTC.
    recipient
        Name that stands in the message.
    language
        Of the words.
    synthetic
        Whether the region is; such a message goes by no channel to another machine.
    delivery
        Gives the id of the message.

    Raises
    ------
    UnknownName
        When there is no such channel.
    """
    route = routes.get(channel)
    if route is None:
        raise UnknownName("the channels", channel)
    made = sample("test", now, language=language, synthetic=synthetic)
    message = wording.message_of(_row(made, "test", now, delivery=delivery(), address=address, recipient=recipient))
    if synthetic and not route.local:
        refused = Answer(outcome=Outcome.REFUSED, detail="the region is synthetic: nothing of it leaves this machine")
        return Trial(message=message, answer=refused)
    return Trial(message=message, answer=route.channel.send(message))


def sample(kind: str, now: int, *, language: str = "zh", synthetic: bool = True) -> Payload:
    """Return invented data of a kind of message, with everything that a template can name."""
    event = EventPart(
        id="0123456789abcdef0123", rule="o3-1h", rule_zh="臭氧小时超标", rule_en="O3 over its hourly limit",
        rule_kind="limit", site="SAMPLE", site_zh="示例站", site_en="Sample station", place_zh="示例区 示例街道",
        network="air", factor="O3", factor_zh="O3", factor_en="O3", window="1h", window_zh="1小时", window_en="1 h",

        title_zh="O3 1小时超标", title_en="O3 1 h over the limit",
        because_zh="1小时，212 µg/m³，限值 200 µg/m³（GB 3095-2026 表1），超标 0.06 倍",
        because_en="1 h, 212 µg/m³, limit 200 µg/m³ (GB 3095-2026 table 1), over by 0.06 times",
        value_zh="212 µg/m³", value_en="212 µg/m³", limit_zh="200 µg/m³", limit_en="200 µg/m³",
        multiple="0.06", standard="GB 3095-2026", table="1", clause="",
        days_over=5, streak=2, start=now - 2 * HOUR_MS, last=now - HOUR_MS, end=None, raised_at=now - HOUR_MS,
        priority=3, fact="going_on", state="raised", hint=False, unconfirmed=False, to_verify=True,
        synthetic=synthetic, detail="", labels={"event": "0123456789abcdef0123", "site": "SAMPLE", "network": "air"},
        link="/alerts/0123456789abcdef0123",
    )  # fmt: skip
    more: dict[str, Any] = {}
    match kind:
        case "test":
            more = {"events": ()}
        case "escalation":
            more = {"tier": "district", "unacknowledged_min": 30}
        case "case_step":
            more["case"] = CasePart(
                id="sample", kind="handed_over", state="handed_over", author="张三", reason="请现场核查", code="",
                at=now, due_at=now + 24 * 60 * MINUTE_MS, party="示例街道", link="/cases/sample",
            )  # fmt: skip
        case "response_step":
            part = CasePart(
                id="sample", kind="response_start", state="started", author="张三", reason="按预案启动", code="",
                at=now, due_at=None, party="", link="", about="heavy_pollution", level=3, areas_zh="示例区",
                areas_en="sample district",
            )  # fmt: skip
            more = {"events": (), "case": part}
        case "digest":
            one = Payload(kind="raised", priority=3, synthetic=synthetic, language=language, events=(event,))
            more = {"events": (), "messages": (msgspec.to_builtins(one),)}
        case _:
            pass
    made: dict[str, Any] = {"kind": kind, "priority": 3, "synthetic": synthetic, "language": language}
    return Payload(**{**made, "events": (event,), **more})


def _row(payload: Payload, kind: str, now: int, *, delivery: str, address: str, recipient: str = _NOBODY) -> _Row:
    return _Row(
        id=delivery, notice=delivery, kind=kind, priority=payload.priority, recipient=recipient, department=_NOBODY,
        address=address, synthetic=payload.synthetic, created_at=now, payload=msgspec.json.encode(payload).decode(),
    )  # fmt: skip
