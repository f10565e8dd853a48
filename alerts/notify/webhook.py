"""Our own webhook: the message as JSON, signed, with a key by which repeats are dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from alerts.notify.channels import Answer, Message, Outcome, plain
from alerts.notify.posting import NoReply, Reply, answer_of, post
from alerts.notify.signing import sign

IDEMPOTENCY: Final = "Idempotency-Key"
_RECEIPT: Final = 200


class Webhook:
    """A server that takes our messages.

    Parameters
    ----------
    url
        Where to.
    secret
        Shared with it; signs every request.
    timeout_s
        Limit for one attempt. [s]
    wall_ms
        The wall clock, milliseconds UTC.
    nonce
        Gives a new word at each call.
    """

    def __init__(
        self, url: str, secret: str, timeout_s: float, wall_ms: Callable[[], int], nonce: Callable[[], str]
    ) -> None:
        self._url, self._secret, self._timeout_s = url, secret, timeout_s
        self._wall_ms, self._nonce = wall_ms, nonce

    def send(self, message: Message) -> Answer:
        """Post one message; the answer may name a receipt: ``{"receipt": "…", "received": true}``."""
        body, now = msgspec.json.encode(body_of(message)), self._wall_ms()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            IDEMPOTENCY: plain(message.delivery),
            **sign(self._secret, body, now, self._nonce()),
        }
        try:
            reply = post(self._url, body, headers, self._timeout_s)
        except NoReply as cause:
            return Answer(outcome=Outcome.RETRY, detail=str(cause))
        answer = answer_of(reply, now)
        return _with_receipt(reply) if answer.outcome is Outcome.SENT else answer


def body_of(message: Message) -> dict[str, Any]:
    """Return a message as the webhook and the file channel tell it."""
    return {
        "version": 1,
        "delivery": message.delivery,
        "notice": message.notice,
        "kind": message.kind,
        "priority": message.priority,
        "synthetic": message.synthetic,
        "recipient": message.recipient,
        "department": message.department,
        "address": message.address,
        "subject": message.subject,
        "text": message.text,
        "created_at": message.created_at,
        "receipt_url": message.receipt_url,
        "payload": message.payload,
    }


def _with_receipt(reply: Reply) -> Answer:
    try:
        said = msgspec.json.decode(reply.body) if reply.body else {}
    except msgspec.DecodeError:
        said = {}
    fields = said if isinstance(said, dict) else {}
    receipt = fields.get("receipt")
    return Answer(
        outcome=Outcome.RECEIVED if fields.get("received") is True else Outcome.SENT,
        receipt=plain(receipt, _RECEIPT) if isinstance(receipt, str) else "",
    )
