"""Times of a sheet as people write them, to the start of their interval."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sensors.clock import BEIJING, HOUR_MS, ms_of
from sensors.layouts import Label

_DATE: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", re.ASCII)
_CLOCK: Final = re.compile(r"(?:T|\s+)(\d{1,2})(?::(\d{2}))?(?::(\d{2})(?:\.0+)?)?\s*(Z|[+-]\d{2}:\d{2})?", re.ASCII)


class Stamp(IntEnum):
    """What a row's time was; `STAMP_WORDS` says it."""

    TIME = 0
    NO_TIME = 1
    NO_HOUR = 2
    NO_EDITION = 3


STAMP_WORDS: Final = ("", "time: not a time", "time: not a whole hour", "time: no edition in force")


def read_times(texts: pa.Array, label: Label, *, hours: bool) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return the start of each row's interval, and what its time text was.

    Parameters
    ----------
    texts
        ``2026-03-01 08:00``, with ``-``, ``/`` or ``.``, with or without leading zeros and seconds, 24:00 for
        midnight, Beijing time unless an offset stands behind.
    label
        Which end of an hour the time names; of days it is the date.
    hours
        Whether the rows are whole hours, which need a clock time; else days, which need none.

    Returns
    -------
    tuple
        Milliseconds UTC, 0 where there is no time; and a `Stamp` for each.
    """
    encoded = pc.dictionary_encode(pc.fill_null(pc.utf8_trim_whitespace(texts), ""))
    read = [_read_time(text, label, hours=hours) for text in encoded.dictionary.to_pylist()]
    starts = np.array([start for start, _ in read], dtype=np.int64)
    stamps = np.array([stamp for _, stamp in read], dtype=np.uint8)
    rows = encoded.indices.to_numpy(zero_copy_only=False)
    return starts[rows], stamps[rows]


def _read_time(text: str, label: Label, *, hours: bool) -> tuple[int, Stamp]:
    date, clock = _DATE.match(text), None
    rest = text[date.end() :] if date else ""
    if rest:
        clock = _CLOCK.fullmatch(rest)
    if date is None or (clock is None and (rest or hours)):
        return 0, Stamp.NO_TIME
    hour, minute, second, zone = clock.groups(default="") if clock else ("0", "", "", "")
    try:
        moment = datetime(int(date[1]), int(date[3]), int(date[4]), tzinfo=BEIJING)
        if zone:
            moment = datetime.fromisoformat(f"{moment:%Y-%m-%d}T00:00:00{zone}")
        moment += timedelta(hours=_at_most(int(hour), 24), minutes=_at_most(int(minute or 0), 59))
        ms = ms_of(moment) + 1000 * _at_most(int(second or 0), 59)
    except (ValueError, OverflowError):
        return 0, Stamp.NO_TIME
    if hours and ms % HOUR_MS:
        return 0, Stamp.NO_HOUR
    return ms - HOUR_MS if hours and label is Label.END else ms, Stamp.TIME


def _at_most(number: int, bound: int) -> int:
    if number > bound:
        raise ValueError(f"{number} is over {bound}")
    return number
