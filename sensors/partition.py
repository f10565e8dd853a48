"""Which partition a site lives in: one function, used by every producer.

The Kafka clients hash keys differently (measured), so the partition is always given explicitly.
"""

from __future__ import annotations

import zlib


def partition_of(site: str, count: int) -> int:
    """Return the partition of a site among ``count`` partitions.

    CRC-32 of the UTF-8 name, because it is the same in every language and on every machine.

    Raises
    ------
    ValueError
        When ``count`` is not positive.
    """
    if count < 1:
        raise ValueError(f"a topic has at least one partition, not {count}")
    return zlib.crc32(site.encode()) % count
