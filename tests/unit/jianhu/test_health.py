from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from confluent_kafka import Consumer

from jianhu import health
from jianhu.broker import EmbeddedBroker
from jianhu.health import Part, Reach, follows, stuck
from jianhu.settings import Settings
from sensors.errors import EdgeError
from streams.topics import Topics

PLACE = ("results.air", 0)
OTHER = ("results.air", 1)


def _at(done: int, end: int = 10) -> Reach:
    return Reach(done=done, end=end)


@pytest.mark.parametrize(
    ("before", "now", "count"),
    [
        (_at(10), _at(10), 0),
        (_at(5), _at(6), 0),
        (_at(5), _at(5), 1),
        (_at(0, 0), _at(0, 0), 0),
        (_at(0, 0), _at(0, 1), 1),
        (_at(5), _at(3), 1),
        (_at(5), _at(10), 0),
    ],
    ids=["all-read", "reads-on", "stands-still", "empty", "first-message", "went-back", "caught-up"],
)
def test_a_partition_is_stuck_when_something_is_unread_and_nothing_was_read(
    before: Reach, now: Reach, count: int
) -> None:
    assert len(stuck({PLACE: before}, {PLACE: now})) == count


def test_one_partition_that_stands_still_is_named_among_others_that_do_not() -> None:
    before = {PLACE: _at(5), OTHER: _at(5)}
    assert stuck(before, {PLACE: _at(5), OTHER: _at(6)}) == ["results.air[0] is read to 5 of 10"]


class Looks:
    """What is seen at each look; the last stays."""

    def __init__(self, *seen: Reach) -> None:
        self._seen, self.count = list(seen), 0

    def __call__(self) -> Mapping[tuple[str, int], Reach]:
        self.count += 1
        return {PLACE: self._seen.pop(0) if len(self._seen) > 1 else self._seen[0]}


def _no_pause(_seconds: float) -> None:
    """Waits for nothing."""


def test_a_part_with_nothing_unread_is_well_at_the_first_look() -> None:
    looks = Looks(_at(10))
    follows(looks, patience_s=0, pause=_no_pause)
    assert looks.count == 1


def test_a_part_that_reads_on_is_well_however_much_is_unread() -> None:
    looks = Looks(_at(5, 1000), _at(5, 1100), _at(6, 1200))
    follows(looks, patience_s=60, pause=_no_pause)
    assert looks.count == 3


def test_a_part_that_stands_still_is_told_with_its_place() -> None:
    with pytest.raises(EdgeError, match=r"nothing read for 0 s: results\.air\[0\]"):
        follows(Looks(_at(5)), patience_s=0, pause=_no_pause)


def test_every_part_that_reads_is_known_by_its_group() -> None:
    assert set(health._GROUPS) == set(Part) - {Part.CONSOLE, Part.STEWARD}


@contextmanager
def _answering(code: int, text: bytes) -> Iterator[int]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/readyz"
            self.send_response(code)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        yield server.server_port
        thread.join()


def test_a_console_that_is_ready_is_well() -> None:
    with _answering(200, b"ready\n") as port:
        health.check(Part.CONSOLE, Settings(console_port=port))


def test_a_console_that_is_not_ready_says_why() -> None:
    with _answering(503, b"store: down\n") as port, pytest.raises(EdgeError, match="not ready: store: down"):
        health.check(Part.CONSOLE, Settings(console_port=port))


def test_a_console_that_is_not_there_is_not_well() -> None:
    with pytest.raises(EdgeError, match="does not answer"):
        health.check(Part.CONSOLE, Settings(console_port=1))


def test_a_broker_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_ANSWER_S", 0.1)
    with pytest.raises(EdgeError, match="the broker does not answer"):
        health.check(Part.SINK, Settings(kafka="127.0.0.1:1"))


@pytest.fixture(scope="module")
def broker() -> EmbeddedBroker:
    found = EmbeddedBroker()
    found.make_topics((*Topics(prefix="x").all("air", "water"), *Topics(prefix="y").all("air")))
    return found


@pytest.mark.parametrize(
    ("part", "kinds", "topics"),
    [
        (Part.WORKER, "", ["x.areas.air", "x.areas.water", "x.readings.air", "x.readings.water"]),
        (Part.SINK, "", ["x.results.air", "x.results.water"]),
        (Part.WATCH, "water", ["x.results.water"]),
        (Part.ARCHIVE, "air", ["x.areas.air", "x.readings.air", "x.results.air"]),
    ],
)
def test_a_part_is_asked_after_every_topic_that_it_reads_and_no_other_systems(
    broker: EmbeddedBroker, part: Part, kinds: str, topics: list[str]
) -> None:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "g"})
    assert health.topics_of(consumer, part, Settings(prefix="x", kinds=kinds)) == topics
    with pytest.raises(EdgeError, match="`jianhu topics` creates them"):
        health.topics_of(consumer, part, Settings(prefix="z"))
    consumer.close()


def test_the_command_says_how_a_part_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with _answering(200, b"ready\n") as port:
        monkeypatch.setenv("JIANHU_CONSOLE_PORT", str(port))
        assert health.main(["console"]) == 0
    assert capsys.readouterr().out == "console: well\n"


def test_the_command_fails_with_the_reason(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("JIANHU_CONSOLE_PORT", "1")
    assert health.main(["console"]) == 1
    assert "console: the console does not answer" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nobody"], ["sink", "watch"]])
def test_the_command_wants_one_part_that_exists(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert health.main(arguments) == 2
    assert "usage: python -m jianhu.health" in capsys.readouterr().err
