"""A process of several parts: started in order, told to stop by SIGTERM or SIGINT, drained in the reverse order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Generic, Protocol, TypeVar

LOG = logging.getLogger("treaty.process")


class Part(Protocol):
    """Something that runs beside others: a `GrpcServer`, an `HttpServer`, `Consumers`."""

    @property
    def services(self) -> tuple[str, ...]:
        """What it serves, for the log."""

    async def start(self) -> str:
        """Begin; returns where."""

    async def stop(self, grace: float | None = None) -> None:
        """Take nothing new, let what is under way finish for `grace` seconds, cancel the rest."""


async def serve(*parts: Part, grace: float = 10.0) -> None:
    """Run the parts until the process is told to stop, then drain them, the last first.

    `grace` is for all of them together, in seconds. When a part fails to start, those before it are stopped.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    drain = _Drain(grace)
    async with AsyncExitStack() as running:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told.set)
            running.callback(loop.remove_signal_handler, number)
        for part in parts:
            where = await part.start()
            running.push_async_callback(drain.stop, part)
            LOG.info("serving %s on %s", ", ".join(part.services), where)
        await told.wait()
        LOG.info("stopping: %.1f s for what is under way", grace)


class _Drain:
    """One time limit for everything that stops."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._until: float | None = None

    async def stop(self, part: Part) -> None:
        now = asyncio.get_running_loop().time()
        if self._until is None:
            self._until = now + self._grace
        await part.stop(max(0.0, self._until - now))


class _Running(Protocol):
    async def stop(self, *, grace: float | None = None) -> None:
        """Stop."""


class _Carrier(Protocol):
    async def close(self) -> None:
        """Release what it holds."""


_CarrierT = TypeVar("_CarrierT", bound=_Carrier)


class Consumers(Generic[_CarrierT]):
    """Subscriptions as a part of a process, with the transport they read from, which is closed after them."""

    services = ("events",)

    def __init__(self, transport: _CarrierT, subscribe: Callable[[_CarrierT], Awaitable[Sequence[_Running]]]) -> None:
        self._transport = transport
        self._subscribe = subscribe
        self._running: Sequence[_Running] = ()

    async def start(self) -> str:
        """Subscribe; when that fails the transport is closed."""
        try:
            self._running = await self._subscribe(self._transport)
        except BaseException:
            await self._transport.close()
            raise
        return type(self._transport).__name__

    async def stop(self, grace: float | None = None) -> None:
        """Stop the subscriptions at the same time, then close the transport."""
        running, self._running = self._running, ()
        try:
            await asyncio.gather(*(each.stop(grace=grace) for each in running))
        finally:
            await self._transport.close()
