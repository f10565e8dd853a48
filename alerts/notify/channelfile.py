"""The section ``channels`` of notices.yaml, and its reading. Secrets stand in the environment or in files.

::

    channels:
      mail:
        email: {host: smtp.example.cn, port: 465, security: tls, from: jianhu@example.cn, user: jianhu,
                password: {env: SMTP_PASSWORD}}
      platform:
        webhook: {url: "https://example.cn/alerts", secret: {file: /run/secrets/platform}}
        give_up_h: 6
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import urlsplit

import msgspec

from alerts.notify.apprised import Robot, Security
from alerts.notify.channels import is_loopback
from alerts.notify.sms import IN_HEADERS, PLACES, Form, places_of
from sensors.errors import ConfigError, Problems
from sensors.yamlfile import Document

SECTION: Final = "channels"
_MEND: Final = "give a value of the kind asked for"
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
_Url = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/?#]+[^\s]*$", max_length=400)]
_Name: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_Env = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")]
_File = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$")]
_OURS: Final = "JIANHU_"


class _Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A key that nobody knows is an error."""


class Secret(_Entry, frozen=True, kw_only=True):
    """Where a secret stands; never the secret itself."""

    env: _Env | None = None
    file: _Text | None = None


class Email(_Entry, frozen=True, kw_only=True):
    """E-mail over SMTP; a recipient's address is the one of people.yaml."""

    host: _Text
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 465
    security: Security = Security.TLS
    sender: _Text = msgspec.field(name="from")
    user: str = ""
    password: Secret | None = None


class RobotEntry(_Entry, frozen=True, kw_only=True):
    """A robot of a group chat."""

    robot: Robot
    key: Secret
    secret: Secret | None = None


class WebhookEntry(_Entry, frozen=True, kw_only=True):
    """Our own signed webhook."""

    url: _Url
    secret: Secret


class Accepted(_Entry, frozen=True, kw_only=True):
    """Which field of an SMS gateway's answer says what it thinks."""

    field: _Text
    values: tuple[str, ...]
    later: tuple[str, ...] = ()


class SmsEntry(_Entry, frozen=True, kw_only=True):
    """An SMS gateway; see `alerts.notify.sms.PLACES` for what its texts may name."""

    url: _Url
    body: dict[str, Any]
    form: Form = Form.JSON
    headers: dict[str, str] = {}
    templates: dict[str, _Text] = {}
    secret: Secret | None = None
    accepted: Accepted | None = None
    receipt: str = ""
    longest: Annotated[int, msgspec.Meta(ge=10, le=10_000)] = 500


class AlertmanagerEntry(_Entry, frozen=True, kw_only=True):
    """An Alertmanager that is pushed to."""

    url: _Url
    hold_h: Annotated[float, msgspec.Meta(gt=0, le=24 * 31)] = 24.0


class GrafanaEntry(_Entry, frozen=True, kw_only=True):
    """A Grafana that gets annotations."""

    url: _Url
    token: Secret


class FileEntry(_Entry, frozen=True, kw_only=True):
    """A file of JSON lines in the data folder."""

    name: _File


Transport: TypeAlias = Email | RobotEntry | WebhookEntry | SmsEntry | AlertmanagerEntry | GrafanaEntry | FileEntry
_TRANSPORTS: Final[Mapping[str, type]] = {
    "email": Email, "robot": RobotEntry, "webhook": WebhookEntry, "sms": SmsEntry, "alertmanager": AlertmanagerEntry,
    "grafana": GrafanaEntry, "file": FileEntry,
}  # fmt: skip


class Common(_Entry, frozen=True, kw_only=True):
    """What every channel may say besides."""

    at_once: Annotated[int, msgspec.Meta(ge=1, le=32)] = 4
    urgent_at_once: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=120)] = 10.0
    per_minute: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    retry_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 5.0
    retry_most_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 900.0
    give_up_h: Annotated[float, msgspec.Meta(gt=0, le=24 * 31)] = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """One channel as the configuration asks for it."""

    name: str
    kind: str
    """Key under which the transport stands, for example ``email``."""
    transport: Transport
    common: Common

    @property
    def host(self) -> str:
        """Where it goes; empty for a file, and for a robot, whose plugin knows it."""
        match self.transport:
            case Email(host=host):
                return host
            case WebhookEntry(url=url) | SmsEntry(url=url) | AlertmanagerEntry(url=url) | GrafanaEntry(url=url):
                return urlsplit(url).hostname or ""
            case _:
                return ""

    @property
    def port(self) -> int:
        """The port at the host; 0 where there is no host."""
        match self.transport:
            case Email(port=port):
                return port
            case WebhookEntry(url=url) | SmsEntry(url=url) | AlertmanagerEntry(url=url) | GrafanaEntry(url=url):
                parts = urlsplit(url)
                return parts.port or (443 if parts.scheme == "https" else 80)
            case _:
                return 0

    @property
    def local(self) -> bool:
        """Whether it stays on this machine: a file, or a host that is loopback."""
        return isinstance(self.transport, FileEntry) or is_loopback(self.host)


DEFAULT: Final = ChannelSpec(name="file", kind="file", transport=FileEntry(name="messages.jsonl"), common=Common())
"""What there is when the configuration names no channel."""


