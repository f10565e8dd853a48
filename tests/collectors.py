"""Receivers on loopback that take what is sent, and answer as a test tells them: 200, 429, 500, slowly, never."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One HTTP request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One HTTP answer."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    drops: bool = False
    """Byte after byte, for as long as the other side listens."""
    never: bool = False
    """Nothing at all, until the collector ends."""


@dataclass(slots=True)
class Collector:
    """A web server that writes down what it is asked."""

    answer: Callable[[Asked], Said] = lambda _: Said()
    asked: list[Asked] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    """What each request was answered with, in their order."""
    port: int = 0
    ending: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, asked: Asked) -> Said:
        """Write a request down; return what to answer."""
        with self._lock:
            said = self.answer(asked)
            self.asked.append(asked)
            self.said.append(said)
        return said

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, *said: Said) -> None:
        """Give these answers one after the other, and the last of them from then on."""
        left = list(said)

        def next_one(_: Asked) -> Said:
            return left.pop(0) if len(left) > 1 else left[0]

        self.answer = next_one


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                method=self.command, path=self.path, headers={k.lower(): v for k, v in self.headers.items()},
                body=self.rfile.read(length),
            )  # fmt: skip
            said = collector.take(asked)
            if said.never:
                collector.ending.wait(60)
                return
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(10_000 if said.drops else len(said.body)))
            self.end_headers()
            while said.drops and not collector.ending.wait(0.01):
                try:
                    self.wfile.write(b" ")
                    self.wfile.flush()
                except OSError:
                    return
            if not said.drops:
                self.wfile.write(said.body)

        do_POST = do_GET = do_PUT = do_PATCH = _take  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            del format, args

    return Handler


class _Web(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def web_collector() -> Iterator[Collector]:
    """Give a web server on a port of its own."""
    collector = Collector()
    with _Web(("127.0.0.1", 0), _handler(collector)) as server:
        collector.port = int(server.server_address[1])
        yield from _served(server, collector)


@dataclass(slots=True)
class MailBox:
    """A mail server that writes down what it is given."""

    refuse: Callable[[str], str] = lambda _: ""
    """Address → what RCPT is answered with; empty takes it."""
    mails: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    silent: bool = False
    port: int = 0
    ending: threading.Event = field(default_factory=threading.Event)


def _smtp(box: MailBox) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def _say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            if box.silent:
                box.ending.wait(60)
                return
            self._say("220 collector")
            to = ""
            while line := self.rfile.readline().decode("ascii", "replace").strip():
                verb = line.split(" ")[0].split(":")[0].upper()
                if verb == "RCPT":
                    to = line.partition("<")[2].partition(">")[0]
                    self._say(box.refuse(to) or "250 ok")
                elif verb == "DATA":
                    self._say("354 go on")
                    box.mails.append(_mail(self.rfile.readline))
                    box.to.append(to)
                    self._say("250 taken")
                else:
                    self._say("221 bye" if verb == "QUIT" else "250 ok")

    return Handler


def _mail(readline: Callable[[], bytes]) -> EmailMessage:
    lines = []
    while (line := readline()) not in {b".\r\n", b""}:
        lines.append(line[1:] if line.startswith(b"..") else line)
    found = message_from_bytes(b"".join(lines), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


class _Smtp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


@contextmanager
def mail_collector() -> Iterator[MailBox]:
    """Give a mail server on a port of its own."""
    box = MailBox()
    with _Smtp(("127.0.0.1", 0), _smtp(box)) as server:
        box.port = int(server.server_address[1])
        yield from _served(server, box)


def _served(server: socketserver.BaseServer, what: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield what
    finally:
        what.ending.set()
        server.shutdown()
        thread.join(5)
