"""The parts that every service's process is made of, for `shop.runtime.process.serve`, which starts them in order.

    await serve(
        DatabasePart(database, MIGRATIONS), BrokerPart(streams), Relay(database, outbox, streams), health,
        Subscribed(partial(consumers.start, streams)), grpc, http, grace=config.drain,
    )

Stopped in the reverse order: no new requests, no new events; what is under way ends; then the relay publishes what
was committed, and the connections are closed last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from shop.runtime.transport import Subscription

from services.platform.database import Database
from services.platform.migrations import migrate
from services.platform.redis_streams import RedisStreams
from services.platform.redis_streams.connection import FAILURES

LOG = logging.getLogger(__name__)


class BrokerUnavailable(Exception):
    """Redis did not answer in the time that was given."""


class DatabasePart:
    """Waits for PostgreSQL, at most `wait` seconds, and migrates; closes the connections at the end."""

    services = ("database",)

    def __init__(self, database: Database, migrations: Path | None, *, wait: float = 30.0) -> None:
        self._database = database
        self._migrations = migrations
        self._wait = wait

    async def start(self) -> str:
        """`DatabaseUnavailable` when it does not come."""
        await self._database.wait(self._wait)
        if self._migrations is not None:
            await migrate(self._database, self._migrations)
        return self._database.place

    async def stop(self, grace: float | None = None) -> None:
        """Close the connections."""
        await self._database.close()


class BrokerPart:
    """Waits for Redis, at most `wait` seconds; closes the transport at the end."""

    services = ("broker",)

    def __init__(self, streams: RedisStreams, *, wait: float = 30.0, pause: float = 0.2) -> None:
        self._streams = streams
        self._wait = wait
        self._pause = pause

    async def start(self) -> str:
        """`BrokerUnavailable` when it does not come."""
        loop = asyncio.get_running_loop()
        began, said = loop.time(), float("-inf")
        while True:
            try:
                await self._streams.client.ping()
            except FAILURES as error:
                waited = loop.time() - began
                if waited + self._pause >= self._wait:
                    raise BrokerUnavailable(
                        f"no Redis at {self._streams.place} after {waited:.1f} s: {error}"
                    ) from error
                if waited - said >= 5.0:
                    said = waited
                    LOG.warning(
                        "waiting for Redis at %s (%.0f of %.0f s): %s", self._streams.place, waited, self._wait, error
                    )
                await asyncio.sleep(self._pause)
            else:
                return self._streams.place

    async def stop(self, grace: float | None = None) -> None:
        """Stop what is still subscribed, close the connections."""
        await self._streams.close()


class _Stoppable(Protocol):
    async def stop(self, *, grace: float | None = None) -> None:
        """Stop."""


class Subscribed:
    """Subscriptions as a part: generated `Subscriptions` or single ones. The transport is a part of its own."""

    services = ("events",)

    def __init__(self, subscribe: Callable[[], Awaitable[Sequence[_Stoppable | Subscription]]]) -> None:
        self._subscribe = subscribe
        self._running: Sequence[_Stoppable | Subscription] = ()

    async def start(self) -> str:
        """Subscribe."""
        self._running = await self._subscribe()
        return f"{len(self._running)} subscriptions"

    async def stop(self, grace: float | None = None) -> None:
        """Read nothing more; `grace` seconds for handlers that run."""
        running, self._running = self._running, ()
        await asyncio.gather(*(each.stop(grace=grace) for each in running))
