"""Whole limit tables, copied from the texts a second time and held against the packaged ones cell by cell."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from fractions import Fraction

import pytest

from sensors.clock import day_number
from streams.discharge.limitfile import Temperature
from streams.discharge.limits import Limit, load_limits

NEW, OLD = dt.date(2010, 1, 1), dt.date(1990, 1, 1)
SUMMER, WINTER = "2026-06-01", "2026-12-01"

GB18918_DAILY = """
COD,50,60,100,120
BOD5,10,20,30,60
SS,10,20,30,50
animal_vegetable_oil,1,3,5,20
petroleum,1,3,5,15
LAS,0.5,1,2,5
TN,15,20,,
NH3-N_warm,5,8,25,
NH3-N_cold,8,15,30,
TP,0.5,1,3,5
"""
GB18918_DAILY_OLD_PLANT = """
TP,1,1.5,3,5
"""
GB18918_UNTIL_FEBRUARY_2026 = """
colour,30,30,40,50
pH,6-9,6-9,6-9,6-9
faecal_coliform,1000,10000,10000,
"""
GB18918_INSTANTANEOUS = """
COD,75,90,130,140
TN,20,25,,
NH3-N_warm,10,15,30,
NH3-N_cold,15,20,35,
TP,1,1.5,5,6
colour,30,30,40,50
pH,6-9,6-9,6-9,6-9
faecal_coliform,10000,10000,10000,
"""
GB18918_INSTANTANEOUS_OLD_PLANT = """
TP,1.5,2.5,5,6
"""
GB18918_TABLE_2 = """
Hg,0.001,0.001,0.001,0.001
Cd,0.01,0.01,0.01,0.01
Cr,0.1,0.1,0.1,0.1
Cr6,0.05,0.05,0.05,0.05
As,0.1,0.1,0.1,0.1
Pb,0.1,0.1,0.1,0.1
alkyl_mercury,not,not,not,not
"""
DB33_EXISTING = """
COD,40
NH3-N,2
TN,12
TP,0.3
"""
DB33_EXISTING_WINTER = """
COD,40
NH3-N,4
TN,15
TP,0.3
"""
DB33_NEW = """
COD,30
NH3-N,1.5
TN,10
TP,0.3
"""
DB33_NEW_WINTER = """
COD,30
NH3-N,3
TN,12
TP,0.3
"""
GB4287_TABLE_2 = """
pH,6-9,6-9,6-9
COD,80,500,200
BOD5,20,150,50
SS,50,100,100
colour,50,80,80
NH3-N,10,20,20
TN,15,30,30
TP,0.5,1.5,1.5
ClO2,0.5,0.5,0.5
AOX,12,12,12
sulfide,0.5,0.5,0.5
anilines,not,not,not
Cr6,not,not,not
Sb,0.10,0.10,0.10
"""
GB4287_BATIK = """
NH3-N,15,30,30
TN,25,50,50
"""
GB4287_TABLE_3 = """
pH,6-9,6-9
COD,60,80
BOD5,15,20
SS,20,50
colour,30,50
NH3-N,8,10
TN,12,15
TP,0.5,0.5
ClO2,0.5,0.5
AOX,8,8
sulfide,not,not
anilines,not,not
Cr6,not,not
Sb,0.10,0.10
"""
GB8978_TABLE_4 = """
pH,6-9,6-9,6-9
colour,50,80,
SS,70,150,400
BOD5,20,30,300
COD,100,150,500
petroleum,5,10,20
animal_vegetable_oil,10,15,100
volatile_phenol,0.5,0.5,2.0
cyanide,0.5,0.5,1.0
sulfide,1.0,1.0,1.0
NH3-N,15,25,
fluoride,10,10,20
phosphate,0.5,1.0,
anilines,1.0,2.0,5.0
LAS,5.0,10,20
Cu,0.5,1.0,2.0
Zn,2.0,5.0,5.0
Mn,2.0,2.0,5.0
AOX,1.0,5.0,8.0
TOC,20,30,
"""
GB8978_DYE = """
COD,100,200,1000
NH3-N,15,50,
"""
GB14554_NEW = """
NH3,1.0,1.5,4.0
trimethylamine,0.05,0.08,0.45
H2S,0.03,0.06,0.32
CH3SH,0.004,0.007,0.020
dimethyl_sulfide,0.03,0.07,0.55
dimethyl_disulfide,0.03,0.06,0.42
carbon_disulfide,2.0,3.0,8.0
styrene,3.0,5.0,14
odour,10,20,60
"""
GB14554_EXISTING = """
NH3,1.0,2.0,5.0
trimethylamine,0.05,0.15,0.80
H2S,0.03,0.10,0.60
CH3SH,0.004,0.010,0.035
dimethyl_sulfide,0.03,0.15,1.10
dimethyl_disulfide,0.03,0.13,0.71
carbon_disulfide,2.0,5.0,10
styrene,3.0,7.0,19
odour,10,30,70
"""
GB16297_BOUNDARY = """
NMHC,4.0
benzene,0.40
toluene,2.4
xylene,1.2
phenols,0.080
formaldehyde,0.20
methanol,12
anilines,0.40
particulates,1.0
SO2,0.40
NOx,0.12
"""
GB3096_DAY = """
Leq,50,55,60,65,70,70
"""

PLANT = ("1A", "1B", "2", "3")
CASES = [
    ("GB 18918-2002", "1", PLANT, GB18918_DAILY, NEW, SUMMER, ""),
    ("GB 18918-2002", "1", PLANT, GB18918_DAILY_OLD_PLANT, OLD, SUMMER, ""),
    ("GB 18918-2002", "1", PLANT, GB18918_DAILY, OLD, "2028-01-01", ""),
    ("GB 18918-2002", "1", PLANT, GB18918_UNTIL_FEBRUARY_2026, NEW, "2026-02-28", ""),
    ("GB 18918-2002", "2", PLANT, GB18918_TABLE_2, NEW, SUMMER, ""),
    ("GB 18918-2002", "4", PLANT, GB18918_INSTANTANEOUS, NEW, "2026-03-01", ""),
    ("GB 18918-2002", "4", PLANT, GB18918_INSTANTANEOUS_OLD_PLANT, OLD, SUMMER, ""),
    ("GB 18918-2002", "4", PLANT, GB18918_INSTANTANEOUS, OLD, "2028-01-01", ""),
    ("DB33/2169-2018", "1", ("limit",), DB33_EXISTING, OLD, SUMMER, ""),
    ("DB33/2169-2018", "1", ("limit",), DB33_EXISTING_WINTER, OLD, WINTER, ""),
    ("DB33/2169-2018", "2", ("limit",), DB33_NEW, dt.date(2019, 1, 1), SUMMER, ""),
    ("DB33/2169-2018", "2", ("limit",), DB33_NEW_WINTER, dt.date(2019, 1, 1), WINTER, ""),
    ("GB 4287-2012", "2", ("direct", "indirect_park", "indirect_other"), GB4287_TABLE_2, NEW, SUMMER, "other"),
    ("GB 4287-2012", "2", ("direct", "indirect_park", "indirect_other"), GB4287_BATIK, NEW, SUMMER, "batik"),
    ("GB 4287-2012", "3", ("special_direct", "special_indirect"), GB4287_TABLE_3, NEW, SUMMER, "other"),
    ("GB 8978-1996", "4", ("grade1", "grade2", "grade3"), GB8978_TABLE_4, NEW, SUMMER, "other"),
    ("GB 8978-1996", "4", ("grade1", "grade2", "grade3"), GB8978_DYE, NEW, SUMMER, "dye"),
    ("GB 14554-93", "1", ("grade1", "grade2", "grade3"), GB14554_NEW, NEW, SUMMER, ""),
    ("GB 14554-93", "1", ("grade1", "grade2", "grade3"), GB14554_EXISTING, OLD, SUMMER, ""),
    ("GB 16297-1996", "2", ("limit",), GB16297_BOUNDARY, NEW, SUMMER, ""),
]
_WARMTH = {"_warm": Temperature.OVER_12, "_cold": Temperature.TO_12}


def _cells(text: str, columns: tuple[str, ...]) -> Iterator[tuple[str, Temperature, str, str]]:
    for row in csv.reader(text.strip().splitlines()):
        suffix = row[0][-5:]
        name = row[0].removesuffix(suffix) if suffix in _WARMTH else row[0]
        assert len(row) == len(columns) + 1
        for column, cell in zip(columns, row[1:], strict=True):
            yield name, _WARMTH.get(suffix, Temperature.ANY), column, cell


def _written(limit: Limit) -> tuple[Fraction | None, Fraction | None]:
    return limit.low, limit.high


def _meant(cell: str) -> tuple[Fraction | None, Fraction | None]:
    if cell == "not":
        return None, None
    low, dash, high = cell.partition("-")
    return (Fraction(low), Fraction(high)) if dash else (None, Fraction(low))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}-{case[5]}-{case[6]}")
def test_a_table_says_what_the_text_says_in_every_cell(
    case: tuple[str, str, tuple[str, ...], str, dt.date, str, str],
) -> None:
    standard, table, columns, text, built, day, trade = case
    number = day_number(dt.date.fromisoformat(day))
    held = [
        limit
        for limit in load_limits().of(standard).limits
        if limit.table == table and limit.holds_on(number) and limit.takes(built)
        and (not limit.trades or trade in limit.trades)
    ]  # fmt: skip
    for factor, warmth, column, cell in _cells(text, columns):
        found = [one for one in held if (one.factor, one.temperature, one.column) == (factor, warmth, column)]
        assert [_written(one) for one in found] == ([_meant(cell)] if cell else []), (factor, column)


def test_noise_has_six_zones_by_day() -> None:
    found = {one.column: one.high for one in load_limits().of("GB 3096-2008").limits if one.period == "day_level"}
    cells = {column: _meant(cell)[1] for _, _, column, cell in _cells(GB3096_DAY, ("0", "1", "2", "3", "4a", "4b"))}
    assert found == cells
