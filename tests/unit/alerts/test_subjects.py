"""What an event is about: its site, areas and labels."""

from __future__ import annotations

from dataclasses import replace

from alerts.subjects import subject_of
from tests.unit.alerts.building import T0, rules_of, site, threshold
from tests.unit.alerts.notices.building import event, region, rules, subject


def test_labels_name_rule_site_kind_and_every_type_of_area() -> None:
    found = subject(at="P1", priority=2)
    assert found.labels == {
        "event": found.id, "rule": "pm25-1h", "rule_kind": "threshold", "site": "P1", "factor": "PM2.5",
        "network": "air", "class": "point", "priority": "2", "state": "raised", "window": "1h",
        "township": "t-a", "firm": "firm-1",
        "county": "sy", "park": "park", "city": "sx", "province": "zj",
    }  # fmt: skip


def test_a_river_section_lies_in_its_river_and_basin() -> None:
    labels = subject(at="W").labels
    assert (labels["river"], labels["basin"], labels["township"]) == ("river", "basin", "t-b")


def test_an_event_about_an_area_has_the_labels_of_the_area_and_of_those_above() -> None:
    found = subject(at="firm-1")
    assert found.site is None
    assert found.areas == ("firm-1", "park", "sy", "sx", "zj")
    assert (found.labels["firm"], found.labels["park"], found.labels["county"]) == ("firm-1", "park", "sy")


def test_a_site_that_nobody_registered_has_no_areas() -> None:
    found = subject(at="nowhere")
    assert (found.site, found.areas, found.network) == (None, (), "air")


def test_a_rule_that_is_gone_leaves_the_site_to_say_the_network() -> None:
    found = subject(rule="gone", at="W")
    assert found.rule is None
    assert found.network == "water"


def test_the_version_of_the_rule_is_the_one_that_held_at_the_events_start() -> None:
    before, after = threshold(end=T0, name_en="before"), threshold(start=T0, name_en="after")
    found = subject_of(event(start=T0 - 1), rules_of(before, after), region(), T0)
    assert found.rule == before


def test_a_site_that_is_no_longer_in_force_is_taken_as_it_was_last() -> None:
    ended = region(sites=(site("A", areas=("t-a",), end=T0 - 1),))
    found = subject_of(event(), rules(), ended, T0)
    assert found.areas == ("t-a",)


def test_everything_of_a_synthetic_region_is_synthetic() -> None:
    assert "synthetic" not in subject().labels
    made_up = subject(registry=region(synthetic=True))
    assert made_up.synthetic
    assert made_up.labels["synthetic"] == "true"


def test_a_synthetic_site_in_a_real_region_is_synthetic() -> None:
    found = subject(registry=region(sites=(site("A", synthetic=True),)))
    assert found.synthetic


def test_priority_one_is_urgent() -> None:
    one = subject(priority=1)
    assert one.urgent
    assert not replace(one, event=replace(one.event, priority=2)).urgent
