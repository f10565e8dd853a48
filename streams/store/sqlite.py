"""The embedded store: one SQLite file, written by one process and read by many.

Names are interned, so that a row is small and its key compares as integers. The guard against
outranked revisions is in the upsert itself; its order is that of `contract.outranks`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock
from typing import Any, Final

import pyarrow as pa

from sensors.errors import ConfigError, StoreError
from streams.results import CONTENT_COLUMNS, ResultHead
from streams.store.contract import (
    KEY,
    KEY_WIDTH,
    RECORD,
    Clock,
    WriteReport,
    columns_of,
    greatest,
    sift,
    slowest,
    slowest_of_each,
    table_of,
)

APPLICATION_ID: Final = 0x6A68_7273
"""Marks the file as ours (``jhrs``) in its header."""
STORE_VERSION: Final = 2
"""Of the tables below; a file of version 1, which knew one kind only, is brought to it, any other refused."""
BUSY_S: Final = 10.0
"""How long one process waits for another's transaction."""
_INTERNED: Final = ("site", "factor", "window", "edition", "kind", "pack")
_TEXTS: Final = ("reason", "detail", "primary")
_NULLABLE: Final = ("value", "iaqi", "level")


class Access(StrEnum):
    """What a process does with the file."""

    WRITE = "write"
    """Make the file when it is not there; read and write."""
    READ = "read"
    """Only read; nothing answers before a writer has made the file."""


def _quoted(names: Iterable[str], owner: str = "") -> str:
    return ", ".join(f'{owner}"{name}"' for name in names)


def _declared(name: str) -> str:
    kind = "TEXT" if name in _TEXTS else "INTEGER"
    return f'"{name}" {kind}' if name in _NULLABLE else f'"{name}" {kind} NOT NULL'


def _text(owner: str, name: str) -> str:
    return f'(SELECT text FROM name WHERE id = {owner}."{name}")'  # noqa: S608 - our own column names


def _rank(owner: str) -> str:
    """Return the row value that orders two results of one key, never null: as `contract.outranks`."""
    parts = [f"{owner}.revision", f"{owner}.at"]
    for name in CONTENT_COLUMNS:
        cell = f'{owner}."{name}"'
        parts += [f"{cell} IS NOT NULL", f"ifnull({cell}, 0)"] if name in _NULLABLE else [cell]
    return f"({', '.join(parts)}, {_text(owner, 'pack')})"


_CELLS: Final = ", ".join(_declared(name) for name in RECORD)
_KEY: Final = _quoted(KEY)
_CONTENT: Final = (*CONTENT_COLUMNS, "pack")
_CLOCK: Final = (
    'CREATE TABLE clock (kind TEXT NOT NULL, "partition" INTEGER NOT NULL, at INTEGER NOT NULL, wall INTEGER NOT NULL, '
    'PRIMARY KEY (kind, "partition")) STRICT, WITHOUT ROWID'
)
_RESULT: Final = f"CREATE TABLE result ({_CELLS}, PRIMARY KEY ({_KEY})) STRICT, WITHOUT ROWID"
_BY_START: Final = 'CREATE INDEX result_by_start ON result ("window", "start")'
_FROM_VERSION_1: Final = (
    "ALTER TABLE result RENAME TO result_1",
    "DROP INDEX result_by_start",
    _RESULT,
    f"INSERT INTO result SELECT {_quoted(RECORD)} FROM result_1",  # noqa: S608 - our own column names
    "DROP TABLE result_1",
    _BY_START,
    "DROP TABLE clock",
    _CLOCK,
    f"PRAGMA user_version = {STORE_VERSION}",
)
"""Every partition's clock is noted again at its next tick."""
_TABLES: Final = (
    "CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT",
    _RESULT,
    _BY_START,
    _CLOCK,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {STORE_VERSION}",
)
_INCOMING: Final = f"CREATE TEMP TABLE incoming ({_CELLS})"
# Every name below is one of our own column names; whatever comes from outside is bound as a parameter.
_FILL: Final = f"INSERT INTO incoming VALUES ({', '.join('?' * len(RECORD))})"  # noqa: S608
_COMPARE: Final = f"""
SELECT total({_rank("i")} < {_rank("h")}),
       total(i.revision = h.revision AND ({_quoted(_CONTENT, "i.")}) IS NOT ({_quoted(_CONTENT, "h.")}))
FROM incoming i JOIN result h USING ({_KEY})
"""  # noqa: S608
_MERGE: Final = f"""
INSERT INTO result SELECT * FROM incoming WHERE true ORDER BY {_KEY}
ON CONFLICT DO UPDATE SET {", ".join(f'"{name}" = excluded."{name}"' for name in RECORD[KEY_WIDTH:])}
WHERE {_rank("excluded")} > {_rank("result")}
"""  # noqa: S608
_CELL_TEXTS: Final = ", ".join(f"n_{name}.text" if name in _INTERNED else f'r."{name}"' for name in RECORD)
_SELECT: Final = f"""
SELECT {_CELL_TEXTS} FROM result r {" ".join(f'JOIN name n_{name} ON n_{name}.id = r."{name}"' for name in _INTERNED)}
"""  # noqa: S608
_IS: Final = 'r."{}" = (SELECT id FROM name WHERE text = ?)'
_SPAN: Final = 'r."start" >= ? AND r."start" < ?'
_SERIES: Final = (
    f"{_SELECT} WHERE {_IS.format('site')} AND {_IS.format('factor')} AND {_IS.format('window')} AND {_SPAN}"
)
_SITE: Final = f"{_SELECT} WHERE {_IS.format('site')} AND {_SPAN}"
_SLICE: Final = f'{_SELECT} WHERE {_IS.format("window")} AND r."start" = ?'
_SLICE_OF_KIND: Final = f"{_SLICE} AND {_IS.format('kind')}"
_ONE_OF: Final = 'r."window" IN (SELECT id FROM name WHERE text IN ({}))'
_LATEST: Final = f'SELECT max(r."start") FROM result r WHERE {_IS.format("window")}'  # noqa: S608
_HEAD: Final = (
    f"SELECT {_text('r', 'kind')}, {_text('r', 'pack')} FROM result r WHERE "  # noqa: S608
    f'{_IS.format("site")} AND {_IS.format("factor")} AND {_IS.format("window")} AND r."start" = ? '
    f"AND {_IS.format('edition')}"
)
_TICK: Final = """
INSERT INTO clock VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET at = excluded.at, wall = excluded.wall WHERE excluded.at > clock.at
"""
_TICKS: Final = 'SELECT kind, "partition", at, wall FROM clock'


