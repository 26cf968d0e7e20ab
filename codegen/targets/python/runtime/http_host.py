"""An HTTP application as a part of a process: served by uvicorn, with health, drained when it stops."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Self

import uvicorn
from fastapi import FastAPI, Request, Response


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
        self._running: tuple[_Server, asyncio.Task[None]] | None = None
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
        listening = _listen(self._address)
        self.port = listening.getsockname()[1]
        server = _Server(self._config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        task.add_done_callback(lambda _: server.up.set())
        await server.up.wait()
        if task.done():
            listening.close()
            await task
            raise RuntimeError("the application did not start")
        self._running = server, task
        self._welcome = True
        return self.address

    async def stop(self, grace: float | None = None) -> None:
        """Report not ready, take no new request, let those under way finish for `grace` seconds, then cancel them."""
        if self._running is None:
            return
        (server, task), self._running = self._running, None
        self._welcome = False
        self._config.timeout_graceful_shutdown = math.ceil(self.grace if grace is None else grace)
        server.should_exit = True
        await task

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def _live(self, _: Request) -> Response:
        return _answer(well=True)

    async def _readiness(self, _: Request) -> Response:
        return _answer(well=self._welcome and (self._ready is None or await self._ready()))


class _Server(uvicorn.Server):
    """Leaves signals to the process, and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _answer(*, well: bool) -> Response:
    status, said = (200, b'{"status":"ok"}') if well else (503, b'{"status":"unavailable"}')
    return Response(said, status, {"cache-control": "no-store"}, "application/json")


def _listen(address: str) -> socket.socket:
    """A bound socket of the protocol TCP by name: asyncio sets TCP_NODELAY on no other."""
    host, _, port = address.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    family, kind, protocol, _, place = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
    except OSError:
        listening.close()
        raise
    return listening
