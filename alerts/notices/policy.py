"""The policy of notices: how they are grouped, held back, gathered and passed on; dated by nothing, kept as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from alerts.notices.matchers import Matcher, match
from alerts.people import Person, Tier


class Held(StrEnum):
    """Why a step was not told to somebody; what stands in ``alert_muted.reason``."""

    SILENCED = "silenced"
    """By a silence that somebody made."""
    INHIBITED = "inhibited"
    """By another event that says more."""
    BRIEF = "brief"
    """It came and went within one wait of its group, and the policy says that this is not told."""
    NOTHING_NEW = "nothing_new"
    """What it says had been told, or was overtaken before the group's next notice."""
    JOINED = "joined"
    """The event went on as part of another one."""
    CLOSED = "closed"
    """Somebody closed the event before the group's next notice."""
    NOBODY = "nobody"
    """There is nobody to tell."""
    NO_ADDRESS = "no_address"
    """The person has no address on a channel that is there."""


class Brief(StrEnum):
    """What becomes of an event that came and went before its group's first notice."""

    TELL = "tell"
    """It is told, with its end: an exceedance that is over was one all the same."""
    DROP = "drop"
    """As Alertmanager: nobody is told."""


class Reach(StrEnum):
    """Which of somebody's addresses are used."""

    ALL = "all"
    FIRST = "first"
    """The one that stands first in the people file."""


class Days(StrEnum):
    """On which days something holds, by the office's calendar."""

    ALL = "all"
    WORK_DAYS = "work_days"
    DAYS_OFF = "days_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a group tells; milliseconds."""

    group_wait: int
    """From an event's start to the first notice of its group."""
    group_interval: int
    """Between two looks at a group that has told."""
    repeat_interval: int
    """After this the same is told again, at the next look, as long as nobody acknowledged."""
    brief: Brief = Brief.TELL


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How some events are grouped; of the policy's list the first that matches decides."""

    matchers: tuple[Matcher, ...]
    group_by: tuple[str, ...]
    """Labels; events of one group have them all equal."""
    timing: Timing

    def key(self, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return what a group has in common: label and value, where there is one."""
        return tuple((name, labels[name]) for name in self.group_by if labels.get(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """Events that match ``target`` are not told while one that matches ``source`` goes on with equal labels."""

    id: str
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Which recipients and priorities something is about; empty means any."""

    priorities: frozenset[int] = frozenset()
    tiers: frozenset[Tier] = frozenset()
    persons: frozenset[str] = frozenset()

    def fits(self, person: Person, priority: int) -> bool:
        """Return whether a message of a priority to a person is meant."""
        return (
            (not self.priorities or priority in self.priorities)
            and (not self.tiers or person.tier in self.tiers)
            and (not self.persons or person.id in self.persons)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Hours in which messages are held until their end; Beijing time, minutes after midnight."""

    id: str
    start: int
    end: int
    """At or before ``start``: on the next day."""
    days: Days
    """Of the day on which the hours begin."""
    whom: Whom


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Times of the day at which messages are sent as one."""

    id: str
    at: tuple[int, ...]
    """Minutes after midnight in Beijing, in order."""
    days: Days
    whom: Whom


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One rung of the escalation by unacknowledged time."""

    after: int
    """Milliseconds since the event was raised."""
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """How events that nobody acknowledges climb; of the policy's list the first with the priority decides."""

    priorities: frozenset[int]
    stages: tuple[Stage, ...]
    """In order of time."""
    repeat: int | None
    """After the last stage it is told again each so many milliseconds; None: not again."""
    times: int
    """How often at most."""
    after_end: bool
    """Whether an event that is over climbs on until somebody acknowledges it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Sites that send through one line: when so many are silent at once, the line is, and tells for all of them."""

    area: str
    """Type of area whose sites share a line: the data logger of a firm; empty: none."""
    kinds: frozenset[str]
    least: int
    """Fewer sites are no line."""
    percent: int
    """So many of the line's sites must be silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The whole policy."""

    groupings: tuple[Grouping, ...]
    """The last one matches everything."""
    inhibitions: tuple[Inhibition, ...] = ()
    quiets: tuple[Quiet, ...] = ()
    digests: tuple[Digest, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    lines: Lines | None = None
    reach: Mapping[int, Reach] = field(default_factory=dict, hash=False)
    """Priority → which addresses; `Reach.FIRST` where it says nothing."""
    listed: int = 20
    """So many events stand in one message; of the rest it says how many they are."""

    def grouping(self, labels: Mapping[str, str]) -> tuple[int, Grouping]:
        """Return the place and the first grouping that matches."""
        return next((place, one) for place, one in enumerate(self.groupings) if match(one.matchers, labels))

    def escalation(self, priority: int) -> Escalation | None:
        """Return how events of a priority climb; None when they do not."""
        return next((one for one in self.escalations if priority in one.priorities), None)
