"""What `jianhu recompute` asks for: which days, of which sites, in which slices, and what is left for later."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from jianhu.assembly import Assembly
from jianhu.recomputing import SLICE_DAYS, Wish, ask, day_number, late_wishes, plan
from jianhu.settings import Settings
from sensors.clock import DAY_MS
from sensors.deadletters import DeadLetter, Refusal, encode_letter
from sensors.errors import ConfigError, EdgeError
from sensors.frames import Tick, encode_frame, request_of
from sensors.partition import partition_of
from streams.recompute import day_start_ms
from streams.segments import joined, rows_of
from tests.embedded import Embedded
from tests.integration.running import ROOT
from tests.packets import frame, message, packet

FIRST = date(2016, 12, 1)
T0 = day_start_ms(day_number(FIRST))
CLOCK = T0 + 20 * DAY_MS
"""72 h before it is the first moment of 18 December: 16 December and its dependents are settled."""
SITE = "Dongsi"


def wish(first: int, last: int, *sites: str) -> Wish:
    """Return a wish for days of December 2016."""
    days = {"first": date(2016, 12, first), "last": date(2016, 12, last)}
    return Wish(kind="air", sites=sites, author="王工", why="迟到", name="n", **days)


@pytest.fixture
def broker() -> Embedded:
    return Embedded()


@pytest.fixture
def parts(tmp_path: Path, broker: Embedded) -> Assembly:
    """A system whose archive has a tick of every partition."""
    shutil.copy(ROOT / "sensors" / "data" / "beijing.yaml", tmp_path / "registry.yaml")
    made = Assembly(Settings(dir=tmp_path, kafka=broker.bootstrap, prefix="t", log_id="now", partitions=4))
    made.archive.open_log("now", 4)
    for partition in range(4):
        rows = rows_of("readings", 0, message(Tick(CLOCK)))
        made.archive.write("now", broker.readings, partition, rows, first=0, last=0, last_tick=CLOCK)
    return made


def keep_letters(parts: Assembly, *letters: DeadLetter) -> None:
    rows = joined([rows_of("deadletter", place, encode_letter(letter)) for place, letter in enumerate(letters)])
    parts.archive.write("now", parts.topics.deadletter, 0, rows, first=0, last=len(letters) - 1, last_tick=0)


def letter(reason: Refusal, site: str, *days: int, kind: str = "air") -> DeadLetter:
    raw = encode_frame(frame(*(packet(site, T0 + day * DAY_MS) for day in days), kind=kind))
    return DeadLetter(reason=reason, source="s", where="w", detail="d", raw=raw, site=site)


def test_a_wish_is_cut_into_slices_of_the_partitions_that_have_its_sites(parts: Assembly) -> None:
    found = plan(wish(1, 12, SITE), parts)
    assert [(one.first_day, one.last_day) for one in found] == [
        (day_number(date(2016, 12, first)), day_number(date(2016, 12, min(first + SLICE_DAYS - 1, 12))))
        for first in (1, 6, 11)
    ]
    assert {tuple(one.sites.items()) for one in found} == {((partition_of(SITE, 4), (SITE,)),)}
    assert found[-1].last == date(2016, 12, 12)


def test_without_sites_every_partition_with_sites_is_asked_for_all_of_them(parts: Assembly) -> None:
    (found,) = plan(wish(1, 1), parts)
    assert set(found.sites) == {partition_of(site.id, 4) for site in parts.registry.sites}
    assert set(found.sites.values()) == {()}


def test_days_that_late_readings_still_change_are_left_out(parts: Assembly) -> None:
    assert plan(wish(14, 31), parts)[-1].last == date(2016, 12, 16)
    assert plan(wish(17, 31), parts) == ()


def test_a_site_of_another_kind_or_of_none_is_named(parts: Assembly) -> None:
    with pytest.raises(ConfigError, match="no air site 'Nowhere'"):
        plan(wish(1, 1, SITE, "Nowhere"), parts)


def test_without_a_clock_of_every_partition_nothing_is_asked(tmp_path: Path, parts: Assembly) -> None:
    shutil.rmtree(tmp_path / "archive" / "now" / parts.topics.readings("air") / "3")
    with pytest.raises(EdgeError, match="no tick of every partition"):
        plan(wish(1, 1), parts)


def test_what_came_too_late_is_found_by_site_with_its_first_and_last_day(parts: Assembly) -> None:
    keep_letters(
        parts,
        letter(Refusal.TOO_LATE, SITE, 4, 2),
        letter(Refusal.UNKNOWN_SITE, "Nowhere", 0),
        letter(Refusal.TOO_LATE, "Gucheng", 7),
        letter(Refusal.TOO_LATE, SITE, 3, 5),
        letter(Refusal.TOO_LATE, "SYN-W", 1, kind="water"),
        replace(letter(Refusal.BAD_FRAME, "", 1), raw=b"garbage"),
    )
    found = [(one.sites, one.first.day, one.last.day, one.author) for one in late_wishes(parts, "air", "王工", "n")]
    assert found == [((SITE,), 3, 6, "王工"), (("Gucheng",), 8, 8, "王工")]


def test_a_slice_is_done_when_the_judges_have_read_it(parts: Assembly, broker: Embedded) -> None:
    (part,) = plan(wish(1, 2, SITE), parts)
    place, group = partition_of(SITE, 4), parts.topics.group("judge")
    broker.commit(group, {place: 1}, broker.readings)  # as if they had: the broker has no judge
    assert list(ask(wish(1, 2, SITE), (part,), parts, threading.Event())) == [part]
    ((partition, data),) = broker.records()
    request = request_of(data)
    assert partition == place
    assert (request.id, request.sites, request.author, request.why) == ("n-0", (SITE,), "王工", "迟到")
    assert (request.first_day, request.last_day) == (part.first_day, part.last_day)


def test_who_is_told_to_stop_leaves_the_rest_unasked(parts: Assembly, broker: Embedded) -> None:
    found, stop = plan(wish(1, 12, SITE), parts), threading.Event()
    stop.set()
    assert list(ask(wish(1, 12, SITE), found, parts, stop)) == []
    assert len(broker.records()) == 1
