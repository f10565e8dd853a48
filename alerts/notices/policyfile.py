"""The policy of notices as it is written: ``notices.yaml``, read key by key over what comes with the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import as_file, files
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from alerts.notices.matchers import LABELS, BadMatcher, Matcher, check_labels, parse_matcher
from alerts.notices.policy import (
    Brief,
    Days,
    Digest,
    Escalation,
    Grouping,
    Inhibition,
    Lines,
    Policy,
    Quiet,
    Reach,
    Stage,
    Timing,
    Whom,
)
from alerts.people import Tier
from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.errors import Problems
from sensors.factors import Names
from sensors.registryfile import AreaType
from sensors.yamlfile import Document, read_yaml

PartT = TypeVar("PartT")
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
_Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
_Span = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,5}(s|m|h|d)$")]
_Time = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
_Priority = Annotated[int, msgspec.Meta(ge=1, le=4)]
_Path = tuple[str | int, ...]
_UNIT_MS: Final[Mapping[str, int]] = {"s": 1000, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_DAY_MIN: Final = 1440
_PRIORITIES: Final = ("1", "2", "3", "4")


class _Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A key that nobody knows is an error."""


class GroupingEntry(_Entry, frozen=True, kw_only=True):
    """How some events are grouped."""

    match: tuple[_Text, ...] = ()
    group_by: tuple[_Text, ...]
    group_wait: _Span
    group_interval: _Span
    repeat_interval: _Span
    brief: Brief = Brief.TELL


class InhibitionEntry(_Entry, frozen=True, kw_only=True):
    """What inhibits what."""

    id: _Id
    source: Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1)]
    target: Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1)]
    equal: tuple[_Text, ...] = ()


class WhomEntry(_Entry, frozen=True, kw_only=True):
    """Which recipients and priorities are meant; empty means any."""

    priorities: tuple[_Priority, ...] = ()
    tiers: tuple[Tier, ...] = ()
    persons: tuple[_Text, ...] = ()


class QuietEntry(WhomEntry, frozen=True, kw_only=True):
    """Quiet hours."""

    id: _Id
    start: _Time = msgspec.field(name="from")
    end: _Time = msgspec.field(name="to")
    days: Days = Days.ALL


class DigestEntry(WhomEntry, frozen=True, kw_only=True):
    """A digest."""

    id: _Id
    at: Annotated[tuple[_Time, ...], msgspec.Meta(min_length=1)]
    days: Days = Days.ALL


class StageEntry(_Entry, frozen=True, kw_only=True):
    """One rung of an escalation."""

    after: _Span
    tier: Tier


class EscalationEntry(_Entry, frozen=True, kw_only=True):
    """How unacknowledged events climb."""

    priorities: Annotated[tuple[_Priority, ...], msgspec.Meta(min_length=1)]
    stages: Annotated[tuple[StageEntry, ...], msgspec.Meta(min_length=1)]
    repeat: _Span | None = None
    times: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    after_end: bool = False


class LinesEntry(_Entry, frozen=True, kw_only=True):
    """Which sites share a line."""

    area: Literal["cluster", "firm", "park", "township"]
    kinds: tuple[_Text, ...] = ()
    least: Annotated[int, msgspec.Meta(ge=2, le=10_000)]
    percent: Annotated[int, msgspec.Meta(ge=1, le=100)]


class NoticesFile(_Entry, frozen=True, kw_only=True):
    """A whole notices file; each key that it leaves out is as delivered."""

    source: Names | None = None
    confidence: Literal["confirmed", "single_source", "not_seen"] | None = None
    grouping: tuple[GroupingEntry, ...] | None = None
    inhibit: tuple[InhibitionEntry, ...] | None = None
    quiet: tuple[QuietEntry, ...] | None = None
    digests: tuple[DigestEntry, ...] | None = None
    escalation: tuple[EscalationEntry, ...] | None = None
    lines: LinesEntry | None = None
    reach: dict[str, Reach] | None = None
    """Priority, as a text, and which addresses."""
    listed: Annotated[int, msgspec.Meta(ge=1, le=200)] | None = None
    channels: dict[str, Any] | None = None
    """Read by `alerts.notify.channelfile`."""
    templates: dict[str, Any] | None = None
    """Read by `alerts.notify.templates`."""
    console: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/?#]+[^\s?#]*$", max_length=400)] | None = None
    """Where people reach the console, for links in messages."""


