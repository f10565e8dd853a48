"""The national platform's hours of 12 stations in 2019: index, running means, ozone and its daily maximum."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.air import index
from streams.air.means import FIRST_MDA8_END, O3_SPAN, mda8, o3_8h_platform
from streams.judging import reasons
from streams.judging.means import Means, divide_half_even, running_mean
from streams.results import Reason
from streams.standards import load_standards
from tests.published.record import FACTORS, NONE, SYMBOLS, Grid, grid, in_window, rows, tally

STANDARDS = load_standards()
EDITION = STANDARDS.index_named("HJ633-2012")
STEP = 100
OUTSIDE = "window reaches outside the archive"
SHORT = "an hour of the window was not published"
PM25, PM10 = SYMBOLS.index("PM2.5"), SYMBOLS.index("PM10")


@pytest.fixture(scope="module")
def platform() -> Grid:
    digits = {symbol: factor.digits for symbol, factor in FACTORS.items()}
    digits |= {f"{symbol}_24h": factor.digits for symbol, factor in FACTORS.items()}
    digits |= {"O3_8h": 2, "O3_8h_24h": 2, "AQI": 0}
    return grid(rows("air_hourly/sites_2019.csv.gz"), "station", digits)


def spans(record: Grid, span: int) -> NDArray[np.int64]:
    return np.full(record.archived.shape[1], span)


def since_midnight(record: Grid) -> NDArray[np.int64]:
    return np.minimum(record.hour_of_day + 1, O3_SPAN)


def lacking(record: Grid, symbol: str, span: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Return the two ways in which a window of published hours can be short."""
    outside = in_window(record.archived, span) < span
    return {
        OUTSIDE: outside,
        SHORT: ~outside & (in_window(record.factor(symbol)[1], span) < span),
    }


def index_of_hours(record: Grid) -> index.Index:
    values = np.stack([record.columns[symbol] for symbol in SYMBOLS], axis=1)
    state = np.where(values == NONE, reasons.code(Reason.SILENT), reasons.OK).astype(np.uint8)
    iaqis, states = index.iaqi(np.maximum(values, 0), state, index.real_time_table(EDITION))
    return index.combine(iaqis, states, EDITION)


def test_every_published_index_is_that_of_the_six_hours(platform: Grid) -> None:
    found = index_of_hours(platform)
    counts = tally(platform.columns["AQI"], found.aqi.astype(np.int64), platform.archived, {})
    assert counts == {"published": 5810, "equal": 5810, "unexplained": 0}
    published = platform.columns["AQI"] != NONE
    assert (published & (found.missing != 0)).sum() == 258  # the platform gives the index of the rest


def test_an_index_is_withheld_only_where_a_particle_item_is_missing(platform: Grid) -> None:
    missing = index_of_hours(platform).missing
    withheld = platform.archived & (platform.columns["AQI"] == NONE)
    nothing = missing == 0b111111
    particles = ((missing >> PM25 | missing >> PM10) & 1).astype(np.bool_)
    counts = [int((withheld & mask).sum()) for mask in (nothing, ~nothing & particles, ~particles)]
    assert counts == [9, 152, 0]


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("PM2.5", {"published": 5971, "equal": 4550, OUTSIDE: 1303, SHORT: 118, "unexplained": 0}),
        ("PM10", {"published": 5965, "equal": 4084, OUTSIDE: 1491, SHORT: 390, "unexplained": 0}),
        ("SO2", {"published": 5971, "equal": 5429, OUTSIDE: 542, SHORT: 0, "unexplained": 0}),
        ("NO2", {"published": 5971, "equal": 4694, OUTSIDE: 1277, SHORT: 0, "unexplained": 0}),
    ],
)
def test_day_means_of_whole_windows_are_equal(platform: Grid, symbol: str, expected: dict[str, int]) -> None:
    computed = running_mean(*platform.factor(symbol), span=24, at_least=1, step=STEP)
    classes = lacking(platform, symbol, spans(platform, 24))
    counts = tally(platform.columns[f"{symbol}_24h"], computed.value, platform.archived, classes)
    assert counts == expected


