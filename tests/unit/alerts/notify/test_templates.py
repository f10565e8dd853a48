from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alerts.notify.templates import (
    EVENT_FIELDS,
    FIELDS,
    KINDS,
    LANGUAGES,
    BadTemplate,
    Templates,
    check_template,
    parse_templates,
)
from sensors.errors import Problems
from sensors.yamlfile import parse_yaml, read_yaml

RAISED = "templates:\n  raised:\n    zh:\n"
PACKAGED = Path(__file__).parents[4] / "alerts" / "data" / "templates.yaml"


@cache
def delivered() -> Templates:
    problems = Problems()
    made = parse_templates(read_yaml(PACKAGED), None, problems)
    problems.raise_first()
    return made


def own(text: str) -> tuple[Templates, list[tuple[int | None, str, str]]]:
    problems = Problems()
    made = parse_templates(read_yaml(PACKAGED), parse_yaml(text, "notices.yaml"), problems)
    return made, [(one.line, one.key, one.problem) for one in problems.found]


def event(**other: str) -> dict[str, str]:
    made = dict.fromkeys(EVENT_FIELDS, "")
    said = {
        "site_name": "甲站", "areas": "上虞区", "title": "O3 1小时超标", "value": "212 µg/m³", "limit": "200 µg/m³",
        "multiple": "0.06", "clause": "GB 3095-2026 表1", "start": "2026-07-01 14:00", "days_over": "5",
        "because": "1小时，212 µg/m³，限值 200 µg/m³（GB 3095-2026 表1），超标 0.06 倍", "link": "http://127.0.0.1:8420/events/e1",
    }  # fmt: skip
    return made | said | other


def fields(*events: dict[str, str], **other: Any) -> dict[str, Any]:
    made: dict[str, Any] = dict.fromkeys(FIELDS, "")
    made |= {
        "events": list(events),
        "first": events[0] if events else dict.fromkeys(EVENT_FIELDS, ""),
        "count": len(events),
    }
    made |= {"kind_name": "新报警", "priority_name": "一般", "mark": "", "synthetic": False}
    return made | other


def test_a_message_says_value_limit_multiple_clause_days_over_and_link() -> None:
    made = delivered().render("raised", "zh", fields(event()))
    assert made.subject == "一般 · 新报警：甲站 O3 1小时超标"
    assert made.text == (
        "一般 · 新报警\n"
        "甲站（上虞区） O3 1小时超标\n"
        "1小时，212 µg/m³，限值 200 µg/m³（GB 3095-2026 表1），超标 0.06 倍\n"
        "时间 2026-07-01 14:00；近 30 日有 5 天\n"
        "http://127.0.0.1:8420/events/e1"
    )
    assert '<a href="http://127.0.0.1:8420/events/e1">' in made.html


def test_the_same_is_said_in_english() -> None:
    made = delivered().render(
        "raised", "en", fields(event(end="2026-07-01 15:00"), kind_name="New", priority_name="Ordinary")
    )
    assert made.subject == "Ordinary · New: 甲站 O3 1小时超标"
    assert "O3 1小时超标\n1小时，212 µg/m³" in made.text
    assert "from 2026-07-01 14:00 to 2026-07-01 15:00; days over in 30: 5" in made.text


def test_an_event_about_the_system_says_what_was_seen() -> None:
    made = delivered().render("raised", "zh", fields(event(because="", value="mail: HTTP 500")))
    assert "\nmail: HTTP 500\n" in made.text


def test_what_is_synthetic_is_marked_in_every_kind_and_language() -> None:
    for kind in KINDS:
        for language in LANGUAGES:
            made = delivered().render(kind, language, fields(event(), mark="【模拟数据】"))
            assert made.subject.startswith("【模拟数据】"), (kind, language)
            assert made.text.startswith("【模拟数据】"), (kind, language)
            assert not made.html or "【模拟数据】" in made.html


def test_every_kind_has_words_in_both_languages_with_all_or_no_values() -> None:
    for kind in KINDS:
        for language in LANGUAGES:
            for filled in (
                fields(),
                fields(event()),
                fields(*[event()] * 3, more="7", note="注", receipt_url="http://x/r"),
            ):
                made = delivered().render(kind, language, filled)
                assert made.subject
                assert made.subject.isprintable()
                assert made.text


