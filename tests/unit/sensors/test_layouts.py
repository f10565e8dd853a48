from __future__ import annotations

import pytest

from sensors.clock import HOUR_MS
from sensors.layouts import CSV, PRSA, Copies, Label, plain_unit, split_unit


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("CO", "CO", None),
        ("CO(mg/m3)", "CO", "mg/m³"),
        ("CO (ug/m3)", "CO", "µg/m³"),
        ("PM2.5（μg/m³）", "PM2.5", "µg/m³"),
        ("O3 [ ug/m^3 ]", "O3", "µg/m³"),
        ("SO2(ppb)", "SO2", "ppb"),
        ("(mg/m3)", "(mg/m3)", None),
        ("CO(", "CO(", None),
        ("Leq(dB(A))", "Leq", "dB(A)"),
        ("溶解氧（mg/l）", "溶解氧", "mg/L"),
        ("CO()", "CO()", None),
    ],
)
def test_a_header_may_name_its_unit_in_brackets(header: str, name: str, unit: str | None) -> None:
    assert split_unit(header) == (name, unit)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("ug/m3", "µg/m³"),
        ("UG/m3", "UG/m³"),
        ("mg/m³", "mg/m³"),
        ("umol", "umol"),
        ("uS/cm", "µS/cm"),
        ("m3/h", "m³/h"),
        ("ml", "ml"),
    ],
)
def test_units_are_brought_to_one_spelling_and_never_to_another_unit(written: str, plain: str) -> None:
    assert plain_unit(written) == plain


def test_a_plain_table_has_hours_labelled_by_their_end_and_canonical_units() -> None:
    assert (CSV.site, CSV.time, CSV.label, CSV.period_ms, dict(CSV.units)) == (
        "site",
        ("time",),
        Label.END,
        HOUR_MS,
        {},
    )


def test_the_beijing_record_is_described_as_its_source_says() -> None:
    assert (PRSA.site, PRSA.label, PRSA.units["CO"], PRSA.copies) == ("station", Label.END, "µg/m³", Copies.COPIED)
    assert "NA" in PRSA.missing
