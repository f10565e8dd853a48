"""Floods: ten thousand alerts at once on both databases; CI runs the short form."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

from alerts import tables as t
from tests.unit.alerts.notices.building import event
from tests.unit.alerts.notices.planning import START, H, M, Office, S, accounted, payload, subjects

pytestmark = pytest.mark.integration
COUNT: Final = 10_000 if os.environ.get("JIANHU_SOAK") else 1_500


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres")
    made = Office(tmp_path, url=url, at_once=500)
    yield made
    made.journal.close()
    if url:
        engine = sa.create_engine(url)
        t.metadata.drop_all(engine)
        engine.dispose()


def flood(office: Office, *sites: str) -> None:
    """Raise so many alerts at once, in turns at these sites."""
    office.raise_many(
        [
            event(at=sites[count % len(sites)], start=START - H - count, factor=f"x{count}", raised_at=START)
            for count in range(COUNT)
        ]
    )


def test_a_biotoxicity_alarm_overtakes_a_flood_of_ordinary_alerts(office: Office) -> None:
    """C11: the alarm is written last and is owed first, after one turn of the steward."""
    flood(office, "A", "B")
    alarm = office.raised(rule="source-biotox", at="W", factor="biotox", priority=1)
    office.steward.once()
    assert {subjects(row)["events"][0] for row in office.deliveries} == {alarm.id}
    assert {row.due_at for row in office.deliveries} == {START}
    first = len(office.deliveries)
    office.run(60 * S)
    assert all(row.priority > 1 for row in office.deliveries[first:])
    assert len(accounted(office)) == COUNT + 1


def test_two_incidents_with_a_flood_of_repeats_are_two_groups_and_both_are_served(office: Office) -> None:
    """G14: one message an incident and person, and nobody starves."""
    flood(office, "A", "B")
    office.run(60 * S)
    duty = office.told_rows("duty-1")
    assert sorted((payload(row)["group"]["site"], len(subjects(row)["events"])) for row in duty) == [
        ("A", COUNT // 2), ("B", COUNT // 2),
    ]  # fmt: skip
    assert len(office.told("grid-a")) == len(office.told("grid-b")) == 1
    office.run(10 * M)
    assert len(office.told_rows("duty-1")) == 2
    assert len(accounted(office)) == COUNT
