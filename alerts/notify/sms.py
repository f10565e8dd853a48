"""SMS gateways by template: what one wants to be sent stands in the configuration, as data.

A place ``{name}`` in a text of the body stands for one of `PLACES`. Texts are filled in after the body was
read as data, so that no value can become a key, a quotation mark or a header.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from alerts.notify.channels import Answer, Message, Outcome, plain
from alerts.notify.posting import NoReply, answer_of, post

PLACES: Final = (
    "address", "delivery", "department", "kind", "notice", "priority", "receipt_url", "recipient", "secret", "subject",
    "template", "text",
)  # fmt: skip
"""What a body may name; also ``{payload.NAME}``, a value of the message's data."""
IN_HEADERS: Final = frozenset({"secret", "delivery"})
"""What a header may name: nothing that comes from outside."""
_PLACE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.]*)\}")
_PAYLOAD: Final = "payload."


class Form(StrEnum):
    """How the body is written."""

    JSON = "json"
    FORM = "form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One gateway, as the configuration names it."""

    url: str
    body: Mapping[str, Any]
    form: Form = Form.JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    """Kind of message → the gateway's template; ``default`` for the others."""
    accepted_field: str = ""
    """Field of a JSON answer, dotted, that says whether it was taken; empty: the HTTP status alone says it."""
    accepted_values: tuple[str, ...] = ()
    later_values: tuple[str, ...] = ()
    """Values after which the same message may be taken later; every other one is a refusal."""
    receipt_field: str = ""
    longest: int = 500
    """Characters of a text; the rest is cut."""


class Sms:
    """A gateway that takes our messages.

    Parameters
    ----------
    gateway
        What it wants.
    secret
        Fills ``{secret}``.
    timeout_s
        Limit for one attempt. [s]
    wall_ms
        The wall clock, milliseconds UTC.
    """

    def __init__(self, gateway: Gateway, secret: str, timeout_s: float, wall_ms: Callable[[], int]) -> None:
        self._gateway, self._secret, self._timeout_s, self._wall_ms = gateway, secret, timeout_s, wall_ms

    def send(self, message: Message) -> Answer:
        """Send one message as the gateway wants it."""
        gateway = self._gateway
        values = values_of(message, gateway, self._secret)
        body = filled(gateway.body, values)
        headers = {name: plain(str(filled(text, values)), 2_000) for name, text in gateway.headers.items()}
        if gateway.form is Form.JSON:
            data, kind = msgspec.json.encode(body), "application/json; charset=utf-8"
        else:
            data, kind = urlencode(dict(flat(body))).encode(), "application/x-www-form-urlencoded"
        try:
            reply = post(gateway.url, data, {"Content-Type": kind, **headers}, self._timeout_s)
        except NoReply as cause:
            return Answer(outcome=Outcome.RETRY, detail=str(cause))
        answer = answer_of(reply, self._wall_ms())
        return read_answer(reply.body, gateway) if answer.outcome is Outcome.SENT else answer


def values_of(message: Message, gateway: Gateway, secret: str) -> dict[str, str]:
    """Return what each place stands for."""
    template = gateway.templates.get(message.kind, gateway.templates.get("default", ""))
    text = message.text if len(message.text) <= gateway.longest else message.text[: gateway.longest - 1] + "…"
    own = {
        "address": message.address, "delivery": message.delivery, "department": message.department,
        "kind": message.kind, "notice": message.notice, "priority": str(message.priority),
        "receipt_url": message.receipt_url, "recipient": message.recipient, "secret": secret,
        "subject": message.subject, "template": template, "text": text,
    }  # fmt: skip
    data = {f"{_PAYLOAD}{name}": _said(value) for name, value in message.payload.items()}
    return data | own


def places_of(value: Any) -> Iterator[str]:
    """Yield the places that the texts of a body name."""
    if isinstance(value, str):
        yield from _PLACE.findall(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from places_of(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from places_of(one)


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return a body with its places filled in; a place that stands for nothing becomes empty."""
    if isinstance(value, str):
        return _PLACE.sub(lambda place: values.get(place[1], ""), value)
    if isinstance(value, Mapping):
        return {key: filled(one, values) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [filled(one, values) for one in value]
    return value


def flat(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a form; what is itself a mapping or a list is written as JSON."""
    for name, value in body.items():
        yield name, value if isinstance(value, str) else msgspec.json.encode(value).decode()


def read_answer(body: bytes, gateway: Gateway) -> Answer:
    """Return what the gateway's own code says; many answer 200 to everything."""
    if not gateway.accepted_field and not gateway.receipt_field:
        return Answer(outcome=Outcome.SENT)
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return Answer(outcome=Outcome.RETRY, detail=plain(f"no JSON: {body[:200].decode('utf-8', 'replace')}"))
    receipt = plain(_said(_field(said, gateway.receipt_field)), 200) if gateway.receipt_field else ""
    if not gateway.accepted_field:
        return Answer(outcome=Outcome.SENT, receipt=receipt)
    code = _said(_field(said, gateway.accepted_field))
    if code in gateway.accepted_values:
        return Answer(outcome=Outcome.SENT, receipt=receipt)
    later = code in gateway.later_values
    detail = plain(f"{gateway.accepted_field} is {code!r}: {body[:500].decode('utf-8', 'replace')}")
    return Answer(outcome=Outcome.RETRY if later else Outcome.REFUSED, detail=detail)


def _field(said: Any, path: str) -> Any:
    for step in path.split("."):
        said = said.get(step) if isinstance(said, dict) else None
    return said


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()
