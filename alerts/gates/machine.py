"""The interlock of a rain gate: the first minutes of rain are retained, and then only what passes may leave.

It refuses on anything that is missing, old, doubtful or over, and opens on nothing but fresh values that all pass.
Which factors must pass is data. The state keeps what came, in any order; a decision is a function of it and of ``now``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from typing import Final

from sensors.clock import HOUR_MS

_MORE_MS: Final = HOUR_MS
"""Rain is kept so much longer than any question about it looks back."""


class Ruling(StrEnum):
    """What is decided."""

    REFUSE = "refuse"
    """The gate stays shut, or is to be shut."""
    ALLOW = "allow"
    """The gate may open; nobody is made to open it."""


class Why(StrEnum):
    """Why: of several the one that comes first here."""

    DRY = "dry"
    """It does not rain and has not for long: a rain-water outlet has nothing to let out."""
    NO_RAIN_DATA = "no_rain_data"
    """Whether it rains is not known, or was known too long ago."""
    FIRST_RAIN = "first_rain"
    """The first minutes of this rain are retained."""
    FAILED = "failed"
    """A factor is over its limit."""
    DOUBTFUL = "doubtful"
    """A value is suspect, unflagged, or of a device over its range."""
    MISSING = "missing"
    """A factor has no value."""
    STALE = "stale"
    """A value is too old, or dated after now."""
    PASSED = "passed"


_ORDER: Final = tuple(Why)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRule:
    """When a gate may open."""

    limits: Mapping[str, Fraction]
    """Factor that must pass → greatest value that passes, in its canonical unit; an open list, never empty."""
    retain_ms: int
    """The first rain that is kept, counted from the end of the first wet window: the rain began in it somewhere."""
    rain_mm: Fraction
    """A window with at least so much is wet."""
    dry_ms: int
    """After so long without rain the next rain is a new one."""
    fresh_ms: int
    """A value is fresh so long after the end of its window."""

    @property
    def reach_ms(self) -> int:
        """How long rain is kept."""
        return self.dry_ms + self.retain_ms + self.fresh_ms + _MORE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known of one factor in one window."""

    factor: str
    start: int
    """Milliseconds UTC."""
    end: int
    value: Fraction | None
    """In the canonical unit; None: nothing valid came."""
    doubtful: bool = False
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GateState:
    """What is known at one outlet."""

    newest: Mapping[str, Reading] = field(default_factory=dict)
    """Factor → its newest window."""
    rain: Mapping[int, Reading] = field(default_factory=dict)
    """Start → window of rain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one factor speaks for."""

    factor: str
    why: Why
    limit: Fraction
    reading: Reading | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision with all that went into it."""

    at: int
    """Milliseconds UTC."""
    ruling: Ruling
    why: Why
    findings: tuple[Finding, ...]
    """One for each factor that must pass, in the order of the rule."""
    rain_since: int | None
    """End of the first wet window of this rain; None when none is known."""


def add(state: GateState, readings: Iterable[Reading], rain: str, rule: GateRule) -> GateState:
    """Return the state with what came; of one window the later revision stands, whatever came first.

    Parameters
    ----------
    state
        Not changed.
    readings
        In any order; factors that the rule does not ask for are passed over.
    rain
        Name of the factor that is rain.
    rule
        Says which factors count, and how long rain is kept.
    """
    newest, fell = dict(state.newest), dict(state.rain)
    for one in readings:
        if one.factor == rain:
            held = fell.get(one.start)
            if held is None or one.revision > held.revision:
                fell[one.start] = one
        elif one.factor in rule.limits:
            before = newest.get(one.factor)
            if before is None or (one.start, one.revision) > (before.start, before.revision):
                newest[one.factor] = one
    oldest = max(fell, default=0) - rule.reach_ms
    return replace(state, newest=newest, rain={start: fell[start] for start in sorted(fell) if start >= oldest})


def decide(state: GateState, rule: GateRule, now: int) -> Decision:
    """Return whether the gate may open at ``now``; a state without readings refuses."""
    weather, since = _weather(state, rule, now)
    findings = tuple(
        _finding(factor, limit, state.newest.get(factor), rule, now) for factor, limit in rule.limits.items()
    )
    reasons = [weather, *(one.why for one in findings)]
    why = min(reasons, key=_ORDER.index) if rule.limits else Why.MISSING
    ruling = Ruling.ALLOW if why is Why.PASSED else Ruling.REFUSE
    return Decision(at=now, ruling=ruling, why=why, findings=findings, rain_since=since)


def _finding(factor: str, limit: Fraction, reading: Reading | None, rule: GateRule, now: int) -> Finding:
    if reading is None or reading.value is None:
        why = Why.MISSING
    elif not 0 <= now - reading.end <= rule.fresh_ms:
        why = Why.STALE
    elif reading.value > limit:
        why = Why.FAILED
    else:
        why = Why.DOUBTFUL if reading.doubtful else Why.PASSED
    return Finding(factor=factor, why=why, limit=limit, reading=reading)


def _weather(state: GateState, rule: GateRule, now: int) -> tuple[Why, int | None]:
    """Return what the rain speaks for, and since when it rains.

    A gap in what is known of the rain begins a new one: its first minutes may have fallen unseen.
    """
    since: int | None = None
    wet_end = known_to = None
    for start in sorted(state.rain):
        one = state.rain[start]
        if one.value is None or one.doubtful or one.end > now:  # doubted rain is not known: it starts no retention
            continue
        if known_to is not None and start - known_to > rule.fresh_ms:
            since = None
        if one.value >= rule.rain_mm:
            if since is None or wet_end is None or start - wet_end >= rule.dry_ms:
                since = one.end
            wet_end = one.end
        known_to = one.end
    if known_to is None or now - known_to > rule.fresh_ms:
        return Why.NO_RAIN_DATA, since
    if since is None or wet_end is None or now - wet_end >= rule.dry_ms:
        return Why.DRY, None
    return (Why.FIRST_RAIN if now - since < rule.retain_ms else Why.PASSED), since
