"""Alerts, cases and what happened to them as plain data: what the JSON routes and ``jianhu alerts --json`` say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from alerts.cases.casefile import CaseFile
from alerts.cases.record import Case
from alerts.cases.texts import case_word
from alerts.desk import HistoryStep, Why
from alerts.handover.book import Handover
from alerts.notices.silences import Silence
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


def case_data(case: Case, now: int) -> dict[str, Any]:
    """Return a case as it stands, with the words of its state in both languages."""
    said: dict[str, Any] = msgspec.to_builtins(case)
    told = {language.value: case_word(case.state, language) for language in Language}
    return said | {"overdue": case.overdue(now), "state_told": told}


def file_data(file: CaseFile, now: int, decimals: Mapping[str, int]) -> dict[str, Any]:
    """Return the file of a case: its history, parties, events with their reasons, messages and what may be done."""
    return {
        "case": case_data(file.case, now),
        "acts": [str(act) for act in file.acts],
        "steps": [msgspec.to_builtins(step) for step in file.steps],
        "parties": [msgspec.to_builtins(party) for party in file.parties],
        "events": [why_data(why, decimals) for why in file.events],
        "more_events": file.more_events,
        "earlier": [case_data(case, now) for case in file.earlier],
        "deliveries": [dict(row) for row in file.deliveries],
        "responses": [msgspec.to_builtins(response) for response in file.responses],
    }


def handover_data(handover: Handover) -> dict[str, Any]:
    """Return a handover as it was signed."""
    return cast("dict[str, Any]", msgspec.to_builtins(handover))


def silence_data(silence: Silence, now: int) -> dict[str, Any]:
    """Return a silence, with where it stands."""
    return {
        "id": silence.id, "matchers": [str(one) for one in silence.matchers], "state": silence.state(now),
        "author": silence.author, "reason": silence.reason, "created_at": silence.created_at,
        "starts_at": silence.starts_at, "ends_at": silence.ends_at, "expired_by": silence.expired_by,
        "expired_why": silence.expired_why,
    }  # fmt: skip


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