def test_day_means_of_carbon_monoxide_are_equal_where_its_rounded_hours_decide_the_last_digit(platform: Grid) -> None:
    values, present = platform.factor("CO")
    computed = running_mean(values, present, span=24, at_least=1, step=STEP)
    classes = lacking(platform, "CO", spans(platform, 24))
    tenths = np.stack([np.where(present, values, 0)[:, max(0, h - 23) : h + 1].sum(axis=1) // STEP
                       for h in range(values.shape[1])], axis=1)  # fmt: skip
    # The platform averages finer hours than it publishes. Errors of 24 hours, each up to half a tenth, have a
    # deviation of 1.41 / 24 tenths: a mean within 1 / 24 of the edge between two digits may be either.
    rest = tenths % 24
    classes["a tie of hours rounded to 0.1"] = rest == 12
    classes["beside a tie of hours rounded to 0.1"] = (rest == 11) | (rest == 13)
    counts = tally(platform.columns["CO_24h"], computed.value, platform.archived, classes)
    assert counts == {
        "published": 5971,
        "equal": 5347,
        OUTSIDE: 521,
        SHORT: 29,
        "a tie of hours rounded to 0.1": 73,
        "beside a tie of hours rounded to 0.1": 1,
        "unexplained": 0,
    }


def test_a_withheld_pm10_hour_lies_between_zero_and_the_pm25_of_its_hour(platform: Grid) -> None:
    """The platform withholds PM10 below PM2.5 and still counts it: its mean must be one that such hours can give."""
    (pm10, there), (pm25, known) = platform.factor("PM10"), platform.factor("PM2.5")
    whole = in_window(platform.archived, spans(platform, 24)) == 24
    checked = 0
    for site, hour in np.argwhere(whole & (platform.columns["PM10_24h"] != NONE)):
        window = (site, slice(hour - 23, hour + 1))
        hidden = ~there[window]
        if not hidden.any() or not known[window][hidden].all():
            continue
        total, count = int(pm10[window][~hidden].sum()), int((~hidden).sum())
        bounds = sorted((int(bound) for bound in pm25[window][hidden]), reverse=True)
        most = max((total + sum(bounds[:k])) / max(count + k, 1) for k in range(len(bounds) + 1))
        assert total / 24 - STEP / 2 <= platform.columns["PM10_24h"][site, hour] <= most + STEP / 2
        checked += 1
    assert checked == 715


def test_the_largest_ozone_hour_of_a_day_is_equal(platform: Grid) -> None:
    values, present = platform.factor("O3")
    hours = np.where(present, values, NONE)
    computed = np.stack([hours[:, max(0, h - 23) : h + 1].max(axis=1) for h in range(hours.shape[1])], axis=1)
    classes = {OUTSIDE: in_window(platform.archived, spans(platform, 24)) < 24}
    counts = tally(platform.columns["O3_24h"], computed, platform.archived, classes)
    assert counts == {"published": 5971, "equal": 5441, OUTSIDE: 530, "unexplained": 0}


def test_the_platforms_running_ozone_mean_is_our_platform_variant(platform: Grid) -> None:
    computed = o3_8h_platform(*platform.factor("O3"), platform.hour_of_day, at_least=1, step=STEP)
    classes = lacking(platform, "O3", since_midnight(platform))
    counts = tally(platform.columns["O3_8h"], computed.value, platform.archived, classes)
    assert counts == {
        "published": 5959,
        "equal": 5531,
        OUTSIDE: 396,
        SHORT: 32,
        "unexplained": 0,
    }
    whole = in_window(platform.factor("O3")[1], since_midnight(platform)) == since_midnight(platform)
    assert (platform.archived & whole & (platform.columns["O3_8h"] != NONE)).sum() == 5283
    withheld = platform.archived & (platform.columns["O3_8h"] == NONE)
    assert (int(withheld.sum()), int((withheld & whole).sum())) == (12, 0)


