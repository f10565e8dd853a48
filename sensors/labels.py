"""Time columns to milliseconds: text in Beijing time, exactly as written or not at all.

A time that cannot be read is `UNREADABLE`, never the nearest date that could be meant.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sensors.clock import BEIJING, BEIJING_OFFSET_MS, HOUR_MS, ms_of

UNREADABLE: Final = np.iinfo(np.int64).min
"""Stands for a time that cannot be read."""
_ISO: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[ T](?P<hour>[0-9]{2})(?P<rest>:[0-9]{2}(?::[0-9]{2})?)"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?"
)
_INTEGER: Final = re.compile(r"[0-9]{1,4}")


def read_iso(texts: pa.Array) -> NDArray[np.int64]:
    """Return ISO texts (``2016-12-20 08:00``) as milliseconds UTC; without an offset they are Beijing time.

    24:00 is 00:00 of the next day, as Chinese tables write it. Null and what cannot be read → UNREADABLE.
    """
    encoded = pc.dictionary_encode(pc.fill_null(texts, ""))
    distinct = np.array([_instant(text) for text in encoded.dictionary.to_pylist()], dtype=np.int64)
    positions: NDArray[np.int32] = encoded.indices.to_numpy(zero_copy_only=False)
    return distinct[positions]


def _instant(text: str) -> int:
    found = _ISO.fullmatch(text)
    if found is None:
        return int(UNREADABLE)
    midnight = found["hour"] == "24" and found["rest"].strip(":0") == ""
    hour = "00" if midnight else found["hour"]
    try:
        moment = datetime.fromisoformat(f"{found['day']}T{hour}{found['rest']}{found['zone'] or ''}")
        moment = moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)
        return ms_of(moment + timedelta(days=1) if midnight else moment)
    except (ValueError, OverflowError):
        return int(UNREADABLE)


def read_parts(year: pa.Array, month: pa.Array, day: pa.Array, hour: pa.Array) -> NDArray[np.int64]:
    """Return columns of year, month, day and hour (0 to 24) in Beijing time as milliseconds UTC.

    What is no date → UNREADABLE.
    """
    y, m, d, h = (_integers(column) for column in (year, month, day, hour))
    sane = (y >= 1) & (m >= 1) & (m <= 12) & (d >= 1) & (h >= 0) & (h <= 24)  # noqa: PLR2004  months and hours
    months = np.where(sane, (y - 1970) * 12 + m - 1, 0).astype("datetime64[M]")
    first, following = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    sane &= d <= (following - first).astype(np.int64)
    hours = (first.astype(np.int64) + d - 1) * 24 + h
    return np.where(sane, hours * HOUR_MS - BEIJING_OFFSET_MS, UNREADABLE)


def _integers(texts: pa.Array) -> NDArray[np.int64]:
    encoded = pc.dictionary_encode(pc.fill_null(texts, ""))
    read = [int(text) if _INTEGER.fullmatch(text) else -1 for text in encoded.dictionary.to_pylist()]
    positions: NDArray[np.int32] = encoded.indices.to_numpy(zero_copy_only=False)
    return np.array(read, dtype=np.int64)[positions]
