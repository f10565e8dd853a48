"""``jianhu recompute``: ask for past days to be judged again, slice by slice, and wait until each is done."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from jianhu.assembly import Assembly
from sensors.clock import day_of
from sensors.deadletters import Refusal, decode_letter
from sensors.errors import ConfigError, EdgeError
from sensors.frames import SITE, START, Frame, Recompute, decode
from sensors.partition import partition_of
from sensors.publisher import has_read
from streams.judging.state import JudgeSettings
from streams.recompute import last_settled_day, slices
from streams.segments import RAW

SLICE_DAYS = 5
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for."""

    kind: str
    sites: tuple[str, ...]
    """None means every site of the kind."""
    first: date
    """Beijing day."""
    last: date
    """Beijing day, inside."""
    author: str
    why: str
    name: str
    """Beginning of the requests' ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Some days of the sites of some partitions, asked for together."""

    first_day: int
    last_day: int
    sites: Mapping[int, tuple[str, ...]]
    """Partition → its sites; none means all of them."""

    @property
    def last(self) -> date:
        """The last Beijing day."""
        return _date(self.last_day)


def day_number(day: date) -> int:
    """Return the number of a Beijing day."""
    return (day - _EPOCH).days


def plan(wish: Wish, parts: Assembly) -> tuple[Slice, ...]:
    """Return the slices of a wish, oldest first; days that late readings still change are left out.

    Raises
    ------
    ConfigError
        When a site is not one of the kind.
    EdgeError
        When the archive does not know the clock of every partition yet.
    """
    known = {site.id for site in parts.registry.of_kind(wish.kind)}
    if strangers := set(wish.sites) - known:
        raise ConfigError(
            file="command line", line=None, key="--site", problem=f"no {wish.kind} site {min(strangers)!r}",
            mend="name sites of the registry, or none for all of them",
        )  # fmt: skip
    clock = _clock(parts, wish.kind)
    settled = last_settled_day(clock, JudgeSettings().late_h)
    last = min(day_number(wish.last), settled)
    found = slices(day_number(wish.first), last, SLICE_DAYS)
    sites = _by_partition(wish.sites or tuple(sorted(known)), parts.settings.partitions, every=not wish.sites)
    return tuple(Slice(first_day=first, last_day=last, sites=sites) for first, last in found)


def _clock(parts: Assembly, kind: str) -> int:
    """Return the clock of the slowest partition, as far as it is archived."""
    topic = parts.topics.readings(kind)
    ticks = [parts.archive.last_tick(topic, p) for p in range(parts.settings.partitions)]
    known = [tick for tick in ticks if tick is not None]
    if len(known) < len(ticks):
        raise EdgeError(f"the archive holds no tick of every partition of {topic}; wait until it has followed the feed")
    return min(known)


def _by_partition(sites: tuple[str, ...], partitions: int, *, every: bool) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for site in sites:
        place = partition_of(site, partitions)
        found[place] = () if every else (*found.get(place, ()), site)
    return found


def late_wishes(parts: Assembly, kind: str, author: str, name: str) -> Iterator[Wish]:
    """Yield a wish for each site of which readings came too late, as the archived dead letters tell."""
    spans: dict[str, tuple[int, int]] = {}
    for frame in _late_frames(parts, kind):
        for site, first, last in _spans(frame):
            held = spans.get(site, (first, last))
            spans[site] = (min(held[0], first), max(held[1], last))
    for site, (first, last) in sorted(spans.items()):
        yield Wish(
            kind=kind, sites=(site,), first=_date(first), last=_date(last), author=author,
            why="readings came too late", name=name,
        )  # fmt: skip


def _late_frames(parts: Assembly, kind: str) -> Iterator[Frame]:
    for partition in range(parts.settings.partitions):
        for segment in parts.archive.segments(parts.topics.deadletter, partition):
            for data in parts.archive.rows(segment, None).column(RAW).to_pylist():
                letter = decode_letter(data)
                item = decode(letter.raw) if letter.reason is Refusal.TOO_LATE else None
                if isinstance(item, Frame) and item.head.kind == kind:
                    yield item


def _spans(frame: Frame) -> Iterator[tuple[str, int, int]]:
    """Yield site, first and last Beijing day of a frame's readings."""
    rows = pa.table(
        {"site": frame.rows.column(SITE).cast(pa.utf8()), "start": frame.rows.column(START).cast(pa.int64())}
    )
    found = rows.group_by("site").aggregate([("start", "min"), ("start", "max")])
    for site, first, last in zip(
        *(found.column(name).to_pylist() for name in ("site", "start_min", "start_max")), strict=True
    ):
        yield site, day_of(first), day_of(last)


def _date(day: int) -> date:
    return date.fromordinal(_EPOCH.toordinal() + day)


def ask(wish: Wish, found: tuple[Slice, ...], parts: Assembly, stop: threading.Event) -> Iterator[Slice]:
    """Send slice after slice and yield each when its partitions have done it; ends early when told to stop.

    Raises
    ------
    EdgeError
        When the broker does not answer.
    """
    publisher = parts.publisher("recompute", wish.kind, synthetic=parts.registry.synthetic)
    group = parts.topics.group("judge")
    for number, part in enumerate(found):
        for partition, sites in part.sites.items():
            request = Recompute(
                id=f"{wish.name}-{number}", sites=sites, first_day=part.first_day, last_day=part.last_day,
                author=wish.author, why=wish.why,
            )  # fmt: skip
            publisher.ask(partition, request)
        publisher.flush()
        sent = {partition: publisher.sent[partition][-1][0] for partition in part.sites}
        while not has_read(parts.kafka, group, publisher.topic, sent):
            if stop.wait(0.2):
                return
        yield part
