"""Uvicorn in this process, on a free loopback port."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import uvicorn


@dataclass
class Served:
    """A running application."""

    url: str
    port: int
    _server: uvicorn.Server
    _task: asyncio.Task[None]
    _socket: socket.socket

    async def stop(self) -> None:
        """End it and its connections."""
        self._server.should_exit = True
        self._server.force_exit = True
        await self._task
        self._socket.close()


async def serve(app: Any) -> Served:
    """Start to serve an ASGI application."""
    # asyncio sets TCP_NODELAY only where the protocol is named.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 uvicorn offers no event
        await asyncio.sleep(0.005)
    return Served(f"http://127.0.0.1:{port}", port, server, task, listening)
