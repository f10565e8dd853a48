from __future__ import annotations

import pytest

from benchmarks.judge import Cost, many_sites, measure


def test_every_packet_of_every_site_is_judged() -> None:
    cost = measure(sites=3, hours=2, packets_in_frame=50)
    assert 0 < cost.packets <= 3 * 2 * 60  # a silent station sends nothing
    assert cost.frames >= cost.packets // 50
    assert cost.results > 0
    assert cost.fold_s > 0


@pytest.mark.parametrize("count", [1, 42, 100])
def test_there_are_as_many_sites_as_were_asked_for(count: int) -> None:
    sites = many_sites(count).of_kind("air")
    assert len({site.id for site in sites}) == count
    assert all(site.synthetic for site in sites)


def test_the_figures_are_told_one_a_line() -> None:
    told = list(Cost(packets=2_000_000, frames=10, decode_s=0.5, fold_s=0.5, tick_s=1.0).lines())
    assert told[-1].split()[:3] == ["judge", "2.00", "s"]
    assert "1.00 M packets per CPU second" in told[-1]
