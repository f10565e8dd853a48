from __future__ import annotations

import pytest

from jianhu.parts import phases

H = 3_600_000


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        ({"air": 0}, [(0, 10 * H, ("air",))]),
        ({"air": 0, "voc": 6 * H}, [(0, 6 * H, ("air",)), (6 * H, 10 * H, ("air", "voc"))]),
        ({"air": 2 * H, "voc": 2 * H}, [(2 * H, 10 * H, ("air", "voc"))]),
        ({"air": 10 * H}, []),
        ({"air": 10 * H, "water": 9 * H}, [(9 * H, 10 * H, ("water",))]),
        ({"air": 12 * H, "water": 0}, [(0, 12 * H, ("water",))]),
    ],
    ids=["one", "a-later-one", "together", "nothing-missing", "one-is-whole", "a-clock-ahead-of-the-wall"],
)
def test_each_kind_is_filled_from_its_own_start_and_all_reach_the_end(
    starts: dict[str, int], expected: list[tuple[int, int, tuple[str, ...]]]
) -> None:
    assert phases(starts, 10 * H) == expected
