"""Inhibition: what is not told because another event says more."""

from __future__ import annotations

import pytest

from alerts.notices.inhibition import Inhibited, book_of, inhibited, sources_of
from alerts.notices.matchers import parse_matcher
from alerts.notices.policy import Inhibition

LINE = Inhibition(
    id="line", source=(parse_matcher('rule="line-silent"'),), target=(parse_matcher('rule_kind="no_data"'),),
    equal=("line",),
)  # fmt: skip
SEVERE = Inhibition(
    id="severe", source=(parse_matcher('priority=~"1|2"'),), target=(parse_matcher('priority=~"2|3|4"'),),
    equal=("site", "factor"),
)  # fmt: skip


def inhibits(source: dict[str, str], target: dict[str, str], rule: Inhibition = LINE) -> bool:
    book = book_of(sources_of([rule], "source", source))
    return inhibited([rule], target, book) is not None


def test_a_broken_line_inhibits_its_points() -> None:
    line = {"rule": "line-silent", "line": "firm-1"}
    assert inhibits(line, {"rule_kind": "no_data", "line": "firm-1"})
    assert not inhibits(line, {"rule_kind": "no_data", "line": "firm-2"})
    assert not inhibits(line, {"rule_kind": "finding", "line": "firm-1"})


def test_labels_that_neither_has_are_equal() -> None:
    assert inhibits({"rule": "line-silent"}, {"rule_kind": "no_data"})
    assert not inhibits({"rule": "line-silent"}, {"rule_kind": "no_data", "line": "firm-1"})


@pytest.mark.parametrize(
    ("source", "target", "is_inhibited"),
    [("1", "3", True), ("2", "4", True), ("2", "2", False), ("1", "2", True), ("3", "4", False)],
)
def test_what_matches_both_sides_is_not_inhibited_by_others_that_do(
    source: str, target: str, is_inhibited: object
) -> None:
    assert inhibits({"priority": source}, {"priority": target}, SEVERE) is is_inhibited


def test_what_is_urgent_is_never_inhibited() -> None:
    line = {"rule": "line-silent", "line": "firm-1"}
    target = {"rule_kind": "no_data", "line": "firm-1", "priority": "1"}
    assert not inhibits(line, target)


def test_the_first_rule_that_inhibits_is_named_with_its_event() -> None:
    labels = {"rule": "line-silent", "priority": "1"}
    book = book_of(sources_of([LINE, SEVERE], "e1", labels))
    target = {"rule_kind": "no_data", "priority": "3"}
    assert inhibited([LINE, SEVERE], target, book) == Inhibited(inhibition="line", event="e1")
    assert inhibited([SEVERE, LINE], target, book) == Inhibited(inhibition="severe", event="e1")


def test_without_sources_nothing_is_inhibited() -> None:
    assert inhibited([LINE], {"rule_kind": "no_data"}, book_of(())) is None