def test_our_running_ozone_mean_differs_from_the_platforms_only_before_eight_or_in_short_windows(
    platform: Grid,
) -> None:
    least = STANDARDS.completeness(EDITION.start_day).o3_8h_hours
    computed = running_mean(*platform.factor("O3"), span=O3_SPAN, at_least=least, step=STEP)
    ours = np.where(computed.ok, computed.value, NONE)
    before_eight = np.broadcast_to(platform.hour_of_day < FIRST_MDA8_END - 1, platform.archived.shape)
    classes = {"the platform's window begins at midnight": before_eight}
    classes |= lacking(platform, "O3", spans(platform, O3_SPAN))
    counts = tally(platform.columns["O3_8h"], ours, platform.archived, classes)
    assert counts == {
        "published": 5959,
        "equal": 3923,
        "the platform's window begins at midnight": 1599,
        OUTSIDE: 416,
        SHORT: 21,
        "unexplained": 0,
    }


def test_the_largest_running_mean_of_a_day_is_equal_at_its_last_hour(platform: Grid) -> None:
    published, found = platform.columns["O3_8h_24h"], day_maxima(platform)
    last = published[:, 23::24]
    archived = platform.archived.reshape(len(platform.sites), -1, 24)
    counts = tally(last, found.value, archived[:, :, -1], {OUTSIDE: np.logical_not(archived.all(axis=2))})
    assert counts == {"published": 288, "equal": 254, OUTSIDE: 34, "unexplained": 0}


def day_maxima(record: Grid) -> Means:
    """Return MDA8 of the running means that the platform published, windows 08 to 24, whatever their number."""
    windows = record.columns["O3_8h"].reshape(len(record.sites), -1, 24)[:, :, FIRST_MDA8_END - 1 :]
    return mda8(windows, windows != NONE, at_least=1)


def test_before_the_last_hour_it_is_the_largest_of_the_platforms_own_means_so_far(platform: Grid) -> None:
    means = platform.columns["O3_8h"].reshape(len(platform.sites), -1, 24)
    so_far = np.maximum.accumulate(means, axis=2).reshape(platform.archived.shape)
    earlier = np.broadcast_to(platform.hour_of_day < 23, platform.archived.shape)
    counts = tally(platform.columns["O3_8h_24h"], so_far, platform.archived & earlier, {})
    assert counts == {"published": 5673, "equal": 5673, "unexplained": 0}


def test_our_daily_maximum_from_hours_is_the_platforms_on_whole_days(platform: Grid) -> None:
    """From rounded hours through our own running means: windows 08 to 24 lie inside the day and coincide."""
    rules = STANDARDS.completeness(EDITION.start_day)
    values, present = platform.factor("O3")
    eight = running_mean(values, present, span=O3_SPAN, at_least=rules.o3_8h_hours, step=STEP)
    days = (len(platform.sites), -1, 24)
    ours = mda8(
        eight.value.reshape(days)[:, :, FIRST_MDA8_END - 1 :],
        eight.ok.reshape(days)[:, :, FIRST_MDA8_END - 1 :],
        at_least=rules.mda8_windows,
    )
    archived, there = platform.archived.reshape(days), present.reshape(days)
    classes = {
        OUTSIDE: np.logical_not(archived.all(axis=2)),
        SHORT: np.logical_not(there.all(axis=2)),
    }
    value = np.where(ours.ok, ours.value, NONE)
    counts = tally(platform.columns["O3_8h_24h"][:, 23::24], value, archived[:, :, -1], classes)
    assert counts == {"published": 288, "equal": 221, OUTSIDE: 65, SHORT: 2, "unexplained": 0}


def test_every_tie_of_whole_numbers_is_rounded_half_to_even(platform: Grid) -> None:
    """Only carbon monoxide, published coarser than it is kept, leaves ties open."""
    ties = 0
    for symbol in ("PM2.5", "PM10", "SO2", "NO2"):
        values, present = platform.factor(symbol)
        whole = in_window(present, spans(platform, 24)) == 24
        for site, hour in np.argwhere(whole & platform.archived):
            total = int(values[site, hour - 23 : hour + 1].sum()) // STEP
            if total % 24 == 12:
                ties += 1
                assert platform.columns[f"{symbol}_24h"][site, hour] == divide_half_even(total, 24) * STEP
    assert ties == 590
