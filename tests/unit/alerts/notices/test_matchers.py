"""Matchers on labels."""

from __future__ import annotations

import pytest

from alerts.notices.matchers import BadMatcher, Matcher, Operator, check_labels, match, parse_matcher
from tests.unit.alerts.notices.building import region, subject


@pytest.mark.parametrize(
    ("text", "labels", "fits"),
    [
        ('site="A"', {"site": "A"}, True),
        ('site="A"', {"site": "AB"}, False),
        ('site=""', {}, True),
        ('site!=""', {}, False),
        ('site!="A"', {}, True),
        ('rule=~"no-data"', {"rule": "no-data-water"}, False),
        ('rule=~"no-data.*"', {"rule": "no-data-water"}, True),
        ('rule=~".+"', {}, False),
        ('rule=~".*"', {}, True),
        ('rule=~"a|b"', {"rule": "b"}, True),
        ('rule=~"a|b"', {"rule": "bc"}, False),
        ('rule!~"a|b"', {"rule": "c"}, True),
        ('rule!~"a|b"', {"rule": "a"}, False),
        ("priority=~[34]", {"priority": "4"}, True),
    ],
)
def test_a_label_that_is_not_there_is_empty_and_expressions_are_anchored(
    text: str, labels: dict[str, str], fits: object
) -> None:
    assert parse_matcher(text).holds(labels) is fits


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("site=A", Matcher("site", Operator.EQUAL, "A")),
        (' site = "A B" ', Matcher("site", Operator.EQUAL, "A B")),
        ('site!~"a\\"b\\\\."', Matcher("site", Operator.NOT_REGEX, 'a"b\\.')),
        ("site=", Matcher("site", Operator.EQUAL, "")),
    ],
)
def test_a_matcher_is_read_as_alertmanager_writes_it(text: str, matcher: Matcher) -> None:
    assert parse_matcher(text) == matcher
    assert parse_matcher(str(matcher)) == matcher


@pytest.mark.parametrize(
    "text", ["", "site", '="A"', 'site=="A"x"', 'site="A', 'site~"A"', 'site=~"("', "1site=A", "x" * 500 + "=1"]
)
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(BadMatcher):
        parse_matcher(text)


def test_a_matcher_that_could_not_be_read_again_from_where_it_is_kept_is_refused() -> None:
    with pytest.raises(BadMatcher, match="at most 400"):
        parse_matcher("site=" + "\\" * 300)
    longest = parse_matcher("site=" + "\\" * 196)
    assert parse_matcher(str(longest)) == longest


@pytest.mark.parametrize("text", ["(a+)+", "(a|a)*", "(.*)(\\1)", "(?=a)b", "a*b*c*d*", "(a){2,}"])
def test_an_expression_that_could_run_for_ever_is_refused(text: str) -> None:
    with pytest.raises(BadMatcher, match="refused"):
        parse_matcher(f'site=~"{text}"'.replace("\\", "\\\\"))


@pytest.mark.parametrize("text", ["SYN-(F01|F02).*", "(?i)syn.*", "[*+{]x", "a\\*\\*\\*\\*", "(?:a|b)?"])
def test_plain_expressions_are_taken(text: str) -> None:
    assert Matcher("site", Operator.REGEX, text)


def test_all_matchers_must_fit_and_none_fits_everything() -> None:
    both = (parse_matcher('site="A"'), parse_matcher('rule="r"'))
    assert match(both, {"site": "A", "rule": "r"})
    assert not match(both, {"site": "A"})
    assert match((), {})


def test_a_label_that_nothing_has_is_told() -> None:
    with pytest.raises(BadMatcher, match="no label 'sight'"):
        check_labels([parse_matcher('sight="A"')])


def test_every_label_of_a_subject_can_be_matched() -> None:
    for name in ("A", "P1", "W"):
        check_labels([Matcher(label, Operator.EQUAL, "x") for label in subject(region(synthetic=True), at=name).labels])
