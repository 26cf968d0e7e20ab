"""What a service does before and beside serving: a bounded wait for Redis, and work that is done again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from shop.runtime.errors import TreatyError
from sqlalchemy.exc import SQLAlchemyError

from services.platform.redis_streams import RedisStreams
from services.platform.redis_streams.connection import FAILURES

LOG = logging.getLogger(__name__)


class RedisUnavailable(Exception):
    """Redis did not answer in the time that was given."""


async def wait_for_redis(streams: RedisStreams, within: float = 30.0, *, pause: float = 0.2) -> None:
    """Return when Redis answers PING; say so every few seconds while it does not. `RedisUnavailable` at the end."""
    loop = asyncio.get_running_loop()
    began, said = loop.time(), 0.0
    while True:
        try:
            async with asyncio.timeout(max(0.05, began + within - loop.time())):
                await streams.client.execute_command("PING")  # type: ignore[no-untyped-call] # redis-py has no types
        except (*FAILURES, TimeoutError) as error:
            waited = loop.time() - began
            reason = str(error) or type(error).__name__
            if waited + pause >= within:
                raise RedisUnavailable(f"no Redis after {waited:.1f} s: {reason}") from error
            if said == 0.0 or waited - said >= 5.0:
                said = max(waited, 0.001)
                LOG.warning("waiting for Redis (%.0f of %.0f s): %s", waited, within, reason)
            await asyncio.sleep(pause)
        else:
            return


class Repeated:
    """A part of a process that does something every `interval` seconds; after a failure, which is logged, too."""

    def __init__(self, name: str, work: Callable[[], Awaitable[object]], *, interval: float) -> None:
        self.services = (name,)
        self._work = work
        self._interval = interval
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """The first turn comes after one interval."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self.services[0])
        return f"a turn every {self._interval:g} s"

    async def stop(self, grace: float | None = None) -> None:
        """A turn under way is cancelled; what it did is rolled back by its transaction."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task}, timeout=grace)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            try:
                await self._work()
            except (SQLAlchemyError, TreatyError, OSError) as error:
                LOG.warning("%s: %s; again in %g s", self.services[0], _line(error), self._interval)


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
