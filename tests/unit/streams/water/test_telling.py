from __future__ import annotations

import numpy as np

from streams.water.telling import MISSING_ITEMS, pack_details, tell_gaps, tell_items

ITEMS = tuple(f"i{at}" for at in range(21))
COUNTED = np.array([at != 0 for at in range(21)])


def told(order: list[int], times: dict[int, int] | None = None, missing: tuple[int, ...] = ()) -> str:
    shares = np.array([[[(times or {}).get(at, 0)] for at in range(21)]])
    lacking = np.array([[[at in missing] for at in range(21)]])
    packed = pack_details(np.array([[[place] for place in order]]), shares, COUNTED, lacking)
    text: str = tell_items(ITEMS)(packed.ravel())[0].as_py()
    return text


def test_items_stand_in_the_order_given_with_their_multiples() -> None:
    assert told([20, 3, 1], {20: 140, 3: 5, 1: 1200}) == "i20 1.40; i3 0.05; i1 12.00"


def test_no_more_than_three_are_told_and_minus_one_is_nobody() -> None:
    assert told([1, 2, 3, 4]) == "i1 <0.01; i2 <0.01; i3 <0.01"
    assert told([5, -1, -1], {5: 10}) == "i5 0.10"
    assert told([-1]) == ""


def test_an_item_without_multiples_is_named_alone_and_a_great_one_is_cut_openly() -> None:
    assert told([0, 7], {0: 99, 7: 100_000}) == "i0; i7 >81.90"


def test_what_is_missing_stands_last() -> None:
    assert told([4], {4: 100}, missing=(0, 6)) == "i4 1.00; missing: i0, i6"
    assert told([-1], missing=tuple(range(MISSING_ITEMS))) == "missing: " + ", ".join(ITEMS[:MISSING_ITEMS])


def test_gaps_are_told_in_per_cent_and_none_is_silent() -> None:
    assert tell_gaps(np.array([0, 166, 1000, 5])).to_pylist() == ["", "gaps 16.6 %", "gaps 100.0 %", "gaps 0.5 %"]
