"""An HTTP application as a part of a process: served by uvicorn, with health, drained when it stops."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Self

import uvicorn
from fastapi import FastAPI, Request, Response

from .http_listening import Listening, bound


class HttpServer:
    """Serves an application. Times in seconds.

    `address` is `host:port`, on loopback by default; port 0 lets the system choose, see `port` after `start`.
    With `health`, `GET /livez` answers 200 while the process runs, and `GET /readyz` 200 while requests are welcome,
    503 before and after; a path of the application itself goes before. `ready` adds a condition of its own.
    """

    def __init__(
        self,
        app: FastAPI,
        address: str = "127.0.0.1:0",
        *,
        grace: float = 10.0,
        health: bool = True,
        ready: Callable[[], Awaitable[bool]] | None = None,
        max_connections: int | None = None,
    ) -> None:
        self.grace = grace
        self.port = 0
        self._title = app.title
        self._address = address
        self._ready = ready
        self._welcome = False
        self._config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            limit_concurrency=max_connections,
        )
        self._running: Listening | None = None
        if health:
            app.router.add_route("/livez", self._live, methods=["GET"])
            app.router.add_route("/readyz", self._readiness, methods=["GET"])

    @property
    def services(self) -> tuple[str, ...]:
        """The title of the application."""
        return (self._title,)

    @property
    def address(self) -> str:
        """Where the server listens: `127.0.0.1:8000`."""
        return f"{self._address.rpartition(':')[0]}:{self.port}"

    async def start(self) -> str:
        """Begin to serve; returns the address. `OSError` when it cannot be listened on."""
        listening = bound(self._address)
        self.port = listening.getsockname()[1]
        self._running = await Listening(self._config).begin(listening)
        self._welcome = True
        return self.address

    async def stop(self, grace: float | None = None) -> None:
        """Report not ready, take no new request, let those under way finish for `grace` seconds, then cancel them."""
        if self._running is None:
            return
        server, self._running = self._running, None
        self._welcome = False
        self._config.timeout_graceful_shutdown = math.ceil(self.grace if grace is None else grace)
        await server.end()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def _live(self, _: Request) -> Response:
        return _answer(well=True)

    async def _readiness(self, _: Request) -> Response:
        return _answer(well=self._welcome and (self._ready is None or await self._ready()))


def _answer(*, well: bool) -> Response:
    status, said = (200, b'{"status":"ok"}') if well else (503, b'{"status":"unavailable"}')
    return Response(said, status, {"cache-control": "no-store"}, "application/json")
