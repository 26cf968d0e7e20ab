"""Mocks on real sockets: one process, one event loop, one port each, on loopback unless told otherwise."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import uvicorn
from shop.runtime.http_listening import Listening, bound

from harness.gateways.app import MockApp
from harness.gateways.catalog import chosen, make
from harness.gateways.gateway import World
from harness.gateways.transport import OpenProtocol

if TYPE_CHECKING:
    from harness.gateways.proxy import Proxy
    from harness.gateways.tls import Authority

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to start. `ports` by name, 0 or absent: the system chooses. `tls`: an HTTPS listener each, too.

    `proxy`: a CONNECT proxy that maps the vendors' host names to the mocks, which needs TLS.
    """

    names: Sequence[str] = ()
    host: str = LOOPBACK
    ports: Mapping[str, int] = field(default_factory=dict)
    seed: int = 1
    tls: bool = False
    proxy: bool = False
    proxy_port: int = 0


@dataclass(slots=True)
class Running:
    """One mock that is up. `https_url` is empty without TLS.

    `proxied_url`: where the proxy goes. It asks for no certificate of the caller, for vendors' SDKs have none.
    """

    app: MockApp
    url: str
    https_url: str = ""
    proxied_url: str = ""


class Mocks:
    """Starts and stops mocks in the running event loop: `async with Mocks(Options()) as mocks`."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.running: dict[str, Running] = {}
        self.authority: Authority | None = None
        self.proxy: Proxy | None = None
        self._servers: list[Listening] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> Self:
        """Listen. OSError when a port is taken; then nothing is left running."""
        try:
            for name in chosen(self.options.names):
                await self._start(name)
            if self.options.proxy:
                await self._start_proxy()
        except BaseException:
            await self.stop()
            raise
        return self

    async def stop(self) -> None:
        """End every connection and free the ports."""
        if self.proxy is not None:
            await self.proxy.stop()
        for mock in self.running.values():
            mock.app.closing.set()
        await asyncio.gather(*(server.end(at_once=True) for server in self._servers))
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self.authority is not None:
            self.authority.close()
        self._servers.clear()
        self._tasks.clear()
        self.running.clear()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def _start(self, name: str) -> None:
        options = self.options
        listening = listen(options.host, options.ports.get(name, 0))
        world = World(options.seed)
        world.url = f"http://{options.host}:{listening.getsockname()[1]}"
        app = MockApp(make(name, world))
        found = self.running[name] = Running(app, world.url)
        await self._serve(app, listening)
        self._tasks += [asyncio.create_task(world.webhooks.run()), asyncio.create_task(world.agenda.run())]
        if options.tls or options.proxy:
            mutual = app.gateway.mutual_tls
            found.https_url = await self._secure(app, mutual=mutual)
            if options.proxy:
                found.proxied_url = await self._secure(app, mutual=False) if mutual else found.https_url

    async def _secure(self, app: MockApp, *, mutual: bool) -> str:
        """Listen with TLS; the URL."""
        secured = listen(self.options.host, 0)
        await self._serve(app, secured, self._tls(app, mutual=mutual))
        return f"https://{self.options.host}:{secured.getsockname()[1]}"

    def _tls(self, app: MockApp, *, mutual: bool) -> ssl.SSLContext:
        from harness.gateways.tls import Authority

        if self.authority is None:
            self.authority = Authority.make()
        gateway = app.gateway
        return self.authority.server_context((*gateway.hosts, "localhost", LOOPBACK), mutual=mutual)

    async def _start_proxy(self) -> None:
        from harness.gateways.proxy import Proxy

        places = {
            host: int(mock.proxied_url.rpartition(":")[2])
            for mock in self.running.values()
            for host in mock.app.gateway.hosts
        }
        self.proxy = Proxy(places, self.options.host)
        await self.proxy.start(self.options.proxy_port)

    async def _serve(self, app: MockApp, listening: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        config = uvicorn.Config(
            app,
            http=OpenProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_keep_alive=30,
        )
        config.load()
        if tls is not None:
            config.ssl = tls
        self._servers.append(await Listening(config).begin(listening))


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; the OSError of one that is taken says which."""
    try:
        return bound(f"{host}:{port}")
    except OSError as problem:
        raise OSError(problem.errno, f"cannot listen on {host}:{port}: {problem.strerror}") from None
