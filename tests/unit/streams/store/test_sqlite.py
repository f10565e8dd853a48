"""What the SQLite store promises beside the contract: the file, its readers and its refusals."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from sensors.clock import HOUR_MS
from sensors.errors import ConfigError, StoreError
from streams.results import ResultHead
from streams.store import sqlite
from streams.store.contract import RECORD, Clock, WriteReport
from streams.store.sqlite import Access, SqliteStore
from tests.unit.streams.store.samples import HEAD, HOUR, T0, batch, listed, row

_READER = """
import sys
from pathlib import Path
from streams.store.sqlite import Access, SqliteStore
store = SqliteStore(Path(sys.argv[1]), Access.READ)
print(store.slice("1h", int(sys.argv[2])).column("value").to_pylist())
store.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "with space #1 ?%" / "results.db"


@pytest.fixture
def writer(path: Path) -> SqliteStore:
    path.parent.mkdir()
    return SqliteStore(path)


def test_results_outlive_the_process_that_wrote_them(path: Path, writer: SqliteStore) -> None:
    with closing(writer):
        writer.write(batch(row(value=5, revision=2)), HEAD)
        writer.note_tick("air", 0, 10, 20)
    with closing(SqliteStore(path)) as again:
        assert listed(again.slice(HOUR, T0)) == [row(value=5, revision=2)]
        assert again.clock() == Clock(kind="air", at_ms=10, wall_ms=20, partition=0)
        assert again.write(batch(row(value=4)), HEAD) == WriteReport(kept=1)


def test_another_process_reads_while_this_one_writes(path: Path, writer: SqliteStore) -> None:
    with closing(writer):
        writer.write(batch(row(value=5)), HEAD)
        with writer._transaction("holding the pen") as db:
            db.execute("DELETE FROM result")
            told = subprocess.run(
                [sys.executable, "-c", _READER, str(path), str(T0)], capture_output=True, text=True, check=True
            )
    assert told.stdout == "[5]\n"


def test_a_reader_sees_what_is_written_after_it_opened(path: Path, writer: SqliteStore) -> None:
    with closing(writer), closing(SqliteStore(path, Access.READ)) as reader:
        assert reader.latest(HOUR) is None
        writer.write(batch(row(value=5)), HEAD)
        assert reader.latest(HOUR) == T0


def test_a_reader_does_not_write(path: Path, writer: SqliteStore) -> None:
    with closing(writer), closing(SqliteStore(path, Access.READ)) as reader:
        with pytest.raises(StoreError, match="not open for writing"):
            reader.write(batch(row()), HEAD)
        with pytest.raises(StoreError, match="not open for writing"):
            reader.note_tick("air", 0, 1, 1)


def test_a_reader_that_comes_first_is_told_so_and_reads_later(path: Path) -> None:
    path.parent.mkdir()
    with closing(SqliteStore(path, Access.READ)) as reader:
        with pytest.raises(StoreError):
            reader.latest(HOUR)
        path.touch()
        with pytest.raises(StoreError, match="not been made ready"):
            reader.latest(HOUR)
        with closing(SqliteStore(path)) as writer:
            writer.write(batch(row()), HEAD)
            assert reader.latest(HOUR) == T0


def _make_version_1(path: Path) -> None:
    """Turn a file into one whose keys and clock knew one kind only."""
    old = [name for name in RECORD if name not in {"kind", "pack"}]
    columns = ", ".join(f'"{name}"' for name in (*old, "kind", "pack"))
    with closing(sqlite3.connect(path)) as db:
        db.executescript("ALTER TABLE result RENAME TO new; DROP INDEX result_by_start; DROP TABLE clock;")
        db.execute(
            f'CREATE TABLE result ({columns}, PRIMARY KEY (site, factor, "window", start, edition)) WITHOUT ROWID'
        )
        db.execute(f"INSERT INTO result SELECT {columns} FROM new")  # noqa: S608 - our own names
        db.executescript(
            'DROP TABLE new; CREATE INDEX result_by_start ON result ("window", "start"); PRAGMA user_version = 1;'
            'CREATE TABLE clock ("partition" INTEGER PRIMARY KEY, at INTEGER NOT NULL, wall INTEGER NOT NULL) STRICT;'
            "INSERT INTO clock VALUES (0, 1, 2);"
        )
        db.commit()


def test_a_file_that_knew_one_kind_keeps_its_results_and_gets_a_new_clock(path: Path, writer: SqliteStore) -> None:
    writer.write(batch(row(value=5)), HEAD)
    writer.close()
    _make_version_1(path)
    with closing(SqliteStore(path, Access.READ)) as reader:
        with pytest.raises(StoreError, match="not been made ready"):
            reader.clock()
        with closing(SqliteStore(path)) as again:
            assert reader.clock() is None
            again.note_tick("water", 0, 10, 20)
            assert reader.clock() == Clock(kind="water", at_ms=10, wall_ms=20, partition=0)
            assert listed(reader.slice(HOUR, T0)) == [row(value=5)]


