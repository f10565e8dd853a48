"""Every delivered kind, with the evaluations that its file names, through the second stage."""

from __future__ import annotations

import pytest

from sensors.factors import Form
from sensors.kinds import Kind, kind_names, load_kind
from sensors.windows import LONG, Span
from tests.period_cases import Row, after, area, batch, contents, day_no, day_row, judge, records, registry, site

FIRST = day_no("2026-05-30")
SETTINGS = {
    "water": {"water": "river", "target": "III", "control": ["city"]},
    "outfall": {"use": "plant"},
    "voc": {"layer": "boundary"},
    "noise": {"zone": "2"},
    "ecoflow": {"minimum": 1.0},
}


def day_rows(kind: Kind, names: list[str], days: int) -> list[Row]:
    return [
        day_row(kind, name, factor, FIRST + day, 7.0, window=window.name)
        for window in kind.of_span(Span.DAY)
        for factor in window.factors
        for name in names
        for day in range(days)
    ]


@pytest.mark.parametrize("name", kind_names())
def test_a_delivered_kind_has_its_long_windows_and_areas(name: str) -> None:
    kind = load_kind(name)
    sites = [site(f"S{n}", kind=name, areas=("F", "K"), setting=SETTINGS.get(name, {})) for n in range(6)]
    made = registry(sites, [area("F", "basin", "K"), area("K", "city")])
    said = []
    for order in (1, -1):
        each = judge(made, kind)
        rows = day_rows(kind, [s.id for s in sites], 4)[::order]
        each.fold(batch(rows))
        said.append([each.tick(after(FIRST + 3), 0)])
    assert contents(said[0]) == contents(said[1])
    found = {(r["site"], r["factor"], r["window"]) for r in records(said[0])}
    for spec in kind.windows:
        for factor in spec.factors:
            if spec.span in LONG and kind.factors[factor].form is not Form.STATE and not spec.of and not spec.season:
                assert ("S0", factor, spec.name) in found
            if spec.span is Span.DAY and kind.factors[factor].form is not Form.STATE:
                assert ("F", factor, spec.name) in found
    assert not each.fold(batch(rows))
    assert each.tick(after(FIRST + 3) + 1, 0) is None
