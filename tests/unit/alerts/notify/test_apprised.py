from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts.notify.apprised import Mail, MailServer, Robot, RobotChannel, Security, robot_answer
from alerts.notify.channels import Answer, Outcome
from alerts.notify.posting import Reply
from tests.collectors import Collector, MailBox, Said, mail_collector, web_collector
from tests.unit.alerts.notify.building import NOW, message


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_collector() as made:
        yield made


@pytest.fixture
def web() -> Iterator[Collector]:
    with web_collector() as made:
        yield made


def mail(box: MailBox, timeout_s: float = 5.0) -> Mail:
    server = MailServer(host="127.0.0.1", port=box.port, sender="jianhu@example.test", security=Security.NONE)
    return Mail(server, "", timeout_s)


def robot(web: Collector, kind: Robot = Robot.WECOM, **other: str) -> RobotChannel:
    key = "a" * 64 if kind is Robot.DINGTALK else "12345678-1234-1234-1234-123456789abc"
    return RobotChannel(kind, key, 2.0, wall_ms=lambda: NOW, url=f"{web.url}/robot", **other)


def test_a_mail_arrives_in_chinese_with_its_delivery_in_a_header(box: MailBox) -> None:
    assert mail(box).send(message()) == Answer(outcome=Outcome.SENT)
    (got,) = box.mails
    assert box.to == ["li@example.test"]
    assert got["Subject"] == "甲站 PM2.5 1小时超管控值"
    assert (got["X-Jianhu-Delivery"], got["Auto-Submitted"]) == ("d1", "auto-generated")
    assert got.get_content().strip() == "甲站 PM2.5 80 µg/m³，限值 75"


def test_a_mail_with_markup_has_both_forms(box: MailBox) -> None:
    mail(box).send(message(html="<p>甲站 &lt;b&gt;</p>"))
    (got,) = box.mails
    parts = {part.get_content_type(): part.get_content().strip() for part in got.iter_parts()}
    assert parts["text/html"] == "<p>甲站 &lt;b&gt;</p>"
    assert "甲站 <b>" in parts["text/plain"]


def test_no_name_can_add_a_header_or_a_recipient(box: MailBox) -> None:
    wicked = "x\r\nBcc: all@example.test\r\n\r\nbody\u2028\x00"
    assert mail(box).send(message(subject=wicked, delivery=wicked)).outcome is Outcome.SENT
    (got,) = box.mails
    assert got["Bcc"] is None
    assert box.to == ["li@example.test"]
    assert got["Subject"].startswith("x Bcc: all@example.test")


@pytest.mark.parametrize(
    "address",
    ["", "li", "a@b.test, c@d.test", "a@b.test;c@d.test", "a@b.test\r\nBcc: x@y.test", "<a@b.test>", "L <a@b.test>",
     "a b@c.test", "a@", "@b.test"],
)  # fmt: skip
def test_what_is_no_single_address_is_refused(box: MailBox, address: str) -> None:
    assert mail(box).send(message(address=address)).outcome is Outcome.REFUSED
    assert box.mails == []


@pytest.mark.parametrize("said", ["450 busy", "550 nobody"])
def test_a_mail_that_the_server_does_not_take_is_tried_again(box: MailBox, said: str) -> None:
    box.refuse = lambda _: said
    assert mail(box).send(message()).outcome is Outcome.RETRY


def test_a_mail_server_that_says_nothing_is_left_at_the_limit(box: MailBox) -> None:
    box.silent = True
    assert mail(box, timeout_s=0.1).send(message()).outcome is Outcome.RETRY


@pytest.mark.parametrize(
    ("kind", "where"),
    [(Robot.WECOM, ("text", "content")), (Robot.DINGTALK, ("text", "content")), (Robot.FEISHU, ("content", "text"))],
)
def test_each_robot_says_title_and_text(web: Collector, kind: Robot, where: tuple[str, str]) -> None:
    assert robot(web, kind).send(message()).outcome is Outcome.SENT
    (asked,) = web.asked
    text = asked.json[where[0]][where[1]]
    assert "甲站 PM2.5 1小时超管控值" in text
    assert "限值 75" in text


def test_dingtalk_is_signed_where_it_has_a_secret(web: Collector) -> None:
    robot(web, Robot.DINGTALK, secret="SEC0123456789").send(message())
    assert "sign=" in web.asked[0].path
    assert "timestamp=" in web.asked[0].path


@pytest.mark.parametrize(
    ("said", "outcome", "wait_ms"),
    [(Said(body=b'{"errcode": 0, "errmsg": "ok"}'), Outcome.SENT, None),
     (Said(body=b'{"errcode": 310000, "errmsg": "sign not match"}'), Outcome.REFUSED, None),
     (Said(body=b'{"errcode": 130101, "errmsg": "send too fast"}'), Outcome.RETRY, None),
     (Said(body=b'{"code": 9499, "msg": "too many request"}'), Outcome.RETRY, None),
     (Said(body=b'{"code": 19001, "msg": "param invalid"}'), Outcome.REFUSED, None),
     (Said(status=429, headers={"Retry-After": "60"}), Outcome.RETRY, 60_000), (Said(status=500), Outcome.RETRY, None),
     (Said(status=404), Outcome.REFUSED, None), (Said(body=b"fine"), Outcome.SENT, None)],
)  # fmt: skip
def test_a_robot_that_answers_200_is_heard_out(
    web: Collector, said: Said, outcome: Outcome, wait_ms: int | None
) -> None:
    web.answers(said)
    answer = robot(web).send(message())
    assert (answer.outcome, answer.wait_ms) == (outcome, wait_ms)


def test_a_robot_that_is_away_is_tried_again() -> None:
    away = Collector(port=1)
    assert robot(away).send(message()) == Answer(outcome=Outcome.RETRY, detail="no answer")


def test_an_answer_of_a_robot_that_is_no_object_is_taken_by_its_status() -> None:
    assert robot_answer(Reply(status=200, headers={}, body=b"[1]"), NOW).outcome is Outcome.SENT
