from __future__ import annotations

from pathlib import Path

import pytest

from alerts.notify.channelfile import DEFAULT, ChannelSpec, Secret, parse_channels, read_secret, refuse_outside
from alerts.notify.channels import Outcome
from alerts.notify.filed import FileChannel
from alerts.notify.making import check_reach, make_routes
from alerts.notify.pauses import Patience
from alerts.notify.templates import parse_templates
from sensors.errors import ConfigError, Problems
from sensors.yamlfile import Document, parse_yaml
from tests.collectors import mail_collector, web_collector
from tests.unit.alerts.notify.building import NOW, message

EVERY = """\
channels:
  mail:
    email: {host: smtp.example.cn, port: 587, security: starttls, from: jianhu@example.cn, user: j, password: {env: PW}}
    per_minute: 30
    give_up_h: 6
  group: {robot: {robot: dingtalk, key: {env: KEY}, secret: {env: PW}}}
  platform: {webhook: {url: "https://example.cn/hook", secret: {file: SECRET}}}
  sms:
    sms:
      url: https://sms.example.cn/send
      headers: {Authorization: "Bearer {secret}"}
      body: {to: "{address}", text: "{text}", site: "{payload.site}"}
      accepted: {field: code, values: ["0"], later: ["9"]}
      secret: {env: PW}
  prometheus: {alertmanager: {url: "http://127.0.0.1:9093", hold_h: 2}}
  boards: {grafana: {url: "http://127.0.0.1:3000", token: {env: PW}}}
  log: {file: {name: sent.jsonl}}
"""


def doc(text: str) -> Document:
    return parse_yaml(text, "notices.yaml")


def parsed(text: str) -> dict[str, ChannelSpec]:
    problems = Problems()
    found = parse_channels(doc(text), problems)
    problems.raise_first()
    return dict(found)


def told(text: str) -> list[tuple[int | None, str, str]]:
    problems = Problems()
    parse_channels(doc(text), problems)
    return [(one.line, one.key, one.problem) for one in problems.found]


