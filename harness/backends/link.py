"""One client's connection through the fault proxy: two ends, and a pipe in each direction that faults act on.

Without a fault bytes are written on as they come. With one they are queued, and a task delivers them when the faults in
force then let it: a fault that is removed lets go of what it held.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, cast

from harness.backends.faults import Blackhole, Cut, Fault, Latency, LostReply, Rate

MOST_HELD = 1 << 20
"""Bytes that a pipe queues before it stops reading."""
PIECE_SECONDS = 0.02
"""What a slow link sends in so many seconds is sent at once."""
ABORTIVE = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset."""

Way = Literal["up", "down"]


@dataclass(slots=True, eq=False)
class InForce:
    """A fault that was added, and how often it struck. It was added when `since` connections had been accepted."""

    fault: Fault
    since: int
    hits: int = 0
    removed: asyncio.Event = field(default_factory=asyncio.Event)
    claimed: int = 0
    """Requests whose answers a LostReply takes."""

    def concerns(self, serial: int) -> bool:
        """Whether it is about the connection of this number."""
        which = self.fault.connections
        return which == "all" or (which == "existing") == (serial < self.since)


class End(asyncio.Protocol):
    """A socket of a link."""

    transport: asyncio.Transport

    def __init__(self, made: Callable[[End], None]) -> None:
        self._made = made
        self.into: Pipe | None = None
        """What writes here."""
        self._out: Pipe | None = None
        self._early: list[bytes] = []

    def lead(self, out: Pipe) -> None:
        """What is received here goes there, with what came before there was such a place."""
        self._out = out
        for data in self._early:
            out.feed(data)
        self._early.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._made(self)

    def data_received(self, data: bytes) -> None:
        if self._out is None:
            self._early.append(data)
        else:
            self._out.feed(data)

    def eof_received(self) -> bool:
        self.data_received(b"")
        return True

    def connection_lost(self, problem: Exception | None) -> None:
        if self._out is not None:
            self._out.lost(reset=problem is not None)
        if self.into is not None:
            self.into.abandon()

    def pause_writing(self) -> None:
        if self.into is not None:
            self.into.hold(full=True)

    def resume_writing(self) -> None:
        if self.into is not None:
            self.into.hold(full=False)

    def reset(self) -> None:
        """RST where there is such a thing."""
        connection = self.transport.get_extra_info("socket")
        if connection is not None and connection.family != socket.AF_UNIX:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORTIVE)
        self.transport.abort()


class Link:
    """The two ends of a client's connection."""

    def __init__(self, serial: int, client: End, server: End, ended: Callable[[Link], None]) -> None:
        self.serial = serial
        self.client = client
        self.server = server
        self.losing: InForce | None = None
        self.passed: dict[InForce, int] = {}
        self._ended = ended
        self.up = Pipe("up", self, client, server)
        self.down = Pipe("down", self, server, client)
        server.into, client.into = self.up, self.down

    def begin(self) -> None:
        """Pass on what comes."""
        self.client.lead(self.up)
        self.server.lead(self.down)

    def consider(self, faults: Iterable[InForce]) -> None:
        """These are in force now."""
        mine = [each for each in faults if each.concerns(self.serial)]
        for pipe in (self.up, self.down):
            pipe.consider([each for each in mine if _acts(each.fault, pipe.way)])

    def reset(self) -> None:
        """Both ends, at once; what was held is gone."""
        self.client.reset()
        self.server.reset()

    def close(self) -> None:
        """Both ends."""
        self.client.transport.close()
        self.server.transport.close()

    def settle(self) -> None:
        """Close both ends when nothing more is to come in either direction."""
        if self.up.finished and self.down.finished:
            self.close()
            self._ended(self)


def _acts(fault: Fault, way: Way) -> bool:
    if isinstance(fault, LostReply):
        return way == "up"
    return fault.direction in {way, "both"}


@dataclass(slots=True)
class Chunk:
    """Bytes on their way; empty for the end of the stream."""

    data: bytes
    arrived: float
    luck: float
    held_by: set[InForce] = field(default_factory=set)


