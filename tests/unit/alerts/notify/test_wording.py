from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest

from alerts.notices.payload import Payload, event_part
from alerts.notify.channels import Outcome
from alerts.notify.delivery import BadMessage, Route
from alerts.notify.remembered import MemoryChannel
from alerts.notify.templates import KINDS, LANGUAGES, parse_templates
from alerts.notify.trials import render_preview, sample, send_trial
from alerts.notify.wording import Wording
from alerts.rules import Kind
from alerts.tally import Tally
from sensors.errors import Problems, UnknownName
from sensors.yamlfile import parse_yaml
from tests.unit.alerts.notices.building import region, subject
from tests.unit.alerts.notify.building import NOW
from tests.unit.alerts.notify.test_templates import delivered

CONSOLE = "http://127.0.0.1:8420/"


@dataclass
class Row:
    """A row of the queue."""

    payload: str
    kind: str = "raised"
    id: str = "d1"
    notice: str = "n1"
    priority: int = 3
    recipient: str = "li"
    department: str = "epb"
    address: str = "li@example.test"
    synthetic: bool = False
    created_at: int = NOW
    extra: dict[str, str] = field(default_factory=dict)


def payload(*, synthetic: bool = False, language: str = "zh", **other: object) -> Payload:
    part = event_part(subject(), Tally(days=4, streak=1), region())
    made = Payload(kind="raised", priority=3, synthetic=synthetic, language=language, events=(part,))
    return msgspec.structs.replace(made, **other)


def row(data: Payload, **other: object) -> Row:
    return replace(Row(payload=msgspec.json.encode(data).decode()), **other)  # type: ignore[arg-type]


def wording(console: str = CONSOLE) -> Wording:
    return Wording(delivered(), console)


def test_a_delivery_becomes_a_message_in_the_words_of_its_recipient() -> None:
    made = wording().message_of(row(payload()))
    assert made.subject.startswith("一般 · 新报警：A ")
    assert "近 30 日有 4 天，已连续 1 天" in made.text
    assert "http://127.0.0.1:8420/alerts/" in made.text
    assert (made.delivery, made.recipient, made.address) == ("d1", "li", "li@example.test")
    assert wording().message_of(row(payload(language="en"))).subject.startswith("ordinary · New alert: A ")


def test_a_management_threshold_is_never_called_over_the_limit() -> None:
    part = event_part(subject(kind=Kind.THRESHOLD), None, region())
    made = wording().message_of(row(payload(events=(msgspec.structs.replace(part, multiple="0.07"),))))
    assert "超标" not in made.subject + made.text
    fields = wording().fields(
        payload(events=(msgspec.structs.replace(part, multiple="0.07"),)), "raised", synthetic=False
    )
    assert fields["first"]["multiple"] == ""


def test_channels_get_the_data_with_whole_links_and_a_title() -> None:
    made = wording().message_of(row(payload()))
    (event,) = made.payload["events"]
    assert event["link"].startswith("http://127.0.0.1:8420/alerts/")
    assert event["title"] == event["title_zh"]
    assert wording(console="").message_of(row(payload())).payload["events"][0]["link"] == ""


def test_what_is_synthetic_is_marked_whoever_says_so() -> None:
    for one in (row(payload(synthetic=True)), row(payload(), synthetic=True)):
        assert wording().message_of(one).subject.startswith("【模拟数据】")
    assert "模拟" not in wording().message_of(row(payload())).text


def test_a_digest_says_each_event_of_its_messages_once() -> None:
    gathered = msgspec.to_builtins(payload())
    made = wording().message_of(row(payload(events=(), messages=(gathered, gathered)), kind="digest"))
    assert made.subject == "报警汇总：1 起"
    assert len(made.payload["events"]) == 1
    assert "messages" not in made.payload


def test_a_receipt_is_asked_for_where_somebody_can_take_it() -> None:
    asked: list[str] = []

    def token(delivery: str) -> str:
        asked.append(delivery)
        return "tok-1"

    made = Wording(delivered(), CONSOLE, token).message_of(row(payload()))
    assert made.receipt_url == "http://127.0.0.1:8420/receipts/tok-1"
    assert made.receipt_url in made.text
    assert Wording(delivered(), "", token).message_of(row(payload())).receipt_url == ""
    assert asked == ["d1"]


def test_a_row_of_which_no_message_can_be_made_says_why() -> None:
    with pytest.raises(BadMessage, match="its data cannot be read"):
        wording().message_of(Row(payload='{"kind": 1}'))
    problems = Problems()
    broken = parse_yaml(
        "default:\n  zh: {subject: '{{ count / 0 }}', text: x}\n  en: {subject: x, text: x}\n", "t.yaml"
    )
    with pytest.raises(BadMessage, match="template raised, line 1: division by zero"):
        Wording(parse_templates(broken, None, problems)).message_of(row(payload()))


def test_every_kind_can_be_looked_at_before_it_is_sent() -> None:
    for kind in KINDS:
        for language in LANGUAGES:
            made = render_preview(wording(), kind, NOW, language=language)
            assert made.synthetic
            assert made.subject
    assert "办理期限 2023-11-16 06:13" in render_preview(wording(), "case_step", NOW).text
    assert "已 30 分钟无人签收，现升级至区。" in render_preview(wording(), "escalation", NOW).text
    real = render_preview(wording(), "raised", NOW, payload=payload())
    assert (real.synthetic, real.subject.startswith("一般")) == (False, True)
    with pytest.raises(UnknownName):
        render_preview(wording(), "sms", NOW)


def test_a_test_message_is_really_sent_and_says_that_it_is_one() -> None:
    mail = MemoryChannel()
    routes = {"mail": Route(channel=mail, local=False)}
    made = send_trial(routes, wording(), "mail", "li@example.test", NOW, synthetic=False, delivery=lambda: "t1")
    assert made.answer.outcome is Outcome.SENT
    assert [(one.delivery, one.address, one.subject) for one in mail.taken] == [
        ("t1", "li@example.test", "试发：请勿处置"),
    ]  # fmt: skip
    with pytest.raises(UnknownName, match="sms"):
        send_trial(routes, wording(), "sms", "x", NOW)


def test_no_test_message_of_a_synthetic_region_leaves_this_machine() -> None:
    outside, inside = MemoryChannel(), MemoryChannel()
    routes = {"mail": Route(channel=outside, local=False), "file": Route(channel=inside, local=True)}
    assert send_trial(routes, wording(), "mail", "x", NOW).answer.outcome is Outcome.REFUSED
    assert send_trial(routes, wording(), "file", "x", NOW).answer.outcome is Outcome.SENT
    assert outside.tried == []
    assert inside.taken[0].text.startswith("【模拟数据】")


def test_the_sample_names_everything_that_a_template_can(tmp_path: Path) -> None:
    del tmp_path
    fields = wording().fields(sample("raised", NOW), "raised", synthetic=True)
    assert {name for name, value in fields["first"].items() if not value} == {"end"}