def test_every_kind_of_channel_is_read_and_made(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    channels = parsed(EVERY.replace("SECRET}", f"{tmp_path / 'secret'}}}"))
    assert list(channels) == ["file", "mail", "group", "platform", "sms", "prometheus", "boards", "log"]
    assert [name for name, spec in channels.items() if spec.local] == ["file", "prometheus", "boards", "log"]
    assert (channels["mail"].host, channels["mail"].port) == ("smtp.example.cn", 587)
    assert (channels["platform"].host, channels["platform"].port) == ("example.cn", 443)
    environment = {"PW": "password", "KEY": "a" * 64}
    routes = make_routes(channels, tmp_path, environment, lambda: NOW)
    assert list(routes) == list(channels)
    assert routes["mail"].patience == Patience(give_up_h=6)
    assert routes["mail"].per_minute == 30
    assert routes["log"].channel.send(message()).outcome is Outcome.SENT
    assert (tmp_path / "notices" / "sent.jsonl").exists()


@pytest.mark.parametrize("text", ["", "other: 1", "channels: {}"])
def test_without_channels_there_is_the_file(text: str) -> None:
    assert parsed(text) == {"file": DEFAULT}
    assert DEFAULT.local


@pytest.mark.parametrize(
    ("text", "line", "key", "problem"),
    [
        ("channels:\n  a: {}", 2, "channels.a", "0 transports"),
        ("channels:\n  a: {file: {name: x}, email: {}}", 2, "channels.a", "2 transports"),
        ("channels:\n  A: {file: {name: x}}", 2, "channels.A", "no name of a channel"),
        ("channels: [a]", 1, "channels", "a list or a value"),
        ("channels:\n  a: file", 2, "channels.a", "no mapping"),
        ("channels:\n  a:\n    file: {name: x}\n    timeuot_s: 3", 4, "channels.a.timeuot_s", "unknown key"),
        ("channels:\n  a:\n    file:\n      nmae: x", 4, "channels.a.file.nmae", "unknown key"),
        ("channels:\n  a:\n    file: {name: ../x}", 3, "channels.a.file.name", "Expected `str` matching regex"),
        ("channels:\n  a:\n    file: {name: x}\n    timeout_s: 0", 4, "channels.a.timeout_s", "Expected `float` > 0"),
        ("channels:\n  a:\n    webhook:\n      url: ftp://x\n      secret: {env: A}", 4, "channels.a.webhook.url",
         "regex"),
        ("channels:\n  a:\n    webhook:\n      url: http://x.cn/\n      secret: {env: A}", 4, "channels.a.webhook.url",
         "http, to another machine"),
        ("channels:\n  a:\n    webhook:\n      url: https://x.cn/\n      secret: {}", 5, "channels.a.webhook.secret",
         "not one place"),
        ("channels:\n  a:\n    webhook:\n      url: https://x.cn/\n      secret: abc", 5, "channels.a.webhook.secret",
         "Expected `object`"),
        ("channels:\n  a:\n    webhook:\n      url: https://x.cn/\n      secret: {env: JIANHU_X}", 5,
         "channels.a.webhook.secret", "JIANHU_X looks like a setting"),
        ("channels:\n  a:\n    email:\n      host: x.cn\n      from: a@x.cn\n      security: none", 6,
         "channels.a.email.security", "none, to another machine"),
        ("channels:\n  a:\n    sms:\n      url: https://x.cn/\n      body:\n        to: '{adress}'", 6,
         "channels.a.sms.body.to", "{adress} stands for nothing"),
        ("channels:\n  a:\n    sms:\n      url: https://x.cn/\n      body: {}\n      headers: {X: '{text}'}", 6,
         "channels.a.sms.headers.X", "{text} in a header"),
        ("channels:\n  a:\n    sms:\n      url: https://x.cn/\n      body: {}\n      headers: {'X:': a}", 6,
         "channels.a.sms.headers.X:", "no header"),
        ("channels:\n  a: {robot: {robot: slack, key: {env: A}}}", 2, "channels.a.robot.robot", "Invalid enum value"),
    ],
)  # fmt: skip
def test_a_wrong_channel_names_file_line_and_key(text: str, line: int, key: str, problem: str) -> None:
    ((at, where, what),) = told(text)
    assert (at, where) == (line, key)
    assert problem in what


def test_one_wrong_channel_does_not_hide_another() -> None:
    assert [key for _, key, _ in told("channels:\n  a: {}\n  b: {file: {name: x}}\n  c: {}")] == [
        "channels.a", "channels.c",
    ]  # fmt: skip


def test_a_synthetic_region_has_no_channel_to_another_machine() -> None:
    document, problems = doc(EVERY), Problems()
    refuse_outside(document, parse_channels(document, problems), problems)
    with pytest.raises(ConfigError) as caught:
        problems.raise_first()
    refused = [caught.value, *caught.value.further]
    assert [one.key for one in refused] == [
        "channels.mail.email", "channels.group.robot", "channels.platform.webhook", "channels.sms.sms",
    ]  # fmt: skip
    assert caught.value.line == 3
    assert "the region is synthetic" in caught.value.problem


@pytest.mark.parametrize("secret", [Secret(env="PW"), Secret(file="PATH/empty"), Secret(file="PATH/none")])
def test_a_secret_that_is_not_there_is_told_before_the_start(secret: Secret, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    if secret.file:
        secret = Secret(file=secret.file.replace("PATH", str(tmp_path)))
    with pytest.raises(ConfigError, match="secret"):
        read_secret(secret, {})


def test_no_message_holds_a_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        read_secret(Secret(env="PW"), {"PW": "hunter2\nX: y"})
    assert "hunter2" not in str(caught.value)
    assert read_secret(None, {}) == ""


def test_check_tells_a_channel_that_cannot_be_reached_with_its_line() -> None:
    with web_collector() as web, mail_collector() as box:
        text = (
            "channels:\n"
            f"  here: {{alertmanager: {{url: 'http://127.0.0.1:{web.port}'}}}}\n"
            f"  post: {{email: {{host: 127.0.0.1, port: {box.port}, from: a@b.cn, security: none}}}}\n"
            "  gone:\n    alertmanager:\n      url: http://127.0.0.1:1\n"
            "  mute:\n    email:\n      host: 127.0.0.1\n      port: 1\n      from: a@b.cn\n      security: none\n"
        )
        document, problems = doc(text), Problems()
        check_reach(document, parse_channels(document, problems), problems)
    assert [(one.line, one.key) for one in problems.found] == [
        (6, "channels.gone.alertmanager.url"), (9, "channels.mute.email.host"),
    ]  # fmt: skip
    assert "127.0.0.1:1 cannot be reached (Connection refused)" in problems.found[0].problem


def test_the_file_that_is_always_there_stands_in_the_data_folder(tmp_path: Path) -> None:
    route = make_routes(parsed(""), tmp_path, {}, lambda: NOW)["file"]
    assert isinstance(route.channel, FileChannel)
    route.channel.send(message())
    assert (tmp_path / "notices" / "messages.jsonl").exists()


def test_the_example_of_the_readme_is_read_whole() -> None:
    readme = (Path(__file__).parents[4] / "alerts" / "notify" / "README.md").read_text(encoding="utf-8")
    example = readme.partition("```yaml\n")[2].partition("```")[0]
    assert list(parsed(example)) == ["file", "mail", "group", "platform", "sms", "prometheus", "boards"]
    problems = Problems()
    parse_templates(doc("default: {}"), doc(example), problems)
    assert problems.found == []
