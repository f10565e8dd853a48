"""Channels by Apprise: e-mail over SMTP, and the robots of WeCom, DingTalk and Feishu.

Apprise says only whether it worked. The robots answer 200 to everything and say in the body what they think
of it; so their answers are heard here, and a message that a robot refused does not count as sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from threading import local
from typing import Any, Final

import msgspec
import requests
from apprise import AppriseAsset, NotifyFormat, NotifyType
from apprise.plugins.email import NotifyEmail

from alerts.notify.channels import Answer, Message, Outcome, plain
from alerts.notify.posting import Reply, answer_of

_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,8}")
_APP: Final = AppriseAsset(app_id="jianhu", app_desc="jianhu", app_url="", secure_logging=True)


class Robot(StrEnum):
    """Group robots that Apprise knows."""

    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"


class Security(StrEnum):
    """How the way to a mail server is kept private."""

    NONE = "none"
    """Not at all: for this machine only."""
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where e-mail goes."""

    host: str
    port: int
    sender: str
    security: Security
    user: str = ""


_MODES: Final[Mapping[Security, str]] = {
    Security.NONE: "insecure", Security.STARTTLS: "starttls", Security.TLS: "ssl",
}  # fmt: skip
_PLUGINS: Final[Mapping[Robot, tuple[str, str, str]]] = {
    Robot.WECOM: ("apprise.plugins.wecombot", "NotifyWeComBot", "key"),
    Robot.DINGTALK: ("apprise.plugins.dingtalk", "NotifyDingTalk", "token"),
    Robot.FEISHU: ("apprise.plugins.feishu", "NotifyFeishu", "token"),
}
"""Module, class and the name of its key. Taken by their names: asking Apprise for a scheme loads all its plugins."""
_CODES: Final = ("errcode", "StatusCode", "code")
"""Under which the robots tell what they think; 0 is good."""
_BUSY: Final = frozenset({-1, 45009, 45033, 130101, 130102, 410100, 9499, 11232})
"""Codes of robots that were asked too often or are out of order: later."""


class Mail:
    """E-mail by SMTP.

    Parameters
    ----------
    server
        Where to.
    password
        Empty where the server wants none.
    timeout_s
        Limit for connecting and for each answer. [s]
    """

    def __init__(self, server: MailServer, password: str, timeout_s: float) -> None:
        self._server, self._password, self._timeout_s = server, password, timeout_s

    def send(self, message: Message) -> Answer:
        """Send one message to one address."""
        if _ADDRESS.fullmatch(message.address) is None:
            return Answer(outcome=Outcome.REFUSED, detail="the address is no e-mail address")
        server = self._server
        plugin: Any = NotifyEmail(  # type: ignore[no-untyped-call]  # it has no types
            host=server.host, smtp_host=server.host, port=server.port, user=server.user or None,
            password=self._password or None, from_addr=server.sender, secure_mode=_MODES[server.security],
            targets=[message.address], asset=_APP,
            headers={"X-Jianhu-Delivery": plain(message.delivery), "Auto-Submitted": "auto-generated"},
        )  # fmt: skip
        plugin.socket_connect_timeout = self._timeout_s
        form = NotifyFormat.HTML if message.html else NotifyFormat.TEXT
        taken = plugin.notify(
            title=plain(message.subject), body=message.html or message.text, notify_type=NotifyType.INFO,
            body_format=form,
        )  # fmt: skip
        if taken:
            return Answer(outcome=Outcome.SENT)
        return Answer(outcome=Outcome.RETRY, detail=plain(f"{server.host}:{server.port} did not take it"))


class RobotChannel:
    """A robot of a group chat.

    Parameters
    ----------
    robot
        Which.
    key
        The key or token of its address.
    timeout_s
        Limit for one attempt. [s]
    wall_ms
        The wall clock, milliseconds UTC.
    secret
        DingTalk's signing secret; empty for none.
    url
        Where the robot is, for tests; empty: where the plugin knows it.
    """

    def __init__(
        self, robot: Robot, key: str, timeout_s: float, *, wall_ms: Callable[[], int], secret: str = "", url: str = ""
    ) -> None:
        self._robot, self._key, self._timeout_s, self._secret = robot, key, timeout_s, secret
        self._wall_ms, self._url = wall_ms, url
        self._ears = _listen(_PLUGINS[robot][0])

    def send(self, message: Message) -> Answer:
        """Say one message in the group."""
        plugin = self._plugin()
        self._ears.heard.reply = None
        title, body = plain(message.subject), message.text
        taken = plugin.notify(title=title, body=body, notify_type=NotifyType.INFO, body_format=NotifyFormat.TEXT)
        reply = self._ears.heard.reply
        if reply is None:
            return Answer(outcome=Outcome.SENT) if taken else Answer(outcome=Outcome.RETRY, detail="no answer")
        return robot_answer(reply, self._wall_ms())

    def _plugin(self) -> Any:
        module, known, name = _PLUGINS[self._robot]
        given: dict[str, Any] = {name: self._key, "asset": _APP}
        if self._secret:
            given["secret"] = self._secret
        plugin: Any = getattr(import_module(module), known)(**given)
        plugin.socket_connect_timeout = plugin.socket_read_timeout = self._timeout_s
        plugin.redirects = False
        if self._url:
            plugin.notify_url = plugin.api_url = self._url
        return plugin


def robot_answer(reply: Reply, now_ms: int) -> Answer:
    """Return what a robot says: by its HTTP status, and then by the code in its answer."""
    answer = answer_of(reply, now_ms)
    if answer.outcome is not Outcome.SENT:
        return answer
    try:
        said = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        said = None
    codes = [said[name] for name in _CODES if isinstance(said, dict) and isinstance(said.get(name), int)]
    if all(code == 0 for code in codes):
        return answer
    detail = plain(f"the robot said {reply.body[:500].decode('utf-8', 'replace')}")
    return Answer(outcome=Outcome.RETRY if _BUSY & set(codes) else Outcome.REFUSED, detail=detail)


class _Ears:
    """Stands before ``requests`` in one of Apprise's modules, and keeps the answer for the thread that asked."""

    def __init__(self) -> None:
        self.heard = local()

    def __getattr__(self, name: str) -> Any:
        return getattr(requests, name)

    def post(self, *arguments: Any, **named: Any) -> requests.Response:
        """Post as ``requests`` does, and listen."""
        response = requests.post(*arguments, **named)  # noqa: S113 - the plugin gives its time limit
        headers = {name.lower(): value for name, value in response.headers.items()}
        self.heard.reply = Reply(status=response.status_code, headers=headers, body=response.content)
        return response


def _listen(module: str) -> _Ears:
    """Put ears before a plugin's module, once."""
    held = import_module(module)
    if not isinstance(held.requests, _Ears):
        held.requests = _Ears()  # type: ignore[attr-defined]  # a plugin has no other place where its answer is heard
    ears: _Ears = held.requests
    return ears
