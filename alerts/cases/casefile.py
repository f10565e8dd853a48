"""The file of a case: everything of it in one record, for its page and for export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alerts.cases.record import Case, CaseStep, Party
from alerts.cases.responsedesk import ResponseFile
from alerts.cases.states import CaseAct
from alerts.desk import Why


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A case from the first reading to the write-off."""

    case: Case
    steps: tuple[CaseStep, ...]
    """Its history, oldest first."""
    parties: tuple[Party, ...]
    events: tuple[Why, ...]
    """Its events, oldest first: each with the rows that raised it, what they were held against, and its history."""
    more_events: int
    """How many further events there are, between the one that opened it and the newest."""
    acts: tuple[CaseAct, ...]
    """What may be done with it now."""
    earlier: tuple[Case, ...]
    """Cases of the same incident before it, newest first."""
    deliveries: tuple[Mapping[str, Any], ...] = ()
    """Messages about it and its events: rows of the table of deliveries, without addresses."""
    responses: tuple[ResponseFile, ...] = ()
    """Warning responses to it, with their history."""
