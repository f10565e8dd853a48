"""What tests of channels are made of."""

from __future__ import annotations

from typing import Any

from alerts.notify.channels import Message

NOW = 1_700_000_000_000
LABELS: dict[str, Any] = {"event": "e1", "site": "A", "network": "air", "state": "raised", "county": "sy"}
EVENT: dict[str, Any] = {
    "id": "e1", "rule": "pm25-1h", "site": "A", "factor": "PM2.5", "title": "PM2.5 1小时超管控值",
    "start": NOW - 7_200_000, "end": None, "fact": "going_on", "priority": 3, "link": "http://127.0.0.1:8420/events/e1",
    "labels": LABELS,
}  # fmt: skip


def message(**other: Any) -> Message:
    made: dict[str, Any] = {
        "delivery": "d1", "notice": "n1", "kind": "raised", "priority": 3, "recipient": "li", "department": "epb",
        "address": "li@example.test", "subject": "甲站 PM2.5 1小时超管控值", "text": "甲站 PM2.5 80 µg/m³，限值 75",
        "html": "", "synthetic": False, "created_at": NOW, "payload": {"events": [EVENT]},
    }  # fmt: skip
    return Message(**(made | other))
