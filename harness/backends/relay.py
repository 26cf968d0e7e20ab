"""The fault proxy's process: listens, passes connections on, and does to them what it is told.

Run as `python -m harness.backends.relay CONTROL`: CONTROL is the Unix socket on which `proxy.Control` asks, one JSON
object a line. It ends with the supervisor that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from harness.backends.faults import Fault, Refuse, Reset, from_wire, line
from harness.backends.link import End, InForce, Link

BACKLOG = 512


class Relay:
    """One listener: a port that is kept, an engine to pass connections on to, and faults."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self._reserved = _bound(host, port, reuse=False)
        self.port: int = self._reserved.getsockname()[1]
        self._upstream: str | tuple[str, int] | None = None
        self._server: asyncio.Server | None = None
        self._faults: dict[int, InForce] = {}
        self._spent: dict[int, InForce] = {}
        self._links: set[Link] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._accepted = 0
        self._numbers = 0
        self._bytes = [0, 0]

    async def open(self, upstream: str | list[Any]) -> dict[str, Any]:
        """Accept, and pass on to this Unix socket or (host, port) from now on."""
        self._upstream = upstream if isinstance(upstream, str) else (str(upstream[0]), int(upstream[1]))
        await self._listen()
        return {}

    async def close(self) -> dict[str, Any]:
        """Refuse; open connections stay."""
        self._upstream = None
        await self._listen()
        return {}

    async def add(self, fault: dict[str, Any]) -> dict[str, Any]:
        """A fault, in force when this returns."""
        made = InForce(from_wire(fault), self._accepted)
        self._numbers += 1
        self._faults[self._numbers] = made
        await self._apply()
        if isinstance(made.fault, Reset) and made.fault.connections != "new":
            for link in list(self._links):
                made.hits += 1
                link.reset()
        return {"number": self._numbers}

    async def remove(self, number: int) -> dict[str, Any]:
        """It counts no more; how often it struck can still be asked."""
        if number in self._faults:
            self._spent[number] = self._faults.pop(number)
            await self._apply()
        return {}

    async def clear(self) -> dict[str, Any]:
        """Remove all of them."""
        self._spent |= self._faults
        self._faults.clear()
        await self._apply()
        return {}

    async def hits(self, number: int) -> dict[str, Any]:
        """How often a fault struck."""
        return {"hits": (self._faults.get(number) or self._spent[number]).hits}

    async def traffic(self) -> dict[str, Any]:
        """What passed so far."""
        up, down = self._bytes
        up += sum(link.up.bytes for link in self._links)
        down += sum(link.down.bytes for link in self._links)
        return {"accepted": self._accepted, "open": len(self._links), "bytes_up": up, "bytes_down": down}

    def _in_force(self, kind: type[Fault]) -> list[InForce]:
        return [each for each in self._faults.values() if isinstance(each.fault, kind)]

    async def _apply(self) -> None:
        for link in self._links:
            link.consider(self._faults.values())
        await self._listen()

    async def _listen(self) -> None:
        """Listen or not, as upstream and faults have it; the reserved socket keeps the port meanwhile."""
        wanted = self._upstream is not None and not self._in_force(Refuse)
        if wanted and self._server is None:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: End(self._accept), sock=_bound(self.host, self.port, reuse=True), backlog=BACKLOG
            )
        elif not wanted and self._server is not None:
            self._server.close()
            self._server = None

    def _accept(self, client: End) -> None:
        client.transport.pause_reading()
        self._accepted += 1
        serial = self._accepted - 1
        refusing = next((each for each in self._in_force(Reset) if each.concerns(serial)), None)
        if refusing is not None:
            refusing.hits += 1
            client.reset()
            return
        connecting = asyncio.get_running_loop().create_task(self._connect(client, serial))
        self._connecting.add(connecting)
        connecting.add_done_callback(self._connecting.discard)

    async def _connect(self, client: End, serial: int) -> None:
        loop = asyncio.get_running_loop()
        server = End(lambda _: None)
        try:
            if self._upstream is None:
                raise ConnectionRefusedError
            if isinstance(self._upstream, str):
                await loop.create_unix_connection(lambda: server, self._upstream)
            else:
                await loop.create_connection(lambda: server, *self._upstream)
        except OSError:
            client.reset()
            return
        if client.transport.is_closing():
            server.transport.abort()
            return
        link = Link(serial, client, server, self._ended)
        self._links.add(link)
        link.consider(self._faults.values())
        link.begin()
        client.transport.resume_reading()

    def _ended(self, link: Link) -> None:
        if link in self._links:
            self._links.remove(link)
            self._bytes[0] += link.up.bytes
            self._bytes[1] += link.down.bytes


def _bound(host: str, port: int, *, reuse: bool) -> socket.socket:
    """A socket on a port that several of this process share.

    `reuse` for those that listen: their last connections do not keep the port. One that only reserves the port must
    not have it, or others could take the port while nobody listens.
    """
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


class Service:
    """What the control connection can ask."""

    def __init__(self) -> None:
        self._relays: list[Relay] = []

    async def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Carry out one request."""
        do = asked.pop("do")
        if do == "listen":
            return self._add(**asked)
        relay = self._relays[asked.pop("listener")]
        can: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
            "open": relay.open,
            "close": relay.close,
            "add": relay.add,
            "remove": relay.remove,
            "clear": relay.clear,
            "hits": relay.hits,
            "traffic": relay.traffic,
        }
        return await can[do](**asked)

    def _add(self, host: str, port: int) -> dict[str, Any]:
        if port and _taken(host, port):
            raise OSError(f"port {port} of {host} is in use: choose another, or 0 for a free one")
        self._relays.append(Relay(host, port))
        return {"listener": len(self._relays) - 1, "port": self._relays[-1].port}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One control connection, until it ends."""
        with contextlib.suppress(ConnectionError):
            while request := await reader.readline():
                try:
                    said = await self.answer(json.loads(request))
                except (OSError, ValueError, LookupError, TypeError) as problem:
                    said = {"error": str(problem)}
                writer.write(line(said))
                await writer.drain()
        writer.close()


def _taken(host: str, port: int) -> bool:
    """Whether anybody else has the port: sharing it with them must not be tried."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


async def main(control: str) -> None:
    """Serve for ever."""
    service = Service()
    server = await asyncio.start_unix_server(service.serve, control)
    async with server:
        await server.serve_forever()


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(main(sys.argv[1]))
