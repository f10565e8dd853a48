"""What is handed over at the change of a shift, frozen: its form, its bytes and its seals.

The content is written once as JSON and sealed with SHA-256. Each signature seals the content with its author, time and
remark; each handover seals the one before it. A row that was changed later breaks its seal and is told.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

VERSION: Final = 1
"""Form of `Content`; older forms stay readable: fields are only added, with defaults."""


class Side(StrEnum):
    """Who signs."""

    GIVING = "giving"
    """交班: the person who goes; he vouches for the content."""
    TAKING = "taking"
    """接班: the person who comes; from then on it is his."""


class Proof(StrEnum):
    """What the seals say of a handover."""

    SOUND = "sound"
    ALTERED = "altered"
    """Something of it is not what was signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """A person of the rota."""

    person: str
    name: str
    department: str
    duty: str
    """The duty or the rota that names him."""
    end: int | None = None
    """Until when, milliseconds UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEvent:
    """An event that waits for somebody."""

    id: str
    place_zh: str
    place_en: str
    title_zh: str
    title_en: str
    priority: int
    state: str
    start: int
    acknowledged_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """A case that is not written off."""

    id: str
    title_zh: str
    title_en: str
    priority: int
    state: str
    opened_at: int
    due_at: int | None = None
    """The nearest deadline that is not met."""
    overdue: bool = False
    """At the time of the handover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentSite:
    """A site that owes data and sends none."""

    site: str
    place_zh: str
    place_en: str
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSilence:
    """A silence that runs or is to begin."""

    id: str
    matchers: str
    author: str
    reason: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningMark:
    """What an enterprise says of its plant or device now (企业标记)."""

    site: str
    place_zh: str
    place_en: str
    state: str
    author: str
    start: int
    end: int
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything that one shift tells the next; times are milliseconds UTC."""

    version: int = VERSION
    at: int
    """When it was drawn up."""
    region_zh: str
    region_en: str
    synthetic: bool
    on_duty: tuple[OnDuty, ...] = ()
    next_duty: tuple[OnDuty, ...] = ()
    waiting: int = 0
    """Events that nobody has acknowledged, all of them."""
    in_hand: int = 0
    """Events acknowledged and not closed, all of them."""
    events: tuple[OpenEvent, ...] = ()
    """The most pressing of them."""
    cases: tuple[OpenCase, ...] = ()
    cases_total: int = 0
    silent: tuple[SilentSite, ...] = ()
    silences: tuple[RunningSilence, ...] = ()
    marks: tuple[RunningMark, ...] = ()
    notes: str = ""
    """What the next shift must know beside."""


def frozen(content: Content) -> str:
    """Return the content as the bytes that are kept and sealed: JSON in the order of the fields."""
    return msgspec.json.encode(content).decode()


def thawed(text: str) -> Content:
    """Return the content of kept bytes."""
    return msgspec.json.decode(text, type=Content)


def seal(*parts: str | int) -> str:
    """Return the SHA-256 of some parts, which no other parts share."""
    return hashlib.sha256(msgspec.json.encode([str(part) for part in parts])).hexdigest()


def content_seal(previous: str, text: str) -> str:
    """Return what seals a content, and with it the handover before."""
    return seal(previous, hashlib.sha256(text.encode()).hexdigest())


def signature_seal(sealed: str, side: Side, author: str, at: int, remark: str) -> str:
    """Return what seals a signature under a content."""
    return seal(sealed, side.value, author, at, remark)
