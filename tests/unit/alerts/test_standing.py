"""What the system raises about itself: once, and ended when it is mended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.desk import Desk
from alerts.events import Change, Fact
from alerts.journal import Journal, open_journal
from alerts.standing import clear_standing, raise_standing, standing_sites
from alerts.standings import PRIORITIES, SYSTEM, Standing, standing_names
from alerts.states import State
from alerts.subjects import subject_of
from alerts.texts import Language, title
from tests.unit.alerts.notices.building import region, rules

NOW = 1_800_000_000_000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = open_journal(f"sqlite:///{tmp_path / 'alerts.sqlite'}", lambda: NOW)
    yield made
    made.close()


def raised(journal: Journal, site: str = "A", at: int = NOW) -> str:
    with journal.writing() as turn:
        return raise_standing(turn, Standing.NO_OWNER, site, "nobody", at)


def cleared(journal: Journal, site: str = "A", at: int = NOW + 5) -> str | None:
    with journal.writing() as turn:
        return clear_standing(turn, Standing.NO_OWNER, site, at)


def test_a_standing_event_is_raised_once_and_told_like_any_other(journal: Journal) -> None:
    first, second = raised(journal), raised(journal, at=NOW + 1)
    assert first == second
    (alert,) = Desk(journal).open_events()
    assert (alert.id, alert.event.key.rule, alert.event.key.site) == (first, "no-owner", "A")
    assert alert.event.peak.detail == "nobody"
    assert [step.kind for step in Desk(journal).why(first).steps] == [Change.RAISED]


def test_it_is_acknowledged_and_ends_when_it_is_mended(journal: Journal) -> None:
    made = raised(journal)
    Desk(journal).acknowledge(made, "李", NOW + 1)
    assert cleared(journal) == made
    alert = Desk(journal).event(made)
    assert (alert.event.fact, alert.event.end, alert.event.state) == (Fact.CLEARED, NOW + 5, State.ACKNOWLEDGED)
    assert cleared(journal) is None


def test_the_same_trouble_later_is_another_event(journal: Journal) -> None:
    first = raised(journal)
    cleared(journal, at=NOW)
    assert raised(journal, at=NOW) != first
    cleared(journal)
    assert raised(journal, at=NOW + 9) != first
    assert Desk(journal).count_open()[State.RAISED] == 3


def test_sites_that_are_in_trouble_can_be_listed(journal: Journal) -> None:
    raised(journal, "A")
    raised(journal, "B")
    cleared(journal, "A")
    with journal.writing() as turn:
        assert standing_sites(turn, Standing.NO_OWNER) == {"B"}
        assert standing_sites(turn, Standing.LINE_SILENT) == frozenset()


def test_a_standing_event_is_about_its_site_and_of_the_system(journal: Journal) -> None:
    event = Desk(journal).event(raised(journal)).event
    found = subject_of(event, rules(), region(), NOW)
    assert (found.network, found.labels["network"], found.labels["township"]) == (SYSTEM, SYSTEM, "t-a")


@pytest.mark.parametrize("standing", Standing)
def test_every_standing_event_has_a_priority_and_names(standing: Standing, journal: Journal) -> None:
    assert PRIORITIES[standing] in {1, 2, 3, 4}
    assert standing_names(standing.value) != (standing.value, standing.value)
    with journal.writing() as turn:
        made = raise_standing(turn, standing, "A", "", NOW)
    event = Desk(journal).event(made).event
    assert [title(event, language) for language in Language] == list(standing_names(standing.value))
