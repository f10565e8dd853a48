"""What a rule says, as plain records; `alerts.rules` reads them from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Final

from alerts.counting import Flap
from alerts.periods import Cadence
from alerts.rulefile import AIR
from alerts.seasons import Season
from sensors.clock import HOUR_MS, day_of

ANY_FACTOR: Final = "*"
"""The factor of series that are about a site as a whole."""
WATER_CLASS: Final = "class"
OVER_TARGET: Final = "over_target"
"""The factor names of rows of a class, and of what is over the site's own target."""
YEAR: Final = "year"


class Kind(StrEnum):
    """What a rule looks at."""

    LIMIT = "limit"
    """The limit of an air standard: 超标."""
    THRESHOLD = "threshold"
    """A management threshold with an author: 超管控值, never 超标."""
    LEVEL = "level"
    """A level of the AQI in force."""
    CLASS = "class"
    """A class of water quality: worse than the site's own target, or a given one or worse."""
    FINDING = "finding"
    """What the limits of discharge say: 超标, as finding or hint, or near a limit (预警)."""
    QUOTA = "quota"
    """A share of the yearly quota that is used up."""
    MINIMUM = "minimum"
    """Below a minimum of the site's setting, for example the ecological flow."""
    ZONE = "zone"
    """A limit by the zone of a site and by day and night: noise."""
    NO_DATA = "no_data"
    """A registered site that owes a period and sent nothing, one never seen too."""
    DATA_QUALITY = "data_quality"
    """What automatic tests of quality hold suspect: a data case (异常数据溯源), told apart from any exceedance."""
    LATE = "late"
    """Packets of a period that came later than they may."""
    CHANGE = "change"
    """A level or class that is worse by so many than the valid one before."""
    RATE = "rate"
    """A value against the one so many periods before."""
    PROJECTION = "projection"
    """What a day's mean or the next hours will be (预测), never as measured."""
    EXHAUSTION = "exhaustion"
    """A yearly quota that will run out (预测)."""
    STANDING = "standing"
    """About the system itself; of no rules file, see `alerts.standings`."""


class Reach(StrEnum):
    """How far a finding went."""

    OVER = "over"
    NEAR = "near"
    """80 or 90 % of a limit: 预警, a level of its own."""


class Form(StrEnum):
    """How a projection looks ahead."""

    CERTAIN = "certain"
    """The day's mean is over even if nothing more came: the hours known, over 24."""
    PRONE = "prone"
    """The day's mean is over if its last hours go on as they are."""
    TREND = "trend"
    """The last hours, drawn out in a straight line, are over so many hours ahead."""