class SqliteStore:
    """Results in a SQLite file; safe to share between threads.

    Parameters
    ----------
    path
        The file; its folder must exist.
    access
        Whether this process writes. One process at a time should: a second one waits for the first.

    Raises
    ------
    ConfigError
        When the file is not ours or of another version.
    StoreError
        When it cannot be opened.
    """

    def __init__(self, path: Path, access: Access = Access.WRITE) -> None:
        self._path = path
        self._writing = Lock()
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._names: dict[str, int] = {}
        self._open = True
        self._writer: sqlite3.Connection | None = None
        if access is Access.WRITE:
            with self._guarded("opening"):
                self._writer = self._connect("rwc")
                _prepare(self._writer, path)

    def write(self, rows: pa.RecordBatch, head: ResultHead) -> WriteReport:
        """Take results; see `ResultStore.write`. They are on the disk when it returns."""
        good, rejected = sift(rows)
        distinct, conflicts = greatest(good, head)
        left_out = good.num_rows - distinct.num_rows
        with self._transaction("writing results") as db:
            self._fill(db, columns_of(distinct, head))
            outranked, differing = db.execute(_COMPARE).fetchone()
            db.execute(_MERGE)
            db.execute("DELETE FROM incoming")
        kept = left_out + int(outranked)
        return WriteReport(
            accepted=good.num_rows - kept, kept=kept, rejected=rejected, conflicts=conflicts + int(differing)
        )

    def _fill(self, db: sqlite3.Connection, columns: Sequence[list[Any]]) -> None:
        cells = [
            self._interned(db, column) if name in _INTERNED else column
            for name, column in zip(RECORD, columns, strict=True)
        ]
        db.executemany(_FILL, zip(*cells, strict=True))

    def _interned(self, db: sqlite3.Connection, texts: list[str]) -> list[int]:
        for text in set(texts) - self._names.keys():
            db.execute("INSERT OR IGNORE INTO name (text) VALUES (?)", (text,))
            (self._names[text],) = db.execute("SELECT id FROM name WHERE text = ?", (text,)).fetchone()
        return [self._names[text] for text in texts]

    def series(self, site: str, factor: str, window: str, start_ms: int, end_ms: int) -> pa.Table:
        """Return one series; see `ResultStore.series`."""
        return table_of(self._ask(_SERIES, site, factor, str(window), start_ms, end_ms))

    def site_rows(
        self, site: str, start_ms: int, end_ms: int, windows: Sequence[str] = (), kind: str | None = None
    ) -> pa.Table:
        """Return a site's rows; see `ResultStore.site_rows`."""
        question, given = _SITE, [site, start_ms, end_ms, *map(str, windows)]
        if windows:
            question += f" AND {_ONE_OF.format(', '.join('?' * len(windows)))}"
        if kind is not None:
            question += f" AND {_IS.format('kind')}"
            given.append(kind)
        return table_of(self._ask(question, *given))

    def slice(self, window: str, start_ms: int, kind: str | None = None) -> pa.Table:
        """Return one window of all sites; see `ResultStore.slice`."""
        if kind is None:
            return table_of(self._ask(_SLICE, str(window), start_ms))
        return table_of(self._ask(_SLICE_OF_KIND, str(window), start_ms, kind))

    def latest(self, window: str) -> int | None:
        """Return the newest start; see `ResultStore.latest`."""
        [(start,)] = self._ask(_LATEST, str(window))
        return start if start is None else int(start)

    def head_of(self, site: str, factor: str, window: str, start_ms: int, edition: str) -> ResultHead | None:
        """Return kind and pack of a result; see `ResultStore.head_of`."""
        found = self._ask(_HEAD, site, factor, str(window), start_ms, edition)
        return ResultHead(kind=found[0][0], pack=found[0][1]) if found else None

    def note_tick(self, kind: str, partition: int, at_ms: int, wall_ms: int) -> None:
        """Remember a tick; see `ResultStore.note_tick`."""
        self.note_ticks([Clock(kind=kind, partition=partition, at_ms=at_ms, wall_ms=wall_ms)])

    def note_ticks(self, ticks: Iterable[Clock]) -> None:
        """Remember ticks, in one transaction; see `ResultStore.note_ticks`."""
        with self._transaction("noting ticks") as db:
            db.executemany(_TICK, [(tick.kind, tick.partition, tick.at_ms, tick.wall_ms) for tick in ticks])

    def clock(self) -> Clock | None:
        """Return the slowest partition's tick; see `ResultStore.clock`."""
        return slowest(self._ticks())

    def clocks(self) -> tuple[Clock, ...]:
        """Return the slowest partition's tick of each kind; see `ResultStore.clocks`."""
        return slowest_of_each(self._ticks())

    def _ticks(self) -> list[Clock]:
        return [
            Clock(kind=kind, partition=partition, at_ms=at, wall_ms=wall)
            for kind, partition, at, wall in self._ask(_TICKS)
        ]

    def refresh(self) -> None:
        """Do nothing: the guard asks the file itself."""

    def close(self) -> None:
        """Close the file; reads and writes raise `StoreError` from now on."""
        self._open = False
        with self._writing:
            if self._writer is not None:
                self._writer.close()
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def _ask(self, question: str, *given: object) -> list[tuple[Any, ...]]:
        with self._guarded("reading"):
            db = self._reader()
            try:
                return db.execute(question, given).fetchall()
            finally:
                self._idle.put(db) if self._open else db.close()

    def _reader(self) -> sqlite3.Connection:
        if not self._open:
            raise StoreError(f"{self._path} is closed")
        try:
            return self._idle.get_nowait()
        except Empty:
            db = self._connect("ro")
        try:
            _check_ready(db, self._path)
        except (StoreError, ConfigError, sqlite3.Error):
            db.close()
            raise
        return db

    def _connect(self, mode: str) -> sqlite3.Connection:
        address = f"{self._path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[sqlite3.Connection]:
        with self._writing, self._guarded(doing):
            if self._writer is None or not self._open:
                raise StoreError(f"{self._path} is not open for writing")
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                self._names.clear()  # names given in this transaction are gone with it
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def _guarded(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as cause:
            if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
                raise _not_ours(self._path) from cause
            raise StoreError(f"{self._path}: {doing}: {cause}") from cause


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    try:
        db.execute("PRAGMA synchronous = FULL")  # offsets are committed after a write: it must outlive a power cut
        db.execute("BEGIN IMMEDIATE")
        if _is_empty(db):
            for statement in _TABLES:
                db.execute(statement)
        elif _versions(db) == (APPLICATION_ID, 1):
            for statement in _FROM_VERSION_1:
                db.execute(statement)
        _check_version(db, path)
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA cache_size = -65536")  # kB: one page at the end of each series is written again and again
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute(_INCOMING)
    except BaseException:
        db.close()  # which rolls back
        raise


def _check_ready(db: sqlite3.Connection, path: Path) -> None:
    if _is_empty(db) or _versions(db) == (APPLICATION_ID, 1):
        raise StoreError(f"{path} has not been made ready by a writer yet")
    _check_version(db, path)


def _is_empty(db: sqlite3.Connection) -> bool:
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return bool(tables == 0)


def _versions(db: sqlite3.Connection) -> tuple[int, int]:
    """Return whose file it is, and the version of its tables."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(application), int(version)


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    application, version = _versions(db)
    if application != APPLICATION_ID:
        raise _not_ours(path)
    if version != STORE_VERSION:
        raise ConfigError(
            file=str(path),
            line=None,
            key="",
            problem=f"holds results in version {version} of the tables; this program reads version {STORE_VERSION}",
            mend="move the file away and start again: the results are made anew from the archive",
        )


def _not_ours(path: Path) -> ConfigError:
    return ConfigError(
        file=str(path),
        line=None,
        key="",
        problem="is no store of results",
        mend="name another file, or move this one away",
    )
