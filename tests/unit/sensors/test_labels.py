from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from sensors.clock import BEIJING, ms_of
from sensors.labels import UNREADABLE, read_iso, read_parts


def iso(text: str | None) -> int:
    return int(read_iso(pa.array([text], pa.utf8()))[0])


def parts(*texts: str) -> int:
    return int(read_parts(*(pa.array([text], pa.utf8()) for text in texts))[0])


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2016-12-20 08:00", datetime(2016, 12, 20, 8, tzinfo=BEIJING)),
        ("2016-12-20T08:00", datetime(2016, 12, 20, 8, tzinfo=BEIJING)),
        ("2016-12-20 08:00:30", datetime(2016, 12, 20, 8, 0, 30, tzinfo=BEIJING)),
        ("2016-12-31 24:00", datetime(2017, 1, 1, tzinfo=BEIJING)),
        ("2016-12-31 24:00:00", datetime(2017, 1, 1, tzinfo=BEIJING)),
        ("2016-12-20T08:00Z", datetime(2016, 12, 20, 8, tzinfo=UTC)),
        ("2016-12-20 08:00+08:00", datetime(2016, 12, 20, 8, tzinfo=BEIJING)),
        ("2016-12-20 08:00-01:30", datetime(2016, 12, 20, 9, 30, tzinfo=UTC)),
        ("1970-01-01 08:00", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_beijing_time_unless_it_says_otherwise(text: str, moment: datetime) -> None:
    assert iso(text) == ms_of(moment)


@pytest.mark.parametrize(
    "text",
    [None, "", "2016-12-20", "2016-12-20 8:00", "2016-13-01 08:00", "2017-02-29 08:00", "2016-12-20 25:00",
     "2016-12-20 24:01", "2016-12-20 08:60", "2016-12-20 08:00 ", "20161220 0800", "9999-12-31 24:00",
     "2016-12-20 08:00+99:00", "٢٠١٦-12-20 08:00", "2016-W51-2 08:00"],
)  # fmt: skip
def test_what_is_no_such_time_is_unreadable_and_never_the_nearest_date(text: str | None) -> None:
    assert iso(text) == UNREADABLE


def test_times_keep_their_order() -> None:
    found = read_iso(pa.array(["2016-12-20 09:00", "x", "2016-12-20 08:00", "2016-12-20 09:00"]))
    assert found[0] == found[3] > found[2] > found[1] == UNREADABLE


@pytest.mark.parametrize(
    ("texts", "moment"),
    [
        (("2013", "3", "1", "0"), datetime(2013, 3, 1, tzinfo=BEIJING)),
        (("2016", "02", "29", "23"), datetime(2016, 2, 29, 23, tzinfo=BEIJING)),
        (("2016", "12", "31", "24"), datetime(2017, 1, 1, tzinfo=BEIJING)),
        (("1969", "12", "31", "1"), datetime(1969, 12, 31, 1, tzinfo=BEIJING)),
    ],
)
def test_parts_are_put_together_in_beijing_time(texts: tuple[str, ...], moment: datetime) -> None:
    assert parts(*texts) == ms_of(moment)


@pytest.mark.parametrize(
    "texts",
    [("2015", "2", "29", "1"), ("2016", "0", "1", "1"), ("2016", "13", "1", "1"), ("2016", "4", "31", "1"),
     ("2016", "4", "0", "1"), ("2016", "4", "1", "25"), ("2016", "4", "1", "-1"), ("", "4", "1", "1"),
     ("0", "4", "1", "1"), ("2016.0", "4", "1", "1"), ("12016", "4", "1", "1"), ("NA", "NA", "NA", "NA")],
)  # fmt: skip
def test_parts_that_are_no_date_are_unreadable(texts: tuple[str, ...]) -> None:
    assert parts(*texts) == UNREADABLE