def parse_channels(document: Document, problems: Problems) -> Mapping[str, ChannelSpec]:
    """Return the channels that a notices file names, by name; a file always among them.

    Parameters
    ----------
    document
        The whole notices file.
    problems
        Is told each channel that is wrong; the others are returned.
    """
    section = document.value.get(SECTION) if isinstance(document.value, dict) else None
    found: dict[str, ChannelSpec] = {}
    if section is not None and not isinstance(section, dict):
        with problems.kept():
            raise document.error(SECTION, "a list or a value, where names are wanted", "write name: {email: …}")
        section = None
    for name, entry in (section or {}).items():
        with problems.kept():
            found[name] = _channel(document, name, entry)
    return {DEFAULT.name: DEFAULT} | found


def _channel(document: Document, name: str, entry: Any) -> ChannelSpec:
    path = (SECTION, name)
    if _Name.fullmatch(name) is None:
        raise document.error(path, "no name of a channel", "use small letters, digits, '-' and '_', at most 32")
    if not isinstance(entry, dict):
        raise document.error(path, "no mapping", "write one of the transports under it")
    kinds = [kind for kind in _TRANSPORTS if kind in entry]
    if len(kinds) != 1:
        known = ", ".join(_TRANSPORTS)
        raise document.error(path, f"{len(kinds)} transports", f"give exactly one of {known}")
    kind = kinds[0]
    transport: Transport = document.read_part((*path, kind), _TRANSPORTS[kind], _MEND)
    rest = {key: value for key, value in entry.items() if key != kind}
    others = Document(value={SECTION: {name: rest}}, name=document.name, lines=document.lines)
    spec = ChannelSpec(name=name, kind=kind, transport=transport, common=others.read_part(path, Common, _MEND))
    for place, problem, mend in _wrong(spec):
        raise document.error((*path, kind, *place), problem, mend)
    return spec


def _wrong(spec: ChannelSpec) -> Iterator[tuple[tuple[str, ...], str, str]]:
    for place, secret in secrets_of(spec.transport):
        if (secret.env is None) == (secret.file is None):
            yield (place,), "not one place for the secret", "write {env: NAME} or {file: PATH}, one of them"
        if secret.env is not None and secret.env.startswith(_OURS):
            yield (place,), f"{secret.env} looks like a setting of jianhu", f"choose a name without {_OURS}"
    match spec.transport:
        case Email(security=Security.NONE) if not spec.local:
            yield ("security",), "none, to another machine", "use tls or starttls"
        case WebhookEntry(url=url) | SmsEntry(url=url) | GrafanaEntry(url=url):
            if url.startswith("http:") and not spec.local:
                yield ("url",), "http, to another machine", "use https: what goes there is signed or secret"
            if isinstance(spec.transport, SmsEntry):
                yield from _wrong_places(spec.transport)
        case _:
            pass


def _wrong_places(sms: SmsEntry) -> Iterator[tuple[tuple[str, ...], str, str]]:
    known = f"known are {', '.join(PLACES)} and payload.NAME"
    for key, value in sms.body.items():
        for place in places_of(value):
            if place not in PLACES and not place.startswith("payload."):
                yield ("body", key), f"{{{place}}} stands for nothing", known
    for name, text in sms.headers.items():
        if re.fullmatch(r"[A-Za-z0-9-]{1,60}", name) is None or not text.isprintable():
            yield ("headers", name), "no header", "use letters, digits and '-', and one printable line"
        for place in places_of(text):
            if place not in IN_HEADERS:
                yield ("headers", name), f"{{{place}}} in a header", f"allowed there: {', '.join(sorted(IN_HEADERS))}"


def secrets_of(transport: Transport) -> list[tuple[str, Secret]]:
    """Return the secrets of a transport, by the key under which each stands."""
    given = ((key, getattr(transport, key, None)) for key in ("password", "key", "secret", "token"))
    return [(key, secret) for key, secret in given if isinstance(secret, Secret)]


def read_secret(secret: Secret | None, environment: Mapping[str, str]) -> str:
    """Return a secret from where it stands; empty for none.

    Raises
    ------
    ConfigError
        When it is not there, or empty. The secret itself is in no message.
    """
    if secret is None:
        return ""
    if secret.env is not None:
        found, where = environment.get(secret.env, ""), ("environment", secret.env)
    else:
        path = Path(secret.file or "")
        try:
            found, where = path.read_text(encoding="utf-8").strip(), (str(path), "")
        except (OSError, UnicodeDecodeError) as cause:
            raise ConfigError(
                file=str(path), line=None, key="", problem=f"a secret that cannot be read: {type(cause).__name__}",
                mend="put the secret there, readable for jianhu alone",
            ) from cause  # fmt: skip
    if not found or not found.isprintable():
        raise ConfigError(
            file=where[0], line=None, key=where[1], problem="no secret stands there",
            mend="set it to one printable line before the start",
        )  # fmt: skip
    return found


def refuse_outside(document: Document, channels: Mapping[str, ChannelSpec], problems: Problems) -> None:
    """Tell each channel that leaves this machine: for a synthetic region, whose messages must not.

    Parameters
    ----------
    document
        The notices file, for the lines.
    channels
        As `parse_channels` returns them.
    problems
        Is told.
    """
    for name, spec in channels.items():
        if not spec.local:
            with problems.kept():
                raise document.error(
                    (SECTION, name, spec.kind),
                    f"{spec.host or spec.kind} is another machine, and the region is synthetic",
                    "use a file or an address of this machine: nothing synthetic leaves by a real channel",
                )
