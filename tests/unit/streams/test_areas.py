from __future__ import annotations

import pytest

from sensors.errors import BadFrame
from sensors.frames import encode_tick
from streams.areas import AreaTick, decode_area, encode_area_tick
from streams.results import encode_results
from tests.unit.streams.store import samples


def test_a_tick_of_a_source_comes_back_as_it_was_sent() -> None:
    assert decode_area(encode_area_tick(samples.T0, 3)) == AreaTick(at=samples.T0, source=3)


def test_result_rows_come_back_without_their_head() -> None:
    rows = samples.batch(samples.row(), samples.row(site="S2", value=7))
    found = decode_area(encode_results(samples.HEAD, rows))
    assert not isinstance(found, AreaTick)
    assert samples.listed(found) == samples.listed(rows)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"nonsense", encode_tick(1), b'{"at": 1, "source": -1}', b'{"at": 1e99, "source": 0}']
)
def test_bytes_that_are_neither_are_told(data: bytes) -> None:
    with pytest.raises(BadFrame):
        decode_area(data)
