"""Channels from the configuration: with their secrets, ready to be sent by; and whether they can be reached."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from alerts.notify.alertmanager import Alertmanager
from alerts.notify.annotations import Annotations
from alerts.notify.apprised import Mail, MailServer, RobotChannel
from alerts.notify.channelfile import (
    SECTION,
    AlertmanagerEntry,
    ChannelSpec,
    Email,
    FileEntry,
    GrafanaEntry,
    RobotEntry,
    SmsEntry,
    WebhookEntry,
    read_secret,
)
from alerts.notify.channels import Channel, plain
from alerts.notify.delivery import Route
from alerts.notify.filed import FileChannel
from alerts.notify.pauses import Patience
from alerts.notify.sms import Gateway, Sms
from alerts.notify.webhook import Webhook
from sensors.errors import Problems
from sensors.yamlfile import Document

FOLDER: Final = "notices"
"""In the data folder; there files of messages stand."""
_HOUR_MS: Final = 3_600_000
_PROBE_S: Final = 3.0


def make_routes(
    channels: Mapping[str, ChannelSpec], folder: Path, environment: Mapping[str, str], wall_ms: Callable[[], int]
) -> dict[str, Route]:
    """Return the channels ready to be used, by name.

    Parameters
    ----------
    channels
        As `alerts.notify.channelfile.parse_channels` returns them.
    folder
        The data folder, where files of messages stand.
    environment
        Where secrets may stand.
    wall_ms
        The wall clock, milliseconds UTC.

    Raises
    ------
    ConfigError
        When a secret is not there.
    """
    return {
        name: Route(
            channel=_channel(spec, folder, environment, wall_ms),
            local=spec.local,
            at_once=spec.common.at_once,
            urgent_at_once=spec.common.urgent_at_once,
            timeout_s=spec.common.timeout_s,
            per_minute=spec.common.per_minute,
            patience=Patience(
                first_s=spec.common.retry_s, most_s=spec.common.retry_most_s, give_up_h=spec.common.give_up_h
            ),
        )
        for name, spec in channels.items()
    }


def check_reach(document: Document, channels: Mapping[str, ChannelSpec], problems: Problems) -> None:
    """Try to connect to every channel that is not a robot, and tell those that are not there.

    Asked by ``jianhu check`` alone: a start does not fail for a mail server that is down.

    Parameters
    ----------
    document
        The notices file, for the lines.
    channels
        As `alerts.notify.channelfile.parse_channels` returns them.
    problems
        Is told.
    """
    for name, spec in channels.items():
        if not spec.host:
            continue
        with problems.kept():
            try:
                socket.create_connection((spec.host, spec.port), timeout=_PROBE_S).close()
            except OSError as cause:
                place = "host" if isinstance(spec.transport, Email) else "url"
                raise document.error(
                    (SECTION, name, spec.kind, place),
                    f"{spec.host}:{spec.port} cannot be reached ({plain(str(cause.strerror or cause))})",
                    "correct the address, or see why nobody answers there",
                ) from cause


def _channel(spec: ChannelSpec, folder: Path, environment: Mapping[str, str], wall_ms: Callable[[], int]) -> Channel:
    limit = spec.common.timeout_s
    made: Channel
    match spec.transport:
        case Email() as mail:
            server = MailServer(
                host=mail.host, port=mail.port, sender=mail.sender, security=mail.security, user=mail.user
            )
            made = Mail(server, read_secret(mail.password, environment), limit)
        case RobotEntry(robot=robot, key=key, secret=secret):
            found = read_secret(key, environment)
            made = RobotChannel(robot, found, limit, wall_ms=wall_ms, secret=read_secret(secret, environment))
        case WebhookEntry(url=url, secret=secret):
            made = Webhook(url, read_secret(secret, environment), limit, wall_ms, lambda: secrets.token_hex(16))
        case SmsEntry() as sms:
            made = Sms(_gateway(sms), read_secret(sms.secret, environment), limit, wall_ms)
        case AlertmanagerEntry(url=url, hold_h=hold_h):
            made = Alertmanager(url, limit, wall_ms, round(hold_h * _HOUR_MS))
        case GrafanaEntry(url=url, token=token):
            made = Annotations(url, read_secret(token, environment), limit, wall_ms)
        case FileEntry(name=name):
            made = FileChannel(folder / FOLDER / name)
    return made


def _gateway(sms: SmsEntry) -> Gateway:
    accepted = sms.accepted
    return Gateway(
        url=sms.url, body=sms.body, form=sms.form, headers=sms.headers, templates=sms.templates,
        accepted_field="" if accepted is None else accepted.field,
        accepted_values=() if accepted is None else accepted.values,
        later_values=() if accepted is None else accepted.later,
        receipt_field=sms.receipt, longest=sms.longest,
    )  # fmt: skip
