from __future__ import annotations

import pytest

from sensors.partition import partition_of


@pytest.mark.parametrize(
    ("site", "count", "partition"),
    [("SYN-U01", 1, 0), ("123456789", 2**32, 0xCBF43926), ("", 7, 0)],
)
def test_a_site_lives_where_crc_32_puts_it(site: str, count: int, partition: int) -> None:
    assert partition_of(site, count) == partition


def test_all_partitions_are_used() -> None:
    assert {partition_of(f"SYN-{number}", 12) for number in range(500)} == set(range(12))


@pytest.mark.parametrize("count", [0, -1])
def test_a_topic_without_partitions_is_an_error(count: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        partition_of("A", count)