def test_a_name_is_told_as_it_is_and_never_acts() -> None:
    wicked = '<script>x</script>{{ 7 * 7 }}\r\nBcc: a@b.cn"'
    made = delivered().render("raised", "zh", fields(event(site_name=wicked)))
    assert "{{ 7 * 7 }}" in made.subject
    assert "\n" not in made.subject
    assert "<script>" in made.text
    assert "<script>" not in made.html
    assert "&lt;script&gt;" in made.html


def test_an_office_may_say_it_in_its_own_words_and_keeps_the_rest() -> None:
    made, problems = own("templates:\n  raised:\n    zh: {subject: 'X {{ first.value }}'}\n")
    assert problems == []
    assert made.render("raised", "zh", fields(event())).subject == "X 212 µg/m³"
    assert made.render("raised", "zh", fields(event())).text == delivered().render("raised", "zh", fields(event())).text
    assert made.render("repeat", "zh", fields(event())).subject.startswith("一般")


@pytest.mark.parametrize(
    ("text", "line", "key", "problem"),
    [
        (f"{RAISED}      subject: '{{{{ first.vlaue }}}}'\n", 4, "raised.zh.subject", "unknown field 'vlaue'"),
        (f"{RAISED}      text: |\n        fine\n        {{{{ tset }}}}\n", 6, "raised.zh.text", "unknown field 'tset'"),
        (f"{RAISED}      text: |\n        {{% for e in events %}}\n        {{{{ e.nmae }}}}\n        {{% endfor %}}\n",
         6, "raised.zh.text", "unknown field 'nmae'"),
        (f"{RAISED}      subject: '{{{{ first'\n", 4, "raised.zh.subject", "no template"),
        (f"{RAISED}      subject: '{{{{ first|nofilter }}}}'\n", 4, "raised.zh.subject", "No filter named"),
        ("templates:\n  rased:\n    zh: {}\n", 2, "rased", "no kind of message"),
        ("templates:\n  raised:\n    de: {}\n", 2, "raised", "not by language"),
        (f"{RAISED}      sujbect: x\n", 4, "raised.zh.sujbect", "unknown key"),
        ("templates: [a]\n", 1, "", "no kinds of messages"),
    ],
)  # fmt: skip
def test_a_wrong_template_names_file_line_and_key(text: str, line: int, key: str, problem: str) -> None:
    _, found = own(text)
    assert [(one[0], one[1]) for one in found] == [(line, f"templates.{key}".rstrip("."))]
    assert problem in found[0][2]


def test_one_wrong_template_does_not_hide_another() -> None:
    _, found = own("templates:\n  raised:\n    zh: {subject: '{{ a }}', text: '{{ b }}'}\n    en: {text: '{{ c }}'}\n")
    assert [one[1] for one in found] == [
        "templates.raised.zh.subject", "templates.raised.zh.text", "templates.raised.en.text",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["{{ ''.__class__.__mro__ }}", "{{ first['__class__'] }}", "{{ events.append(1) }}", "{% include 'x' %}",
     "{% import 'x' as x %}", "{{ self }}", "{{ range(10) }}", "{{ loop.cycle('a') }}", "{{ first[kind] }}"],
)  # fmt: skip
def test_a_template_reaches_nothing_but_its_fields(text: str) -> None:
    with pytest.raises(BadTemplate):
        check_template(text)


def test_a_template_that_fails_when_it_is_filled_in_is_told() -> None:
    made, problems = own("templates:\n  raised:\n    zh: {subject: '{{ count / 0 }}'}\n")
    assert problems == []
    with pytest.raises(BadTemplate, match="division by zero"):
        made.render("raised", "zh", fields(event()))
    with pytest.raises(BadTemplate, match="undefined"):
        delivered().render("raised", "zh", {})


def test_a_text_without_end_is_cut() -> None:
    made = delivered().render("raised", "zh", fields(event(title="长" * 30_000)))
    assert (len(made.subject), len(made.text)) == (200, 20_000)
