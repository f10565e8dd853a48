"""Our grouping, inhibition, silences and repeats beside a real Alertmanager's: the same script, the same notices."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from alerts.notices.grouping import Group, Item, look, put
from alerts.notices.inhibition import book_of, inhibited, sources_of
from alerts.notices.matchers import parse_matcher
from alerts.notices.policy import Brief, Grouping, Inhibition, Timing
from alerts.notices.silences import Silence, silencing
from alerts.notify.alertmanager import Alertmanager
from alerts.notify.channels import Outcome
from alerts.notify.posting import post
from scripts.services import AlertmanagerServer, running
from tests.collectors import Collector, web_collector
from tests.integration.running import wait_for
from tests.unit.alerts.notify.building import EVENT, message

pytestmark = pytest.mark.integration
SECOND: Final = 1_000
TIMING = Timing(group_wait=SECOND, group_interval=2 * SECOND, repeat_interval=3 * SECOND, brief=Brief.DROP)
GROUPING = Grouping(matchers=(), group_by=("network", "site"), timing=TIMING)
INHIBITION = Inhibition(
    id="line",
    source=(parse_matcher("rule=line-down"),),
    target=(parse_matcher("rule=~no-data|line-down"),),
    equal=("county",),
)
CONFIG = """
global: {{resolve_timeout: 1h}}
route:
  receiver: hook
  group_by: [network, site]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 3s
