"""uvicorn inside an event loop that somebody else runs, and the sockets it listens on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import uvicorn


class Listening(uvicorn.Server):
    """A server that leaves signals to the process; `begin` returns when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def begin(self, listening: socket.socket) -> Self:
        """Serve on a bound socket. `RuntimeError` when the application does not start."""
        self._task = asyncio.create_task(self.serve(sockets=[listening]))
        self._task.add_done_callback(lambda _: self._up.set())
        await self._up.wait()
        if self._task.done():
            listening.close()
            await self._task
            raise RuntimeError("the application did not start")
        return self

    async def end(self, *, at_once: bool = False) -> None:
        """Take no new request and wait for those under way, for `timeout_graceful_shutdown`, or not at all."""
        self.should_exit = True
        self.force_exit = at_once
        if self._task is not None:
            await self._task

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's own hook: here it is up."""
        await super().startup(sockets)
        self._up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's."""
        yield


def bound(address: str) -> socket.socket:
    """A socket on `host:port`, of the protocol TCP by name: asyncio sets TCP_NODELAY on no other. `OSError`."""
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