def load_notice_policy(path: Path | None, persons: Sequence[str] | None = None) -> Policy:
    """Read a notices file over the delivered one; None for the delivered one alone.

    Parameters
    ----------
    path
        The folder's own file.
    persons
        Ids of the people file, against which names are held; None when they are not to be checked.

    Raises
    ------
    ConfigError
        When it is not there or wrong: with file, line, key, problem and what to do.
    """
    with as_file(files("alerts").joinpath("data/notices.yaml")) as packaged:
        delivered = read_yaml(packaged)
    return parse_notice_policy(delivered if path is None else read_yaml(path), delivered, persons)


def parse_notice_policy(document: Document, delivered: Document, persons: Sequence[str] | None = None) -> Policy:
    """Return the policy that a document says, each key that it leaves out as delivered.

    Raises
    ------
    ConfigError
        When a key is unknown, of a wrong type or out of bounds; when a matcher is none or names an unknown label; when
        the last grouping does not take everything; when two entries have one id; when stages are not in order of
        time; when a person is unknown. What else is wrong stands in its ``further``.
    """
    problems = Problems()
    own, base = _Reading(document, problems, persons), _Reading(delivered, problems, None)
    return _policy(own, base, problems)


def _policy(own: _Reading, base: _Reading, problems: Problems) -> Policy:
    def part(name: str, read: Callable[[_Reading], PartT]) -> PartT:
        return read(base if getattr(own.file, name) is None else own)

    made = Policy(
        groupings=part("grouping", _Reading.groupings),
        inhibitions=part("inhibit", _Reading.inhibitions),
        quiets=part("quiet", _Reading.quiets),
        digests=part("digests", _Reading.digests),
        escalations=part("escalation", _Reading.escalations),
        lines=part("lines", _Reading.lines),
        reach=part("reach", _Reading.reach),
        listed=part("listed", lambda reading: reading.file.listed or 1),
    )
    problems.raise_first()
    return made


