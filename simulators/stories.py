"""Stories: what is made to happen in the region, so that a drill can be held against the truth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import as_file, files
from typing import Annotated

import msgspec

from sensors.clock import BEIJING_OFFSET_MS, DAY_MS, HOUR_MS, MINUTE_MS, day_of
from sensors.yamlfile import Document, read_yaml
from simulators.chance import Floats, Ints, ease


class StoryKind(StrEnum):
    """What a story does to the weather, to a medium, to a device or to its link."""

    STAGNATION = "stagnation"
    SUNSHINE = "sunshine"
    FRONT = "front"
    PLUME = "plume"
    LOUD = "loud"
    DROUGHT = "drought"
    SPILL = "spill"
    UPSET = "upset"
    SEWAGE = "sewage"
    DISCHARGE = "discharge"
    MAINTENANCE = "maintenance"
    CALIBRATION = "calibration"
    STANDSTILL = "standstill"
    FAULT = "fault"
    OVER_RANGE = "over_range"
    SPIKE = "spike"
    FLAT = "flat"
    SILENCE = "silence"
    NEVER = "never"
    LATE = "late"
    DUPLICATE = "duplicate"
    CORRECTION = "correction"


CHANGING = frozenset({StoryKind.PLUME, StoryKind.LOUD, StoryKind.DROUGHT, StoryKind.UPSET, StoryKind.SEWAGE})
"""These change what is there, at their sites and nowhere else."""
RESENDING = frozenset({StoryKind.LATE, StoryKind.DUPLICATE, StoryKind.CORRECTION})
"""These send the packets of their minutes later, or once more."""


class Expect(StrEnum):
    """What a story deserves."""

    ALERT = "alert"
    SUSPECT = "suspect"
    """The values are to be marked, not believed and not dropped."""
    REVISION = "revision"
    """Windows that were said are to be said again."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When a spill passes a section."""

    site: str
    start: int
    """Milliseconds UTC: the front."""
    end: int
    """Milliseconds UTC, no longer inside."""
    share: float
    """Of the concentration at the spill's own section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One thing that happens once: the known truth."""

    id: str
    kind: StoryKind
    name_zh: str
    name_en: str
    sites: tuple[str, ...]
    """Empty: the whole region."""
    factors: tuple[str, ...]
    """Empty: no one factor is meant."""
    start: int
    """Milliseconds UTC."""
    end: int
    """Milliseconds UTC, no longer inside."""
    expect: Expect = Expect.NOTHING
    arrivals: tuple[Arrival, ...] = ()
    """Of a spill: its own section first, then those downstream by time."""
    sent: int | None = None
    """Of packets that are late or sent again: when. [ms UTC]"""


class Named(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A name in Chinese and in English."""

    zh: str
    en: str


class Calibration(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The nightly zero and span checks."""

    gases: dict[str, float]
    """Gas → value of its span gas in the canonical unit."""
    first_hour: Annotated[int, msgspec.Meta(ge=0, le=23)]
    hours: Annotated[int, msgspec.Meta(ge=1, le=24)]
    zero_minutes: Annotated[int, msgspec.Meta(ge=0, le=59)]
    span_minutes: Annotated[int, msgspec.Meta(ge=0, le=59)]


class Plot(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A story that comes again and again, as the file writes it."""

    id: str
    name: Named
    kind: StoryKind
    every: Annotated[int, msgspec.Meta(ge=1)]
    day: Annotated[int, msgspec.Meta(ge=0)]
    at: Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    minutes: Annotated[int, msgspec.Meta(ge=1)]
    ramp: Annotated[int, msgspec.Meta(ge=0)] = 0
    size: float = 0.0
    sites: tuple[str, ...] = ()
    turn: bool = False
    factors: dict[str, float] = {}
    delay: Annotated[int, msgspec.Meta(ge=0, le=72 * 60)] = 0
    expect: Expect = Expect.NOTHING

    def starts(self, start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
        """Yield number and start of each time that this plot plays inside [start_ms, end_ms)."""
        hour, minute = map(int, re.split(":", self.at))
        length = self.minutes * MINUTE_MS
        for day in range(day_of(start_ms - length), day_of(end_ms) + 1):
            begin = day * DAY_MS - BEIJING_OFFSET_MS + hour * HOUR_MS + minute * MINUTE_MS
            if day % self.every == self.day and max(begin, start_ms) < min(begin + length, end_ms):
                yield day // self.every, begin

    def deliveries(self, start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
        """Yield number and start of each time whose packets are sent, late or again, inside [start_ms, end_ms)."""
        after = self.sent(0)
        for number, begin in self.starts(start_ms - after, end_ms - after + MINUTE_MS):
            if start_ms <= self.sent(begin) < end_ms:
                yield number, begin

    def sent(self, begin: int) -> int:
        """Return when the packets of a time that begins at ``begin`` are sent, late or again [ms UTC]."""
        return begin + (self.minutes + self.delay) * MINUTE_MS

    def sites_of(self, number: int) -> tuple[str, ...]:
        """Return the sites of one time: all of them, or the one whose turn it is."""
        return (self.sites[number % len(self.sites)],) if self.turn else self.sites


class Script(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """All that is made to happen."""

    calibration: Calibration
    stories: tuple[Plot, ...]


def parse_script(document: Document) -> Script:
    """Return the script that a document says.

    Raises
    ------
    ConfigError
        When a key is unknown or missing, a plot can never play, a turn has no sites, or a delay is given to what is
        not sent again.
    """
    script = document.read_as(Script)
    for index, plot in enumerate(script.stories):
        if plot.day >= plot.every:
            mend = f"give 0 to {plot.every - 1}"
            raise document.error(("stories", index, "day"), f"no day leaves {plot.day} by {plot.every}", mend)
        if plot.turn and not plot.sites:
            raise document.error(("stories", index, "turn"), "no sites to take turns", "name the sites")
        if plot.delay and plot.kind not in RESENDING:
            mend = f"take it out, or use one of {', '.join(sorted(RESENDING))}"
            raise document.error(("stories", index, "delay"), f"a {plot.kind} sends nothing later", mend)
    return script


@cache
def load_script() -> Script:
    """Read the packaged script.

    Raises
    ------
    ConfigError
        When the file is wrong.
    """
    with as_file(files("simulators").joinpath("data/shangyu/stories.yaml")) as path:
        return parse_script(read_yaml(path))


def strength(start: int, plot: Plot, minutes: Floats | Ints) -> Floats:
    """Return how far a story that begins at ``start`` (ms) is under way at each minute number: 0 to 1."""
    begin = start // MINUTE_MS
    ramp = max(plot.ramp, 1)
    rise, fall = (minutes - begin + 1) / ramp, (begin + plot.minutes - minutes) / ramp
    inside = (minutes >= begin) & (minutes < begin + plot.minutes)
    return ease(rise) * ease(fall) * inside