@pytest.mark.parametrize("access", list(Access))
@pytest.mark.parametrize("version", [0, sqlite.STORE_VERSION + 1])
def test_another_version_of_the_tables_is_refused_by_name(
    path: Path, writer: SqliteStore, version: int, access: Access
) -> None:
    writer.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(ConfigError, match=f"in version {version} of the tables.*made anew from the archive"):
        SqliteStore(path, access).latest(HOUR)


@pytest.mark.parametrize("access", list(Access))
def test_a_file_that_is_no_store_is_refused_and_left_alone(path: Path, access: Access) -> None:
    path.parent.mkdir()
    path.write_text("a letter, and nothing like a database, long enough to be looked at" * 40)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="is no store of results"):
        SqliteStore(path, access).latest(HOUR)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE diary (day TEXT)")
    with pytest.raises(ConfigError, match="is no store of results"):
        SqliteStore(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("diary",)]


def test_a_folder_that_is_not_there_is_a_store_error(path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open"):
        SqliteStore(path / "nowhere" / "results.db")


def test_a_closed_store_says_so(writer: SqliteStore) -> None:
    writer.latest(HOUR)
    writer.close()
    with pytest.raises(StoreError, match="closed"):
        writer.latest(HOUR)
    with pytest.raises(StoreError, match="not open"):
        writer.write(batch(row()), HEAD)


def test_a_write_that_fails_leaves_nothing_and_can_be_given_again(path: Path, writer: SqliteStore) -> None:
    rows = batch(row(value=1), row(site="S2", value=2))
    with closing(writer):
        with closing(sqlite3.connect(path, isolation_level=None)) as saboteur:
            saboteur.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON result WHEN new.value = 2 BEGIN SELECT raise(ABORT, 'no'); END"
            )
            with pytest.raises(StoreError, match="writing results: no"):
                writer.write(rows, HEAD)
            assert listed(writer.slice(HOUR, T0)) == []
            saboteur.execute("DROP TRIGGER refuse")
        assert writer.write(rows, HEAD) == WriteReport(accepted=2)
        assert [cells["site"] for cells in listed(writer.slice(HOUR, T0))] == ["S1", "S2"]


def test_a_second_writer_waits_and_the_guard_holds_between_them(path: Path, writer: SqliteStore) -> None:
    with closing(writer), closing(SqliteStore(path)) as second:
        writer.write(batch(row(value=2, revision=2)), HEAD)
        assert second.write(batch(row(value=1)), HEAD) == WriteReport(kept=1)
        assert second.write(batch(row(site="new", value=3, revision=3)), ResultHead(kind="air", pack="p")).accepted == 1
        assert writer.write(batch(row(site="new", value=1)), HEAD) == WriteReport(kept=1)


def test_threads_share_one_store(writer: SqliteStore) -> None:
    def write(site: str) -> None:
        for n in range(20):
            writer.write(batch(row(site=site, start=T0 + n * HOUR_MS, value=n)), HEAD)
            writer.site_rows(site, T0, T0 + HOUR_MS)

    with closing(writer):
        threads = [Thread(target=write, args=(f"S{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for n in range(4):
            assert writer.site_rows(f"S{n}", T0, T0 + 99 * HOUR_MS).num_rows == 20


@pytest.mark.parametrize(
    ("question", "given", "index"),
    [
        (sqlite._SERIES, ("S1", "PM2.5", HOUR, 0, 1), "PRIMARY KEY"),
        (sqlite._SITE, ("S1", 0, 1), "PRIMARY KEY"),
        (sqlite._SLICE, (HOUR, 0), "result_by_start"),
        (sqlite._LATEST, (HOUR,), "result_by_start"),
        (sqlite._HEAD, ("S1", "PM2.5", HOUR, 0, "e"), "result_by_start (window=? AND start=? AND site=?"),
    ],
)
def test_no_read_walks_the_whole_table(
    writer: SqliteStore, question: str, given: tuple[object, ...], index: str
) -> None:
    with closing(writer):
        plan = [line[3] for line in writer._ask(f"EXPLAIN QUERY PLAN {question}", *given)]
    assert [line for line in plan if line.startswith("SEARCH r ") and index in line], plan
    assert not [line for line in plan if line.startswith("SCAN")], plan


def test_the_file_is_written_ahead_and_synced(writer: SqliteStore) -> None:
    with closing(writer), writer._transaction("looking") as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)