class Pipe:
    """One direction of a link."""

    def __init__(self, way: Way, link: Link, source: End, sink: End) -> None:
        self.way = way
        self.link = link
        self.bytes = 0
        self.finished = False
        self._source = source
        self._sink = sink
        self._faults: list[InForce] = []
        self._queue: deque[Chunk] = deque()
        self._queued = 0
        self._changed = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._full = False
        self._tails: dict[InForce, bytes] = {}
        self._free_at = 0.0
        self._reset_at_end = False

    def consider(self, faults: list[InForce]) -> None:
        """These act on it now."""
        self._faults = faults
        self._changed.set()

    def feed(self, data: bytes) -> None:
        """Bytes from the source; none at its end."""
        if not self._faults and not self._queue and self.link.losing is None:
            self._write(data)
            return
        loop = asyncio.get_running_loop()
        self._queue.append(Chunk(data, loop.time(), random.uniform(-1, 1)))  # noqa: S311 no secret
        self._queued += len(data)
        self._throttle()
        if self._pump is None or self._pump.done():
            self._pump = loop.create_task(self._deliver())

    def lost(self, *, reset: bool) -> None:
        """The source is gone; what is queued still arrives."""
        self._reset_at_end = reset
        if not self.finished:
            self.feed(b"")

    def abandon(self) -> None:
        """The sink is gone."""
        self._queue.clear()
        if self._pump is not None:
            self._pump.cancel()
        self._finish()

    def hold(self, *, full: bool) -> None:
        """The sink takes no more for now, or takes it again."""
        self._full = full
        self._throttle()

    def _throttle(self) -> None:
        transport = self._source.transport
        if transport.is_closing():
            return
        if self._full or self._queued > MOST_HELD:
            transport.pause_reading()
        else:
            transport.resume_reading()

    async def _deliver(self) -> None:
        while self._queue:
            chunk = self._queue[0]
            await self._wait(chunk)
            if not self._queue:
                return
            size = self._portion(chunk)
            data, chunk.data = chunk.data[:size], chunk.data[size:]
            if not chunk.data:
                self._queue.popleft()
            self._queued -= len(data)
            self._pass(data)
            self._throttle()

    async def _wait(self, chunk: Chunk) -> None:
        """Until no fault holds it."""
        loop = asyncio.get_running_loop()
        while True:
            due = self._due(chunk)
            if due is not None and due <= loop.time():
                return
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._changed.wait()

    def _due(self, chunk: Chunk) -> float | None:
        """When it may go on; None: not while things are as they are."""
        due = self._free_at
        for each in self._faults:
            fault = each.fault
            if isinstance(fault, (Blackhole, Latency)) and each not in chunk.held_by:
                chunk.held_by.add(each)
                each.hits += 1
            if isinstance(fault, Blackhole):
                return None
            if isinstance(fault, Latency):
                due = max(due, chunk.arrived + max(0.0, fault.seconds + chunk.luck * fault.jitter))
        return due

    def _portion(self, chunk: Chunk) -> int:
        """How many of its bytes go at once, and when the next may."""
        rates = [each.fault.bytes_per_second for each in self._faults if isinstance(each.fault, Rate)]
        self._free_at = 0.0
        if not rates:
            return len(chunk.data)
        size = min(len(chunk.data), max(1, int(min(rates) * PIECE_SECONDS)))
        self._free_at = asyncio.get_running_loop().time() + size / min(rates)
        return size

    def _pass(self, data: bytes) -> None:
        losing = self.link.losing
        if self.way == "down" and losing is not None and isinstance(losing.fault, LostReply):
            self._lose(losing, losing.fault, data)
            return
        if self.way == "up":
            self._claim(data)
        for each in self._faults:
            if isinstance(each.fault, Cut) and data:
                passed = self.link.passed.get(each, 0)
                if passed + len(data) >= each.fault.after_bytes:
                    each.hits += 1
                    self._write(data[: each.fault.after_bytes - passed])
                    self.link.reset()
                    return
                self.link.passed[each] = passed + len(data)
        self._write(data)

    def _claim(self, data: bytes) -> None:
        """Note when the answer to this request is one to lose."""
        for each in self._faults:
            fault = each.fault
            if isinstance(fault, LostReply) and data and self.link.losing is None and each.claimed < fault.times:
                seen = self._tails.get(each, b"") + data
                self._tails[each] = seen[-len(fault.match) + 1 :] if len(fault.match) > 1 else b""
                if fault.match in seen:
                    each.claimed += 1
                    self.link.losing = each

    def _lose(self, losing: InForce, fault: LostReply, data: bytes) -> None:
        if not data:
            if fault.then != "silence":
                self._write(data)
            return
        if losing not in self.link.passed:
            self.link.passed[losing] = 1
            losing.hits += 1
        if fault.then == "reset":
            self.link.reset()
        elif fault.then == "close":
            self.link.close()

    def _write(self, data: bytes) -> None:
        transport = self._sink.transport
        if data:
            self.bytes += len(data)
            if not transport.is_closing():
                transport.write(data)
            return
        if not self.finished and not transport.is_closing():
            if self._reset_at_end:
                self._sink.reset()
            else:
                transport.write_eof()
        self._finish()

    def _finish(self) -> None:
        if not self.finished:
            self.finished = True
            self.link.settle()
