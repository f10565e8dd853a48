from __future__ import annotations

import numpy as np
import pytest

from sensors.flags import FLAG_USES, UNFLAGGED, Mark, in_mean_table, mark_table


@pytest.mark.parametrize(
    ("letter", "in_mean"),
    [("N", True), ("F", False), ("M", False), ("S", False), ("D", False), ("C", False), ("T", False), ("B", False),
     ("X", False), ("K", True)],
)  # fmt: skip
def test_each_flag_is_used_in_means_as_ruled(letter: str, in_mean: bool) -> None:  # noqa: FBT001  a table of cases
    assert in_mean_table()[ord(letter)] == in_mean


@pytest.mark.parametrize("byte", [UNFLAGGED, ord("n"), ord("?"), 255])
def test_no_flag_and_an_unknown_flag_stay_in_the_mean_and_are_suspect(byte: int) -> None:
    assert in_mean_table()[byte]
    assert Mark(int(mark_table()[byte])) == Mark.UNFLAGGED | Mark.SUSPECT


def test_normal_leaves_no_mark() -> None:
    assert mark_table()[ord("N")] == 0


def test_over_range_alerts_although_it_is_in_no_mean() -> None:
    use = next(use for use in FLAG_USES if use.letter == "T")
    assert use.may_alert
    assert not use.in_mean
    assert use.mark is Mark.OVER_RANGE


def test_every_flag_outside_the_mean_says_why() -> None:
    assert all(use.mark for use in FLAG_USES if not use.in_mean)


def test_the_tables_cover_every_byte_and_every_letter_once() -> None:
    assert len({use.letter for use in FLAG_USES}) == len(FLAG_USES)
    assert (in_mean_table().shape, mark_table().shape) == ((256,), (256,))
    assert int(np.iinfo(mark_table().dtype).max) >= max(Mark)
