"""Alerts, cases and what happened to them as plain data: what the JSON routes and ``jianhu alerts --json`` say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from alerts.desk import HistoryStep, Why
from alerts.texts import Language, because
from dashboards.events import alert_data


def step_data(step: HistoryStep) -> dict[str, Any]:
    """Return one step of an event's history."""
    return {
        "number": step.number,
        "event": step.event,
        "revision": step.revision,
        "kind": step.kind,
        "author": step.author,
        "at": step.at,
        "noticed_at": step.noticed_at,
        "reason": step.reason,
        "evidence": step.evidence,
    }


def why_data(why: Why, decimals: Mapping[str, int]) -> dict[str, Any]:
    """Return all that went into an event: the row that raised it, the peak, the rows between, and the history."""
    event = why.alert.event
    return {
        "alert": alert_data(why.alert, decimals),
        "because": {
            language.value: because(why.raised_by, event.kind, event.key.factor, language) for language in Language
        },
        "raised_by": msgspec.to_builtins(why.raised_by),
        "peak": msgspec.to_builtins(why.peak),
        "points": [msgspec.to_builtins(point) for point in why.points],
        "steps": [step_data(step) for step in why.steps],
    }
