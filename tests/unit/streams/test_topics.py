from __future__ import annotations

from typing import Any, NoReturn

import pytest
from kafka.errors import KafkaTimeoutError

from sensors.errors import ConfigError, EdgeError
from streams import topics as topics_module
from streams.topics import Topics, create_topics, topic_settings


@pytest.mark.parametrize(
    ("prefix", "names", "group"),
    [
        ("", ("readings.air", "areas.air", "results.air", "deadletter"), "jianhu-judge"),
        ("x", ("x.readings.air", "x.areas.air", "x.results.air", "x.deadletter"), "x.jianhu-judge"),
        ("a.b", ("a.b.readings.air", "a.b.areas.air", "a.b.results.air", "a.b.deadletter"), "a.b.jianhu-judge"),
    ],
)
def test_a_prefix_separates_topics_and_groups(prefix: str, names: tuple[str, ...], group: str) -> None:
    topics = Topics(prefix=prefix)
    assert topics.all("air") == names
    assert (topics.readings("air"), topics.areas("air"), topics.results("air"), topics.deadletter) == names
    assert topics.group("judge") == group


def test_two_kinds_share_nothing_but_the_dead_letters() -> None:
    assert set(Topics().all("air")) & set(Topics().all("water")) == {"deadletter"}
    together = Topics().all("air", "water")
    assert (len(together), set(together)) == (7, {*Topics().all("air"), *Topics().all("water")})


def test_records_are_stamped_by_the_broker_and_kept_for_fourteen_days_whatever_their_size() -> None:
    assert topic_settings() == {
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": "1209600000",
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
        "max.message.bytes": "2097152",
    }


def test_a_topic_with_the_right_settings_is_let_be() -> None:
    topics_module._check("host:1", "t", {**topic_settings(), "segment.bytes": "5"}, topic_settings())


@pytest.mark.parametrize(
    ("live", "told"),
    [
        ({"retention.ms": "1"}, "retention.ms is 1, must be 1209600000"),
        ({"cleanup.policy": "compact"}, "cleanup.policy is compact, must be delete"),
    ],
)
def test_a_wrong_setting_is_told_with_the_command_that_mends_it(live: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        topics_module._check("host:1", "t", {**topic_settings(), **live}, topic_settings())
    [name] = live
    assert error.value.key == "t"
    assert "--bootstrap-server host:1 " in error.value.mend
    assert error.value.mend.endswith(f"--entity-name t --add-config {name}={topic_settings()[name]}")


def test_a_setting_that_is_missing_is_wrong() -> None:
    with pytest.raises(ConfigError, match="is None, must be"):
        topics_module._check("host:1", "t", {}, topic_settings())


@pytest.mark.parametrize(
    "answer",
    [
        {"topic": {"t": {"retention.ms": {"value": 1}}}},
        {"topic": {"t": {"retention.ms": "1"}}},
        {"t": {"retention.ms": {"value": "1"}}},
    ],
)
def test_live_settings_are_read_in_the_forms_of_the_client(answer: object) -> None:
    assert topics_module._flatten(answer, "t") == {"retention.ms": "1"}


@pytest.mark.parametrize("answer", [None, [], {}, {"topic": []}])
def test_an_answer_in_another_form_is_told(answer: object) -> None:
    with pytest.raises(EdgeError, match="not known"):
        topics_module._flatten(answer, "t")


def test_a_broker_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(**_: object) -> NoReturn:  # a real attempt takes 30 s, and kafka-python leaves its sockets open
        raise KafkaTimeoutError

    monkeypatch.setattr(topics_module, "KafkaAdminClient", connect)
    with pytest.raises(EdgeError, match="the broker at host:1 refused to create or describe") as error:
        create_topics("host:1", ("t",), partitions=1)
    assert isinstance(error.value.__cause__, KafkaTimeoutError)


class Admin:
    """An admin client whose topic becomes usable little by little."""

    def __init__(self, *answers: tuple[int, list[int]]) -> None:
        self._answers = list(answers)

    def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]:
        code, leaders = self._answers.pop(0)
        return [{"name": t, "error_code": code, "partitions": [{"leader_id": n} for n in leaders]} for t in topics]


def test_a_new_topic_is_waited_for_until_every_partition_has_a_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics_module.threading, "Event", Instant)  # type: ignore[attr-defined]
    admin = Admin((3, []), (0, [1]), (0, [1, -1]), (0, [1, 1]))
    topics_module._await(admin, ("t",), 2)
    assert admin._answers == []
    topics_module._await(admin, (), 2)


def test_a_new_topic_without_leaders_is_told_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 1.0, topics_module.READY_S, topics_module.READY_S + 1])
    monkeypatch.setattr(topics_module, "monotonic", lambda: next(moments))
    monkeypatch.setattr(topics_module.threading, "Event", Instant)  # type: ignore[attr-defined]
    with pytest.raises(EdgeError, match="t: created, but without leaders after 30 s"):
        topics_module._await(Admin(*[(3, [])] * 3), ("t",), 2)


class Instant:
    """An event that never waits."""

    def wait(self, seconds: float) -> None:
        assert seconds > 0
