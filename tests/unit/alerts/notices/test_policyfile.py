"""The notices file: what it says, key by key over what is delivered, and what is wrong with it."""

from __future__ import annotations

from importlib.resources import files

import pytest

from alerts.notices.matchers import LABELS
from alerts.notices.policy import Brief, Policy, Reach
from alerts.notices.policyfile import load_notice_policy, parse_notice_policy
from alerts.people import Tier
from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.errors import ConfigError
from sensors.yamlfile import parse_yaml

DELIVERED = parse_yaml(files("alerts").joinpath("data/notices.yaml").read_text(encoding="utf-8"), "delivered.yaml")


def policy(text: str, persons: tuple[str, ...] | None = None) -> Policy:
    return parse_notice_policy(parse_yaml(text, "notices.yaml"), DELIVERED, persons)


def test_the_delivered_policy_groups_everything_and_lets_the_urgent_climb() -> None:
    found = load_notice_policy(None)
    assert found.groupings[-1].matchers == ()
    assert all(one.timing.brief is Brief.TELL for one in found.groupings)
    urgent = found.escalation(1)
    assert urgent is not None
    assert [stage.tier for stage in urgent.stages] == [Tier.DISTRICT, Tier.CITY, Tier.PROVINCE]
    assert urgent.after_end
    assert found.reach[1] is Reach.ALL


def test_two_firms_are_two_groups_and_one_firm_is_one() -> None:
    found = load_notice_policy(None)
    first, second, third = (
        {"network": "voc", "firm": firm, "site": site, "rule_kind": "finding"}
        for firm, site in (("f1", "a"), ("f1", "b"), ("f2", "c"))
    )
    keys = [found.grouping(labels)[1].key(labels) for labels in (first, second, third)]
    assert keys == [(("firm", "f1"),), (("firm", "f1"),), (("firm", "f2"),)]


def test_sites_of_no_firm_are_groups_of_their_own() -> None:
    found = load_notice_policy(None)
    labels = {"network": "water", "site": "w", "rule_kind": "class"}
    assert found.grouping(labels)[1].key(labels) == (("site", "w"), ("network", "water"))


def test_a_file_stands_over_the_delivered_one_key_by_key() -> None:
    found = policy("quiet: []\nlisted: 5\nlines: {area: park, kinds: [voc], least: 4, percent: 80}\n")
    assert (found.quiets, found.listed) == ((), 5)
    assert found.lines is not None
    assert (found.lines.area, found.lines.least, found.lines.percent) == ("park", 4, 80)
    assert found.escalations == load_notice_policy(None).escalations


def test_an_empty_file_is_the_delivered_policy() -> None:
    assert policy("") == load_notice_policy(None)


@pytest.mark.parametrize(
    ("span", "ms"), [("30s", 30_000), ("5m", 5 * MINUTE_MS), ("4h", 4 * HOUR_MS), ("2d", 2 * DAY_MS)]
)
def test_spans_are_written_in_seconds_minutes_hours_and_days(span: str, ms: int) -> None:
    found = policy(f"escalation: [{{priorities: [2], stages: [{{after: {span}, tier: city}}]}}]")
    assert found.escalations[0].stages[0].after == ms


@pytest.mark.parametrize(
    ("text", "line", "key", "problem"),
    [
        ("quite: []", 1, "quite", "unknown key"),
        ("\ngrouping: [{match: ['site=\"A\"'], group_by: [], group_wait: 1s, group_interval: 1s, repeat_interval: 1s}]",
         2, "grouping.0.match", "not everything has a group"),
        ("grouping: []", 1, "grouping", "not everything has a group"),
        ("grouping: [{group_by: [sight], group_wait: 1s, group_interval: 1s, repeat_interval: 1s}]", 1,
         "grouping.0.group_by.0", "no label 'sight'"),
        ("grouping: [{group_by: [], group_wait: 1 s, group_interval: 1s, repeat_interval: 1s}]", 1,
         "grouping.0.group_wait", "Expected `str` matching regex '^[1-9][0-9]{0,5}(s|m|h|d)$', found '1 s'"),
        ("inhibit:\n  - {id: a, source: ['site'], target: ['rule=\"b\"']}", 2, "inhibit.0.source.0",
         "'site' is no matcher: write a label, one of = != =~ !~ and a value, like site=\"A\""),
        ("inhibit:\n  - {id: a, source: ['sight=\"b\"'], target: ['rule=\"b\"']}", 2, "inhibit.0.source.0",
         f"no label 'sight': name one of {', '.join(sorted(LABELS))}"),
        ("inhibit:\n  - {id: a, source: ['site=~\"(\"'], target: ['rule=\"b\"']}", 2, "inhibit.0.source.0",
         "the expression '(' is wrong: missing ), unterminated subpattern at position 0"),
        ("quiet:\n  - {id: a, from: '25:00', to: '07:00'}", 2, "quiet.0.from",
         "Expected `str` matching regex '^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$', found '25:00'"),
        ("quiet:\n  - {id: a, from: '22:00', to: '07:00'}\n  - {id: a, from: '22:00', to: '07:00'}", 3, "quiet.1.id",
         "a is given already"),
        ("quiet:\n  - {id: a, from: '22:00', to: '07:00', persons: [wu]}", 2, "quiet.0.persons.0", "no person 'wu'"),
        ("digests: [{id: a, at: []}]", 1, "digests.0.at", "Expected `array` of length >= 1"),
        ("escalation:\n  - {priorities: [2], stages: [{after: 2h, tier: city}, {after: 1h, tier: province}]}", 2,
         "escalation.0.stages.1.after", "not after the stage before"),
        ("escalation: [{priorities: [2], stages: [{after: 1h, tier: moon}]}]", 1, "escalation.0.stages.0.tier",
         "Invalid enum value 'moon', found 'moon'"),
        ("reach: {'5': all}", 1, "reach.5", "no priority '5'"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_told_with_file_line_and_key(text: str, line: int, key: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        policy(text, persons=("li",))
    error = caught.value
    assert (error.file, error.line, error.key, error.problem) == ("notices.yaml", line, key, problem)


def test_channels_are_left_to_their_own_reading() -> None:
    assert policy("channels: {mail: {nonsense: 3}}") == load_notice_policy(None)
