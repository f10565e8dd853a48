"""Files and bytes as they should not be, through a real Kafka: a reason for each, and no harm to the rest."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from confluent_kafka import Producer

from sensors.clock import HOUR_MS, hour_ending, moment_of
from sensors.deadletters import DeadLetter, Refusal, decode_letter
from sensors.frames import Frame, FrameHead, Origin, Tick, decode, encode_frame, encode_tick
from sensors.partition import partition_of
from sensors.publisher import lag_of
from sensors.registry import load_registry
from streams.air.index import FACTORS
from streams.topics import Topics
from tests.air_cases import AIR, Row, frame, judge, row, run
from tests.integration.running import ROOT, Table, first_stage, records, said_on, system, table_of, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.kafka]
PARTITIONS = 4
HOURS = 60
START = 1_480_521_600_000
"""2016-12-01 00:00 in Beijing."""
GRACE = 300_000
HEADER = ",".join(("time", "site", *FACTORS))
BAD_CELLS = {"PM2.5": "-999", "PM10": "NaN", "SO2": "about ten", "NO2": "1e99", "CO": "151", "O3": "-1"}
CELL_REASONS = {
    "PM2.5": Refusal.IMPOSSIBLE_VALUE,
    "PM10": Refusal.NOT_A_NUMBER,
    "SO2": Refusal.NOT_A_NUMBER,
    "NO2": Refusal.IMPOSSIBLE_VALUE,
    "CO": Refusal.IMPOSSIBLE_VALUE,
    "O3": Refusal.IMPOSSIBLE_VALUE,
}
GARBAGE = (
    b"", b"garbage", b"\x00" * 100, b"{}", b'{"at": "now"}', b'{"at": 1480521600000000}',
    b"\xff\xff\xff\xff\x10\x00\x00\x00",
)  # fmt: skip
NEXT = START + HOURS * HOUR_MS
"""The hour after those of the files."""
WITNESS = "Aotizhongxin"


def good(site: str) -> list[Row]:
    """Return a site's hours: numbers that differ by hour and by factor."""
    return [
        row(
            site,
            START + h * HOUR_MS,
            flags=None,
            PM25=20 + h,
            PM10=50 + h,
            SO2=5 + h % 3,
            NO2=30 + h % 4,
            CO=0.8,
            O3=60 + h,
        )
        for h in range(HOURS)
    ]


def cells(one: Row, changed: dict[str, str] | None = None) -> str:
    """Return a packet as a line of CSV."""
    texts = [f"{(v or 0) / 10 ** AIR[f].digits:g}" for f, v in zip(FACTORS, one.values, strict=True)]
    given = [(changed or {}).get(f, text) for f, text in zip(FACTORS, texts, strict=True)]
    return ",".join((hour_ending(one.start), one.site, *given))


def write_files(folder: Path) -> list[Path]:
    """Write one file for each kind of trouble, each with the hours of a site of its own."""

    def lines(site: str) -> list[str]:
        return [cells(r) for r in good(site)]

    def text(name: str, parts: Sequence[str], end: str = "\n") -> None:
        (folder / name).write_bytes((end.join((HEADER, *parts)) + end).encode())

    text("clean.csv", lines(WITNESS))
    strange = [f"{line},3.2,晴" for line in lines("Changping")]
    (folder / "columns.csv").write_text("\n".join((f"{HEADER},wind,备注", *strange)), encoding="utf-8")
    codes = ("gbk", "utf-8")
    mixed = [f"{line},晴".encode(codes[i % 2]) for i, line in enumerate(lines("Dingling"))]
    (folder / "mixed.csv").write_bytes(b"\n".join((f"{HEADER},备注".encode("gbk"), *mixed, b"\xff\xfe\xff")))
    (folder / "empty.csv").write_bytes(b"")
    crlf = "\r\n".join((HEADER, *lines("Dongsi"), ""))
    (folder / "crlf.csv").write_bytes(b"\xef\xbb\xbf" + crlf.encode())
    text("twice.csv", [line for line in lines("Guanyuan") for _ in range(2)])
    gucheng = lines("Gucheng")
    text("disorder.csv", gucheng[48:] + gucheng[:48][::-1])
    huairou = lines("Huairou")
    wrong = ("1970-01-01 08:00", "2099-01-01 08:00", "yesterday", "2016-12-01 08:30", "")
    odd = [line.replace(line.split(",")[0], time) for line, time in zip(huairou, wrong, strict=False)]
    text("times.csv", huairou[:30] + odd + huairou[30:] + ["2016-12-01 09:00,Huairou,1,2"])
    numbers = lines("Nongzhanguan")
    for place, (factor, bad) in enumerate(BAD_CELLS.items()):
        numbers[place] = cells(good("Nongzhanguan")[place], {factor: bad})
    text("numbers.csv", numbers)
    text("stranger.csv", lines("Nowhere")[:3])
    return sorted(folder.glob("*.csv"))