inhibit_rules:
  - source_matchers: ['rule="line-down"']
    target_matchers: ['rule=~"no-data|line-down"']
    equal: [county]
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}/hook", send_resolved: true}}]
"""
LAST: Final = 12_500
"""Everything that the script brings about is told before; milliseconds after its beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of the script: when it comes and goes, milliseconds after the beginning."""

    id: str
    site: str
    at: int = 0
    end: int | None = None
    age: int = 0
    """How long before it came it began."""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def all_labels(self) -> dict[str, str]:
        made = {
            "alertname": "a",
            "event": self.id,
            "site": self.site,
            "network": "air",
            "priority": "3",
            "rule": "pm25",
        }
        return made | self.labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """One silence of the script."""

    id: str
    matchers: tuple[str, ...]
    start: int
    end: int


# Looks at a group are 1, 3, 5, 7, … s after its first alert: what happens lies well between them.
ALERTS: Final = (
    Alert(id="g1", site="grouped"), Alert(id="g2", site="grouped"), Alert(id="g3", site="grouped", at=400),
    Alert(id="g4", site="grouped", at=1_900, end=3_900),
    Alert(id="o1", site="other"),
    Alert(id="r1", site="over", end=1_900), Alert(id="r2", site="over", end=6_000),
    Alert(id="b1", site="brief", end=400),
    Alert(id="l1", site="late", at=300, age=60_000), Alert(id="l2", site="late", at=1_000),
    Alert(id="i1", site="inhibited", labels={"county": "sy", "rule": "no-data"}),
    Alert(id="i2", site="inhibited", labels={"county": "yc", "rule": "no-data"}),
    Alert(id="i3", site="inhibited", labels={"county": "sy"}),
    Alert(id="s1", site="line", end=3_900, labels={"county": "sy", "rule": "line-down"}),
    Alert(id="s2", site="line", at=100, labels={"county": "sy", "rule": "line-down"}, end=4_000),
    Alert(id="q1", site="quiet"), Alert(id="q2", site="quiet", labels={"factor": "PM10"}),
    Alert(id="p1", site="passing", end=4_000),
)  # fmt: skip
MUTES: Final = (
    Mute(id="m1", matchers=("site=quiet", "factor!=PM10"), start=-5_000, end=4_000),
    Mute(id="m2", matchers=("site=~pass.*",), start=2_000, end=9_000),
)
Told = dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]
"""Site → what its group told, in order: ids that go on, ids that are over."""


def ours(alerts: Sequence[Alert], mutes: Sequence[Mute]) -> Told:
    """Run the script through the pure functions, on a clock of its own."""
    beginning = 1_700_000_000_000
    groups: dict[tuple[tuple[str, str], ...], Group] = {}
    told: Told = {}
    silences = [
        Silence(
            id=one.id, matchers=tuple(map(parse_matcher, one.matchers)), author="li", reason="works",
            created_at=beginning, starts_at=beginning + one.start, ends_at=beginning + one.end,
        )
        for one in mutes
    ]  # fmt: skip
    happens = sorted(
        [(one.at, 0, one) for one in alerts] + [(one.end, 1, one) for one in alerts if one.end is not None],
        key=lambda what: what[:2],
    )
    firing: dict[str, Alert] = {}
    marks = {one.id: number for number, one in enumerate(alerts)}

    def muted_by(item: Item, now: int) -> str | None:
        sources = [source for one in firing.values() for source in sources_of([INHIBITION], one.id, one.all_labels)]
        held = inhibited([INHIBITION], item.labels, book_of(sources))
        silence = silencing(silences, item.labels, now)
        return held.event if held is not None else silence.id if silence is not None else None

    def look_until(at: int) -> None:
        while due := [(group.next_look, key) for key, group in groups.items() if group.next_look < beginning + at]:
            now, key = min(due)
            seen = look(groups[key], TIMING, now, partial(muted_by, now=now))
            if seen.group is None:
                del groups[key]
                continue
            groups[key] = seen.group
            if seen.notice is not None:
                ids = [tuple(sorted(item.id for item in part)) for part in (seen.notice.firing, seen.notice.resolved)]
                told.setdefault(dict(key)["site"], []).append((ids[0], ids[1]))

    for at, over, one in happens:
        look_until(at)
        if over:
            firing.pop(one.id)
        else:
            firing[one.id] = one
        key = GROUPING.key(one.all_labels)
        item = Item(
            id=one.id, mark=marks[one.id], firing=not over, since=beginning + one.at - one.age, labels=one.all_labels,
            pending=(2 * marks[one.id] + over,),
        )  # fmt: skip
        groups[key] = put(groups.get(key), item, TIMING, beginning + at)
    look_until(LAST)
    return told


def _post(url: str, body: Any) -> None:
    reply = post(url, json.dumps(body).encode(), {"Content-Type": "application/json"}, 10.0)
    assert reply.status == 200, reply.body


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _silence(one: Mute, beginning: float) -> dict[str, Any]:
    matchers = []
    for made in map(parse_matcher, one.matchers):
        sign = made.operator.value
        matchers.append({"name": made.name, "value": made.value, "isRegex": "~" in sign, "isEqual": sign[0] == "="})
    times = {"startsAt": _time(beginning + one.start / 1_000), "endsAt": _time(beginning + one.end / 1_000)}
    return {"matchers": matchers, **times, "createdBy": "li", "comment": "works"}


@contextmanager
def _alertmanager(program: Path) -> Iterator[tuple[AlertmanagerServer, Collector]]:
    with web_collector() as hook:
        config = CONFIG.format(url=hook.url)
        with running(lambda home: AlertmanagerServer(home, program, config)) as server:
            yield server, hook


def theirs(program: Path, alerts: Sequence[Alert], mutes: Sequence[Mute]) -> Told:
    """Run the script through the real one, in real time."""
    with _alertmanager(program) as (server, hook):
        beginning = time.time() + 0.5
        for one in mutes:
            _post(f"{server.url}/api/v2/silences", _silence(one, beginning))
        happens = sorted({one.at for one in alerts} | {one.end for one in alerts if one.end is not None})
        for at in happens:
            _until(beginning + at / 1_000)
            posted = [
                {
                    "labels": one.all_labels, "startsAt": _time(beginning + (one.at - one.age) / 1_000),
                    "endsAt": _time(beginning + (3_600 if one.end is None or one.end > at else one.end / 1_000)),
                }
                for one in alerts
                if at in {one.at, one.end}
            ]  # fmt: skip
            _post(f"{server.url}/api/v2/alerts", posted)
        _until(beginning + LAST / 1_000)
        told: Told = {}
        for asked in hook.asked:
            said = asked.json
            ids = {
                status: tuple(sorted(a["labels"]["event"] for a in said["alerts"] if a["status"] == status))
                for status in ("firing", "resolved")
            }
            told.setdefault(said["groupLabels"]["site"], []).append((ids["firing"], ids["resolved"]))
        return told


def _until(at: float) -> None:
    time.sleep(max(0.0, at - time.time()))


def test_groups_inhibition_silences_and_repeats_are_those_of_a_real_alertmanager(alertmanager: Path) -> None:
    expected = theirs(alertmanager, ALERTS, MUTES)
    assert ours(ALERTS, MUTES) == expected
    # and what both say is what was meant
    assert expected["grouped"][0] == (("g1", "g2", "g3"), ())
    assert expected["other"] == [(("o1",), ())] * 3
    assert "brief" not in expected
    assert expected["inhibited"][0] == (("i2", "i3"), ())
    assert expected["passing"] == [(("p1",), ())]


def test_what_is_urgent_passes_where_an_alertmanager_would_mute_it() -> None:
    """The one difference that is meant: level 1 is never muted."""
    quiet = Alert(id="q1", site="quiet", end=3_900)
    assert ours([quiet], MUTES) == {}
    assert ours([replace(quiet, labels={"priority": "1"})], MUTES)["quiet"][0] == (("q1",), ())


def test_the_channel_pushes_to_a_real_alertmanager_and_ends_the_alert_there(alertmanager: Path) -> None:
    with _alertmanager(alertmanager) as (server, hook):
        now = int(time.time() * 1_000)
        channel = Alertmanager(server.url, 5.0, lambda: now)
        event = {**EVENT, "start": now - 60_000}
        assert channel.send(message(payload={"events": [event]})).outcome is Outcome.SENT
        wait_for("the alert", lambda: bool(hook.asked), 10)
        (alert,) = hook.asked[0].json["alerts"]
        assert (alert["status"], alert["labels"]["event"], alert["labels"]["county"]) == ("firing", "e1", "sy")
        assert alert["generatorURL"] == event["link"]
        assert alert["annotations"]["description"] == "甲站 PM2.5 80 µg/m³，限值 75"
        over = message(kind="cleared", payload={"events": [{**event, "end": now}]})
        assert channel.send(over).outcome is Outcome.SENT
        wait_for("its end", lambda: hook.asked[-1].json["status"] == "resolved", 10)
        assert hook.asked[-1].json["alerts"][0]["fingerprint"] == alert["fingerprint"]
        bad = message(payload={"events": [{**event, "start": now + 10**9, "end": now - 10**9}]})
        assert channel.send(bad).outcome in {Outcome.SENT, Outcome.REFUSED}
