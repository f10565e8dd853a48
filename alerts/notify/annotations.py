"""Annotations in Grafana, by grafana-api: one for each event, from its start to its end, never two.

An event's annotation is found again by its tag ``event:ID``: what goes on later moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests
from grafana_api.grafana_api import GrafanaClientError, GrafanaException
from grafana_api.grafana_face import GrafanaFace

from alerts.notify.alertmanager import events_of
from alerts.notify.channels import Answer, Message, Outcome, plain

OURS: Final = "jianhu"
_LATER: Final = frozenset({401, 403, 408, 425, 429})
"""A token may be renewed, so that a refusal for its sake is not for good."""


class Annotations:
    """A Grafana whose panels show our events.

    Parameters
    ----------
    url
        Its address.
    token
        Of a service account that may write annotations.
    timeout_s
        Limit for one request. [s]
    wall_ms
        The wall clock, milliseconds UTC.
    """

    def __init__(self, url: str, token: str, timeout_s: float, wall_ms: Callable[[], int]) -> None:
        parts = urlsplit(url)
        path = parts.path.strip("/")
        self._wall_ms = wall_ms
        self._settings: dict[str, Any] = {
            "auth": token, "host": parts.hostname, "port": parts.port, "protocol": parts.scheme, "timeout": timeout_s,
            "url_path_prefix": f"{path}/" if path else "",
        }  # fmt: skip

    def send(self, message: Message) -> Answer:
        """Write or move the annotations of one message's events; what is withdrawn is marked so, not taken away."""
        face = GrafanaFace(**self._settings)  # a session is not safe to share between threads
        face.api.s.max_redirects = 0
        try:
            for event in events_of(message.payload):
                _write(face.annotations, event, message, self._wall_ms())
        except GrafanaException as cause:
            refused = isinstance(cause, GrafanaClientError) and cause.status_code not in _LATER
            detail = plain(f"HTTP {cause.status_code} {cause.message}")
            return Answer(outcome=Outcome.REFUSED if refused else Outcome.RETRY, detail=detail)
        except (requests.RequestException, ValueError) as cause:
            return Answer(outcome=Outcome.RETRY, detail=plain(f"{type(cause).__name__}: {cause}"))
        finally:
            face.api.s.close()
        return Answer(outcome=Outcome.SENT)


def _write(annotations: Any, event: Mapping[str, Any], message: Message, now: int) -> None:
    start, end = int(event.get("start", now)), event.get("end")
    said = {
        "time_from": start, "time_to": int(end) if isinstance(end, int) else max(start, now),
        "tags": list(tags_of(event, message)), "text": message.text,
    }  # fmt: skip
    own = f"event:{event.get('id', '')}"
    held = [one for one in annotations.get_annotation(tags=[quote(own, safe="")], limit=10) if own in one["tags"]]
    if held:
        annotations.update_annotation(held[0]["id"], **said)
    else:
        annotations.add_annotation(**said)


def tags_of(event: Mapping[str, Any], message: Message) -> Iterator[str]:
    """Yield the tags of an event's annotation."""
    yield OURS
    yield f"event:{event.get('id', '')}"
    for name in ("rule", "site", "factor", "fact"):
        if value := str(event.get(name, "")):
            yield f"{name}:{value}"
    yield f"priority:{event.get('priority', message.priority)}"
    if message.synthetic:
        yield "synthetic"