def expected() -> Table:
    """Return the final table of the clean rows, judged in this process."""
    rows = [r for site in SENDING if site != "Nongzhanguan" for r in good(site)]
    for place, r in enumerate(good("Nongzhanguan")):
        bad = list(BAD_CELLS)[place] if place < len(BAD_CELLS) else None
        values = tuple(None if f == bad else v for f, v in zip(FACTORS, r.values, strict=True))
        rows.append(
            Row(site=r.site, start=r.start, values=values, flags=tuple("X" if f == bad else None for f in FACTORS))
        )
    made = judge(load_registry(ROOT / "sensors" / "data" / "beijing.yaml").sites)
    log: list[Frame | Tick] = [Tick(START)]
    for h in range(HOURS):
        mine = [r for r in rows if r.start == START + h * HOUR_MS]
        log += [frame(mine, origin=Origin.REPORTED), Tick(START + (h + 1) * HOUR_MS)]
    return first_stage(table_of(run(made, [*log, Tick(NEXT + GRACE)])))


SENDING = (
    WITNESS, "Changping", "Dingling", "Dongsi", "Guanyuan", "Gucheng", "Huairou", "Nongzhanguan",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it all."""

    after_files: Table
    after_garbage: Table
    letters: list[DeadLetter]
    worker_lives: bool
    told: str


@pytest.fixture(scope="module")
def outcome(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """Feed every file in one run, then put bytes that are no frames on the topic."""
    folder = tmp_path_factory.mktemp("bad")
    topics = Topics(prefix=f"bad-{uuid4().hex[:8]}")
    shutil.copy(ROOT / "sensors" / "data" / "beijing.yaml", folder / "registry.yaml")
    (folder / "in").mkdir()
    files = write_files(folder / "in")
    environment = {"JIANHU_KAFKA": kafka, "JIANHU_PREFIX": topics.prefix, "JIANHU_DIR": str(folder)}

    def read() -> bool:
        return lag_of(kafka, topics.group("judge"), topics.readings("air"), PARTITIONS) == 0

    with system(environment, folder / "logs") as made:
        assert made.start("topics").wait(60) == 0, made.told()
        worker = made.start("worker")
        assert made.start("feed", "--format", "csv", *map(str, files)).wait(120) == 0, made.told()
        wait_for(f"the worker to read the files\n{made.told()}", read, 120)
        after_files = first_stage(said_on(kafka, topics, PARTITIONS))
        put_garbage(kafka, topics.readings("air"))
        wait_for(f"the worker to read the garbage\n{made.told()}", read, 60)
        letters = [decode_letter(value) for _, _, value in records(kafka, topics.deadletter, PARTITIONS)]
        yield Outcome(
            after_files=after_files,
            after_garbage=first_stage(said_on(kafka, topics, PARTITIONS)),
            letters=letters,
            worker_lives=worker.poll() is None,
            told=made.told(),
        )


def put_garbage(bootstrap: str, topic: str) -> None:
    """Put garbage on the partition of the witness, then its next hour beside a stranger's, then the clock."""
    partition = partition_of(WITNESS, PARTITIONS)
    head = FrameHead(kind="air", period_ms=HOUR_MS, source="hand", sequence=0, version=99)
    hour = frame([row(WITNESS, NEXT, PM25=70), row("Nowhere", NEXT, PM25=1)])
    unknown_version = encode_frame(Frame(head=head, rows=hour.rows))
    clock = encode_tick(NEXT + HOUR_MS + GRACE)
    producer = Producer({"bootstrap.servers": bootstrap})
    for value in (*GARBAGE, unknown_version, unknown_version[:-20], encode_frame(hour), clock):
        producer.produce(topic, value, partition=partition)
    assert producer.flush(30) == 0


def of_file(outcome: Outcome, name: str) -> Counter[Refusal]:
    return Counter(letter.reason for letter in outcome.letters if letter.where.split(":")[0] == name)


def test_the_good_rows_of_all_files_make_the_table_of_clean_ones(outcome: Outcome) -> None:
    clean = expected()
    assert outcome.after_files.keys() == clean.keys()
    differing = {key: (outcome.after_files[key], clean[key]) for key in clean if outcome.after_files[key] != clean[key]}
    assert differing == {}
    assert {key[0] for key, content in clean.items() if content[0] is not None} == set(SENDING)


@pytest.mark.parametrize("name", ["clean.csv", "crlf.csv", "twice.csv", "disorder.csv"])
def test_line_ends_repeats_and_disorder_are_no_fault(outcome: Outcome, name: str) -> None:
    assert of_file(outcome, name) == Counter()


def test_unknown_columns_are_named_once_each(outcome: Outcome) -> None:
    assert of_file(outcome, "columns.csv") == {Refusal.UNKNOWN_COLUMN: 2}
    found = {letter.factor for letter in outcome.letters if letter.where == "columns.csv"}
    assert found == {"wind", "备注"}


def test_a_file_of_mixed_encodings_is_read_but_for_the_line_that_is_neither(outcome: Outcome) -> None:
    assert of_file(outcome, "mixed.csv") == {Refusal.UNKNOWN_COLUMN: 1, Refusal.BAD_FILE: 1}
    (letter,) = (x for x in outcome.letters if x.where == f"mixed.csv:{HOURS + 2}")
    assert letter.raw == b"\xff\xfe\xff"
    assert "neither UTF-8 nor GBK" in letter.detail


def test_an_empty_file_is_told(outcome: Outcome) -> None:
    assert of_file(outcome, "empty.csv") == {Refusal.BAD_FILE: 1}


def test_times_of_1970_and_2099_and_no_times_cost_their_row_only(outcome: Outcome) -> None:
    assert of_file(outcome, "times.csv") == {Refusal.IMPOSSIBLE_TIME: 5, Refusal.BAD_FILE: 1}
    details = [x.detail for x in outcome.letters if x.where.startswith("times.csv:")]
    assert any("1970" in d and "began on 2013-01-01" in d for d in details)
    assert any("2099" in d and "after it was received" in d for d in details)
    assert any("4 cells under a header of 8" in d for d in details)


@pytest.mark.parametrize(("place", "factor"), list(enumerate(BAD_CELLS)))
def test_a_cell_that_is_no_measurement_costs_itself_and_is_kept_with_its_line(
    outcome: Outcome, place: int, factor: str
) -> None:
    (letter,) = (x for x in outcome.letters if x.where == f"numbers.csv:{place + 2}")
    assert (letter.reason, letter.factor, letter.site) == (CELL_REASONS[factor], factor, "Nongzhanguan")
    assert msgspec.json.decode(letter.raw)[factor] == BAD_CELLS[factor]
    window = (letter.site, factor, "1h", moment_of(START + place * HOUR_MS), "HJ633-2012")
    assert outcome.after_files[window][0] is None
    assert outcome.after_files[window][4] == "invalid"


def test_rows_of_a_site_that_nobody_registered_are_told_and_kept(outcome: Outcome) -> None:
    assert of_file(outcome, "stranger.csv") == {Refusal.UNKNOWN_SITE: 3}
    assert {key[0] for key in outcome.after_garbage} & {"Nowhere"} == set()


def test_bytes_that_are_no_frame_go_to_the_dead_letters_as_they_were(outcome: Outcome) -> None:
    found = [letter for letter in outcome.letters if letter.reason is Refusal.BAD_FRAME]
    assert [letter.raw for letter in found][: len(GARBAGE)] == list(GARBAGE)
    assert len(found) == len(GARBAGE) + 2
    assert "schema version 99" in found[-2].detail
    assert all(letter.where.rpartition("@")[2].isdigit() and letter.detail for letter in found)


def test_a_stranger_in_a_frame_goes_to_the_dead_letters_as_a_frame_that_can_be_driven_again(outcome: Outcome) -> None:
    (letter,) = (x for x in outcome.letters if x.reason is Refusal.UNKNOWN_SITE and "@" in x.where)
    again = decode(letter.raw)
    assert isinstance(again, Frame)
    assert again.rows.column("site").to_pylist() == ["Nowhere"]
    assert again.rows.column("PM2.5").to_pylist() == [100]


def test_the_worker_lives_on_and_judges_what_comes_after(outcome: Outcome) -> None:
    assert outcome.worker_lives, outcome.told
    new = {key: content for key, content in outcome.after_garbage.items() if key not in outcome.after_files}
    assert {key[3] for key in new if key[2] == "1h"} == {moment_of(NEXT)}
    assert new[WITNESS, "PM2.5", "1h", moment_of(NEXT), "HJ633-2012"][0] == 7_000
    assert all(outcome.after_garbage[key] == content for key, content in outcome.after_files.items())


def test_no_letter_is_without_reason_detail_and_place(outcome: Outcome) -> None:
    assert all(letter.detail and letter.where for letter in outcome.letters)