class _Reading:
    """One document as it is read, and where an error points at."""

    def __init__(self, document: Document, problems: Problems, persons: Sequence[str] | None) -> None:
        self._document, self._problems, self._persons = document, problems, persons
        empty = document.value is None
        self.file = NoticesFile() if empty else document.read_as(NoticesFile, "give what the delivered file shows")

    def groupings(self) -> tuple[Grouping, ...]:
        entries = self.file.grouping or ()
        made = []
        for place, entry in enumerate(entries):
            path: _Path = ("grouping", place)
            with self._problems.kept():
                self._check_labels(entry.group_by, (*path, "group_by"))
                timing = Timing(
                    group_wait=_ms(entry.group_wait), group_interval=_ms(entry.group_interval),
                    repeat_interval=_ms(entry.repeat_interval), brief=entry.brief,
                )  # fmt: skip
                matchers = self._matchers(entry.match, (*path, "match"))
                made.append(Grouping(matchers=matchers, group_by=entry.group_by, timing=timing))
        with self._problems.kept():
            if not entries or entries[-1].match:
                key: _Path = ("grouping", len(entries) - 1, "match") if entries else ("grouping",)
                mend = "let the last one have no matchers"
                raise self._document.error(key, "not everything has a group", mend)
        return tuple(made)

    def inhibitions(self) -> tuple[Inhibition, ...]:
        made = []
        for place, entry in enumerate(self.file.inhibit or ()):
            path: _Path = ("inhibit", place)
            with self._problems.kept():
                self._check_id("inhibit", place, [one.id for one in self.file.inhibit or ()])
                self._check_labels(entry.equal, (*path, "equal"))
                source = self._matchers(entry.source, (*path, "source"))
                target = self._matchers(entry.target, (*path, "target"))
                made.append(Inhibition(id=entry.id, source=source, target=target, equal=entry.equal))
        return tuple(made)

    def quiets(self) -> tuple[Quiet, ...]:
        made = []
        for place, entry in enumerate(self.file.quiet or ()):
            with self._problems.kept():
                self._check_id("quiet", place, [one.id for one in self.file.quiet or ()])
                whom = self._whom(entry, ("quiet", place))
                start, end = _minutes(entry.start), _minutes(entry.end)
                made.append(Quiet(id=entry.id, start=start, end=end, days=entry.days, whom=whom))
        return tuple(made)

    def digests(self) -> tuple[Digest, ...]:
        made = []
        for place, entry in enumerate(self.file.digests or ()):
            with self._problems.kept():
                self._check_id("digests", place, [one.id for one in self.file.digests or ()])
                whom = self._whom(entry, ("digests", place))
                times = tuple(sorted({_minutes(one) for one in entry.at}))
                made.append(Digest(id=entry.id, at=times, days=entry.days, whom=whom))
        return tuple(made)

    def escalations(self) -> tuple[Escalation, ...]:
        made = []
        for place, entry in enumerate(self.file.escalation or ()):
            with self._problems.kept():
                stages = tuple(Stage(after=_ms(one.after), tier=one.tier) for one in entry.stages)
                for count, (before, after) in enumerate(pairwise(stages), start=1):
                    if after.after <= before.after:
                        key: _Path = ("escalation", place, "stages", count, "after")
                        mend = "give stages in order of time, counted from the raising"
                        raise self._document.error(key, "not after the stage before", mend)
                made.append(
                    Escalation(
                        priorities=frozenset(entry.priorities), stages=stages, times=entry.times,
                        repeat=None if entry.repeat is None else _ms(entry.repeat), after_end=entry.after_end,
                    )
                )  # fmt: skip
        return tuple(made)

    def lines(self) -> Lines | None:
        entry = self.file.lines
        if entry is None:
            return None
        area = AreaType(entry.area).value
        return Lines(area=area, kinds=frozenset(entry.kinds), least=entry.least, percent=entry.percent)

    def reach(self) -> Mapping[int, Reach]:
        entries = self.file.reach or {}
        for priority in entries:
            if priority not in _PRIORITIES:
                with self._problems.kept():
                    raise self._document.error(("reach", priority), f"no priority {priority!r}", 'write "1" to "4"')
        return {int(priority): reach for priority, reach in entries.items() if priority in _PRIORITIES}

    def _whom(self, entry: WhomEntry, path: _Path) -> Whom:
        for place, name in enumerate(entry.persons):
            if self._persons is not None and name not in self._persons:
                mend = "name somebody of the people file"
                raise self._document.error((*path, "persons", place), f"no person {name!r}", mend)
        return Whom(
            priorities=frozenset(entry.priorities), tiers=frozenset(entry.tiers), persons=frozenset(entry.persons)
        )

    def _matchers(self, texts: Sequence[str], path: _Path) -> tuple[Matcher, ...]:
        made = []
        for place, text in enumerate(texts):
            try:
                matcher = parse_matcher(text)
                check_labels([matcher])
            except BadMatcher as cause:
                raise self._document.error((*path, place), str(cause), "correct the matcher") from cause
            made.append(matcher)
        return tuple(made)

    def _check_labels(self, names: Sequence[str], path: _Path) -> None:
        for place, name in enumerate(names):
            if name not in LABELS:
                mend = f"name one of {', '.join(sorted(LABELS))}"
                raise self._document.error((*path, place), f"no label {name!r}", mend)

    def _check_id(self, part: str, place: int, ids: Sequence[str]) -> None:
        if ids[place] in ids[:place]:
            problem = f"{ids[place]} is given already"
            raise self._document.error((part, place, "id"), problem, "give each an id of its own")


def _ms(span: str) -> int:
    return int(span[:-1]) * _UNIT_MS[span[-1]]


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return (int(hours) * 60 + int(minutes)) % _DAY_MIN
