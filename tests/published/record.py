"""Published tables as grids of fixed-point integers, and the tally of how they compare."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from scripts import places
from sensors.clock import BEIJING, hour_of, ms_of
from sensors.factors import load_factors

VARIABLE: Final = "JIANHU_SHARED_DATA"
FACTORS: Final = load_factors("air")
SYMBOLS: Final = tuple(FACTORS)
NONE: Final = -1
"""A cell that was not published."""


def shared(name: str) -> Path:
    """Return a file of the shared data; skip the test where it is not there, fail where it must be."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    path = Path(os.environ.get(VARIABLE) or beside) / name
    if not path.is_file():
        told = f"the published data are not on this machine; {VARIABLE} names their folder"
        if places.required():
            pytest.fail(f"{told} ({places.REQUIRE}=1)", pytrace=False)
        pytest.skip(told)
    return path


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a shared table."""
    path = shared(name)
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def fixed(text: str, digits: int) -> int:
    """Return a published number as an integer, `NONE` for an empty cell; it must have no more digits than that."""
    if text == "":
        return NONE
    scaled = Fraction(text) * 10**digits
    assert scaled.denominator == 1, text
    return int(scaled)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of sites and hours on one axis of hours without gaps, whole Beijing days."""

    sites: tuple[str, ...]
    archived: NDArray[np.bool_]
    """``[S, H]``: the table has this row."""
    columns: Mapping[str, NDArray[np.int64]]
    """Name → ``[S, H]`` at the digits asked for; `NONE` where nothing was published."""

    def factor(self, symbol: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return a factor's published hours and which are there."""
        return self.columns[symbol], self.columns[symbol] != NONE

    @property
    def hour_of_day(self) -> NDArray[np.int64]:
        return np.arange(self.archived.shape[1]) % 24


def grid(table: Sequence[Mapping[str, str]], site: str, digits: Mapping[str, int]) -> Grid:
    """Return a table whose ``time`` labels the end of Beijing hours, by site and hour."""
    sites = tuple(sorted({row[site] for row in table}))
    labels = [datetime.fromisoformat(row["time"]).replace(tzinfo=BEIJING) for row in table]
    hours = np.array([hour_of(ms_of(label)) - 1 + 8 for label in labels])  # Beijing hours, so that 24 make a day
    first = hours.min() // 24 * 24
    shape = (len(sites), (hours.max() // 24 + 1) * 24 - first)
    at = (np.array([sites.index(row[site]) for row in table]), hours - first)
    archived = np.zeros(shape, dtype=np.bool_)
    archived[at] = True
    columns = {name: np.full(shape, NONE, dtype=np.int64) for name in digits}
    for name, column in columns.items():
        column[at] = [fixed(row[name], digits[name]) for row in table]
    return Grid(sites, archived, columns)


def in_window(there: NDArray[np.bool_], spans: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of the ``spans[h]`` hours that end with hour ``h`` are there, counted one by one."""
    found = np.zeros(there.shape, dtype=np.int64)
    for hour, span in enumerate(spans):
        found[:, hour] = there[:, max(0, hour + 1 - span) : hour + 1].sum(axis=1)
    return found


def tally(
    published: NDArray[np.int64],
    computed: NDArray[np.int64],
    where: NDArray[np.bool_],
    classes: Mapping[str, NDArray[np.bool_]],
) -> dict[str, int]:
    """Count the published values of ``where``: equal, in the first class that holds, or unexplained.

    Classes are masks made of the inputs; a value that is equal is counted as equal whatever class holds.
    """
    asked = where & (published != NONE)
    left = asked & (published != computed)
    counts = {"published": int(asked.sum()), "equal": int((asked & ~left).sum())}
    for name, mask in classes.items():
        counts[name] = int((left & mask).sum())
        left = left & ~mask
    return counts | {"unexplained": int(left.sum())}