class Direction(StrEnum):
    """Which changes a rate looks at."""

    UP = "up"
    DOWN = "down"
    EITHER = "either"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """From where on a value that was over is fine again: strictly below (above, for a minimum)."""

    value: Fraction | None = None
    """In the canonical unit."""
    share: Fraction | None = None
    """Of the bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How values are judged with their neighbours."""

    back: int
    """Periods before each that count; unknown ones among them too."""
    by: Fraction | None = None
    """Levels, or canonical units, by which it must be worse, or change by more."""
    share: Fraction | None = None
    """Of the value before, by which it must change by more."""
    direction: Direction = Direction.UP
    form: Form | None = None
    """Of a projection."""
    ahead: int = 0
    """Periods ahead, of a trend."""
    least: int = 1
    """Known periods without which nothing is projected."""
    projects: str = ""
    """Window of what is projected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A priority that an event has from a point on: every condition that it names must hold."""

    priority: int
    share: Fraction | None = None
    """Of the quota that is used."""
    multiple: Fraction | None = None
    """By how much the peak is over, as a part of the bound."""
    periods: int = 0
    """Periods over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneLimits:
    """Limits by zone for day and night, with the standard that gives them."""

    setting: str
    """Entry of the site's setting that holds its zone."""
    day: Mapping[str, Fraction]
    night: Mapping[str, Fraction]
    standard: str
    table: str
    clause: str
    hint: bool
    """Whether the window is not the one for which the limits are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version of one rule."""

    id: str
    kind: Kind
    factors: tuple[str, ...]
    """What is judged; ``AQI`` for levels and for no data of air; empty where every factor is."""
    window: str
    raise_after: int
    """Periods over, in a row, that raise; unknown periods between them neither count nor break the row."""
    clear_after: int
    """Known periods not over, in a row, that clear; an unknown period breaks the row."""
    start: int
    """Milliseconds UTC of the first data it judges."""
    end: int | None
    """Milliseconds UTC, no longer inside; None while it holds."""
    sites: frozenset[str] = frozenset()
    """Sites it is meant for; empty means all."""
    threshold: Fraction | None = None
    """For a threshold: the value in the canonical unit; for a quota the share of it."""
    level: int | None = None
    """For a level or class: the lowest that raises, 1 to 6."""
    author: str = ""
    """Who set a threshold."""
    why: str = ""
    """Why the author set it."""
    name_zh: str = ""
    name_en: str = ""
    network: str = AIR
    """The kind of readings that it judges."""
    classes: frozenset[str] = frozenset()
    """Station classes it is meant for; empty means all."""
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Entries of a site's setting → what they must be one of, for example the layer of a VOCs point."""
    priority: int = 3
    """1 urgent, 2 severe, 3 ordinary, 4 early warning."""
    confirm_after: int = 1
    """Periods over that make it certain; before it is to be re-measured (待复测)."""
    setting: str = ""
    """For a minimum: the entry of the site's setting; for a class ``target``, or empty when `level` is meant."""
    zones: ZoneLimits | None = None
    reach: Reach = Reach.OVER
    windows: frozenset[str] = frozenset()
    """For findings: the windows it looks at, all of one length."""
    author_en: str = ""
    why_en: str = ""
    slot_ms: int = HOUR_MS
    """Slot of the kind of readings."""
    raise_of: int = 0
    """Known periods among which those that raise must lie; 0: in a row."""
    hold_for: int = 0
    """Periods after the last one over for which an event is kept open."""
    clear: Clear | None = None
    """From where on a value is fine again; None where it is not over."""
    flap: Flap | None = None
    season: Season | None = None
    """The days of a year in which it judges; None: all."""
    areas: frozenset[str] = frozenset()
    """Areas that it is meant for, with all that lies in them; empty means all."""
    function_classes: frozenset[int] = frozenset()
    """Function classes of GB 3095 that it is meant for; empty means all."""
    mode: str = ""
    """A mode, or a kind of modes, without which it does not judge."""
    covers: frozenset[str] = frozenset()
    """Rules of lesser weight, of which an event is no matter of its own while one of this rule holds."""
    recurs_within_ms: int = 0
    """How far back an earlier event of the same series is what this one repeats; 0: not looked for."""
    grades: tuple[Grade, ...] = ()
    """Priorities that grow with the event; `priority` is that of its beginning."""
    look: Look | None = None
    """For change, rate and projection."""
    backfill_after_ms: int | None = None
    """Its own age of 补录; None for the file's."""
    cadence: Cadence = field(init=False, default=Cadence.HOUR)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cadence", Cadence.of(self.window, self.slot_ms))

    @property
    def judges_slots(self) -> bool:
        """Whether its window is a slot or finer, so that a device over its range raises at once."""
        return Cadence.is_mean(self.window) and self.cadence.length_ms <= self.slot_ms

    @property
    def told_window(self) -> str:
        """The window that its events are about: what is projected, or what is judged."""
        return self.window if self.look is None or not self.look.projects else self.look.projects

    def holds_at(self, ms: int) -> bool:
        """Return whether this version judges data that start at an instant: by its dates and its season."""
        dated = self.start <= ms and (self.end is None or ms < self.end)
        return dated and (self.season is None or self.season.holds(day_of(ms)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of a system."""

    rules: tuple[Rule, ...]
    backfill_after_ms: int
    """An event that is raised on data older than this is 补录: no sound, no message, no place in "now"."""

    seasons: tuple[Season, ...] = ()

    def at(self, ms: int) -> tuple[Rule, ...]:
        """Return the rules that judge data of an instant, by date and season."""
        return tuple(rule for rule in self.rules if rule.holds_at(ms))

    def versions(self, rule_id: str) -> tuple[Rule, ...]:
        """Return all versions of a rule; empty when there is none."""
        return tuple(rule for rule in self.rules if rule.id == rule_id)
