"""What ``notices.yaml`` says of sending: channels, templates, where the console is; as delivered where left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from alerts.notify.channelfile import DEFAULT, ChannelSpec, parse_channels, refuse_outside
from alerts.notify.making import check_reach
from alerts.notify.templates import Templates, parse_templates
from sensors.errors import Problems
from sensors.yamlfile import Document, read_yaml

_CONSOLE: Final = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """By which channels and in which words people are told."""

    channels: Mapping[str, ChannelSpec]
    templates: Templates
    console: str
    """Where people reach the console; empty where the file does not say."""


def load_sending(path: Path | None, *, synthetic: bool, reach: bool = False) -> Sending:
    """Read what a notices file says of sending.

    Parameters
    ----------
    path
        The folder's own file; None for what is delivered: a file of messages in the data folder.
    synthetic
        Whether the region is: then a channel to another machine is an error.
    reach
        Whether to connect to every channel, and tell those that do not answer.

    Raises
    ------
    ConfigError
        When a channel or template is wrong: file, line, key, and what to do; what else is wrong in ``further``.
    """
    problems = Problems()
    with as_file(files("alerts").joinpath("data/templates.yaml")) as packaged:
        delivered = read_yaml(packaged)
    document = None if path is None else read_yaml(path)
    channels = {DEFAULT.name: DEFAULT} if document is None else parse_channels(document, problems)
    if document is not None and synthetic:
        refuse_outside(document, channels, problems)
    if document is not None and reach and not problems.found:
        check_reach(document, channels, problems)
    templates = parse_templates(delivered, document, problems)
    problems.raise_first()
    return Sending(channels=channels, templates=templates, console=_console(document))


def _console(document: Document | None) -> str:
    found = document.value.get(_CONSOLE) if document is not None and isinstance(document.value, dict) else None
    return found.rstrip("/") if isinstance(found, str) else ""
