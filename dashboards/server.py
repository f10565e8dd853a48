"""The server under the console: it ends open streams itself, so that it goes down at once."""

from __future__ import annotations

import socket
from typing import Final

import uvicorn
from fastapi import FastAPI

from dashboards.console import Console
from dashboards.settings import ConsoleSettings

_GRACE_S: Final = 3


class ConsoleServer(uvicorn.Server):
    """A uvicorn server for one console."""

    def __init__(self, app: FastAPI, settings: ConsoleSettings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        self._console: Console = app.state.console

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams that would never end, then wait for the rest."""
        await self._console.watch.stop()
        await super().shutdown(sockets)

    @property
    def address(self) -> str:
        """Where it can be reached, once it has started: with port 0 the port that was free."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: FastAPI, settings: ConsoleSettings) -> None:
    """Serve a console until the process is told to end (SIGINT or SIGTERM)."""
    ConsoleServer(app, settings).run()
